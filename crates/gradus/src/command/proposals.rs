//! `gradus proposals`: the proposals of a pipeline.

use std::process::ExitCode;

use gradus_server::api::v1;

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::source::{SourceArgs, clock};
use crate::table::{Cell, Table};

/// Lists the proposals of a pipeline, newest first; of a cluster those that are open.
#[derive(Debug, clap::Args)]
pub(crate) struct ProposalsArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// Only those that are open.
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: ProposalsArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let mut list = source.proposals(&key).await?;
    list.items.retain(|proposal| !arguments.open || proposal.state == v1::ProposalState::Open);
    if let Some(text) = arguments.format.text(&list)? {
        printer.text(text);
        return Ok(ExitCode::SUCCESS);
    }
    if list.items.is_empty() {
        printer.note("no proposals");
        return Ok(ExitCode::SUCCESS);
    }
    let clock = clock();
    let mut table = Table::default();
    for proposal in &list.items {
        let (tone, state) = match proposal.state {
            v1::ProposalState::Open => (Tone::Waiting, "open"),
            v1::ProposalState::Merged => (Tone::Good, "merged"),
            v1::ProposalState::Closed => (Tone::Dim, "closed"),
        };
        let why = proposal.closed_because.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        let title = if proposal.title.is_empty() { &proposal.branch } else { &proposal.title };
        let url = proposal.url.as_ref().map_or_else(String::new, |url| format!(" {url}"));
        table.row(vec![
            Cell::new(proposal.number.to_string()),
            Cell::new(&proposal.environment),
            Cell::toned(tone, state),
            Cell::new(clock.ago(proposal.changed_at.0)),
            Cell::new(format!("{title}{why}{url}")),
        ]);
    }
    printer.text(table.render(printer));
    Ok(ExitCode::SUCCESS)
}
