//! The text in a literal block, and its lines in the file.

use std::ops::Range;

use crate::extent::{self, line_before, line_end};
use crate::locate::Value;
use crate::refusal::{Place, Refusal, RefusalKind};
use crate::splice::{Made, Splice};
use crate::table::{Node, Role, Style, Table};

/// A literal block, line by line.
pub(crate) struct Block<'t> {
    text: &'t str,
    /// The bytes of each line in the file, without its end.
    lines: Vec<Range<usize>>,
    /// By how many spaces the lines are indented.
    indentation: usize,
    /// The number of the first line.
    first: usize,
    document: usize,
}

impl<'t> Block<'t> {
    /// Finds the lines of the block that a value is.
    pub(crate) fn of(table: &'t Table<'_>, value: &'t Value<'_>) -> Result<Self, Refusal> {
        let node = table.node(value.id);
        let refusal = || Refusal {
            kind: RefusalKind::NotLiteral { path: table.path(value.id) },
            place: node.map(|node| node.place),
        };
        let node = node.filter(|_| value.style == Style::Block).ok_or_else(refusal)?;
        let (number, mut at) = content_start(table, node).ok_or_else(refusal)?;
        let mut lines = Vec::new();
        for _ in value.text.lines() {
            let (end, after) = line_end(table.text, at);
            lines.push(at..end);
            at = after;
        }
        let indentation = value.text.lines().zip(&lines).find_map(|(inner, outer)| {
            if inner.trim().is_empty() { None } else { outer.len().checked_sub(inner.len()) }
        });
        let block = Self {
            text: &value.text,
            lines,
            indentation: indentation.unwrap_or_default(),
            first: number,
            document: node.place.document,
        };
        if block.is_true(table) { Ok(block) } else { Err(refusal()) }
    }

    /// Whether each line of the file is the indentation and the line of the text.
    fn is_true(&self, table: &Table<'_>) -> bool {
        self.text.lines().zip(&self.lines).all(|(inner, outer)| {
            let written = table.text.get(outer.clone()).unwrap_or_default();
            let blank = inner.is_empty() && written.trim_matches(' ').is_empty();
            let indented = written.get(self.indentation..).is_some_and(|rest| rest == inner);
            let spaces = written.bytes().take(self.indentation).all(|byte| byte == b' ');
            blank || (indented && spaces)
        })
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    /// The place in the file of a place in the text.
    pub(crate) fn place(&self, inner: Place) -> Place {
        Place {
            document: self.document,
            line: self.first + inner.line.saturating_sub(1),
            column: inner.column + self.indentation,
        }
    }

    /// The byte in the file of a byte in the text.
    pub(crate) fn offset(&self, inner: usize) -> usize {
        let before = self.text.get(..inner).unwrap_or(self.text);
        let line = before.matches('\n').count();
        let column = inner - before.rfind('\n').map_or(0, |at| at + 1);
        self.lines.get(line).map_or(0, |line| line.start + self.indentation + column)
    }

    /// The block with another text.
    pub(crate) fn splice(&self, table: &Table<'_>, value: &Value<'_>, new: &str, line_end: &str) -> Splice {
        let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
            (self.text.lines().collect(), new.lines().collect());
        let same = |(old, new): &(&&str, &&str)| old == new;
        let head = old_lines.iter().zip(&new_lines).take_while(same).count();
        let rest = old_lines.len().min(new_lines.len()) - head;
        let tail = old_lines.iter().rev().zip(new_lines.iter().rev()).take(rest).take_while(same).count();
        let replaced = self.lines.get(head..self.lines.len() - tail).unwrap_or_default();
        let changed = new_lines.get(head..new_lines.len() - tail).unwrap_or_default();
        let written = |(at, line): (usize, &&str)| {
            let before = replaced.get(at).filter(|_| replaced.len() == changed.len());
            match before.filter(|_| old_lines.get(head + at) == Some(line)) {
                // A blank line may have spaces that are no part of the text.
                Some(before) => table.text.get(before.clone()).unwrap_or_default().to_owned(),
                None if line.is_empty() => String::new(),
                None => format!("{}{line}", " ".repeat(self.indentation)),
            }
        };
        let indented: Vec<String> = changed.iter().enumerate().map(written).collect();
        let mut text = indented.join(line_end);
        let old = match (replaced.first(), replaced.last()) {
            // Lines only go, with their ends.
            (Some(first), Some(last)) if changed.is_empty() => {
                first.start..extent::line_end(table.text, last.end).1
            }
            (Some(first), Some(last)) => first.start..last.end,
            // Lines are only added: behind the one before them.
            _ => {
                let at = head.checked_sub(1).and_then(|at| self.lines.get(at)).map_or(0, |line| line.end);
                text.insert_str(0, line_end);
                at..at
            }
        };
        Splice { old, text, made: Made::Set { node: value.id, text: new.to_owned(), lead: 0 } }
    }
}

/// The first line behind the sign of the block: its number, and where it begins.
fn content_start(table: &Table<'_>, node: &Node<'_>) -> Option<(usize, usize)> {
    // The sign is on the line of the key or the dash.
    let (line, at) = match node.role {
        Role::Value(key) => table.node(key).map(|key| (key.place.line, key.span.end))?,
        Role::Item(_) | Role::Root | Role::Key => {
            let content = line_before(table.text, node.span.start);
            let start = node.span.start - content.len();
            let before = table.text.get(..start)?.trim_end_matches(['\n', '\r', ' ']);
            let line = before.rfind('\n').map_or(0, |at| at + 1);
            (before.matches('\n').count() + 1, line)
        }
    };
    let (end, after) = line_end(table.text, at);
    let sign = table.text.get(at..end)?;
    let sign = sign.split(" #").next().unwrap_or(sign);
    sign.contains('|').then_some((line + 1, after))
}
