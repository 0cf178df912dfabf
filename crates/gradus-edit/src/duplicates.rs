//! Keys that a mapping has more than once. Readers disagree on which of them counts.

use std::collections::{BTreeMap, BTreeSet};

use crate::refusal::{Refusal, RefusalKind};
use crate::table::{Content, Node, NodeId, Role, Table};

/// The repeated keys of a file, found in one pass.
pub(crate) struct Duplicates {
    keys: BTreeSet<NodeId>,
}

impl Duplicates {
    pub(crate) fn of(table: &Table<'_>) -> Self {
        let mut keys = BTreeSet::new();
        for (index, node) in table.nodes.iter().enumerate() {
            if !matches!(node.content, Content::Mapping(_)) {
                continue;
            }
            let mut seen: BTreeMap<&str, NodeId> = BTreeMap::new();
            for (key, _) in table.entries(NodeId(index)) {
                let Some(name) = table.scalar(key) else { continue };
                if let Some(earlier) = seen.insert(name, key) {
                    keys.extend([earlier, key]);
                }
            }
        }
        Self { keys }
    }

    /// Refuses a value if a key on the way to it is there more than once.
    pub(crate) fn check(&self, table: &Table<'_>, value: NodeId) -> Result<(), Refusal> {
        let mut at = Some(value);
        while let Some((id, node)) = at.and_then(|id| Some((id, table.node(id)?))) {
            if let (Role::Value(key), Some(mapping)) = (node.role, node.parent)
                && self.keys.contains(&key)
            {
                return Err(refusal(table, mapping, id, key));
            }
            at = node.parent;
        }
        Ok(())
    }
}

fn refusal(table: &Table<'_>, mapping: NodeId, value: NodeId, key: NodeId) -> Refusal {
    let name = table.scalar(key);
    let same: Vec<&Node<'_>> = table
        .entries(mapping)
        .filter(|(other, _)| table.scalar(*other) == name)
        .filter_map(|(other, _)| table.node(other))
        .collect();
    let lines = same.iter().map(|node| node.place.line).collect();
    let kind = RefusalKind::DuplicateKey { path: table.path(value), lines };
    Refusal { kind, place: same.first().map(|node| node.place) }
}
