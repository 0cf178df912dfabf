//! Which cluster is asked, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use kube::Config;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::Cluster;
use super::error::{AskError, AskErrorKind};
use crate::clusters::wire::chain;

const CONNECT: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_secs(60);

/// Which cluster is asked, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The cluster that this runs in, as the pod's service account.
    InCluster,
    /// A context of a kubeconfig. It is the user's own, and may ask for everything.
    Kubeconfig {
        /// Which file; `KUBECONFIG` or the usual one when absent.
        file: Option<PathBuf>,
        /// Which context; the current one when absent.
        context: Option<String>,
    },
}

impl Cluster {
    /// The way to a cluster. Nothing is asked of it yet.
    pub async fn open(place: &Place) -> Result<Self, AskError> {
        let (mut config, name) = match place {
            Place::InCluster => (in_cluster()?, "this cluster".to_owned()),
            Place::Kubeconfig { file, context } => from_kubeconfig(file.clone(), context.clone()).await?,
        };
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(READ);
        config.write_timeout = Some(READ);
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        // A kubeconfig may name a program that is waited for.
        let made =
            tokio::task::spawn_blocking(move || ClientBuilder::try_from(config).map(ClientBuilder::build));
        match made.await {
            Ok(Ok(client)) => Ok(Self::new(client, &namespace, &name)),
            Ok(Err(error)) => Err(unusable(format!("making a client for {name}: {}", chain(&error)))),
            Err(_) => Err(unusable(format!("making a client for {name} failed"))),
        }
    }
}

fn unusable(message: String) -> AskError {
    AskError::new(AskErrorKind::NoCluster, message)
}

fn in_cluster() -> Result<Config, AskError> {
    Config::incluster().map_err(|error| {
        unusable(format!("reading the pod's service account: {}", chain(&error)))
            .help("--in-cluster is for pods; elsewhere name a context of your kubeconfig with --context")
    })
}

async fn from_kubeconfig(
    file: Option<PathBuf>,
    context: Option<String>,
) -> Result<(Config, String), AskError> {
    let shown = file.as_ref().map_or_else(|| "the kubeconfig".to_owned(), |file| file.display().to_string());
    let failed = |error: &KubeconfigError| {
        // The parser shows the lines around a mistake, and in one of them is a key or a token.
        let why = if matches!(error, KubeconfigError::Parse(_)) {
            "it cannot be parsed".to_owned()
        } else {
            chain(error)
        };
        unusable(format!("reading {shown}: {why}"))
    };
    let read = tokio::task::spawn_blocking(move || match file {
        Some(file) => Kubeconfig::read_from(file),
        None => Kubeconfig::read(),
    });
    let kubeconfig = match read.await {
        Ok(read) => read.map_err(|error| failed(&error))?,
        Err(_) => return Err(unusable(format!("reading {shown} failed"))),
    };
    let known: Vec<String> = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
    let wanted = context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default();
    if !known.contains(&wanted) {
        let message = match &context {
            Some(context) => format!("{shown} has no context {context}"),
            None => format!("{shown} names no current context"),
        };
        let help = match known.as_slice() {
            [] => "it has no contexts at all".to_owned(),
            known => format!("there is {}", known.join(", ")),
        };
        return Err(unusable(message).help(help));
    }
    let options = KubeConfigOptions { context, ..KubeConfigOptions::default() };
    let config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| failed(&error))?;
    Ok((config, format!("cluster {wanted}")))
}
