//! `status`: one line an environment.

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
            version: match (&here.declared, here.verdict.running(), here.release()) {
                (Seen::Unknown(_), _, _) => "?".to_owned(),
                (Seen::Known(_), Some(running), _) => running.to_string(),
                (Seen::Known(_), None, Some(release)) => release.to_string(),
                (Seen::Known(_), None, None) => "-".to_owned(),
            },
            health: here.verdict.verdict.word(),
            age: here.verdict.verdict.since().map_or_else(String::new, |since| age(clock.now.duration_since(since))),
            words: status_line(here, clock),
        })
        .collect()
}

/// What happens next in an environment, or why nothing does, in one line.
pub fn status_line(here: &EnvironmentReport, clock: &Clock) -> String {
    let own = own_trouble(here);
    let waiting = match here.main_reason() {
        Some(reason) => short(here, reason, clock),
        None => String::new(),
    };
    match own {
        Some(trouble) if waiting.is_empty() => trouble,
        Some(trouble) => format!("{trouble}; {waiting}"),
        None => waiting,
    }
}

fn own_trouble(here: &EnvironmentReport) -> Option<String> {
    match &here.verdict.verdict {
        Verdict::Failed { release, why, .. } => {
            let what = release.as_ref().map_or_else(String::new, |release| format!("{release}: "));
            Some(match why {
                Failure::Told(why) => format!("{what}{why}"),
                Failure::Deadline(within) => format!("{what}not healthy within {}", super::time::duration(*within)),
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
        | Reason::DeadlineExceeded { environment, .. }
        | Reason::NotDeployed { environment } => format!("waits: {environment} has not proven {wants}"),
        Reason::HealthUnknown { environment, .. } => format!("waits: the health of {environment} is not known"),
        Reason::WaitingForSoak { environment, until: Some(until), .. } => {
            format!("next: {wants}, soaking in {environment} until {} ({} left)", clock.at(*until), clock.left(*until))
        }
        Reason::WaitingForSoak { environment, until: None, .. } => {
            format!("waits: {wants} has not soaked in {environment}")
        }
        Reason::WaitingForApproval { by, have, min, .. } => {
            format!("next: {wants}, after approval by {by} ({have} of {min})")
        }
        Reason::WaitingForPerson { .. } => format!("next: {wants}, once a person asks for it"),
        Reason::WaitingForMerge { number, .. } => format!("next: {wants}, once proposal {number} is merged"),
        Reason::OutsideWindow { opens: Some(opens), .. } => format!("next: {wants}, at {}", clock.at(*opens)),
        Reason::CheckPending { check, .. } => format!("next: {wants}, after check {check}"),
        Reason::ObserveOnly => format!("would get {wants} (observe only)"),
        Reason::OutsideWindow { opens: None, .. }
        | Reason::Frozen { .. }
        | Reason::Held { .. }
        | Reason::CheckFailed { .. }
        | Reason::ProposalChanged { .. }
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
        | Reason::AuthorUnknown { .. } => super::sentence(reason, clock),
    }
}
