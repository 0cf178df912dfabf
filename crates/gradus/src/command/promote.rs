//! `gradus promote`: a person asks for a release.

use std::process::ExitCode;

use gradus_server::api::v1;

use super::asked;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::Printer;
use crate::source::{PersonArgs, SourceArgs};

/// Asks for a release in an environment: the one that is next, or one by its version.
///
/// With --server the server takes the steps that follow. With --data, and no
/// server running on it, they are taken here, and what was written is told.
#[derive(Debug, clap::Args)]
pub(crate) struct PromoteArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// Into which environment; may be left out where only one has something waiting.
    #[arg(long, visible_alias = "environment", value_name = "ENV")]
    to: Option<String>,
    /// Which version, or ARTIFACT=VERSION pairs with commas between them; what is next when left out.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Though the environments before have not proven it: why. It is recorded.
    #[arg(long = "override", value_name = "WHY", conflicts_with_all = ["emergency", "reason"])]
    override_why: Option<String>,
    /// Past the gates, where the environment allows it: why. It is recorded.
    #[arg(long, value_name = "WHY", conflicts_with = "reason")]
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

pub(crate) async fn run(arguments: PromoteArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let source = arguments.source.open_for(&arguments.person, printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let environment = asked::environment(&source, &key, arguments.to.as_deref()).await?;
    let body = v1::Promote {
        environment: environment.clone(),
        version: arguments.version,
        override_why: arguments.override_why,
        emergency: arguments.emergency.is_some(),
        reason: arguments.emergency.or(arguments.reason),
        dry_run: arguments.dry_run,
    };
    let said = source.promote(&key, &body, !arguments.no_wait).await?;
    let recorded = format!("asked for {} {} in {environment}", key.name, said.asked.release);
    asked::tell(&recorded, said, arguments.format, printer)?;
    Ok(ExitCode::SUCCESS)
}
