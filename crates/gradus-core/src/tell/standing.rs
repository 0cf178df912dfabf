//! How an environment stands, for people who look at it in the forge: in one line on a commit, and in one comment
//! below the proposal. What is said changes when something happens, not because time passes.

use jiff::Timestamp;

use super::headline::headline;
use super::proposal::{answer, cell};
use super::sentence::sentence;
use super::time::Clock;
use crate::gate::Answer;
use crate::observation::{Fit, ProposalSeen};
use crate::plan::Step;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::Verdict;

/// What a commit is marked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Light {
    /// Something is waited for.
    Pending,
    /// It may go on, or works.
    Good,
    /// It may not, or does not work.
    Bad,
}

/// How the proposal of an environment stands, in one line without times; nothing where none is open.
pub fn proposal_line(here: &EnvironmentReport) -> Option<(Light, String)> {
    let proposal = here.proposal.as_ref().filter(is_open)?;
    let what = proposal.release.known().map_or_else(String::new, |release| format!("{release}: "));
    let is_this = proposal
        .release
        .known()
        .is_some_and(|proposed| here.next.as_ref().is_some_and(|next| next.release.same(proposed)));
    let merges =
        matches!(here.step.as_deref(), Some(Step::Merge { .. })) || matches!(proposal.fit, Fit::Queued(_));
    let gates = here.next.as_ref().filter(|_| is_this).map_or(&[][..], |next| &next.gates);
    // What a person merges has passed everything that gradus asks for.
    let waits = gates.iter().any(|gate| gate.kind != "merge" && matches!(gate.answer, Answer::Hold(_)));
    let fails = gates.iter().any(|gate| matches!(gate.answer, Answer::Fail(_)));
    let by_person = here.main_reason().is_some_and(|reason| reason.code() == "waiting-for-merge");
    let (light, words) = if fails || proposal.fit == Fit::Foreign {
        (Light::Bad, code(here))
    } else if merges || (by_person && !waits) {
        (Light::Good, "its gates have passed".to_owned())
    } else {
        (Light::Pending, code(here))
    };
    Some((light, format!("{what}{words}")))
}

/// How what is deployed in an environment works, in one line without times; nothing where that is not known.
pub fn deployed_line(here: &EnvironmentReport) -> Option<(Light, String)> {
    match &here.verdict.verdict {
        Verdict::Healthy { release, .. } => {
            Some((Light::Good, format!("{release} is healthy in {}", here.name)))
        }
        Verdict::Deploying { .. } => {
            let what = here.release().map_or_else(|| "it".to_owned(), ToString::to_string);
            Some((Light::Pending, format!("{what} is being deployed to {}", here.name)))
        }
        Verdict::Failed { .. } => {
            let what = here.release().map_or_else(|| "it".to_owned(), ToString::to_string);
            Some((Light::Bad, format!("{what} failed in {}", here.name)))
        }
        Verdict::NotDeployed | Verdict::Unknown { .. } => None,
    }
}

/// The comment below the proposal of an environment, in Markdown; nothing where none is open.
pub fn standing_comment(report: &Report, here: &EnvironmentReport, clock: &Clock) -> Option<String> {
    here.proposal.as_ref().filter(is_open)?;
    let mut text = format!("**{}**\n", headline(report, here, clock));
    let gates = here.next.as_ref().map_or(&[][..], |next| &next.gates);
    if !gates.is_empty() {
        text.push_str("\n| gate | |\n|---|---|\n");
        for gate in gates {
            text.push_str(&format!("| {} | {} |\n", cell(&gate.words), cell(&answer(&gate.answer, clock))));
        }
    }
    let more = here.reasons.iter().skip(1).chain(&here.notes);
    for (at, reason) in more.enumerate() {
        text.push_str(if at == 0 { "\n" } else { "" });
        text.push_str(&format!("- {}\n", sentence(reason, clock)));
    }
    Some(text)
}

/// The time at which a text is the same whenever it is made, to see whether it says something else.
pub fn timeless() -> Clock {
    Clock::utc(Timestamp::UNIX_EPOCH)
}

fn is_open(proposal: &&ProposalSeen) -> bool {
    match proposal.fit {
        Fit::Current | Fit::Behind | Fit::Foreign | Fit::Queued(_) => true,
        Fit::Declined(_) => false,
    }
}

/// The code of what matters most, as words.
fn code(here: &EnvironmentReport) -> String {
    here.main_reason().map_or_else(String::new, |reason| reason.code().replace('-', " "))
}
