//! The first line of an explanation: what is, and why, in one sentence.

use super::sentence::sentence;
use super::time::Clock;
use crate::names::EnvironmentName;
use crate::plan::Step;
use crate::reason::Reason;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::Verdict;

/// Says in one sentence where the release is that wants to come in, and why.
pub(super) fn headline(report: &Report, here: &EnvironmentReport, clock: &Clock) -> String {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let is_reason = |reason: &&Reason| !matches!(reason, Reason::ObserveOnly);
    let Some(reason) = here.reasons.iter().find(is_reason) else {
        return format!("nothing is known of {app} in {environment}.");
    };
    let later = if let Reason::WaitingForEnvironment { wants, .. } = reason { Some(wants) } else { None };
    let wants = here.next.as_ref().map(|next| &next.release).or(later);
    let what = wants.map_or_else(|| app.to_string(), |release| format!("{app} {release}"));
    if let Some(text) = by_the_clock(here, &what, clock) {
        return text;
    }
    let nothing = |why: &str| format!("nothing is promoted to {environment}, because {why}.");
    let not_in = |why: &str| match wants {
        Some(_) => format!("{what} is not in {environment}, because {why}."),
        None => nothing(why),
    };
    // A gate can be the verification of an environment before.
    let of = |gate: &EnvironmentName| if gate == environment { String::new() } else { format!(" in {gate}") };
    match reason {
        Reason::UpToDate | Reason::FollowsGit => state(here, app.as_str(), clock),
        Reason::Promoting { .. } | Reason::ObserveOnly => going(here, &what),
        Reason::WaitingForEnvironment { environment: before, .. } => {
            not_in(&format!("{before} does not have it"))
        }
        Reason::WaitingForHealth { environment: before, .. } => {
            not_in(&format!("{before} is still deploying"))
        }
        Reason::TargetFailed { environment: before, .. }
        | Reason::DeadlineExceeded { environment: before, .. } => {
            not_in(&format!("{before} has not proven it"))
        }
        Reason::HealthUnknown { environment: before, .. } if before == environment => {
            nothing("its own health is not known")
        }
        Reason::HealthUnknown { environment: before, .. } => {
            not_in(&format!("the health of {before} is not known"))
        }
        Reason::NotDeployed { environment: before } => nothing(&format!("{before} has nothing yet")),
        Reason::NeverProven { .. } => {
            not_in(&format!("nobody saw it healthy, neither in {environment} nor before it"))
        }
        Reason::WaitingForSoak { environment: before, .. } => {
            not_in(&format!("it was not healthy in {before} for long enough"))
        }
        Reason::WaitingForApproval { environment: gate, by, .. } => {
            format!("{what} is not in {environment} yet: it waits for approval by {by}{}.", of(gate))
        }
        Reason::WaitingForPerson { .. } => {
            format!("{what} is not in {environment} yet: it waits for a person's word.")
        }
        Reason::WaitingForMerge { number, .. } => {
            format!("{what} is not in {environment} yet: proposal {number} waits to be merged.")
        }
        Reason::OutsideWindow { .. } => not_in("the window is closed"),
        Reason::Frozen { .. } => not_in(&format!("{environment} is frozen")),
        Reason::Held { pin: None, .. } => not_in(&format!("{environment} is on hold")),
        Reason::Held { pin: Some(pin), .. } => not_in(&format!("{environment} is pinned to {pin}")),
        Reason::CheckPending { environment: gate, check, .. } => {
            not_in(&format!("check {check} has not passed{} yet", of(gate)))
        }
        Reason::CheckFailed { environment: gate, check, .. } => {
            not_in(&format!("check {check} failed{}", of(gate)))
        }
        Reason::ProposalChanged { number, .. } => {
            not_in(&format!("proposal {number} has somebody else's commits"))
        }
        Reason::QueuedInForge { number, .. } => {
            format!(
                "{what} is not in {environment} yet: the forge merges proposal {number} once its own rules are met."
            )
        }
        Reason::Dispatched { to, until, .. } => {
            let until = clock.at(*until);
            format!(
                "{app} {to} is not in {environment} yet: automation was asked for it and has until {until}."
            )
        }
        Reason::DispatchUnanswered { .. } => {
            not_in("the automation that was asked for it has not brought it")
        }
        Reason::MergeConflict { environment: before, .. } => {
            not_in(&format!("the branch of {before} and its own have changed the same lines"))
        }
        Reason::MergeImpossible { environment: before, .. } => {
            not_in(&format!("the branch of {before} cannot be merged"))
        }
        Reason::ProposalDeclined { number, .. } => not_in(&format!("proposal {number} was closed")),
        Reason::VersionBlocked { .. } => not_in("it is blocked"),
        Reason::RolledBack { from, .. } if wants.is_some_and(|wants| wants.same(from)) => {
            not_in(&format!("{environment} was moved back from it"))
        }
        Reason::RolledBack { from, .. } => not_in(&format!("{environment} was moved back from {from}")),
        Reason::OlderVersion { release, has } => {
            format!("{environment} keeps {app} {has}: what comes before has {release}, which is older.")
        }
        Reason::MixedRelease { .. } | Reason::OrderUnknown { .. } => nothing(&sentence(reason, clock)),
        Reason::Queued { first } => not_in(&format!("{first} is still on its way in")),
        Reason::PinnedQueue { pin } => format!("{environment} keeps {app} {pin}: its queue is pinned."),
        Reason::Drift { declared, .. } => {
            format!("{environment} has {app} {declared}, which nobody promoted.")
        }
        Reason::RequestRefused { by, release, .. } => {
            format!("{app} {release} does not go to {environment}: what {by} asked for cannot be done.")
        }
        Reason::Suspended => nothing(&format!("{app} is suspended")),
        Reason::DeclaredUnknown { environment: before, .. } if before != environment => {
            nothing(&format!("it is not known what Git declares for {before}"))
        }
        Reason::DeclaredUnknown { .. } => nothing("it is not known what Git declares for it"),
        Reason::ProposalUnknown { .. } => nothing("it is not known whether a proposal is open"),
        Reason::RequestsUnknown { .. } => nothing("it is not known what people asked for"),
        Reason::ApprovalsUnknown { .. } => not_in("it is not known who approved"),
        Reason::AuthorUnknown { .. } => not_in("it is not known who brought it"),
        Reason::ChecksUnknown { check, .. } => not_in(&format!("it is not known what check {check} says")),
        Reason::DispatchUnknown { .. } => nothing("it is not known what automation was asked for"),
        Reason::MergeUnknown { environment: before, .. } => {
            nothing(&format!("it is not known whether the branch of {before} can be merged"))
        }
        Reason::HistoryUnknown { .. } => nothing("it is not known whether it was moved back"),
    }
}

/// What the environment has, and how it does.
fn state(here: &EnvironmentReport, app: &str, clock: &Clock) -> String {
    let environment = &here.name;
    let Some(release) = here.release() else { return format!("nothing of {app} is in {environment}.") };
    match &here.verdict.verdict {
        Verdict::Healthy { since, .. } => {
            format!("{app} {release} is in {environment}, healthy since {}.", clock.at(*since))
        }
        Verdict::Deploying { since: Some(since), .. } => {
            format!("{app} {release} has been on its way into {environment} since {}.", clock.at(*since))
        }
        Verdict::Deploying { since: None, .. } => {
            format!("{app} {release} is on its way into {environment}.")
        }
        Verdict::Failed { since, .. } => {
            format!(
                "{app} {release} failed in {environment} at {} ({}).",
                clock.at(*since),
                clock.ago(*since)
            )
        }
        Verdict::NotDeployed => format!("nothing of {app} runs in {environment}."),
        Verdict::Unknown { .. } => {
            format!("{app} {release} is in {environment}; whether it works is not known.")
        }
    }
}

/// What happens now, or would if gradus might write.
fn going(here: &EnvironmentReport, what: &str) -> String {
    let environment = &here.name;
    let is_observed = here.reasons.contains(&Reason::ObserveOnly);
    let (is, goes) = if is_observed { ("would be", "would go") } else { ("is", "goes") };
    let now = if is_observed { "" } else { " now" };
    match here.step.as_deref() {
        Some(Step::Propose(_)) => format!("{what} {is} proposed for {environment}{now}."),
        Some(Step::Update { number, .. }) => format!("proposal {number} {is} changed to {what}{now}."),
        Some(Step::Merge { number, .. }) => {
            format!("{what} {goes} to {environment}{now}: proposal {number} {is} merged.")
        }
        Some(Step::Dispatch(_)) => format!("automation {is} asked to bring {what} to {environment}{now}."),
        Some(Step::Close { number, .. }) => format!("proposal {number} {is} closed{now}."),
        Some(Step::Push(_)) | None => format!("{what} {goes} to {environment}{now}."),
    }
}

/// Where only the clock and people stand in the way: when it can be at the earliest.
fn by_the_clock(here: &EnvironmentReport, what: &str, clock: &Clock) -> Option<String> {
    let mut conditions: Vec<String> = Vec::new();
    for reason in &here.reasons {
        conditions.push(condition(reason)?);
    }
    let at = clock.at(here.reasons.iter().filter_map(Reason::until).max()?);
    let environment = &here.name;
    Some(format!("{what} reaches {environment} at the earliest at {at}, when {}.", joined(&conditions)))
}

/// What has to happen, where the clock or a person makes it happen.
fn condition(reason: &Reason) -> Option<String> {
    if let Reason::WaitingForApproval { by, have, min, .. } = reason {
        return Some(match min.saturating_sub(*have) {
            1 => format!("{by} approves"),
            more => format!("{more} of {by} approve"),
        });
    }
    if let Reason::WaitingForMerge { number, .. } = reason {
        return Some(format!("a person merges proposal {number}"));
    }
    if let Reason::WaitingForSoak { environment, until: Some(_), .. } = reason {
        return Some(format!("its soak in {environment} ends"));
    }
    let text = if matches!(reason, Reason::WaitingForPerson { .. }) {
        "a person asks for it"
    } else if matches!(reason, Reason::OutsideWindow { opens: Some(_), .. }) {
        "the window opens"
    } else if matches!(reason, Reason::Frozen { until: Some(_), .. }) {
        "the freeze ends"
    } else if matches!(reason, Reason::Held { until: Some(_), .. }) {
        "the hold ends"
    } else {
        return None;
    };
    Some(text.to_owned())
}

fn joined(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
