//! The forge of repositories that have none.

mod rows;

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, EnvironmentName, PipelineKey, ProposalNumber};
use gradus_core::plan::CloseReason;
use gradus_core::tell;
use gradus_engine::port::forge::{
    Extras, MergeWay, Merging, ProposalPlace, ProposalRecord, ProposalText, clear_up,
};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{Forge, PortError, Repos};
use jiff::Timestamp;

use crate::ledger::SqliteLedger;
use rows::{Fate, Sight};

/// So many commits of a branch are looked at to find the head it had before.
const COMMITS: usize = 50;

/// Proposals without a forge.
///
/// A proposal is open as long as its branch exists in Git. The ledger's file adds
/// what Git does not know: its number, its texts and what became of it. Every
/// call may be repeated, also after a crash in the middle: what will happen to a
/// branch is noted before it happens, and a branch that is still there when it is
/// looked at next is open again under its old number.
#[derive(Clone)]
pub struct LocalForge {
    ledger: SqliteLedger,
    repos: Arc<dyn Repos>,
}

/// A proposal as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalInfo {
    /// The repository's address.
    pub repository: Arc<str>,
    /// Its number, counted from 1 in each repository.
    pub number: ProposalNumber,
    /// The environment it is for.
    pub environment: EnvironmentName,
    /// The branch it is for.
    pub base: BranchName,
    /// The branch it comes from.
    pub branch: BranchName,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// The commit that its branch was last seen at.
    pub head: CommitId,
    /// What became of it.
    pub state: ProposalState,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was last changed.
    pub changed: Timestamp,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProposalState {
    /// Its branch exists.
    Open,
    /// The branch it is for has what it proposed.
    Merged {
        /// The commit that brought it, where gradus made it.
        commit: Option<CommitId>,
    },
    /// It did not come in.
    Closed {
        /// Why, in words.
        why: String,
    },
}

impl LocalForge {
    /// A forge that keeps its proposals in the file of a ledger.
    pub fn new(ledger: SqliteLedger, repos: Arc<dyn Repos>) -> Self {
        Self { ledger, repos }
    }

    /// The proposals of a pipeline, newest first; at most 500.
    pub async fn proposals(&self, pipeline: &PipelineKey) -> Result<Vec<ProposalInfo>, PortError> {
        let key = pipeline.clone();
        let doing = format!("listing the proposals of {pipeline} in");
        self.ledger.store.read(&doing, move |connection| rows::list(connection, &key)).await
    }

    /// What is known of a branch that is at `head` now.
    async fn sight(&self, place: &ProposalPlace, head: &CommitId) -> Result<Sight, PortError> {
        let (at, head) = (place.clone(), head.clone());
        let doing = format!("looking for the proposal of {} in", place.branch);
        self.ledger.store.read(&doing, move |connection| rows::sight(connection, &at, &head)).await
    }

    /// Whether the branch was deleted and made anew since it was at `before`.
    async fn is_new_branch(
        &self,
        place: &ProposalPlace,
        before: &CommitId,
        head: &CommitId,
    ) -> Result<bool, PortError> {
        let repo = self.repos.open(&place.repository)?;
        let history = repo.history(head, &[], COMMITS).await?;
        Ok(history.commits.iter().all(|commit| commit.id != *before))
    }

    /// What the commit of a branch says of itself, for a proposal whose text was
    /// lost, or was not written before a crash.
    async fn text_of(&self, place: &ProposalPlace, head: &CommitId) -> Result<ProposalText, PortError> {
        let history = self.repos.open(&place.repository)?.history(head, &[], 1).await?;
        let message = history.commits.first().map_or("", |commit| commit.message.as_str());
        let (title, body) = message.split_once('\n').unwrap_or((message, ""));
        let (title, body) = (title.trim().to_owned(), body.trim().to_owned());
        Ok(ProposalText {
            head: head.clone(),
            title,
            body,
            at: self.ledger.clock.now(),
            extras: Extras::default(),
        })
    }

    async fn end(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        fate: Fate,
    ) -> Result<Option<Fate>, PortError> {
        let (at, now) = (place.clone(), self.ledger.clock.now());
        let doing = format!("noting what becomes of proposal {number} of {} in", place.branch);
        let write = move |link: &_| rows::end(link, &at, number, &fate, now);
        self.ledger.store.write(&doing, write).await
    }

    /// Clears up after a merge. The merge has happened and is reported as such,
    /// whatever becomes of this; what is left is found and closed at the next look.
    async fn clear_up(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        commit: &CommitId,
    ) {
        let state = ProposalState::Merged { commit: Some(commit.clone()) };
        if let Err(error) = self.end(place, number, Fate { state, head: head.clone() }).await {
            tracing::warn!(error = error.in_full(), %number, "a merge could not be noted");
        }
        clear_up(&*self.repos, place, head).await;
    }
}

#[async_trait]
impl Forge for LocalForge {
    async fn find(
        &self,
        place: &ProposalPlace,
        head: &CommitId,
    ) -> Result<Option<ProposalRecord>, PortError> {
        // Most looks find what they found before, and need not write.
        let text = match self.sight(place, head).await? {
            Sight::AsBefore(record) => return Ok(Some(record)),
            Sight::Moved(_) | Sight::Reopened => {
                let (title, body) = (String::new(), String::new());
                ProposalText {
                    head: head.clone(),
                    title,
                    body,
                    at: self.ledger.clock.now(),
                    extras: Extras::default(),
                }
            }
            Sight::New => self.text_of(place, head).await?,
        };
        let at = place.clone();
        let doing = format!("adopting the proposal of {} into", place.branch);
        let write = move |link: &_| rows::adopt(link, &at, &text);
        Ok(Some(self.ledger.store.write(&doing, write).await?))
    }

    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError> {
        let replaced = match self.sight(place, &text.head).await? {
            Sight::Moved(before) if self.is_new_branch(place, &before, &text.head).await? => Some(before),
            Sight::Moved(_) | Sight::AsBefore(_) | Sight::Reopened | Sight::New => None,
        };
        let (at, text) = (place.clone(), text.clone());
        let doing = format!("opening the proposal of {} in", place.branch);
        let write = move |link: &_| rows::say(link, &at, &text, replaced.as_ref());
        self.ledger.store.write(&doing, write).await
    }

    async fn merge(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
        _way: MergeWay,
    ) -> Result<Merging, PortError> {
        let written = self.repos.open(&place.repository)?.commit(merge).await?;
        match &written {
            Written::Done(commit) | Written::AlreadyTrue(commit) => {
                self.clear_up(place, number, head, commit).await;
            }
            Written::Stale(_) | Written::Refused(_) => {}
        }
        Ok(Merging::Now(written))
    }

    async fn close(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        because: &CloseReason,
    ) -> Result<Written, PortError> {
        let repo = self.repos.open(&place.repository)?;
        let state = match because {
            CloseReason::Merged => ProposalState::Merged { commit: None },
            CloseReason::Overtaken => {
                ProposalState::Closed { why: "the environment has moved past it".to_owned() }
            }
            CloseReason::Refused(reason) => {
                let now = tell::Clock::utc(self.ledger.clock.now());
                ProposalState::Closed { why: tell::sentence(reason, &now) }
            }
        };
        let before = self.end(place, number, Fate { state, head: head.clone() }).await?;
        let written = repo.delete(&place.branch, head).await?;
        match (&written, before) {
            // It is not closed while its branch is there.
            (Written::Stale(_) | Written::Refused(_), Some(before)) => {
                self.end(place, number, before).await?;
            }
            (Written::Stale(_) | Written::Refused(_), None) => {}
            (Written::Done(_) | Written::AlreadyTrue(_), _) => {}
        }
        Ok(written)
    }
}
