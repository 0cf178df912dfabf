//! The word that was probably meant.

/// The candidate that is spelled most like the word, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 80;
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let allowed = (length / 3).clamp(1, 3);
    candidates
        .filter(|candidate| *candidate != word && candidate.len() <= LONGEST)
        .map(|candidate| (distance(word, candidate), candidate.len(), candidate))
        .filter(|(distance, ..)| *distance <= allowed)
        .min()
        .map(|(.., candidate)| candidate)
}

/// The question that goes with the nearest candidate.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(word, candidates).map(|meant| format!("did you mean {meant:?}?"))
}

/// How many letters must be put in, left out, changed or swapped with the next;
/// upper and lower case, and `_` and `-`, count as one.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.to_lowercase().replace('_', "-");
    strsim::osa_distance(&letters(a), &letters(b))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        let words = ["targets", "staging", "deployWithin", "gates"];
        let check =
            |word: &str, meant: Option<&str>| assert_eq!(nearest(word, words.into_iter()), meant, "{word}");
        check("targts", Some("targets"));
        check("stagng", Some("staging"));
        check("deploy_within", Some("deployWithin"));
        check("agtes", Some("gates"));
        check("replicas", None);
        check("gates", None);
        check("", None);
    }
}
