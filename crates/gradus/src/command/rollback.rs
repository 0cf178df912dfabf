//! `gradus rollback`: a person asks for an older release.

use std::process::ExitCode;

use gradus_server::api::v1;

use super::asked;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::Printer;
use crate::source::{PersonArgs, SourceArgs};

/// Asks for an older release in an environment: the one that was there before, or one by its version.
#[derive(Debug, clap::Args)]
pub(crate) struct RollbackArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// In which environment.
    #[arg(long, visible_alias = "environment", value_name = "ENV")]
    to: String,
    /// To which version, or ARTIFACT=VERSION pairs; what was there before when left out.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Past the gates, where the environment allows it: why. It is recorded.
    #[arg(long, value_name = "WHY", requires = "version", conflicts_with = "reason")]
    emergency: Option<String>,
    /// Why.
    #[arg(long, value_name = "WHY")]
    reason: Option<String>,
    /// Say what would be done, and record nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for what gradus in the cluster answers.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn run(arguments: RollbackArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open_for(&arguments.person, printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let body = v1::Rollback {
        environment: arguments.to.clone(),
        version: arguments.version,
        emergency: arguments.emergency.is_some(),
        reason: arguments.emergency.or(arguments.reason),
        dry_run: arguments.dry_run,
    };
    let said = source.rollback(&key, &body, !arguments.no_wait).await?;
    let release = &said.asked.release;
    let recorded = if release.versions.is_empty() {
        format!("asked to go back to what {} had before in {}", key.name, arguments.to)
    } else {
        format!("asked to go back to {} {release} in {}", key.name, arguments.to)
    };
    asked::tell(&recorded, said, arguments.format, printer)?;
    Ok(ExitCode::SUCCESS)
}
