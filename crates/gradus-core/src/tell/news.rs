//! What is told of something new: in one line, in more lines, and what people can do.

use super::advice::advice;
use super::commit::one_line;
use super::sentence::sentence;
use super::status::own_trouble;
use super::time::{Clock, duration};
use crate::names::PipelineKey;
use crate::observation::{Origin, ProposalSeen};
use crate::pipeline::Hold;
use crate::reason::Reason;
use crate::release::Release;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::Verdict;
use jiff::Timestamp;

/// The words of something new.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewsWords {
    /// What it is.
    pub title: String,
    /// More of it.
    pub details: Vec<String>,
    /// What people can do.
    pub can: Vec<String>,
}

/// A proposal is open.
pub(crate) fn proposed(
    report: &Report,
    here: &EnvironmentReport,
    proposal: &ProposalSeen,
    release: &Release,
    clock: &Clock,
) -> NewsWords {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let title = format!("{app} {release} is proposed for {environment} (proposal {})", proposal.number);
    let mut details: Vec<String> =
        here.release().map(|has| format!("{environment} has {has} now")).into_iter().collect();
    // The reasons are those of the release that is next, which may be another one by now.
    let is_next = here.next.as_ref().is_some_and(|next| next.release.same(release));
    let reasons = || here.reasons.iter().filter(|_| is_next);
    details.extend(reasons().map(|reason| sentence(reason, clock)));
    NewsWords { title, details, can: can(report, here, reasons()) }
}

/// A person is asked for a word.
pub(crate) fn waiting(
    report: &Report,
    here: &EnvironmentReport,
    release: &Release,
    clock: &Clock,
) -> NewsWords {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let title = match here.reasons.first() {
        Some(Reason::WaitingForApproval { by, .. }) => {
            format!("{app} {release} waits for approval by {by} for {environment}")
        }
        Some(Reason::WaitingForMerge { number, .. }) => {
            format!("{app} {release} waits for {environment}: proposal {number} can be merged")
        }
        Some(Reason::DispatchUnanswered { .. }) => {
            format!("{app} {release} did not come into {environment}: automation was asked for it in vain")
        }
        Some(_) | None => format!("{app} {release} waits for a person's word for {environment}"),
    };
    let details = here.reasons.iter().map(|reason| sentence(reason, clock)).collect();
    NewsWords { title, details, can: can(report, here, here.reasons.iter()) }
}

/// A release was written into an environment.
pub(crate) fn promoted(
    report: &Report,
    here: &EnvironmentReport,
    release: &Release,
    from: Option<&Release>,
    origin: &Origin,
) -> NewsWords {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let title = match from {
        Some(from) => format!("{app} was promoted to {environment}: {from} → {release}"),
        None => format!("{app} {release} was promoted to {environment}"),
    };
    NewsWords { title, details: brought(origin), can: Vec::new() }
}

/// It runs and works.
pub(crate) fn deployed(
    report: &Report,
    here: &EnvironmentReport,
    release: &Release,
    clock: &Clock,
) -> NewsWords {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let (healthy, all) = (here.verdict.healthy, here.verdict.targets.len());
    let count = if all > 1 { format!(", {healthy} of {all} targets") } else { String::new() };
    let since = here.verdict.verdict.since().map(|since| format!("healthy since {}{count}", clock.at(since)));
    NewsWords {
        title: format!("{app} {release} runs in {environment}"),
        details: since.into_iter().collect(),
        can: Vec::new(),
    }
}

/// It does not work.
pub(crate) fn failed(
    report: &Report,
    here: &EnvironmentReport,
    release: &Release,
    clock: &Clock,
) -> NewsWords {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let mut details: Vec<String> = Vec::new();
    if let Some(since) = here.verdict.verdict.since() {
        details.push(format!("since {}", clock.at(since)));
    }
    details.extend(own_trouble(here));
    for target in &here.verdict.targets {
        let is_failed = matches!(target.verdict, Verdict::Failed { .. });
        if is_failed && let Some(running) = target.running.as_ref().filter(|running| !running.same(release)) {
            details.push(format!("{} runs {running} instead", target.name));
        }
    }
    let name = &report.pipeline.name;
    NewsWords {
        title: format!("{app} {release} failed in {environment}"),
        details,
        can: vec![
            format!("gradus explain {name} {environment}"),
            format!("gradus rollback {name} --to {environment}"),
        ],
    }
}

/// An environment went back.
pub(crate) fn rolled_back(
    report: &Report,
    here: &EnvironmentReport,
    release: &Release,
    from: Option<&Release>,
    origin: &Origin,
) -> NewsWords {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let title = match from {
        Some(from) => format!("{app} was rolled back in {environment}: {from} → {release}"),
        None => format!("{app} was rolled back to {release} in {environment}"),
    };
    let reasons = here.reasons.iter().filter(|reason| matches!(reason, Reason::RolledBack { .. }));
    NewsWords { title, details: brought(origin), can: can(report, here, reasons) }
}

/// A hold ends soon.
pub(crate) fn hold_ends(pipeline: &PipelineKey, hold: &Hold, until: Timestamp, clock: &Clock) -> NewsWords {
    let what = hold.environment.as_ref().map_or_else(
        || pipeline.name.to_string(),
        |environment| format!("{} in {environment}", pipeline.name),
    );
    let left = duration(until.duration_since(clock.now));
    let title = format!("hold {} on {what} ends at {} UTC", hold.name, clock.at(until));
    let mut details =
        vec![format!("in {left}"), format!("{} set it: {}", hold.owner, one_line(&hold.reason))];
    details.extend(hold.pin.as_ref().map(|pin| format!("until then only {pin} may come in")));
    let can = vec!["set another `until` in its manifest, to hold on".to_owned()];
    NewsWords { title, details, can }
}

fn brought(origin: &Origin) -> Vec<String> {
    vec![format!("commit {} by {}: {}", origin.commit.short(), origin.author, one_line(&origin.title))]
}

fn can<'a>(
    report: &Report,
    here: &EnvironmentReport,
    reasons: impl Iterator<Item = &'a Reason>,
) -> Vec<String> {
    let wants = here.next.as_ref().map(|next| &next.release);
    let mut can: Vec<String> = Vec::new();
    for line in reasons.flat_map(|reason| advice(reason, &report.pipeline, &here.name, wants)) {
        // Going past a rule is looked up, not handed out.
        if !can.contains(&line) && !line.contains(" --override ") && !line.contains(" --emergency ") {
            can.push(line);
        }
    }
    can
}
