//! `gradus approve`: a person says yes.

use std::process::ExitCode;

use gradus_server::api::v1;

use super::asked;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::Printer;
use crate::source::{PersonArgs, SourceArgs};

/// Says yes to a release in an environment: to the one that is next, or to one by its version.
#[derive(Debug, clap::Args)]
pub(crate) struct ApproveArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// For which environment; may be left out where only one has something waiting.
    #[arg(long, visible_alias = "environment", value_name = "ENV")]
    to: Option<String>,
    /// Which version, or ARTIFACT=VERSION pairs; what is next when left out.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Say what would be recorded, and record nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: ApproveArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open_for(&arguments.person, printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let environment = asked::environment(&source, &key, arguments.to.as_deref()).await?;
    if arguments.dry_run {
        let explanation = source.explain(&key, &environment).await?;
        let next = explanation.environment.next.map(|next| next.release.to_string());
        let Some(version) = arguments.version.or(next) else {
            return Err(CliError::failed(format!("nothing waits to come into {environment}")));
        };
        printer.line(format!(
            "dry run, nothing is recorded: approval of {} {version} in {environment}",
            key.name
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let body = v1::Approve { environment: environment.clone(), version: arguments.version };
    let said = source.approve(&key, &body).await?;
    let recorded = format!("approved {} {} in {environment}", key.name, said.asked.release);
    asked::tell(&recorded, said, arguments.format, printer)?;
    Ok(ExitCode::SUCCESS)
}
