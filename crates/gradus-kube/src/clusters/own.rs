//! The cluster that gradus runs in, or is pointed at.

use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use super::kubeconfig::Patience;
use super::trouble::ClusterTroubleKind;
use super::wire::chain;

/// How the own cluster is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnCluster {
    /// By the service account of the pod.
    InCluster,
    /// By a context of the user's own kubeconfig; the current one when absent. It is
    /// the user's, and may ask for everything.
    Context(Option<String>),
    /// By the service account where there is one, else by the user's kubeconfig.
    Either,
}

/// The own cluster cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OwnClusterError {
    /// What kind of trouble.
    pub kind: ClusterTroubleKind,
    message: String,
}

/// A client for the own cluster. Nothing is asked of it yet.
pub async fn own_client(which: &OwnCluster, patience: Patience) -> Result<Client, OwnClusterError> {
    let mut config = match which {
        OwnCluster::InCluster => in_cluster()?,
        OwnCluster::Context(context) => from_context(context.clone()).await?,
        OwnCluster::Either => match in_cluster() {
            Ok(config) => config,
            Err(_not_in_a_pod) => from_context(None).await?,
        },
    };
    config.connect_timeout = Some(patience.connect);
    config.read_timeout = Some(patience.read);
    config.write_timeout = Some(patience.read);
    config.default_retry = false;
    let made =
        tokio::task::spawn_blocking(move || ClientBuilder::try_from(config).map(ClientBuilder::build)).await;
    match made {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(unusable(format!("making a client for the own cluster: {}", chain(&error)))),
        Err(_) => Err(unusable("making a client for the own cluster failed".to_owned())),
    }
}

fn unusable(message: String) -> OwnClusterError {
    OwnClusterError { kind: ClusterTroubleKind::Unusable, message }
}

fn in_cluster() -> Result<Config, OwnClusterError> {
    Config::incluster().map_err(|error| OwnClusterError {
        kind: ClusterTroubleKind::Missing,
        message: format!("reading the pod's service account: {}", chain(&error)),
    })
}

async fn from_context(context: Option<String>) -> Result<Config, OwnClusterError> {
    let failed = |error: &KubeconfigError| {
        // The parser shows the lines around a mistake, and in one of them is a key or a token.
        let why = if matches!(error, KubeconfigError::Parse(_)) {
            "it cannot be parsed".to_owned()
        } else {
            chain(error)
        };
        unusable(format!("reading the kubeconfig: {why}"))
    };
    let kubeconfig = Kubeconfig::read().map_err(|error| failed(&error))?;
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| failed(&error))
}
