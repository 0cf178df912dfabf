//! `kind: Pipeline`, without its environments.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{ApiVersion, Environment, Metadata, PullRequest, SecretRef};

/// One application's way through its environments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineManifest {
    /// `gradus.dev/v1alpha1`.
    pub api_version: ApiVersion,
    /// `Pipeline`.
    pub kind: PipelineKind,
    /// What the pipeline is called.
    pub metadata: Metadata,
    /// What the pipeline is.
    pub spec: PipelineSpec,
}

/// The kind of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PipelineKind {
    /// The one there is.
    Pipeline,
}

/// What moves, from where to where, and by which rules.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PipelineSpec {
    /// With `true`, nothing of the pipeline is looked at.
    #[serde(default)]
    pub suspend: bool,
    /// Whether anything is written; `active` when absent.
    pub mode: Option<Mode>,
    /// What becomes of open proposals when the pipeline goes away; `close` when absent.
    pub on_delete: Option<OnDelete>,
    /// Whether Flux and Argo CD, where they are in reach, are asked to look as soon as a promotion landed; `true` when absent.
    pub poke: Option<bool>,
    /// Versions that no environment gets.
    #[serde(default)]
    pub block: Vec<String>,
    /// The object that carries the application in each target.
    pub app_ref: Option<AppRef>,
    /// What moves; one artifact called `app` when absent.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// The repository that declares the environments.
    pub repository: Repository,
    /// How the proposals of all its environments are named, said and merged.
    pub pull_request: Option<PullRequest>,
    /// The steps of the way. Each comes after the one before it, unless `after` says otherwise.
    #[schemars(length(min = 1))]
    pub environments: Vec<Environment>,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Everything is said and written.
    Active,
    /// Everything is said and nothing is written.
    Observe,
}

/// What becomes of open proposals when the pipeline goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnDelete {
    /// They are closed.
    Close,
    /// They stay as they are.
    Leave,
}

/// The object that carries the application in each target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AppRef {
    /// The object's API, such as `helm.toolkit.fluxcd.io/v2`.
    pub api_version: String,
    /// The object's kind, such as `HelmRelease`.
    pub kind: String,
    /// The object's name.
    pub name: String,
}

/// Something that has versions and moves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Artifact {
    /// What it is called in this pipeline.
    pub name: String,
    /// Which of two versions is newer. When absent: as semantic versions where
    /// both are, else in the order in which they were seen.
    pub order: Option<Order>,
    /// The Helm chart it is.
    pub chart: Option<Chart>,
    /// The container image it is.
    pub image: Option<Image>,
    /// Refused with the reason, so that it is not merely unknown.
    #[schemars(skip)]
    pub range: Option<String>,
}

/// Which of two versions is newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As semantic versions.
    Semver,
    /// As numbers with dots between them.
    Numeric,
    /// As dates.
    Calendar,
    /// As they were seen.
    Seen,
}

/// A Helm chart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chart {
    /// Where the chart is, such as `oci://ghcr.io/acme/charts/podinfo`.
    pub repository: String,
    /// The chart's name, where the repository holds several.
    pub name: Option<String>,
    /// Refused with the reason, so that it is not merely unknown.
    #[schemars(skip)]
    pub range: Option<String>,
}

/// A container image.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Image {
    /// Where the image is, such as `ghcr.io/acme/web`.
    pub repository: String,
    /// Refused with the reason, so that it is not merely unknown.
    #[schemars(skip)]
    pub range: Option<String>,
}

/// The repository that declares the environments.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repository {
    /// Where it is: `https://`, `http://`, `ssh://` or `user@host:path`, `file://` or a path. Never with a password in it.
    pub url: String,
    /// The branch that is deployed; the repository's own default when absent.
    pub branch: Option<String>,
    /// The folders below which markers are looked for; the whole repository when absent.
    #[serde(default)]
    pub paths: Vec<String>,
    /// The Secret that holds the credentials: `username` and `password`, or `token`, or for ssh `identity` and `known_hosts`.
    pub secret_ref: Option<SecretRef>,
    /// Who keeps the proposals; `local`, which is gradus itself, when absent.
    pub forge: Option<Forge>,
    /// Where the forge is, if the repository's address does not tell, such as `https://git.example.com/gitea`.
    pub forge_url: Option<String>,
    /// How gradus's commits there are made.
    pub commit: Option<CommitStyle>,
}

/// How gradus's commits in a repository are made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitStyle {
    /// Who makes them; `gradus <gradus@localhost>` when absent.
    pub author: Option<Author>,
    /// Whether each says `Signed-off-by` with that name and address.
    #[serde(default)]
    pub sign_off: bool,
    /// The Secret with the key that each is signed with: `identity`, a private key of Ed25519 for ssh, without a passphrase.
    pub signing_key_ref: Option<SecretRef>,
}

/// Who makes a commit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

/// Who keeps the proposals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Forge {
    /// gradus itself.
    Local,
    /// GitHub, also GitHub Enterprise.
    Github,
    /// GitLab, also self-managed.
    Gitlab,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
    /// Bitbucket Cloud.
    Bitbucket,
    /// Bitbucket Data Center, and Server.
    BitbucketServer,
    /// Azure DevOps.
    AzureDevops,
}
