//! From a locator to the values it names.

use crate::refusal::{Refusal, RefusalKind};
use crate::scalar::{self, Type};
use crate::table::{Content, NodeId, Style, Table};
use crate::{Locator, marker, select, walk};

/// A single value, with all that reading and editing ask of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'t> {
    pub(crate) id: NodeId,
    pub(crate) style: Style,
    pub(crate) text: &'t str,
}

/// The values a locator names: one for a path, any number for a marker.
pub(crate) fn locate<'t>(table: &'t Table<'_>, locator: &Locator) -> Result<Vec<Value<'t>>, Refusal> {
    match locator {
        Locator::Path(select) => {
            let root = select::document(table, select)?;
            Ok(vec![value(table, walk::walk(table, root, &select.path)?)?])
        }
        Locator::Marker(name) => marker::named(table, name),
    }
}

/// The value at a node, unless the node holds none.
pub(crate) fn value<'t>(table: &'t Table<'_>, id: NodeId) -> Result<Value<'t>, Refusal> {
    let Some(node) = table.node(id) else {
        return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
    };
    let refuse = |kind| Err(Refusal::at(node.place, kind));
    match &node.content {
        Content::Scalar(style, text) => {
            let untyped = *style == Style::Plain && node.tag.is_none();
            if untyped && scalar::types(text).yaml_1_2 == Type::Null {
                return refuse(RefusalKind::Empty { path: table.path(id) });
            }
            Ok(Value { id, style: *style, text })
        }
        Content::Absent => refuse(RefusalKind::Empty { path: table.path(id) }),
        Content::Mapping(_)
            if table.text.get(node.span.start..).is_some_and(|text| text.starts_with("{{")) =>
        {
            refuse(RefusalKind::Template { path: table.path(id) })
        }
        Content::Mapping(_) => refuse(RefusalKind::NotScalar { path: table.path(id), what: "a mapping" }),
        Content::Sequence(_) => refuse(RefusalKind::NotScalar { path: table.path(id), what: "a list" }),
        Content::Alias(_) => Err(walk::alias(table, id)),
    }
}
