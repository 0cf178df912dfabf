//! Which version of a kind a cluster serves.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use gradus_evidence::GroupKind;
use kube::Client;
use serde::Deserialize;

use super::wire::{Fault, FaultKind, get, is_name};
use crate::watch::kind_words;

/// How a kind is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    /// `group/version`, or the version alone for the core.
    pub(crate) api_version: String,
    /// The kind.
    pub(crate) kind: String,
    /// Its name in paths.
    pub(crate) plural: String,
    /// Whether its objects are in namespaces.
    pub(crate) namespaced: bool,
}

impl Resource {
    /// The path of its objects.
    pub(crate) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.api_version.contains('/') { "/apis" } else { "/api" };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => {
                format!("{root}/{}/namespaces/{namespace}/{}", self.api_version, self.plural)
            }
            None => format!("{root}/{}/{}", self.api_version, self.plural),
        }
    }
}

/// What is known of the kinds that a cluster serves.
#[derive(Default)]
pub(crate) struct Served(Mutex<HashMap<GroupKind, Resource>>);

impl Served {
    /// How to ask for a kind: in the version that the cluster prefers, or else in the
    /// first one that has it.
    pub(crate) async fn find(&self, client: &Client, kind: &GroupKind) -> Result<Resource, Fault> {
        if let Some(known) = self.known().get(kind) {
            return Ok(known.clone());
        }
        let found = discover(client, kind).await?;
        self.known().insert(kind.clone(), found.clone());
        Ok(found)
    }

    /// Forgets a kind, so that it is asked for again.
    pub(crate) fn forget(&self, kind: &GroupKind) {
        self.known().remove(kind);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<GroupKind, Resource>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn discover(client: &Client, kind: &GroupKind) -> Result<Resource, Fault> {
    let not_served = || {
        let message = format!("the cluster does not serve the kind {}", kind_words(kind));
        Fault::new(FaultKind::NotServed, message)
    };
    if !kind.group.is_empty() && !is_name(&kind.group) {
        return Err(not_served());
    }
    let missing = |fault: Fault| match fault.kind {
        FaultKind::NotFound => not_served(),
        FaultKind::Unreachable
        | FaultKind::Unauthorized
        | FaultKind::Forbidden
        | FaultKind::Gone
        | FaultKind::NotServed
        | FaultKind::Refused
        | FaultKind::Broken => fault,
    };
    let (below, versions) = if kind.group.is_empty() {
        ("/api".to_owned(), vec!["v1".to_owned()])
    } else {
        let group: Group = get(client, "/apis", &kind.group).await.map_err(missing)?;
        (format!("/apis/{}", kind.group), group.in_order())
    };
    for version in versions.iter().filter(|version| is_name(version)) {
        let list: Resources = get(client, &below, version).await.map_err(missing)?;
        let fits = |resource: &Entry| {
            resource.kind == kind.kind
                && is_name(&resource.name)
                && resource.verbs.iter().any(|verb| verb == "watch")
        };
        if let Some(entry) = list.resources.into_iter().find(fits) {
            return Ok(Resource {
                api_version: list.group_version,
                kind: entry.kind,
                plural: entry.name,
                namespaced: entry.namespaced,
            });
        }
    }
    Err(not_served())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default)]
    versions: Vec<Version>,
    preferred_version: Option<Version>,
}

impl Group {
    /// The preferred version, then the others in the server's order.
    fn in_order(self) -> Vec<String> {
        let preferred = self.preferred_version.map(|version| version.version);
        let others = self.versions.into_iter().map(|version| version.version);
        let others = others.filter(|version| Some(version) != preferred.as_ref()).collect::<Vec<_>>();
        preferred.iter().cloned().chain(others).collect()
    }
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resources {
    group_version: String,
    #[serde(default)]
    resources: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    kind: String,
    #[serde(default)]
    namespaced: bool,
    #[serde(default)]
    verbs: Vec<String>,
}
