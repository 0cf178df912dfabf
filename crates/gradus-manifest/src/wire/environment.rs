//! `spec.environments` of a pipeline.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Duration, Gate, HealthyTargets, Pin, PullRequest, Target};

/// A step of the way.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// What it is called: lower case letters, digits and `-`.
    pub name: String,
    /// The environments it comes after; the one before it in the list when
    /// absent. An empty list makes it a first environment.
    pub after: Option<Vec<String>>,
    /// Where it runs.
    #[schemars(length(min = 1))]
    pub targets: Vec<Target>,
    /// What its successors ask for.
    pub healthy: Option<Healthy>,
    /// How long a rollout may take before it counts as failed; `30m` when absent.
    pub deploy_within: Option<Duration>,
    /// How a change is written.
    pub promote: Option<Promote>,
    /// Which of the versions that wait goes next; `latest` when absent.
    pub queue: Option<Queue>,
    /// Rules to pass before a version comes in.
    #[serde(default)]
    pub gates: Vec<Gate>,
    /// Rules to pass before a version that runs here counts as proven.
    #[serde(default)]
    pub verify: Vec<Gate>,
    /// Versions that this environment does not get.
    #[serde(default)]
    pub block: Vec<String>,
    /// Where the values are; the markers in the repository when absent.
    #[serde(default)]
    pub edit: Vec<Edit>,
    /// The branch of the repository that declares it, where each environment has a branch of its own; the
    /// repository's branch when absent.
    #[schemars(length(min = 1))]
    pub branch: Option<String>,
}

/// What the successors of an environment ask for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Healthy {
    /// How many targets must be healthy: `all`, `any` or a number.
    pub targets: HealthyTargets,
}

/// How a change is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Promote {
    /// By which way; `pull-request` when absent.
    pub strategy: Option<Strategy>,
    /// Who merges a proposal whose gates have passed; `person` when absent.
    pub merge: Option<Merge>,
    /// Whether a person may skip the gates in an emergency; `forbidden` when absent.
    pub emergency: Option<EmergencyRule>,
    /// How proposals are named, said and merged.
    pub pull_request: Option<PullRequest>,
    /// How automation is asked, with `strategy: dispatch`.
    pub dispatch: Option<Dispatch>,
}

/// How somebody else's automation is asked for a promotion.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dispatch {
    /// The event that it listens to: letters, digits and `-_.:/`; `gradus-promotion` when absent.
    #[schemars(length(min = 1, max = 100))]
    pub event: Option<String>,
    /// The branch or tag that it runs on, in GitLab; the branch that is deployed when absent.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// How long it may take until Git declares what was asked for; `1h` when absent.
    pub within: Option<Duration>,
}

/// By which way a change is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// A commit on the branch itself.
    Push,
    /// A proposal that is merged.
    PullRequest,
    /// By somebody else's automation, which is asked for it.
    Dispatch,
    /// The branch of the environment before is merged into this one's: directly, or by a proposal where
    /// `pullRequest` stands beside it.
    BranchMerge,
    /// A rendered tree; to come.
    Render,
    /// A message to another system; to come.
    Notification,
}

/// Who merges a proposal whose gates have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Merge {
    /// gradus does.
    Auto,
    /// A person does.
    Person,
}

/// Whether a person may skip the gates in an emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EmergencyRule {
    /// Yes, and it is recorded.
    Allowed,
    /// No.
    Forbidden,
}

/// Which of the versions that wait goes next.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// The newest; what was overtaken is skipped.
    Latest,
    /// Every one, in order.
    Queue,
    /// Only this one.
    Pinned(Pin),
}

/// A value in a file that says which version is deployed. Exactly one of `select`, `image`, `patch` and
/// `operation` names it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Edit {
    /// The file, from the top of the repository. YAML and JSON; TOML and `.env` by their names.
    pub file: Option<String>,
    /// The kustomization instead of a file: its folder or its file.
    pub kustomization: Option<String>,
    /// A document in the file and a place in it.
    pub select: Option<Select>,
    /// The entry of this name in the `images:` of the kustomization.
    pub image: Option<String>,
    /// The field of that entry; `newTag` when absent.
    pub set: Option<ImageField>,
    /// What a patch that is written in the kustomization sets.
    pub patch: Option<EditPatch>,
    /// What an operation of a JSON patch (RFC 6902) writes: the path in the object, such as
    /// `/spec/chart/spec/version`.
    pub operation: Option<String>,
    /// The literal block (`|`) that holds the value, where it is in one.
    pub inside: Option<Select>,
    /// The part of a reference to an image that is the version; the whole value when absent.
    pub part: Option<ImagePart>,
    /// What becomes of the digest beside a new tag; `refuse` when absent.
    pub digest: Option<StaleDigest>,
    /// Whether a value that is not there yet is written, with the keys around it; `false` when absent.
    pub create: Option<bool>,
    /// What is written there: an artifact, or its version as `artifact.version`.
    /// The only artifact when absent.
    pub from: Option<String>,
}

/// A field of an entry in the `images:` of a kustomization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ImageField {
    /// The tag.
    NewTag,
    /// The name.
    NewName,
    /// The digest.
    Digest,
}

/// A part of a reference to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImagePart {
    /// The registry and the repository.
    Name,
    /// The tag.
    Tag,
    /// The digest.
    Digest,
}

/// What becomes of the digest beside a new tag: it would go on naming the old image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StaleDigest {
    /// Nothing is written, and the reason is told.
    Refuse,
    /// It is taken away.
    Drop,
}

/// An object that a kustomization patches, and a place in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EditPatch {
    /// The kind of the object.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The field, such as `spec.chart.spec.version`.
    pub path: String,
}

/// A document in a file and a place in it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Select {
    /// The document's `apiVersion`.
    pub api_version: Option<String>,
    /// The document's `kind`.
    pub kind: Option<String>,
    /// The document's `metadata.namespace`.
    pub namespace: Option<String>,
    /// The document's `metadata.name`.
    pub name: Option<String>,
    /// The field, such as `spec.chart.spec.version`.
    pub path: String,
}
