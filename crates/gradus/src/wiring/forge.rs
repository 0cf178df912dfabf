//! Each pipeline's proposals are where its manifest says.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{CommitId, ProposalNumber};
use gradus_core::plan::CloseReason;
use gradus_engine::port::forge::{ProposalPlace, ProposalRecord, ProposalText};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{Clock, Forge, PortError, Repos};
use gradus_remote::forge::{Forges, RemoteForge};
use gradus_remote::repos::Access;

/// The forge that a repository names, or gradus's own where it names none.
pub(crate) struct EitherForge {
    own: Arc<dyn Forge>,
    remote: RemoteForge,
}

impl EitherForge {
    /// Forges are reached as repositories are.
    pub(crate) fn new(
        own: Arc<dyn Forge>,
        access: Arc<dyn Access>,
        repos: Arc<dyn Repos>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let forges = Arc::new(Forges::new(access, clock.clone()));
        Self { own, remote: RemoteForge::new(forges, repos, clock) }
    }

    /// What hears of proposals that are in a forge.
    pub(crate) fn remote(&self) -> &RemoteForge {
        &self.remote
    }

    fn of(&self, place: &ProposalPlace) -> &dyn Forge {
        match place.repository.forge {
            Some(_) => &self.remote,
            None => &*self.own,
        }
    }
}

#[async_trait]
impl Forge for EitherForge {
    async fn find(
        &self,
        place: &ProposalPlace,
        head: &CommitId,
    ) -> Result<Option<ProposalRecord>, PortError> {
        self.of(place).find(place, head).await
    }

    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError> {
        self.of(place).ensure(place, text).await
    }

    async fn merge(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
    ) -> Result<Written, PortError> {
        self.of(place).merge(place, number, head, merge).await
    }

    async fn close(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        because: &CloseReason,
    ) -> Result<Written, PortError> {
        self.of(place).close(place, number, head, because).await
    }
}
