//! What runs.

use async_trait::async_trait;
use gradus_core::names::PipelineKey;
use gradus_core::observation::{Evidence, Seen, TargetState};
use gradus_core::pipeline::{ClusterTarget, HttpTarget};
use gradus_core::version::Version;

use super::PortError;

/// Asks targets that can be asked. Those that report are in the ledger.
#[async_trait]
pub trait Targets: Send + Sync {
    /// What an application says of itself at its version endpoint.
    async fn ask(&self, target: &HttpTarget) -> Result<Answered, PortError>;

    /// What an object in a cluster says of the application, and what that rests on.
    async fn look(&self, pipeline: &PipelineKey, target: &ClusterTarget) -> Result<LookedAt, PortError> {
        let _nobody = (pipeline, target);
        let state = Seen::unknown("clusters are looked into by the controller only");
        Ok(LookedAt { state, evidence: Vec::new() })
    }
}

/// What an application said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It works, at this version.
    Healthy(Version),
    /// It answered, and not as it should.
    Unhealthy(String),
}

/// What was seen in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedAt {
    /// What the target does.
    pub state: Seen<TargetState>,
    /// What that rests on.
    pub evidence: Vec<Evidence>,
}
