//! Ranges of versions, as Helm and Flux have them.

/// Whether the text is a range, such as `>=1.0.0`, `^1.2`, `1.x`, `*` or `1.0 - 2.0`.
///
/// The signs are those of <https://github.com/Masterminds/semver#basic-comparisons>. A plain version is
/// none here, though a lone `1.2.3` is a range to that library, too.
pub fn is_range(text: &str) -> bool {
    let compares = text.starts_with(['=', '!', '<', '>', '~', '^']);
    let several = text.contains(['*', ',', ' ']) || text.contains("||");
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let open = numbers.contains('.') && numbers.split('.').any(|part| matches!(part, "x" | "X"));
    compares || several || open
}

#[cfg(test)]
mod tests {
    use super::is_range;

    #[test]
    fn ranges_are_told_from_versions() {
        for range in
            [">=0.0.3", "^1.2", "~1", "!=2", "=1.0.0", "1.x", "v1.X", "*", "1.0 - 2.0", "1 || 2", ">1,<2"]
        {
            assert!(is_range(range), "{range}");
        }
        for version in
            ["1.2.3", "v1", "1.2.3-x.1+b", "latest", "x", "main-abc", "2026-01-31", "sha256:abc", ""]
        {
            assert!(!is_range(version), "{version}");
        }
    }
}
