//! Changing values.

use std::ops::Range;

use crate::locate::{Value, locate};
use crate::parse::parse;
use crate::read::worth_parsing;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::render::As;
use crate::table::{Style, Table};
use crate::verify::{Splice, verify};
use crate::{FieldPath, Limits, Locator, json, render};

/// A value that was found, and what it becomes.
pub(crate) struct Wanted<'t, 'e> {
    pub(crate) value: Value<'t>,
    pub(crate) set: &'e str,
    pub(crate) expect: Option<&'e str>,
    /// Whether a marker named it. A marker always sets text, and an anchor beside it is meant.
    pub(crate) marked: bool,
}

/// A change to the values that a locator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Which values.
    pub locator: Locator,
    /// What each of them must be before the edit, if it matters.
    pub expect: Option<String>,
    /// What each of them becomes.
    pub set: String,
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
        Self { locator, expect: None, set: set.into() }
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
        render::check_new_value(&edit.set)?;
    }
    if !edits.iter().any(|edit| worth_parsing(bytes, &edit.locator)) {
        return Ok(Outcome::Unchanged);
    }
    let before = parse(bytes, limits)?;
    let mut wanted: Vec<Wanted<'_, '_>> = Vec::new();
    for edit in edits {
        let marked = matches!(edit.locator, Locator::Marker(_));
        wanted.extend(locate(&before, &edit.locator)?.into_iter().map(|value| Wanted {
            value,
            set: &edit.set,
            expect: edit.expect.as_deref(),
            marked,
        }));
    }
    set_all(&before, wanted, limits)
}

/// Sets all these values or none of them.
pub(crate) fn set_all(
    before: &Table<'_>,
    mut wanted: Vec<Wanted<'_, '_>>,
    limits: &Limits,
) -> Result<Outcome, Refusal> {
    wanted.sort_by_key(|wanted| wanted.value.id);
    check_conflicts(before, &wanted)?;
    if let Some(stale) = wanted.iter().find_map(|wanted| stale(before, wanted)) {
        return Ok(Outcome::Stale(stale));
    }
    wanted.dedup_by(|later, earlier| {
        let same = later.value.id == earlier.value.id;
        earlier.marked |= same && later.marked;
        same
    });
    wanted.retain(|wanted| wanted.value.text != wanted.set);
    if wanted.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    let json = json::is_valid(before.text.trim_start_matches('\u{feff}'));
    let (text, splices) = splice(before, &wanted, json)?;
    let after = parse(text.as_bytes(), limits)?;
    verify(before, &after, &splices)?;
    if json && !json::is_valid(text.trim_start_matches('\u{feff}')) {
        return Err(Refusal::of(RefusalKind::Verification { what: "being valid JSON" }));
    }
    let changes = splices.iter().zip(&wanted).filter_map(|(made, Wanted { value, .. })| {
        let node = before.node(value.id)?;
        let window = |text: &str, span: &Range<usize>| line_around(text, span);
        Some(Change {
            place: node.place,
            path: before.path(value.id),
            from: value.text.to_owned(),
            to: made.set.clone(),
            line: LineChange {
                number: node.place.line,
                before: window(before.text, &made.old),
                after: window(&text, &made.new),
            },
        })
    });
    let changes = changes.collect();
    Ok(Outcome::Edited(Edited { bytes: text.into_bytes(), changes }))
}

fn check_conflicts(table: &Table<'_>, wanted: &[Wanted<'_, '_>]) -> Result<(), Refusal> {
    for pair in wanted.windows(2) {
        if let [one, other] = pair
            && one.value.id == other.value.id
            && one.set != other.set
        {
            let id = one.value.id;
            let place = table.node(id).map(|node| node.place);
            return Err(Refusal { kind: RefusalKind::Conflict { path: table.path(id) }, place });
        }
    }
    Ok(())
}

fn stale(table: &Table<'_>, wanted: &Wanted<'_, '_>) -> Option<Stale> {
    let (value, expected) = (&wanted.value, wanted.expect?);
    if value.text == expected || value.text == wanted.set {
        return None;
    }
    Some(Stale {
        place: table.node(value.id)?.place,
        path: table.path(value.id),
        expected: expected.to_owned(),
        found: value.text.to_owned(),
    })
}

/// The text with the values replaced, and what was replaced where.
fn splice(
    table: &Table<'_>,
    wanted: &[Wanted<'_, '_>],
    json: bool,
) -> Result<(String, Vec<Splice>), Refusal> {
    let mut text = String::with_capacity(table.text.len() + 64);
    let mut splices = Vec::new();
    let mut copied = 0;
    for Wanted { value, set, marked, .. } in wanted {
        let old = editable(table, value, *marked)?;
        let new = render::render(table, value, set, if *marked { As::Text } else { As::Same { json } })?;
        text.push_str(table.text.get(copied..old.start).unwrap_or_default());
        let start = text.len();
        text.push_str(&new);
        copied = old.end;
        splices.push(Splice { node: value.id, new: start..text.len(), old, set: (*set).to_owned() });
    }
    text.push_str(table.text.get(copied..).unwrap_or_default());
    Ok((text, splices))
}

/// The value's bytes, if they may be replaced.
fn editable(table: &Table<'_>, value: &Value<'_>, marked: bool) -> Result<Range<usize>, Refusal> {
    let Some(node) = table.node(value.id) else {
        return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
    };
    let path = || table.path(value.id);
    let refuse = |kind| Err(Refusal::at(node.place, kind));
    if value.style == Style::Block {
        return refuse(RefusalKind::BlockScalar { path: path() });
    }
    if value.text.contains("{{") {
        return refuse(RefusalKind::Template { path: path() });
    }
    let repeated = table
        .ancestry(value.id)
        .skip(usize::from(marked))
        .filter_map(|node| table.anchors.get(&node.anchor?))
        .find(|anchor| anchor.aliases > 0);
    if let Some(anchor) = repeated {
        return refuse(RefusalKind::Anchored {
            path: path(),
            anchor: anchor.name.clone(),
            line: anchor.line,
            aliases: anchor.aliases,
        });
    }
    Ok(node.span.clone())
}

/// The line that holds these bytes, or of a long line the part around them.
fn line_around(text: &str, span: &Range<usize>) -> String {
    const SIDE: usize = 100;
    let start = text.get(..span.start).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |at| at + 1);
    let end = text
        .get(span.end..)
        .and_then(|after| after.find(['\n', '\r']))
        .map_or(text.len(), |at| span.end + at);
    let before = text.get(start..span.start).unwrap_or_default();
    let value = text.get(span.clone()).unwrap_or_default();
    let first = value.split(['\n', '\r']).next().unwrap_or_default();
    let after = text.get(span.end..end).unwrap_or_default();
    let mut line = match before.char_indices().rev().nth(SIDE) {
        Some((at, c)) => format!("...{}", before.get(at + c.len_utf8()..).unwrap_or_default()),
        None => before.to_owned(),
    };
    line.push_str(first);
    if first.len() < value.len() {
        line.push_str("...");
        return line;
    }
    match after.char_indices().nth(SIDE) {
        Some((at, _)) => {
            line.push_str(after.get(..at).unwrap_or_default());
            line.push_str("...");
        }
        None => line.push_str(after),
    }
    line
}
