//! `gradus overview`: the pipelines that labels make.

use std::process::ExitCode;

use gradus_kube::ask::AskErrorKind;
use gradus_kube::{OverviewOptions, overview, overview_kinds};

use crate::error::CliError;
use crate::output::Printer;
use crate::source::{OneClusterArgs, failed};

/// Shows the pipelines that labels on Kustomizations of Flux make, with what runs in each stage.
///
/// A Kustomization with the labels pipelines.weave.works/name and
/// pipelines.weave.works/stage (a number from 0) is a stage. Below it are the
/// Deployments and HelmReleases that it applied, with their versions.
#[derive(Debug, clap::Args)]
pub(crate) struct OverviewArgs {
    /// Show where people find what runs in a stage: the annotation metadata.weave.works/app-url.
    #[arg(long)]
    urls: bool,
    #[command(flatten)]
    cluster: OneClusterArgs,
}

pub(crate) async fn run(arguments: OverviewArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let OverviewArgs { urls, cluster } = arguments;
    let cluster = cluster.open().await?;
    let doing = format!("asking {}...", cluster.name());
    let looked = async {
        let mut objects = Vec::new();
        for kind in overview_kinds() {
            match cluster.list_all(&kind).await {
                Ok(listed) => objects.extend(listed),
                // Who has no Helm has no releases.
                Err(error) if error.kind == AskErrorKind::NotServed => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(objects)
    };
    let objects = printer.patiently(&doing, looked).await?;
    let text = overview(&objects, OverviewOptions { urls });
    if text.is_empty() {
        printer.note("no pipelines: no Kustomization has the label pipelines.weave.works/name");
    }
    printer.text(text);
    Ok(ExitCode::SUCCESS)
}
