//! Lines of `KEY=VALUE`.
//!
//! Readers differ in what they do with quotes, `$` and `#`. A value is written so that all of them
//! agree, or it is refused. What is no such line is left alone.

use super::tree::{Leaf, Sort, Tree};
use super::{Format, unreadable};
use crate::refusal::Refusal;

/// Reads a whole file, or says where a quote is not closed.
pub(super) fn parse(text: &str) -> Result<Tree, Refusal> {
    let mut entries = Vec::new();
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let end = at + rest.find('\n').unwrap_or(rest.len());
        let mut next = end;
        if let Some((key, start)) = assignment(text, at, end) {
            let (meant, written) = value(text, start, end)?;
            next = next.max(
                text.get(written..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| written + n),
            );
            let leaf = Leaf { sort: Sort::Text, text: meant, span: start..written };
            entries.push((key.to_owned(), Tree::Leaf(leaf)));
        }
        at = next + 1;
    }
    Ok(Tree::Table(entries))
}

/// The key of a line, and where its value starts.
fn assignment(text: &str, at: usize, end: usize) -> Option<(&str, usize)> {
    let line = text.get(at..end)?;
    let (before, _) = line.split_once('=')?;
    let key = before.trim_start();
    let key = key.strip_prefix("export ").or_else(|| key.strip_prefix("export\t")).unwrap_or(key).trim();
    let is_key = !key.is_empty()
        && !key.starts_with(|c: char| c.is_ascii_digit())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let value = line.get(before.len() + 1..)?;
    let blank = value.len() - value.trim_start_matches([' ', '\t']).len();
    // Behind `KEY=` and a blank may be nothing but a comment, and the value goes before the blank.
    let skipped = if value.trim().is_empty() || value.trim_start().starts_with('#') { 0 } else { blank };
    is_key.then_some((key, at + before.len() + 1 + skipped))
}

/// What the value means and where it ends as it is written.
fn value(text: &str, start: usize, end: usize) -> Result<(String, usize), Refusal> {
    let rest = text.get(start..).unwrap_or_default();
    match rest.chars().next().filter(|_| start < end) {
        Some(quote @ ('\'' | '"')) => {
            let Some((meant, length)) = quoted(rest, quote) else {
                return Err(unreadable(Format::Env, text, start, "this quote is not closed".to_owned()));
            };
            let behind = rest.get(length..).unwrap_or_default();
            let behind = behind.split('\n').next().unwrap_or_default();
            if behind.trim().is_empty() || behind.trim_start().starts_with('#') {
                return Ok((meant, start + length));
            }
            let detail = "something follows the closing quote".to_owned();
            Err(unreadable(Format::Env, text, start + length, detail))
        }
        Some(_) | None => {
            let line = text.get(start..end).unwrap_or_default();
            let comment = line
                .match_indices('#')
                .find(|(at, _)| line.get(..*at).is_some_and(|before| before.ends_with([' ', '\t'])));
            let value = line.get(..comment.map_or(line.len(), |(at, _)| at)).unwrap_or_default().trim_end();
            Ok((value.to_owned(), start + value.len()))
        }
    }
}

/// What stands between quotes, and how long it is with them.
fn quoted(rest: &str, quote: char) -> Option<(String, usize)> {
    let mut meant = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((meant, at + 1)),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => meant.push('\n'),
                'r' => meant.push('\r'),
                't' => meant.push('\t'),
                c @ ('"' | '\\' | '$' | '`' | '\'') => meant.push(c),
                other => {
                    meant.push('\\');
                    meant.push(other);
                }
            },
            c => meant.push(c),
        }
    }
    None
}

/// The new value in the style of the old one, if there is a way to write it.
pub(super) fn render(old: &str, new: &str) -> Option<String> {
    let plain = |c: char| c.is_alphanumeric() || "_-+./:@%,=~^".contains(c);
    let quote = old.chars().next().filter(|c| matches!(c, '\'' | '"'));
    if quote.is_none() && new.chars().all(plain) && !new.starts_with('~') {
        return Some(new.to_owned());
    }
    // Between double quotes some readers put in variables and commands, and some do not know escapes.
    let in_double = !new.contains(['"', '\\', '$', '`']);
    let in_single = !new.contains(['\'', '\\']);
    match quote {
        Some('\'') if in_single => Some(format!("'{new}'")),
        _ if in_double => Some(format!("\"{new}\"")),
        _ if in_single => Some(format!("'{new}'")),
        _ => None,
    }
}
