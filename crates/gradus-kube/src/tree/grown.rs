//! Which object is below which.

use std::collections::{BTreeMap, BTreeSet};

use gradus_evidence::ObjectRef;
use serde_json::Value;

use super::kind::Shown;
use super::seen::Sighted;
use crate::overview::{label, text};

/// Which object is below which. What is named and not there has its place too.
pub(super) struct Grown {
    /// Those that stand in the tree.
    objects: BTreeSet<ObjectRef>,
    /// All of these kinds, whether they stand in the tree or not.
    every: BTreeSet<ObjectRef>,
    below: BTreeMap<ObjectRef, BTreeSet<(Shown, ObjectRef)>>,
    above: BTreeMap<ObjectRef, ObjectRef>,
}

impl Grown {
    pub(super) fn of(seen: &Sighted) -> Self {
        let (objects, every, below, above) = Default::default();
        let mut grown = Self { objects, every, below, above };
        for (name, object) in seen.objects() {
            let Some(shown) = Shown::of(name) else { continue };
            grown.every.insert(name.clone());
            if shown.is_source() {
                continue;
            }
            if let Some(parent) = parent(shown, name, object) {
                grown.put(parent, shown, name.clone());
            } else if !shown.is_workload() {
                grown.objects.insert(name.clone());
            }
            for missing in missing(shown, object, seen) {
                if let Some(shown) = Shown::of(&missing) {
                    grown.put(name.clone(), shown, missing);
                }
            }
        }
        grown
    }

    fn put(&mut self, parent: ObjectRef, shown: Shown, name: ObjectRef) {
        self.objects.extend([parent.clone(), name.clone()]);
        self.every.extend([parent.clone(), name.clone()]);
        self.above.insert(name.clone(), parent.clone());
        self.below.entry(parent).or_default().insert((shown, name));
    }

    /// Those that nothing is above, sources first.
    pub(super) fn roots(&self) -> Vec<ObjectRef> {
        in_order(self.objects.iter().filter(|object| !self.above.contains_key(*object)))
    }

    /// Those in a namespace that nothing of that namespace is above.
    pub(super) fn roots_in(&self, namespace: &str) -> Vec<ObjectRef> {
        let is_here = |object: &&ObjectRef| object.namespace == namespace;
        let is_top = |object: &&ObjectRef| {
            let mut above = *object;
            // A circle has no top.
            for _ in 0..super::DEEPEST {
                match self.above.get(above) {
                    Some(parent) if parent.namespace == namespace => return false,
                    Some(parent) => above = parent,
                    None => return true,
                }
            }
            false
        };
        in_order(self.objects.iter().filter(is_here).filter(is_top))
    }

    pub(super) fn below(&self, object: &ObjectRef) -> impl Iterator<Item = &ObjectRef> {
        self.below.get(object).into_iter().flatten().map(|(_, name)| name)
    }

    pub(super) fn above(&self, object: &ObjectRef) -> Option<&ObjectRef> {
        self.above.get(object)
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &ObjectRef> {
        self.objects.iter()
    }

    pub(super) fn every(&self) -> impl Iterator<Item = &ObjectRef> {
        self.every.iter()
    }
}

fn in_order<'a>(objects: impl Iterator<Item = &'a ObjectRef>) -> Vec<ObjectRef> {
    let mut objects: Vec<ObjectRef> = objects.cloned().collect();
    objects.sort_by_cached_key(|object| (Shown::of(object), object.namespace.clone(), object.name.clone()));
    objects
}

/// What applied an object, else where it comes from.
fn parent(shown: Shown, name: &ObjectRef, object: &Value) -> Option<ObjectRef> {
    let by = |group: &str, kind: &str| {
        let (of, home) =
            (label(object, &format!("{group}/name"))?, label(object, &format!("{group}/namespace"))?);
        Some(ObjectRef::new(group, kind, home, of)).filter(|owner| owner != name)
    };
    let applied = || by("kustomize.toolkit.fluxcd.io", "Kustomization");
    match shown {
        Shown::Kustomization | Shown::HelmRelease => applied().or_else(|| source(shown, name, object)),
        Shown::Deployment | Shown::StatefulSet | Shown::DaemonSet | Shown::Job => {
            by("helm.toolkit.fluxcd.io", "HelmRelease").or_else(applied)
        }
        Shown::GitRepository
        | Shown::OciRepository
        | Shown::Bucket
        | Shown::ExternalArtifact
        | Shown::HelmRepository => None,
    }
}

/// Where what is applied comes from.
pub(super) fn source(shown: Shown, name: &ObjectRef, object: &Value) -> Option<ObjectRef> {
    let places: &[&str] = match shown {
        Shown::Kustomization => &["/spec/sourceRef"],
        Shown::HelmRelease => &["/spec/chartRef", "/spec/chart/spec/sourceRef"],
        Shown::GitRepository
        | Shown::OciRepository
        | Shown::Bucket
        | Shown::ExternalArtifact
        | Shown::HelmRepository
        | Shown::Deployment
        | Shown::StatefulSet
        | Shown::DaemonSet
        | Shown::Job => &[],
    };
    let reference = places.iter().find_map(|place| object.pointer(place))?;
    let field = |field: &str| reference.get(field).and_then(Value::as_str);
    let home = field("namespace").unwrap_or(&name.namespace);
    Some(ObjectRef::new(Shown::GitRepository.group(), field("kind")?, home, field("name")?))
}

/// What an object waits for before it is applied.
pub(super) fn dependencies(name: &ObjectRef, object: &Value) -> Vec<ObjectRef> {
    let list = object.pointer("/spec/dependsOn").and_then(Value::as_array);
    let of = |one: &Value| {
        let home = text(one, "/namespace").unwrap_or(&name.namespace);
        Some(ObjectRef::new(&name.group, &name.kind, home, text(one, "/name")?))
    };
    list.into_iter().flatten().filter_map(of).collect()
}

/// What was applied and is not there, of the kinds that were looked at.
fn missing(shown: Shown, object: &Value, seen: &Sighted) -> Vec<ObjectRef> {
    if shown != Shown::Kustomization || object.pointer("/spec/kubeConfig").is_some() {
        return Vec::new();
    }
    let entries = object.pointer("/status/inventory/entries").and_then(Value::as_array);
    let named = entries.into_iter().flatten().filter_map(|entry| by_id(text(entry, "/id")?));
    // Jobs are taken away some time after they are through.
    let is_missing = |name: &ObjectRef| {
        let shown = Shown::of(name).filter(|shown| !shown.is_source() && *shown != Shown::Job);
        shown.is_some() && seen.find(name).is_none() && seen.blind(&name.group_kind()).is_none()
    };
    named.filter(is_missing).collect()
}

/// An entry of an inventory, `NAMESPACE_NAME_GROUP_KIND`; a colon in a name is written `__`.
fn by_id(id: &str) -> Option<ObjectRef> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    Some(ObjectRef::new(group, kind, namespace, &name.replace("__", ":")))
}
