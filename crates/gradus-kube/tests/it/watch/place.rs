//! A namespace in a real cluster, and watches that look at it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gradus_core::names::{Namespace, PipelineKey};
use gradus_core::pipeline::{ClusterKind, ClusterRef};
use gradus_engine::port::clock::SystemClock;
use gradus_evidence::ObjectRef;
use gradus_kube::clusters::{ClusterKey, ClusterOptions, Clusters, Consent, Patience};
use gradus_kube::watch::{Blind, Sight, Wanted, WatchOptions, WatchStats, Watches};
use gradus_testbed::{ControlPlane, User};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

/// How long a test waits for what has to become true.
const LONG: Duration = Duration::from_secs(60);

/// A namespace of a cluster, and watches that look at it.
pub(crate) struct Place {
    pub(crate) plane: &'static ControlPlane,
    pub(crate) namespace: String,
    pub(crate) watches: Watches,
    pub(crate) pipeline: PipelineKey,
    wakes: Arc<AtomicUsize>,
}

/// Options under which a test sees the end of every wait.
pub(crate) fn quick() -> (ClusterOptions, WatchOptions) {
    let patience = Patience { connect: Duration::from_secs(2), read: Duration::from_secs(6) };
    let clusters = ClusterOptions {
        patience,
        refresh: Duration::from_secs(3600),
        retry: Duration::from_millis(200),
        ..ClusterOptions::default()
    };
    let watches = WatchOptions {
        lasts: Duration::from_secs(3),
        believed: Duration::from_millis(500),
        slowest: Duration::from_secs(1),
        not_served: Duration::from_millis(500),
        ..WatchOptions::default()
    };
    (clusters, watches)
}

impl Place {
    /// A namespace of the cluster that all tests share, seen as the administrator.
    pub(crate) async fn new(hint: &str) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        Self::of(plane, hint, User::Admin, quick()).await
    }

    pub(crate) async fn of(
        plane: &'static ControlPlane,
        hint: &str,
        user: User,
        (clusters, watches): (ClusterOptions, WatchOptions),
    ) -> Self {
        let namespace = plane.namespace(hint).await.unwrap();
        let own = plane.client(user).await.unwrap();
        let clusters = Clusters::new(own, clusters, Arc::new(SystemClock));
        let wakes = Arc::new(AtomicUsize::new(0));
        let count = wakes.clone();
        let watches = Watches::new(clusters, watches, move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let pipeline = PipelineKey::parse(&format!("{namespace}/app")).unwrap();
        Self { plane, namespace, watches, pipeline, wakes }
    }

    /// How often a pipeline was told to look.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(Ordering::SeqCst)
    }

    pub(crate) fn config_map(&self, name: &str) -> ObjectRef {
        ObjectRef::new("", "ConfigMap", &self.namespace, name)
    }

    pub(crate) fn api(&self, client: kube::Client) -> Api<ConfigMap> {
        Api::namespaced(client, &self.namespace)
    }

    /// Writes a value into a ConfigMap.
    pub(crate) async fn write(&self, name: &str, value: &str) {
        let client = self.plane.client(User::Admin).await.unwrap();
        let object = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "labels": {"app": name}}, "data": {"value": value},
        });
        let params = PatchParams::apply("test").force();
        self.api(client).patch(name, &params, &Patch::Apply(&object)).await.unwrap();
    }

    pub(crate) async fn delete(&self, name: &str) {
        let client = self.plane.client(User::Admin).await.unwrap();
        self.api(client).delete(name, &DeleteParams::default()).await.unwrap();
    }

    /// Writes a Secret, with annotations.
    pub(crate) async fn secret(&self, name: &str, key: &str, value: &str, allow_from: Option<&str>) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {
                "name": name, "namespace": self.namespace,
                "annotations": allow_from.map(|from| BTreeMap::from([("gradus.dev/allow-from", from)])),
            },
            "stringData": {key: value},
        });
        self.plane.apply(&secret.to_string()).await.unwrap();
    }

    /// The cluster that an object of this namespace describes, for a pipeline of this one.
    pub(crate) fn cluster(&self, kind: ClusterKind, name: &str) -> ClusterKey {
        self.cluster_from(kind, name, &self.namespace)
    }

    pub(crate) fn cluster_from(&self, kind: ClusterKind, name: &str, asker: &str) -> ClusterKey {
        let namespace = Namespace::parse(&self.namespace).unwrap();
        let reference = ClusterRef { kind, namespace, name: name.into() };
        ClusterKey::of(Some(&reference), &Namespace::parse(asker).unwrap(), Consent::Needed)
    }

    /// Wants ConfigMaps, whole.
    pub(crate) fn want(&self, cluster: &ClusterKey, names: &[&str]) {
        let one = |name: &&str| Wanted::one(cluster, &self.config_map(name)).whole();
        self.watches.want(&self.pipeline, names.iter().map(one).collect());
    }

    /// What is seen of a ConfigMap, in one word.
    pub(crate) fn word(&self, cluster: &ClusterKey, name: &str) -> String {
        match self.watches.see(cluster, &self.config_map(name)) {
            Sight::Seen(value) => value["data"]["value"].as_str().unwrap_or("no value").to_owned(),
            Sight::Missing => "missing".to_owned(),
            Sight::Unknown(blind) => format!("{:?}", blind.kind),
        }
    }

    /// Waits until a ConfigMap is seen like this.
    pub(crate) async fn until(&self, cluster: &ClusterKey, name: &str, word: &str) {
        let seen = || self.word(cluster, name);
        eventually(|| seen() == word, || format!("{name} is {word}, not {}: {:?}", seen(), self.stats()))
            .await;
    }

    /// Why an object is not seen.
    pub(crate) fn blind(&self, cluster: &ClusterKey, name: &str) -> Blind {
        match self.watches.see(cluster, &self.config_map(name)) {
            Sight::Unknown(blind) => blind,
            Sight::Seen(_) | Sight::Missing => panic!("{name} is seen"),
        }
    }

    pub(crate) fn stats(&self) -> Vec<WatchStats> {
        self.watches.stats()
    }
}

/// Waits until something is so.
pub(crate) async fn eventually(so: impl Fn() -> bool, what: impl Fn() -> String) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < LONG, "waited in vain until {}", what());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
