//! What a verdict rests on, object by object.

use super::time::Clock;
use crate::observation::Evidence;
use crate::report::EnvironmentReport;

/// So many objects are told of; a Kustomization can have hundreds.
const MOST: usize = 6;

/// What the verdict of an environment's targets rests on, a line an object. Of
/// those that speak for it, nothing is said where others speak against it.
pub(super) fn evidence(here: &EnvironmentReport, clock: &Clock) -> Vec<String> {
    let all: Vec<&Evidence> = here.verdict.targets.iter().flat_map(|target| target.evidence.iter()).collect();
    let against: Vec<&Evidence> = all.iter().copied().filter(|one| one.good == Some(false)).collect();
    let told = if against.is_empty() { all } else { against };
    let mut lines: Vec<String> = told.iter().take(MOST).map(|one| line(one, clock)).collect();
    if let Some(more) = told.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines
}

/// One object in a line.
pub(super) fn line(one: &Evidence, clock: &Clock) -> String {
    let mut text = format!("{}: {}", one.object, one.says);
    if let Some(revision) = &one.revision {
        text.push_str(&format!(", at {revision}"));
    }
    if let Some(since) = one.since {
        text.push_str(&format!(", since {} ({})", clock.at(since), clock.ago(since)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_told_in_a_line() {
        let clock = Clock::utc("2026-03-02T12:10:00Z".parse().unwrap());
        let one = Evidence {
            object: "HelmRelease apps/podinfo".into(),
            says: "Ready=False (UpgradeFailed)".into(),
            revision: Some("6.6.0".into()),
            since: Some("2026-03-02T12:03:28Z".parse().unwrap()),
            good: Some(false),
        };
        let told = "HelmRelease apps/podinfo: Ready=False (UpgradeFailed), at 6.6.0, since 12:03:28 (6m ago)";
        assert_eq!(line(&one, &clock), told);
    }
}
