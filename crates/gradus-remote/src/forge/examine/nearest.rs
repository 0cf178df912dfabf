//! The repository that may have been meant.

/// The nearest of those that can be seen: of the same name elsewhere, or with few letters that differ.
pub(super) fn of<'a>(path: &str, others: &'a [String]) -> Option<&'a str> {
    let wanted = path.to_lowercase();
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&wanted, &other.to_lowercase());
    let near =
        |other: &&String| name(other) == name(path) || distance(other) <= (wanted.chars().count() / 4).max(2);
    others.iter().filter(near).min_by_key(|other| distance(other)).map(String::as_str)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_may_be_meant_is_found() {
        let others = ["shop/apps/fleet", "acme/fleet", "acme/web"].map(str::to_owned);
        let check =
            |path: &str, expected: Option<&str>| assert_eq!(super::of(path, &others), expected, "{path}");
        check("acme/flete", Some("acme/fleet"));
        check("amce/fleet", Some("acme/fleet"));
        check("shop/fleet", Some("shop/apps/fleet"));
        check("Acme/Fleet", Some("acme/fleet"));
        check("other/thing", None);
    }
}
