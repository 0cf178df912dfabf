//! A controller on a machine whose clock is an hour off, beside Git, Flux and an API server
//! whose clocks are right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use gradus_core::names::Namespace;
use gradus_engine::fake::{FakeTargets, Fakes};
use gradus_engine::port::{Clock, Ports};
use gradus_engine::{Engine, RunOptions};
use gradus_kube::clusters::Clusters;
use gradus_kube::watch::Watches;
use gradus_kube::{Controller, ControllerParts, EventSink, KubeLedger, KubeTargets, Scope};
use gradus_testbed::{ControlPlane, Objects, User};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::ask::gradus_kinds;
use crate::recordings::flux_kinds;
use crate::watch::place::quick;

const PIPELINE: &str = "gradus.dev/v1alpha1/Pipeline";
const RELEASE: &str = "helm.toolkit.fluxcd.io/v2/HelmRelease";
const SOAK: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine's clock that is off.
struct Off(SignedDuration);

impl Clock for Off {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.0
    }
}

struct Stage {
    objects: Objects,
    namespace: String,
    fakes: Fakes,
    hours: i64,
    // Nobody is told that it does not lead, or that it should stop, before it is dropped.
    _leads: watch::Sender<bool>,
    _stop: watch::Sender<bool>,
    running: JoinHandle<()>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Stage {
    /// A controller whose clock is so many hours ahead.
    async fn new(hours: i64) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        gradus_kinds(plane).await;
        flux_kinds().await;
        let namespace = plane.namespace("skew").await.unwrap();
        let client = plane.client(User::Admin).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Off(SignedDuration::from_hours(hours)));
        let woken: Arc<std::sync::OnceLock<Arc<Engine>>> = Arc::default();
        let wake = woken.clone();
        let (clusters, watches) = quick();
        let clusters = Clusters::new(client.clone(), clusters, clock.clone());
        let watches = Watches::new(clusters, watches, move |key| {
            if let Some(engine) = wake.get() {
                engine.wake(key);
            }
        });
        let fakes = Fakes::default();
        let events = Arc::new(EventSink::default());
        let ledger = Arc::new(KubeLedger::new(clock.clone(), events.clone()));
        let http = Arc::new(FakeTargets::default());
        let targets = Arc::new(KubeTargets::new(watches.clone(), http, clock.clone()));
        let engine = Arc::new(Engine::new(Ports {
            nudge: Arc::new(gradus_engine::port::NoNudge),
            repos: Arc::new(fakes.repo.clone()),
            forge: Arc::new(fakes.forge.clone()),
            targets: targets.clone(),
            ledger: ledger.clone(),
            clock: clock.clone(),
        }));
        assert!(woken.set(engine.clone()).is_ok());
        let controller = Arc::new(Controller::new(ControllerParts {
            client,
            watches,
            engine,
            ledger,
            targets,
            events,
            clock,
            scope: Scope { namespace: Namespace::parse(&namespace).ok(), ..Scope::default() },
            identity: "skewed".to_owned(),
            clearing_up: Duration::from_secs(1),
            run: RunOptions {
                poll: Duration::from_millis(200),
                resync: Duration::from_secs(1),
                ..RunOptions::default()
            },
        }));
        let (leads, leading) = watch::channel(true);
        let (stop, stopping) = watch::channel(false);
        let running = tokio::spawn(controller.run(leading, stopping));
        let objects = plane.objects(User::Admin).await.unwrap();
        Self { objects, namespace, fakes, hours, _leads: leads, _stop: stop, running }
    }

    /// Somebody commits a version.
    fn commit(&self, environment: &str, version: &str) {
        self.fakes.clock.advance_to(Timestamp::now());
        let text = format!(
            "spec:\n  version: {version} # {{\"$promotion\": \"{}:web:{environment}\"}}\n",
            self.namespace
        );
        let path = format!("apps/{environment}/release.yaml");
        self.fakes.repo.push("main", "ada", "Deploy", &[(path.as_str(), Some(text.as_str()))]);
    }

    /// The version that Git has.
    fn version(&self, environment: &str) -> String {
        let text = self.fakes.repo.text("main", &format!("apps/{environment}/release.yaml")).unwrap();
        let line = text.lines().find_map(|line| line.trim().strip_prefix("version: ")).unwrap();
        line.split(' ').next().unwrap().to_owned()
    }

    /// Flux applies a version.
    async fn apply(&self, environment: &str, version: &str) -> Value {
        let object = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": environment, "namespace": self.namespace},
            "spec": {"interval": "10m", "chart": {"spec": {
                "chart": "web", "version": version, "sourceRef": {"kind": "HelmRepository", "name": "web"}}}},
        });
        self.objects.put(&object).await.unwrap()
    }

    /// Flux says that what it applied works since now.
    async fn works(&self, object: &Value) {
        let generation = &object["metadata"]["generation"];
        let (version, name) = (&object["spec"]["chart"]["spec"]["version"], &object["metadata"]["name"]);
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap().to_string();
        let condition = |of: &str| {
            json!({"type": of, "status": "True", "reason": "UpgradeSucceeded", "message": "done",
                   "observedGeneration": generation, "lastTransitionTime": now})
        };
        let says = json!({"status": {
            "observedGeneration": generation, "lastAttemptedGeneration": generation,
            "lastAttemptedRevision": version, "conditions": [condition("Ready"), condition("Released")],
            "history": [{
                "name": name, "namespace": self.namespace, "chartName": "web", "chartVersion": version,
                "status": "deployed", "version": 2, "configDigest": "sha256:0", "digest": "sha256:0",
                "firstDeployed": now, "lastDeployed": now,
            }],
        }});
        let name = name.as_str().unwrap();
        self.objects.merge_status(RELEASE, &self.namespace, name, &says).await.unwrap();
    }

    async fn here(&self, environment: &str) -> Value {
        let object = self.objects.get(PIPELINE, &self.namespace, "web").await.unwrap().unwrap();
        let all = object["status"]["environments"].as_array().cloned().unwrap_or_default();
        all.into_iter().find(|here| here["name"] == environment).unwrap_or_default()
    }

    async fn until_it_is(&self, environment: &str, verdict: &str, version: &str) {
        self.until(&format!("{environment} {verdict} at {version}"), async || {
            let here = self.here(environment).await;
            here["verdict"] == verdict && here["version"] == version
        })
        .await;
    }

    async fn until(&self, what: &str, mut is: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !is().await {
            if begun.elapsed() > PATIENCE {
                let object = self.objects.get(PIPELINE, &self.namespace, "web").await.unwrap().unwrap();
                panic!("waited in vain for {what}, {}: {:#}", self.hours, object["status"]);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}

#[tokio::test]
async fn a_controller_whose_clock_is_an_hour_off_promotes_the_same_and_not_before_its_soak() {
    let ends = futures::future::join_all([-1, 0, 1].map(walk)).await;
    assert_eq!(ends[0], ends[1], "an hour behind");
    assert_eq!(ends[2], ends[1], "an hour ahead");
    assert_eq!(ends[1]["git"], json!(["1.1.0", "1.1.0", "1.1.0"]));
}

/// The end of a walk through a soak and an approval.
async fn walk(hours: i64) -> Value {
    let stage = Stage::new(hours).await;
    for (environment, version) in [("dev", "1.1.0"), ("staging", "1.0.0"), ("prod", "1.0.0")] {
        stage.commit(environment, version);
        let object = stage.apply(environment, version).await;
        if environment != "dev" {
            stage.works(&object).await;
        }
    }
    let environment = |name: &str, gates: Value| {
        json!({"name": name, "targets": [{"namespace": stage.namespace, "app": name}],
               "promote": {"strategy": "push"}, "gates": gates})
    };
    let soak = format!("{}s", SOAK.as_secs());
    let pipeline = json!({
        "apiVersion": "gradus.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": "web", "namespace": stage.namespace},
        "spec": {
            "repository": {"url": "https://git.example.org/fleet"},
            "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "web"},
            "environments": [
                environment("dev", json!([])),
                environment("staging", json!([{"soak": soak}])),
                environment("prod", json!([{"approval": {"min": 1}}])),
            ],
        },
    });
    stage.objects.put(&pipeline).await.unwrap();
    // By a clock that is ahead, it is late already.
    stage
        .until("dev to be seen without working", async || {
            let dev = stage.here("dev").await;
            dev["version"] == "1.1.0" && (dev["verdict"] == "deploying" || dev["verdict"] == "failed")
        })
        .await;
    // It is looked at least once a second, so that is how far its soak may be off.
    let dev = stage.apply("dev", "1.1.0").await;
    let begun = Instant::now();
    stage.works(&dev).await;
    stage.until("staging to have 1.1.0", async || stage.version("staging") == "1.1.0").await;
    let took = begun.elapsed();
    assert!(took + Duration::from_millis(1_500) >= SOAK, "{hours} h ahead: promoted after {took:?}");
    assert!(took < Duration::from_secs(30), "{hours} h ahead: promoted after {took:?}");

    let staging = stage.apply("staging", "1.1.0").await;
    stage.works(&staging).await;
    stage.until("prod to wait", async || stage.here("prod").await["reason"] == "waiting-for-approval").await;
    assert_eq!(stage.version("prod"), "1.0.0");
    let yes = json!({
        "apiVersion": "gradus.dev/v1alpha1", "kind": "Approval",
        "metadata": {"name": "yes", "namespace": stage.namespace},
        "spec": {"pipeline": "web", "environment": "prod", "version": "1.1.0", "by": "admin"},
    });
    stage.objects.create(&yes).await.unwrap();
    stage.until("prod to have 1.1.0", async || stage.version("prod") == "1.1.0").await;
    let prod = stage.apply("prod", "1.1.0").await;
    stage.works(&prod).await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    let git = ["dev", "staging", "prod"].map(|environment| stage.version(environment));
    let object = stage.objects.get(PIPELINE, &stage.namespace, "web").await.unwrap().unwrap();
    let verdicts: Vec<Value> = object["status"]["environments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|here| json!([here["name"], here["version"], here["verdict"]]))
        .collect();
    json!({"git": git, "verdicts": verdicts, "summary": object["status"]["summary"]})
}
