//! Rows in columns.

use crate::output::{Printer, Tone};

/// A text in a column, and what it says beyond its words.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Option<Tone>,
}

/// Rows whose columns are as wide as their widest text. The last column is the
/// only one that is broken where the terminal ends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
enum Line {
    Row(Vec<Cell>),
    /// A line between the rows, as it is.
    Text(String),
}

/// Between two columns.
const GAP: usize = 2;
/// Before the first one.
const INDENT: usize = 2;

impl Cell {
    /// A text.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self { text: plain(text.as_ref()), tone: None }
    }

    /// A text with a tone.
    pub(crate) fn toned(tone: Tone, text: impl AsRef<str>) -> Self {
        Self { text: plain(text.as_ref()), tone: Some(tone) }
    }
}

impl Table {
    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.lines.push(Line::Row(cells));
    }

    /// Adds a line that is not in columns.
    pub(crate) fn text(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Text(text.into()));
    }

    /// Writes the rows for this printer.
    pub(crate) fn render(&self, printer: &Printer) -> String {
        let widths = self.widths();
        let mut out = String::new();
        for line in &self.lines {
            match line {
                Line::Text(text) => out.push_str(text),
                Line::Row(cells) => row(&mut out, cells, &widths, printer),
            }
            out.push('\n');
        }
        out
    }

    /// How wide each column is, the last one of each row aside.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = Vec::new();
        for line in &self.lines {
            let Line::Row(cells) = line else { continue };
            for (at, cell) in cells.iter().enumerate().take(cells.len().saturating_sub(1)) {
                let width = cell.text.chars().count();
                match widths.get_mut(at) {
                    Some(widest) => *widest = width.max(*widest),
                    None => widths.push(width),
                }
            }
        }
        widths
    }
}

fn row(out: &mut String, cells: &[Cell], widths: &[usize], printer: &Printer) {
    let Some((last, columns)) = cells.split_last() else { return };
    let mut line = " ".repeat(INDENT);
    let mut at = INDENT;
    for (cell, width) in columns.iter().zip(widths) {
        line.push_str(&tone(cell, &cell.text, printer));
        let pad = width.saturating_sub(cell.text.chars().count()) + GAP;
        line.push_str(&" ".repeat(pad));
        at += width + GAP;
    }
    let room = printer.width().map_or(usize::MAX, |width| width.saturating_sub(at)).max(20);
    for (number, part) in wrapped(&last.text, room).iter().enumerate() {
        if number > 0 {
            out.push_str(line.trim_end());
            out.push('\n');
            line = " ".repeat(at);
        }
        line.push_str(&tone(last, part, printer));
    }
    out.push_str(line.trim_end());
}

fn tone(cell: &Cell, text: &str, printer: &Printer) -> String {
    match cell.tone {
        Some(tone) if !text.is_empty() => printer.toned(tone, text),
        Some(_) | None => text.to_owned(),
    }
}

/// Breaks between words.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}

/// A text from outside on one line, without what a terminal would take for a command.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Cell, Table, plain, wrapped};
    use crate::output::Printer;

    #[test]
    fn columns_are_aligned_and_the_last_one_is_broken_where_the_terminal_ends() {
        let mut table = Table::default();
        table.text("podinfo");
        table.row(["dev", "6.6.0", ""].map(Cell::new).to_vec());
        table.row(
            ["staging", "6.5.1", "6.6.0: upgrade failed, rolled back to what was there"]
                .map(Cell::new)
                .to_vec(),
        );
        let check = |width: Option<usize>, expected: &str| {
            assert_eq!(table.render(&Printer::plain(width)), expected, "{width:?}");
        };
        check(
            None,
            "podinfo\n  dev      6.6.0\n  staging  6.5.1  6.6.0: upgrade failed, rolled back to what was there\n",
        );
        check(
            Some(44),
            "podinfo\n  dev      6.6.0\n  staging  6.5.1  6.6.0: upgrade failed,\n                  rolled back to what was\n                  there\n",
        );
    }

    #[test]
    fn what_is_long_without_a_space_stays_whole() {
        assert_eq!(
            wrapped("a https://example.com/very/long b", 10),
            ["a", "https://example.com/very/long", "b"]
        );
    }

    #[test]
    fn a_terminal_gets_no_commands_from_outside() {
        assert_eq!(plain("a\x1b[2Jb\tc\n"), "a [2Jb c");
    }
}
