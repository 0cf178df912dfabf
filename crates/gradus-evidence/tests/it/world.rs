//! A cluster as it was seen: objects that are put in, changed and taken away.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gradus_evidence::{
    Below, GroupKind, Judged, Listing, Lookup, ObjectRef, Sighting, State, TargetSpec, judge, slim,
};
use jiff::Timestamp;
use serde_json::Value;

/// The objects of a cluster. Kinds that are not in it are not watched when they
/// are in `blind`, and have no objects otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    objects: BTreeMap<(String, String, String, String), Value>,
    pub(crate) blind: Vec<&'static str>,
}

impl World {
    pub(crate) fn of(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut world = Self::default();
        for object in objects {
            world.put(object);
        }
        world
    }

    pub(crate) fn put(&mut self, object: Value) {
        self.objects.insert(key(&reference_of(&object)), object);
    }

    pub(crate) fn take(&mut self, name: &ObjectRef) {
        self.objects.remove(&key(name));
    }

    pub(crate) fn find(&self, name: &ObjectRef) -> Option<&Value> {
        self.objects.get(&key(name))
    }

    /// Judges a target, with whole objects and with slim ones: both must agree.
    pub(crate) fn judge(&self, spec: &TargetSpec) -> Judged {
        let whole = self.once(spec);
        let slim = self.slim().once(spec);
        assert_eq!(whole, slim, "slim objects are judged otherwise");
        whole
    }

    /// Judges a target that is named as in `HelmRelease/dev/podinfo`.
    pub(crate) fn judged(&self, target: &str) -> Judged {
        self.judge(&TargetSpec::new(reference(target)))
    }

    pub(crate) fn state(&self, target: &str) -> State {
        self.judged(target).state
    }

    pub(crate) fn slim(&self) -> Self {
        let objects = self.objects.iter().map(|(key, object)| (key.clone(), slim(object.clone()))).collect();
        Self { objects, blind: self.blind.clone() }
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &Value> {
        self.objects.values()
    }

    fn once(&self, spec: &TargetSpec) -> Judged {
        judge(spec, &Sighting { object: self.find(&spec.object), below: self, now: now() })
    }
}

impl Below for World {
    fn get(&self, reference: &ObjectRef) -> Lookup<'_> {
        match self.find(reference) {
            _ if self.blind.contains(&&*reference.kind) => Lookup::NotLooked("it is not watched".to_owned()),
            Some(object) => Lookup::Seen(Cow::Borrowed(object)),
            None => Lookup::Missing,
        }
    }

    fn list(&self, kind: &GroupKind, namespace: &str) -> Listing<'_> {
        if self.blind.contains(&&*kind.kind) {
            return Listing::NotLooked("it is not watched".to_owned());
        }
        let all = self.objects.iter().filter(|((group, name, home, _), _)| {
            (group, name, home.as_str()) == (&kind.group, &kind.kind, namespace)
        });
        Listing::Seen(all.map(|(_, object)| Cow::Borrowed(object)).collect())
    }
}

/// The time of every look.
pub(crate) fn now() -> Timestamp {
    at("2026-11-21T10:00:00Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// As in `HelmRelease/dev/podinfo`.
pub(crate) fn reference(text: &str) -> ObjectRef {
    let parts: Vec<&str> = text.split('/').collect();
    let [kind, namespace, name] = parts[..] else { panic!("{text} is not KIND/NAMESPACE/NAME") };
    let group = match kind {
        "HelmRelease" => "helm.toolkit.fluxcd.io",
        "Kustomization" => "kustomize.toolkit.fluxcd.io",
        "GitRepository" | "OCIRepository" | "ExternalArtifact" => "source.toolkit.fluxcd.io",
        "Deployment" | "StatefulSet" | "DaemonSet" => "apps",
        "Job" => "batch",
        "Application" | "Rollout" => "argoproj.io",
        "Canary" => "flagger.app",
        "Pod" => "",
        _ => "example.org",
    };
    ObjectRef::new(group, kind, namespace, name)
}

pub(crate) fn reference_of(object: &Value) -> ObjectRef {
    let of = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let group = of("/apiVersion").split_once('/').map_or("", |(group, _)| group);
    ObjectRef::new(group, of("/kind"), of("/metadata/namespace"), of("/metadata/name"))
}

fn key(name: &ObjectRef) -> (String, String, String, String) {
    (name.group.clone(), name.kind.clone(), name.namespace.clone(), name.name.clone())
}

/// A state in a few words, as in `healthy 6.5.0`.
pub(crate) fn words(state: &State) -> String {
    let with = |word: &str, version: &Option<String>| match version {
        Some(version) => format!("{word} {version}"),
        None => word.to_owned(),
    };
    match state {
        State::NotDeployed => "not deployed".to_owned(),
        State::Deploying { version, .. } => with("deploying", version),
        State::Healthy { version, .. } => format!("healthy {version}"),
        State::Failed { version, .. } => with("failed", version),
        State::Unknown { .. } => "unknown".to_owned(),
    }
}
