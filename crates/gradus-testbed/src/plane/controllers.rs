//! What acts on what is declared.

use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::ControlPlane;
use crate::part::Part;
use crate::tools::{Tool, find_tool};
use crate::{TestbedError, User};

const NODE: &str = "node-1";

const CONTROLLERS: &str = "--controllers=deployment-controller,replicaset-controller,statefulset-controller,\
                           daemonset-controller,job-controller,namespace-controller,\
                           garbage-collector-controller,serviceaccount-controller";

impl ControlPlane {
    /// Starts kube-controller-manager, kube-scheduler, and one node that kwok plays,
    /// unless they run: Deployments, StatefulSets, DaemonSets and Jobs get Pods, which
    /// become ready without anything running in them, and what is deleted goes.
    pub async fn with_controllers(&self) -> Result<(), TestbedError> {
        self.with_controllers.get_or_try_init(|| self.start_controllers()).await.copied()
    }

    async fn start_controllers(&self) -> Result<(), TestbedError> {
        let manager = find_tool(Tool::ControllerManager).await?;
        let scheduler = find_tool(Tool::Scheduler).await?;
        let kwok = find_tool(Tool::Kwok).await?;
        let stages = find_tool(Tool::KwokStages).await?;

        let kubeconfig = self.path("admin.yaml");
        std::fs::write(&kubeconfig, self.kubeconfig(User::Admin)?)
            .map_err(TestbedError::machine(format!("could not write {kubeconfig}")))?;
        let kubeconfig = format!("--kubeconfig={kubeconfig}");
        let own = |more: &[&str]| -> Vec<String> {
            std::iter::once(kubeconfig.clone()).chain(more.iter().map(|text| (*text).to_owned())).collect()
        };
        let alone = "--leader-elect=false";
        let silent = "--secure-port=0";
        let config = format!("--config={}", stages.display());
        let started = [
            ("kube-controller-manager", manager, own(&[alone, silent, CONTROLLERS])),
            ("kube-scheduler", scheduler, own(&[alone, silent])),
            ("kwok", kwok, own(&["--manage-all-nodes", &config])),
        ]
        .into_iter()
        .map(|(name, program, arguments)| Part::start(name, &program, &arguments, self.folder(), &self.guard))
        .collect::<Result<Vec<_>, _>>()?;
        self.parts().controllers = started;
        self.make_node().await
    }

    async fn make_node(&self) -> Result<(), TestbedError> {
        let doing = || format!("could not make the node {NODE}");
        self.apply(&json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}).to_string())
            .await?;
        let nodes: Api<Node> = Api::all(self.client(User::Admin).await?);
        // New nodes are tainted, and who would take the taint away is not among the controllers.
        let open = json!({"spec": {"taints": null}});
        nodes
            .patch(NODE, &PatchParams::default(), &Patch::Merge(open))
            .await
            .map_err(TestbedError::refused(doing()))?;
        self.wait_for("the node to be ready", async || {
            let status = nodes.get(NODE).await.ok()?.status?;
            status.conditions?.into_iter().find(|one| one.type_ == "Ready" && one.status == "True")
        })
        .await?;
        Ok(())
    }
}
