//! What the server asks of the binary, besides the engine.

use async_trait::async_trait;
use gradus_core::names::{Namespace, Person, PipelineKey};
use gradus_core::pipeline::{ForgeKind, Hold};
use gradus_engine::port::PortError;

use crate::api::v1::{Problem, Proposal};

/// Where holds are written, as the manifests that they are.
#[async_trait]
pub trait Holds: Send + Sync {
    /// All of them.
    async fn list(&self) -> Result<Vec<HoldRecord>, PortError>;

    /// Writes a hold, and says where. It is in force once the manifests have been read again; a good
    /// implementation does that before it answers. Never replaces one that is there.
    async fn set(&self, pipeline: &PipelineKey, hold: &Hold) -> Result<HoldRecord, PortError>;

    /// Removes a hold; `false` when there is none.
    async fn lift(&self, namespace: &Namespace, name: &str, by: &Person) -> Result<bool, PortError>;
}

/// A hold, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRecord {
    /// The pipeline that it holds. The hold is in the same namespace.
    pub pipeline: PipelineKey,
    /// The hold.
    pub hold: Hold,
    /// Where it is written, such as a file in the configuration folder.
    pub place: Option<String>,
}

/// Where proposals can be listed.
#[async_trait]
pub trait Proposals: Send + Sync {
    /// The newest proposals of a pipeline, newest first, at most `limit`.
    async fn list(&self, pipeline: &PipelineKey, limit: usize) -> Result<Vec<Proposal>, PortError>;
}

/// What became of reading the manifests.
pub trait Problems: Send + Sync {
    /// What could not be read the last time.
    fn list(&self) -> Vec<Problem>;

    /// Whether the manifests were read once.
    fn were_read(&self) -> bool;
}

/// What forges tell of repositories.
pub trait Repositories: Send + Sync {
    /// Something happened in a repository. What was seen there is not believed any longer; the pipelines
    /// that it may matter to are returned, to be looked at.
    fn heard(&self, event: &ForgeEvent) -> Vec<PipelineKey>;
}

/// Something that a forge tells. It says where to look, and nothing that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForgeEvent {
    /// What kind of forge says so.
    pub forge: ForgeKind,
    /// All addresses of the repository that it names.
    pub urls: Vec<String>,
    /// What the repository is called below its forge, as `owner/name`.
    pub name: Option<String>,
    /// The repository's default branch, where that is told.
    pub default_branch: Option<String>,
    /// What it is about.
    pub about: About,
}

/// What in a repository something happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// These branches are elsewhere now, or gone.
    Branches(Vec<String>),
    /// Somebody did or said something at a proposal.
    Proposal {
        /// Its number.
        number: Option<u64>,
        /// The branch that it comes from.
        branch: Option<String>,
    },
    /// A commit has another status.
    Commit(String),
}
