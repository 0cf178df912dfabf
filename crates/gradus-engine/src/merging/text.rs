//! Merging one file line by line. Where it is not beyond doubt what both sides meant, a person decides.

use std::ops::Range;

/// Beyond this nobody reads what comes out, and looking for the lines takes long.
const MOST_BYTES: usize = 4 << 20;
/// So many lines may differ between two sides.
const MOST_CHANGED: usize = 2000;

/// What a file becomes where both sides have changed it; `None` where they changed the same lines, or lines that
/// touch, or where it is no text.
pub fn merge_text(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let is_text = |side: &[u8]| side.len() <= MOST_BYTES && !side.contains(&0);
    if ![base, ours, theirs].into_iter().all(is_text) {
        return None;
    }
    let [base, ours, theirs] =
        [base, ours, theirs].map(|side| side.split_inclusive(|byte| *byte == b'\n').collect());
    let base: Vec<&[u8]> = base;
    let (here, there) = (changes(&base, &ours)?, changes(&base, &theirs)?);
    let mut all: Vec<&Change<'_>> = here.iter().collect();
    for change in &there {
        match here.iter().find(|other| other.touches(change)) {
            Some(same) if same.old == change.old && same.new == change.new => {}
            Some(_) => return None,
            None => all.push(change),
        }
    }
    all.sort_by_key(|change| change.old.start);
    let mut merged = Vec::new();
    let mut at = 0;
    for change in all {
        merged.extend(base.get(at..change.old.start)?.concat());
        merged.extend(change.new.concat());
        at = change.old.end;
    }
    merged.extend(base.get(at..)?.concat());
    Some(merged)
}

/// Lines that were taken out and those that were put in their place.
struct Change<'a> {
    old: Range<usize>,
    new: Vec<&'a [u8]>,
    /// Where it could be as well: of equal lines nobody knows which one was meant.
    reach: Range<usize>,
}

impl Change<'_> {
    /// Whether no line is between this and another one.
    fn touches(&self, other: &Self) -> bool {
        self.reach.start <= other.reach.end && other.reach.start <= self.reach.end
    }
}

/// The fewest changes that make one list of lines of another; `None` where there are too many. Those that touch, or
/// could, are one.
fn changes<'a>(old: &[&[u8]], new: &[&'a [u8]]) -> Option<Vec<Change<'a>>> {
    let mut parts: Vec<(Range<usize>, Range<usize>, Range<usize>)> = Vec::new();
    let (mut at_old, mut at_new) = (0, 0);
    for (x, y) in common(old, new)?.into_iter().chain([(old.len(), new.len())]) {
        if x > at_old || y > at_new {
            let (gone, come) = (at_old..x, at_new..y);
            let reach = reach(old, new, &gone, &come);
            match parts.last_mut().filter(|(_, _, before)| reach.start <= before.end) {
                Some((its_gone, its_come, its_reach)) => {
                    (its_gone.end, its_come.end) = (gone.end, come.end);
                    its_reach.start = its_reach.start.min(reach.start);
                    its_reach.end = its_reach.end.max(reach.end);
                }
                None => parts.push((gone, come, reach)),
            }
        }
        (at_old, at_new) = (x + 1, y + 1);
    }
    let change =
        |(old, come, reach)| Some(Change { old, new: new.get::<Range<usize>>(come)?.to_vec(), reach });
    parts.into_iter().map(change).collect()
}

/// Lines that only came or only went may be taken for others that are equal.
fn reach(old: &[&[u8]], new: &[&[u8]], gone: &Range<usize>, come: &Range<usize>) -> Range<usize> {
    let (lines, part) = if gone.is_empty() { (new, come) } else { (old, gone) };
    if !gone.is_empty() && !come.is_empty() {
        return gone.clone();
    }
    let up = (1..=part.start).take_while(|by| lines.get(part.start - by) == lines.get(part.end - by)).count();
    let down = (0..lines.len() - part.end)
        .take_while(|by| lines.get(part.start + by) == lines.get(part.end + by))
        .count();
    gone.start.saturating_sub(up)..(gone.end + down).min(old.len())
}

/// The pairs of places of a longest common list of lines, by the greedy algorithm of Myers.
fn common(old: &[&[u8]], new: &[&[u8]]) -> Option<Vec<(usize, usize)>> {
    let most = (old.len() + new.len()).min(MOST_CHANGED);
    let width = 2 * most + 2;
    // How far along `old` the diagonal `x - y + most` is reached with so many changes.
    let mut far = vec![0_usize; width + 1];
    let mut trace = Vec::new();
    for changed in 0..=most {
        trace.push(far.clone());
        for diagonal in (most - changed..=most + changed).step_by(2) {
            let from = |at: usize| far.get(at).copied().unwrap_or_default();
            let is_down = diagonal == most - changed
                || (diagonal != most + changed && from(diagonal - 1) < from(diagonal + 1));
            let mut x = if is_down { from(diagonal + 1) } else { from(diagonal - 1) + 1 };
            let Some(mut y) = (x + most).checked_sub(diagonal) else { continue };
            while x < old.len() && y < new.len() && old.get(x) == new.get(y) {
                (x, y) = (x + 1, y + 1);
            }
            if let Some(place) = far.get_mut(diagonal) {
                *place = x;
            }
            if x >= old.len() && y >= new.len() {
                return Some(way_back(&trace, most, (old.len(), new.len())));
            }
        }
    }
    None
}

/// The lines that were common on the way, from the end back to the start.
fn way_back(trace: &[Vec<usize>], most: usize, (mut x, mut y): (usize, usize)) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (changed, far) in trace.iter().enumerate().rev() {
        let diagonal = x + most - y;
        let from = |at: usize| far.get(at).copied().unwrap_or_default();
        let is_down = diagonal == most - changed
            || (diagonal != most + changed && from(diagonal - 1) < from(diagonal + 1));
        let before = if is_down { diagonal + 1 } else { diagonal - 1 };
        let (to_x, to_y) =
            if changed == 0 { (0, 0) } else { (from(before), (from(before) + most).saturating_sub(before)) };
        while x > to_x && y > to_y {
            (x, y) = (x - 1, y - 1);
            pairs.push((x, y));
        }
        (x, y) = (to_x, to_y);
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base: &str, ours: &str, theirs: &str, expected: Option<&str>) {
        let lines = |text: &str| text.split_whitespace().map(|line| format!("{line}\n")).collect::<String>();
        let merge = |ours: &str, theirs: &str| {
            merge_text(lines(base).as_bytes(), lines(ours).as_bytes(), lines(theirs).as_bytes())
        };
        let expected = expected.map(|text| lines(text).into_bytes());
        assert_eq!(merge(ours, theirs), expected, "{base} | {ours} | {theirs}");
        assert_eq!(merge(theirs, ours), expected, "{base} | {theirs} | {ours}");
    }

    #[test]
    fn what_is_apart_is_merged() {
        check("a b c d", "a b c d", "a b c d", Some("a b c d"));
        check("a b c d", "x b c d", "a b c y", Some("x b c y"));
        check("a b c d", "x b c d", "x b c d", Some("x b c d"));
        check("a b c d", "a b c", "z a b c d", Some("z a b c"));
        check("a b c d", "", "a b c d", Some(""));
        check("", "a", "", Some("a"));
    }

    #[test]
    fn what_touches_or_is_in_doubt_is_not() {
        check("a b c d", "x b c d", "y b c d", None);
        check("a b c d", "x b c d", "a y c d", None);
        check("a b c d", "a x b c d", "a y b c d", None);
        check("", "a", "b", None);
        // Which of the equal lines went is anybody's guess.
        check("b b b b a", "b b b a", "c b b b a", None);
        assert_eq!(merge_text(b"a\0", b"a\0", b"b\0"), None);
    }

    /// The end of a file without a line feed is a line like others.
    #[test]
    fn the_last_line_may_have_no_end() {
        assert_eq!(merge_text(b"a\nb\nc", b"x\nb\nc", b"a\nb\nc\n").unwrap(), b"x\nb\nc\n");
    }
}
