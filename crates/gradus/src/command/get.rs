//! `gradus get`: lists of what there is.

use std::process::ExitCode;

use clap::Subcommand;
use gradus_kube::Kind;
use gradus_server::api::v1;
use serde::Serialize;

use super::status::{self, StatusArgs};
use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::source::{HistoryAsk, SaidObject, Source, SourceArgs, clock};
use crate::table::{Cell, Table};

/// So many of what was said of one pipeline are listed.
const MOST: usize = 200;

/// Lists pipelines, holds, promotions or approvals.
#[derive(Debug, clap::Args)]
pub(crate) struct GetArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The pipelines: the same as `gradus status`.
    #[command(visible_aliases = ["pipeline", "gpipe"])]
    Pipelines(StatusArgs),
    /// The pins and freezes that people set.
    #[command(visible_aliases = ["hold", "ghold"])]
    Holds(ListArgs),
    /// What people asked for, newest first.
    #[command(visible_aliases = ["promotion", "gpromo"])]
    Promotions(ListArgs),
    /// What people said yes to, newest first.
    #[command(visible_aliases = ["approval", "gappr"])]
    Approvals(ListArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// Only those of this pipeline: its name, or NAMESPACE/NAME.
    pipeline: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// A list as data.
#[derive(Serialize)]
struct Items<'a, T> {
    items: &'a [T],
}

pub(crate) async fn run(arguments: GetArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    match arguments.what {
        What::Pipelines(arguments) => status::run(arguments, printer).await,
        What::Holds(arguments) => holds(arguments, printer).await,
        What::Promotions(arguments) => said(arguments, Kind::Promotion, printer).await,
        What::Approvals(arguments) => said(arguments, Kind::Approval, printer).await,
    }
}

async fn holds(arguments: ListArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    let mut items = match &source {
        Source::Server(server) => server.client.get::<v1::HoldList>("/api/v1/holds").await?.items,
        Source::Cluster(cluster) => cluster.holds().await?,
        Source::Folder(_) => in_folder(&arguments.source)?,
    };
    if let Some(given) = &arguments.pipeline {
        let key = source.key(given).await?;
        items.retain(|hold| hold.namespace == key.namespace.as_str() && hold.pipeline == key.name.as_str());
    }
    if items.is_empty() {
        printer.note("no holds");
    }
    let clock = clock();
    let rows = items.iter().map(|hold| {
        let place = match &hold.environment {
            Some(environment) => format!("{}/{} {environment}", hold.namespace, hold.pipeline),
            None => format!("{}/{}", hold.namespace, hold.pipeline),
        };
        let what = hold.pin.as_ref().map_or_else(|| "freeze".to_owned(), |pin| format!("pin {pin}"));
        let until = hold.until.map_or_else(|| "-".to_owned(), |until| format!("until {}", clock.at(until.0)));
        [hold.name.clone(), place, what, hold.owner.clone(), until, hold.reason.clone()]
            .map(Cell::new)
            .to_vec()
    });
    listed(rows.collect(), &Items { items: &items }, arguments.format, printer)
}

fn in_folder(source: &SourceArgs) -> Result<Vec<v1::Hold>, CliError> {
    let (config, _) = ConfigFolder::new(&source.config())?.read()?;
    let of = |(key, pipeline): (
        &gradus_core::names::PipelineKey,
        &std::sync::Arc<gradus_core::pipeline::Pipeline>,
    )| {
        let shown = |hold: &gradus_core::pipeline::Hold| v1::Hold {
            name: hold.name.to_string(),
            namespace: key.namespace.to_string(),
            pipeline: key.name.to_string(),
            environment: hold.environment.as_ref().map(ToString::to_string),
            pin: hold.pin.as_ref().map(v1::Release::from),
            reason: hold.reason.to_string(),
            owner: hold.owner.to_string(),
            since: hold.since.map(v1::Time),
            until: hold.until.map(v1::Time),
            place: None,
        };
        pipeline.holds.iter().map(shown).collect::<Vec<_>>()
    };
    let mut holds: Vec<v1::Hold> = config.pipelines.iter().flat_map(of).collect();
    holds.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    Ok(holds)
}

async fn said(arguments: ListArgs, kind: Kind, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    let key = match &arguments.pipeline {
        Some(given) => Some(source.key(given).await?),
        None => None,
    };
    let mut items = match &source {
        Source::Cluster(cluster) => cluster.said(kind).await?,
        Source::Server(_) | Source::Folder(_) => recorded(&source, kind).await?,
    };
    if let Some(key) = &key {
        let pipeline = key.to_string();
        items.retain(|said| said.pipeline == pipeline);
    }
    if items.is_empty() {
        printer.note(format!("no {}", kind.plural()));
    }
    let clock = clock();
    let rows = items.iter().map(|said| {
        let at = said.at.0.to_zoned(clock.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let state = said.state.as_deref().unwrap_or("-");
        let tone = match state {
            "done" | "taken" => Tone::Good,
            "refused" => Tone::Bad,
            _ => Tone::Waiting,
        };
        vec![
            Cell::toned(Tone::Dim, at),
            Cell::new(format!("{} {}", said.pipeline, said.environment)),
            Cell::new(said.release.as_deref().unwrap_or("-")),
            Cell::toned(tone, state),
            Cell::new(&said.by),
            Cell::new(said.message.as_deref().unwrap_or_default()),
        ]
    });
    listed(rows.collect(), &Items { items: &items }, arguments.format, printer)
}

/// The same from a record that has no objects.
async fn recorded(source: &Source, kind: Kind) -> Result<Vec<SaidObject>, CliError> {
    let mut items = Vec::new();
    for pipeline in source.statuses().await? {
        let name = format!("{}/{}", pipeline.namespace, pipeline.name);
        let key = source.key(&name).await?;
        let ask = HistoryAsk { environment: None, all: false, limit: MOST };
        for entry in source.history(&key, &ask).await?.items {
            let (release, by, at, message) = match (kind, entry.event) {
                (Kind::Promotion, v1::HistoryEvent::Request { request }) => {
                    (request.release, request.by, request.at, request.reason)
                }
                (Kind::Approval, v1::HistoryEvent::Approval { release, by, at, .. }) => {
                    (release, by, at, None)
                }
                (_, _) => continue,
            };
            items.push(SaidObject {
                name: entry.id.to_string(),
                pipeline: name.clone(),
                environment: entry.environment.unwrap_or_default(),
                release: Some(release.to_string()),
                by,
                at,
                state: None,
                message,
            });
        }
    }
    items.sort_by_key(|said| std::cmp::Reverse(said.at));
    Ok(items)
}

fn listed(
    rows: Vec<Vec<Cell>>,
    items: &impl Serialize,
    format: FormatArgs,
    printer: &Printer,
) -> Result<ExitCode, CliError> {
    if let Some(text) = format.text(items)? {
        printer.text(text);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::default();
    for row in rows {
        table.row(row);
    }
    printer.text(table.render(printer));
    Ok(ExitCode::SUCCESS)
}
