//! Writing a new value in the style of the old one.

use crate::locate::Value;
use crate::refusal::{Refusal, RefusalKind};
use crate::scalar::{self, Types};
use crate::table::{Layout, Style, Table};

const STR: &str = "tag:yaml.org,2002:str";
const TYPED: [&str; 4] =
    ["tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null"];

/// What sort of value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// Text to every reader, whatever was there.
    Text,
    /// The sort of value that was there, if the new one can be of it; otherwise text.
    Same {
        /// In a file that is JSON and has to stay so.
        json: bool,
    },
}

/// Whether a value can be written on one line of a file at all.
pub(crate) fn check_new_value(new: &str) -> Result<(), Refusal> {
    // Beyond the control characters these are line breaks to YAML 1.1, a byte order mark, and two
    // that are no characters.
    let bad = |c: &char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    match new.chars().find(bad) {
        Some(character) => Err(Refusal::of(RefusalKind::NewValue { character })),
        None => Ok(()),
    }
}

/// The bytes that take the place of the value's own.
pub(crate) fn render(table: &Table<'_>, value: &Value<'_>, new: &str, sort: As) -> Result<String, Refusal> {
    match value.style {
        Style::Single => Ok(format!("'{}'", new.replace('\'', "''"))),
        Style::Double => Ok(double_quoted(new)),
        Style::Plain => plain(table, value, new, sort),
        Style::Block => Err(refuse(table, value, RefusalKind::BlockScalar { path: table.path(value.id) })),
    }
}

/// Lines as one double-quoted value.
pub(crate) fn escaped(lines: &str) -> String {
    double_quoted(lines).replace('\n', "\\n")
}

/// A text that is new in the file, quoted like its neighbour or only where it must be.
pub(crate) fn fresh(text: &str, neighbour: Option<Style>, layout: Layout, json: bool) -> String {
    let plain = fits_plain(text, layout != Layout::Block) && scalar::types(text).are_text();
    match neighbour {
        Some(Style::Single) if !json => format!("'{}'", text.replace('\'', "''")),
        Some(Style::Double) => double_quoted(text),
        Some(Style::Single | Style::Plain | Style::Block) | None if plain && !json => text.to_owned(),
        Some(Style::Single | Style::Plain | Style::Block) | None => double_quoted(text),
    }
}

fn plain(table: &Table<'_>, value: &Value<'_>, new: &str, sort: As) -> Result<String, Refusal> {
    let old_types = scalar::types(&value.text);
    let new_types = scalar::types(new);
    let fits = fits_plain(new, table.in_flow(value.id));
    let tag = table.node(value.id).and_then(|node| node.tag.as_deref());
    if let Some(tag) = tag.filter(|tag| TYPED.contains(tag)) {
        if fits && same_type(old_types, new_types) {
            return Ok(new.to_owned());
        }
        let kind =
            RefusalKind::Tagged { path: table.path(value.id), tag: tag.replace("tag:yaml.org,2002:", "!!") };
        return Err(refuse(table, value, kind));
    }
    let text = new_types.are_text() || (tag == Some(STR) && !new.is_empty());
    let json = sort == As::Same { json: true };
    let typed = sort != As::Text && same_type(old_types, new_types) && (!json || crate::json::is_valid(new));
    if fits && ((text && !json) || (typed && tag.is_none() && keeps_its_meaning(new, new_types))) {
        Ok(new.to_owned())
    } else {
        Ok(double_quoted(new))
    }
}

/// Whether a value that is no text to some reader takes the place of one that is none either.
fn same_type(old: Types, new: Types) -> bool {
    !old.are_text() && old == new
}

/// Whether reading the plain value and writing it again gives the same text.
fn keeps_its_meaning(new: &str, types: Types) -> bool {
    match types.yaml_1_1 {
        scalar::Type::Number => scalar::is_canonical_number(new),
        scalar::Type::Bool => matches!(new, "true" | "false"),
        // A date is written in many ways, and readers write it in their own.
        scalar::Type::Text | scalar::Type::Date | scalar::Type::Null | scalar::Type::Special => false,
    }
}

/// Whether a plain scalar of these characters ends where it should. Cautious: in doubt, no.
fn fits_plain(new: &str, flow: bool) -> bool {
    let Some(first) = new.chars().next() else {
        return false;
    };
    let opens = "!&*?|>@`\"'%#,[]{}:";
    let dash = first == '-' && !new.chars().nth(1).is_some_and(|c| c.is_alphanumeric() || c == '.');
    !(opens.contains(first)
        || dash
        || new.starts_with("...")
        || new.starts_with(char::is_whitespace)
        || new.ends_with(char::is_whitespace)
        || new.ends_with(':')
        || new.contains(": ")
        || new.contains(" #")
        || (flow && new.contains([',', '[', ']', '{', '}'])))
}

/// The escapes are those that JSON has too.
pub(crate) fn double_quoted(new: &str) -> String {
    let mut out = String::with_capacity(new.len() + 2);
    out.push('"');
    for c in new.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn refuse(table: &Table<'_>, value: &Value<'_>, kind: RefusalKind) -> Refusal {
    Refusal { kind, place: table.node(value.id).map(|node| node.place) }
}
