//! Changing values.

use crate::refusal::{Place, Refusal, RefusalKind};
use crate::{FieldPath, Limits, Locator, render, step};

/// A change to the values that a locator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which values.
    pub locator: Locator,
    /// What each of them must be before the edit, if it matters.
    pub expect: Option<String>,
    /// What each of them becomes.
    pub set: NewValue,
    /// Whether a value that is not there is written, with the keys and the list element around it.
    pub create: bool,
}

/// What a value becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    /// This text.
    Text(String),
    /// It is taken away: a key with its value, or a part of an image reference. Where it is not, that is
    /// success.
    Gone,
}

/// What came of a list of edits. Either all of them are in the result or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The file changes.
    Edited(Edited),
    /// Every value is already as it should be, or no marker names one.
    Unchanged,
    /// A value is neither what it was expected to be nor what it should become.
    Stale(Stale),
}

/// A file as it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The values that changed, in the order of the file.
    pub changes: Vec<Change>,
}

/// One value that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where the value starts.
    pub place: Place,
    /// The value's path.
    pub path: FieldPath,
    /// What the value was.
    pub from: String,
    /// What the value is now.
    pub to: String,
    /// The line as it was and as it is now.
    pub line: LineChange,
}

/// A changed line, for people to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// The line's number, counted from 1.
    pub number: usize,
    /// The line before, without its end. Of a very long line, the part around the value.
    pub before: String,
    /// The line after.
    pub after: String,
}

/// A value that is not as it was expected to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Where the value starts.
    pub place: Place,
    /// The value's path.
    pub path: FieldPath,
    /// What it was expected to be.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl Edit {
    /// Sets the values that the locator names, whatever they are now.
    pub fn new(locator: Locator, set: impl Into<String>) -> Self {
        Self { locator, expect: None, set: NewValue::Text(set.into()), create: false }
    }

    /// Takes the values away that the locator names, where they are.
    pub fn removing(locator: Locator) -> Self {
        Self { locator, expect: None, set: NewValue::Gone, create: false }
    }

    /// Also where there is none yet.
    #[must_use]
    pub fn creating(mut self) -> Self {
        self.create = true;
        self
    }

    /// Whether keys or elements may come or go.
    fn is_structural(&self) -> bool {
        self.create || self.set == NewValue::Gone || self.locator.drops_digest()
    }

    /// Only if each value is this one now, or already what it should become.
    #[must_use]
    pub fn expecting(mut self, expect: impl Into<String>) -> Self {
        self.expect = Some(expect.into());
        self
    }
}

impl Edited {
    /// The lines that changed, each once even if it holds several of the values.
    pub fn lines(&self) -> Vec<&LineChange> {
        let mut lines: Vec<&LineChange> = self.changes.iter().map(|change| &change.line).collect();
        lines.dedup();
        lines
    }
}

/// Makes the edits, all or none, within the default [`Limits`].
pub fn edit(bytes: &[u8], edits: &[Edit]) -> Result<Outcome, Refusal> {
    edit_within(bytes, edits, &Limits::default())
}

/// [`edit`] with other limits. The result must be within them too.
pub fn edit_within(bytes: &[u8], edits: &[Edit], limits: &Limits) -> Result<Outcome, Refusal> {
    for edit in edits {
        if let NewValue::Text(text) = &edit.set {
            render::check_new_value(text)?;
        }
    }
    for (at, edit) in edits.iter().enumerate() {
        let other =
            edits.get(at + 1..).unwrap_or_default().iter().find(|other| other.locator == edit.locator);
        if edit.is_structural() && other.is_some_and(|other| other.set != edit.set) {
            return Err(Refusal::of(RefusalKind::Conflict { path: edit.locator.shown() }));
        }
    }
    // What adds or takes away is made one at a time: it may rest on what the one before has added.
    let (alone, together): (Vec<&Edit>, Vec<&Edit>) = edits.iter().partition(|edit| edit.is_structural());
    let mut whole: Option<Edited> = None;
    let steps = std::iter::once(together).chain(alone.into_iter().map(|edit| vec![edit]));
    for step in steps {
        let now = whole.as_ref().map_or(bytes, |edited| edited.bytes.as_slice());
        match step::step(now, &step, limits)? {
            Outcome::Unchanged => {}
            Outcome::Stale(stale) => return Ok(Outcome::Stale(stale)),
            Outcome::Edited(edited) => {
                let mut changes = whole.take().map(|whole| whole.changes).unwrap_or_default();
                changes.extend(edited.changes);
                whole = Some(Edited { bytes: edited.bytes, changes });
            }
        }
    }
    // Two edits may undo each other.
    Ok(whole.filter(|edited| edited.bytes != bytes).map_or(Outcome::Unchanged, Outcome::Edited))
}
