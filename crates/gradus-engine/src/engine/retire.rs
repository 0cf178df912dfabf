//! Clearing up after a pipeline that is no more.
//!
//! It asks for no more than it takes: the tips of the branches that proposals are on.
//! So it also works where nothing else of the pipeline can be looked at any more.

use gradus_core::names::{BranchName, CommitId, EnvironmentName};
use gradus_core::pipeline::{Mode, OnDelete, Pipeline};
use gradus_core::plan::CloseReason;

use super::Engine;
use crate::observe::{proposal_branch, proposals};
use crate::port::ledger::{Action, Entry, Wrote};
use crate::port::repo::Written;
use crate::port::{PortError, PortErrorKind};

impl Engine {
    /// Closes the open proposals of a pipeline that is no more, unless it says to
    /// leave them. One with other people's commits is theirs to close. What is
    /// returned is why something is left that should not be; it may be tried again.
    pub async fn retire(&self, pipeline: &Pipeline) -> Vec<PortError> {
        match (pipeline.on_delete, pipeline.mode) {
            (OnDelete::Leave, _) | (_, Mode::Observe) => return Vec::new(),
            (OnDelete::Close, Mode::Active | Mode::Suspended) => {}
        }
        let turn = self.turn(&pipeline.key);
        let _turn = turn.lock().await;
        let heads = match self.proposals_of(pipeline).await {
            Ok(heads) => heads,
            Err(error) => return vec![error],
        };
        let mut errors = Vec::new();
        for (environment, branch, head) in heads {
            errors.extend(self.close(pipeline, &environment, &branch, &head).await.err());
        }
        errors
    }

    /// The branches of a pipeline's proposals that are there, and where they are.
    async fn proposals_of(
        &self,
        pipeline: &Pipeline,
    ) -> Result<Vec<(EnvironmentName, BranchName, CommitId)>, PortError> {
        let environments = pipeline.environments().iter();
        let mut branches: Vec<(EnvironmentName, BranchName)> = environments
            .filter_map(|here| Some((here.name.clone(), proposal_branch(pipeline, &here.name)?)))
            .collect();
        let asked: Vec<BranchName> = branches.iter().map(|(_, branch)| branch.clone()).collect();
        let tips = self.ports.repos.open(&pipeline.repository)?.tips(&asked).await?;
        branches.retain(|(_, branch)| tips.contains_key(branch));
        let with_head = branches.into_iter().filter_map(|(environment, branch)| {
            let head = tips.get(&branch)?.clone();
            Some((environment, branch, head))
        });
        Ok(with_head.collect())
    }

    async fn close(
        &self,
        pipeline: &Pipeline,
        environment: &EnvironmentName,
        branch: &BranchName,
        head: &CommitId,
    ) -> Result<(), PortError> {
        let repo = self.ports.repos.open(&pipeline.repository)?;
        let base = match pipeline.environment(environment).and_then(|here| here.branch.clone()) {
            Some(branch) => branch,
            None => self.base_branch(&pipeline.repository, &*repo).await?,
        };
        let place = proposals::place(pipeline, environment, &base, branch);
        if !self.memory.heads.is_ours(&*repo, &place, head).await? {
            return Ok(());
        }
        let Some(record) = self.ports.forge.find(&place, head).await? else { return Ok(()) };
        let left = |why: String| {
            let doing = format!("closing the proposal of {environment}");
            Err(PortError::because(PortErrorKind::Unusable, doing, why))
        };
        let commit =
            match self.ports.forge.close(&place, record.number, head, &CloseReason::Overtaken).await? {
                Written::Done(commit) | Written::AlreadyTrue(commit) => commit,
                Written::Stale(why) | Written::Refused(why) => return left(why),
            };
        tracing::info!(pipeline = %pipeline.key, %environment, commit = commit.short(), "closed");
        let wrote = Wrote {
            environment: environment.clone(),
            action: Action::Closed,
            from: None,
            to: None,
            commit,
            proposal: Some(record.number),
            promotion: String::new(),
            request: None,
            asked_by: None,
            approved_by: Vec::new(),
            detail: "its pipeline is no more".to_owned(),
            at: self.ports.clock.now(),
        };
        self.ports.ledger.record(&pipeline.key, &[Entry::Wrote(wrote)]).await
    }
}
