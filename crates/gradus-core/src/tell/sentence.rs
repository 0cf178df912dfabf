//! A reason as a sentence: lower case, without a full stop.

use super::time::{Clock, duration};
use crate::reason::Reason;

/// Says a reason in words.
pub fn sentence(reason: &Reason, clock: &Clock) -> String {
    match reason {
        Reason::UpToDate => "has what it should have".to_owned(),
        Reason::FollowsGit => "follows Git; nothing is promoted into it".to_owned(),
        Reason::Promoting { to } => format!("{to} goes in now"),
        Reason::WaitingForEnvironment { environment, has: Some(has), wants } => {
            format!("{environment} has {has}, not {wants} yet")
        }
        Reason::WaitingForEnvironment { environment, has: None, wants } => {
            format!("{environment} does not have {wants} yet")
        }
        Reason::WaitingForHealth { environment, release, since, deadline, healthy, need } => {
            let what = release.as_ref().map_or_else(String::new, |release| format!(" {release}"));
            let since = since.map_or_else(String::new, |since| format!(" since {}", clock.at(since)));
            let count = if *need > 1 { format!(" ({healthy} of {need} targets healthy)") } else { String::new() };
            let deadline =
                deadline.map_or_else(String::new, |at| format!("; it counts as failed at {}", clock.at(at)));
            format!("{environment} is deploying{what}{since}{count}{deadline}")
        }
        Reason::TargetFailed { environment, release, why, since, running, .. } => {
            let what = release.as_ref().map_or_else(String::new, |release| format!(" at {release}"));
            let instead = match running {
                Some(running) if release.as_ref().is_none_or(|release| !release.same(running)) => {
                    format!("; it runs {running} instead")
                }
                Some(_) | None => String::new(),
            };
            format!("{environment} failed{what} at {} ({}): {why}{instead}", clock.at(*since), clock.ago(*since))
        }
        Reason::DeadlineExceeded { environment, release, within, since, .. } => {
            let what = release.as_ref().map_or_else(String::new, |release| format!(" {release}"));
            format!(
                "{environment} has been deploying{what} for more than {}, so it counts as failed since {}",
                duration(*within),
                clock.at(*since)
            )
        }
        Reason::HealthUnknown { environment, target: Some(target), why } => {
            format!("the health of {environment} is not known: {target}: {why}")
        }
        Reason::HealthUnknown { environment, target: None, why } => {
            format!("the health of {environment} is not known: {why}")
        }
        Reason::NotDeployed { environment } => format!("nothing is deployed in {environment}"),
        Reason::WaitingForSoak { environment, time, since, until: Some(until) } => format!(
            "soaking in {environment} until {} ({} left): {} of {} healthy, without interruption since {}",
            clock.at(*until),
            clock.left(*until),
            duration(clock.now.duration_since(*since)),
            duration(*time),
            clock.at(*since)
        ),
        Reason::WaitingForSoak { environment, time, since, until: None } => format!(
            "it was healthy in {environment} from {} for less than {}, and something else is there now",
            clock.at(*since),
            duration(*time)
        ),
        Reason::WaitingForApproval { release, have, min, by, not_author } => {
            let not = if *not_author { ", not by who brought it or asked for it" } else { "" };
            format!("{have} of {min} approvals of {release} by {by}{not}")
        }
        Reason::OutsideWindow { window, opens: Some(opens) } => {
            format!("outside the {window}, which opens at {}", clock.at(*opens))
        }
        Reason::OutsideWindow { window, opens: None } => format!("outside the {window}, which does not open again"),
        Reason::Frozen { until, why, .. } => {
            let why = why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
            match until {
                Some(until) => format!("frozen{why} until {}", clock.at(*until)),
                None => format!("frozen{why}, without an end"),
            }
        }
        Reason::Held { hold, pin, owner, why, until, .. } => {
            let what = pin.as_ref().map_or_else(|| "held".to_owned(), |pin| format!("pinned to {pin}"));
            let until =
                until.map_or_else(|| "until it is lifted".to_owned(), |until| format!("until {}", clock.at(until)));
            format!("{what} by {owner} {until}: {why} (hold {hold})")
        }
        Reason::CheckPending { check, reporter, detail, since } => {
            let since = since.map_or_else(String::new, |since| format!(", running since {}", clock.at(since)));
            let detail = detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
            format!("check {check} has not been reported by {reporter} yet{since}{detail}")
        }
        Reason::CheckFailed { check, reporter, release, since, detail } => {
            let detail = detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
            format!("check {check} failed for {release} at {}, says {reporter}{detail}", clock.at(*since))
        }
        Reason::WaitingForPerson { release } => format!("a person has to ask for {release}, or approve it"),
        Reason::WaitingForMerge { number, url, since } => {
            let place = url.as_ref().map_or_else(String::new, |url| format!(" ({url})"));
            format!("proposal {number}{place} is open since {} and waits for a person to merge it", clock.at(*since))
        }
        Reason::ProposalChanged { number, head } => {
            format!("somebody else pushed to the branch of proposal {number} (now at {})", head.short())
        }
        Reason::VersionBlocked { release } => format!("{release} is blocked"),
        Reason::RolledBack { from, to, commit, by, since } => format!(
            "it was moved back from {from} to {to} at {} by {by} (commit {}); {from} does not come again by itself",
            clock.at(*since),
            commit.short()
        ),
        Reason::OlderVersion { release, has } => {
            format!("the environments before have {release}, which is older than {has}")
        }
        Reason::MixedRelease { release, has } => {
            format!("some of {release} is newer and some is older than {has}")
        }
        Reason::OrderUnknown { release, has } => {
            format!("whether {release} is newer than {has} is not known")
        }
        Reason::Queued { first } => format!("{first} goes first"),
        Reason::PinnedQueue { pin } => format!("only {pin} may come in here"),
        Reason::Drift { declared, promoted, commit, by, .. } => {
            let commit = commit.as_ref().map_or_else(String::new, |commit| format!(" in commit {}", commit.short()));
            let by = by.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string);
            format!("Git declares {declared}, set by {by}{commit}; {promoted} was promoted last")
        }
        Reason::RequestRefused { by, release, why, .. } => {
            format!("{by} asked for {release}, which cannot be done: {why}")
        }
        Reason::Suspended => "the pipeline is suspended; nothing is looked at".to_owned(),
        Reason::ObserveOnly => "the pipeline only observes; nothing is written".to_owned(),
        Reason::DeclaredUnknown { environment, why } => {
            format!("what Git declares for {environment} is not known: {why}")
        }
        Reason::ProposalUnknown { why } => format!("whether a proposal is open is not known: {why}"),
        Reason::RequestsUnknown { why } => format!("what people asked for is not known: {why}"),
        Reason::ApprovalsUnknown { why } => format!("who approved is not known: {why}"),
        Reason::AuthorUnknown { why } => format!("who brought the release is not known: {why}"),
    }
}
