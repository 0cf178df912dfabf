//! Why a file was not read or not edited, and where.

mod words;

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

impl std::error::Error for Refusal {}
