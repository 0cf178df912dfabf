//! An object as JSON, read as if it were a document, so that both have one reader.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{At, Content, Document, Node, NodeId};

/// What has no line: its fields have to say where it is.
const NOWHERE: At = At { line: 0, column: 0 };

impl<'t> Document<'t> {
    /// The document that this value is.
    pub(crate) fn from_json(value: &'t Value) -> Self {
        let mut document = Self::default();
        let root = document.insert(value);
        document.root = Some(root);
        document
    }

    fn insert(&mut self, value: &'t Value) -> NodeId {
        let content = match value {
            Value::Null => Content::Plain(Cow::Borrowed("null")),
            Value::Bool(truth) => Content::Plain(Cow::Borrowed(if *truth { "true" } else { "false" })),
            Value::Number(number) => Content::Plain(Cow::Owned(number.to_string())),
            Value::String(text) => Content::Text(Cow::Borrowed(text)),
            Value::Array(items) => Content::List(items.iter().map(|item| self.insert(item)).collect()),
            Value::Object(map) => Content::Mapping(self.entries_of(map)),
        };
        self.push(content)
    }

    fn entries_of(&mut self, map: &'t Map<String, Value>) -> Vec<(NodeId, NodeId)> {
        map.iter()
            .map(|(key, value)| (self.push(Content::Text(Cow::Borrowed(key))), self.insert(value)))
            .collect()
    }

    fn push(&mut self, content: Content<'t>) -> NodeId {
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { content, at: NOWHERE });
        id
    }
}
