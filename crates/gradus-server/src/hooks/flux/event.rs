//! An event as Flux sends it. Its fields are read as far as they are used; others may be there.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::v1::Time;

/// An event of `event.toolkit.fluxcd.io`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) involved_object: Object,
    pub(super) severity: String,
    pub(super) timestamp: Time,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) reporting_controller: Option<String>,
}

/// The object that an event is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    #[serde(default)]
    pub(super) api_version: String,
    pub(super) kind: String,
    #[serde(default)]
    pub(super) namespace: String,
    pub(super) name: String,
}

/// The group of HelmReleases.
const HELM: &str = "helm.toolkit.fluxcd.io";

impl Event {
    /// Whether it is about a HelmRelease.
    pub(super) fn is_of_helm_release(&self) -> bool {
        let group = self.involved_object.api_version.split('/').next().unwrap_or_default();
        self.involved_object.kind == "HelmRelease" && (group == HELM || group.is_empty())
    }

    /// A value of its metadata. The controllers put their group before a key, and
    /// the notification-controller takes it off again.
    fn metadata(&self, key: &str) -> Option<&str> {
        let metadata = self.metadata.as_ref()?;
        metadata.get(key).or_else(|| metadata.get(&format!("{HELM}/{key}"))).map(String::as_str)
    }

    /// The version of the chart that it is about.
    ///
    /// Of a chart from an OCIRepository Flux replaces the build metadata of the
    /// version by the first twelve digits of the artifact's digest, so that a tag
    /// that moves is noticed. Nobody wrote that, so it is taken off again:
    /// `6.6.0+9fc6b6e3f1d2` is 6.6.0. Other build metadata stays.
    pub(super) fn revision(&self) -> Option<&str> {
        let revision = self.metadata("revision").filter(|revision| !revision.is_empty())?;
        let Some((version, build)) = revision.split_once('+') else { return Some(revision) };
        let is_digest =
            build.len() == 12 && build.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let digest = self.metadata("oci-digest").and_then(|digest| digest.split_once(':'));
        let agrees = digest.is_none_or(|(_, digest)| digest.starts_with(build));
        Some(if is_digest && agrees { version } else { revision })
    }

    /// The object as people know it.
    pub(super) fn object(&self) -> String {
        let Object { kind, namespace, name, .. } = &self.involved_object;
        if namespace.is_empty() { format!("{kind} {name}") } else { format!("{kind} {namespace}/{name}") }
    }
}
