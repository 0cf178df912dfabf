//! Semantic versions, read a little more generously than SemVer 2.0 writes them.

use std::cmp::Ordering;

use semver::Version;

/// Reads a semantic version; a leading `v` and missing minor and patch numbers
/// are accepted.
pub(super) fn parse(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let core_end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at_checked(core_end)?;
    let missing = match core.bytes().filter(|b| *b == b'.').count() {
        0 => ".0.0",
        1 => ".0",
        _ => return Version::parse(text).ok(),
    };
    // A date with dashes must not become a prerelease of its year.
    if rest.strip_prefix('-').is_some_and(|pre| !pre.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return None;
    }
    Version::parse(&format!("{core}{missing}{rest}")).ok()
}

/// Whether both are the same version, with build metadata equal or absent on
/// one side.
pub(super) fn same(a: &Version, b: &Version) -> bool {
    compare(a, b) == Some(Ordering::Equal)
}

/// Compares by precedence. `None` says that the two differ in their build
/// metadata alone.
pub(super) fn compare(a: &Version, b: &Version) -> Option<Ordering> {
    let precedence = a.cmp_precedence(b);
    let one_build = a.build == b.build || a.build.is_empty() || b.build.is_empty();
    (precedence.is_ne() || one_build).then_some(precedence)
}
