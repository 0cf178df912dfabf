//! Those who deploy, asked to look now.

use gradus_core::names::{CommitId, EnvironmentName};
use gradus_core::pipeline::Pipeline;

/// Asks those who deploy an environment to look at the repository. It is a kindness:
/// they would look by themselves a little later, nothing waits for it, and what
/// became of it is not told.
pub trait Nudge: Send + Sync {
    /// A commit of a promotion is on the branch that is deployed. Returns at once.
    fn landed(&self, pipeline: &Pipeline, environment: &EnvironmentName, commit: &CommitId);
}

/// Asks nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNudge;

impl Nudge for NoNudge {
    fn landed(&self, _pipeline: &Pipeline, _environment: &EnvironmentName, _commit: &CommitId) {}
}
