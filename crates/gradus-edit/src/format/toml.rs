//! TOML. The only place that knows its parser.

use std::ops::Range;

use toml_edit::{Array, Document, Item, TableLike, Value};

use super::tree::{Leaf, Sort, Tree};
use super::{Format, unreadable};
use crate::refusal::Refusal;
use crate::render::double_quoted;
use crate::scalar::is_canonical_number;

/// Reads a whole file, or says where it cannot be read.
pub(super) fn parse(text: &str) -> Result<Tree, Refusal> {
    // The parser does not count the mark, and we do.
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = text.get(mark..).unwrap_or_default();
    match Document::parse(body) {
        Ok(document) => Ok(Reader { text, mark }.table(document.as_table())),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start + mark);
            Err(unreadable(Format::Toml, text, at, error.message().to_owned()))
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    mark: usize,
}

impl Reader<'_> {
    fn table(&self, table: &dyn TableLike) -> Tree {
        Tree::Table(table.iter().map(|(key, item)| (key.to_owned(), self.item(item))).collect())
    }

    fn item(&self, item: &Item) -> Tree {
        match item {
            Item::None => Tree::Table(Vec::new()),
            Item::Value(value) => self.value(value),
            Item::Table(table) => self.table(table),
            Item::ArrayOfTables(tables) => Tree::List(tables.iter().map(|table| self.table(table)).collect()),
        }
    }

    fn value(&self, value: &Value) -> Tree {
        let (sort, meant) = match value {
            Value::String(text) => (Sort::Text, Some(text.value().clone())),
            Value::Integer(_) => (Sort::Integer, None),
            Value::Float(_) => (Sort::Float, None),
            Value::Boolean(_) => (Sort::Bool, None),
            Value::Datetime(_) => (Sort::Date, None),
            Value::Array(array) => return self.array(array),
            Value::InlineTable(table) => return self.table(table),
        };
        let span = value.span().map_or(0..0, |span| self.range(&span));
        let text = meant.unwrap_or_else(|| self.text.get(span.clone()).unwrap_or_default().to_owned());
        Tree::Leaf(Leaf { sort, text, span })
    }

    fn array(&self, array: &Array) -> Tree {
        Tree::List(array.iter().map(|value| self.value(value)).collect())
    }

    fn range(&self, span: &Range<usize>) -> Range<usize> {
        span.start + self.mark..span.end + self.mark
    }
}

/// The new value in the style of the old one.
///
/// A number or boolean stays one if the new value is of the same type and written in the shortest form.
pub(super) fn render(leaf: &Leaf, old: &str, new: &str) -> String {
    let plain = match leaf.sort {
        Sort::Integer => is_canonical_number(new) && !new.contains('.'),
        Sort::Float => is_canonical_number(new) && new.contains('.'),
        Sort::Bool => matches!(new, "true" | "false"),
        Sort::Text | Sort::Date => false,
    };
    if plain {
        return new.to_owned();
    }
    if old.starts_with('\'') && !new.contains('\'') {
        return format!("'{new}'");
    }
    double_quoted(new)
}
