//! `gradus explain`: why an environment is as it is.

use std::process::ExitCode;

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::source::SourceArgs;

/// Explains why a release is, or is not, in an environment.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// The environment.
    environment: String,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: ExplainArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open(printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let explanation = source.explain(&key, &arguments.environment).await?;
    if let Some(text) = arguments.format.text(&explanation)? {
        printer.text(text);
        return Ok(ExitCode::SUCCESS);
    }
    for (at, line) in explanation.text.lines().enumerate() {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        if at == 0 { printer.line(printer.toned(Tone::Strong, &line)) } else { printer.line(line) }
    }
    Ok(ExitCode::SUCCESS)
}
