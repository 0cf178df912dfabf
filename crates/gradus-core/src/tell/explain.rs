//! `explain`: why a release is not in an environment yet, as a colleague would say it.

use super::advice::advice;
use super::sentence::sentence;
use super::time::{Clock, duration};
use crate::gate::{Answer, Passed};
use crate::names::EnvironmentName;
use crate::observation::Seen;
use crate::reason::Reason;
use crate::release::Release;
use crate::report::{EnvironmentReport, Report};
use crate::verdict::Verdict;

const LABEL: usize = 10;

/// Explains one environment; `None` when the pipeline has none of this name.
pub fn explain(report: &Report, environment: &EnvironmentName, clock: &Clock) -> Option<String> {
    let here = report.environment(environment)?;
    let mut text = headline(report, here, clock);
    text.push('\n');
    let mut lines = Lines::default();
    for reason in &here.reasons {
        let (label, words) = labelled(reason, clock);
        if !reason.is_content() && !matches!(reason, Reason::Promoting { .. }) {
            lines.add(&label, &words);
        }
    }
    if here.reasons.iter().any(Reason::is_content) {
        lines.add(here.name.as_str(), &state(here, clock));
    }
    for gate in here.next.iter().flat_map(|next| &next.gates) {
        if let Answer::Pass(passed) = &gate.answer {
            lines.add(gate.kind, &passed_words(passed, &gate.words, clock));
        }
    }
    for before in chain(report, here) {
        for reason in &before.reasons {
            if !reason.is_content() {
                let (label, words) = labelled(reason, clock);
                lines.add(&label, &words);
            }
        }
    }
    for note in &here.notes {
        lines.add("note", &sentence(note, clock));
    }
    lines.gap();
    lines.add("next", &next(here, clock));
    let wants = here.next.as_ref().map(|next| &next.release);
    let mut can: Vec<String> = Vec::new();
    for reason in here.reasons.iter().chain(&here.notes) {
        for line in advice(reason, &report.pipeline, environment, wants) {
            if !can.contains(&line) {
                can.push(line);
            }
        }
    }
    for (at, line) in can.iter().enumerate() {
        lines.add(if at == 0 { "you can" } else { "or" }, line);
    }
    text.push('\n');
    text.push_str(&lines.text);
    Some(text)
}

/// The environments before that `here` waits for, nearest first.
fn chain<'a>(report: &'a Report, here: &EnvironmentReport) -> Vec<&'a EnvironmentReport> {
    let mut found: Vec<&EnvironmentReport> = Vec::new();
    let mut names: Vec<EnvironmentName> = waits_for(here);
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
    here.reasons
        .iter()
        .filter_map(|reason| match reason {
            Reason::WaitingForEnvironment { environment, .. } => Some(environment.clone()),
            _other => None,
        })
        .collect()
}

fn headline(report: &Report, here: &EnvironmentReport, clock: &Clock) -> String {
    let (app, environment) = (&report.pipeline.name, &here.name);
    let wants = here.next.as_ref().map(|next| &next.release).or(match here.main_reason() {
        Some(Reason::WaitingForEnvironment { wants, .. }) => Some(wants),
        _other => None,
    });
    let Some(reason) = here.reasons.iter().find(|reason| !matches!(reason, Reason::ObserveOnly)) else {
        return format!("{app} in {environment}: nothing is known.");
    };
    let what = wants.map_or_else(|| app.to_string(), |release| format!("{app} {release}"));
    if let Some(text) = by_the_clock(here, &what, clock) {
        return text;
    }
    match reason {
        Reason::UpToDate | Reason::FollowsGit => match (here.release(), &here.verdict.verdict) {
            (Some(release), Verdict::Healthy { .. }) => format!("{app} {release} is in {environment}, and healthy."),
            (Some(release), verdict) => format!("{app} {release} is in {environment}: {}.", verdict.word()),
            (None, _) => format!("nothing of {app} is in {environment}."),
        },
        Reason::Promoting { .. } => format!("{what} goes to {environment} now."),
        Reason::WaitingForEnvironment { environment: before, .. }
        | Reason::WaitingForHealth { environment: before, .. }
        | Reason::TargetFailed { environment: before, .. }
        | Reason::DeadlineExceeded { environment: before, .. }
        | Reason::HealthUnknown { environment: before, .. }
        | Reason::NotDeployed { environment: before }
        | Reason::WaitingForSoak { environment: before, .. } => {
            format!("{what} is not in {environment}, because {before} has not proven it.")
        }
        Reason::WaitingForApproval { by, .. } => {
            format!("{what} is not in {environment} yet: it waits for approval by {by}.")
        }
        Reason::WaitingForPerson { .. } => format!("{what} is not in {environment} yet: it waits for a person's word."),
        Reason::WaitingForMerge { number, .. } => {
            format!("{what} is not in {environment} yet: proposal {number} waits to be merged.")
        }
        Reason::OutsideWindow { .. } | Reason::Frozen { .. } | Reason::Held { .. } => {
            format!("{what} is not in {environment}: {}.", sentence(reason, clock))
        }
        Reason::CheckPending { check, .. } => {
            format!("{what} is not in {environment} yet: it waits for check {check}.")
        }
        Reason::CheckFailed { check, .. } => format!("{what} is not in {environment}, because check {check} failed."),
        Reason::ProposalChanged { .. } => {
            format!("{what} is not in {environment}, because its proposal has somebody else's commits.")
        }
        Reason::VersionBlocked { .. } => format!("{what} is not in {environment}, because it is blocked."),
        Reason::RolledBack { from, .. } => {
            format!("{what} is not in {environment}, because {environment} was moved back from {from}.")
        }
        Reason::OlderVersion { has, .. } => format!("{app} {has} stays in {environment}: what comes before it is older."),
        Reason::MixedRelease { .. } | Reason::OrderUnknown { .. } => {
            format!("nothing is promoted to {environment}, because {}.", sentence(reason, clock))
        }
        Reason::Queued { first } => format!("{what} is not in {environment} yet: {first} goes first."),
        Reason::PinnedQueue { pin } => format!("{environment} keeps {pin}: its queue is pinned."),
        Reason::Drift { .. } => format!("{environment} has what nobody promoted."),
        Reason::RequestRefused { by, release, .. } => {
            format!("{app} {release} is not in {environment}: what {by} asked for cannot be done.")
        }
        Reason::Suspended => format!("nothing is promoted to {environment}: {app} is suspended."),
        Reason::ObserveOnly => format!("{what} would go to {environment}."),
        Reason::DeclaredUnknown { .. }
        | Reason::ProposalUnknown { .. }
        | Reason::RequestsUnknown { .. }
        | Reason::ApprovalsUnknown { .. }
        | Reason::AuthorUnknown { .. } => {
            format!("nothing is promoted to {environment}, because {}.", sentence(reason, clock))
        }
    }
}

/// Where only the clock and people stand in the way: when it can be at the earliest.
fn by_the_clock(here: &EnvironmentReport, what: &str, clock: &Clock) -> Option<String> {
    let mut latest = None;
    let mut conditions: Vec<String> = Vec::new();
    for reason in &here.reasons {
        match reason {
            Reason::WaitingForSoak { environment, until: Some(until), .. } => {
                latest = latest.max(Some(*until));
                conditions.push(format!("its soak in {environment} ends"));
            }
            Reason::OutsideWindow { opens: Some(opens), .. } => {
                latest = latest.max(Some(*opens));
                conditions.push("the window opens".to_owned());
            }
            Reason::Frozen { until: Some(until), .. } => {
                latest = latest.max(Some(*until));
                conditions.push("the freeze ends".to_owned());
            }
            Reason::WaitingForApproval { by, .. } => conditions.push(format!("{by} approves")),
            Reason::WaitingForPerson { .. } => conditions.push("a person asks for it".to_owned()),
            _other => return None,
        }
    }
    let at = clock.at(latest?);
    Some(format!("{what} reaches {} at the earliest at {at}, when {}.", here.name, conditions.join(" and ")))
}

/// What stands before a reason's sentence: the environment or the gate it is about.
fn labelled(reason: &Reason, clock: &Clock) -> (String, String) {
    let words = sentence(reason, clock);
    let label = match reason {
        Reason::WaitingForEnvironment { environment, .. }
        | Reason::WaitingForHealth { environment, .. }
        | Reason::TargetFailed { environment, .. }
        | Reason::DeadlineExceeded { environment, .. }
        | Reason::HealthUnknown { environment, .. }
        | Reason::NotDeployed { environment }
        | Reason::DeclaredUnknown { environment, .. } => environment.to_string(),
        Reason::WaitingForSoak { .. } => "soak".to_owned(),
        Reason::WaitingForApproval { .. } | Reason::ApprovalsUnknown { .. } => "approval".to_owned(),
        Reason::OutsideWindow { .. } => "window".to_owned(),
        Reason::Frozen { .. } => "freeze".to_owned(),
        Reason::Held { .. } => "hold".to_owned(),
        Reason::CheckPending { .. } | Reason::CheckFailed { .. } => "check".to_owned(),
        Reason::WaitingForPerson { .. } => "manual".to_owned(),
        Reason::WaitingForMerge { .. } | Reason::ProposalChanged { .. } | Reason::ProposalUnknown { .. } => {
            "proposal".to_owned()
        }
        Reason::RequestRefused { .. } | Reason::RequestsUnknown { .. } => "request".to_owned(),
        Reason::UpToDate
        | Reason::FollowsGit
        | Reason::Promoting { .. }
        | Reason::VersionBlocked { .. }
        | Reason::RolledBack { .. }
        | Reason::OlderVersion { .. }
        | Reason::MixedRelease { .. }
        | Reason::OrderUnknown { .. }
        | Reason::Queued { .. }
        | Reason::PinnedQueue { .. }
        | Reason::Drift { .. }
        | Reason::Suspended
        | Reason::ObserveOnly
        | Reason::AuthorUnknown { .. } => "because".to_owned(),
    };
    // The label says the environment already.
    let words = words.strip_prefix(&format!("{label} ")).map_or(words.clone(), str::to_owned);
    (label, words)
}

fn passed_words(passed: &Passed, words: &str, clock: &Clock) -> String {
    match passed {
        Passed::ApprovedBy(people) => {
            format!("approved by {}", people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Passed::Soaked(since) => {
            format!("passed: healthy for {}, since {}", duration(clock.now.duration_since(*since)), clock.at(*since))
        }
        Passed::Open(Some(until)) => format!("open ({words}), closes at {}", clock.at(*until)),
        Passed::Open(None) => format!("open ({words})"),
        Passed::NotFrozen => "none is on".to_owned(),
        Passed::Checked(at) => format!("passed at {} ({words})", clock.at(*at)),
        Passed::AskedBy(person) => format!("asked for by {person}"),
        Passed::Overridden(person) => format!("skipped by {person}'s word ({words})"),
    }
}

fn state(here: &EnvironmentReport, clock: &Clock) -> String {
    let release = |release: Option<&Release>| release.map_or_else(String::new, |release| format!(" at {release}"));
    match &here.verdict.verdict {
        Verdict::Healthy { since, release } => format!("healthy at {release} since {}", clock.at(*since)),
        Verdict::Deploying { release: to, since, .. } => {
            let since = since.map_or_else(String::new, |since| format!(" since {}", clock.at(since)));
            format!("deploying{}{since}", release(to.as_ref()))
        }
        Verdict::Failed { release: at, why, since } => {
            let why = match why {
                crate::verdict::Failure::Told(why) => why.to_string(),
                crate::verdict::Failure::Deadline(within) => format!("not healthy within {}", duration(*within)),
            };
            format!("failed{} at {}: {why}", release(at.as_ref()), clock.at(*since))
        }
        Verdict::NotDeployed => "not deployed".to_owned(),
        Verdict::Unknown { why } => format!("unknown: {why}"),
    }
}

/// What will happen by itself.
fn next(here: &EnvironmentReport, clock: &Clock) -> String {
    if let Seen::Unknown(_) = here.declared {
        return "nothing, until it can be read again".to_owned();
    }
    if let Some(step) = &here.step {
        return match step {
            crate::plan::Step::Push(_) => "it is committed now".to_owned(),
            crate::plan::Step::Propose(_) => "it is proposed now".to_owned(),
            crate::plan::Step::Update { .. } => "the open proposal is updated now".to_owned(),
            crate::plan::Step::Merge { .. } => "the proposal is merged now".to_owned(),
            crate::plan::Step::Close { .. } => "the open proposal is closed now".to_owned(),
        };
    }
    let earliest = here.reasons.iter().filter_map(Reason::until).filter(|at| *at > clock.now).min();
    match here.main_reason() {
        Some(Reason::TargetFailed { environment, .. } | Reason::DeadlineExceeded { environment, .. }) => {
            format!("nothing by itself, until a newer version is healthy in {environment}")
        }
        Some(Reason::UpToDate | Reason::FollowsGit) => "nothing to do".to_owned(),
        Some(reason) if reason.until().is_none() && earliest.is_none() => match reason {
            Reason::WaitingForEnvironment { environment, .. }
            | Reason::WaitingForHealth { environment, .. }
            | Reason::NotDeployed { environment }
            | Reason::HealthUnknown { environment, .. } => format!("it goes on by itself once {environment} has proven it"),
            _other => "nothing by itself".to_owned(),
        },
        Some(_) | None => match earliest {
            Some(at) => format!("looked at again at {}", clock.at(at)),
            None => "nothing by itself".to_owned(),
        },
    }
}

/// Indented lines with a label each, in 80 columns where words allow it.
#[derive(Default)]
struct Lines {
    text: String,
    last: String,
}

impl Lines {
    fn add(&mut self, label: &str, words: &str) {
        let shown = if self.last == label { "" } else { label };
        self.last = label.to_owned();
        let width = 80 - 3 - LABEL;
        let mut first = true;
        for line in wrap(words, width) {
            let label = if first { shown } else { "" };
            first = false;
            self.text.push_str(format!("  {label:<LABEL$} {line}").trim_end());
            self.text.push('\n');
        }
    }

    fn gap(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.last.clear();
    }
}

/// Breaks between words; a command is never broken.
fn wrap(words: &str, width: usize) -> Vec<String> {
    if words.contains("gradus ") {
        return vec![words.to_owned()];
    }
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let full = lines.last().is_some_and(|line| {
            !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width
        });
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
