//! `gradus doctor`: whether something outside can be used, and what to do if not.

mod forge;
mod git;

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use crate::error::CliError;
use crate::output::{Printer, Tone};
use crate::table::{Cell, Table};

use forge::ForgeArgs;
use git::GitArgs;

/// Looks whether something outside can be used, and what to do if not. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 all is well, 1 something fails.")]
pub(crate) struct DoctorArgs {
    #[command(subcommand)]
    what: What,
}

/// What to look at.
#[derive(Debug, Subcommand)]
enum What {
    /// A Git repository.
    Git(GitArgs),
    /// A forge: where people review what is proposed.
    Forge(ForgeArgs),
}

/// What was found.
#[derive(Serialize)]
struct Findings {
    /// Of what.
    url: String,
    /// One after the other.
    checks: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    name: &'static str,
    state: State,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// How it is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Ok,
    Warn,
    Fail,
}

pub(crate) async fn run(arguments: DoctorArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let (what, format, all) = match arguments.what {
        What::Git(git) => {
            let format = git.format;
            ("git", format, vec![printer.patiently("asking the host...", git::look(git)).await?])
        }
        What::Forge(forge) => {
            let format = forge.format;
            ("forge", format, printer.patiently("asking the forge...", forge::look(forge)).await?)
        }
    };
    // A manifest may name several; an address is one.
    let text = match all.as_slice() {
        [one] => format.text(one)?,
        several => format.text(&several)?,
    };
    match text {
        Some(text) => printer.text(text),
        None => all.iter().for_each(|findings| show(what, findings, printer)),
    }
    let failed = all.iter().flat_map(|findings| &findings.checks).any(|one| one.state == State::Fail);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn show(what: &str, findings: &Findings, printer: &Printer) {
    printer.line(format!("{} {}", printer.toned(Tone::Strong, what), findings.url));
    let mut table = Table::default();
    for finding in &findings.checks {
        let (tone, word) = match finding.state {
            State::Ok => (Tone::Good, "ok"),
            State::Warn => (Tone::Waiting, "warn"),
            State::Fail => (Tone::Bad, "fail"),
        };
        table.row(vec![Cell::new(finding.name), Cell::toned(tone, word), Cell::new(&finding.detail)]);
        if let Some(help) = &finding.help {
            table.row(vec![Cell::new(""), Cell::new(""), Cell::new(help)]);
        }
    }
    printer.text(table.render(printer));
}
