//! From a locator to the values it names.

use std::borrow::Cow;

use crate::image::{ImagePart, ImageRef, StaleDigest};
use crate::refusal::{Refusal, RefusalKind};
use crate::scalar::{self, Type};
use crate::table::{Content, NodeId, Style, Table};
use crate::{Locator, kustomize_image, marker, operation, select, walk};

/// A single value, with all that reading and editing ask of it.
#[derive(Debug, Clone)]
pub(crate) struct Value<'t> {
    pub(crate) id: NodeId,
    pub(crate) style: Style,
    /// What it says; of a part of an image reference what that part says.
    pub(crate) text: Cow<'t, str>,
    /// It is null, or not written at all.
    pub(crate) empty: bool,
    /// The reference that this is a part of.
    pub(crate) part: Option<Part>,
}

/// A part of a reference, and the reference.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) whole: ImageRef,
    pub(crate) part: ImagePart,
    pub(crate) digest: StaleDigest,
}

/// The values a locator names: one for a path, any number for a marker. A value may be empty.
pub(crate) fn locate<'t>(table: &'t Table<'_>, locator: &Locator) -> Result<Vec<Value<'t>>, Refusal> {
    match locator {
        Locator::Path(select) => {
            let root = select::document(table, select)?;
            Ok(vec![value(table, walk::walk(table, root, &select.path)?)?])
        }
        Locator::Marker(name) => marker::named(table, name),
        Locator::Part { of, part, digest } => {
            let whole = locate(table, of)?;
            whole.into_iter().map(|value| part_of(table, value, *part, *digest)).collect()
        }
        Locator::KustomizeImage(image) => Ok(vec![value(table, kustomize_image::field(table, image)?)?]),
        Locator::Operation(operation) => Ok(vec![value(table, operation::written(table, operation)?)?]),
        // It is resolved before anything is looked for.
        Locator::KustomizePatch(_) => Err(Refusal::of(RefusalKind::Verification { what: "its patches" })),
        Locator::Inside { block, .. } => locate(table, block),
    }
}

/// The value at a node, which may be empty.
pub(crate) fn value<'t>(table: &'t Table<'_>, id: NodeId) -> Result<Value<'t>, Refusal> {
    let Some(node) = table.node(id) else {
        return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
    };
    let refuse = |kind| Err(Refusal::at(node.place, kind));
    match &node.content {
        Content::Scalar(style, text) => {
            let untyped = *style == Style::Plain && node.tag.is_none();
            let empty = untyped && scalar::types(text).yaml_1_2 == Type::Null;
            let text = Cow::Borrowed(if empty { "" } else { &**text });
            Ok(Value { id, style: *style, text, empty, part: None })
        }
        Content::Absent => {
            Ok(Value { id, style: Style::Plain, text: Cow::Borrowed(""), empty: true, part: None })
        }
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

/// The value, unless it is empty.
pub(crate) fn filled<'t>(table: &Table<'_>, value: Value<'t>) -> Result<Value<'t>, Refusal> {
    if !value.empty {
        return Ok(value);
    }
    let kind = RefusalKind::Empty { path: table.path(value.id) };
    Err(Refusal { kind, place: table.node(value.id).map(|node| node.place) })
}

fn part_of<'t>(
    table: &Table<'_>,
    value: Value<'t>,
    part: ImagePart,
    digest: StaleDigest,
) -> Result<Value<'t>, Refusal> {
    let value = filled(table, value)?;
    let whole = ImageRef::parse(&value.text);
    let text = Cow::Owned(whole.part(part).to_owned());
    Ok(Value { text, part: Some(Part { whole, part, digest }), ..value })
}
