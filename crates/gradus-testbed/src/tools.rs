//! Where the programs are.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::sync::Mutex;

use crate::{TestbedError, TestbedErrorKind};

/// Something that `scripts/test-tools.sh` finds or builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// etcd, where kube-apiserver keeps everything.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// kube-controller-manager, which makes Pods of Deployments.
    ControllerManager,
    /// kube-scheduler, which gives Pods a node.
    Scheduler,
    /// kubectl.
    Kubectl,
    /// kwok, which plays nodes.
    Kwok,
    /// The file that tells kwok what to do with Nodes and Pods.
    KwokStages,
    /// The folder with the definitions of Flux's kinds.
    FluxCrds,
    /// Helm.
    Helm,
    /// Gitea.
    Gitea,
    /// The folder with the pages and texts that Gitea reads.
    GiteaFiles,
    /// jq, which a script asks what is in JSON.
    Jq,
    /// The program that plays a story on a forge through clients that others wrote.
    ForgeClients,
    /// The server of OpenSSH, or the folder in which `start` is it.
    Sshd,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::KwokStages => "kwok-stages",
            Self::FluxCrds => "flux-crds",
            Self::Helm => "helm",
            Self::Gitea => "gitea",
            Self::GiteaFiles => "gitea-files",
            Self::Jq => "jq",
            Self::ForgeClients => "forge-clients",
            Self::Sshd => "sshd",
        }
    }
}

/// Where a tool is. Builds it if it is nowhere, which takes minutes the first
/// time; what the build says goes to standard error.
pub async fn find_tool(tool: Tool) -> Result<PathBuf, TestbedError> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/test-tools.sh");
    let name = tool.name();
    let failed = || format!("could not get {name} from {script}");
    // The tests of a program start together, and not every system lets the script
    // wait for itself.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let output = tokio::process::Command::new(script)
        .arg(name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(TestbedError::machine(failed()))?
        .wait_with_output()
        .await
        .map_err(TestbedError::machine(failed()))?;
    if !output.status.success() {
        return Err(TestbedError::new(TestbedErrorKind::Tools, format!("{}; it says why above", failed())));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    match said.trim_end().split_once(' ') {
        Some((first, place)) if first == name => Ok(PathBuf::from(place)),
        Some(_) | None => {
            Err(TestbedError::new(TestbedErrorKind::Tools, format!("{}: it printed {said:?}", failed())))
        }
    }
}
