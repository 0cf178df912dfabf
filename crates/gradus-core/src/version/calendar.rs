//! Versions that are dates.

use std::cmp::Ordering;

use super::numeric::{compare_numbers, compare_parts, is_number, strip_v};

const SEPARATORS: [char; 4] = ['.', '-', '_', 'T'];

/// Modifiers whose order is known, the earliest first.
const STAGES: [&str; 5] = ["dev", "alpha", "beta", "pre", "rc"];

/// Compares two dates; `None` when one is not a date, when the first parts are
/// not equally long, or when only modifiers of unknown order tell them apart.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Date::parse(a)?, Date::parse(b)?);
    // 26.04 and 2026.04 count from different years; 202601 may be a month or a day.
    if a.first_len() != b.first_len() {
        return None;
    }
    let numbers = compare_parts(a.numbers.split(SEPARATORS), b.numbers.split(SEPARATORS));
    if numbers.is_ne() {
        return Some(numbers);
    }
    match (a.modifier, b.modifier) {
        (None, None) => Some(Ordering::Equal),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(_), None) => Some(Ordering::Less),
        (Some(x), Some(y)) => compare_modifiers(x, y),
    }
}

/// The numbers of a date with their separators, and what follows them.
struct Date<'a> {
    numbers: &'a str,
    modifier: Option<&'a str>,
}

impl<'a> Date<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = strip_v(text);
        let (numbers, modifier) = match modifier_at(text) {
            Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
            None => (text, None),
        };
        let date = Date { numbers: numbers.strip_suffix('Z').unwrap_or(numbers), modifier };
        let well_formed = matches!(date.first_len(), 2 | 4 | 6 | 8 | 14)
            && date.numbers.split(SEPARATORS).all(is_number)
            && modifier.is_none_or(|m| m.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)));
        well_formed.then_some(date)
    }

    fn first_len(&self) -> usize {
        self.numbers.split(SEPARATORS).next().map_or(0, str::len)
    }
}

/// Where the dash before the modifier stands: the first that a letter follows.
fn modifier_at(text: &str) -> Option<usize> {
    text.as_bytes().windows(2).position(|pair| matches!(pair, [b'-', next] if next.is_ascii_alphabetic()))
}

fn compare_modifiers(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    let ((a, a_number), (b, b_number)) = (word_and_number(a)?, word_and_number(b)?);
    if a.eq_ignore_ascii_case(b) {
        return Some(compare_numbers(a_number, b_number));
    }
    let stage = |word: &str| STAGES.iter().position(|s| s.eq_ignore_ascii_case(word));
    Some(stage(a)?.cmp(&stage(b)?))
}

/// Splits `rc1`, `rc.1` or `rc` into its word and its number.
fn word_and_number(modifier: &str) -> Option<(&str, &str)> {
    let end = modifier.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(modifier.len());
    let (word, rest) = modifier.split_at_checked(end)?;
    let number = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
    (rest.is_empty() || is_number(number)).then_some((word, number))
}
