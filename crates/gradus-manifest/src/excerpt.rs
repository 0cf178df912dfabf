//! The lines around a mistake.

use std::fmt::Write as _;

use crate::error::ManifestError;
use crate::yaml::lines;

/// How many lines are shown before the one with the mistake.
const BEFORE: usize = 2;
/// How much of a line is shown.
const WIDTH: usize = 100;
/// What stands in place of what is left out.
const GAP: &str = "...";

impl ManifestError {
    /// The line with the mistake and the two before it, with a caret below the
    /// place; nothing when the text has no such line.
    ///
    /// The user and the query of a URL are left out: they may hold a secret.
    pub fn excerpt(&self, text: &str) -> Option<String> {
        let first = self.place.line.saturating_sub(BEFORE).max(1);
        let wide = self.place.line.to_string().len();
        let mut shown = String::new();
        let mut caret = None;
        for (number, line) in lines(text).enumerate().map(|(at, line)| (at + 1, line)).skip(first - 1) {
            let is_last = number == self.place.line;
            let column = if is_last { self.place.column.saturating_sub(1) } else { 0 };
            let (line, column) = visible(line, column);
            // Writing to a text cannot fail.
            let _ = writeln!(shown, "{number:>wide$} | {line}");
            if is_last {
                caret = Some(column);
                break;
            }
        }
        let _ = writeln!(shown, "{:wide$} | {:column$}^", "", "", column = caret?);
        Some(shown.lines().map(|line| format!("{}\n", line.trim_end())).collect())
    }
}

/// A line as it is shown, and where a column of it has gone.
fn visible(line: &str, column: usize) -> (String, usize) {
    let (line, column) = without_secrets(line, column);
    let cut = if column >= WIDTH { column - WIDTH / 2 } else { 0 };
    let mark = |is_cut: bool| if is_cut { GAP } else { "" };
    let more = line.chars().count() > cut + WIDTH;
    let shown: String =
        line.chars().skip(cut).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let moved = column - cut + mark(cut > 0).len();
    (format!("{}{shown}{}", mark(cut > 0), mark(more)), moved)
}

/// Leaves out what in a URL may be a secret: the user and the query.
fn without_secrets(line: &str, column: usize) -> (String, usize) {
    let mut shown = String::new();
    let mut moved = column;
    let mut rest = line;
    let mut leave_out = |shown: &mut String, secret: &str| {
        let start = shown.chars().count();
        if moved > start && !secret.is_empty() {
            let length = secret.chars().count();
            moved = if moved < start + length { start } else { moved - length + GAP.len() };
        }
        shown.push_str(if secret.is_empty() { "" } else { GAP });
    };
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(|c: char| c.is_whitespace() || c == '"' || c == '\'').unwrap_or(after.len());
        let (url, next) = after.split_at(end);
        let (user, url) = url.split_at(url.rfind('@').unwrap_or_default());
        leave_out(&mut shown, user);
        let (url, query) = url.split_at(url.find('?').map_or(url.len(), |at| at + 1));
        shown.push_str(url);
        let (query, close) = query.split_at(query.find(['}', ']', ',']).unwrap_or(query.len()));
        leave_out(&mut shown, query);
        shown.push_str(close);
        rest = next;
    }
    shown.push_str(rest);
    (shown, moved)
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn secrets_are_left_out_and_columns_move_along() {
        let check = |line: &str, shown: &str, column: usize, moved: usize| {
            assert_eq!(without_secrets(line, column), (shown.to_owned(), moved), "{line}");
        };
        check("a: b", "a: b", 3, 3);
        check("a: https://x/y, b: 1", "a: https://x/y, b: 1", 16, 16);
        check("{u: https://me:pw@x, b: 1}", "{u: https://...@x, b: 1}", 21, 19);
        check("{u: https://me:pw@x, b: 1}", "{u: https://...@x, b: 1}", 4, 4);
        check("{u: https://me:pw@x, b: 1}", "{u: https://...@x, b: 1}", 14, 12);
        check("'https://x?t=1' http://é@y", "'https://x?...' http://...@y", 16, 16);
        check("{u: https://x?t=secret}", "{u: https://x?...}", 22, 17);
    }
}
