//! Numbers of any length with dots between them.

use std::cmp::Ordering;

/// Compares two dotted numbers part by part; `None` when one is not of that form.
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (strip_v(a), strip_v(b));
    (a.split('.').all(is_number) && b.split('.').all(is_number))
        .then(|| compare_parts(a.split('.'), b.split('.')))
}

pub(super) fn strip_v(text: &str) -> &str {
    text.strip_prefix(['v', 'V']).unwrap_or(text)
}

pub(super) fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit())
}

/// Compares two sequences of numbers; missing parts are 0.
pub(super) fn compare_parts<'a>(
    mut a: impl Iterator<Item = &'a str>,
    mut b: impl Iterator<Item = &'a str>,
) -> Ordering {
    loop {
        let ordering = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (x, y) => compare_numbers(x.unwrap_or("0"), y.unwrap_or("0")),
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

/// Compares two numbers as they are written, so that none is too large.
pub(super) fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
