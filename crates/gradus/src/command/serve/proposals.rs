//! The server's port for proposals: those of the local forge.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::PipelineKey;
use gradus_engine::port::PortError;
use gradus_local::{LocalForge, ProposalInfo, ProposalState as State};
use gradus_server::api::v1::{Proposal, ProposalState, Time};
use gradus_server::port::Proposals;

/// The proposals of the local forge.
pub(super) struct LocalProposals(pub(super) Arc<LocalForge>);

#[async_trait]
impl Proposals for LocalProposals {
    async fn list(&self, pipeline: &PipelineKey, limit: usize) -> Result<Vec<Proposal>, PortError> {
        Ok(self.0.proposals(pipeline).await?.into_iter().take(limit).map(wire).collect())
    }
}

fn wire(info: ProposalInfo) -> Proposal {
    let (state, merged_by, closed_because) = match info.state {
        State::Open => (ProposalState::Open, None, None),
        State::Merged { commit } => (ProposalState::Merged, commit.map(|commit| commit.to_string()), None),
        State::Closed { why } => (ProposalState::Closed, None, Some(why)),
    };
    Proposal {
        number: info.number.0,
        environment: info.environment.to_string(),
        url: None,
        title: info.title,
        body: info.body,
        branch: info.branch.to_string(),
        base: info.base.to_string(),
        head: info.head.to_string(),
        state,
        opened_at: Time(info.opened),
        changed_at: Time(info.changed),
        merged_by,
        closed_because,
    }
}
