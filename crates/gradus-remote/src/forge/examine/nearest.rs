//! The repository that may have been meant.

/// The nearest of those that can be seen: of the same name elsewhere, or with few letters that differ.
pub(super) fn of<'a>(path: &str, others: &'a [String]) -> Option<&'a str> {
    let wanted = path.to_lowercase();
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&wanted, &other.to_lowercase());
    let near =
        |other: &&String| name(other) == name(path) || distance(other) <= (wanted.chars().count() / 4).max(2);
    // Of several the one that only has a group more in between.
    let key = |other: &&String| (!has_in_order(&other.to_lowercase(), &wanted), distance(other));
    others.iter().filter(near).min_by_key(key).map(String::as_str)
}

/// Whether all parts of a path are parts of another, in their order.
fn has_in_order(path: &str, parts: &str) -> bool {
    let mut there = path.split('/');
    parts.split('/').all(|part| there.any(|other| other == part))
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
