//! How the parts are started, and when they are ready.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::GetParams;
use kube::core::Request;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::{ControlPlane, Parts, Ports, Programs};
use crate::credentials::Credentials;
use crate::guard::Guard;
use crate::part::Part;
use crate::{TestbedError, TestbedErrorKind, User, port};

/// It takes four seconds on two cores that do nothing else.
const PATIENCE: Duration = Duration::from_secs(180);

impl ControlPlane {
    pub(super) async fn with(programs: Programs) -> Result<Self, TestbedError> {
        let folder = TempDir::with_prefix("gradus-testbed-")
            .map_err(TestbedError::machine("could not make a folder for a control plane"))?;
        let guard = Arc::new(Guard::start(folder.path())?);
        let credentials = Credentials::make(folder.path())?;
        let ports = Ports { clients: port::free()?, peers: port::free()?, apiserver: port::free()? };
        let etcd = Part::start("etcd", &programs.etcd, &ports.etcd(), folder.path(), &guard)?;
        let parts = Mutex::new(Parts { controllers: Vec::new(), apiserver: None, etcd });
        let plane =
            Self { parts, with_controllers: OnceCell::new(), credentials, programs, ports, folder, guard };
        plane.start_apiserver().await?;
        Ok(plane)
    }

    /// Starts kube-apiserver where it was, unless it runs, and waits until it answers.
    pub async fn start_apiserver(&self) -> Result<(), TestbedError> {
        if self.parts().apiserver.is_none() {
            let program = &self.programs.apiserver;
            let arguments = self.apiserver();
            let part = Part::start("kube-apiserver", program, &arguments, self.folder(), &self.guard)?;
            self.parts().apiserver = Some(part);
        }
        let client = self.client(User::Admin).await?;
        self.wait_for("kube-apiserver to be ready", async || {
            let ready = Request::new("").get("readyz", &GetParams::default()).ok()?;
            client.request_text(ready).await.ok()?;
            // Made by kube-apiserver itself, some time after it says that it is ready.
            Api::<Namespace>::all(client.clone()).get("default").await.ok()
        })
        .await?;
        Ok(())
    }

    /// Asks again until there is an answer, as long as all parts run.
    pub(crate) async fn wait_for<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T, TestbedError> {
        let begun = Instant::now();
        loop {
            self.check()?;
            // What hangs is asked anew.
            if let Ok(Some(answer)) = tokio::time::timeout(Duration::from_secs(10), ask()).await {
                return Ok(answer);
            }
            if begun.elapsed() > PATIENCE {
                let last = self.parts().apiserver.as_ref().map(Part::last_words).unwrap_or_default();
                let message = format!("waited {PATIENCE:?} for {what}; kube-apiserver said:\n{last}");
                return Err(TestbedError::new(TestbedErrorKind::NotReady, message));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn check(&self) -> Result<(), TestbedError> {
        let mut parts = self.parts();
        parts.etcd.check()?;
        parts.apiserver.iter_mut().try_for_each(Part::check)?;
        parts.controllers.iter_mut().try_for_each(Part::check)
    }

    fn apiserver(&self) -> Vec<String> {
        let own = [
            format!("--etcd-servers=http://127.0.0.1:{}", self.ports.clients),
            format!("--secure-port={}", self.ports.apiserver),
            format!("--cert-dir={}", self.folder().display()),
            format!("--tls-cert-file={}", self.path("server.crt")),
            format!("--tls-private-key-file={}", self.path("server.key")),
            format!("--client-ca-file={}", self.path("ca.crt")),
            format!("--token-auth-file={}", self.path("tokens.csv")),
            format!("--service-account-key-file={}", self.path("accounts.pub")),
            format!("--service-account-signing-key-file={}", self.path("accounts.key")),
        ];
        let same = [
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--disable-admission-plugins=ServiceAccount",
        ];
        own.into_iter().chain(same.map(str::to_owned)).collect()
    }
}

impl Ports {
    fn etcd(&self) -> Vec<String> {
        let (clients, peers) = (self.clients, self.peers);
        vec![
            "--data-dir=etcd".to_owned(),
            format!("--listen-client-urls=http://127.0.0.1:{clients}"),
            format!("--advertise-client-urls=http://127.0.0.1:{clients}"),
            format!("--listen-peer-urls=http://127.0.0.1:{peers}"),
            format!("--initial-advertise-peer-urls=http://127.0.0.1:{peers}"),
            format!("--initial-cluster=default=http://127.0.0.1:{peers}"),
            // What is written is gone with the folder anyway.
            "--unsafe-no-fsync".to_owned(),
            "--log-level=warn".to_owned(),
        ]
    }
}
