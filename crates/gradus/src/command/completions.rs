//! `gradus completions`: for the shell.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CliError;
use crate::output::Printer;

/// Prints completions for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "For bash: source <(gradus completions bash)")]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

pub(crate) async fn run(arguments: CompletionsArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "gradus", &mut script);
    printer.text(String::from_utf8_lossy(&script));
    Ok(ExitCode::SUCCESS)
}
