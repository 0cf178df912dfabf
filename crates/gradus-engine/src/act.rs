//! Acting: each step is compare-and-set and may be repeated.
//!
//! A step that finds the world changed does nothing and says so; the next look
//! decides anew. Only a branch that moved for other reasons is tried again here,
//! a few times.

mod dispatch;
mod lane;

use std::collections::{BTreeMap, BTreeSet};

use gradus_core::names::{BranchName, CommitId, ProposalNumber, RepoPath};
use gradus_core::pipeline::Pipeline;
use gradus_core::plan::{Change, Merges, Step};
use gradus_core::report::Report;
use gradus_core::tell::{Clock, because};
use gradus_template::TemplateError;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use crate::merging::{Merged, Wish, merging};
use crate::observe::{Ground, Sight, proposal_branch};
use crate::places::{self, FileEdit, Place};
use crate::port::forge::{Merging, ProposalPlace, ProposalText};
use crate::port::ledger::{Action, Entry, Wrote};
use crate::port::repo::{CommitOrder, FileChange, Written};
use crate::port::{PortError, PortErrorKind, Ports, Repo};
use crate::spans;
use crate::words::Words;

pub(crate) use dispatch::Unrecorded;
pub(crate) use lane::Lanes;

/// How often a write is tried again because somebody else moved the branch.
const TRIES: usize = 5;

/// How many commits may come between the look and the step.
const MEANWHILE: usize = 64;

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done; the branch is at this commit.
    Done(CommitId),
    /// It was so already.
    AlreadyTrue,
    /// The world has changed since it was planned.
    Stale(String),
    /// The other side does not allow it.
    Refused(String),
}

/// Everything a step is taken with.
pub(crate) struct Actor<'a> {
    pub(crate) ports: &'a Ports,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) sight: &'a Sight,
    pub(crate) report: &'a Report,
    pub(crate) unrecorded: &'a Unrecorded,
    pub(crate) lanes: &'a Lanes,
}

/// A change, made ready to be written.
struct Ready {
    files: BTreeMap<RepoPath, FileChange>,
    /// What is merged, where something is.
    merged: Option<CommitId>,
    tip: CommitId,
    base: BranchName,
    /// Where the proposal's branch was at the same moment.
    head: Option<CommitId>,
    promotion: String,
    message: String,
}

/// A change that is ready to be written, or what became of it before it was.
type Prepared = Result<Ready, Outcome>;

impl Actor<'_> {
    /// Takes one step and records it.
    pub(crate) async fn take(&self, step: &Step) -> Result<Outcome, PortError> {
        let span = spans::step(step);
        let outcome = self.taken(step).instrument(span.clone()).await;
        spans::took(&span, &outcome);
        outcome
    }

    async fn taken(&self, step: &Step) -> Result<Outcome, PortError> {
        let repo = self.ports.repos.open(&self.pipeline.repository)?;
        match step {
            Step::Push(change) => self.push(&*repo, change).await,
            Step::Propose(change) => self.propose(&*repo, change, None).await,
            Step::Dispatch(change) => self.dispatch(&*repo, change).await,
            Step::Update { number, head, change } => {
                self.propose(&*repo, change, Some((*number, head))).await
            }
            Step::Merge { number, head, change } => self.merge(&*repo, *number, head, change).await,
            Step::Close { number, environment, head, because } => {
                let Some(place) = self.place(environment) else { return Ok(Outcome::Stale(blind())) };
                let written = self
                    .ports
                    .forge
                    .close(&place, *number, head, because)
                    .instrument(spans::forge("close"))
                    .await?;
                let detail = match because {
                    gradus_core::plan::CloseReason::Merged => "the branch has it".to_owned(),
                    gradus_core::plan::CloseReason::Overtaken => {
                        "the environment has moved past it".to_owned()
                    }
                    gradus_core::plan::CloseReason::Refused(reason) => {
                        gradus_core::tell::sentence(reason, &Clock::utc(self.ports.clock.now()))
                    }
                };
                let wrote = Wrote {
                    environment: environment.clone(),
                    action: Action::Closed,
                    from: None,
                    to: None,
                    commit: head.clone(),
                    proposal: Some(*number),
                    promotion: String::new(),
                    request: None,
                    asked_by: None,
                    approved_by: Vec::new(),
                    detail,
                    at: self.ports.clock.now(),
                };
                self.written(written, wrote).await
            }
        }
    }

    async fn push(&self, repo: &dyn Repo, change: &Change) -> Result<Outcome, PortError> {
        let Some(ground) = self.sight.ground(&change.environment) else { return Ok(Outcome::Stale(blind())) };
        let lane = self.lanes.of(&self.pipeline.repository, &ground.branch);
        let is_alone = self.rests_on(change).len() == 1;
        let mut left = lane.lock().await;
        for tries in 0..TRIES {
            // Where the branch is, is not asked for before a push that would tell it anyway.
            let ready = match tries {
                0 if is_alone => {
                    let likely = left.likely(&ground.tip, self.sight.asked).clone();
                    let tips = BTreeMap::from([(ground.branch.clone(), likely)]);
                    self.prepare_at(repo, change, &tips, None).instrument(spans::edit()).await?
                }
                _ => self.prepare(repo, change, None).instrument(spans::edit()).await?,
            };
            let ready = match ready {
                Ok(ready) => ready,
                Err(outcome) => return Ok(outcome),
            };
            let parents = std::iter::once(ready.tip.clone()).chain(ready.merged.clone()).collect();
            let order = self.order(&ready, change, ready.base.clone(), Some(ready.tip.clone()), parents);
            match repo.commit(&order).instrument(spans::commit()).await? {
                Written::Stale(why) => {
                    tracing::debug!(why, "the branch moved; looking again");
                    left.lost();
                }
                written @ (Written::Done(_) | Written::AlreadyTrue(_) | Written::Refused(_)) => {
                    if let Written::Done(tip) = &written {
                        left.at(tip);
                    }
                    drop(left);
                    return self.written(written, self.wrote(change, Action::Pushed, None, &ready)).await;
                }
            }
        }
        Ok(Outcome::Stale("the branch kept moving".to_owned()))
    }

    /// Opens the proposal, or makes the open one a proposal of this change.
    async fn propose(
        &self,
        repo: &dyn Repo,
        change: &Change,
        open: Option<(ProposalNumber, &CommitId)>,
    ) -> Result<Outcome, PortError> {
        let Some(place) = self.place(&change.environment) else { return Ok(Outcome::Stale(blind())) };
        for _ in 0..TRIES {
            let ready =
                match self.prepare(repo, change, Some(&place.branch)).instrument(spans::edit()).await? {
                    Ok(ready) => ready,
                    Err(outcome) => return Ok(outcome),
                };
            let head = ready.head.as_ref();
            let expected = open.map_or_else(|| self.sight.tips.get(&place.branch), |(_, head)| Some(head));
            if head != expected {
                return Ok(Outcome::Stale(format!("{} has moved", place.branch)));
            }
            let text = match self.text(change, &ready) {
                Ok(text) => text,
                Err(error) => return Ok(Outcome::Refused(unsaid(&error))),
            };
            // A branch that is left over from an earlier proposal goes on from where it is: nothing is forced.
            let parents = head.into_iter().chain([&ready.tip]).chain(&ready.merged).cloned().collect();
            let order = self.order(&ready, change, place.branch.clone(), head.cloned(), parents);
            let written = match repo.commit(&order).instrument(spans::commit()).await? {
                Written::Stale(why) => {
                    tracing::debug!(why, "the proposal's branch moved; looking again");
                    continue;
                }
                written @ (Written::Done(_) | Written::AlreadyTrue(_) | Written::Refused(_)) => written,
            };
            let (Written::Done(head) | Written::AlreadyTrue(head)) = &written else {
                return self.written(written, self.wrote(change, Action::Proposed, None, &ready)).await;
            };
            let text = ProposalText { head: head.clone(), ..text };
            let record = self.ports.forge.ensure(&place, &text).instrument(spans::forge("propose")).await?;
            let action = if open.is_some() { Action::Updated } else { Action::Proposed };
            return self.written(written, self.wrote(change, action, Some(record.number), &ready)).await;
        }
        Ok(Outcome::Stale("the branch kept moving".to_owned()))
    }

    async fn merge(
        &self,
        repo: &dyn Repo,
        number: ProposalNumber,
        head: &CommitId,
        change: &Change,
    ) -> Result<Outcome, PortError> {
        let Some(place) = self.place(&change.environment) else { return Ok(Outcome::Stale(blind())) };
        for _ in 0..TRIES {
            let ready =
                match self.prepare(repo, change, Some(&place.branch)).instrument(spans::edit()).await? {
                    Ok(ready) => ready,
                    Err(outcome) => return Ok(outcome),
                };
            if ready.head.as_ref() != Some(head) {
                return Ok(Outcome::Stale(format!("{} has moved", place.branch)));
            }
            let parents = vec![ready.tip.clone(), head.clone()];
            let order = self.order(&ready, change, ready.base.clone(), Some(ready.tip.clone()), parents);
            let way = self.words(change, &ready.base).way();
            let merged = self.ports.forge.merge(&place, number, head, &order, way);
            match merged.instrument(spans::forge("merge")).await? {
                Merging::Now(Written::Stale(why)) => {
                    tracing::debug!(why, "the base branch moved; looking again");
                }
                // The next look tells it as it is.
                Merging::Later => {
                    return Ok(Outcome::Stale("the forge merges it once its own rules are met".to_owned()));
                }
                Merging::Now(
                    written @ (Written::Done(_) | Written::AlreadyTrue(_) | Written::Refused(_)),
                ) => {
                    return self
                        .written(written, self.wrote(change, Action::Merged, Some(number), &ready))
                        .await;
                }
            }
        }
        Ok(Outcome::Stale("the branch kept moving".to_owned()))
    }

    /// Reads the base branch as it is now and makes the edits, if it still is as it was planned for. Where the
    /// proposal's branch is, is asked in the same breath.
    async fn prepare(
        &self,
        repo: &dyn Repo,
        change: &Change,
        proposed: Option<&BranchName>,
    ) -> Result<Prepared, PortError> {
        let Some(ground) = self.sight.ground(&change.environment) else {
            return Ok(Err(Outcome::Stale(blind())));
        };
        let base = &ground.branch;
        let grounds = self.rests_on(change);
        let asked: BTreeSet<&BranchName> = std::iter::once(base)
            .chain(proposed)
            .chain(grounds.iter().map(|ground| &ground.branch))
            .collect();
        let tips = repo.tips(&asked.into_iter().cloned().collect::<Vec<_>>()).await?;
        let head = proposed.and_then(|branch| tips.get(branch)).cloned();
        self.prepare_at(repo, change, &tips, head).await
    }

    /// Makes the edits where the branches are at these commits.
    async fn prepare_at(
        &self,
        repo: &dyn Repo,
        change: &Change,
        tips: &BTreeMap<BranchName, CommitId>,
        head: Option<CommitId>,
    ) -> Result<Prepared, PortError> {
        let (Some(ground), Some(Ok(places))) =
            (self.sight.ground(&change.environment), self.sight.places.get(&change.environment))
        else {
            return Ok(Err(Outcome::Stale(blind())));
        };
        let (base, grounds) = (&ground.branch, self.rests_on(change));
        let Some(tip) = tips.get(base) else { return Ok(Err(Outcome::Stale(format!("{base} is gone")))) };
        if places.is_empty() {
            let name = &change.environment;
            return Ok(Err(Outcome::Refused(format!(
                "no file names the version of {name}, so it cannot be changed"
            ))));
        }
        for ground in grounds {
            let tip = tips.get(&ground.branch);
            if tip != Some(&ground.tip) && self.has_changed(repo, change, ground, tip).await? {
                let name = &change.environment;
                return Ok(Err(Outcome::Stale(format!(
                    "{name} or what it comes after has been changed meanwhile"
                ))));
            }
        }
        let paths: BTreeSet<RepoPath> = places.iter().map(|place| place.file.clone()).collect();
        let paths: Vec<RepoPath> = paths.into_iter().collect();
        let files = repo.read(tip, &paths).await?;
        match places::edits(places, &files, change.from.as_ref(), &change.to) {
            Err(why) => Ok(Err(Outcome::Refused(why.to_string()))),
            Ok(None) => Ok(Err(Outcome::Stale(format!("{} has been changed meanwhile", change.environment)))),
            Ok(Some(edits)) if edits.is_empty() => Ok(Err(Outcome::AlreadyTrue)),
            Ok(Some(edits)) => {
                let promotion = promotion_id(self.pipeline, change, &edits);
                let (files, merged) = match self.merged(repo, change, tip, places).await? {
                    Ok(Some((files, merged))) => (files, Some(merged)),
                    Ok(None) => (changes(edits), None),
                    Err(outcome) => return Ok(Err(outcome)),
                };
                Ok(match self.words(change, base).message(&promotion) {
                    Ok(message) => {
                        let (tip, base) = (tip.clone(), base.clone());
                        Ok(Ready { files, merged, tip, base, head, promotion, message })
                    }
                    Err(error) => Err(Outcome::Refused(unsaid(&error))),
                })
            }
        }
    }

    /// What the merge makes of the branch as it is now; nothing where there is nothing to merge, so that the version
    /// alone is left to be written.
    async fn merged(
        &self,
        repo: &dyn Repo,
        change: &Change,
        tip: &CommitId,
        places: &[Place],
    ) -> Result<Result<Option<(BTreeMap<RepoPath, FileChange>, CommitId)>, Outcome>, PortError> {
        let Some(Merges { environment, commit }) = &change.merges else { return Ok(Ok(None)) };
        let wish = Wish { ours: tip, theirs: commit, places, to: &change.to };
        Ok(match merging(repo, &wish).await? {
            Merged::Within => Ok(None),
            Merged::Ready(files) => Ok(Some((files, commit.clone()))),
            // The next look says so, and to whom.
            Merged::Conflicts(files) => {
                let files: Vec<&str> = files.iter().map(RepoPath::as_str).collect();
                Err(Outcome::Stale(format!(
                    "commit {} of {environment} conflicts in {}",
                    commit.short(),
                    files.join(", ")
                )))
            }
            Merged::Impossible(why) => Err(Outcome::Stale(format!(
                "commit {} of {environment} cannot be merged: {why}",
                commit.short()
            ))),
        })
    }

    /// The branches that a change rests on: the environment's own, and those of the environments before.
    fn rests_on(&self, change: &Change) -> Vec<&Ground> {
        let before = self.pipeline.environment(&change.environment).map(|here| here.after.as_slice());
        let names = std::iter::once(&change.environment).chain(before.unwrap_or_default());
        let mut grounds: Vec<&Ground> = Vec::new();
        for ground in names.filter_map(|name| self.sight.ground(name)) {
            if !grounds.iter().any(|known| known.branch == ground.branch) {
                grounds.push(ground);
            }
        }
        grounds
    }

    /// Whether the files of a branch that the change rests on were touched since they were
    /// seen, even if they are as they were again: who takes a release back must
    /// not find it written once more by a step that was planned before.
    async fn has_changed(
        &self,
        repo: &dyn Repo,
        change: &Change,
        ground: &Ground,
        tip: Option<&CommitId>,
    ) -> Result<bool, PortError> {
        let Some(tip) = tip else { return Ok(true) };
        let before = self.pipeline.environment(&change.environment).map(|here| here.after.as_slice());
        let names = std::iter::once(&change.environment).chain(before.unwrap_or_default());
        let names =
            names.filter(|name| self.sight.ground(name).is_some_and(|its| its.branch == ground.branch));
        let places = names.filter_map(|name| self.sight.places.get(name)?.as_ref().ok()).flatten();
        let paths: BTreeSet<RepoPath> = places.map(|place| place.file.clone()).collect();
        let paths: Vec<RepoPath> = paths.into_iter().collect();
        let commits = repo.history_since(tip, &paths, MEANWHILE, &ground.tip).await?.commits;
        let Some(end) = commits.iter().position(|commit| commit.id == ground.tip) else { return Ok(true) };
        let meanwhile = commits.get(..=end).unwrap_or_default();
        Ok(meanwhile.windows(2).any(|two| matches!(two, [newer, older] if newer.files != older.files)))
    }

    fn order(
        &self,
        ready: &Ready,
        change: &Change,
        branch: BranchName,
        expect: Option<CommitId>,
        parents: Vec<CommitId>,
    ) -> CommitOrder {
        CommitOrder {
            branch,
            expect,
            parents,
            tree_of: ready.tip.clone(),
            files: ready.files.clone(),
            message: ready.message.clone(),
            at: change.at,
        }
    }

    fn words<'w>(&'w self, change: &'w Change, base: &'w BranchName) -> Words<'w> {
        Words { pipeline: self.pipeline, change, base }
    }

    /// What people read of the proposal. The branch is at the base's tip until its commit is made.
    fn text(&self, change: &Change, ready: &Ready) -> Result<ProposalText, TemplateError> {
        let at = self.ports.clock.now();
        let words = self.words(change, &ready.base);
        let (title, body) = words.proposal(self.report, &ready.promotion, &Clock::utc(at))?;
        Ok(ProposalText { head: ready.tip.clone(), title, body, at, extras: words.extras()? })
    }

    fn place(&self, environment: &gradus_core::names::EnvironmentName) -> Option<ProposalPlace> {
        let ground = self.sight.ground(environment)?;
        Some(ProposalPlace {
            repository: self.pipeline.repository.clone(),
            base: ground.branch.clone(),
            branch: proposal_branch(self.pipeline, environment)?,
            pipeline: self.pipeline.key.clone(),
            environment: environment.clone(),
        })
    }

    fn wrote(
        &self,
        change: &Change,
        action: Action,
        proposal: Option<ProposalNumber>,
        ready: &Ready,
    ) -> Wrote {
        Wrote {
            environment: change.environment.clone(),
            action,
            from: change.from.clone(),
            to: Some(change.to.clone()),
            commit: ready.tip.clone(),
            proposal,
            promotion: ready.promotion.clone(),
            request: change.request().map(|request| request.id.clone()),
            asked_by: change.request().map(|request| request.by.clone()),
            approved_by: change.approved_by.clone(),
            detail: because(change),
            at: self.ports.clock.now(),
        }
    }

    /// Records what was written. The write itself has happened: a record that
    /// fails is made up for by the next look, which finds the commit in Git.
    async fn written(&self, written: Written, mut wrote: Wrote) -> Result<Outcome, PortError> {
        match written {
            Written::Done(commit) | Written::AlreadyTrue(commit) => {
                wrote.commit = commit.clone();
                tracing::info!(
                    pipeline = %self.pipeline.key,
                    environment = %wrote.environment,
                    commit = commit.short(),
                    "{}",
                    wrote.action.word()
                );
                if self.pipeline.poke && lands(wrote.action) {
                    self.ports.nudge.landed(self.pipeline, &wrote.environment, &commit);
                }
                self.ports.ledger.record(&self.pipeline.key, &[Entry::Wrote(wrote)]).await?;
                Ok(Outcome::Done(commit))
            }
            Written::Stale(why) => Ok(Outcome::Stale(why)),
            Written::Refused(why) => {
                tracing::warn!(pipeline = %self.pipeline.key, environment = %wrote.environment, why, "refused");
                Ok(Outcome::Refused(why))
            }
        }
    }
}

impl Outcome {
    /// Why it failed, as an error, where it did.
    pub fn refusal(&self, doing: &str) -> Option<PortError> {
        match self {
            Self::Refused(why) => Some(PortError::because(PortErrorKind::Unusable, doing, why.clone())),
            Self::Done(_) | Self::AlreadyTrue | Self::Stale(_) => None,
        }
    }
}

/// Whether what was done is on the branch that is deployed.
fn lands(action: Action) -> bool {
    match action {
        Action::Pushed | Action::Merged => true,
        Action::Proposed | Action::Updated | Action::Closed | Action::Dispatched => false,
    }
}

/// What a template does not say is not written.
fn unsaid(error: &TemplateError) -> String {
    let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("a template of its pull request cannot be filled in: {error}{hint}")
}

fn blind() -> String {
    "the repository could not be read".to_owned()
}

/// The edits, as a commit makes them.
fn changes(edits: Vec<FileEdit>) -> BTreeMap<RepoPath, FileChange> {
    edits.into_iter().map(|edit| (edit.path, FileChange::write(edit.before, edit.after))).collect()
}

/// The name of a promotion: what it changes, from what, to what, in which state of the files.
fn promotion_id(pipeline: &Pipeline, change: &Change, edits: &[FileEdit]) -> String {
    let mut hash = Sha256::new();
    let mut line = |text: &str| {
        hash.update(text.as_bytes());
        hash.update(b"\n");
    };
    line(&pipeline.key.to_string());
    line(change.environment.as_str());
    line(&change.from.as_ref().map(ToString::to_string).unwrap_or_default());
    line(&change.to.to_string());
    for edit in edits {
        line(edit.path.as_str());
        line(edit.before.as_str());
    }
    if let Some(merges) = &change.merges {
        line(merges.commit.as_str());
    }
    hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}
