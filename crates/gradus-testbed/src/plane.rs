//! A cluster's control plane.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{ObjectMeta, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config, ResourceExt as _};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::credentials::Credentials;
use crate::guard::Guard;
use crate::part::Part;
use crate::tools::{Tool, find_tool};
use crate::{TestbedError, TestbedErrorKind, User};

mod chaos;
mod controllers;
mod start;

/// etcd and kube-apiserver in a folder of their own, reached on the loopback
/// address. They are killed and the folder removed when this is dropped, and when
/// the program that started them ends.
///
/// RBAC decides, and every feature is as released. Two things are not as in a
/// cluster: nothing acts on what is declared before
/// [`with_controllers`](Self::with_controllers), so that a deleted Namespace stays
/// and a Deployment makes no Pods; and Pods need no ServiceAccount.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped in this order: the parts, their folder, and then who watches over both.
    parts: Mutex<Parts>,
    with_controllers: OnceCell<()>,
    credentials: Credentials,
    programs: Programs,
    ports: Ports,
    folder: TempDir,
    guard: Arc<Guard>,
}

#[derive(Debug)]
struct Parts {
    controllers: Vec<Part>,
    apiserver: Option<Part>,
    etcd: Part,
}

#[derive(Debug, Clone)]
struct Programs {
    etcd: PathBuf,
    apiserver: PathBuf,
}

#[derive(Debug)]
struct Ports {
    clients: u16,
    peers: u16,
    apiserver: u16,
}

impl ControlPlane {
    /// Starts a control plane and waits until it answers. The programs are built
    /// if they are nowhere, which takes minutes the first time.
    pub async fn start() -> Result<Self, TestbedError> {
        let programs =
            Programs { etcd: find_tool(Tool::Etcd).await?, apiserver: find_tool(Tool::ApiServer).await? };
        let mut tries = 0;
        loop {
            match Self::with(programs.clone()).await {
                Err(error) if error.kind == TestbedErrorKind::PortTaken && tries < 3 => tries += 1,
                done => return done,
            }
        }
    }

    /// The one control plane that all tests of a program share. Nobody stops or
    /// pauses its parts; a test works in a [namespace](Self::namespace) of its own.
    pub async fn shared() -> Result<&'static Self, TestbedError> {
        static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    /// Where kube-apiserver listens.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.apiserver)
    }

    /// The certificate of the authority that signed kube-apiserver's.
    pub fn ca_pem(&self) -> &str {
        self.credentials.ca_pem()
    }

    /// Where files, logs and data are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A kubeconfig in which somebody shows a token.
    pub fn kubeconfig(&self, user: User) -> Result<String, TestbedError> {
        self.credentials.kubeconfig(&self.url(), user)
    }

    /// A kubeconfig in which somebody shows a certificate. It names only the first
    /// of their groups.
    pub fn kubeconfig_with_certificate(&self, user: User) -> Result<String, TestbedError> {
        self.credentials.kubeconfig_with_certificate(&self.url(), user)
    }

    /// A client that speaks for somebody. It belongs to the runtime it was made in,
    /// so each test makes its own.
    pub async fn client(&self, user: User) -> Result<Client, TestbedError> {
        client(&self.kubeconfig(user)?).await
    }

    /// Makes a namespace that nobody else has and says how it is called: a hint, and
    /// some letters behind it.
    pub async fn namespace(&self, hint: &str) -> Result<String, TestbedError> {
        let namespaces: Api<Namespace> = Api::all(self.client(User::Admin).await?);
        let metadata = ObjectMeta { generate_name: Some(format!("{hint}-")), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let made = namespaces.create(&PostParams::default(), &namespace).await;
        Ok(made.map_err(TestbedError::refused(format!("could not make a namespace for {hint}")))?.name_any())
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> String {
        self.folder().join(name).display().to_string()
    }
}

/// A client for what a kubeconfig says.
pub(crate) async fn client(kubeconfig: &str) -> Result<Client, TestbedError> {
    const DOING: &str = "could not make a client for the cluster";
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(TestbedError::machine(DOING))?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(TestbedError::machine(DOING))?;
    Client::try_from(config).map_err(TestbedError::machine(DOING))
}
