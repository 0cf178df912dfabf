//! What people install: `config/` with kubectl and `charts/gradus` with Helm, in a
//! real control plane.

mod admission;
mod chart;
mod documents;
mod kustomize;
mod pods;
mod rights;
mod weave;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use gradus_testbed::{ControlPlane, Tool, User, find_tool};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::OnceCell;

/// The repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The shared control plane with `config/default` in it.
async fn installed() -> &'static ControlPlane {
    static DONE: OnceCell<()> = OnceCell::const_new();
    let plane = ControlPlane::shared().await.unwrap();
    DONE.get_or_init(async || {
        let crds = ["wait", "--for=condition=Established", "--timeout=120s", "crd"];
        let names = DEFINITIONS;
        kubectl(plane, &["apply", "--server-side", "-k", "config/default"], "").await.unwrap();
        kubectl(plane, &[&crds[..], &names[..]].concat(), "").await.unwrap();
    })
    .await;
    plane
}

const DEFINITIONS: [&str; 7] = [
    "approvals.gradus.dev",
    "checks.gradus.dev",
    "holds.gradus.dev",
    "notifications.gradus.dev",
    "pipelines.gradus.dev",
    "promotions.gradus.dev",
    "pipelines.pipelines.weave.works",
];

/// What kubectl says, as the administrator, or else why not.
async fn kubectl(plane: &ControlPlane, arguments: &[&str], input: &str) -> Result<String, String> {
    static KUBECTL: OnceCell<PathBuf> = OnceCell::const_new();
    static KUBECONFIG: OnceCell<PathBuf> = OnceCell::const_new();
    let write = async || {
        let path = plane.folder().join("kubeconfig-of-install");
        std::fs::write(&path, plane.kubeconfig(User::Admin).unwrap()).unwrap();
        path
    };
    // Once: who reads it meanwhile would read a part.
    let kubeconfig = KUBECONFIG.get_or_init(write).await;
    let cache = plane.folder().join("kubectl-cache");
    let mut command =
        Command::new(KUBECTL.get_or_init(async || find_tool(Tool::Kubectl).await.unwrap()).await);
    command.arg("--kubeconfig").arg(kubeconfig).arg("--cache-dir").arg(cache).args(arguments);
    said(command, input).await
}

/// What Helm says of the chart, which asks no cluster.
async fn helm(plane: &ControlPlane, arguments: &[&str], values: &str) -> Result<String, String> {
    let mut command = Command::new(find_tool(Tool::Helm).await.unwrap());
    for name in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
        command.env(name, plane.folder().join("helm"));
    }
    command.args(arguments).args(["--values", "-"]);
    said(command, values).await
}

async fn said(mut command: Command, input: &str) -> Result<String, String> {
    command.current_dir(root()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who does not read its input may be gone already.
    let (_written, output) = tokio::join!(
        async {
            let written = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
            written
        },
        child.wait_with_output()
    );
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        // What differs goes to standard output.
        false => Err(text(&[output.stderr, output.stdout].concat())),
    }
}

/// A client of the administrator that speaks for a ServiceAccount.
async fn service_account(plane: &ControlPlane, namespace: &str, name: &str) -> Client {
    let mut kubeconfig = Kubeconfig::from_yaml(&plane.kubeconfig(User::Admin).unwrap()).unwrap();
    let user = kubeconfig.auth_infos[0].auth_info.as_mut().unwrap();
    user.impersonate = Some(format!("system:serviceaccount:{namespace}:{name}"));
    user.impersonate_groups = Some(vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
        "system:authenticated".to_owned(),
    ]);
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    Client::try_from(config).unwrap()
}

/// Asks until it is so, for a while; whether it is.
async fn eventually(mut ask: impl AsyncFnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if ask().await {
            return true;
        }
        if begun.elapsed() > Duration::from_secs(30) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Whether labels hold all of a selector, which must not be empty.
fn selects(selector: &BTreeMap<String, String>, labels: &BTreeMap<String, String>) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}
