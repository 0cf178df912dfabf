//! From a path to the node it names.

use crate::nearest::nearest;
use crate::refusal::{Missing, Refusal, RefusalKind};
use crate::table::{Content, NodeId, Style, Table};
use crate::{FieldPath, Step};

/// How many keys or values a refusal lists.
const LISTED: usize = 8;

/// Follows the path from the root of a document.
pub(crate) fn walk(table: &Table<'_>, root: NodeId, path: &FieldPath) -> Result<NodeId, Refusal> {
    let mut at = root;
    for (index, step) in path.steps().iter().enumerate() {
        let walked = path.steps().get(..index).unwrap_or_default();
        let walk = Walk { table, path, walked, step };
        at = walk.next(at)?;
    }
    Ok(at)
}

/// One step on the way.
struct Walk<'a> {
    table: &'a Table<'a>,
    path: &'a FieldPath,
    walked: &'a [Step],
    step: &'a Step,
}

impl Walk<'_> {
    fn next(&self, at: NodeId) -> Result<NodeId, Refusal> {
        let Some(node) = self.table.node(at) else {
            return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
        };
        match (&node.content, self.step) {
            (Content::Mapping(_), Step::Key(key)) => self.key(at, key),
            (Content::Sequence(_), Step::Index(index)) => self.index(at, *index),
            (Content::Sequence(_), Step::Where { field, value }) => self.element(at, field, value),
            (Content::Alias(_), _) => Err(alias(self.table, at)),
            (Content::Mapping(_), Step::Index(_) | Step::Where { .. }) => self.other(at, "a mapping"),
            (Content::Sequence(_), Step::Key(key)) => match FieldPath::index(key) {
                Some(index) => self.index(at, index),
                None => self.other(at, "a list"),
            },
            (Content::Scalar(..), _) => self.other(at, "a single value"),
            (Content::Absent, _) => self.other(at, "an empty value"),
        }
    }

    fn key(&self, mapping: NodeId, key: &str) -> Result<NodeId, Refusal> {
        let mut found = self.table.entries(mapping).filter(|(name, _)| self.table.scalar(*name) == Some(key));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(value),
            (Some(first), Some(second)) => {
                let names = [first.0, second.0].into_iter().chain(found.map(|(name, _)| name));
                let kind = RefusalKind::DuplicateKey { path: self.here(), lines: self.lines(names) };
                Err(self.refuse(first.0, kind))
            }
            (None, _) => self.no_key(mapping, key),
        }
    }

    fn no_key(&self, mapping: NodeId, key: &str) -> Result<NodeId, Refusal> {
        if let Some((merge, _)) = self.table.entries(mapping).find(|(name, _)| is_merge(self.table, *name)) {
            let line = self.table.node(merge).map_or(0, |node| node.place.line);
            return Err(self.refuse(mapping, RefusalKind::Merged { path: self.path.clone(), line }));
        }
        let keys: Vec<&str> =
            self.table.entries(mapping).filter_map(|(name, _)| self.table.scalar(name)).collect();
        self.missing(
            mapping,
            Missing::Key {
                key: key.to_owned(),
                nearest: nearest(key, keys.iter().copied()).map(str::to_owned),
                more: keys.len().saturating_sub(LISTED),
                keys: keys.iter().take(LISTED).map(|key| shorten(key)).collect(),
            },
        )
    }

    fn index(&self, list: NodeId, index: usize) -> Result<NodeId, Refusal> {
        match self.table.children(list).nth(index) {
            Some(element) => Ok(element),
            None => self.missing(list, Missing::Index { index, length: self.table.children(list).count() }),
        }
    }

    fn element(&self, list: NodeId, field: &str, value: &str) -> Result<NodeId, Refusal> {
        let named =
            |element: NodeId| self.table.get(element, field).and_then(|field| self.table.scalar(field));
        let mut found = self.table.children(list).filter(|element| named(*element) == Some(value));
        match (found.next(), found.next()) {
            (Some(element), None) => Ok(element),
            (Some(first), Some(second)) => {
                let elements = [first, second].into_iter().chain(found);
                let kind = RefusalKind::ManyElements { path: self.here(), lines: self.lines(elements) };
                Err(self.refuse(first, kind))
            }
            (None, _) => {
                let values: Vec<&str> = self.table.children(list).filter_map(named).collect();
                self.missing(
                    list,
                    Missing::Element {
                        field: field.to_owned(),
                        value: value.to_owned(),
                        nearest: nearest(value, values.iter().copied()).map(str::to_owned),
                        values: values.iter().take(LISTED).map(|value| shorten(value)).collect(),
                    },
                )
            }
        }
    }

    fn other(&self, at: NodeId, what: &'static str) -> Result<NodeId, Refusal> {
        let step = match self.step {
            Step::Key(key) => format!("key {key}"),
            Step::Index(_) | Step::Where { .. } => self.step.to_string(),
        };
        self.missing(at, Missing::Collection { what, step })
    }

    fn missing(&self, at: NodeId, missing: Missing) -> Result<NodeId, Refusal> {
        let found = FieldPath::new(self.walked.iter().cloned());
        Err(self
            .refuse(at, RefusalKind::NotFound { path: self.path.clone(), found, missing: Box::new(missing) }))
    }

    /// The path up to and with this step.
    fn here(&self) -> FieldPath {
        FieldPath::new(self.walked.iter().chain([self.step]).cloned())
    }

    fn lines(&self, nodes: impl Iterator<Item = NodeId>) -> Vec<usize> {
        nodes.filter_map(|node| self.table.node(node)).map(|node| node.place.line).collect()
    }

    fn refuse(&self, at: NodeId, kind: RefusalKind) -> Refusal {
        Refusal { kind, place: self.table.node(at).map(|node| node.place) }
    }
}

/// The refusal of a path that leads to an alias.
pub(crate) fn alias(table: &Table<'_>, at: NodeId) -> Refusal {
    let node = table.node(at);
    let anchor = node.and_then(|node| match node.content {
        Content::Alias(anchor) => table.anchors.get(&anchor),
        Content::Mapping(_) | Content::Sequence(_) | Content::Scalar(..) | Content::Absent => None,
    });
    let kind = RefusalKind::Alias {
        path: table.path(at),
        anchor: anchor.map_or_else(String::new, |anchor| anchor.name.clone()),
        line: anchor.map_or(0, |anchor| anchor.line),
    };
    Refusal { kind, place: node.map(|node| node.place) }
}

fn is_merge(table: &Table<'_>, key: NodeId) -> bool {
    table.node(key).is_some_and(|node| match &node.content {
        Content::Scalar(Style::Plain, text) => text == "<<",
        Content::Scalar(Style::Single | Style::Double | Style::Block, _)
        | Content::Mapping(_)
        | Content::Sequence(_)
        | Content::Alias(_)
        | Content::Absent => false,
    })
}

/// At most forty characters: keys and values come from the file and may be long.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
