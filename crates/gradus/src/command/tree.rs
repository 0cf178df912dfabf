//! `gradus tree`: what Flux made of a cluster.

use std::collections::BTreeMap;
use std::process::ExitCode;

use gradus_kube::ask::{AskErrorKind, Cluster};
use gradus_kube::{Root, Sighted, tree, tree_kinds};
use tokio::task::JoinSet;

use crate::error::CliError;
use crate::output::Printer;
use crate::source::{OneClusterArgs, clock, failed};

/// Shows what Flux made of a cluster: sources, what is applied from them, and the workloads.
///
/// Each line has the version and whether it works. A HelmRelease whose chart has no
/// fixed version is shown as floating; what is named and not there is missing.
#[derive(Debug, clap::Args)]
pub(crate) struct TreeArgs {
    /// Only from this object on, such as hr/podinfo or Kustomization/apps.
    #[arg(value_name = "KIND/NAME")]
    object: Option<String>,
    /// Only what is in this namespace.
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    #[command(flatten)]
    cluster: OneClusterArgs,
}

pub(crate) async fn run(arguments: TreeArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let TreeArgs { object, namespace, cluster } = arguments;
    let root = match (object, namespace) {
        (None, None) => Root::All,
        (None, Some(namespace)) => Root::Namespace(namespace),
        (Some(object), namespace) => {
            let Some((kind, name)) = object.split_once('/') else {
                return Err(CliError::usage(format!("{object:?} is not KIND/NAME, such as hr/podinfo")));
            };
            Root::Object { kind: kind.to_owned(), namespace, name: name.to_owned() }
        }
    };
    let cluster = cluster.open().await?;
    let doing = format!("asking {}...", cluster.name());
    let seen = printer.patiently(&doing, seen(&cluster, printer)).await?;
    let text =
        tree(&seen, &root, &clock()).map_err(|error| CliError::failed(error.to_string()).help(error.help))?;
    if text.is_empty() {
        printer.note("there is nothing that Flux made");
    }
    printer.text(text);
    Ok(ExitCode::SUCCESS)
}

/// All objects that stand in the tree. Kinds that may not be listed are unknown.
async fn seen(cluster: &Cluster, printer: &Printer) -> Result<Sighted, CliError> {
    let mut tasks = JoinSet::new();
    for kind in tree_kinds() {
        let cluster = cluster.clone();
        tasks.spawn(async move {
            let listed = cluster.list_all(&kind).await;
            (kind, listed)
        });
    }
    let (mut objects, mut blind) = (Vec::new(), BTreeMap::new());
    let mut listed = tasks.join_all().await;
    listed.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (kind, listed) in listed {
        match listed {
            Ok(found) => objects.extend(found),
            Err(error) if error.kind == AskErrorKind::NotServed => {}
            Err(error) if error.kind == AskErrorKind::Forbidden => {
                printer.note(format!("note: {error}"));
                blind.insert(kind, error.to_string());
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(Sighted::new(objects, blind))
}
