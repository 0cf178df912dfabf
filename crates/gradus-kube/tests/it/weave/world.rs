//! A namespace in a real cluster, and a controller that looks after it.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use gradus_core::names::Namespace;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_kube::clusters::{ClusterOptions, Clusters, Patience};
use gradus_kube::watch::{WatchOptions, Watches};
use gradus_kube::weave::{
    EventPoster, LEVEL_TRIGGERED, NoPullRequests, PullRequests, WeaveController, WeaveOptions, WeaveParts,
};
use gradus_kube::{Scope, Secrets};
use gradus_testbed::{ControlPlane, User};
use gradus_weave::ObjectName;
use gradus_weave::kind::Pipeline;
use k8s_openapi::api::events::v1::Event;
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams};
use kube::{Api, ResourceExt as _};
use serde_json::{Value, json};
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinHandle;

/// How long a test waits for what has to become true.
const LONG: Duration = Duration::from_secs(60);

/// The definitions of all kinds but Flux's.
pub(crate) const KINDS: [&str; 3] = [
    include_str!("../../../../../config/crd/pipelines.weave.works_pipelines.yaml"),
    include_str!("crd/gitopsclusters.yaml"),
    include_str!("crd/fakes.yaml"),
];

/// Takes events, or does not, and keeps what it got.
#[derive(Default)]
pub(crate) struct Listener {
    pub(crate) is_down: bool,
    pub(crate) got: Mutex<Vec<Value>>,
}

#[async_trait]
impl EventPoster for Listener {
    async fn post(&self, address: &str, json: Vec<u8>) -> Result<u16, PortError> {
        assert_eq!(address, ADDRESS);
        if self.is_down {
            return Err(PortError::new(PortErrorKind::Unreachable, "posting an event"));
        }
        self.got.lock().unwrap().push(serde_json::from_slice(&json).unwrap());
        Ok(202)
    }
}

const ADDRESS: &str = "http://notification-controller.flux-system.svc.cluster.local./";

/// A namespace, and a controller that looks after its pipelines.
pub(crate) struct World {
    pub(crate) plane: &'static ControlPlane,
    pub(crate) namespace: String,
    pub(crate) controller: Arc<WeaveController>,
    pub(crate) watches: Watches,
    pub(crate) listener: Arc<Listener>,
    pub(crate) leads: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// How a world is.
pub(crate) struct Setup {
    pub(crate) level: bool,
    pub(crate) leads: bool,
    pub(crate) user: User,
    pub(crate) listener: Listener,
    pub(crate) pull_requests: Arc<dyn PullRequests>,
    /// How often the description of a cluster is read again.
    pub(crate) refresh: Duration,
}

impl Default for Setup {
    fn default() -> Self {
        let refresh = Duration::from_secs(3600);
        let (listener, pull_requests) = (Listener::default(), Arc::new(NoPullRequests));
        Self { level: false, leads: true, user: User::Admin, listener, pull_requests, refresh }
    }
}

impl World {
    /// A world under the classic rule.
    pub(crate) async fn classic() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world under the level-triggered rule.
    pub(crate) async fn level() -> Self {
        Self::with(Setup { level: true, ..Setup::default() }).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        static KINDS_ARE_THERE: OnceCell<()> = OnceCell::const_new();
        let plane = ControlPlane::shared().await.unwrap();
        KINDS_ARE_THERE
            .get_or_init(|| async {
                plane.apply(&KINDS.join("\n---\n")).await.unwrap();
                plane.flux_crds().await.unwrap();
            })
            .await;
        let namespace = plane.namespace("weave").await.unwrap();
        Self::of(plane, namespace, setup).await
    }

    pub(crate) async fn of(plane: &'static ControlPlane, namespace: String, setup: Setup) -> Self {
        let client = plane.client(setup.user).await.unwrap();
        let patience = Patience { connect: Duration::from_secs(2), read: Duration::from_secs(6) };
        let clusters = ClusterOptions {
            patience,
            refresh: setup.refresh,
            retry: Duration::from_millis(200),
            ..ClusterOptions::default()
        };
        let watches = WatchOptions {
            lasts: Duration::from_secs(3),
            believed: Duration::from_millis(500),
            slowest: Duration::from_secs(1),
            not_served: Duration::from_millis(500),
            unused: Duration::from_millis(200),
            ..WatchOptions::default()
        };
        let clusters = Clusters::new(client.clone(), clusters, Arc::new(SystemClock));
        let watches = Watches::new(clusters, watches, |_| {});
        let listener = Arc::new(setup.listener);
        let controller = Arc::new(WeaveController::new(WeaveParts {
            client: client.clone(),
            watches: watches.clone(),
            secrets: Secrets::new(client),
            poster: listener.clone(),
            pull_requests: setup.pull_requests,
            clock: Arc::new(SystemClock),
            scope: Scope { namespace: Namespace::parse(&namespace).ok(), ..Scope::default() },
            options: WeaveOptions {
                level_triggered: setup.level,
                events_addr: Some(ADDRESS.to_owned()),
                identity: "replica-1".to_owned(),
                ..WeaveOptions::default()
            },
        }));
        let (leads, leading) = watch::channel(setup.leads);
        let (stop, stopping) = watch::channel(false);
        let task = tokio::spawn(controller.clone().run(leading, stopping));
        Self { plane, namespace, controller, watches, listener, leads, stop, task }
    }

    /// Stops the controller, and waits until it has.
    pub(crate) async fn end(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(LONG, self.task).await.unwrap().unwrap();
    }

    /// Declares an object in the namespace, with its status if it has one.
    pub(crate) async fn apply(&self, mut object: Value) {
        object["metadata"]["namespace"] = json!(self.namespace);
        let status = object.as_object_mut().unwrap().remove("status");
        self.plane.apply(&object.to_string()).await.unwrap();
        if let Some(status) = status {
            object.as_object_mut().unwrap().remove("spec");
            object["status"] = status;
            self.plane.apply_status(&object.to_string()).await.unwrap();
        }
    }

    /// Declares a pipeline for the application `web`, of this kind.
    pub(crate) async fn pipeline(&self, name: &str, kind: &str, environments: Value, promotion: Value) {
        self.apply(pipeline(name, kind, environments, promotion)).await;
    }

    /// Declares the Kustomization `web` in a target: a namespace that is this one with
    /// a hint behind it.
    pub(crate) async fn runs(&self, hint: &str, revision: &str, ready: bool) {
        let ready = if ready { "True" } else { "False" };
        self.kustomization(
            hint,
            json!({"lastAppliedRevision": revision, "conditions": [condition("Ready", ready)]}),
        )
        .await;
    }

    pub(crate) async fn kustomization(&self, hint: &str, status: Value) {
        let source = json!({"kind": "GitRepository", "name": "web"});
        let mut object = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": "web", "namespace": self.place(hint)},
            "spec": {"interval": "5m", "prune": true, "sourceRef": source},
        });
        self.plane.apply(&object.to_string()).await.unwrap();
        if !status.is_null() {
            object.as_object_mut().unwrap().remove("spec");
            object["status"] = status;
            self.plane.apply_status(&object.to_string()).await.unwrap();
        }
    }

    /// The namespace of a target, which is made.
    pub(crate) async fn target(&self, hint: &str) -> Value {
        let name = self.place(hint);
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.plane.apply(&namespace.to_string()).await.unwrap();
        json!({"namespace": name})
    }

    /// An environment with one target of its name.
    pub(crate) async fn environment(&self, name: &str) -> Value {
        json!({"name": name, "targets": [self.target(name).await]})
    }

    pub(crate) fn place(&self, hint: &str) -> String {
        format!("{}-{hint}", self.namespace)
    }

    /// Declares the object of a cluster whose kubeconfig is in the Secret of its name.
    pub(crate) async fn cluster(&self, name: &str, ready: Option<&str>) {
        let status = ready.map(|ready| json!({"conditions": [condition("Ready", ready)]}));
        let mut object = json!({
            "apiVersion": "gitops.weave.works/v1alpha1", "kind": "GitopsCluster",
            "metadata": {"name": name}, "spec": {"secretRef": {"name": name}},
        });
        if let Some(status) = status {
            object["status"] = status;
        }
        self.apply(object).await;
    }

    pub(crate) async fn kubeconfig(&self, name: &str, key: &str, kubeconfig: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {key: kubeconfig},
        });
        self.apply(secret).await;
    }

    /// A pipeline as it is now.
    pub(crate) async fn get(&self, name: &str) -> Pipeline {
        self.try_get(name).await.unwrap()
    }

    pub(crate) async fn try_get(&self, name: &str) -> Option<Pipeline> {
        let named = |text: &str| ObjectName::parse(text).unwrap();
        self.controller.pipeline(&named(&self.namespace), &named(name)).await.unwrap()
    }

    /// Waits until a pipeline's conditions are these.
    pub(crate) async fn until(&self, name: &str, conditions: &str) -> Pipeline {
        self.until_it(name, conditions, |pipeline| self.conditions(pipeline) == conditions).await
    }

    /// Waits until a pipeline is like this.
    pub(crate) async fn until_it(&self, name: &str, what: &str, so: impl Fn(&Pipeline) -> bool) -> Pipeline {
        let begun = Instant::now();
        loop {
            let pipeline = self.get(name).await;
            if so(&pipeline) {
                return pipeline;
            }
            let shown = || {
                let status = serde_json::to_string_pretty(&pipeline.status).unwrap();
                format!("waited in vain for {what}: {status}\n{:#?}", self.watches.stats())
            };
            assert!(begun.elapsed() < LONG, "{}", shown());
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Conditions, a line each, without the namespace's random name.
    pub(crate) fn conditions(&self, pipeline: &Pipeline) -> String {
        let line = |one: &gradus_weave::kind::Condition| {
            format!("{}={} {}: {}", one.kind, one.status, one.reason, one.message)
        };
        let lines: Vec<String> = pipeline.status.conditions.iter().map(line).collect();
        lines.join("\n").replace(&self.namespace, "NS")
    }

    /// The targets of an environment, a line each.
    pub(crate) fn targets(&self, pipeline: &Pipeline, environment: &str) -> String {
        let Some(status) = pipeline.status.environments.get(environment) else { return String::new() };
        let line = |one: &gradus_weave::kind::TargetStatus| {
            let ready = if one.ready { "ready" } else { "not ready" };
            format!("{} {ready} {}", one.revision, one.error).trim().to_owned()
        };
        let lines: Vec<String> = status.targets.iter().map(line).collect();
        lines.join("\n").replace(&self.namespace, "NS")
    }

    /// What was told of a pipeline, in the order in which it was.
    pub(crate) async fn events(&self, name: &str) -> Vec<Event> {
        let client = self.plane.client(User::Admin).await.unwrap();
        let api: Api<Event> = Api::namespaced(client, &self.namespace);
        let mut events: Vec<Event> = api.list(&ListParams::default()).await.unwrap().items;
        events.retain(|event| event.regarding.as_ref().and_then(|about| about.name.as_deref()) == Some(name));
        events.sort_by_key(|event| event.event_time.as_ref().map(|at| at.0));
        events
    }

    /// The same in words, without the namespace's random name.
    pub(crate) async fn told(&self, name: &str) -> Vec<String> {
        self.events(name).await.iter().map(|event| self.words(event)).collect()
    }

    pub(crate) fn words(&self, event: &Event) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        format!("{} {} {}", text(&event.type_), text(&event.reason), text(&event.note))
            .replace(&self.namespace, "NS")
    }

    /// Waits until exactly this was told.
    pub(crate) async fn until_told(&self, name: &str, told: &[&str]) {
        eventually(&format!("{told:?} is told"), async || {
            let now = self.told(name).await;
            if now == told { Ok(()) } else { Err(format!("{now:#?}")) }
        })
        .await;
    }

    /// What the listener got.
    pub(crate) fn posted(&self) -> Vec<Value> {
        self.listener.got.lock().unwrap().clone()
    }

    /// Takes an object away.
    pub(crate) async fn delete(&self, api_version: &str, kind: &str, namespace: &str, name: &str) {
        let client = self.plane.client(User::Admin).await.unwrap();
        let (group, version) = api_version.split_once('/').unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<DynamicObject> = Api::namespaced_with(client, namespace, &resource);
        let gone = api.delete(name, &DeleteParams::default()).await.unwrap();
        if let Some(object) = gone.left() {
            assert_eq!(object.name_any(), name);
        }
    }
}

/// A pipeline for the application `web`, of this kind.
pub(crate) fn pipeline(name: &str, kind: &str, environments: Value, promotion: Value) -> Value {
    let api_version = match kind {
        "HelmRelease" => "helm.toolkit.fluxcd.io/v2",
        "Kustomization" => "kustomize.toolkit.fluxcd.io/v1",
        _ => "test.weave.works/v1alpha1",
    };
    let mut spec = json!({
        "appRef": {"apiVersion": api_version, "kind": kind, "name": "web"},
        "environments": environments,
    });
    if !promotion.is_null() {
        spec["promotion"] = promotion;
    }
    json!({
        "apiVersion": "pipelines.weave.works/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": name}, "spec": spec,
    })
}

/// The same under the level-triggered rule, whatever the controller's is.
pub(crate) fn level_triggered(mut pipeline: Value) -> Value {
    pipeline["metadata"]["annotations"] = json!({LEVEL_TRIGGERED: "true"});
    pipeline
}

pub(crate) fn condition(kind: &str, status: &str) -> Value {
    json!({
        "type": kind, "status": status, "reason": "Tested", "message": "as the test says",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    })
}

pub(crate) fn notification() -> Value {
    json!({"strategy": {"notification": {}}})
}

/// A target in a cluster that an object of the namespace describes.
pub(crate) fn in_cluster(cluster: &str, mut target: Value) -> Value {
    target["clusterRef"] = json!({"kind": "GitopsCluster", "name": cluster});
    target
}

/// Waits until something is so.
pub(crate) async fn eventually<T, F>(what: &str, ask: impl Fn() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let begun = Instant::now();
    loop {
        match ask().await {
            Ok(found) => return found,
            Err(seen) => assert!(begun.elapsed() < LONG, "waited in vain until {what}: {seen}"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
