//! Why a list of environments is no pipeline.

use std::fmt;

use crate::names::{ArtifactName, BranchName, EnvironmentName, TargetName};

/// What makes a list of environments no pipeline, and which one is at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineError {
    /// The environment at fault, by its place in the list.
    pub environment: Option<usize>,
    /// What is wrong.
    pub kind: PipelineErrorKind,
}

/// What makes a list of environments no pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineErrorKind {
    /// There are none.
    NoEnvironments,
    /// Two have this name.
    DuplicateEnvironment(EnvironmentName),
    /// It comes after one that does not exist; with the nearest name there is.
    UnknownAfter {
        /// The name that was given.
        name: EnvironmentName,
        /// The nearest name there is.
        nearest: Option<EnvironmentName>,
    },
    /// It comes, by way of these, after itself.
    Cycle(Vec<EnvironmentName>),
    /// It has no target.
    NoTargets,
    /// Two of its targets have this name.
    DuplicateTarget(TargetName),
    /// It asks for more healthy targets than it has.
    NeedsTooMany {
        /// How many it asks for.
        need: u32,
        /// How many it has.
        targets: usize,
    },
    /// Its proposals would be on the branch of another environment's, or on the one that is deployed.
    BranchTaken {
        /// The branch.
        branch: BranchName,
        /// Whose it is; that of what is deployed when absent.
        of: Option<EnvironmentName>,
    },
    /// An edit names an artifact that the pipeline does not have.
    UnknownArtifact(ArtifactName),
    /// It soaks in the environments before it, and there are none.
    SoakBeforeFirst,
    /// It takes the branch of the environment before it, and there are none or several.
    MergesNotOne(usize),
    /// It takes the branch of the environment before it, which is its own.
    MergesItself {
        /// The environment before.
        before: EnvironmentName,
        /// The branch; the repository's own default when absent.
        branch: Option<BranchName>,
    },
}

impl fmt::Display for PipelineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PipelineErrorKind::NoEnvironments => write!(f, "a pipeline needs at least one environment"),
            PipelineErrorKind::DuplicateEnvironment(name) => {
                write!(f, "environment {name:?} is there twice", name = name.as_str())
            }
            PipelineErrorKind::UnknownAfter { name, .. } => {
                write!(f, "it comes after {:?}, which does not exist", name.as_str())
            }
            PipelineErrorKind::Cycle(way) => {
                let way: Vec<&str> = way.iter().map(EnvironmentName::as_str).collect();
                write!(f, "it comes after itself: {}", way.join(" after "))
            }
            PipelineErrorKind::NoTargets => write!(f, "it has no targets"),
            PipelineErrorKind::DuplicateTarget(name) => {
                write!(f, "target {:?} is there twice", name.as_str())
            }
            PipelineErrorKind::NeedsTooMany { need, targets } => {
                write!(f, "it asks for {need} healthy targets and has {targets}")
            }
            PipelineErrorKind::BranchTaken { branch, of: Some(other) } => {
                write!(f, "it proposes on branch {branch}, which collides with that of environment {other}")
            }
            PipelineErrorKind::BranchTaken { branch, of: None } => {
                write!(f, "it proposes on branch {branch}, which is the one that is deployed")
            }
            PipelineErrorKind::UnknownArtifact(name) => {
                write!(
                    f,
                    "an edit takes its value from artifact {:?}, which the pipeline does not have",
                    name.as_str()
                )
            }
            PipelineErrorKind::SoakBeforeFirst => {
                write!(f, "a soak gate waits in the environments before, and this is the first one")
            }
            PipelineErrorKind::MergesNotOne(0) => {
                write!(f, "it merges the branch of the environment before, and this is the first one")
            }
            PipelineErrorKind::MergesNotOne(count) => {
                write!(
                    f,
                    "it merges the branch of the environment before, and it comes after {count} of them"
                )
            }
            PipelineErrorKind::MergesItself { before, branch: Some(branch) } => {
                write!(f, "it merges the branch of {before}, and both are on branch {branch}")
            }
            PipelineErrorKind::MergesItself { before, branch: None } => {
                write!(f, "it merges the branch of {before}, and both are on the repository's own branch")
            }
        }
    }
}

impl std::error::Error for PipelineError {}
