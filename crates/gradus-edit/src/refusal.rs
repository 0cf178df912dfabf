//! Why a file was not read or not edited, and where.

use std::fmt;

use crate::walk::shorten;
use crate::{FieldPath, Stale};

/// A file or a value that this crate does not read or edit.
///
/// The text begins with the place inside the file, if there is one; the caller knows the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What stands in the way.
    pub kind: RefusalKind,
    /// Where it stands.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The document in the stream, counted from 1; empty documents count.
    pub document: usize,
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
}

/// What stands in the way of reading or editing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalKind {
    /// The file has more bytes than the limit.
    TooLarge {
        /// The size of the file, or of the file as it would become.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The file has more nodes than the limit.
    TooManyNodes {
        /// The limit.
        limit: usize,
    },
    /// The file has more collections inside one another than the limit.
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The file is not YAML; the parser's reason.
    Syntax(String),
    /// The file is not YAML and has `{{` in it.
    TemplateFile {
        /// The parser's reason.
        detail: String,
        /// The line of the first `{{`.
        line: usize,
    },
    /// The value has `{{` in it.
    Template {
        /// The value's path.
        path: FieldPath,
    },
    /// No document of the file matches.
    NoDocument {
        /// The conditions, as text.
        wanted: Option<String>,
        /// The documents there are, as text.
        present: Vec<String>,
    },
    /// More than one document matches.
    ManyDocuments {
        /// The conditions, as text.
        wanted: Option<String>,
        /// The lines where the matching documents start.
        lines: Vec<usize>,
    },
    /// The path leads nowhere.
    NotFound {
        /// The path that was asked for.
        path: FieldPath,
        /// The deepest part of it that is there.
        found: FieldPath,
        /// What is missing there.
        missing: Box<Missing>,
    },
    /// A key on the path is there more than once.
    DuplicateKey {
        /// The path up to the key.
        path: FieldPath,
        /// The lines of the key.
        lines: Vec<usize>,
    },
    /// `[field=value]` matches more than one element.
    ManyElements {
        /// The path up to this step.
        path: FieldPath,
        /// The lines of the elements.
        lines: Vec<usize>,
    },
    /// The path or the marker names a mapping or a list.
    NotScalar {
        /// The path of the collection.
        path: FieldPath,
        /// Which of the two it is.
        what: &'static str,
    },
    /// The value is not there, or it is null.
    Empty {
        /// The value's path.
        path: FieldPath,
    },
    /// The path leads through an alias.
    Alias {
        /// The path of the alias.
        path: FieldPath,
        /// The anchor's name.
        anchor: String,
        /// The line that defines the anchor.
        line: usize,
    },
    /// The value is repeated elsewhere through an alias.
    Anchored {
        /// The value's path.
        path: FieldPath,
        /// The anchor's name.
        anchor: String,
        /// The line that defines the anchor.
        line: usize,
        /// How many places repeat it.
        aliases: usize,
    },
    /// The digest beside a new tag would go on naming the old image.
    StaleDigest {
        /// The digest's path, or the reference's.
        path: FieldPath,
    },
    /// Nothing can be added here, or taken away.
    NotAddable {
        /// The path of the collection or the value.
        path: FieldPath,
    },
    /// A patch sets the value that may be for more than the one object.
    WidePatch {
        /// The path in the object.
        path: FieldPath,
        /// The object.
        object: String,
    },
    /// Only literal blocks (`|`) are edited inside.
    NotLiteral {
        /// The value's path.
        path: FieldPath,
    },
    /// The text in a block cannot be edited.
    Inside {
        /// The block's path.
        path: FieldPath,
        /// Why, with the place in the file.
        refusal: Box<Refusal>,
    },
    /// The path leads to a key that a merge key (`<<`) may supply.
    Merged {
        /// The path that was asked for.
        path: FieldPath,
        /// The line of the merge key.
        line: usize,
    },
    /// The value is a block scalar.
    BlockScalar {
        /// The value's path.
        path: FieldPath,
    },
    /// The value's tag does not go with the new value.
    Tagged {
        /// The value's path.
        path: FieldPath,
        /// The tag.
        tag: String,
    },
    /// A marker that belongs to no value.
    StrayMarker {
        /// The marker.
        marker: String,
    },
    /// A marker that belongs to no value as [`Attached`](crate::Standing::Attached) has it.
    DetachedMarker {
        /// The marker.
        marker: String,
    },
    /// A comment that holds more than one marker.
    ManyMarkers {
        /// The comment.
        comment: String,
    },
    /// A marker that asks for a part which the new value does not have.
    NoPart {
        /// The marker.
        marker: String,
        /// The part.
        part: &'static str,
    },
    /// The new value has a character that does not go on one line of a file.
    NewValue {
        /// The character.
        character: char,
    },
    /// The format has no way to write the new value that every reader takes for it.
    Unwritable {
        /// The value's path.
        path: FieldPath,
        /// The format.
        format: &'static str,
    },
    /// A value is neither what it was expected to be nor what it should become.
    Unexpected {
        /// The value's path.
        path: FieldPath,
        /// What it was expected to be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The format has nothing by which a value could be named but a path.
    OnlyPaths {
        /// The format.
        format: &'static str,
    },
    /// The file is not of the format that its name says.
    NotOfFormat {
        /// The format.
        format: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Two edits give one value different contents.
    Conflict {
        /// The value's path.
        path: FieldPath,
    },
    /// The result was not what it should be. Nothing is written; this is a defect worth a report.
    Verification {
        /// What differed.
        what: &'static str,
    },
}

/// What is missing where a path ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The mapping has no such key.
    Key {
        /// The key that was asked for.
        key: String,
        /// The keys there are, the first few.
        keys: Vec<String>,
        /// How many keys there are beyond these.
        more: usize,
        /// A key that is spelled almost the same.
        nearest: Option<String>,
    },
    /// The list has no such index.
    Index {
        /// The index that was asked for.
        index: usize,
        /// The list's length.
        length: usize,
    },
    /// No element of the list has this value in this field.
    Element {
        /// The field that was asked for.
        field: String,
        /// The value that was asked for.
        value: String,
        /// The values there are, the first few.
        values: Vec<String>,
        /// A value that is spelled almost the same.
        nearest: Option<String>,
    },
    /// No patch in the kustomization writes the value.
    Patch {
        /// The object that would be patched.
        object: String,
        /// The files that hold its other patches.
        files: Vec<String>,
    },
    /// No operation of the patch writes the value.
    Operation {
        /// The paths that its operations have.
        paths: Vec<String>,
    },
    /// The path goes on where there is no collection of the right sort.
    Collection {
        /// What is there.
        what: &'static str,
        /// The step that does not apply to it.
        step: String,
    },
}

impl Refusal {
    /// Whether what was looked for is not there, or has no value: what [`creating`](crate::Edit::creating)
    /// an edit is for.
    pub fn is_missing(&self) -> bool {
        if let RefusalKind::Inside { refusal, .. } = &self.kind {
            return refusal.is_missing();
        }
        matches!(self.kind, RefusalKind::NotFound { .. } | RefusalKind::Empty { .. })
    }

    pub(crate) fn of(kind: RefusalKind) -> Self {
        Self { kind, place: None }
    }

    /// Whether the file as a whole cannot be read, rather than one of its values not be edited.
    pub fn is_of_whole_file(&self) -> bool {
        matches!(
            self.kind,
            RefusalKind::TooLarge { .. }
                | RefusalKind::TooManyNodes { .. }
                | RefusalKind::TooDeep { .. }
                | RefusalKind::NotUtf8
                | RefusalKind::Syntax(_)
                | RefusalKind::TemplateFile { .. }
                | RefusalKind::NotOfFormat { .. }
        )
    }

    pub(crate) fn at(place: Place, kind: RefusalKind) -> Self {
        Self { kind, place: Some(place) }
    }
}

impl From<Stale> for Refusal {
    fn from(stale: Stale) -> Self {
        let Stale { place, path, expected, found } = stale;
        Self::at(place, RefusalKind::Unexpected { path, expected, found })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place}: {}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)?;
        if self.document > 1 { write!(f, " (document {})", self.document) } else { Ok(()) }
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "the file has {bytes} bytes, and files of up to {limit} are read")
            }
            Self::TooManyNodes { limit } => write!(f, "the file has more than {limit} keys and values"),
            Self::TooDeep { limit } => write!(f, "the file is nested deeper than {limit} levels"),
            Self::NotUtf8 => f.write_str("the file is not UTF-8 text; save it as UTF-8"),
            Self::Syntax(detail) => write!(f, "the file is not valid YAML: {detail}"),
            Self::TemplateFile { detail, line } => write!(
                f,
                "the file is not valid YAML: {detail}; line {line} has {{{{, so it may be a template, \
                 and templates cannot be edited"
            ),
            Self::Template { path } => {
                write!(f, "{path} is a template, and templates cannot be edited; edit its input")
            }
            Self::NoDocument { wanted, present } => no_document(f, wanted.as_deref(), present),
            Self::ManyDocuments { wanted, lines } => {
                match wanted {
                    Some(wanted) => write!(f, "{} documents have {wanted}", lines.len())?,
                    None => write!(f, "the file has {} documents", lines.len())?,
                }
                write!(f, ", on lines {}; select one by kind, name or namespace", Lines(lines))
            }
            Self::NotFound { path, found, missing } => {
                write!(f, "{path} is not there: {}", Where { found, missing })
            }
            Self::DuplicateKey { path, lines } => {
                write!(f, "{path} is there {} times, on lines {}; keep one", lines.len(), Lines(lines))
            }
            Self::ManyElements { path, lines } => {
                write!(f, "{path} matches {} elements, on lines {}", lines.len(), Lines(lines))?;
                f.write_str("; use an index")
            }
            Self::NotScalar { path, what } => {
                write!(f, "{path} is {what}, not a single value; name a value inside it")
            }
            Self::Empty { path } => write!(f, "{path} has no value"),
            Self::Alias { path, anchor, line } => {
                write!(
                    f,
                    "{path} is an alias of &{anchor}, defined on line {line}; write a value in its place to edit it"
                )
            }
            Self::Anchored { path, anchor, line, aliases } => {
                let places = if *aliases == 1 { "place repeats" } else { "places repeat" };
                write!(f, "{path} is part of &{anchor}, defined on line {line}, which {aliases} {places}")?;
                f.write_str("; an edit would change them too")
            }
            Self::Merged { path, line } => {
                write!(f, "{path} is not written here, but the merge key on line {line} may supply it; ")?;
                f.write_str("write the key itself to edit it")
            }
            Self::BlockScalar { path } => {
                write!(
                    f,
                    "{path} is a block of text (| or >), and those cannot be edited; write it on one line"
                )
            }
            Self::Tagged { path, tag } => {
                write!(f, "{path} has the tag {tag}, and the new value is not of it")
            }
            Self::StrayMarker { marker } => write!(
                f,
                "the marker {marker} belongs to no value; put it at the end of the value's line, or right \
                 above its key with the same indentation"
            ),
            Self::DetachedMarker { marker } => write!(
                f,
                "the marker {marker} belongs to no value to Flux; put it at the end of the value's line"
            ),
            Self::ManyMarkers { comment } => write!(
                f,
                "the comment {comment} holds several markers, so it is none; write one object, with a member \
                 for each"
            ),
            Self::NoPart { marker, part } => {
                write!(f, "the marker {marker} asks for a {part}, and the new value has none")
            }
            Self::NewValue { character } => {
                write!(
                    f,
                    "the new value has the character {character:?}, which cannot be written on one line"
                )
            }
            Self::StaleDigest { path } => write!(
                f,
                "the digest at {path} would go on naming the old image; set it too, or have it dropped"
            ),
            Self::NotAddable { path } => {
                write!(
                    f,
                    "{path} is written in a way in which nothing can be added or taken away; edit it by hand"
                )
            }
            Self::WidePatch { path, object } => write!(
                f,
                "the patch sets {path} of all that its target selects, and not of {object} alone; write a patch \
                 whose target is its kind and name"
            ),
            Self::NotLiteral { path } => {
                write!(f, "{path} is not a literal block (|); only those are edited inside")
            }
            Self::Inside { path, refusal } => write!(f, "in the text of {path}: {}", refusal.kind),
            Self::Unwritable { path, format } => write!(
                f,
                "{path} cannot become this value: not every reader of {format} files would take it as it is"
            ),
            Self::Unexpected { path, expected, found } => {
                write!(f, "{path} is {}, not {} as expected", shorten(found), shorten(expected))
            }
            Self::OnlyPaths { format } => write!(f, "in {format} files a value is named by its path alone"),
            Self::NotOfFormat { format, detail } => write!(f, "the file is not valid {format}: {detail}"),
            Self::Conflict { path } => write!(f, "two edits give {path} different values"),
            Self::Verification { what } => {
                write!(f, "the edited file would differ in {what}; nothing was changed")
            }
        }
    }
}

fn no_document(f: &mut fmt::Formatter<'_>, wanted: Option<&str>, present: &[String]) -> fmt::Result {
    match (wanted, present) {
        (Some(wanted), []) => write!(f, "no document has {wanted}; the file is empty"),
        (Some(wanted), present) => write!(f, "no document has {wanted}; the file has {}", present.join(", ")),
        (None, _) => f.write_str("the file is empty"),
    }
}

struct Where<'a> {
    found: &'a FieldPath,
    missing: &'a Missing,
}

impl fmt::Display for Where<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found;
        match self.missing {
            Missing::Key { key, keys, more, nearest } => {
                write!(f, "{found} has no key {key}")?;
                if let Some(nearest) = nearest {
                    write!(f, " (did you mean {nearest}?)")?;
                }
                if keys.is_empty() {
                    return f.write_str("; it is empty");
                }
                write!(f, "; its keys are {}", keys.join(", "))?;
                if *more > 0 { write!(f, " and {more} more") } else { Ok(()) }
            }
            Missing::Index { index, length } => {
                let elements = if *length == 1 { "element" } else { "elements" };
                write!(f, "{found} has {length} {elements}, so there is no [{index}]")
            }
            Missing::Element { field, value, values, nearest } => {
                write!(f, "no element of {found} has {field}={value}")?;
                if let Some(nearest) = nearest {
                    write!(f, " (did you mean {nearest}?)")?;
                }
                if values.is_empty() { Ok(()) } else { write!(f, "; there are {}", values.join(", ")) }
            }
            Missing::Patch { object, files } => {
                write!(f, "the kustomization has no patch in it that sets it for {object}")?;
                match files.as_slice() {
                    [] => Ok(()),
                    files => {
                        write!(f, "; of the patches in files, {}, name the file itself", files.join(", "))
                    }
                }
            }
            Missing::Operation { paths } if paths.is_empty() => f.write_str("the patch has no operations"),
            Missing::Operation { paths } => {
                write!(f, "no operation of the patch writes it; it has {}", paths.join(", "))
            }
            Missing::Collection { what, step } => write!(f, "{found} is {what}, which has no {step}"),
        }
    }
}

/// Line numbers as people list them: `1, 4 and 9`.
struct Lines<'a>(&'a [usize]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let shown = self.0.len().min(SHOWN);
        for (index, line) in self.0.iter().take(SHOWN).enumerate() {
            match index {
                0 => write!(f, "{line}")?,
                last if last + 1 == shown && shown == self.0.len() => write!(f, " and {line}")?,
                _ => write!(f, ", {line}")?,
            }
        }
        if shown < self.0.len() { write!(f, " and {} more", self.0.len() - shown) } else { Ok(()) }
    }
}
