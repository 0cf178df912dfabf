//! Random edits of random YAML, looked at byte by byte and by another parser.
//!
//! Part of the tests, and of `examples/fuzz.rs`, which makes a million of them.

pub(crate) mod bytes;
mod generate;
mod other;
mod random;

use gradus_edit::{Edit, FieldPath, Locator, Outcome, RefusalKind, Select, edit, read};

use generate::{Generated, Written, generate};
use other::{only_set, see};
use random::Random;

/// What was tried, and what came of it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Files that were written.
    pub(crate) files: usize,
    /// Values that were changed.
    pub(crate) edited: usize,
    /// Of these by a marker.
    pub(crate) marked: usize,
    /// Edits that found the value as it should be.
    pub(crate) unchanged: usize,
    /// Edits that were refused, each for one of the known reasons.
    pub(crate) refused: usize,
    /// Edits whose file the other parser could look at too.
    pub(crate) compared: usize,
}

/// Edits of one random file.
const EDITS: usize = 6;

/// Makes random edits of the file of this seed; says what is wrong, if something is.
pub(crate) fn play(seed: u64, counts: &mut Counts) -> Result<(), String> {
    let Generated { text, values } = generate(seed);
    let mut random = Random::new(seed ^ 0x5eed);
    let before = see(&text);
    counts.files += 1;
    for _ in 0..EDITS {
        let Some(value) = values.get(random.below(values.len())) else { return Ok(()) };
        let set = new_value(&mut random);
        one(&text, value, &set, before.as_deref(), counts).map_err(|why| {
            format!("seed {seed}: {set:?} at {:?} of {}: {why}\n{text}", value.path, value.kind)
        })?;
    }
    Ok(())
}

fn new_value(random: &mut Random) -> String {
    let values = [
        "1.5.0",
        "v2",
        "2",
        "0",
        "true",
        "false",
        "on",
        "~",
        "",
        "1.10",
        "0x1F",
        "1_000",
        "2026-01-31",
        "007",
        "a: b",
        "a #b",
        "#x",
        "- x",
        "it's",
        "say \"x\"",
        "back\\slash",
        "größe 😀",
        "[x]",
        "{x}",
        "a, b",
        "*x",
        "&x",
        " lead",
        "trail ",
        "registry:5000/a/b:1.2@sha256:ab",
        "1234e56",
        "=",
        "<<",
        "null",
        "!x",
        "%x",
        "@x",
        "`x",
        "|",
        ">",
        ":",
        "?",
        "? x",
        "...",
        "---",
        "-",
        "x:",
    ];
    match random.below(4) {
        0 => format!("{}.{}.{}", random.below(30), random.below(30), random.below(30)),
        1 => random.below(100_000).to_string(),
        _ => random.pick(&values, "x").to_owned(),
    }
}

fn one(
    text: &str,
    value: &Written,
    set: &str,
    before: Option<&[other::Seen]>,
    counts: &mut Counts,
) -> Result<(), String> {
    let locator = match &value.marker {
        Some(marker) => Locator::marker("$set", marker),
        None => Locator::Path(Select::path(FieldPath::new(value.path.clone())).kind(&value.kind)),
    };
    let after = match edit(text.as_bytes(), &[Edit::new(locator.clone(), set)]) {
        Ok(Outcome::Edited(edited)) => String::from_utf8(edited.bytes).map_err(|error| error.to_string())?,
        Ok(Outcome::Unchanged) => {
            counts.unchanged += 1;
            return Ok(());
        }
        Ok(Outcome::Stale(stale)) => return Err(format!("{stale:?}")),
        Err(refusal) if is_known(&refusal.kind) => {
            counts.refused += 1;
            return Ok(());
        }
        Err(refusal) => return Err(refusal.to_string()),
    };
    // Every other byte is the same: what the texts begin and end with has everything but the value.
    let head = text.bytes().zip(after.bytes()).take_while(|(old, new)| old == new).count();
    let tail = text.bytes().rev().zip(after.bytes().rev()).take_while(|(old, new)| old == new).count();
    let (start, end) = (value.span.start, text.len() - value.span.end);
    if head < start || tail < end || after.len() < start + end {
        return Err(format!("bytes outside the value changed:\n{after}"));
    }
    counts.edited += 1;
    counts.marked += usize::from(value.marker.is_some());
    let found =
        read(after.as_bytes(), &locator).map_err(|refusal| format!("afterwards {refusal}\n{after}"))?;
    if found.iter().any(|found| found.value != set) || found.len() != 1 {
        return Err(format!("{found:?} was read\n{after}"));
    }
    if let Some(before) = before {
        let seen = see(&after).ok_or_else(|| format!("no YAML to the other parser:\n{after}"))?;
        only_set(before, &seen, set).map_err(|why| format!("{why}\n{after}"))?;
        counts.compared += 1;
    }
    Ok(())
}

/// The reasons for which a value of a well-formed file may be refused.
fn is_known(kind: &RefusalKind) -> bool {
    matches!(
        kind,
        RefusalKind::Alias { .. }
            | RefusalKind::Anchored { .. }
            | RefusalKind::BlockScalar { .. }
            | RefusalKind::Template { .. }
            | RefusalKind::NotScalar { .. }
            // Nothing is written where there is an anchor or a tag and no value.
            | RefusalKind::NotAddable { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::{Counts, play};

    #[test]
    fn thousands_of_edits_change_one_value_each() {
        let mut counts = Counts::default();
        for seed in 0..450 {
            play(seed, &mut counts).unwrap_or_else(|why| panic!("{why}"));
        }
        assert!(counts.edited > 2000, "{counts:?}");
        assert!(counts.compared * 10 > counts.edited * 9, "{counts:?}");
    }
}
