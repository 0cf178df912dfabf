//! The objects in a real kube-apiserver, which nothing but this program acts on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gradus_testbed::{Client, ControlPlane, Tool, User, find_tool};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::git::Git;

/// Where the pipelines are.
pub(crate) const NAMESPACE: &str = "apps";
pub(crate) const ENVIRONMENTS: [&str; 5] = ["dev", "test", "staging", "prod-eu", "prod-us"];
/// How many requests are under way at the same time.
const AT_ONCE: usize = 32;
pub(crate) const RELEASES: &str = "/apis/helm.toolkit.fluxcd.io/v2/namespaces";

pub(crate) struct Cluster {
    plane: ControlPlane,
    client: Client,
    kubeconfig: PathBuf,
    /// The definition of HelmReleases as it is, with a status that is written by itself.
    definition: String,
}

pub(crate) enum Health {
    Deploying,
    Healthy,
}

impl Cluster {
    pub(crate) async fn start(folder: &Path) -> Self {
        let plane = ControlPlane::start().await.expect("a control plane");
        let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/crd");
        for entry in std::fs::read_dir(definitions).expect("config/crd") {
            let path = entry.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("a file");
            if !path.ends_with("kustomization.yaml") {
                plane.apply(&text).await.expect("our kinds");
            }
        }
        let flux = find_tool(Tool::FluxCrds).await.expect("the definitions of Flux");
        let file = flux.join("helm.toolkit.fluxcd.io_helmreleases.yaml");
        let definition = std::fs::read_to_string(file).expect("the definition of HelmReleases");
        for name in ENVIRONMENTS.iter().chain([&NAMESPACE]) {
            let yaml = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
            plane.apply(&yaml).await.expect("a namespace");
        }
        let kubeconfig = folder.join("kubeconfig");
        std::fs::write(&kubeconfig, plane.kubeconfig(User::Admin).expect("a kubeconfig")).expect("a file");
        let client = plane.client(User::Admin).await.expect("a client");
        Self { plane, client, kubeconfig, definition }
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Declares pipelines, with a healthy HelmRelease for each environment.
    pub(crate) async fn load(&self, pipelines: Range<usize>, git: &Git) {
        // Objects get their status as they are made, which halves the requests, and only then a status of its own.
        let open = self.definition.replace("    subresources:\n      status: {}\n", "");
        assert_ne!(open, self.definition, "the definition has a status of its own");
        let kind = "helmreleases.helm.toolkit.fluxcd.io";
        let served = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{kind}");
        if self.ask("GET", &served, None).await.is_err() {
            self.plane.apply(&open).await.expect("the definition of HelmReleases");
        } else {
            let none = json!([{"op": "remove", "path": "/spec/versions/0/subresources"}]);
            self.patch(&served, "application/json-patch+json", &none).await;
        }
        // The server takes a moment to serve it so.
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let client = self.client.clone();
        let mut tasks = JoinSet::new();
        for number in pipelines {
            let place = places.clone().acquire_owned().await.expect("it stays open");
            let (client, url) = (client.clone(), git.url(number));
            tasks.spawn(async move {
                for environment in ENVIRONMENTS {
                    let path = format!("{RELEASES}/{environment}/helmreleases");
                    let mut object = release(number, environment);
                    object["status"] = status(number, environment, "1.0.0", 1, &Health::Healthy);
                    ask(&client, "POST", &path, Some(&object)).await.expect("a HelmRelease");
                }
                let path = format!("/apis/gradus.dev/v1alpha1/namespaces/{NAMESPACE}/pipelines");
                ask(&client, "POST", &path, Some(&pipeline(number, &url))).await.expect("a Pipeline");
                drop(place);
            });
            while let Some(ended) = tasks.try_join_next() {
                ended.expect("an object is made");
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("an object is made");
        }
        let own = json!([{"op": "add", "path": "/spec/versions/0/subresources", "value": {"status": {}}}]);
        self.patch(&served, "application/json-patch+json", &own).await;
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    }

    /// A HelmRelease is declared at a version, and says how it is.
    pub(crate) async fn tell(&self, pipeline: usize, environment: &str, version: &str, health: Health) {
        let path = format!("{RELEASES}/{environment}/helmreleases/app-{pipeline}");
        let spec = json!({"spec": {"chart": {"spec": {"version": version}}}});
        let merge = "application/merge-patch+json";
        if matches!(health, Health::Deploying) {
            self.patch(&path, merge, &spec).await;
        }
        let status = json!({"status": status(pipeline, environment, version, 2, &health)});
        self.patch(&format!("{path}/status"), merge, &status).await;
    }

    /// How many requests for objects that matter there were, by what they asked for.
    pub(crate) async fn requests(&self) -> BTreeMap<String, u64> {
        let text = self.ask("GET", "/metrics", None).await.expect("figures");
        let mut requests = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("apiserver_request_total{")) {
            let Some((labels, number)) = line.rsplit_once("} ") else { continue };
            let label = |name: &str| {
                let found = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""));
                found.map(|value| value.trim_end_matches('"').to_owned()).unwrap_or_default()
            };
            let group = label("group");
            if ["gradus.dev", "helm.toolkit.fluxcd.io", "coordination.k8s.io"].contains(&group.as_str()) {
                let what = format!("{} {}", label("verb"), label("resource"));
                *requests.entry(what).or_default() += number.parse::<f64>().unwrap_or_default() as u64;
            }
        }
        requests
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<String, String> {
        ask(&self.client, method, path, body).await
    }

    async fn patch(&self, path: &str, kind: &str, body: &Value) {
        patch(&self.client, path, kind, body).await;
    }

    /// Whoever may do everything.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }
}

/// Changes an object; as it is then.
pub(crate) async fn patch(client: &Client, path: &str, kind: &str, body: &Value) -> String {
    let request = http::Request::patch(path).header("content-type", kind);
    let request = request.body(body.to_string().into_bytes()).expect("a request");
    client.request_text(request).await.expect("an object is changed")
}

/// What a client can be asked for; its type belongs to the crate that makes it.
async fn ask(client: &Client, method: &str, path: &str, body: Option<&Value>) -> Result<String, String> {
    let request =
        http::Request::builder().method(method).uri(path).header("content-type", "application/json");
    let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
    let request = request.body(body).expect("a request");
    client.request_text(request).await.map_err(|error| format!("{method} {path}: {error}"))
}

fn pipeline(number: usize, url: &str) -> Value {
    let environments = ENVIRONMENTS.map(|environment| {
        json!({"name": environment, "targets": [{"namespace": environment}], "promote": {"strategy": "push"}})
    });
    json!({
        "apiVersion": "gradus.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": format!("app-{number}"), "namespace": NAMESPACE},
        "spec": {
            "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": format!("app-{number}")},
            "repository": {"url": url, "branch": "main"},
            "environments": environments,
        },
    })
}

fn release(number: usize, environment: &str) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {
            "name": format!("app-{number}"), "namespace": environment,
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": environment,
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            },
        },
        "spec": {
            "chart": {"spec": {
                "chart": format!("app-{number}"), "version": "1.0.0",
                "sourceRef": {"kind": "HelmRepository", "name": "charts", "namespace": "flux-system"},
            }},
            "install": {"remediation": {"retries": 1}}, "interval": "10m", "timeout": "5m",
            "upgrade": {"remediation": {"remediateLastFailure": true, "retries": 1}},
            "values": {"replicaCount": 3, "ingress": {"enabled": true, "host": format!("app-{number}.example.com")}},
        },
    })
}

pub(crate) fn status(
    number: usize,
    environment: &str,
    version: &str,
    generation: u64,
    health: &Health,
) -> Value {
    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let since = match generation {
        1 => "2026-01-05T08:20:43Z".to_owned(),
        _ => jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    };
    let condition = |of: &str, status: &str, reason: &str, message: &str| {
        json!({
            "type": of, "status": status, "reason": reason, "message": message,
            "observedGeneration": generation, "lastTransitionTime": since,
        })
    };
    let done = format!(
        "Helm upgrade succeeded for release {environment}/app-{number}.v1 with chart app-{number}@{version}"
    );
    let conditions = match health {
        Health::Healthy => vec![
            condition("Ready", "True", "UpgradeSucceeded", &done),
            condition("Released", "True", "UpgradeSucceeded", &done),
        ],
        Health::Deploying => vec![
            condition("Reconciling", "True", "Progressing", "Running 'upgrade' action with timeout of 5m0s"),
            condition("Ready", "Unknown", "Progressing", "Running 'upgrade' action with timeout of 5m0s"),
        ],
    };
    let released = match health {
        Health::Healthy => version,
        Health::Deploying => "1.0.0",
    };
    json!({
        "conditions": conditions,
        "history": [{
            "appVersion": released, "chartName": format!("app-{number}"), "chartVersion": released,
            "configDigest": DIGEST, "digest": DIGEST, "firstDeployed": since, "lastDeployed": since,
            "name": format!("app-{number}"), "namespace": environment, "status": "deployed", "version": generation,
        }],
        "inventory": {"entries": [
            {"id": format!("{environment}_app-{number}_apps_Deployment"), "v": "v1"},
            {"id": format!("{environment}_app-{number}__Service"), "v": "v1"},
        ]},
        "lastAttemptedConfigDigest": DIGEST, "lastAttemptedGeneration": generation,
        "lastAttemptedReleaseAction": "upgrade", "lastAttemptedRevision": version,
        "observedGeneration": generation, "storageNamespace": environment,
    })
}
