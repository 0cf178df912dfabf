//! `gradus status`: what each environment has, and what happens next.

use std::process::ExitCode;
use std::time::Duration;

use gradus_core::tell::{Clock, age};
use gradus_server::api::v1;
use v1::Health;

use super::history;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::source::{HistoryAsk, Source, SourceArgs, clock};
use crate::table::{Cell, Table};

/// How wide a heading is.
const HEADING: usize = 80;
/// So many promotions of one pipeline are shown.
const PROMOTIONS: usize = 5;
/// Among so many of the newest deeds they are looked for.
const DEEDS: usize = 50;
/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// Shows what each environment has, whether it works, and what happens next.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// One pipeline, in detail: its name, or NAMESPACE/NAME.
    pipeline: Option<String>,
    /// Look again every two seconds, until interrupted.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: StatusArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    loop {
        let text = match &arguments.pipeline {
            Some(given) => one(&source, given, &arguments, printer).await?,
            None => all(&source, &arguments, printer).await?,
        };
        if !arguments.watch {
            printer.text(text);
            return Ok(ExitCode::SUCCESS);
        }
        printer.redraw(&text);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            _interrupted = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
        }
    }
}

async fn all(source: &Source, arguments: &StatusArgs, printer: &Printer) -> Result<String, CliError> {
    let items = source.statuses().await?;
    let list = v1::PipelineList { items, next: None };
    if let Some(text) = arguments.format.text(&list)? {
        return Ok(text);
    }
    let clock = clock();
    let mut table = Table::default();
    for (at, pipeline) in list.items.iter().enumerate() {
        if at > 0 {
            table.text("");
        }
        let count = pipeline.environments.len();
        table.text(heading(&pipeline.namespace, &pipeline.name, count, pipeline.mode, printer));
        for row in &pipeline.environments {
            let version =
                version(row.declared_unknown.is_some(), row.running.as_ref(), row.declared.as_ref());
            table.row(cells(&row.name, &version, row.health, row.since, &row.words, &clock));
        }
    }
    if list.items.is_empty() {
        printer.note("no pipelines");
    }
    Ok(table.render(printer))
}

async fn one(
    source: &Source,
    given: &str,
    arguments: &StatusArgs,
    printer: &Printer,
) -> Result<String, CliError> {
    let key = source.key(given).await?;
    let pipeline = source.pipeline(&key).await?;
    if let Some(text) = arguments.format.text(&pipeline)? {
        return Ok(text);
    }
    let ask = HistoryAsk { environment: None, all: false, limit: DEEDS };
    let mut promotions = source.history(&key, &ask).await?;
    promotions.items.retain(|entry| matches!(entry.event, v1::HistoryEvent::Wrote(_)));
    promotions.items.truncate(PROMOTIONS);
    let clock = clock();
    let count = pipeline.environments.len();
    let mut text = heading(&pipeline.namespace, &pipeline.name, count, pipeline.mode, printer);
    text.push('\n');
    let mut table = Table::default();
    for here in &pipeline.environments {
        let version = version(here.declared_unknown.is_some(), here.running.as_ref(), here.declared.as_ref());
        table.row(cells(&here.name, &version, here.verdict.health, here.verdict.since, &here.words, &clock));
    }
    text.push_str(&table.render(printer));
    for here in &pipeline.environments {
        text.push_str(&environment(here, &clock, printer));
    }
    if !promotions.items.is_empty() {
        text.push_str("\nlast promotions\n");
        text.push_str(&history::rows(&promotions, &clock).render(printer));
    }
    Ok(text)
}

/// The targets, the gates and the proposal of an environment.
fn environment(here: &v1::Environment, clock: &Clock, printer: &Printer) -> String {
    let count = here.targets.len();
    let needed = if here.needed_targets == count {
        String::new()
    } else {
        format!(", {} needed", here.needed_targets)
    };
    let name = printer.toned(Tone::Strong, &here.name);
    let mut text = format!("\n{name}  {} of {count} targets healthy{needed}\n", here.healthy_targets);
    let mut table = Table::default();
    let mut row = |label: &str, tone: Option<Tone>, words: String| {
        let words = match tone {
            Some(tone) => Cell::toned(tone, words),
            None => Cell::new(words),
        };
        table.row(vec![Cell::new(label), words]);
    };
    for target in &here.targets {
        let version = version(false, target.running.as_ref(), target.verdict.release.as_ref());
        let (tone, word) = health(target.verdict.health);
        let since =
            target.verdict.since.map_or_else(String::new, |since| format!(" since {}", clock.at(since.0)));
        let why = target.verdict.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        row("target", Some(tone), format!("{} {version}, {word}{since}{why}", target.name));
    }
    if let Some(origin) = &here.origin {
        let commit = origin.commit.get(..7).unwrap_or(&origin.commit);
        row("came with", None, format!("{commit} {} ({})", origin.title, origin.author));
    }
    if let Some(next) = &here.next {
        row("next", None, next.release.to_string());
        for gate in &next.gates {
            let (tone, words) = gate_words(gate, clock);
            row("gate", Some(tone), words);
        }
    }
    if let Some(proposal) = &here.proposal {
        let release = proposal.release.as_ref().map_or_else(String::new, |release| format!(" of {release}"));
        let url = proposal.url.as_ref().map_or_else(String::new, |url| format!(", {url}"));
        row(
            "proposal",
            None,
            format!(
                "{}{release}, {} {}{url}",
                proposal.number,
                opened(proposal.fit),
                clock.at(proposal.since.0)
            ),
        );
    }
    text.push_str(&table.render(printer));
    text
}

fn opened(fit: v1::Fit) -> &'static str {
    match fit {
        v1::Fit::Current | v1::Fit::Behind | v1::Fit::Foreign => "open since",
        v1::Fit::Declined => "closed without being merged, opened",
    }
}

fn gate_words(gate: &v1::Gate, clock: &Clock) -> (Tone, String) {
    let (tone, state) = match gate.state {
        v1::GateState::Passed => (Tone::Good, "passed"),
        v1::GateState::Skipped => (Tone::Waiting, "skipped"),
        v1::GateState::Waiting => (Tone::Waiting, "waiting"),
        v1::GateState::Failed => (Tone::Bad, "failed"),
    };
    let why = match (&gate.reason, gate.by.as_slice(), gate.until) {
        (Some(reason), _, _) => format!(", {}", reason.sentence),
        (None, [], Some(until)) => format!(" until {}", clock.at(until.0)),
        (None, [], None) => String::new(),
        (None, by, _) => format!(" by {}", by.join(", ")),
    };
    (tone, format!("{}: {state}{why}", gate.words))
}

/// The colour and the word of a health.
fn health(health: Health) -> (Tone, &'static str) {
    match health {
        Health::NotDeployed => (Tone::Dim, "not deployed"),
        Health::Deploying => (Tone::Waiting, "deploying"),
        Health::Healthy => (Tone::Good, "healthy"),
        Health::Failed => (Tone::Bad, "failed"),
        Health::Unknown => (Tone::Waiting, "unknown"),
    }
}

/// The line above the rows of a pipeline.
fn heading(namespace: &str, name: &str, count: usize, mode: v1::Mode, printer: &Printer) -> String {
    let mode = match mode {
        v1::Mode::Active => "",
        v1::Mode::Observe => ", observe only",
        v1::Mode::Suspended => ", suspended",
    };
    let plural = if count == 1 { "" } else { "s" };
    let right = format!("{namespace}/{name}, {count} environment{plural}{mode}");
    let room = HEADING.saturating_sub(name.chars().count() + right.chars().count()).max(2);
    format!("{}{}{}", printer.toned(Tone::Strong, name), " ".repeat(room), printer.toned(Tone::Dim, &right))
}

fn cells(
    name: &str,
    version: &str,
    is: Health,
    since: Option<v1::Time>,
    words: &str,
    clock: &Clock,
) -> Vec<Cell> {
    let (tone, word) = health(is);
    let age = since.map_or_else(String::new, |since| age(clock.now.duration_since(since.0)));
    vec![Cell::new(name), Cell::new(version), Cell::toned(tone, word), Cell::new(age), Cell::new(words)]
}

/// What stands there: what runs, else what Git declares.
fn version(is_unknown: bool, running: Option<&v1::Release>, declared: Option<&v1::Release>) -> String {
    match running.or(declared) {
        _ if is_unknown => "?".to_owned(),
        Some(release) => release.to_string(),
        None => "-".to_owned(),
    }
}
