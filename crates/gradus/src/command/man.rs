//! `gradus man`: manual pages.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::error::CliError;
use crate::output::Printer;

/// Prints the manual page, or writes those of all commands into a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Write the pages of all commands into this folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(crate) async fn run(arguments: ManArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    command.build();
    let Some(dir) = arguments.dir else {
        let mut page = Vec::new();
        let written = clap_mangen::Man::new(command).render(&mut page);
        written.map_err(|error| CliError::because("writing the manual page", error))?;
        printer.text(String::from_utf8_lossy(&page));
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |error| CliError::because(format!("writing manual pages into {}", dir.display()), error);
    std::fs::create_dir_all(&dir).map_err(failed)?;
    clap_mangen::generate_to(command, &dir).map_err(failed)?;
    printer.line(format!("wrote the manual pages into {}", dir.display()));
    Ok(ExitCode::SUCCESS)
}
