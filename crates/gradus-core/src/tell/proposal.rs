//! The title and the text of a proposal.

use super::commit::{one_line, promotion_title};
use super::sentence::sentence;
use super::time::{Clock, duration};
use crate::gate::{Answer, Passed};
use crate::plan::{Cause, Change};
use crate::reason::Reason;
use crate::release::Release;
use crate::report::{EnvironmentReport, GateReport, Report};
use crate::verdict::{TargetVerdict, Verdict};

/// So many targets of an environment are told of one by one.
const MOST: usize = 12;

/// The title of the proposal of a change.
pub fn proposal_title(report: &Report, change: &Change) -> String {
    promotion_title(&report.pipeline, change)
}

/// The text of the proposal of a change, in Markdown. Its last line is for programs.
pub fn proposal_body(report: &Report, change: &Change, promotion: &str, clock: &Clock) -> String {
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
    let here = report.environment(&change.environment);
    let gates = here.and_then(|here| here.next.as_ref()).map_or(&[][..], |next| &next.gates);
    if !gates.is_empty() {
        text.push_str("\n| gate | |\n|---|---|\n");
        for gate in gates {
            text.push_str(&format!("| {} | {} |\n", cell(&gate.words), cell(&answer(&gate.answer, clock))));
        }
    }
    text.push('\n');
    text.push_str(&next(report, change, gates));
    text.push_str(&machine_line(report, change, promotion));
    text
}

/// What happens next, and how to stop it.
fn next(report: &Report, change: &Change, gates: &[GateReport]) -> String {
    let (name, environment) = (&report.pipeline.name, &change.environment);
    let waits = |gate: &&GateReport| !matches!(gate.answer, Answer::Pass(_));
    let by_person = gates.iter().any(|gate| gate.kind == "merge" && waits(&gate));
    let others = gates.iter().any(|gate| gate.kind != "merge" && waits(&gate));
    let who = match (by_person, others) {
        (true, true) => "Once its gates have passed, a person merges it.",
        (true, false) => "It waits for a person who merges it.",
        (false, true) => "Once its gates have passed, gradus merges it.",
        (false, false) => "gradus merges it.",
    };
    let mut text = format!("{who} Merging this deploys to {environment}");
    let after: Vec<&str> = report
        .environments
        .iter()
        .filter(|other| other.after.contains(environment))
        .map(|other| other.name.as_str())
        .collect();
    match after.is_empty() {
        true => text.push_str(".\n\n"),
        false => {
            text.push_str(&format!("; once it is healthy there, {} can follow.\n\n", after.join(" and ")))
        }
    }
    text.push_str(&format!(
        "To keep this release out, close the proposal: it comes again when somebody asks for it, and a newer release \
         is proposed anew. To keep everything out: `gradus hold {name} --environment {environment}`.\n\
         To go back later: `gradus rollback {name} --to {environment}`.\n"
    ));
    text
}

/// What programs read of a proposal, where people do not see it.
fn machine_line(report: &Report, change: &Change, promotion: &str) -> String {
    let fields = format!(
        "pipeline={} environment={} version={} promotion={promotion}",
        report.pipeline, change.environment, change.to
    );
    // Nothing in it may end the comment.
    format!("\n<!-- gradus: {} -->\n", fields.replace("--", "-%2D"))
}

/// What speaks for the release in an environment before: in one line, and for each of several targets.
fn proven(before: &EnvironmentReport, release: &Release, clock: &Clock) -> String {
    let name = &before.name;
    match &before.verdict.verdict {
        Verdict::Healthy { release: there, since } if there.covers(release) => {
            let (healthy, targets) = (before.verdict.healthy, &before.verdict.targets);
            let all = targets.len();
            let count = if all > 1 { format!(" ({healthy} of {all} targets)") } else { String::new() };
            let time = duration(clock.since(*since));
            let mut text = format!("Healthy in **{name}** for {time}{count}, since {}.\n", clock.at(*since));
            if all > 1 {
                for target in targets.iter().take(MOST) {
                    text.push_str(&format!("- {}\n", on_target(target, clock)));
                }
                if let Some(more) = all.checked_sub(MOST).filter(|more| *more > 0) {
                    text.push_str(&format!("- and {more} more\n"));
                }
            }
            text
        }
        Verdict::NotDeployed
        | Verdict::Deploying { .. }
        | Verdict::Healthy { .. }
        | Verdict::Failed { .. }
        | Verdict::Unknown { .. } => format!("It was healthy in **{name}** before something newer came.\n"),
    }
}

fn on_target(target: &TargetVerdict, clock: &Clock) -> String {
    let runs = target.running.as_ref().map_or_else(String::new, |running| format!(" {running},"));
    let since =
        target.verdict.since().map_or_else(String::new, |since| format!(" since {}", clock.at(since)));
    one_line(&format!("{}:{runs} {}{since}", target.name, target.verdict.word()))
}

pub(super) fn answer(answer: &Answer, clock: &Clock) -> String {
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
pub(super) fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
