//! A reason as a sentence: lower case, without a full stop.

use super::time::{Clock, duration};
use crate::names::{EnvironmentName, TargetName};
use crate::reason::Reason;
use crate::release::Release;

/// How many files of a conflict are named.
const FILES_NAMED: usize = 5;

/// Says a reason in words, on one line.
pub fn sentence(reason: &Reason, clock: &Clock) -> String {
    words(reason, clock).replace('\n', "; ")
}

/// Says a reason in words. What was told in several lines stays in several lines.
pub(super) fn words(reason: &Reason, clock: &Clock) -> String {
    match reason {
        Reason::UpToDate => "has what it should have".to_owned(),
        Reason::FollowsGit => "follows Git; nothing is promoted into it".to_owned(),
        Reason::Promoting { to } => format!("{to} goes in now"),
        Reason::WaitingForEnvironment { environment, has: Some(has), wants } => {
            format!("{environment} has {has}, not {wants}")
        }
        Reason::WaitingForEnvironment { environment, has: None, wants } => {
            format!("{environment} does not have {wants}")
        }
        Reason::WaitingForHealth { environment, release, since, deadline, healthy, need } => {
            let count =
                if *need > 1 { format!(", {healthy} of {need} targets healthy") } else { String::new() };
            let deadline =
                deadline.map_or_else(String::new, |at| format!("; it counts as failed at {}", clock.at(at)));
            let what = after_space(release.as_ref());
            match since {
                Some(since) => {
                    format!(
                        "{environment} has been deploying{what} since {}{count}{deadline}",
                        clock.at(*since)
                    )
                }
                None => format!("{environment} is deploying{what}{count}{deadline}"),
            }
        }
        Reason::TargetFailed { environment, target, release, why, since, running } => {
            let what = release.as_ref().map_or_else(String::new, |release| format!(" with {release}"));
            let instead = match running {
                Some(running) if release.as_ref().is_none_or(|release| !release.same(running)) => {
                    format!("\nit runs {running} instead")
                }
                Some(_) | None => String::new(),
            };
            format!(
                "{environment} failed{what} at {} ({})\n{}{why}{instead}",
                clock.at(*since),
                clock.ago(*since),
                of_target(environment, target.as_ref())
            )
        }
        Reason::DeadlineExceeded { environment, target, release, within, since } => format!(
            "{environment} failed at {}: {}{} was not healthy within {}",
            clock.at(*since),
            of_target(environment, target.as_ref()),
            release.as_ref().map_or_else(|| "it".to_owned(), ToString::to_string),
            duration(*within),
        ),
        Reason::HealthUnknown { environment, target, why } => {
            format!(
                "the health of {environment} is not known: {}{why}",
                of_target(environment, target.as_ref())
            )
        }
        Reason::NotDeployed { environment } => format!("{environment} has nothing yet"),
        Reason::NeverProven { environment, release } => {
            format!("nobody saw {release} healthy, neither in {environment} nor before it")
        }
        Reason::WaitingForSoak { environment, time, since, until: Some(until) } => format!(
            "{} of {} healthy in {environment}, since {}; {} left",
            duration(clock.since(*since)),
            duration(*time),
            clock.at(*since),
            clock.left(*until),
        ),
        Reason::WaitingForSoak { environment, time, since, until: None } => {
            format!(
                "it was healthy in {environment} from {}, but not for {}",
                clock.at(*since),
                duration(*time)
            )
        }
        Reason::WaitingForApproval { environment: _, release, have, min, by, not_author } => {
            let not = if *not_author { ", not its author" } else { "" };
            format!("{have} of {min} approvals of {release} by {by}{not}")
        }
        Reason::OutsideWindow { window, opens: Some(opens) } => {
            format!("outside the {window}, which opens at {}", clock.at(*opens))
        }
        Reason::OutsideWindow { window, opens: None } => {
            format!("outside the {window}, which does not open again")
        }
        Reason::Frozen { until, why, .. } => {
            let why = why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
            match until {
                Some(until) => format!("frozen until {}{why}", clock.at(*until)),
                None => format!("frozen without an end{why}"),
            }
        }
        Reason::Held { hold, pin, owner, why, since, until } => {
            let since = since.map_or_else(String::new, |since| format!(" since {},", clock.at(since)));
            let what = pin.as_ref().map_or_else(|| "held".to_owned(), |pin| format!("pinned to {pin}"));
            let until = until.map_or_else(
                || "until it is lifted".to_owned(),
                |until| format!("until {}", clock.at(until)),
            );
            format!("{what} by {owner}{since} {until}: {why} ({hold})")
        }
        Reason::CheckPending { environment: _, check, reporter, detail, since } => {
            let detail = detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
            match since {
                Some(since) => {
                    format!("{check} has been running since {}, says {reporter}{detail}", clock.at(*since))
                }
                None => format!("{reporter} has not reported {check} yet{detail}"),
            }
        }
        Reason::CheckFailed { environment: _, check, reporter, release, since, detail } => {
            let detail = detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"));
            format!("{check} failed for {release} at {}, says {reporter}{detail}", clock.at(*since))
        }
        Reason::WaitingForPerson { release, .. } => {
            format!("a person has to ask for {release}, or approve it")
        }
        Reason::WaitingForMerge { number, url, since } => {
            let place = url.as_ref().map_or_else(String::new, |url| format!("\n{url}"));
            format!(
                "proposal {number} has been open since {} and waits to be merged{place}",
                clock.at(*since)
            )
        }
        Reason::QueuedInForge { number, url, since } => {
            let place = url.as_ref().map_or_else(String::new, |url| format!("\n{url}"));
            format!(
                "the forge merges proposal {number} once its own rules are met; it was told so at {}{place}",
                clock.at(*since)
            )
        }
        Reason::Dispatched { to, promotion, since, until } => {
            format!(
                "automation was asked for {to} at {} and has until {}\npromotion {promotion}",
                clock.at(*since),
                clock.at(*until)
            )
        }
        Reason::DispatchUnanswered { to, promotion, asked, within, since: _, goes_back: _ } => {
            format!(
                "automation was asked for {to} at {}, and Git did not declare it within {}\npromotion {promotion}",
                clock.at(*asked),
                duration(*within)
            )
        }
        Reason::ProposalChanged { number, head } => {
            format!("somebody else pushed {} to the branch of proposal {number}", head.short())
        }
        Reason::MergeConflict { environment, commit, files } => {
            let more = files.len().saturating_sub(FILES_NAMED);
            let mut named: Vec<String> = files.iter().take(FILES_NAMED).map(ToString::to_string).collect();
            named.extend((more > 0).then(|| format!("and {more} more")));
            format!("commit {} of {environment} conflicts in {}", commit.short(), named.join(", "))
        }
        Reason::MergeImpossible { environment, commit, why } => {
            format!("commit {} of {environment} cannot be merged: {why}", commit.short())
        }
        Reason::ProposalDeclined { number, url, since } => {
            let place = url.as_ref().map_or_else(String::new, |url| format!("\n{url}"));
            format!("proposal {number} was closed without being merged at {}{place}", clock.at(*since))
        }
        Reason::VersionBlocked { release } => format!("{release} is blocked"),
        Reason::RolledBack { environment, from, to, commit, by, since } => {
            format!(
                "{environment} had {from}, until {by} set {to} at {} (commit {})",
                clock.at(*since),
                commit.short()
            )
        }
        Reason::OlderVersion { release, has } => {
            format!("what comes before has {release}, which is older than {has}")
        }
        Reason::MixedRelease { release, has } => {
            format!("{release} is partly newer and partly older than {has}")
        }
        Reason::OrderUnknown { release, has } => {
            format!("nothing says whether {release} is newer than {has}")
        }
        Reason::Queued { first } => {
            format!("{first} is still on its way in, and versions come in one by one")
        }
        Reason::PinnedQueue { pin } => format!("only {pin} may come in (queue: pinned)"),
        Reason::Drift { declared, promoted, commit, by, .. } => {
            let commit =
                commit.as_ref().map_or_else(String::new, |commit| format!(" (commit {})", commit.short()));
            let by = by.as_ref().map_or_else(|| "somebody".to_owned(), ToString::to_string);
            format!("{by} set {declared} by hand{commit}; gradus had promoted {promoted}")
        }
        Reason::RequestRefused { by, release, why, .. } => format!("{by} asked for {release}: {why}"),
        Reason::Suspended => "the pipeline is suspended: nothing is looked at".to_owned(),
        Reason::ObserveOnly => "the pipeline only observes: nothing is written".to_owned(),
        Reason::DeclaredUnknown { environment, why } => {
            format!("what Git declares for {environment} is not known: {why}")
        }
        Reason::ProposalUnknown { why } => format!("whether a proposal is open is not known: {why}"),
        Reason::RequestsUnknown { why } => format!("what people asked for is not known: {why}"),
        Reason::ApprovalsUnknown { environment: _, why } => format!("who approved is not known: {why}"),
        Reason::AuthorUnknown { environment: _, why } => {
            format!("its author is not known, and may not approve it: {why}")
        }
        Reason::ChecksUnknown { environment: _, check, why } => {
            format!("what {check} says is not known: {why}")
        }
        Reason::DispatchUnknown { why } => format!("what automation was asked for is not known: {why}"),
        Reason::MergeUnknown { environment, why } => {
            format!("whether the branch of {environment} can be merged is not known: {why}")
        }
        Reason::HistoryUnknown { environment, why } => {
            format!("whether {environment} was moved back is not known: {why}")
        }
    }
}

fn after_space(release: Option<&Release>) -> String {
    release.map_or_else(String::new, |release| format!(" {release}"))
}

/// The target before a word about it, where the environment does not name it already.
pub(super) fn of_target(environment: &EnvironmentName, target: Option<&TargetName>) -> String {
    match target {
        Some(target) if target.as_str() != environment.as_str() => format!("{target}: "),
        Some(_) | None => String::new(),
    }
}
