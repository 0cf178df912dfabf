//! The documents of a file as trees of nodes, each with its place.

mod json;
mod parse;
mod path;
mod scalar;
mod write;

use std::borrow::Cow;

pub(crate) use parse::{Broken, parse};
pub(crate) use path::{Path, Segment};
pub(crate) use scalar::Plain;
pub use write::to_yaml;
pub(crate) use write::{quote, text};

/// A node, by its place in the document's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeId(usize);

/// A line and a column, both counted from 1; both 0 in what has no lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// One document of a file.
#[derive(Debug, Default)]
pub(crate) struct Document<'t> {
    nodes: Vec<Node<'t>>,
    root: Option<NodeId>,
}

/// A value in a document.
#[derive(Debug)]
pub(crate) struct Node<'t> {
    pub(crate) content: Content<'t>,
    pub(crate) at: At,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Content<'t> {
    /// A text that is not quoted, so that it may mean a number, a truth or nothing.
    Plain(Cow<'t, str>),
    /// A text that is nothing but a text.
    Text(Cow<'t, str>),
    List(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    /// Stands for another node.
    Alias(NodeId),
}

/// The lines of a text, as YAML counts them: a carriage return alone ends one too.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split("\r\n").flat_map(|part| part.split(['\n', '\r']))
}

impl<'t> Document<'t> {
    pub(crate) fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// The node itself, not what an alias stands for.
    pub(crate) fn node(&self, id: NodeId) -> Option<&Node<'t>> {
        self.nodes.get(id.0)
    }

    /// The node that an alias stands for; any other node is its own.
    pub(crate) fn resolve(&self, id: NodeId) -> NodeId {
        match self.node(id).map(|node| &node.content) {
            Some(Content::Alias(target)) => *target,
            Some(Content::Plain(_) | Content::Text(_) | Content::List(_) | Content::Mapping(_)) | None => id,
        }
    }

    pub(crate) fn at(&self, id: NodeId) -> At {
        self.node(id).map_or(At { line: 1, column: 1 }, |node| node.at)
    }

    /// The text of a scalar, whatever it means.
    pub(crate) fn text(&self, id: NodeId) -> Option<&str> {
        match &self.node(self.resolve(id))?.content {
            Content::Plain(text) | Content::Text(text) => Some(text),
            Content::List(_) | Content::Mapping(_) | Content::Alias(_) => None,
        }
    }

    /// Whether there is nothing at the node: no text, `~` or `null`.
    pub(crate) fn is_null(&self, id: NodeId) -> bool {
        match self.node(self.resolve(id)).map(|node| &node.content) {
            Some(Content::Plain(text)) => Plain::of(text) == Plain::Null,
            Some(Content::Text(_) | Content::List(_) | Content::Mapping(_) | Content::Alias(_)) => false,
            None => true,
        }
    }

    /// The keys and values of a mapping; none for other nodes.
    pub(crate) fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match self.node(self.resolve(id)).map(|node| &node.content) {
            Some(Content::Mapping(entries)) => entries,
            Some(Content::Plain(_) | Content::Text(_) | Content::List(_) | Content::Alias(_)) | None => &[],
        }
    }

    /// The items of a list; none for other nodes.
    pub(crate) fn items(&self, id: NodeId) -> &[NodeId] {
        match self.node(self.resolve(id)).map(|node| &node.content) {
            Some(Content::List(items)) => items,
            Some(Content::Plain(_) | Content::Text(_) | Content::Mapping(_) | Content::Alias(_)) | None => {
                &[]
            }
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        self.entries(mapping).iter().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }

    /// The node a path leads to.
    pub(crate) fn find(&self, path: &Path<'_>) -> Option<NodeId> {
        match path.split() {
            None => self.root,
            Some((parent, Segment::Field(key))) => self.get(self.find(parent)?, key),
            Some((parent, Segment::Item(at))) => self.items(self.find(parent)?).get(at).copied(),
        }
    }

    /// The place a path leads to, or else the nearest place on the way there.
    pub(crate) fn locate(&self, path: &Path<'_>) -> At {
        match (self.find(path), path.split()) {
            (Some(id), _) => self.at(id),
            (None, Some((parent, _))) => self.locate(parent),
            (None, None) => At { line: 1, column: 1 },
        }
    }
}
