//! A forge whose proposals are branches: one is open as long as its branch exists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, EnvironmentName, Group, Person, ProposalNumber};
use gradus_core::plan::CloseReason;
use jiff::Timestamp;

use super::{FakeClock, FakeRepo, Faults};
use crate::port::dispatch::{DispatchOrder, DispatchRecord};
use crate::port::forge::{
    AnswerTo, CommentRecord, MergeWay, Merging, ProposalPlace, ProposalRecord, ProposalText, ReviewRecord,
    Standing, Verdict, Who,
};
use crate::port::repo::{CommitOrder, Written};
use crate::port::{Clock, Forge, PortError};

/// A forge whose proposals are branches. Clones share it.
#[derive(Clone)]
pub struct FakeForge {
    state: Arc<Mutex<State>>,
    repo: FakeRepo,
    clock: FakeClock,
    faults: Faults,
}

#[derive(Default)]
struct State {
    proposals: Vec<FakeProposal>,
    people: BTreeMap<Person, Who>,
    reviews: Vec<(ProposalNumber, ReviewRecord)>,
    comments: Vec<(ProposalNumber, CommentRecord)>,
    told: Vec<(EnvironmentName, Standing)>,
    dispatched: Vec<DispatchOrder>,
}

/// A proposal, open or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeProposal {
    /// Its number, from 1.
    pub number: ProposalNumber,
    /// Which.
    pub place: ProposalPlace,
    /// The title that people read.
    pub title: String,
    /// The text that people read.
    pub body: String,
    /// Since when it is open.
    pub since: Timestamp,
    /// How it ended; open as long as its branch exists.
    pub ended: Option<Ended>,
    /// How often its texts were written.
    pub said: usize,
}

/// How a proposal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// gradus merged it with this commit.
    Merged(CommitId),
    /// gradus closed it, for this reason.
    Closed(CloseReason),
    /// Its branch went away.
    Gone,
}

impl FakeForge {
    pub(super) fn new(repo: FakeRepo, clock: FakeClock) -> Self {
        Self { state: Arc::default(), repo, clock, faults: Faults::none() }
    }

    /// The same forge, with faults of its own.
    pub fn with(&self, faults: &Faults) -> Self {
        Self { faults: faults.clone(), ..self.clone() }
    }

    /// All proposals there were, oldest first.
    pub fn proposals(&self) -> Vec<FakeProposal> {
        let mut state = self.state();
        state.forget(&self.repo.branches());
        state.proposals.clone()
    }

    /// The open ones.
    pub fn open(&self) -> Vec<FakeProposal> {
        self.proposals().into_iter().filter(|proposal| proposal.ended.is_none()).collect()
    }

    /// Somebody who may decide, in these groups.
    pub fn knows(&self, person: &Person, groups: &[Group]) {
        let who = Who { aliases: Vec::new(), groups: groups.to_vec(), may: Ok(()) };
        self.state().people.insert(person.clone(), who);
    }

    /// Somebody reviews what is open on a branch, as it is there now.
    pub fn review(&self, branch: &BranchName, by: &Person, verdict: Verdict) {
        let on = self.repo.branches().get(branch).cloned();
        let at = self.clock.now();
        let Some(open) = self.open().into_iter().find(|open| open.place.branch == *branch) else { return };
        self.state().reviews.push((open.number, ReviewRecord { by: by.clone(), verdict, on, at }));
    }

    /// Somebody says something below what is open on a branch.
    pub fn comment(&self, branch: &BranchName, by: &Person, body: &str) {
        let at = self.clock.now();
        let Some(open) = self.open().into_iter().find(|open| open.place.branch == *branch) else { return };
        self.state().add(open.number, by.clone(), body, at);
    }

    /// What was said below what is or was open on a branch: by whom, and what.
    pub fn said(&self, branch: &BranchName) -> Vec<(Person, String)> {
        let state = self.state();
        let of = |number: ProposalNumber| {
            state.proposals.iter().any(|p| p.number == number && p.place.branch == *branch)
        };
        let said = state.comments.iter().filter(|(number, _)| of(*number));
        said.map(|(_, comment)| (comment.by.clone(), comment.body.clone())).collect()
    }

    /// What it was told of each environment, oldest first.
    pub fn told(&self) -> Vec<(EnvironmentName, Standing)> {
        self.state().told.clone()
    }

    /// What automation was asked for, oldest first.
    pub fn dispatched(&self) -> Vec<DispatchOrder> {
        self.state().dispatched.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, number: ProposalNumber, by: Person, body: &str, at: Timestamp) {
        let id = Arc::from(format!("c{}", self.comments.len() + 1));
        let ours = by == Person::gradus();
        self.comments.push((number, CommentRecord { id, by, ours, body: body.to_owned(), at }));
    }

    /// A proposal whose branch has gone away is open no more.
    fn forget(&mut self, branches: &BTreeMap<BranchName, CommitId>) {
        for proposal in self.proposals.iter_mut().filter(|proposal| proposal.ended.is_none()) {
            if !branches.contains_key(&proposal.place.branch) {
                proposal.ended = Some(Ended::Gone);
            }
        }
    }

    /// The open proposal of a branch that exists. One that nobody opened is open all the same.
    fn open(&mut self, place: &ProposalPlace, at: Timestamp) -> &mut FakeProposal {
        let known = self.proposals.iter().rposition(|p| p.ended.is_none() && p.place.branch == place.branch);
        let index = known.unwrap_or(self.proposals.len());
        if known.is_none() {
            self.proposals.push(FakeProposal {
                number: ProposalNumber(u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1)),
                place: place.clone(),
                title: String::new(),
                body: String::new(),
                since: at,
                ended: None,
                said: 0,
            });
        }
        self.proposals.get_mut(index).expect("it is there")
    }

    fn end(&mut self, number: ProposalNumber, how: Ended) {
        if let Some(proposal) = self.proposals.iter_mut().find(|p| p.number == number && p.ended.is_none()) {
            proposal.ended = Some(how);
        }
    }
}

impl FakeProposal {
    fn record(&self) -> ProposalRecord {
        let url = Some(Arc::from(format!("https://forge.example/proposals/{}", self.number)));
        ProposalRecord { number: self.number, url, since: self.since, declined: None, queued: None }
    }
}

#[async_trait]
impl Forge for FakeForge {
    async fn find(
        &self,
        place: &ProposalPlace,
        _head: &CommitId,
    ) -> Result<Option<ProposalRecord>, PortError> {
        let call = self.faults.call("forge.find", false);
        call.before().await?;
        let record = {
            let (branches, at) = (self.repo.branches(), self.clock.now());
            let mut state = self.state();
            state.forget(&branches);
            branches.contains_key(&place.branch).then(|| state.open(place, at).record())
        };
        call.after().await?;
        Ok(record)
    }

    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError> {
        let call = self.faults.call("forge.ensure", true);
        call.before().await?;
        let record = {
            let branches = self.repo.branches();
            let mut state = self.state();
            state.forget(&branches);
            if !branches.contains_key(&place.branch) {
                return Err(PortError::new(
                    crate::port::PortErrorKind::Missing,
                    format!("opening the proposal of {}", place.branch),
                ));
            }
            let proposal = state.open(place, text.at);
            proposal.title.clone_from(&text.title);
            proposal.body.clone_from(&text.body);
            proposal.said += 1;
            proposal.record()
        };
        call.after().await?;
        Ok(record)
    }

    async fn merge(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
        _way: MergeWay,
    ) -> Result<Merging, PortError> {
        let call = self.faults.call("forge.merge", true);
        call.before().await?;
        if self.repo.branches().get(&place.branch) != Some(head) {
            return Ok(Merging::Now(Written::Stale(format!("{} is not at {head}", place.branch))));
        }
        let written = self.repo.apply(merge)?;
        // The merge has happened; what clears up after it may not be reached any more.
        let clears = self.faults.call("forge.merge, clearing up", true);
        clears.before().await?;
        match &written {
            Written::Done(commit) | Written::AlreadyTrue(commit) => {
                self.repo.drop_branch(&place.branch, head);
                self.state().end(number, Ended::Merged(commit.clone()));
            }
            Written::Stale(_) | Written::Refused(_) => {}
        }
        call.after().await?;
        Ok(Merging::Now(written))
    }

    async fn close(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        because: &CloseReason,
    ) -> Result<Written, PortError> {
        let call = self.faults.call("forge.close", true);
        call.before().await?;
        let written = self.repo.drop_branch(&place.branch, head);
        match &written {
            Written::Done(_) => self.state().end(number, Ended::Closed(because.clone())),
            Written::AlreadyTrue(_) | Written::Stale(_) | Written::Refused(_) => {}
        }
        call.after().await?;
        Ok(written)
    }

    async fn reviews(
        &self,
        _place: &ProposalPlace,
        number: ProposalNumber,
    ) -> Result<Vec<ReviewRecord>, PortError> {
        let call = self.faults.call("forge.reviews", false);
        call.before().await?;
        let of = |(its, review): &(ProposalNumber, ReviewRecord)| (*its == number).then(|| review.clone());
        let reviews = self.state().reviews.iter().filter_map(of).collect();
        call.after().await?;
        Ok(reviews)
    }

    async fn comments(
        &self,
        _place: &ProposalPlace,
        number: ProposalNumber,
    ) -> Result<Vec<CommentRecord>, PortError> {
        let call = self.faults.call("forge.comments", false);
        call.before().await?;
        let of = |(its, comment): &(ProposalNumber, CommentRecord)| (*its == number).then(|| comment.clone());
        let comments = self.state().comments.iter().filter_map(of).collect();
        call.after().await?;
        Ok(comments)
    }

    async fn say(
        &self,
        _place: &ProposalPlace,
        number: ProposalNumber,
        words: &str,
        _to: Option<&AnswerTo>,
    ) -> Result<(), PortError> {
        let call = self.faults.call("forge.say", true);
        call.before().await?;
        let at = self.clock.now();
        self.state().add(number, Person::gradus(), words, at);
        call.after().await?;
        Ok(())
    }

    async fn who(&self, _place: &ProposalPlace, person: &Person, groups: &[Group]) -> Result<Who, PortError> {
        let call = self.faults.call("forge.who", false);
        call.before().await?;
        let known = self.state().people.get(person).cloned();
        call.after().await?;
        let nobody = || Who { aliases: Vec::new(), groups: Vec::new(), may: Err("may only read".to_owned()) };
        let mut who = known.unwrap_or_else(nobody);
        who.groups.retain(|group| groups.contains(group));
        Ok(who)
    }

    async fn dispatch(&self, order: &DispatchOrder) -> Result<DispatchRecord, PortError> {
        let call = self.faults.call("forge.dispatch", true);
        call.before().await?;
        let number = {
            let mut state = self.state();
            state.dispatched.push(order.clone());
            state.dispatched.len()
        };
        call.after().await?;
        Ok(DispatchRecord { url: Some(Arc::from(format!("https://forge.example/runs/{number}"))) })
    }

    async fn tell(&self, place: &ProposalPlace, standing: &Standing) -> Result<(), PortError> {
        let call = self.faults.call("forge.tell", true);
        call.before().await?;
        self.state().told.push((place.environment.clone(), standing.clone()));
        call.after().await
    }
}
