//! Writes a recording into a real cluster and says how its targets look.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gradus_core::observation::{Seen, TargetState};
use gradus_core::pipeline::{ClusterTarget, Pipeline, TargetKind};
use gradus_core::release::Release;
use gradus_engine::fake::FakeTargets;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::targets::Targets as _;
use gradus_evidence::{
    Below, Confidence, GroupKind, Listing, Lookup, ObjectRef, Sighting, State, TargetSpec, judge, slim,
};
use gradus_kube::KubeTargets;
use gradus_kube::clusters::{ClusterKey, Clusters};
use gradus_kube::watch::{Sight, Watches};
use gradus_manifest::pipeline_from_json;
use gradus_testbed::{Client, ControlPlane, Objects, User};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Row;
use super::recording::{Step, completed, difference, harmless, steps};
use crate::watch::place::quick;

/// How long something may take that has to be seen.
const PATIENCE: Duration = Duration::from_secs(15);

/// Plays one recording in namespaces of its own.
pub(crate) struct Player {
    client: Client,
    objects: Objects,
    pipeline: Pipeline,
    specs: Vec<TargetSpec>,
    /// The generation that each target had at first.
    first: Vec<Value>,
    steps: VecDeque<Step>,
    /// The objects as the recording has them now.
    recorded: BTreeMap<String, Value>,
    /// The same as they were when they were written last.
    written: BTreeMap<String, Value>,
    /// The objects as the API server has them, and had them before the last step.
    now: World,
    before: World,
    looking: Option<(Watches, KubeTargets)>,
    /// What was said to be healthy and was not.
    lies: Vec<String>,
}

impl Player {
    pub(crate) async fn new(scenario: &str, rows: &[Row]) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        let mut namespaces = BTreeMap::new();
        for name in ["dev", "staging", "prod", "flux-system"] {
            namespaces.insert(name.to_owned(), plane.namespace(name).await.unwrap());
        }
        let target = |row: &Row| {
            let parts: Vec<&str> = row.target.split('/').collect();
            let [kind, namespace, name] = parts[..] else { panic!("{} is no object", row.target) };
            reference(&format!("{kind}/{}/{name}", namespaces[namespace]))
        };
        let specs: Vec<TargetSpec> = rows
            .iter()
            .map(|row| {
                let mut spec = TargetSpec::new(target(row));
                if row.workloads_looked_at {
                    spec.confidence = Confidence::Workloads;
                }
                spec
            })
            .collect();
        Self {
            client: plane.client(User::Admin).await.unwrap(),
            objects: plane.objects(User::Admin).await.unwrap(),
            pipeline: pipeline(&namespaces["flux-system"], &specs),
            specs,
            first: Vec::new(),
            steps: steps(scenario, &namespaces).into(),
            recorded: BTreeMap::new(),
            written: BTreeMap::new(),
            now: World::default(),
            before: World::default(),
            looking: None,
            lies: Vec::new(),
        }
    }

    /// How many steps there are after the beginning.
    pub(crate) fn steps(&self) -> usize {
        self.steps.iter().skip_while(|step| step.is.is_some()).count()
    }

    /// Writes everything that is there before the first change; how the targets are then.
    pub(crate) async fn begin(&mut self) -> Vec<String> {
        while self.steps.front().is_some_and(|step| step.is.is_some()) {
            let step = self.next().unwrap();
            self.write(&step).await;
        }
        self.first = self.generations();
        self.restart();
        self.settle().await
    }

    /// Takes the next step, which happens whether it is written or not.
    pub(crate) fn next(&mut self) -> Option<Step> {
        let step = self.steps.pop_front()?;
        if let Some(object) = &step.is {
            self.recorded.insert(step.object.clone(), completed(object.clone()));
        } else if let Some(patch) = &step.patch {
            let mut object = self.recorded[&step.object].clone();
            json_patch::merge(&mut object, patch);
            self.recorded.insert(step.object.clone(), completed(object));
        } else {
            self.recorded.remove(&step.object);
        }
        Some(step)
    }

    /// Writes an object as the recording has it now.
    pub(crate) async fn write(&mut self, step: &Step) {
        self.before = self.now.clone();
        let name = reference(&step.object);
        let kind = format!("{}/{}", api_version(&name.kind), name.kind);
        let Some(object) = self.recorded.get(&step.object).cloned() else {
            self.objects.delete(&kind, &name.namespace, &name.name).await.unwrap();
            self.written.remove(&step.object);
            self.now.0.remove(&name);
            return;
        };
        let change = |patch: Value| {
            let (objects, kind, name) = (&self.objects, &kind, &name);
            async move { objects.merge(kind, &name.namespace, &name.name, &patch).await.unwrap() }
        };
        let mut kept;
        let mut said = json!({});
        if let Some(before) = self.written.get(&step.object) {
            let metadata = ["labels", "annotations"];
            let metadata = metadata.map(|map| {
                let of = |object: &Value| object["metadata"].get(map).cloned().unwrap_or_else(|| json!({}));
                (map, difference(&of(before), &of(&object)))
            });
            let spec = difference(&before["spec"], &object["spec"]);
            let metadata: Value = metadata.into_iter().collect();
            kept = change(json!({"metadata": metadata, "spec": spec})).await;
            said.clone_from(&before["status"]);
        } else {
            let mut made = object.clone();
            made.as_object_mut().unwrap().remove("status");
            for field in ["generation", "creationTimestamp"] {
                made["metadata"].as_object_mut().unwrap().remove(field);
            }
            made["metadata"]["namespace"] = name.namespace.as_str().into();
            kept = self.objects.create(&made).await.unwrap();
        }
        let wanted = object["metadata"]["generation"].as_i64().unwrap();
        while kept["metadata"]["generation"].as_i64().unwrap() < wanted {
            let number = kept["metadata"]["generation"].as_i64().unwrap();
            kept = change(harmless(&name.kind, number)).await;
        }
        assert_eq!(kept["metadata"]["generation"], wanted, "{}", step.object);
        let patch = difference(&said, object.get("status").unwrap_or(&json!({})));
        if patch != json!({}) {
            let patch = json!({"status": patch});
            kept = self.objects.merge_status(&kind, &name.namespace, &name.name, &patch).await.unwrap();
        }
        self.written.insert(step.object.clone(), object);
        self.now.0.insert(name, kept);
    }

    /// gradus ends, and another one begins that knows nothing.
    pub(crate) fn restart(&mut self) {
        self.looking = None;
        let (clusters, watches) = quick();
        let clusters = Clusters::new(self.client.clone(), clusters, Arc::new(SystemClock));
        let watches = Watches::new(clusters, watches, |_| {});
        let http = Arc::new(FakeTargets::default());
        let targets = KubeTargets::new(watches.clone(), http, Arc::new(SystemClock));
        targets.follow(&self.pipeline);
        self.looking = Some((watches, targets));
    }

    /// Looks until everything that was written was seen; how the targets are then. Until
    /// then nothing is said to work that neither works nor did before.
    pub(crate) async fn settle(&mut self) -> Vec<String> {
        let expected: Vec<String> = self.specs.iter().map(|spec| self.now.word(spec)).collect();
        let begun = Instant::now();
        loop {
            let words = self.words().await;
            for (spec, word) in self.specs.iter().zip(&words) {
                let Some(version) = word.strip_prefix("healthy ") else { continue };
                if !self.now.works(&spec.object, version) && !self.before.works(&spec.object, version) {
                    self.lies.push(format!("{} was said to be {word}", spec.object));
                }
            }
            let unseen = self.unseen();
            if words == expected && unseen.is_none() {
                // What was is not true any more.
                self.before = self.now.clone();
                return words;
            }
            let late = begun.elapsed() > PATIENCE;
            assert!(!late, "{words:?} and not {expected:?}, and not seen is {unseen:#?}");
            tokio::time::sleep(Duration::from_millis(4)).await;
        }
    }

    /// Whether each target is of another generation than at first.
    pub(crate) fn changed(&self) -> Vec<bool> {
        self.generations().iter().zip(&self.first).map(|(now, first)| now != first).collect()
    }

    pub(crate) fn lies(self) -> Vec<String> {
        self.lies
    }

    fn generations(&self) -> Vec<Value> {
        let of = |spec: &TargetSpec| {
            self.now.0.get(&spec.object).map(|object| object["metadata"]["generation"].clone())
        };
        self.specs.iter().map(|spec| of(spec).unwrap_or_default()).collect()
    }

    /// Something that is watched and not seen as it is: what is seen, and what should be.
    fn unseen(&self) -> Option<(Option<Value>, Value)> {
        let (watches, _) = self.looking.as_ref().unwrap();
        self.now.0.iter().find_map(|(name, object)| {
            let mut should = slim(object.clone());
            // Nobody judges by it, and it is not kept.
            should["metadata"].as_object_mut().unwrap().remove("resourceVersion");
            match watches.see(&ClusterKey::own(), name) {
                Sight::Seen(seen) if *seen == should => None,
                Sight::Seen(seen) => Some((Some(Value::clone(&seen)), should)),
                Sight::Missing => Some((None, should)),
                // Nobody needs it.
                Sight::Unknown(_) => None,
            }
        })
    }

    async fn words(&self) -> Vec<String> {
        let (_, targets) = self.looking.as_ref().unwrap();
        let mut words = Vec::new();
        for target in followed(&self.pipeline) {
            let looked = targets.look(&self.pipeline.key, target).await.unwrap();
            words.push(said(&looked.state));
        }
        words
    }
}

fn pipeline(namespace: &str, specs: &[TargetSpec]) -> Pipeline {
    let environment = |(number, spec): (usize, &TargetSpec)| {
        let confidence = match spec.confidence {
            Confidence::Controller => "controller",
            Confidence::Workloads => "workloads",
            Confidence::Pods => "pods",
        };
        let object = &spec.object;
        json!({"name": format!("e{number}"), "targets": [{
            "namespace": object.namespace, "kind": object.kind, "apiVersion": api_version(&object.kind),
            "app": object.name, "confidence": confidence,
        }]})
    };
    let environments: Vec<Value> = specs.iter().enumerate().map(environment).collect();
    let object = json!({
        "apiVersion": "gradus.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": "app", "namespace": namespace, "uid": "1", "generation": 1, "resourceVersion": "1"},
        "spec": {"repository": {"url": "https://git.example.org/fleet"}, "environments": environments},
    });
    pipeline_from_json(&object).unwrap().value
}

fn followed(pipeline: &Pipeline) -> impl Iterator<Item = &Arc<ClusterTarget>> {
    pipeline.environments().iter().flat_map(|environment| &environment.targets).map(|target| {
        match &target.kind {
            TargetKind::Cluster(target) => target,
            TargetKind::Report | TargetKind::Http(_) | TargetKind::Git => {
                panic!("{target:?} is in no cluster")
            }
        }
    })
}

fn said(state: &Seen<TargetState>) -> String {
    let with = |word: &str, release: Option<&Release>| match release
        .and_then(|release| release.versions().next().map(|(_, version)| version.clone()))
    {
        Some(version) => format!("{word} {version}"),
        None => word.to_owned(),
    };
    match state {
        Seen::Unknown(_) => "unknown".to_owned(),
        Seen::Known(TargetState::NotDeployed) => "not deployed".to_owned(),
        Seen::Known(TargetState::Deploying { release, .. }) => with("deploying", release.as_ref()),
        Seen::Known(TargetState::Failed { release, .. }) => with("failed", release.as_ref()),
        Seen::Known(TargetState::Healthy { release, .. }) => with("healthy", Some(release)),
    }
}

/// The objects as the API server has them.
#[derive(Debug, Clone, Default)]
struct World(BTreeMap<ObjectRef, Value>);

impl World {
    /// How a target is by everything that there is.
    fn word(&self, spec: &TargetSpec) -> String {
        let sighting = Sighting { object: self.0.get(&spec.object), below: self, now: Timestamp::now() };
        let with = |word: &str, version: Option<String>| match version {
            Some(version) => format!("{word} {version}"),
            None => word.to_owned(),
        };
        match judge(spec, &sighting).state {
            State::NotDeployed => "not deployed".to_owned(),
            State::Deploying { version, .. } => with("deploying", version),
            State::Failed { version, .. } => with("failed", version),
            State::Healthy { version, .. } => with("healthy", Some(version)),
            State::Unknown { .. } => "unknown".to_owned(),
        }
    }

    /// Whether an object runs a version and works, in other words than those that judge.
    fn works(&self, name: &ObjectRef, version: &str) -> bool {
        let Some(object) = self.0.get(name) else { return false };
        let generation = &object["metadata"]["generation"];
        let (spec, status) = (&object["spec"], &object["status"]);
        let ready = status["conditions"].as_array().is_some_and(|all| {
            all.iter().any(|one| {
                one["type"] == "Ready" && one["status"] == "True" && one["observedGeneration"] == *generation
            })
        });
        match &*name.kind {
            "HelmRelease" => {
                ready
                    && status["history"][0]["chartVersion"] == version
                    && status["history"][0]["status"] == "deployed"
                    && status["lastAttemptedRevision"] == version
                    && status["observedGeneration"] == *generation
            }
            "Kustomization" => {
                let well = status["history"][0]["lastReconciledStatus"] == "ReconciliationSucceeded";
                let applied = status["lastAppliedRevision"].as_str().unwrap_or_default();
                (ready || well) && applied.ends_with(&format!(":{version}"))
            }
            "Deployment" => {
                let all = &spec["replicas"];
                let image = spec["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
                let counts = ["updatedReplicas", "availableReplicas", "replicas"];
                image.ends_with(&format!(":{version}"))
                    && status["observedGeneration"] == *generation
                    && counts.iter().all(|count| status[count] == *all)
            }
            other => panic!("{other} is no target of a recording"),
        }
    }
}

impl Below for World {
    fn get(&self, reference: &ObjectRef) -> Lookup<'_> {
        match self.0.get(reference) {
            Some(object) => Lookup::Seen(Cow::Borrowed(object)),
            None => Lookup::Missing,
        }
    }

    fn list(&self, kind: &GroupKind, namespace: &str) -> Listing<'_> {
        let all = self.0.iter().filter(|(name, _)| name.group_kind() == *kind && name.namespace == namespace);
        Listing::Seen(all.map(|(_, object)| Cow::Borrowed(object)).collect())
    }
}

/// As in `HelmRelease/dev/podinfo`.
fn reference(text: &str) -> ObjectRef {
    let parts: Vec<&str> = text.split('/').collect();
    let [kind, namespace, name] = parts[..] else { panic!("{text} is no object") };
    let group = api_version(kind).split('/').next().unwrap();
    ObjectRef::new(group, kind, namespace, name)
}

fn api_version(kind: &str) -> &'static str {
    match kind {
        "HelmRelease" => "helm.toolkit.fluxcd.io/v2",
        "Kustomization" => "kustomize.toolkit.fluxcd.io/v1",
        "GitRepository" => "source.toolkit.fluxcd.io/v1",
        "Deployment" => "apps/v1",
        other => panic!("{other} is in no recording"),
    }
}
