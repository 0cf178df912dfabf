//! Where holds are kept that people say below proposals.

use async_trait::async_trait;
use gradus_core::names::{Person, PipelineKey};
use gradus_core::pipeline::Hold;

use super::PortError;

/// Where holds are kept. They are in force once the pipeline has been read again.
#[async_trait]
pub trait Holder: Send + Sync {
    /// Sets a hold. Never replaces one that is there.
    async fn hold(&self, pipeline: &PipelineKey, hold: &Hold) -> Result<(), PortError>;

    /// Lifts a hold; `false` when there is none.
    async fn lift(&self, pipeline: &PipelineKey, name: &str, by: &Person) -> Result<bool, PortError>;
}
