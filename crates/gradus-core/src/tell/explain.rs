//! `explain`: why a release is not in an environment yet, as a colleague would say it.

use super::advice::advice;
use super::evidence::evidence;
use super::headline::headline;
use super::lines::{Lines, without, wrap};
use super::sentence::{of_target, sentence, words};
use super::time::{Clock, duration};
use crate::gate::{Answer, Passed};
use crate::names::EnvironmentName;
use crate::reason::Reason;
use crate::report::{EnvironmentReport, GateReport, Report};
use crate::verdict::{Failure, TargetVerdict, Verdict};

/// Explains one environment; `None` when the pipeline has none of this name.
pub fn explain(report: &Report, environment: &EnvironmentName, clock: &Clock) -> Option<String> {
    let here = report.environment(environment)?;
    let mut lines = Lines::default();
    for reason in told(here).filter(|reason| !is_said(reason)) {
        lines.add(&label(reason), &labelled(reason, clock));
    }
    let far = is_far(here);
    for gate in here.next.iter().flat_map(|next| &next.gates).filter(|_| !far) {
        if let Some(words) = passed(gate, clock) {
            lines.add(gate.kind, &words);
        }
    }
    for before in waited_for(report, here) {
        let observes = before.reasons.contains(&Reason::ObserveOnly);
        let is_told = |reason: &&Reason| {
            let goes = matches!(reason, Reason::Promoting { .. });
            if goes { !observes } else { !reason.is_content() }
        };
        for reason in told(before).filter(is_told) {
            lines.add(before.name.as_str(), without(&words(reason, clock), before.name.as_str()));
        }
    }
    for target in here.verdict.targets.iter().filter(|_| shows_targets(here)) {
        let name = if here.verdict.targets.len() > 1 { format!("{}: ", target.name) } else { String::new() };
        lines.add(here.name.as_str(), &format!("{name}{}", target_words(target, clock)));
    }
    let proving = waited_for(report, here).into_iter().filter(|_| far);
    for place in proving.chain(Some(here).filter(|here| shows_targets(here))) {
        for line in evidence(place, clock) {
            lines.add("seen", &line);
        }
    }
    let went_back = here.reasons.iter().any(|reason| matches!(reason, Reason::RolledBack { .. }));
    for note in &here.notes {
        // That it was set by hand is told with the way back already.
        if !(went_back && matches!(note, Reason::Drift { .. })) {
            lines.add("note", &sentence(note, clock));
        }
    }
    lines.gap();
    if let Some(next) = next(here) {
        lines.add("next", &next);
    }
    for (at, line) in can(report, here).iter().enumerate() {
        lines.add(if at == 0 { "you can" } else { "or" }, line);
    }
    let headline = wrap(&headline(report, here, clock), 80).join("\n");
    let text = lines.text.trim_end();
    Some(if text.is_empty() { format!("{headline}\n") } else { format!("{headline}\n\n{text}\n") })
}

/// The reasons that matter now: while the release is not even proven, nobody
/// asks who will approve it.
fn told(here: &EnvironmentReport) -> impl Iterator<Item = &Reason> {
    let far = is_far(here);
    here.reasons.iter().filter(move |reason| !(far && is_last_step(reason)))
}

/// Whether something else than the clock and people stands in the way.
fn is_far(here: &EnvironmentReport) -> bool {
    here.reasons.iter().any(|reason| {
        matches!(
            reason,
            Reason::WaitingForEnvironment { .. }
                | Reason::WaitingForHealth { .. }
                | Reason::TargetFailed { .. }
                | Reason::DeadlineExceeded { .. }
                | Reason::HealthUnknown { .. }
                | Reason::NotDeployed { .. }
                | Reason::NeverProven { .. }
                | Reason::CheckFailed { .. }
                | Reason::VersionBlocked { .. }
                | Reason::RolledBack { .. }
                | Reason::Queued { .. }
        )
    })
}

/// Whether it is a gate that the clock or a person opens last.
fn is_last_step(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::WaitingForApproval { .. }
            | Reason::WaitingForPerson { .. }
            | Reason::WaitingForMerge { .. }
            | Reason::OutsideWindow { .. }
            | Reason::Frozen { .. }
    )
}

/// Whether the headline says all there is to say.
fn is_said(reason: &Reason) -> bool {
    reason.is_content()
        || matches!(
            reason,
            Reason::Promoting { .. }
                | Reason::OlderVersion { .. }
                | Reason::OrderUnknown { .. }
                | Reason::MixedRelease { .. }
                | Reason::NeverProven { .. }
                | Reason::PinnedQueue { .. }
                | Reason::Suspended
                | Reason::NotDeployed { .. }
                | Reason::VersionBlocked { .. }
        )
}

/// Whether what the environment's own targets do is part of the story.
fn shows_targets(here: &EnvironmentReport) -> bool {
    let is_healthy = matches!(here.verdict.verdict, Verdict::Healthy { .. });
    let is_known = here
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::DeclaredUnknown { .. } | Reason::Suspended));
    let is_queued = here.reasons.iter().any(|reason| matches!(reason, Reason::Queued { .. }));
    !is_known && (is_queued || !is_healthy && here.reasons.iter().all(Reason::is_content))
}

/// The environments before that `here` waits for, nearest first.
fn waited_for<'a>(report: &'a Report, here: &EnvironmentReport) -> Vec<&'a EnvironmentReport> {
    let mut found: Vec<&EnvironmentReport> = Vec::new();
    let mut names = waits_for(here);
    while let Some(name) = names.pop() {
        if let Some(before) = report.environment(&name)
            && !found.iter().any(|known| known.name == name)
        {
            names.extend(waits_for(before));
            found.push(before);
        }
    }
    found
}

fn waits_for(here: &EnvironmentReport) -> Vec<EnvironmentName> {
    let name = |reason: &Reason| {
        if let Reason::WaitingForEnvironment { environment, .. } = reason {
            Some(environment.clone())
        } else {
            None
        }
    };
    here.reasons.iter().filter_map(name).collect()
}

/// The words of a reason behind its label.
fn labelled(reason: &Reason, clock: &Clock) -> String {
    if let Reason::WaitingForApproval { have, min, by, not_author, .. } = reason {
        let not = if *not_author { ", not its author" } else { "" };
        return format!("{have} of {min} by {by}{not}");
    }
    if let Reason::OutsideWindow { window, opens } = reason {
        let window = window.strip_prefix("window ").unwrap_or(window);
        return match opens {
            Some(opens) => format!("closed ({window}), opens at {}", clock.at(*opens)),
            None => format!("closed ({window}), and does not open again"),
        };
    }
    if let Reason::HealthUnknown { environment, target, why } = reason {
        return format!("not known: {}{why}", of_target(environment, target.as_ref()));
    }
    if let Reason::DeclaredUnknown { why, .. }
    | Reason::ProposalUnknown { why }
    | Reason::RequestsUnknown { why }
    | Reason::ApprovalsUnknown { why, .. }
    | Reason::AuthorUnknown { why, .. }
    | Reason::ChecksUnknown { why, .. }
    | Reason::DispatchUnknown { why }
    | Reason::MergeUnknown { why, .. }
    | Reason::HistoryUnknown { why, .. } = reason
    {
        return format!("not known: {why}");
    }
    let words = words(reason, clock);
    let prefix = if matches!(reason, Reason::Frozen { .. }) { "frozen".to_owned() } else { label(reason) };
    without(&words, &prefix).to_owned()
}

/// The environment or the gate that a reason is about.
fn label(reason: &Reason) -> String {
    let label = match reason {
        Reason::WaitingForEnvironment { environment, .. }
        | Reason::WaitingForHealth { environment, .. }
        | Reason::TargetFailed { environment, .. }
        | Reason::DeadlineExceeded { environment, .. }
        | Reason::HealthUnknown { environment, .. }
        | Reason::NotDeployed { environment }
        | Reason::RolledBack { environment, .. }
        | Reason::DeclaredUnknown { environment, .. } => return environment.to_string(),
        Reason::WaitingForSoak { .. } => "soak",
        Reason::WaitingForApproval { .. } | Reason::ApprovalsUnknown { .. } => "approval",
        Reason::AuthorUnknown { .. } => "author",
        Reason::HistoryUnknown { .. } => "history",
        Reason::OutsideWindow { .. } => "window",
        Reason::Frozen { .. } => "freeze",
        Reason::Held { .. } => "hold",
        Reason::CheckPending { .. } | Reason::CheckFailed { .. } | Reason::ChecksUnknown { .. } => "check",
        Reason::WaitingForPerson { .. } => "manual",
        Reason::WaitingForMerge { .. }
        | Reason::ProposalChanged { .. }
        | Reason::ProposalDeclined { .. }
        | Reason::QueuedInForge { .. }
        | Reason::ProposalUnknown { .. } => "proposal",
        Reason::Dispatched { .. } | Reason::DispatchUnanswered { .. } | Reason::DispatchUnknown { .. } => {
            "dispatch"
        }
        Reason::MergeConflict { .. } | Reason::MergeImpossible { .. } | Reason::MergeUnknown { .. } => {
            "merge"
        }
        Reason::RequestRefused { .. } | Reason::RequestsUnknown { .. } => "request",
        Reason::Queued { .. } | Reason::PinnedQueue { .. } => "queue",
        Reason::ObserveOnly | Reason::Suspended => "mode",
        Reason::UpToDate
        | Reason::FollowsGit
        | Reason::Promoting { .. }
        | Reason::VersionBlocked { .. }
        | Reason::OlderVersion { .. }
        | Reason::MixedRelease { .. }
        | Reason::OrderUnknown { .. }
        | Reason::NeverProven { .. }
        | Reason::Drift { .. } => "because",
    };
    label.to_owned()
}

/// Why a gate is open, where there is something to say of it.
fn passed(gate: &GateReport, clock: &Clock) -> Option<String> {
    let Answer::Pass(passed) = &gate.answer else { return None };
    let words = gate.words.strip_prefix(gate.kind).unwrap_or(&gate.words).trim();
    Some(match passed {
        Passed::ApprovedBy(people) => {
            format!("by {}", people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Passed::Soaked(since) => {
            format!("passed: {words}, healthy since {} ({})", clock.at(*since), clock.ago(*since))
        }
        Passed::Open(Some(until)) => format!("open ({words}), closes at {}", clock.at(*until)),
        Passed::Open(None) => format!("open ({words})"),
        Passed::NotFrozen => return None,
        Passed::Checked(at) => format!("{words}: passed at {}", clock.at(*at)),
        Passed::AskedBy(person) => format!("asked for by {person}"),
        Passed::Overridden(person) => format!("skipped by {person}"),
    })
}

fn target_words(target: &TargetVerdict, clock: &Clock) -> String {
    match &target.verdict {
        Verdict::NotDeployed => "nothing runs there".to_owned(),
        Verdict::Deploying { deadline: Some(deadline), .. } => {
            format!("deploying; it counts as failed at {}", clock.at(*deadline))
        }
        Verdict::Deploying { deadline: None, .. } => "deploying".to_owned(),
        Verdict::Healthy { since, .. } => format!("healthy since {}", clock.at(*since)),
        Verdict::Failed { why, since, .. } => {
            let running =
                target.running.as_ref().map_or_else(String::new, |running| format!("; it runs {running}"));
            match why {
                Failure::Told(why) => {
                    format!("failed at {} ({}): {why}{running}", clock.at(*since), clock.ago(*since))
                }
                Failure::Deadline(within) => {
                    format!("not healthy within {}, until {}{running}", duration(*within), clock.at(*since))
                }
            }
        }
        Verdict::Unknown { why } => format!("not known: {why}"),
    }
}

/// What will happen by itself.
fn next(here: &EnvironmentReport) -> Option<String> {
    let reasons: Vec<&Reason> = here.reasons.iter().filter(|r| !matches!(r, Reason::ObserveOnly)).collect();
    let main = *reasons.first()?;
    if main.is_content() || here.step.is_some() {
        return None;
    }
    if let Reason::TargetFailed { environment, .. } | Reason::DeadlineExceeded { environment, .. } = main {
        return Some(format!("nothing by itself, until a newer version is healthy in {environment}"));
    }
    if let Reason::WaitingForEnvironment { environment, .. }
    | Reason::WaitingForHealth { environment, .. }
    | Reason::HealthUnknown { environment, .. }
    | Reason::NotDeployed { environment } = main
        && environment != &here.name
    {
        return Some(format!("goes on by itself once {environment} has proven it"));
    }
    if reasons.iter().any(|reason| reason.is_unknown()) {
        return Some("goes on by itself once it is known".to_owned());
    }
    if matches!(main, Reason::Dispatched { .. }) {
        return Some("goes on by itself once Git declares it".to_owned());
    }
    if matches!(main, Reason::DispatchUnanswered { .. }) {
        return Some("nothing by itself, until Git declares it or there is a newer version".to_owned());
    }
    if matches!(main, Reason::Queued { .. }) {
        return Some("goes on by itself once that one is healthy".to_owned());
    }
    None
}

/// What a person can do; going past a rule comes last.
fn can(report: &Report, here: &EnvironmentReport) -> Vec<String> {
    let wants = here.next.as_ref().map(|next| &next.release);
    let mut can: Vec<String> = Vec::new();
    for reason in told(here).chain(&here.notes) {
        for line in advice(reason, &report.pipeline, &here.name, wants) {
            if !can.contains(&line) {
                can.push(line);
            }
        }
    }
    can.sort_by_key(|line| line.contains(" --override ") || line.contains(" --emergency "));
    can
}
