//! One parse, the splices that edits ask for, and a look at what came out.

use std::ops::Range;

use crate::image::{ImagePart, StaleDigest};
use crate::inside::Block;
use crate::locate::{Value, filled, locate, value};
use crate::parse::parse;
use crate::read::{inside, worth_parsing};
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::render::As;
use crate::splice::{Made, Splice, Spliced, splice};
use crate::table::{NodeId, Style, Table};
use crate::tree::House;
use crate::verify::verify;
use crate::{
    Change, Edit, Edited, FieldPath, Limits, LineChange, Locator, NewValue, Outcome, Stale, create,
    edit_within, extent, insert, json, kustomize_image, render,
};

/// Makes edits of which at most one adds or takes away.
pub(crate) fn step(bytes: &[u8], edits: &[&Edit], limits: &Limits) -> Result<Outcome, Refusal> {
    if !edits.iter().any(|edit| worth_parsing(bytes, &edit.locator)) {
        return Ok(Outcome::Unchanged);
    }
    let before = parse(bytes, limits)?;
    let mut step = Step::new(&before, limits);
    match step.plan(edits)? {
        Some(stale) => Ok(Outcome::Stale(stale)),
        None => step.finish(),
    }
}

/// Sets all these values or none of them.
pub(crate) fn set_all(
    table: &Table<'_>,
    wanted: Vec<Wanted<'_>>,
    limits: &Limits,
) -> Result<Outcome, Refusal> {
    let mut step = Step::new(table, limits);
    match step.make_all(wanted)? {
        Some(stale) => Ok(Outcome::Stale(stale)),
        None => step.finish(),
    }
}

pub(crate) struct Step<'t, 'a> {
    table: &'t Table<'a>,
    json: bool,
    limits: &'t Limits,
    splices: Vec<Splice>,
    changes: Vec<Planned>,
}

/// A change whose line in the new file is not known yet.
struct Planned {
    place: Place,
    path: FieldPath,
    from: String,
    to: String,
    /// The first byte of the splice that makes it.
    at: usize,
    /// The line, where it is known already.
    line: Option<LineChange>,
}

/// A value that is to become another text.
pub(crate) struct Wanted<'t> {
    value: Value<'t>,
    /// What the whole scalar becomes.
    becomes: String,
    /// What the part of it that was named becomes.
    part: String,
    expect: Option<String>,
    /// Whether a marker named it. A marker always sets text, and an anchor beside it is meant.
    marked: bool,
}

impl<'t> Wanted<'t> {
    /// A value that a marker names.
    pub(crate) fn marked(value: Value<'t>, becomes: &str) -> Self {
        Self { value, becomes: becomes.to_owned(), part: becomes.to_owned(), expect: None, marked: true }
    }

    /// A value that becomes this text, whatever it is now.
    pub(crate) fn plain(value: Value<'t>, becomes: &str) -> Self {
        Self { marked: false, ..Self::marked(value, becomes) }
    }

    pub(crate) fn id(&self) -> NodeId {
        self.value.id
    }
}

impl<'t, 'a> Step<'t, 'a> {
    pub(crate) fn new(table: &'t Table<'a>, limits: &'t Limits) -> Self {
        let json = json::is_valid(table.text.trim_start_matches('\u{feff}'));
        Self { table, json, limits, splices: Vec::new(), changes: Vec::new() }
    }

    /// The file with all splices made, if it is what it should be.
    pub(crate) fn finish(self) -> Result<Outcome, Refusal> {
        let Self { table, json, limits, splices, mut changes } = self;
        if splices.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let Some(Spliced { text, splices }) = splice(table, splices) else {
            return Err(Refusal::of(RefusalKind::Verification { what: "what is changed twice" }));
        };
        let after = parse(text.as_bytes(), limits)?;
        verify(table, &after, &splices)?;
        if json && !json::is_valid(text.trim_start_matches('\u{feff}')) {
            return Err(Refusal::of(RefusalKind::Verification { what: "being valid JSON" }));
        }
        changes.sort_by_key(|change| change.at);
        let changes = changes.into_iter().map(|change| change.shown(table.text, &text, &splices)).collect();
        Ok(Outcome::Edited(Edited { bytes: text.into_bytes(), changes }))
    }

    fn plan(&mut self, edits: &[&Edit]) -> Result<Option<Stale>, Refusal> {
        let mut wanted: Vec<Wanted<'t>> = Vec::new();
        let mut blocks: Vec<(Locator, Vec<Edit>)> = Vec::new();
        for edit in edits {
            let locator = match edit.locator.resolved(self.table, self.limits) {
                Ok(locator) => locator,
                Err(missing) => {
                    self.create_or_pass(edit, missing)?;
                    continue;
                }
            };
            if let Locator::Inside { block, value } = &*locator {
                let inner = Edit { locator: (**value).clone(), ..(*edit).clone() };
                match blocks.iter_mut().find(|(other, _)| *other == **block) {
                    Some((_, edits)) => edits.push(inner),
                    None => blocks.push(((**block).clone(), vec![inner])),
                }
                continue;
            }
            match &edit.set {
                NewValue::Gone => self.remove(edit, &mut wanted)?,
                NewValue::Text(text) => self.set(edit, text, &mut wanted)?,
            }
        }
        if let Some(stale) = self.make_all(wanted)? {
            return Ok(Some(stale));
        }
        for (block, edits) in blocks {
            if let Some(stale) = self.inside(&block, &edits)? {
                return Ok(Some(stale));
            }
        }
        Ok(None)
    }

    /// Writes all of them, unless one is not what it was expected to be.
    pub(crate) fn make_all(&mut self, mut wanted: Vec<Wanted<'_>>) -> Result<Option<Stale>, Refusal> {
        wanted.sort_by_key(|wanted| wanted.value.id);
        self.check_conflicts(&wanted)?;
        if let Some(stale) = wanted.iter().find_map(|wanted| self.stale(wanted)) {
            return Ok(Some(stale));
        }
        wanted.dedup_by(|later, earlier| {
            let same = later.value.id == earlier.value.id;
            earlier.marked |= same && later.marked;
            same
        });
        for wanted in wanted {
            self.make(wanted)?;
        }
        Ok(None)
    }

    /// Finds the values that become this text, or what has to be written around it.
    fn set(&mut self, edit: &Edit, text: &str, wanted: &mut Vec<Wanted<'t>>) -> Result<(), Refusal> {
        let table = self.table;
        let values = match locate(table, &edit.locator) {
            Ok(values) => values,
            Err(missing) => return self.create_or_pass(edit, missing),
        };
        if values.iter().any(|value| value.text != text) {
            self.handle_digest(&edit.locator)?;
        }
        let marked = matches!(edit.locator, Locator::Marker(_));
        for value in values {
            let becomes = match &value.part {
                Some(part) if part.part == ImagePart::Tag => {
                    let mut whole = part.whole.clone().with(part.part, text);
                    if value.text != text && whole.digest.is_some() {
                        match part.digest {
                            StaleDigest::Refused => return Err(self.stale_digest(&value)),
                            StaleDigest::Dropped => whole.digest = None,
                        }
                    }
                    whole.to_string()
                }
                Some(part) => part.whole.clone().with(part.part, text).to_string(),
                None => text.to_owned(),
            };
            let (part, expect) = (text.to_owned(), edit.expect.clone());
            wanted.push(Wanted { value, becomes, part, expect, marked });
        }
        Ok(())
    }

    /// Writes what is not there, if that is asked for. What is to go and is not there is gone.
    fn create_or_pass(&mut self, edit: &Edit, missing: Refusal) -> Result<(), Refusal> {
        match &edit.set {
            NewValue::Text(text) if edit.create => {
                let splices = create::create(self.table, &edit.locator, text, self.house(), missing)?;
                self.handle_digest(&edit.locator)?;
                self.created(splices, text, &edit.locator.shown())
            }
            NewValue::Gone if matches!(missing.kind, RefusalKind::NotFound { .. }) => Ok(()),
            NewValue::Text(_) | NewValue::Gone => Err(missing),
        }
    }

    /// Takes away what the locator names, if it is there.
    fn remove(&mut self, edit: &Edit, wanted: &mut Vec<Wanted<'t>>) -> Result<(), Refusal> {
        let values = match locate(self.table, &edit.locator) {
            Ok(values) => values,
            Err(Refusal { kind: RefusalKind::NotFound { .. }, .. }) => return Ok(()),
            Err(refusal) => return Err(refusal),
        };
        for value in values {
            match &value.part {
                Some(part) => {
                    let becomes = part.whole.clone().with(part.part, "").to_string();
                    let expect = edit.expect.clone();
                    wanted.push(Wanted { value, becomes, part: String::new(), expect, marked: false });
                }
                None => self.take_away(&value)?,
            }
        }
        Ok(())
    }

    pub(crate) fn take_away(&mut self, value: &Value<'_>) -> Result<(), Refusal> {
        editable_around(self.table, value.id, false)?;
        let splice = insert::removal(self.table, value.id)?;
        if let Some(node) = self.table.node(value.id) {
            let written = self.table.text.get(splice.old.clone()).unwrap_or_default();
            self.changes.push(Planned {
                place: node.place,
                path: self.table.path(value.id),
                from: value.text.to_string(),
                to: String::new(),
                at: splice.old.start,
                line: Some(LineChange {
                    number: node.place.line,
                    before: written.trim_end_matches(['\n', '\r']).to_owned(),
                    after: String::new(),
                }),
            });
        }
        self.splices.push(splice);
        Ok(())
    }

    /// The digest beside an entry of `images:` whose tag changes.
    fn handle_digest(&mut self, locator: &Locator) -> Result<(), Refusal> {
        let Locator::KustomizeImage(image) = locator else { return Ok(()) };
        let Some(digest) = kustomize_image::stale_digest(self.table, image) else { return Ok(()) };
        let value = value(self.table, digest)?;
        match image.digest {
            StaleDigest::Refused => Err(self.stale_digest(&value)),
            StaleDigest::Dropped => self.take_away(&value),
        }
    }

    pub(crate) fn created(
        &mut self,
        splices: Vec<Splice>,
        text: &str,
        path: &FieldPath,
    ) -> Result<(), Refusal> {
        for splice in splices {
            if let Made::Added { into, .. } = &splice.made
                && let Some(node) = self.table.node(*into)
            {
                editable_around(self.table, *into, false)?;
                let line =
                    self.table.text.get(..splice.old.start).unwrap_or_default().matches('\n').count() + 1;
                self.changes.push(Planned {
                    place: Place { line, column: 1, ..node.place },
                    path: path.clone(),
                    from: String::new(),
                    to: text.to_owned(),
                    at: splice.old.start,
                    line: splice.text.contains('\n').then(|| LineChange {
                        number: line,
                        before: String::new(),
                        after: splice.text.trim_matches(['\n', '\r']).to_owned(),
                    }),
                });
            }
            self.splices.push(splice);
        }
        Ok(())
    }

    fn check_conflicts(&self, wanted: &[Wanted<'_>]) -> Result<(), Refusal> {
        for pair in wanted.windows(2) {
            if let [one, other] = pair
                && one.value.id == other.value.id
                && one.becomes != other.becomes
            {
                let place = self.table.node(one.value.id).map(|node| node.place);
                let kind = RefusalKind::Conflict { path: self.table.path(one.value.id) };
                return Err(Refusal { kind, place });
            }
        }
        Ok(())
    }

    fn stale(&self, wanted: &Wanted<'_>) -> Option<Stale> {
        let expected = wanted.expect.as_ref()?;
        if wanted.value.text == *expected || wanted.value.text == wanted.part {
            return None;
        }
        Some(Stale {
            place: self.table.node(wanted.value.id)?.place,
            path: self.table.path(wanted.value.id),
            expected: expected.clone(),
            found: wanted.value.text.to_string(),
        })
    }

    /// Writes a value, unless it is so already.
    fn make(&mut self, wanted: Wanted<'_>) -> Result<(), Refusal> {
        let Wanted { value, becomes, part, marked, .. } = wanted;
        let whole = value.part.as_ref().map_or_else(|| value.text.to_string(), |part| part.whole.to_string());
        if whole == becomes && !value.empty {
            return Ok(());
        }
        let Some(node) = self.table.node(value.id) else {
            return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
        };
        editable(self.table, &value, marked)?;
        let sort = if marked { As::Text } else { As::Same { json: self.json } };
        let full = Value { text: whole.into(), ..value.clone() };
        let written = render::render(self.table, &full, &becomes, sort)?;
        let splice = insert::filling(self.table, value.id, written, &becomes)?;
        self.changes.push(Planned {
            place: node.place,
            path: self.table.path(value.id),
            from: value.text.to_string(),
            to: part,
            at: splice.old.start,
            line: None,
        });
        self.splices.push(splice);
        Ok(())
    }

    /// Edits the text in a block.
    fn inside(&mut self, locator: &Locator, edits: &[Edit]) -> Result<Option<Stale>, Refusal> {
        for value in locate(self.table, locator)? {
            let value = filled(self.table, value)?;
            let block = Block::of(self.table, &value)?;
            let outer = |refusal| inside(self.table, &value, &block, refusal);
            let path = self.table.path(value.id);
            match edit_within(block.text().as_bytes(), edits, self.limits).map_err(outer)? {
                Outcome::Unchanged => {}
                Outcome::Stale(stale) => {
                    return Ok(Some(Stale {
                        place: block.place(stale.place),
                        path: path.followed_by(&stale.path),
                        ..stale
                    }));
                }
                Outcome::Edited(edited) => {
                    editable_around(self.table, value.id, false)?;
                    let text = String::from_utf8_lossy(&edited.bytes).into_owned();
                    let splice = block.splice(self.table, &value, &text, self.house().line_end);
                    let at = splice.old.start;
                    self.changes.extend(edited.changes.into_iter().map(|change| {
                        let place = block.place(change.place);
                        Planned {
                            place,
                            path: path.clone().followed_by(&change.path),
                            from: change.from,
                            to: change.to,
                            at,
                            line: Some(LineChange { number: place.line, ..change.line }),
                        }
                    }));
                    self.splices.push(splice);
                }
            }
        }
        Ok(None)
    }

    pub(crate) fn house(&self) -> House {
        extent::house(self.table, self.json)
    }

    fn stale_digest(&self, value: &Value<'_>) -> Refusal {
        let kind = RefusalKind::StaleDigest { path: self.table.path(value.id) };
        Refusal { kind, place: self.table.node(value.id).map(|node| node.place) }
    }
}

impl Planned {
    fn shown(self, before: &str, after: &str, splices: &[(Splice, Range<usize>)]) -> Change {
        let Self { place, path, from, to, at, line } = self;
        let line = line.unwrap_or_else(|| {
            let index = splices.partition_point(|(splice, _)| splice.old.start < at);
            let splice = splices.get(index).filter(|(splice, _)| splice.old.start == at);
            LineChange {
                number: place.line,
                before: splice.map_or_else(String::new, |(splice, _)| line_around(before, &splice.old)),
                after: splice.map_or_else(String::new, |(_, new)| line_around(after, new)),
            }
        });
        Change { place, path, from, to, line }
    }
}

/// Refuses a value whose bytes may not be replaced.
fn editable(table: &Table<'_>, value: &Value<'_>, marked: bool) -> Result<(), Refusal> {
    let Some(node) = table.node(value.id) else {
        return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
    };
    let path = || table.path(value.id);
    let refuse = |kind| Err(Refusal::at(node.place, kind));
    if value.style == Style::Block {
        return refuse(RefusalKind::BlockScalar { path: path() });
    }
    if value.text.contains("{{")
        || value.part.as_ref().is_some_and(|part| part.whole.to_string().contains("{{"))
    {
        return refuse(RefusalKind::Template { path: path() });
    }
    editable_around(table, value.id, marked)
}

/// Refuses a value that is repeated elsewhere.
fn editable_around(table: &Table<'_>, id: NodeId, marked: bool) -> Result<(), Refusal> {
    let repeated = table
        .ancestry(id)
        .skip(usize::from(marked))
        .filter_map(|node| table.anchors.get(&node.anchor?))
        .find(|anchor| anchor.aliases > 0);
    let Some(anchor) = repeated else { return Ok(()) };
    let kind = RefusalKind::Anchored {
        path: table.path(id),
        anchor: anchor.name.clone(),
        line: anchor.line,
        aliases: anchor.aliases,
    };
    Err(Refusal { kind, place: table.node(id).map(|node| node.place) })
}

/// The line that holds these bytes, or of a long line the part around them.
pub(crate) fn line_around(text: &str, span: &Range<usize>) -> String {
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
