//! `gradus history`: what was said, seen and done.

use std::process::ExitCode;

use gradus_core::tell::Clock;
use gradus_server::api::v1;
use v1::HistoryEvent;

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::source::{HistoryAsk, SourceArgs, clock};
use crate::table::{Cell, Table};

/// Shows what was asked for, approved and written, newest first.
#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// Only this environment.
    #[arg(long, visible_alias = "env", value_name = "ENV")]
    environment: Option<String>,
    /// Also what was reported and seen.
    #[arg(long)]
    all: bool,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=999))]
    limit: u16,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: HistoryArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let ask = HistoryAsk {
        environment: arguments.environment,
        all: arguments.all,
        limit: usize::from(arguments.limit),
    };
    let history = source.history(&key, &ask).await?;
    if let Some(text) = arguments.format.text(&history)? {
        printer.text(text);
        return Ok(ExitCode::SUCCESS);
    }
    if history.items.is_empty() {
        printer.note(if arguments.all {
            "nothing is recorded"
        } else {
            "nothing was asked for, approved or written"
        });
        if arguments.source.is_without_ledger() {
            printer.note(
                "  the record is in the data directory: give it with --data, or a server with --server",
            );
        }
        return Ok(ExitCode::SUCCESS);
    }
    printer.text(rows(&history, &clock()).render(printer));
    if history.next.is_some() {
        printer.note("there is more: --limit shows it");
    }
    Ok(ExitCode::SUCCESS)
}

/// A row for each entry.
pub(crate) fn rows(history: &v1::History, clock: &Clock) -> Table {
    let mut table = Table::default();
    for entry in &history.items {
        let (at, tone, words) = told(entry);
        let at = at.0.to_zoned(clock.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
        let environment = entry.environment.as_deref().unwrap_or("-");
        let words = match tone {
            Some(tone) => Cell::toned(tone, words),
            None => Cell::new(words),
        };
        table.row(vec![Cell::toned(Tone::Dim, at), Cell::new(environment), words]);
    }
    table
}

fn told(entry: &v1::HistoryEntry) -> (v1::Time, Option<Tone>, String) {
    let with = |release: &Option<v1::Release>| release.as_ref().map_or_else(String::new, |r| format!(" {r}"));
    let because = |text: &Option<String>| text.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    match &entry.event {
        HistoryEvent::Report { target, state, release, message, by, at } => {
            let state = match state {
                v1::State::Healthy => "healthy",
                v1::State::Deploying => "deploying",
                v1::State::Failed => "failed",
                v1::State::NotDeployed => "not deployed",
                v1::State::RolledBack => "rolled back to",
            };
            (*at, None, format!("{by} reported {target} {state}{}{}", with(release), because(message)))
        }
        HistoryEvent::Approval { release, by, groups, at } => {
            let groups = if groups.is_empty() { String::new() } else { format!(" ({})", groups.join(", ")) };
            (*at, Some(Tone::Good), format!("{by}{groups} approved {release}"))
        }
        HistoryEvent::Request { request } => {
            let how = match request.kind {
                v1::RequestKind::Promote => "asked for",
                v1::RequestKind::Override => "asked, past what is proven, for",
                v1::RequestKind::Rollback => "asked to go back to",
                v1::RequestKind::Emergency => "asked, past the gates, for",
            };
            let words = format!("{} {how} {}{}", request.by, request.release, because(&request.reason));
            (request.at, None, words)
        }
        HistoryEvent::Check { check, release, result, detail, by, at } => {
            let (tone, result) = match result {
                v1::Outcome::Passed => (Tone::Good, "passed"),
                v1::Outcome::Failed => (Tone::Bad, "failed"),
                v1::Outcome::Pending => (Tone::Waiting, "pending"),
            };
            (
                *at,
                Some(tone),
                format!("{by} reported check {check} {result} for {release}{}", because(detail)),
            )
        }
        HistoryEvent::Healthy { release, since, .. } => (*since, None, format!("healthy at {release}")),
        HistoryEvent::Verdict { verdict, release, detail, at } => {
            let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
            (*at, None, format!("{verdict}{}{detail}", with(release)))
        }
        HistoryEvent::Seen { artifact, version, at } => (*at, None, format!("saw {artifact} {version}")),
        HistoryEvent::Wrote(wrote) => (wrote.at, None, written(wrote)),
    }
}

fn written(wrote: &v1::Wrote) -> String {
    let commit = wrote.commit.get(..7).unwrap_or(&wrote.commit);
    let number = wrote.proposal.map_or_else(String::new, |number| format!(" proposal {number}"));
    let action = match wrote.action {
        v1::WroteAction::Pushed => "pushed".to_owned(),
        v1::WroteAction::Proposed => format!("opened{number}"),
        v1::WroteAction::Updated => format!("updated{number}"),
        v1::WroteAction::Merged => format!("merged{number}"),
        v1::WroteAction::Closed => format!("closed{number}"),
        v1::WroteAction::Dispatched => "asked automation".to_owned(),
    };
    let change = match (&wrote.from, &wrote.to) {
        (Some(from), Some(to)) => format!(": {from} -> {to}"),
        (None, Some(to)) => format!(": {to}"),
        (_, None) => String::new(),
    };
    let asked = wrote.asked_by.as_ref().map_or_else(String::new, |by| format!(", asked for by {by}"));
    let approved = match wrote.approved_by.as_slice() {
        [] => String::new(),
        people => format!(", approved by {}", people.join(", ")),
    };
    // Who asked and who approved is said already.
    let detail = wrote.detail.trim_end_matches('.');
    let detail =
        if detail.is_empty() || wrote.asked_by.is_some() { String::new() } else { format!(" ({detail})") };
    let place = match wrote.action {
        v1::WroteAction::Dispatched => format!("promotion {}", wrote.promotion),
        v1::WroteAction::Pushed
        | v1::WroteAction::Proposed
        | v1::WroteAction::Updated
        | v1::WroteAction::Merged
        | v1::WroteAction::Closed => format!("commit {commit}"),
    };
    format!("{action}{change}, {place}{asked}{approved}{detail}")
}
