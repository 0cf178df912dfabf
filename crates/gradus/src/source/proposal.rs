//! Proposals that gradus itself keeps, in the shape of the API.

use gradus_local::{ProposalInfo, ProposalState};
use gradus_server::api::v1;

/// A proposal as the API shows it.
pub(crate) fn shown(proposal: &ProposalInfo) -> v1::Proposal {
    let (state, merged_by, closed_because) = match &proposal.state {
        ProposalState::Open => (v1::ProposalState::Open, None, None),
        ProposalState::Merged { commit } => {
            (v1::ProposalState::Merged, commit.as_ref().map(ToString::to_string), None)
        }
        ProposalState::Closed { why } => (v1::ProposalState::Closed, None, Some(why.clone())),
    };
    v1::Proposal {
        number: proposal.number.0,
        environment: proposal.environment.to_string(),
        url: None,
        title: proposal.title.clone(),
        body: proposal.body.clone(),
        branch: proposal.branch.to_string(),
        base: proposal.base.to_string(),
        head: proposal.head.to_string(),
        state,
        opened_at: v1::Time(proposal.opened),
        changed_at: v1::Time(proposal.changed),
        merged_by,
        closed_because,
    }
}
