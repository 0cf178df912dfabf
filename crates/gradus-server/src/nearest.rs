//! "Did you mean": the name that takes the fewest changes.

/// The nearest of the names, if it is near enough to be meant.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = wanted.chars().take(LONGEST).collect();
    let enough = 1 + wanted.len() / 4;
    let near = names.map(|name| (distance(&wanted, name), name)).filter(|(distance, _)| *distance <= enough);
    near.min().map(|(_, name)| name)
}

/// No more of a name is compared, so that a long one costs no more than a short one.
const LONGEST: usize = 128;

/// How many characters are added, removed or replaced between the two.
fn distance(wanted: &[char], name: &str) -> usize {
    let mut row: Vec<usize> = (0..=wanted.len()).collect();
    for (at, from) in name.chars().take(LONGEST).enumerate() {
        let mut left = at + 1;
        let mut diagonal = at;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (above, to) in row.iter_mut().skip(1).zip(wanted) {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = *above;
            left = replaced.min(diagonal + 1).min(left + 1);
            *above = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, names: &[&str], found: Option<&str>) {
        assert_eq!(nearest(wanted, names.iter().copied()), found, "{wanted} of {names:?}");
    }

    #[test]
    fn the_nearest_name_is_found_if_it_is_near() {
        check("stagng", &["dev", "staging", "prod"], Some("staging"));
        check("prd", &["dev", "staging", "prod"], Some("prod"));
        check("qa", &["development", "staging", "production"], None);
        check("", &["dev"], None);
        check("apps/podnfo", &["apps/podinfo", "apps/web"], Some("apps/podinfo"));
    }
}
