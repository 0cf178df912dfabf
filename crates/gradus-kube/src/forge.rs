//! Proposals where there is no forge: a proposal is its branch.
//!
//! Nothing is kept beside Git. The branch is the proposal, what people read of it
//! is the message of its commit, and there is at most one for each environment, so
//! that its number is always the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{CommitId, ProposalNumber};
use gradus_core::plan::CloseReason;
use gradus_engine::port::forge::{MergeWay, Merging, ProposalPlace, ProposalRecord, ProposalText, clear_up};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{Forge, PortError, Repos};
use jiff::Timestamp;

/// An environment has one proposal at most.
const NUMBER: ProposalNumber = ProposalNumber(1);
/// So many heads are remembered with the time of their commit.
const HEADS: usize = 20_000;

/// Proposals that are branches and nothing else.
pub struct BranchForge {
    repos: Arc<dyn Repos>,
    /// When the commits at the tips of proposals were made.
    made: Mutex<HashMap<CommitId, Timestamp>>,
}

impl BranchForge {
    /// Proposals in these repositories.
    pub fn new(repos: Arc<dyn Repos>) -> Self {
        Self { repos, made: Mutex::default() }
    }

    async fn since(&self, place: &ProposalPlace, head: &CommitId) -> Result<Timestamp, PortError> {
        let known = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(head).copied();
        if let Some(at) = known {
            return Ok(at);
        }
        let history = self.repos.open(&place.repository)?.history(head, &[], 1).await?;
        let at = history.commits.first().map_or(Timestamp::UNIX_EPOCH, |commit| commit.at);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        // All of them are found again when they are needed.
        if made.len() >= HEADS {
            made.clear();
        }
        made.insert(head.clone(), at);
        Ok(at)
    }
}

#[async_trait]
impl Forge for BranchForge {
    async fn find(
        &self,
        place: &ProposalPlace,
        head: &CommitId,
    ) -> Result<Option<ProposalRecord>, PortError> {
        Ok(Some(ProposalRecord {
            number: NUMBER,
            url: None,
            since: self.since(place, head).await?,
            declined: None,
            queued: None,
        }))
    }

    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError> {
        // The branch is there already, and its commit says what the text says.
        Ok(ProposalRecord {
            number: NUMBER,
            url: None,
            since: self.since(place, &text.head).await?,
            declined: None,
            queued: None,
        })
    }

    async fn merge(
        &self,
        place: &ProposalPlace,
        _number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
        _way: MergeWay,
    ) -> Result<Merging, PortError> {
        let written = self.repos.open(&place.repository)?.commit(merge).await?;
        match &written {
            Written::Done(_) | Written::AlreadyTrue(_) => clear_up(&*self.repos, place, head).await,
            Written::Stale(_) | Written::Refused(_) => {}
        }
        Ok(Merging::Now(written))
    }

    async fn close(
        &self,
        place: &ProposalPlace,
        _number: ProposalNumber,
        head: &CommitId,
        _because: &CloseReason,
    ) -> Result<Written, PortError> {
        self.repos.open(&place.repository)?.delete(&place.branch, head).await
    }
}
