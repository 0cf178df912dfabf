//! What changed between two texts, line by line.

use crate::output::{Printer, Tone};
use crate::table::plain;

/// How many lines are shown around a change.
const AROUND: usize = 3;
/// How many lines of both texts together are compared; a longer pair is shown as replaced.
const MOST: usize = 4_000_000;

/// A line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change<'t> {
    Same(&'t str),
    Gone(&'t str),
    New(&'t str),
}

/// The changes of a file in unified form, coloured where colours are wanted.
pub(crate) fn toned(name: &str, before: &str, after: &str, printer: &Printer) -> String {
    let head = [format!("--- a/{name}"), format!("+++ b/{name}")];
    let head = head.iter().map(|line| printer.toned(Tone::Strong, &plain(line)));
    let lines = unified(before, after).into_iter().map(|line| {
        let line = plain(&line);
        match line.chars().next() {
            Some('+') => printer.toned(Tone::Good, &line),
            Some('-') => printer.toned(Tone::Bad, &line),
            Some('@') => printer.toned(Tone::Dim, &line),
            Some(_) | None => line,
        }
    });
    head.chain(lines).map(|line| line + "\n").collect()
}

/// The changes from one text to another in unified form, without a head that names files.
pub(crate) fn unified(before: &str, after: &str) -> Vec<String> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let changes = changes(&before, &after);
    let mut shown = Vec::new();
    let (mut old, mut new) = (1, 1);
    let mut at = 0;
    while let Some(hunk) = hunk(&changes, at) {
        for change in changes.get(at..hunk.start).unwrap_or_default() {
            count(*change, &mut old, &mut new);
        }
        let (first_old, first_new) = (old, new);
        let mut lines = Vec::new();
        for change in changes.get(hunk.clone()).unwrap_or_default() {
            count(*change, &mut old, &mut new);
            lines.push(match change {
                Change::Same(line) => format!(" {line}").trim_end().to_owned(),
                Change::Gone(line) => format!("-{line}"),
                Change::New(line) => format!("+{line}"),
            });
        }
        let (many_old, many_new) = (old - first_old, new - first_new);
        shown.push(format!("@@ -{first_old},{many_old} +{first_new},{many_new} @@"));
        shown.append(&mut lines);
        at = hunk.end;
    }
    shown
}

fn count(change: Change<'_>, old: &mut usize, new: &mut usize) {
    match change {
        Change::Same(_) => {
            *old += 1;
            *new += 1;
        }
        Change::Gone(_) => *old += 1,
        Change::New(_) => *new += 1,
    }
}

/// The next changes that are near each other, with the lines around them.
fn hunk(changes: &[Change<'_>], from: usize) -> Option<std::ops::Range<usize>> {
    let is_change = |at: usize| changes.get(at).is_some_and(|change| !matches!(change, Change::Same(_)));
    let first = (from..changes.len()).find(|at| is_change(*at))?;
    let mut last = first;
    for at in first..changes.len() {
        if is_change(at) {
            last = at;
        } else if at - last > 2 * AROUND {
            break;
        }
    }
    Some(first.saturating_sub(AROUND).max(from)..(last + 1 + AROUND).min(changes.len()))
}

/// The fewest lines that go and come.
fn changes<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Change<'t>> {
    // What both begin and end with needs no comparing, and that is most of a long file.
    let shorter = before.len().min(after.len());
    let head = before.iter().zip(after).take_while(|(old, new)| old == new).count();
    let ends = before.iter().rev().zip(after.iter().rev());
    let tail = ends.take(shorter - head).take_while(|(old, new)| old == new).count();
    let middle = |lines: &'_ [&'t str]| lines.get(head..lines.len() - tail).unwrap_or_default().to_vec();
    let mut changes = same(before.get(..head));
    changes.extend(compare(&middle(before), &middle(after)));
    changes.extend(same(before.get(before.len() - tail..)));
    changes
}

fn same<'t>(lines: Option<&[&'t str]>) -> Vec<Change<'t>> {
    lines.unwrap_or_default().iter().map(|line| Change::Same(line)).collect()
}

fn compare<'t>(before: &[&'t str], after: &[&'t str]) -> Vec<Change<'t>> {
    let width = after.len() + 1;
    if (before.len() + 1).saturating_mul(width) > MOST {
        let gone = before.iter().map(|line| Change::Gone(line));
        return gone.chain(after.iter().map(|line| Change::New(line))).collect();
    }
    // How many lines both have in common from each pair of places on.
    let mut common = vec![0_usize; (before.len() + 1) * width];
    let get = |common: &[usize], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or_default();
    for (i, old) in before.iter().enumerate().rev() {
        for (j, new) in after.iter().enumerate().rev() {
            let longest = if old == new {
                get(&common, i + 1, j + 1) + 1
            } else {
                get(&common, i + 1, j).max(get(&common, i, j + 1))
            };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = longest;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    loop {
        match (before.get(i), after.get(j)) {
            (None, None) => return changes,
            (Some(old), Some(new)) if old == new => {
                changes.push(Change::Same(old));
                i += 1;
                j += 1;
            }
            (Some(old), new) if new.is_none() || get(&common, i + 1, j) >= get(&common, i, j + 1) => {
                changes.push(Change::Gone(old));
                i += 1;
            }
            (_, Some(new)) => {
                changes.push(Change::New(new));
                j += 1;
            }
            (Some(old), None) => {
                changes.push(Change::Gone(old));
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unified;

    fn check(before: &str, after: &str, shown: &[&str]) {
        assert_eq!(unified(before, after), shown, "{before:?} {after:?}");
    }

    #[test]
    fn of_a_long_file_only_what_differs_is_compared() {
        let line = |at: usize| format!("line {at}\n");
        let before: String = (0..100_000).map(line).collect();
        let after = before.replace("line 50000\n", "new\n");
        let shown = unified(&before, &after);
        assert_eq!(shown.len(), 9);
        assert_eq!(shown.first().map(String::as_str), Some("@@ -49998,7 +49998,7 @@"));
    }

    #[test]
    fn changes_are_shown_with_the_lines_around_them() {
        check("", "", &[]);
        check("a\nb\n", "a\nb\n", &[]);
        check("a\n", "b\n", &["@@ -1,1 +1,1 @@", "-a", "+b"]);
        check("a\n", "a\nb\n", &["@@ -1,1 +1,2 @@", " a", "+b"]);
        check(
            "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n",
            "1\n2\n3\n4\nx\n6\n7\n8\n9\n10\n",
            &["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-5", "+x", " 6", " 7", " 8"],
        );
        check(
            "x\n1\n2\n3\n4\n5\n6\n7\n8\n9\n",
            "1\n2\n3\n4\n5\n6\n7\n8\n",
            &["@@ -1,4 +1,3 @@", "-x", " 1", " 2", " 3", "@@ -7,4 +6,3 @@", " 6", " 7", " 8", "-9"],
        );
    }
}
