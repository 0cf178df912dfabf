//! `gradus ledger`: looks after the record.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use gradus_local::{SqliteLedger, ledger_file};

use crate::error::CliError;
use crate::output::Printer;

/// Looks after the ledger, the record of what was said and done.
#[derive(Debug, clap::Args)]
pub(crate) struct LedgerArgs {
    #[command(subcommand)]
    what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum What {
    Backup(BackupArgs),
}

/// Copies the ledger into one new file, also while a server uses it.
#[derive(Debug, clap::Args)]
struct BackupArgs {
    /// Data directory of `gradus serve`.
    #[arg(long, value_name = "DIR", env = "GRADUS_DATA")]
    data: PathBuf,
    /// The file to write; one that is there is not overwritten.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

pub(crate) async fn run(arguments: LedgerArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let What::Backup(backup) = arguments.what;
    let ledger = SqliteLedger::open_read_only(&ledger_file(&backup.data))?;
    printer.patiently("copying...", ledger.backup(&backup.to)).await?;
    printer.line(format!("wrote {}", backup.to.display()));
    Ok(ExitCode::SUCCESS)
}
