//! A double of those who deploy: who was asked to look, for which commit.

use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::{CommitId, EnvironmentName, PipelineKey};
use gradus_core::pipeline::Pipeline;

use crate::port::Nudge;

/// Who was asked, each time.
#[derive(Debug, Clone, Default)]
pub struct FakeNudge(Arc<Mutex<Vec<Nudged>>>);

/// Somebody was asked to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudged {
    /// For which pipeline.
    pub pipeline: PipelineKey,
    /// Who deploys this environment.
    pub environment: EnvironmentName,
    /// At which commit.
    pub commit: CommitId,
}

impl FakeNudge {
    /// Everybody who was asked, in order.
    pub fn nudged(&self) -> Vec<Nudged> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Nudge for FakeNudge {
    fn landed(&self, pipeline: &Pipeline, environment: &EnvironmentName, commit: &CommitId) {
        let nudged = Nudged {
            pipeline: pipeline.key.clone(),
            environment: environment.clone(),
            commit: commit.clone(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(nudged);
    }
}
