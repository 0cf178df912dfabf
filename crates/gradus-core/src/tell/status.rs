//! `status`: one line an environment.

use super::lines::without;
use super::time::{Clock, age};
use crate::names::EnvironmentName;
use crate::observation::Seen;
use crate::reason::Reason;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::{Failure, Verdict};

/// One line of the status table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRow {
    /// The environment.
    pub environment: EnvironmentName,
    /// What it has.
    pub version: String,
    /// Whether it works, in one word.
    pub health: &'static str,
    /// For how long it has been so.
    pub age: String,
    /// What happens next, or why nothing does.
    pub words: String,
}

/// The rows of one pipeline.
pub fn status_rows(report: &Report, clock: &Clock) -> Vec<StatusRow> {
    report
        .environments
        .iter()
        .map(|here| StatusRow {
            environment: here.name.clone(),
            version: version(here),
            health: here.verdict.verdict.word(),
            age: here
                .verdict
                .verdict
                .since()
                .map_or_else(String::new, |since| age(clock.now.duration_since(since))),
            words: status_line(here, clock),
        })
        .collect()
}

/// What comes in while it is on its way, else what runs, else what is declared.
fn version(here: &EnvironmentReport) -> String {
    let declared = match &here.declared {
        Seen::Unknown(_) => return "?".to_owned(),
        Seen::Known(declared) => declared.as_ref(),
    };
    let running = here.verdict.running();
    let shown = match &here.verdict.verdict {
        Verdict::Deploying { release, .. } => declared.or(release.as_ref()).or(running),
        Verdict::NotDeployed | Verdict::Healthy { .. } | Verdict::Failed { .. } | Verdict::Unknown { .. } => {
            running.or(declared)
        }
    };
    shown.map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// What happens next in an environment, or why nothing does, in one line.
pub fn status_line(here: &EnvironmentReport, clock: &Clock) -> String {
    let is_told =
        here.main_reason().is_some_and(|reason| reason.is_unknown() || *reason == Reason::Suspended);
    let own = own_trouble(here).filter(|_| !is_told);
    let waiting = match here.main_reason() {
        Some(reason) => short(here, reason, clock),
        None => String::new(),
    };
    match own {
        Some(trouble) if waiting.is_empty() || here.reasons.iter().all(Reason::is_content) => trouble,
        Some(trouble) => format!("{trouble}; {waiting}"),
        None => waiting,
    }
}

/// What is wrong in the environment itself.
pub(super) fn own_trouble(here: &EnvironmentReport) -> Option<String> {
    match &here.verdict.verdict {
        Verdict::Failed { release, why, .. } => {
            let what = release.as_ref().map_or_else(String::new, |release| format!("{release}: "));
            Some(match why {
                Failure::Told(why) => format!("{what}{}", why.lines().next().unwrap_or_default()),
                Failure::Deadline(within) => {
                    format!("{what}not healthy within {}", super::time::duration(*within))
                }
            })
        }
        Verdict::Unknown { why } => Some(why.to_string()),
        Verdict::NotDeployed | Verdict::Deploying { .. } | Verdict::Healthy { .. } => None,
    }
}

fn short(here: &EnvironmentReport, reason: &Reason, clock: &Clock) -> String {
    let wants = here.next.as_ref().map(|next| next.release.to_string()).unwrap_or_default();
    match reason {
        Reason::UpToDate => String::new(),
        Reason::FollowsGit => "follows Git".to_owned(),
        Reason::Promoting { to } => match &here.step {
            Some(step) => format!("next: {to} ({})", step.kind()),
            None => format!("next: {to}"),
        },
        Reason::WaitingForEnvironment { environment, wants, .. } => {
            format!("waits: {environment} has not proven {wants}")
        }
        Reason::WaitingForHealth { environment, .. }
        | Reason::TargetFailed { environment, .. }
        | Reason::DeadlineExceeded { environment, .. } => {
            format!("waits: {environment} has not proven {}", if wants.is_empty() { "it" } else { &wants })
        }
        Reason::NotDeployed { environment } => format!("waits: {environment} has nothing yet"),
        Reason::HealthUnknown { environment, .. } => {
            format!("waits: the health of {environment} is not known")
        }
        Reason::WaitingForSoak { environment, until: Some(until), .. } => {
            format!(
                "next: {wants}, soaking in {environment} until {} ({} left)",
                clock.at(*until),
                clock.left(*until)
            )
        }
        Reason::WaitingForSoak { environment, until: None, .. } => {
            format!("waits: {wants} has not soaked in {environment}")
        }
        Reason::WaitingForApproval { by, have, min, .. } => {
            format!("next: {wants}, after approval by {by} ({have} of {min})")
        }
        Reason::WaitingForPerson { .. } => format!("next: {wants}, once a person asks for it"),
        Reason::WaitingForMerge { number, .. } => format!("next: {wants}, once proposal {number} is merged"),
        Reason::QueuedInForge { number, .. } => {
            format!("next: {wants}, once the forge merges proposal {number}")
        }
        Reason::Dispatched { to, since, until, .. } => {
            format!("next: {to}, asked for at {}, due by {}", clock.at(*since), clock.at(*until))
        }
        Reason::DispatchUnanswered { to, asked, .. } => {
            format!("waits: {to} was asked for at {} and did not come", clock.at(*asked))
        }
        Reason::OutsideWindow { opens: Some(opens), .. } => format!("next: {wants}, at {}", clock.at(*opens)),
        Reason::CheckPending { check, .. } => format!("next: {wants}, after check {check}"),
        Reason::ObserveOnly => format!("would get {wants} (observe only)"),
        Reason::NeverProven { .. }
        | Reason::OutsideWindow { opens: None, .. }
        | Reason::Frozen { .. }
        | Reason::Held { .. }
        | Reason::CheckFailed { .. }
        | Reason::MergeConflict { .. }
        | Reason::MergeImpossible { .. }
        | Reason::ProposalChanged { .. }
        | Reason::ProposalDeclined { .. }
        | Reason::VersionBlocked { .. }
        | Reason::RolledBack { .. }
        | Reason::OlderVersion { .. }
        | Reason::MixedRelease { .. }
        | Reason::OrderUnknown { .. }
        | Reason::Queued { .. }
        | Reason::PinnedQueue { .. }
        | Reason::Drift { .. }
        | Reason::RequestRefused { .. }
        | Reason::Suspended
        | Reason::DeclaredUnknown { .. }
        | Reason::ProposalUnknown { .. }
        | Reason::RequestsUnknown { .. }
        | Reason::ApprovalsUnknown { .. }
        | Reason::AuthorUnknown { .. }
        | Reason::ChecksUnknown { .. }
        | Reason::DispatchUnknown { .. }
        | Reason::MergeUnknown { .. }
        | Reason::HistoryUnknown { .. } => {
            let words = super::sentence(reason, clock);
            // The row is the environment's own.
            without(&words, here.name.as_str()).to_owned()
        }
    }
}
