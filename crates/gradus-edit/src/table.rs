//! The nodes and comments of a file, with the bytes each came from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::refusal::Place;
use crate::{FieldPath, Step};

/// Everything that was found in a file.
///
/// The nodes are in the order of the file, a collection before what it holds. A mapping holds key,
/// value, key, value.
pub(crate) struct Table<'a> {
    pub(crate) text: &'a str,
    pub(crate) nodes: Vec<Node<'a>>,
    pub(crate) comments: Vec<Comment>,
    pub(crate) roots: Vec<NodeId>,
    pub(crate) anchors: BTreeMap<AnchorId, Anchor>,
}

/// A node's position in [`Table::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) usize);

/// An anchor's number; names may be used again, numbers are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AnchorId(pub(crate) usize);

#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) parent: Option<NodeId>,
    pub(crate) role: Role,
    pub(crate) content: Content<'a>,
    /// The bytes of a scalar with its quotes, of an alias, or of a flow collection with its brackets.
    /// Of a block collection only the start means something.
    pub(crate) span: Range<usize>,
    pub(crate) place: Place,
    pub(crate) anchor: Option<AnchorId>,
    pub(crate) tag: Option<Box<str>>,
    /// The first node after this one that is not inside it.
    pub(crate) next: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Root,
    Key,
    Value(NodeId),
    Item(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    Mapping(Layout),
    Sequence(Layout),
    Scalar(Style, Cow<'a, str>),
    Alias(AnchorId),
    /// A value that is not written at all, as in `key:`.
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Block,
    Flow,
    /// A mapping of one key inside a flow list, written without braces: `[a: b]`.
    Pair,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Single,
    Double,
    Block,
}

#[derive(Debug)]
pub(crate) struct Anchor {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) aliases: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) span: Range<usize>,
    pub(crate) place: Place,
}

impl<'a> Table<'a> {
    pub(crate) fn node(&self, id: NodeId) -> Option<&Node<'a>> {
        self.nodes.get(id.0)
    }

    pub(crate) fn scalar(&self, id: NodeId) -> Option<&str> {
        match &self.node(id)?.content {
            Content::Scalar(_, text) => Some(text),
            Content::Mapping(_) | Content::Sequence(_) | Content::Alias(_) | Content::Absent => None,
        }
    }

    /// What a collection holds, in order: of a mapping key, value, key, value.
    pub(crate) fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.node(id).map_or(0, |node| node.next);
        std::iter::successors(Some(id.0 + 1), |child| self.nodes.get(*child).map(|node| node.next))
            .take_while(move |child| *child < end)
            .map(NodeId)
    }

    /// The keys and values of a mapping.
    pub(crate) fn entries(&self, id: NodeId) -> impl Iterator<Item = (NodeId, NodeId)> + '_ {
        self.children(id).filter_map(|child| match self.node(child)?.role {
            Role::Value(key) => Some((key, child)),
            Role::Root | Role::Key | Role::Item(_) => None,
        })
    }

    /// The first value of a key, without a look at duplicates.
    pub(crate) fn get(&self, mapping: NodeId, key: &str) -> Option<NodeId> {
        if !matches!(self.node(mapping)?.content, Content::Mapping(_)) {
            return None;
        }
        self.entries(mapping).find(|(name, _)| self.scalar(*name) == Some(key)).map(|(_, value)| value)
    }

    pub(crate) fn is_mapping(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| matches!(node.content, Content::Mapping(_)))
    }

    pub(crate) fn is_list(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| matches!(node.content, Content::Sequence(_)))
    }

    /// The node and everything around it, from the inside out.
    pub(crate) fn ancestry(&self, id: NodeId) -> impl Iterator<Item = &Node<'a>> {
        std::iter::successors(self.node(id), |node| node.parent.and_then(|parent| self.node(parent)))
    }

    pub(crate) fn in_flow(&self, id: NodeId) -> bool {
        self.ancestry(id).any(|node| match node.content {
            Content::Mapping(layout) | Content::Sequence(layout) => layout != Layout::Block,
            Content::Scalar(..) | Content::Alias(_) | Content::Absent => false,
        })
    }

    /// The path of a value. A key that is no scalar has no written form and shows as `?`.
    pub(crate) fn path(&self, id: NodeId) -> FieldPath {
        let mut steps: Vec<Step> = self
            .ancestry(id)
            .filter_map(|node| match node.role {
                Role::Root => None,
                Role::Key => Some(Step::Key("?".to_owned())),
                Role::Value(key) => Some(Step::Key(self.scalar(key).unwrap_or("?").to_owned())),
                Role::Item(index) => Some(Step::Index(index)),
            })
            .collect();
        steps.reverse();
        FieldPath::new(steps)
    }
}
