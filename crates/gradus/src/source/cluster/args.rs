//! Which cluster is meant.

use std::path::{Path, PathBuf};

use gradus_kube::ask::{Cluster, Place};

use super::super::text;
use super::failed;
use crate::error::CliError;

/// Which cluster to ask.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ClusterArgs {
    /// A context of your kubeconfig: ask that cluster, in your own name [env: GRADUS_CONTEXT].
    #[arg(long, value_name = "NAME", conflicts_with_all = ["server", "config", "data", "in_cluster"])]
    pub(crate) context: Option<String>,
    /// Kubeconfig of the cluster to ask [env: KUBECONFIG].
    #[arg(long, value_name = "FILE", conflicts_with_all = ["server", "config", "data", "in_cluster"])]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Ask the cluster that this runs in, as the pod's service account.
    #[arg(long, conflicts_with_all = ["server", "config", "data"])]
    pub(crate) in_cluster: bool,
}

impl ClusterArgs {
    /// The cluster that the command line names.
    pub(crate) fn named(&self) -> Option<Place> {
        if self.in_cluster {
            return Some(Place::InCluster);
        }
        if self.context.is_none() && self.kubeconfig.is_none() {
            return None;
        }
        let context = self.context.clone().or_else(|| text("GRADUS_CONTEXT"));
        Some(Place::Kubeconfig { file: self.kubeconfig.clone(), context })
    }

    /// The cluster that the environment names.
    pub(crate) fn from_env() -> Option<Place> {
        text("GRADUS_CONTEXT").map(|context| Place::Kubeconfig { file: None, context: Some(context) })
    }

    /// The cluster of the current context, where this is `kubectl gradus`.
    pub(crate) fn as_plugin() -> Option<Place> {
        let program = std::env::args_os().next()?;
        let name = Path::new(&program).file_stem()?.to_str()?;
        (name == "kubectl-gradus").then_some(Place::Kubeconfig { file: None, context: None })
    }
}

/// Which cluster to ask, where nothing but a cluster can be asked.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Where to look")]
pub(crate) struct OneClusterArgs {
    /// A context of your kubeconfig; the current one when left out [env: GRADUS_CONTEXT].
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Kubeconfig of the cluster [env: KUBECONFIG].
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The cluster that this runs in, as the pod's service account.
    #[arg(long, conflicts_with_all = ["context", "kubeconfig"])]
    in_cluster: bool,
}

impl OneClusterArgs {
    /// The cluster that is named; else that of the current context.
    pub(crate) async fn open(self) -> Result<Cluster, CliError> {
        let Self { context, kubeconfig, in_cluster } = self;
        let named = ClusterArgs { context, kubeconfig, in_cluster }.named();
        let current = || Place::Kubeconfig { file: None, context: None };
        let place = named.or_else(ClusterArgs::from_env).unwrap_or_else(current);
        Cluster::open(&place).await.map_err(failed)
    }
}
