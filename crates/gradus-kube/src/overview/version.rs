//! Which version of its chart a `HelmRelease` asks for.

use serde_json::Value;

use super::read::text;
use crate::clusters::wire::clean;

/// Which version of its chart a `HelmRelease` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChartVersion {
    /// This one.
    Pinned(String),
    /// The newest of these.
    Range {
        /// As it is written.
        range: String,
        /// What was installed last.
        now: Option<String>,
    },
    /// Whatever is newest, or what its source has.
    Floating {
        /// What was installed last.
        now: Option<String>,
    },
}

pub(crate) fn chart_version(release: &Value) -> ChartVersion {
    let now = text(release, "/status/history/0/chartVersion")
        .or_else(|| text(release, "/status/lastAppliedRevision"))
        .map(clean);
    match text(release, "/spec/chart/spec/version").map(clean) {
        Some(version) if version == "*" => ChartVersion::Floating { now },
        Some(version) if is_one(&version) => ChartVersion::Pinned(version),
        Some(range) => ChartVersion::Range { range, now },
        None => ChartVersion::Floating { now },
    }
}

/// Whether it is one version, with all its three numbers.
fn is_one(version: &str) -> bool {
    let version = version.trim().trim_start_matches('=').trim();
    let version = version.strip_prefix('v').unwrap_or(version);
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let mut parts = numbers.split('.');
    let is_number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let one = (0..3).all(|_| parts.next().is_some_and(is_number)) && parts.next().is_none();
    one && !version.contains([' ', ',', '|'])
}

#[cfg(test)]
mod tests {
    use super::is_one;

    #[test]
    fn one_version_has_three_numbers() {
        for one in ["6.5.1", "v1.2.3", "1.2.3-rc.1+5", "=1.0.0"] {
            assert!(is_one(one), "{one}");
        }
        for more in ["6", "6.5", "6.x", ">=6.0.0", "^1.2.3", "1.2.3 - 2.0.0", "1.0.0 || 2.0.0", "*", "6.5.*"]
        {
            assert!(!is_one(more), "{more}");
        }
    }
}
