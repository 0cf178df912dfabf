//! Formats of files, by name, and edits in those that are not YAML.
//!
//! TOML and `.env` files are read into a [`Tree`] of values with the bytes each came from. An edit
//! replaces the bytes of values, reads the result again and compares the trees.

mod env;
mod toml;
mod tree;

use std::ops::Range;

use crate::refusal::{Place, Refusal, RefusalKind};
use crate::render::check_new_value;
use crate::step::line_around;
use crate::{
    Change, Edit, Edited, FieldPath, Limits, LineChange, Located, Locator, NewValue, Outcome, Select, Stale,
    Step, edit_within, read_within,
};
use tree::{Leaf, Tree};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// YAML, of which JSON is a part.
    Yaml,
    /// TOML.
    Toml,
    /// Lines of `KEY=VALUE`, as shells and containers read them.
    Env,
}

impl Format {
    /// The format of a file, by its name: `*.toml`; `.env`, `*.env` and `.env.*`; YAML for any other.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        if [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end)) {
            Self::Yaml
        } else if name.ends_with(".toml") {
            Self::Toml
        } else if name.ends_with(".env") || name.starts_with(".env.") {
            Self::Env
        } else {
            Self::Yaml
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Toml => "TOML",
            Self::Env => ".env",
        }
    }

    fn parse(self, text: &str) -> Result<Tree, Refusal> {
        match self {
            Self::Toml => toml::parse(text),
            Self::Env | Self::Yaml => env::parse(text),
        }
    }

    fn render(self, leaf: &Leaf, old: &str, new: &str) -> Option<String> {
        match self {
            Self::Toml => Some(toml::render(leaf, old, new)),
            Self::Env | Self::Yaml => env::render(old, new),
        }
    }
}

/// [`read`](crate::read) in a file of this format. Only YAML has markers and documents to select.
pub fn read_file(format: Format, bytes: &[u8], locator: &Locator) -> Result<Vec<Located>, Refusal> {
    let limits = Limits::default();
    if format == Format::Yaml {
        return read_within(bytes, locator, &limits);
    }
    let Some(select) = selected(format, locator)? else { return Ok(Vec::new()) };
    let text = text(bytes, &limits)?;
    let tree = format.parse(text)?;
    let (leaf, path) = find(format, text, &tree, select)?;
    Ok(vec![Located {
        value: leaf.text.clone(),
        path,
        place: place(text, leaf.span.start),
        span: leaf.span.clone(),
    }])
}

/// All values of a TOML or `.env` file, in its order.
pub(crate) fn values(format: Format, bytes: &[u8]) -> Result<Vec<Located>, Refusal> {
    let text = text(bytes, &Limits::default())?;
    let mut found = Vec::new();
    leaves(text, &format.parse(text)?, &mut Vec::new(), &mut found);
    found.sort_by_key(|located| located.span.start);
    Ok(found)
}

fn leaves(text: &str, tree: &Tree, steps: &mut Vec<Step>, found: &mut Vec<Located>) {
    match tree {
        Tree::Table(entries) => {
            for (key, tree) in entries {
                steps.push(Step::Key(key.clone()));
                leaves(text, tree, steps, found);
                steps.pop();
            }
        }
        Tree::List(elements) => {
            for (index, tree) in elements.iter().enumerate() {
                steps.push(Step::Index(index));
                leaves(text, tree, steps, found);
                steps.pop();
            }
        }
        Tree::Leaf(leaf) => found.push(Located {
            value: leaf.text.clone(),
            path: FieldPath::new(steps.iter().cloned()),
            place: place(text, leaf.span.start),
            span: leaf.span.clone(),
        }),
    }
}

/// [`edit`](crate::edit) in a file of this format: all edits or none, and no other byte.
pub fn edit_file(format: Format, bytes: &[u8], edits: &[Edit]) -> Result<Outcome, Refusal> {
    let limits = Limits::default();
    if format == Format::Yaml {
        return edit_within(bytes, edits, &limits);
    }
    let text = text(bytes, &limits)?;
    let tree = format.parse(text)?;
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for edit in edits {
        let Some(select) = selected(format, &edit.locator)? else { continue };
        let set = match &edit.set {
            NewValue::Text(set) => set,
            NewValue::Gone => {
                return Err(Refusal::of(RefusalKind::NotAddable { path: select.path.clone() }));
            }
        };
        check_new_value(set)?;
        let (leaf, path) = find(format, text, &tree, select)?;
        wanted.push(Wanted { leaf, path, set, expect: edit.expect.as_deref() });
    }
    wanted.sort_by_key(|wanted| wanted.leaf.span.start);
    if let Some(refusal) = wanted.windows(2).find_map(|pair| conflict(text, pair)) {
        return Err(refusal);
    }
    if let Some(stale) = wanted.iter().find_map(|wanted| wanted.stale(text)) {
        return Ok(Outcome::Stale(stale));
    }
    wanted.dedup_by_key(|wanted| wanted.leaf.span.start);
    wanted.retain(|wanted| wanted.leaf.text != *wanted.set);
    if wanted.is_empty() {
        return Ok(Outcome::Unchanged);
    }
    let edited = splice(format, text, &wanted)?;
    let refuse = |what| Err(Refusal::of(RefusalKind::Verification { what }));
    let Ok(mut after) = format.parse(&edited.0) else { return refuse("being valid") };
    let mut expected = tree.clone();
    for Wanted { path, set, .. } in &wanted {
        if after.get(path).is_none_or(|leaf| leaf.text != *set) {
            return refuse("the value itself");
        }
        expected.forget(path);
        after.forget(path);
    }
    if !after.same(&expected) {
        return refuse("another value");
    }
    let changes = wanted.iter().zip(&edited.1).map(|(wanted, new)| wanted.change(text, &edited.0, new));
    let changes = changes.collect();
    Ok(Outcome::Edited(Edited { bytes: edited.0.into_bytes(), changes }))
}

/// A value that was found, and its edit.
struct Wanted<'a> {
    leaf: &'a Leaf,
    path: FieldPath,
    set: &'a str,
    expect: Option<&'a str>,
}

impl Wanted<'_> {
    fn stale(&self, text: &str) -> Option<Stale> {
        let expected = self.expect?;
        let found = &self.leaf.text;
        (found != expected && *found != self.set).then(|| Stale {
            place: place(text, self.leaf.span.start),
            path: self.path.clone(),
            expected: expected.to_owned(),
            found: found.clone(),
        })
    }

    fn change(&self, before: &str, after: &str, new: &Range<usize>) -> Change {
        let place = place(before, self.leaf.span.start);
        Change {
            place,
            path: self.path.clone(),
            from: self.leaf.text.clone(),
            to: self.set.to_owned(),
            line: LineChange {
                number: place.line,
                before: line_around(before, &self.leaf.span),
                after: line_around(after, new),
            },
        }
    }
}

fn conflict(text: &str, pair: &[Wanted<'_>]) -> Option<Refusal> {
    let [one, other] = pair else { return None };
    let same = one.leaf.span.start == other.leaf.span.start;
    (same && one.set != other.set).then(|| {
        let kind = RefusalKind::Conflict { path: one.path.clone() };
        Refusal::at(place(text, one.leaf.span.start), kind)
    })
}

/// The text with the values replaced, and where the new ones are.
fn splice(format: Format, text: &str, wanted: &[Wanted<'_>]) -> Result<(String, Vec<Range<usize>>), Refusal> {
    let mut out = String::with_capacity(text.len() + 64);
    let mut spans = Vec::new();
    let mut copied = 0;
    for Wanted { leaf, path, set, .. } in wanted {
        let old = text.get(leaf.span.clone()).unwrap_or_default();
        let Some(new) = format.render(leaf, old, set) else {
            let kind = RefusalKind::Unwritable { path: path.clone(), format: format.name() };
            return Err(Refusal::at(place(text, leaf.span.start), kind));
        };
        out.push_str(text.get(copied..leaf.span.start).unwrap_or_default());
        spans.push(out.len()..out.len() + new.len());
        out.push_str(&new);
        copied = leaf.span.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok((out, spans))
}

/// The one way in which these formats name a value; a marker names none in them.
fn selected(format: Format, locator: &Locator) -> Result<Option<&Select>, Refusal> {
    match locator {
        Locator::Path(select) => Ok(Some(select)),
        Locator::Marker(_) => Ok(None),
        Locator::Part { .. }
        | Locator::KustomizeImage(_)
        | Locator::KustomizePatch(_)
        | Locator::Operation(_)
        | Locator::Inside { .. } => Err(Refusal::of(RefusalKind::OnlyPaths { format: format.name() })),
    }
}

fn find<'t>(
    format: Format,
    text: &str,
    tree: &'t Tree,
    select: &Select,
) -> Result<(&'t Leaf, FieldPath), Refusal> {
    if let Some(wanted) = select.conditions() {
        let present = vec![format!("no documents to select, since it is {}", format.name())];
        return Err(Refusal::of(RefusalKind::NoDocument { wanted: Some(wanted), present }));
    }
    let path = match format {
        Format::Env => one_key(&select.path),
        Format::Toml | Format::Yaml => select.path.clone(),
    };
    tree.find(&path).map_err(|(mut kind, at)| {
        if let RefusalKind::DuplicateKey { lines, .. } | RefusalKind::ManyElements { lines, .. } = &mut kind {
            lines.iter_mut().for_each(|line| *line = place(text, *line).line);
        }
        Refusal { kind, place: at.map(|at| place(text, at)) }
    })
}

/// A key with dots in it, where there is nothing inside of anything.
fn one_key(path: &FieldPath) -> FieldPath {
    let keys: Option<Vec<&str>> = path
        .steps()
        .iter()
        .map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) | Step::Where { .. } => None,
        })
        .collect();
    match keys {
        Some(keys) => FieldPath::new([Step::Key(keys.join("."))]),
        None => path.clone(),
    }
}

fn text<'b>(bytes: &'b [u8], limits: &Limits) -> Result<&'b str, Refusal> {
    if bytes.len() > limits.bytes {
        return Err(Refusal::of(RefusalKind::TooLarge { bytes: bytes.len(), limit: limits.bytes }));
    }
    std::str::from_utf8(bytes).map_err(|_| Refusal::of(RefusalKind::NotUtf8))
}

/// The place of a byte.
fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before.get(start..).unwrap_or_default().chars().count() + 1;
    Place { document: 1, line: before.matches('\n').count() + 1, column }
}

/// A file that its format does not allow.
fn unreadable(format: Format, text: &str, at: usize, detail: String) -> Refusal {
    Refusal::at(place(text, at), RefusalKind::NotOfFormat { format: format.name(), detail })
}
