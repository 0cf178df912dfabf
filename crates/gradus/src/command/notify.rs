//! `gradus notify`: whether messages arrive, and which did.

mod list;
mod test;

use std::process::ExitCode;

use clap::Subcommand;

use crate::error::CliError;
use crate::output::Printer;

/// Looks whether notifications arrive.
#[derive(Debug, clap::Args)]
pub(crate) struct NotifyArgs {
    #[command(subcommand)]
    what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum What {
    Test(test::TestArgs),
    List(list::ListArgs),
}

pub(crate) async fn run(arguments: NotifyArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    match arguments.what {
        What::Test(arguments) => test::run(arguments, printer).await,
        What::List(arguments) => list::run(arguments, printer).await,
    }
}
