//! The server's port for proposals: those of the local forge.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::PipelineKey;
use gradus_engine::port::PortError;
use gradus_local::LocalForge;
use gradus_server::api::v1::Proposal;
use gradus_server::port::Proposals;

use crate::source::shown;

/// The proposals of the local forge.
pub(super) struct LocalProposals(pub(super) Arc<LocalForge>);

#[async_trait]
impl Proposals for LocalProposals {
    async fn list(&self, pipeline: &PipelineKey, limit: usize) -> Result<Vec<Proposal>, PortError> {
        Ok(self.0.proposals(pipeline).await?.iter().take(limit).map(shown).collect())
    }
}
