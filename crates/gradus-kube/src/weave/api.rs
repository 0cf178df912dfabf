//! Reads and writes pipelines, each write in place of a writing that was seen.

use std::time::Duration;

use gradus_engine::port::{PortError, PortErrorKind};
use gradus_weave::kind::{GROUP, KIND, Pipeline};
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::clusters::wire::{FaultKind, chain, get};

/// Whose fields the status is.
const MANAGER: &str = "gradus-weave";
/// Whose fields those are that wait for an approval.
const APPROVALS: &str = "gradus-weave-approvals";
const PATIENCE: Duration = Duration::from_secs(10);

/// The pipelines of a cluster.
pub(super) struct Pipelines {
    client: Client,
}

/// What became of a write.
#[derive(Debug)]
pub(super) enum Wrote {
    /// It is written, and the object is like this now.
    Done(Box<Pipeline>),
    /// Somebody else wrote it in between.
    Conflict,
    /// There is nothing to write to any more.
    Gone,
    /// It could not be written.
    Failed(PortError),
}

impl Pipelines {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A pipeline as it is now.
    pub(super) async fn get(&self, namespace: &str, name: &str) -> Result<Option<Pipeline>, PortError> {
        let below = format!("/apis/{GROUP}/v1alpha1/namespaces/{namespace}/pipelines");
        match get(&self.client, &below, name).await {
            Ok(pipeline) => Ok(Some(pipeline)),
            Err(fault) => {
                let kind = match fault.kind {
                    FaultKind::NotFound => return Ok(None),
                    FaultKind::Unreachable => PortErrorKind::Unreachable,
                    FaultKind::Unauthorized | FaultKind::Forbidden => PortErrorKind::Denied,
                    FaultKind::Gone | FaultKind::NotServed | FaultKind::Refused | FaultKind::Broken => {
                        PortErrorKind::Broken
                    }
                };
                Err(PortError::because(kind, format!("reading pipeline {namespace}/{name}"), fault.message))
            }
        }
    }

    /// Applies a status, as [`super::status::body`] has it.
    pub(super) async fn apply_status(&self, pipeline: &Pipeline, body: &Value) -> Wrote {
        let parameters = PatchParams::apply(MANAGER).force();
        self.patch(pipeline, &parameters, &Patch::Apply(body)).await
    }

    /// Changes what waits for an approval in an environment, and nothing else.
    pub(super) async fn write_waiting(
        &self,
        pipeline: &Pipeline,
        environment: &str,
        revision: &str,
    ) -> Wrote {
        let change = json!({"waitingApproval": {"revision": revision}});
        self.merge(pipeline, APPROVALS, environment, &change).await
    }

    /// Writes down what was promoted to an environment.
    pub(super) async fn write_promotion(
        &self,
        pipeline: &Pipeline,
        environment: &str,
        promotion: &Value,
    ) -> Wrote {
        self.merge(pipeline, MANAGER, environment, &json!({"promotion": promotion})).await
    }

    async fn merge(&self, pipeline: &Pipeline, manager: &str, environment: &str, change: &Value) -> Wrote {
        let body = json!({
            "metadata": {"uid": pipeline.metadata.uid, "resourceVersion": pipeline.metadata.resource_version},
            "status": {"environments": {environment: change}},
        });
        let parameters = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        self.patch(pipeline, &parameters, &Patch::Merge(&body)).await
    }

    async fn patch(&self, pipeline: &Pipeline, how: &PatchParams, patch: &Patch<&Value>) -> Wrote {
        let (namespace, name) = (&pipeline.metadata.namespace, &pipeline.metadata.name);
        let kind = GroupVersionKind::gvk(GROUP, "v1alpha1", KIND);
        let resource = ApiResource::from_gvk_with_plural(&kind, "pipelines");
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
        let doing = || format!("writing the status of pipeline {namespace}/{name}");
        match timeout(PATIENCE, api.patch_status(name, how, patch)).await {
            Ok(Ok(written)) => match serde_json::to_value(written).and_then(serde_json::from_value) {
                Ok(written) => Wrote::Done(Box::new(written)),
                Err(error) => Wrote::Failed(PortError::because(PortErrorKind::Broken, doing(), error)),
            },
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => Wrote::Conflict,
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => Wrote::Gone,
            Ok(Err(error)) => Wrote::Failed(PortError::because(kind_of(&error), doing(), chain(&error))),
            Err(_) => {
                let why = "the API server takes too long";
                Wrote::Failed(PortError::because(PortErrorKind::OutcomeUnknown, doing(), why))
            }
        }
    }
}

/// What kind of failure a refused write is.
pub(super) fn kind_of(error: &kube::Error) -> PortErrorKind {
    if let kube::Error::Api(status) = error {
        match status.code {
            401 | 403 => PortErrorKind::Denied,
            404 => PortErrorKind::Missing,
            400 | 422 => PortErrorKind::Unusable,
            _ => PortErrorKind::Unreachable,
        }
    } else {
        PortErrorKind::OutcomeUnknown
    }
}
