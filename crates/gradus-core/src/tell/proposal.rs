//! The title and the text of a proposal.

use super::commit::promotion_title;
use super::sentence::sentence;
use super::time::{Clock, duration};
use crate::gate::{Answer, Passed};
use crate::plan::{Cause, Change};
use crate::reason::Reason;
use crate::release::Release;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::Verdict;

/// The title of the proposal of a change.
pub fn proposal_title(report: &Report, change: &Change) -> String {
    promotion_title(&report.pipeline, change)
}

/// The text of the proposal of a change, in Markdown.
pub fn proposal_body(report: &Report, change: &Change, clock: &Clock) -> String {
    let mut text = String::from("| | now | proposed |\n|---|---|---|\n");
    for (artifact, version) in change.to.versions() {
        let now =
            change.from.as_ref().and_then(|from| from.get(artifact)).map_or("-", |version| version.as_str());
        text.push_str(&format!("| {artifact} | {} | {} |\n", cell(now), cell(version.as_str())));
    }
    text.push('\n');
    match &change.cause {
        Cause::ProvenIn(environments) => {
            for name in environments {
                if let Some(before) = report.environment(name) {
                    text.push_str(&proven(before, &change.to, clock));
                }
            }
        }
        Cause::Asked(request) => {
            let why = request.reason.as_ref().map_or_else(String::new, |why| format!(": {}", one_line(why)));
            text.push_str(&format!("Asked for by **{}** at {}{why}.\n", request.by, clock.at(request.at)));
        }
    }
    if change.replaces_hand_edit {
        text.push_str("\nThis replaces a version that was set by hand.\n");
    }
    let gates =
        report.environment(&change.environment).and_then(|here| here.next.as_ref()).map(|next| &next.gates);
    if let Some(gates) = gates.filter(|gates| !gates.is_empty()) {
        text.push_str("\n| gate | |\n|---|---|\n");
        for gate in gates {
            text.push_str(&format!("| {} | {} |\n", cell(&gate.words), cell(&answer(&gate.answer, clock))));
        }
    }
    let (name, environment) = (&report.pipeline.name, &change.environment);
    text.push_str(&format!(
        "\nMerging this deploys to {environment}. Closing it says no to this release: it is proposed again only if \
         somebody asks for it.\n\
         To stop what follows, too: `gradus hold {name} --environment {environment}`.\n\
         To go back later: `gradus rollback {name} --to {environment}`.\n"
    ));
    text
}

/// What speaks for the release in an environment before.
fn proven(before: &EnvironmentReport, release: &Release, clock: &Clock) -> String {
    let name = &before.name;
    match &before.verdict.verdict {
        Verdict::Healthy { release: there, since } if there.covers(release) => {
            let (healthy, all) = (before.verdict.healthy, before.verdict.targets.len());
            let count = if all > 1 { format!(" ({healthy} of {all} targets)") } else { String::new() };
            let time = duration(clock.since(*since));
            format!("Healthy in **{name}** for {time}{count}, since {}.\n", clock.at(*since))
        }
        Verdict::NotDeployed
        | Verdict::Deploying { .. }
        | Verdict::Healthy { .. }
        | Verdict::Failed { .. }
        | Verdict::Unknown { .. } => format!("It was healthy in **{name}** before something newer came.\n"),
    }
}

fn answer(answer: &Answer, clock: &Clock) -> String {
    match answer {
        Answer::Pass(Passed::ApprovedBy(people)) => {
            format!("approved by {}", people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Answer::Pass(Passed::Soaked(since)) => format!("passed, healthy since {}", clock.at(*since)),
        Answer::Pass(Passed::Open(Some(until))) => format!("open until {}", clock.at(*until)),
        Answer::Pass(Passed::Open(None)) => "open".to_owned(),
        Answer::Pass(Passed::NotFrozen) => "none is on".to_owned(),
        Answer::Pass(Passed::Checked(at)) => format!("passed at {}", clock.at(*at)),
        Answer::Pass(Passed::AskedBy(person)) => format!("asked for by {person}"),
        Answer::Pass(Passed::Overridden(person)) => format!("skipped by {person}"),
        Answer::Hold(Reason::WaitingForPerson { .. } | Reason::WaitingForMerge { .. }) => {
            "**waiting**".to_owned()
        }
        Answer::Hold(reason) => format!("**waiting**: {}", sentence(reason, clock)),
        Answer::Fail(reason) => format!("**failed**: {}", sentence(reason, clock)),
    }
}

/// People's words in one cell of a table.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

fn one_line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
