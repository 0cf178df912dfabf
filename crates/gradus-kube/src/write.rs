//! Writing to the cluster's own objects: statuses, and the removal of records.

use std::time::Duration;

use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, Preconditions};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::kinds::{API_VERSION, GROUP, Kind};
use crate::lease::Causes;
use crate::watch::ObjectName;

/// Whose fields a status is.
const MANAGER: &str = "gradus";
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes to objects of gradus's own kinds.
pub(crate) struct Writer {
    client: Client,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// It is written, or there is nothing to write to any more.
    Done,
    /// It is not; it is worth trying again.
    Failed,
}

/// The API server does not allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotAllowed;

impl Writer {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Writes the status of an object, whole. It is applied by the server for the very
    /// object that was seen: one of the same name that was made since is another.
    pub(crate) async fn status(&self, kind: Kind, name: &ObjectName, object: &Value, status: Value) -> Wrote {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let patch = json!({
            "apiVersion": API_VERSION,
            "kind": kind.as_str(),
            "metadata": {"name": &*name.name, "namespace": name.namespace.as_deref(), "uid": text("/metadata/uid")},
            "status": status,
        });
        let parameters = PatchParams::apply(MANAGER).force();
        let (api, apply) = (self.api(kind, name), Patch::Apply(&patch));
        let written = api.patch_status(&name.name, &parameters, &apply);
        ended("writing the status", kind, name, timeout(PATIENCE, written).await)
    }

    /// Sets which finalizers an object has, if it is as it was seen. Whether that is
    /// allowed: who may not gets no other answer the next time.
    pub(crate) async fn finalizers(
        &self,
        kind: Kind,
        name: &ObjectName,
        object: &Value,
        finalizers: &[&str],
    ) -> Result<Wrote, NotAllowed> {
        let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str);
        let patch = json!({"metadata": {"resourceVersion": version, "finalizers": finalizers}});
        let (api, parameters, merge) = (self.api(kind, name), PatchParams::default(), Patch::Merge(&patch));
        let written = timeout(PATIENCE, api.patch_metadata(&name.name, &parameters, &merge)).await;
        if matches!(&written, Ok(Err(kube::Error::Api(status))) if status.code == 403) {
            return Err(NotAllowed);
        }
        Ok(ended("writing the finalizers", kind, name, written))
    }

    /// Deletes an object, if it is as it was seen.
    pub(crate) async fn delete(&self, kind: Kind, name: &ObjectName, object: &Value) -> Wrote {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let preconditions =
            Preconditions { uid: text("/metadata/uid"), resource_version: text("/metadata/resourceVersion") };
        let parameters = DeleteParams { preconditions: Some(preconditions), ..DeleteParams::default() };
        let api = self.api(kind, name);
        let deleted = async {
            match api.delete(&name.name, &parameters).await {
                // It is not as it was seen any more: it is looked at again when that is seen.
                Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
                deleted => deleted.map(drop),
            }
        };
        ended("deleting", kind, name, timeout(PATIENCE, deleted).await)
    }

    fn api(&self, kind: Kind, name: &ObjectName) -> Api<DynamicObject> {
        let gvk = GroupVersionKind::gvk(GROUP, "v1alpha1", kind.as_str());
        let resource = ApiResource::from_gvk_with_plural(&gvk, kind.plural());
        Api::namespaced_with(self.client.clone(), name.namespace.as_deref().unwrap_or("default"), &resource)
    }
}

fn ended<T>(
    doing: &str,
    kind: Kind,
    name: &ObjectName,
    ended: Result<Result<T, kube::Error>, tokio::time::error::Elapsed>,
) -> Wrote {
    match ended {
        Ok(Ok(_)) => Wrote::Done,
        // It is gone.
        Ok(Err(kube::Error::Api(status))) if status.code == 404 => Wrote::Done,
        Ok(Err(error)) => {
            let error = Causes(&error);
            tracing::warn!(%error, kind = kind.as_str(), %name, "{doing} failed");
            Wrote::Failed
        }
        Err(_) => {
            tracing::warn!(kind = kind.as_str(), %name, "{doing} takes too long");
            Wrote::Failed
        }
    }
}
