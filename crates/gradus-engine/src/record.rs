//! What is recorded of a look: verdicts that changed, spans of health, versions
//! that are new, and commits that were found in Git and not in the record.

use gradus_core::observation::{Proof, Seen};
use gradus_core::pipeline::Pipeline;
use gradus_core::report::{EnvironmentReport, Report};
use gradus_core::verdict::{Failure, Verdict};
use jiff::{SignedDuration, Timestamp};

use crate::observe::Sight;
use crate::port::ledger::{Action, Entry, View, Wrote};

/// How old the record of a span of health may get before it is extended. Shorter
/// would write for every look and tell nobody more.
const EXTEND_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The entries that a look adds to the record.
pub(crate) fn of_look(
    pipeline: &Pipeline,
    sight: &Sight,
    report: &Report,
    before: Option<&Report>,
    now: Timestamp,
) -> Vec<Entry> {
    let Some(view) = &sight.view else { return Vec::new() };
    let mut entries = Vec::new();
    for here in &report.environments {
        entries.extend(healthy(here, view, now));
        entries.extend(verdict(here, before.and_then(|before| before.environment(&here.name)), now));
        entries.extend(found_in_git(here, sight, view));
    }
    for first in pipeline.environments().iter().filter(|environment| environment.is_first()) {
        entries.extend(seen(report.environment(&first.name), view, now));
    }
    entries
}

fn healthy(here: &EnvironmentReport, view: &View, now: Timestamp) -> Option<Entry> {
    let Verdict::Healthy { release, since } = &here.verdict.verdict else { return None };
    let last = view.proofs.get(&here.name).and_then(|proofs| proofs.last());
    let fresh = last.is_some_and(|last| {
        last.release == *release
            && last.since == *since
            && now.duration_since(last.until) <= EXTEND_AFTER.min(now.duration_since(*since) / 8)
    });
    let proof = Proof { release: release.clone(), since: *since, until: now.max(*since) };
    (!fresh).then(|| Entry::Healthy { environment: here.name.clone(), proof })
}

fn verdict(here: &EnvironmentReport, before: Option<&EnvironmentReport>, now: Timestamp) -> Option<Entry> {
    let brief =
        |report: &EnvironmentReport| (report.verdict.verdict.word(), release_of(&report.verdict.verdict));
    if before.map(brief) == Some(brief(here)) {
        return None;
    }
    let (word, release) = brief(here);
    let detail = match &here.verdict.verdict {
        Verdict::Failed { why: Failure::Told(why), .. } => why.to_string(),
        Verdict::Failed { why: Failure::Deadline(within), .. } => {
            format!("not healthy within {}", gradus_core::tell::duration(*within))
        }
        Verdict::Unknown { why } => why.to_string(),
        Verdict::NotDeployed | Verdict::Deploying { .. } | Verdict::Healthy { .. } => {
            format!("{} of {} targets healthy", here.verdict.healthy, here.verdict.targets.len())
        }
    };
    Some(Entry::Verdict {
        environment: here.name.clone(),
        verdict: word.to_owned(),
        release,
        detail,
        at: now,
    })
}

fn release_of(verdict: &Verdict) -> Option<gradus_core::release::Release> {
    match verdict {
        Verdict::Healthy { release, .. } => Some(release.clone()),
        Verdict::Deploying { release, .. } | Verdict::Failed { release, .. } => release.clone(),
        Verdict::NotDeployed | Verdict::Unknown { .. } => None,
    }
}

/// A promotion that was written and whose record was lost: Git still has it.
fn found_in_git(here: &EnvironmentReport, sight: &Sight, view: &View) -> Option<Entry> {
    let facts = sight.origins.get(&here.name)?;
    let Seen::Known(Some(declared)) = &here.declared else { return None };
    let promotion = facts.promotion.clone()?;
    if !facts.origin.by_gradus || view.promoted.get(&here.name).is_some_and(|promoted| promoted == declared) {
        return None;
    }
    Some(Entry::Wrote(Wrote {
        environment: here.name.clone(),
        action: Action::Pushed,
        from: facts.origin.replaced.clone(),
        to: Some(declared.clone()),
        commit: facts.origin.commit.clone(),
        proposal: None,
        promotion,
        request: None,
        asked_by: None,
        approved_by: facts.approved_by.clone(),
        detail: "found in Git".to_owned(),
        at: facts.origin.at,
    }))
}

fn seen(first: Option<&EnvironmentReport>, view: &View, now: Timestamp) -> Vec<Entry> {
    let Some(release) = first.and_then(EnvironmentReport::release) else { return Vec::new() };
    release
        .versions()
        .filter(|(artifact, version)| view.seen.get(*artifact).is_none_or(|seen| !seen.contains(version)))
        .map(|(artifact, version)| Entry::Seen {
            artifact: artifact.clone(),
            version: version.clone(),
            at: now,
        })
        .collect()
}
