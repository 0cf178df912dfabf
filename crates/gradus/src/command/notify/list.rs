//! `gradus notify list`: what was told, and what nobody took.

use std::path::PathBuf;
use std::process::ExitCode;

use gradus_local::{SqliteLedger, ledger_file};
use serde::Serialize;

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::source::clock;
use crate::table::{Cell, Table};

/// Shows what `gradus serve` told to whom, newest first, and what nobody took. In a cluster the
/// Notification objects say it.
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    /// Data directory of `gradus serve`.
    #[arg(long, value_name = "DIR", env = "GRADUS_DATA")]
    data: PathBuf,
    /// Only what nobody took.
    #[arg(long)]
    undelivered: bool,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=999))]
    limit: u16,
    #[command(flatten)]
    format: FormatArgs,
}

/// A message, as it is printed.
#[derive(Serialize)]
struct Shown {
    at: String,
    notification: String,
    pipeline: String,
    title: String,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(super) async fn run(arguments: ListArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let ledger = SqliteLedger::open_read_only(&ledger_file(&arguments.data))?;
    let wanted = arguments.undelivered.then_some("undelivered");
    let messages = ledger.messages(wanted, usize::from(arguments.limit)).await?;
    if let Some(text) = arguments.format.text(&messages.iter().map(shown).collect::<Vec<_>>())? {
        printer.text(text);
        return Ok(ExitCode::SUCCESS);
    }
    if messages.is_empty() {
        printer.note(if arguments.undelivered { "everything was taken" } else { "nothing was told yet" });
        return Ok(ExitCode::SUCCESS);
    }
    let clock = clock();
    let mut table = Table::default();
    for message in &messages {
        let tone = match message.state.as_str() {
            "undelivered" => Tone::Bad,
            "pending" => Tone::Waiting,
            _ => Tone::Good,
        };
        let title = match &message.why {
            Some(why) => format!("{}: {why}", message.title),
            None => message.title.clone(),
        };
        table.row(vec![
            Cell::new(clock.at(message.at)),
            Cell::toned(tone, &message.state),
            Cell::new(&message.notification),
            Cell::new(title),
        ]);
    }
    printer.text(table.render(printer));
    Ok(ExitCode::SUCCESS)
}

fn shown(message: &gradus_local::Message) -> Shown {
    Shown {
        at: message.at.to_string(),
        notification: message.notification.clone(),
        pipeline: message.pipeline.to_string(),
        title: message.title.clone(),
        state: message.state.clone(),
        why: message.why.clone(),
    }
}
