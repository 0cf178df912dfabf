//! Single objects, as JSON: looked at, written and deleted by whoever a test speaks for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::discovery::pinned_kind;
use kube::{Api, Client};
use serde_json::Value;

use crate::apply::MANAGER;
use crate::{ControlPlane, TestbedError, TestbedErrorKind, User};

/// The objects of a cluster, for one user. A kind is written with its group and
/// version: `v1/Secret`, `gradus.dev/v1alpha1/Pipeline`.
pub struct Objects {
    client: Client,
    known: Mutex<HashMap<String, ApiResource>>,
}

impl ControlPlane {
    /// The objects as somebody may see and write them. They belong to the runtime
    /// they were made in.
    pub async fn objects(&self, user: User) -> Result<Objects, TestbedError> {
        Ok(Objects { client: self.client(user).await?, known: Mutex::default() })
    }
}

impl Objects {
    /// An object, if it is there.
    pub async fn get(&self, kind: &str, namespace: &str, name: &str) -> Result<Option<Value>, TestbedError> {
        let api = self.api(kind, namespace).await?;
        let found = api.get_opt(name).await.map_err(refused("get", kind, namespace, name))?;
        found.map(json).transpose()
    }

    /// All objects of a kind in a namespace.
    pub async fn list(&self, kind: &str, namespace: &str) -> Result<Vec<Value>, TestbedError> {
        let api = self.api(kind, namespace).await?;
        let found = api.list(&ListParams::default()).await.map_err(refused("list", kind, namespace, "*"))?;
        found.items.into_iter().map(json).collect()
    }

    /// Makes an object that was not there; as the cluster keeps it.
    pub async fn create(&self, object: &Value) -> Result<Value, TestbedError> {
        let Place { kind, namespace, name } = place(object)?;
        let api = self.api(&kind, &namespace).await?;
        let object: DynamicObject = serde_json::from_value(object.clone())
            .map_err(|error| TestbedError::because(TestbedErrorKind::Document, "could not read it", error))?;
        let made = api.create(&PostParams::default(), &object).await;
        json(made.map_err(refused("create", &kind, &namespace, &name))?)
    }

    /// Makes an object, or makes it what is declared here; as the cluster keeps it.
    pub async fn put(&self, object: &Value) -> Result<Value, TestbedError> {
        let Place { kind, namespace, name } = place(object)?;
        let api = self.api(&kind, &namespace).await?;
        let how = PatchParams::apply(MANAGER).force();
        let put = api.patch(&name, &how, &Patch::Apply(object)).await;
        json(put.map_err(refused("put", &kind, &namespace, &name))?)
    }

    /// Changes an object by a JSON merge patch (RFC 7386).
    pub async fn merge(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, TestbedError> {
        let api = self.api(kind, namespace).await?;
        let merged = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        json(merged.map_err(refused("merge into", kind, namespace, name))?)
    }

    /// Changes what an object says of itself by a JSON merge patch of the whole object.
    pub async fn merge_status(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Result<Value, TestbedError> {
        let api = self.api(kind, namespace).await?;
        let merged = api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        json(merged.map_err(refused("merge into the status of", kind, namespace, name))?)
    }

    /// Deletes an object. One that is not there is no failure.
    pub async fn delete(&self, kind: &str, namespace: &str, name: &str) -> Result<(), TestbedError> {
        let api = self.api(kind, namespace).await?;
        match api.delete(name, &DeleteParams::default()).await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            deleted => deleted.map(drop).map_err(refused("delete", kind, namespace, name)),
        }
    }

    async fn api(&self, kind: &str, namespace: &str) -> Result<Api<DynamicObject>, TestbedError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(kind).cloned();
        let resource = match known {
            Some(resource) => resource,
            None => {
                let (api_version, name) = kind.rsplit_once('/').unwrap_or(("v1", kind));
                let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
                let named = GroupVersionKind::gvk(group, version, name);
                let doing = format!("could not find the kind {kind}");
                let (resource, _) =
                    pinned_kind(&self.client, &named).await.map_err(TestbedError::refused(doing))?;
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(kind.to_owned(), resource.clone());
                resource
            }
        };
        Ok(Api::namespaced_with(self.client.clone(), namespace, &resource))
    }
}

struct Place {
    kind: String,
    namespace: String,
    name: String,
}

fn place(object: &Value) -> Result<Place, TestbedError> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let missing = |what: &str| {
        TestbedError::new(TestbedErrorKind::Document, format!("found no {what} in the object {object}"))
    };
    let api_version = text("/apiVersion").ok_or_else(|| missing("apiVersion"))?;
    let kind = text("/kind").ok_or_else(|| missing("kind"))?;
    Ok(Place {
        kind: format!("{api_version}/{kind}"),
        namespace: text("/metadata/namespace").unwrap_or("default").to_owned(),
        name: text("/metadata/name").ok_or_else(|| missing("metadata.name"))?.to_owned(),
    })
}

fn refused(
    doing: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> impl FnOnce(kube::Error) -> TestbedError + use<> {
    TestbedError::refused(format!("could not {doing} {kind} {namespace}/{name}"))
}

fn json(object: DynamicObject) -> Result<Value, TestbedError> {
    serde_json::to_value(object).map_err(|error| {
        TestbedError::because(TestbedErrorKind::Document, "could not write it as JSON", error)
    })
}
