//! What runs.

use async_trait::async_trait;
use gradus_core::pipeline::HttpTarget;
use gradus_core::version::Version;

use super::PortError;

/// Asks targets that can be asked. Those that report are in the ledger.
#[async_trait]
pub trait Targets: Send + Sync {
    /// What an application says of itself at its version endpoint.
    async fn ask(&self, target: &HttpTarget) -> Result<Answered, PortError>;
}

/// What an application said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It works, at this version.
    Healthy(Version),
    /// It answered, and not as it should.
    Unhealthy(String),
}
