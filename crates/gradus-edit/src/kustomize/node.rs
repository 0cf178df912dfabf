//! Values that remember where they were written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inside::Block;
use crate::locate;
use crate::operation::steps_of;
use crate::parse::parse;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::scalar::{self, Type};
use crate::table::{AnchorId, Content, NodeId, Style, Table};
use crate::{FieldPath, Limits, Locator, Operation, Select, Step};

/// Values inside one another, once aliases are followed.
const DEEPEST: usize = 300;

/// A value of an object, and where it was written.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it was written.
    pub origin: Arc<Origin>,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Value {
    /// Keys and values, in the order in which they are written.
    Mapping(Vec<(Arc<str>, Node)>),
    /// Values in their order.
    List(Vec<Node>),
    /// A single value.
    Text(Text),
    /// Null, or a value that is not written.
    Null,
}

/// A single value.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it says, without quotes and escapes.
    pub text: Arc<str>,
    /// Whether YAML takes it for text, and not for a number or a boolean.
    pub is_text: bool,
    /// Where its last part was written, if a part of it comes from elsewhere: the tag of an image.
    pub part: Option<Arc<Origin>>,
    /// Where the first line of a literal block begins.
    pub(super) block: Option<Place>,
}

/// Where a value was written.
#[derive(Debug)]
pub struct Origin {
    source: Arc<Source>,
    /// The line and the column in the file.
    pub place: Place,
    around: Option<(Arc<Origin>, Step)>,
    /// What names the value better than its path does.
    named: Option<Locator>,
}

/// A document.
#[derive(Debug)]
pub(super) struct Source {
    file: Arc<str>,
    /// The value that the document is the text of.
    inside: Option<Arc<Origin>>,
    /// Whether that value is a literal block, in which values can be set.
    literal: bool,
    /// What tells the document from others in the file, if there are others.
    select: Option<Select>,
    /// Of a JSON patch: the path of each operation that writes something.
    operations: Vec<Option<FieldPath>>,
}

impl Origin {
    /// The file, as it was named when it was read.
    pub fn file(&self) -> &str {
        &self.source.file
    }

    /// The line in the file, counted from 1.
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// The way to the value in its document.
    pub fn path(&self) -> FieldPath {
        let mut steps = Vec::new();
        let mut at = self.around.as_ref();
        while let Some((around, step)) = at {
            steps.push(step.clone());
            at = around.around.as_ref();
        }
        steps.reverse();
        FieldPath::new(steps)
    }

    /// What names the value in its file, so that it can be set there. A value in a text that is not a
    /// literal block has no name.
    pub fn locator(&self) -> Option<Locator> {
        let path = self.path();
        let here = match (&self.named, self.operation(&path), &self.source.select) {
            (Some(named), ..) => named.clone(),
            (None, Some(operation), _) => Locator::Operation(operation),
            (None, None, Some(select)) => Locator::Path(Select { path, ..select.clone() }),
            (None, None, None) => Locator::Path(Select::path(path)),
        };
        match &self.source.inside {
            None => Some(here),
            Some(_) if !self.source.literal => None,
            Some(block) => Some(block.locator()?.inside(here)),
        }
    }

    /// Whether the value stands in a text inside of the file: in a patch that is written inline.
    pub fn is_inline(&self) -> bool {
        self.source.inside.is_some()
    }

    /// Whether an operation of a JSON patch writes the value.
    pub fn is_operation(&self) -> bool {
        self.operation(&self.path()).is_some()
    }

    fn operation(&self, path: &FieldPath) -> Option<Operation> {
        let [Step::Index(index), Step::Key(value), rest @ ..] = path.steps() else { return None };
        let to = self.source.operations.get(*index)?.as_ref().filter(|_| value == "value")?;
        Some(Operation { path: to.clone().followed_by(&FieldPath::new(rest.iter().cloned())) })
    }

    /// The same place, with a better name.
    pub(super) fn named(&self, locator: Locator) -> Arc<Self> {
        Arc::new(Self {
            source: self.source.clone(),
            place: self.place,
            around: self.around.clone(),
            named: Some(locator),
        })
    }
}

impl Node {
    /// The value of a key; of a repeated key the last one, as most readers have it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Mapping(entries) => {
                entries.iter().rev().find(|(name, _)| &**name == key).map(|(_, node)| node)
            }
            Value::List(_) | Value::Text(_) | Value::Null => None,
        }
    }

    /// The value behind several keys.
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// What a single value says.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(&text.text),
            Value::Mapping(_) | Value::List(_) | Value::Null => None,
        }
    }

    /// What the single value of a key says.
    pub fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The elements of a list; none of anything else.
    pub fn elements(&self) -> &[Self] {
        match &self.value {
            Value::List(elements) => elements,
            Value::Mapping(_) | Value::Text(_) | Value::Null => &[],
        }
    }

    /// The entries of a mapping; none of anything else.
    pub fn entries(&self) -> &[(Arc<str>, Self)] {
        match &self.value {
            Value::Mapping(entries) => entries,
            Value::List(_) | Value::Text(_) | Value::Null => &[],
        }
    }

    /// The elements of the list at a key.
    pub(super) fn list(&self, key: &str) -> &[Self] {
        self.get(key).map(Self::elements).unwrap_or_default()
    }

    /// Where the value was written whose last part is a version: the tag, if an image has one of its own.
    pub fn said_at(&self) -> &Arc<Origin> {
        match &self.value {
            Value::Text(Text { part: Some(part), .. }) => part,
            Value::Text(_) | Value::Mapping(_) | Value::List(_) | Value::Null => &self.origin,
        }
    }

    /// How many values it is made of.
    pub(super) fn size(&self) -> usize {
        match &self.value {
            Value::Mapping(entries) => 1 + entries.iter().map(|(_, node)| node.size()).sum::<usize>(),
            Value::List(elements) => 1 + elements.iter().map(Self::size).sum::<usize>(),
            Value::Text(_) | Value::Null => 1,
        }
    }

    /// Sets a key, at the end if it is new.
    pub(super) fn set(&mut self, key: &str, node: Self) {
        if let Value::Mapping(entries) = &mut self.value {
            match entries.iter_mut().find(|(name, _)| &**name == key) {
                Some((_, old)) => *old = node,
                None => entries.push((key.into(), node)),
            }
        }
    }

    /// Text that stands for a value which nobody wrote as it is.
    pub(super) fn made(text: &str, origin: &Arc<Origin>) -> Self {
        let text = Text { text: text.into(), is_text: true, part: None, block: None };
        Self { value: Value::Text(text), origin: origin.clone() }
    }
}

/// The documents of a file.
pub(super) fn read(file: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Node>, Refusal> {
    let table = parse(bytes, limits)?;
    documents(&table, file, None, limits)
}

/// The documents in a text that a value is.
pub(super) fn read_inside(node: &Node, text: &Text, limits: &Limits) -> Result<Vec<Node>, Refusal> {
    let outer = |mut refusal: Refusal| {
        refusal.place = Some(outwards(node.origin.place, text.block, refusal.place));
        refusal
    };
    let table = parse(text.text.as_bytes(), limits).map_err(outer)?;
    documents(&table, node.origin.file(), Some((node, text)), limits).map_err(outer)
}

fn documents(
    table: &Table<'_>,
    file: &str,
    inside: Option<(&Node, &Text)>,
    limits: &Limits,
) -> Result<Vec<Node>, Refusal> {
    let file: Arc<str> = file.into();
    let mut reader = Reader { table, anchored: BTreeMap::new(), made: 0, limits, inside, depth: 0 };
    let mut documents = Vec::new();
    for root in &table.roots {
        let text = |of: NodeId, key: &str| table.get(of, key).and_then(|node| table.scalar(node));
        let metadata = table.get(*root, "metadata");
        let of_metadata = |key: &str| metadata.and_then(|node| text(node, key)).map(str::to_owned);
        let select = (table.roots.len() > 1).then(|| Select {
            api_version: text(*root, "apiVersion").map(str::to_owned),
            kind: text(*root, "kind").map(str::to_owned),
            name: of_metadata("name"),
            namespace: of_metadata("namespace"),
            path: FieldPath::new([]),
        });
        let operations = if table.is_list(*root) {
            let path = |element| {
                let op = text(element, "op").filter(|op| matches!(*op, "add" | "replace"));
                steps_of(text(element, "path").filter(|_| op.is_some())?)
            };
            table.children(*root).map(path).collect()
        } else {
            Vec::new()
        };
        let source = Arc::new(Source {
            file: file.clone(),
            inside: inside.map(|(node, _)| node.origin.clone()),
            literal: inside.is_some_and(|(_, text)| text.block.is_some()),
            select,
            operations,
        });
        documents.push(reader.node(*root, &source, None)?);
    }
    Ok(documents)
}

/// The place in the file of a place in a text inside of it.
fn outwards(outer: Place, block: Option<Place>, inner: Option<Place>) -> Place {
    match (block, inner) {
        (Some(block), Some(inner)) => Place {
            line: block.line + inner.line.saturating_sub(1),
            column: block.column + inner.column.saturating_sub(1),
            ..outer
        },
        (Some(_), None) | (None, _) => outer,
    }
}

struct Reader<'r, 'a> {
    table: &'r Table<'a>,
    anchored: BTreeMap<AnchorId, Node>,
    /// How many values there are so far, with those that aliases repeat.
    made: usize,
    limits: &'r Limits,
    inside: Option<(&'r Node, &'r Text)>,
    depth: usize,
}

impl Reader<'_, '_> {
    fn node(
        &mut self,
        id: NodeId,
        source: &Arc<Source>,
        around: Option<(Arc<Origin>, Step)>,
    ) -> Result<Node, Refusal> {
        let Some(node) = self.table.node(id) else {
            return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
        };
        self.depth += 1;
        self.count(1, node.place)?;
        let place = match self.inside {
            Some((outer, text)) => outwards(outer.origin.place, text.block, Some(node.place)),
            None => node.place,
        };
        let origin = Arc::new(Origin { source: source.clone(), place, around, named: None });
        let value = match &node.content {
            Content::Mapping(_) => Value::Mapping(self.mapping(id, source, &origin)?),
            Content::Sequence(_) => {
                let mut elements = Vec::new();
                for (at, element) in self.table.children(id).enumerate() {
                    let around = Some((origin.clone(), Step::Index(at)));
                    elements.push(self.node(element, source, around)?);
                }
                Value::List(elements)
            }
            Content::Scalar(style, text) => self.text(id, *style, text, node.tag.as_deref()),
            Content::Alias(anchor) => {
                self.depth -= 1;
                // An alias inside of what it stands for means nothing.
                let Some(meant) = self.anchored.get(anchor).cloned() else {
                    return Ok(Node { value: Value::Null, origin });
                };
                self.count(meant.size(), node.place)?;
                return Ok(meant);
            }
            Content::Absent => Value::Null,
        };
        self.depth -= 1;
        let made = Node { value, origin };
        if let Some(anchor) = node.anchor {
            self.anchored.insert(anchor, made.clone());
        }
        Ok(made)
    }

    fn count(&mut self, more: usize, place: Place) -> Result<(), Refusal> {
        self.made = self.made.saturating_add(more);
        if self.made > self.limits.nodes {
            return Err(Refusal::at(place, RefusalKind::TooManyNodes { limit: self.limits.nodes }));
        }
        if self.depth > DEEPEST {
            return Err(Refusal::at(place, RefusalKind::TooDeep { limit: DEEPEST }));
        }
        Ok(())
    }

    fn mapping(
        &mut self,
        id: NodeId,
        source: &Arc<Source>,
        origin: &Arc<Origin>,
    ) -> Result<Vec<(Arc<str>, Node)>, Refusal> {
        let mut entries: Vec<(Arc<str>, Node)> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        for (key, value) in self.table.entries(id) {
            let Some(name) = self.table.scalar(key) else { continue };
            let name: Arc<str> = name.into();
            let around = Some((origin.clone(), Step::Key(name.to_string())));
            let node = self.node(value, source, around)?;
            let is_merge = &*name == "<<"
                && self.table.node(key).is_some_and(|key| match &key.content {
                    Content::Scalar(style, _) => *style == Style::Plain,
                    Content::Mapping(_) | Content::Sequence(_) | Content::Alias(_) | Content::Absent => false,
                });
            if is_merge { merged.push(node) } else { entries.push((name, node)) }
        }
        for node in merged {
            let several: Vec<&Node> = match &node.value {
                Value::List(elements) => elements.iter().collect(),
                Value::Mapping(_) | Value::Text(_) | Value::Null => vec![&node],
            };
            for (key, value) in several.into_iter().flat_map(Node::entries) {
                if !entries.iter().any(|(name, _)| name == key) {
                    entries.push((key.clone(), value.clone()));
                }
            }
        }
        Ok(entries)
    }

    fn text(&self, id: NodeId, style: Style, text: &str, tag: Option<&str>) -> Value {
        let plain = style == Style::Plain && tag.is_none();
        let sort = scalar::types(text).yaml_1_2;
        if plain && sort == Type::Null {
            return Value::Null;
        }
        let is_text = !plain || sort == Type::Text;
        let block = (style == Style::Block).then(|| self.block(id)).flatten();
        Value::Text(Text { text: text.into(), is_text, part: None, block })
    }

    /// Where the text of a literal block begins. A block inside of a block is no place to set values in.
    fn block(&self, id: NodeId) -> Option<Place> {
        let value = locate::value(self.table, id).ok()?;
        let start = Block::of(self.table, &value).ok()?.place(Place { document: 1, line: 1, column: 1 });
        self.inside.is_none().then_some(start)
    }
}
