//! A pipeline's `edit:` that names a file or a place that is not there: its environment stays unknown, and
//! nothing is promoted into it.

use gradus_engine::places;
use gradus_manifest::{ManifestError, ManifestErrorKind};

use super::Rule;
use super::checkout::{Checkout, Edited};

pub(super) const RULE: Rule = ("edited-place", check);

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    checkout.edits.iter().filter_map(|edit| Some(told(edit, trouble(checkout, edit)?))).collect()
}

/// Why the place cannot be read, with the file.
fn trouble(checkout: &Checkout<'_>, edit: &Edited) -> Option<String> {
    let file = edit.spec.file.as_str();
    let Some((path, bytes)) = checkout.file(file) else {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        // Other files than these are not read.
        let would_be_read = file.ends_with(".yaml") || file.ends_with(".yml");
        return (would_be_read && checkout.has_folder(folder)).then(|| format!("{file} is not there"));
    };
    // A field path that does not parse is a mistake of its own.
    let place = places::place_of(&edit.spec).ok()?;
    match place.read(bytes) {
        Ok(values) if values.as_ref().is_some_and(Vec::is_empty) => {
            Some(format!("{path} has no such marker"))
        }
        Ok(_) => None,
        Err(refusal) => {
            let line = refusal.place.map(|place| format!(":{}", place.line)).unwrap_or_default();
            Some(format!("{path}{line}: {}", refusal.kind))
        }
    }
}

fn told(edit: &Edited, why: String) -> ManifestError {
    ManifestError {
        place: edit.place.clone(),
        field: String::new(),
        kind: ManifestErrorKind::Reference,
        message: format!("environment {} names a place that cannot be read: {why}", edit.environment),
        help: Some("`gradus find VERSION` lists the places of a version".to_owned()),
    }
}
