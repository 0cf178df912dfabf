//! The word that was probably meant.

/// The candidate that is spelled most like the word, if one is near enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if word.chars().count() > LONGEST {
        return None;
    }
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .filter(|candidate| *candidate != word && candidate.chars().count() <= LONGEST)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be put in, left out or changed; upper and lower case count as one letter.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, (y, pair)) in b.iter().zip(row.windows(2)).enumerate() {
            if let ([diagonal, above], Some(left)) = (pair, next.get(j).copied()) {
                next.push((diagonal + usize::from(x != *y)).min(above + 1).min(left + 1));
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found_and_a_different_word_is_not() {
        let keys = ["version", "chart", "interval"];
        let check =
            |word: &str, meant: Option<&str>| assert_eq!(nearest(word, keys.into_iter()), meant, "{word}");
        check("verison", Some("version"));
        check("Version", Some("version"));
        check("chrt", Some("chart"));
        check("replicas", None);
        check("version", None);
        check("", None);
    }
}
