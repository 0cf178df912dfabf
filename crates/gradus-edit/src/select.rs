//! From conditions to the one document that meets them.

use crate::refusal::{Refusal, RefusalKind};
use crate::table::{Content, NodeId, Table};
use crate::walk::{shorten, walk};
use crate::{FieldPath, Select};

/// How many documents a refusal lists.
const LISTED: usize = 6;

/// The root of the document that matches; empty documents never do.
///
/// Without a condition, the one document that has the path.
pub(crate) fn document(table: &Table<'_>, select: &Select) -> Result<NodeId, Refusal> {
    let mut matching: Vec<NodeId> = filled(table).filter(|root| matches(table, *root, select)).collect();
    let mut wanted = select.conditions();
    if wanted.is_none() && matching.len() > 1 {
        let having: Vec<NodeId> =
            matching.iter().copied().filter(|root| has(table, *root, &select.path)).collect();
        if !having.is_empty() {
            wanted = Some(select.path.to_string());
            matching = having;
        }
    }
    match matching.as_slice() {
        [root] => Ok(*root),
        [] => Err(Refusal::of(RefusalKind::NoDocument { wanted, present: present(table) })),
        several => Err(Refusal::of(RefusalKind::ManyDocuments {
            wanted,
            lines: several.iter().filter_map(|root| table.node(*root)).map(|node| node.place.line).collect(),
        })),
    }
}

/// Whether the path leads somewhere, if only to what cannot be read.
fn has(table: &Table<'_>, root: NodeId, path: &FieldPath) -> bool {
    match walk(table, root, path) {
        Ok(_) => true,
        Err(refusal) => !matches!(refusal.kind, RefusalKind::NotFound { .. }),
    }
}

fn filled<'t>(table: &'t Table<'_>) -> impl Iterator<Item = NodeId> + 't {
    table.roots.iter().copied().filter(|root| {
        table.node(*root).is_some_and(|node| match node.content {
            Content::Absent => false,
            Content::Mapping(_) | Content::Sequence(_) | Content::Scalar(..) | Content::Alias(_) => true,
        })
    })
}

fn matches(table: &Table<'_>, root: NodeId, select: &Select) -> bool {
    let field = |key: &str| table.get(root, key).and_then(|value| table.scalar(value));
    let metadata = |key: &str| {
        let metadata = table.get(root, "metadata")?;
        table.get(metadata, key).and_then(|value| table.scalar(value))
    };
    let same = |wanted: &Option<String>, found: Option<&str>| wanted.is_none() || wanted.as_deref() == found;
    same(&select.api_version, field("apiVersion"))
        && same(&select.kind, field("kind"))
        && same(&select.name, metadata("name"))
        && same(&select.namespace, metadata("namespace"))
}

fn present(table: &Table<'_>) -> Vec<String> {
    let mut said: Vec<String> = filled(table).take(LISTED).map(|root| describe(table, root)).collect();
    let more = filled(table).count().saturating_sub(LISTED);
    if more > 0 {
        said.push(format!("and {more} more"));
    }
    said
}

fn describe(table: &Table<'_>, root: NodeId) -> String {
    let kind =
        table.get(root, "kind").and_then(|value| table.scalar(value)).unwrap_or("a document without a kind");
    let kind = shorten(kind);
    let metadata = table.get(root, "metadata");
    let part =
        |key: &str| metadata.and_then(|node| table.get(node, key)).and_then(|value| table.scalar(value));
    let line = table.node(root).map_or(0, |node| node.place.line);
    match (part("namespace"), part("name")) {
        (Some(namespace), Some(name)) => {
            format!("{kind} {}/{} (line {line})", shorten(namespace), shorten(name))
        }
        (None, Some(name)) => format!("{kind} {} (line {line})", shorten(name)),
        (_, None) => format!("{kind} (line {line})"),
    }
}
