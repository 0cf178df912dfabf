//! How results are shown in snapshots.

use std::fmt::Write as _;

use gradus_manifest::{ManifestError, Note};

/// All mistakes and notes, as a command line would show them, each with its field;
/// with the lines around it where a text is given.
pub(crate) fn tell(text: &str, errors: &[ManifestError], notes: &[Note]) -> String {
    let mut told = String::new();
    for error in errors {
        writeln!(told, "error: {error}").unwrap();
        if let Some(help) = &error.help {
            writeln!(told, "  help: {help}").unwrap();
        }
        writeln!(told, "  field: {:?} {:?}, column {}", error.kind, error.field, error.place.column).unwrap();
        if let (false, Some(excerpt)) = (text.is_empty(), error.excerpt(text)) {
            told.push_str(&excerpt);
        }
        told.push('\n');
    }
    for note in notes {
        writeln!(told, "note: {note}\n").unwrap();
    }
    told
}
