//! Each pipeline's proposals are where its manifest says.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{CommitId, Group, Person, ProposalNumber};
use gradus_core::pipeline::Repository;
use gradus_core::plan::CloseReason;
use gradus_engine::port::dispatch::{DispatchOrder, DispatchRecord};
use gradus_engine::port::forge::{
    AnswerTo, CommentRecord, MergeWay, Merging, ProposalPlace, ProposalRecord, ProposalText, ReviewRecord,
    Standing, Who,
};
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

    /// The same, beside other replicas that hear of some of what forges tell.
    pub(crate) fn among_others(self) -> Self {
        Self { remote: self.remote.among_others(), ..self }
    }

    /// What hears of proposals that are in a forge.
    pub(crate) fn remote(&self) -> &RemoteForge {
        &self.remote
    }

    fn of(&self, place: &ProposalPlace) -> &dyn Forge {
        self.for_one(&place.repository)
    }

    fn for_one(&self, repository: &Repository) -> &dyn Forge {
        match repository.forge {
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
        way: MergeWay,
    ) -> Result<Merging, PortError> {
        self.of(place).merge(place, number, head, merge, way).await
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

    async fn reviews(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
    ) -> Result<Vec<ReviewRecord>, PortError> {
        self.of(place).reviews(place, number).await
    }

    async fn comments(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
    ) -> Result<Vec<CommentRecord>, PortError> {
        self.of(place).comments(place, number).await
    }

    async fn say(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        words: &str,
        to: Option<&AnswerTo>,
    ) -> Result<(), PortError> {
        self.of(place).say(place, number, words, to).await
    }

    async fn who(&self, place: &ProposalPlace, person: &Person, groups: &[Group]) -> Result<Who, PortError> {
        self.of(place).who(place, person, groups).await
    }

    fn answers(&self, place: &ProposalPlace) {
        self.of(place).answers(place);
    }

    async fn dispatch(&self, order: &DispatchOrder) -> Result<DispatchRecord, PortError> {
        self.for_one(&order.repository).dispatch(order).await
    }

    fn tells(&self, repository: &Repository) -> bool {
        repository.forge.is_some() && self.remote.tells(repository)
    }

    async fn tell(&self, place: &ProposalPlace, standing: &Standing) -> Result<(), PortError> {
        self.of(place).tell(place, standing).await
    }
}
