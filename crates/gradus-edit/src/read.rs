//! Saying what is there.

use std::ops::Range;

use crate::locate::{Value, locate};
use crate::parse::parse;
use crate::refusal::{Place, Refusal};
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
    Ok(locate(&table, locator)?.iter().filter_map(|value| located(&table, value)).collect())
}

/// Whether the locator can name anything in these bytes.
pub(crate) fn worth_parsing(bytes: &[u8], locator: &Locator) -> bool {
    match locator {
        Locator::Path(_) => true,
        Locator::Marker(name) => marker::mentions(bytes, &name.key),
    }
}

fn located(table: &Table<'_>, value: &Value<'_>) -> Option<Located> {
    let node = table.node(value.id)?;
    Some(Located {
        value: value.text.to_owned(),
        path: table.path(value.id),
        place: node.place,
        span: node.span.clone(),
    })
}
