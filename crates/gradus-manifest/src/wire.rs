//! The manifests as they are written: names are still texts and nothing has
//! been compared with anything. The comments on the fields are the
//! descriptions in the JSON Schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

mod approval;
mod check;
mod environment;
mod gate;
mod hold;
mod notification;
mod pipeline;
mod promotion;
mod pull_request;
mod target;
mod text;

pub use approval::{ApprovalKind, ApprovalManifest, ApprovalSpec};
pub use check::{CheckKind, CheckManifest, CheckResult, CheckSpec};
pub use environment::{
    Dispatch, Edit, EditPatch, EmergencyRule, Environment, Healthy, ImageField, ImagePart, Merge, Promote,
    Queue, Select, StaleDigest, Strategy,
};
pub use gate::{Approval, Check, Freeze, Gate, Window};
pub use hold::{HoldKind, HoldManifest, HoldSpec};
pub use notification::{
    EmailReceiver, EventReceiver, MailTls, News, NotificationKind, NotificationManifest, NotificationSpec,
    Receiver, SlackReceiver, TeamsReceiver, WebhookReceiver,
};
pub use pipeline::{
    AppRef, Artifact, Chart, Forge, Image, Mode, OnDelete, Order, PipelineKind, PipelineManifest,
    PipelineSpec, Repository,
};
pub use promotion::{PromotionKind, PromotionManifest, PromotionSpec, Way};
pub use pull_request::{Commands, MergeMethod, PullRequest};
pub use target::{ClusterRef, Confidence, Http, Target};
pub use text::{Duration, HealthyTargets, OneOrMany, Pin};

/// Versions, by artifact.
pub type Versions = BTreeMap<String, String>;

/// The version of the manifests' form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The one there is.
    #[serde(rename = "gradus.dev/v1alpha1")]
    V1Alpha1,
}

/// What the object is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// The name: lower case letters, digits, `-` and `.`.
    pub name: String,
    /// The namespace; `default` when absent.
    pub namespace: Option<String>,
    /// Labels; kept for people and other tools.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations; kept for people and other tools.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

/// The name of a Secret in the pipeline's namespace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretRef {
    /// The Secret's name.
    pub name: String,
}

/// A mapping without fields: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}
