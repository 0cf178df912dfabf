//! What a person may have meant.

/// A question after the nearest of the names, where one is near.
pub(crate) fn did_you_mean<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = |name: &&str| strsim::damerau_levenshtein(given, name);
    let best = names.min_by_key(near)?;
    // A third of the letters may be wrong, and one always.
    (near(&best) <= (given.chars().count() / 3).max(1)).then(|| format!("did you mean {best:?}?"))
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn only_what_is_near_is_meant() {
        let check = |given: &str, expected: Option<&str>| {
            let names = ["staging", "prod-eu", "prod-us", "dev"];
            let expected = expected.map(|name| format!("did you mean {name:?}?"));
            assert_eq!(did_you_mean(given, names.into_iter()), expected, "{given}");
        };
        check("stagng", Some("staging"));
        check("prod-ue", Some("prod-eu"));
        check("de", Some("dev"));
        check("canary", None);
        check("", None);
    }
}
