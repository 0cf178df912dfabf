//! Saying what is there.

use std::ops::Range;

use crate::inside::Block;
use crate::locate::{Value, filled, locate};
use crate::parse::parse;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::table::Table;
use crate::{FieldPath, Limits, Locator, marker};

/// A value that was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The value as YAML means it: without quotes and escapes.
    pub value: String,
    /// The value's path in its document.
    pub path: FieldPath,
    /// Where the value starts.
    pub place: Place,
    /// The value's bytes in the file, with its quotes. Of a block scalar only the start is exact.
    pub span: Range<usize>,
}

/// Finds the values that a locator names, within the default [`Limits`].
///
/// A path names exactly one value or is refused. A marker may name none, one or several; a file
/// without the marker's key is not even parsed.
pub fn read(bytes: &[u8], locator: &Locator) -> Result<Vec<Located>, Refusal> {
    read_within(bytes, locator, &Limits::default())
}

/// [`read`] with other limits.
pub fn read_within(bytes: &[u8], locator: &Locator, limits: &Limits) -> Result<Vec<Located>, Refusal> {
    if !worth_parsing(bytes, locator) {
        return Ok(Vec::new());
    }
    let table = parse(bytes, limits)?;
    let resolved = locator.resolved(&table, limits)?;
    let locator = &*resolved;
    let values = locate(&table, locator)?;
    let Locator::Inside { value: inner, .. } = locator else {
        return values.into_iter().map(|value| located(&table, filled(&table, value)?)).collect();
    };
    let mut found = Vec::new();
    for value in values {
        let block = Block::of(&table, &value)?;
        let read = read_within(block.text().as_bytes(), inner, limits)
            .map_err(|refusal| inside(&table, &value, &block, refusal))?;
        found.extend(read.into_iter().map(|located| outwards(&table, &value, &block, located)));
    }
    Ok(found)
}

/// Whether the locator can name anything in these bytes.
pub(crate) fn worth_parsing(bytes: &[u8], locator: &Locator) -> bool {
    match locator {
        Locator::Path(_)
        | Locator::KustomizeImage(_)
        | Locator::KustomizePatch(_)
        | Locator::Operation(_) => true,
        Locator::Marker(name) => marker::mentions(bytes, &name.key),
        Locator::Part { of: locator, .. } | Locator::Inside { block: locator, .. } => {
            worth_parsing(bytes, locator)
        }
    }
}

fn located(table: &Table<'_>, value: Value<'_>) -> Result<Located, Refusal> {
    let Some(node) = table.node(value.id) else {
        return Err(Refusal::of(RefusalKind::Verification { what: "its nodes" }));
    };
    Ok(Located {
        path: table.path(value.id),
        place: node.place,
        span: node.span.clone(),
        value: value.text.into_owned(),
    })
}

/// What was found in the text of a block, as it is in the file.
fn outwards(table: &Table<'_>, value: &Value<'_>, block: &Block<'_>, inner: Located) -> Located {
    Located {
        value: inner.value,
        path: table.path(value.id).followed_by(&inner.path),
        place: block.place(inner.place),
        span: block.offset(inner.span.start)..block.offset(inner.span.end),
    }
}

/// A refusal of the text of a block, with its place in the file.
pub(crate) fn inside(
    table: &Table<'_>,
    value: &Value<'_>,
    block: &Block<'_>,
    mut refusal: Refusal,
) -> Refusal {
    let outer = table.node(value.id).map(|node| node.place);
    let place = refusal.place.map(|place| block.place(place));
    refusal.place = place;
    let kind = RefusalKind::Inside { path: table.path(value.id), refusal: Box::new(refusal) };
    Refusal { kind, place: place.or(outer) }
}
