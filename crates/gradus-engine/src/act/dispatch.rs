//! Asking somebody else's automation for a change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gradus_core::names::{BranchName, PipelineKey, RepoPath};
use gradus_core::pipeline::{DispatchPolicy, Pipeline, Strategy};
use gradus_core::plan::Change;
use gradus_core::tell::because;
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::{Actor, Outcome, blind};
use crate::places;
use crate::port::dispatch::{DispatchOrder, DispatchRecord};
use crate::port::ledger::{Action, Entry, Wrote};
use crate::port::{PortError, PortErrorKind, Repo};
use crate::spans;

/// What was asked for and could not be recorded yet. While it is remembered here it is not asked for again; a
/// process that ends in between asks twice, for the same promotion.
#[derive(Default)]
pub(crate) struct Unrecorded(Mutex<BTreeMap<String, (PipelineKey, Wrote)>>);

impl Unrecorded {
    fn get(&self, promotion: &str) -> Option<Wrote> {
        self.lock().get(promotion).map(|(_, wrote)| wrote.clone())
    }

    fn put(&self, pipeline: &PipelineKey, wrote: &Wrote) {
        self.lock().insert(wrote.promotion.clone(), (pipeline.clone(), wrote.clone()));
    }

    fn forget(&self, promotion: &str) {
        self.lock().remove(promotion);
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.lock().retain(|_, (pipeline, _)| keep(pipeline));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (PipelineKey, Wrote)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Actor<'_> {
    /// Asks for the change, if the branch still is as it was planned for, and records that.
    pub(super) async fn dispatch(&self, repo: &dyn Repo, change: &Change) -> Result<Outcome, PortError> {
        let promotion = dispatch_id(self.pipeline, change);
        if let Some(wrote) = self.unrecorded.get(&promotion) {
            return self.asked(wrote).await;
        }
        let name = &change.environment;
        let (Some(policy), Some(ground), Some(Ok(places))) =
            (policy(self.pipeline, change), self.sight.ground(name), self.sight.places.get(name))
        else {
            return Ok(Outcome::Stale(blind()));
        };
        let (base, grounds) = (&ground.branch, self.rests_on(change));
        let asked: Vec<BranchName> = grounds.iter().map(|ground| ground.branch.clone()).collect();
        let tips = repo.tips(&asked).await?;
        let Some(tip) = tips.get(base) else { return Ok(Outcome::Stale(format!("{base} is gone"))) };
        for ground in grounds {
            let tip = tips.get(&ground.branch);
            if tip != Some(&ground.tip) && self.has_changed(repo, change, ground, tip).await? {
                return Ok(Outcome::Stale(format!(
                    "{name} or what it comes after has been changed meanwhile"
                )));
            }
        }
        let paths: BTreeSet<RepoPath> = places.iter().map(|place| place.file.clone()).collect();
        let paths: Vec<RepoPath> = paths.into_iter().collect();
        let files = repo.read(tip, &paths).await?;
        match places::edits(places, &files, change.from.as_ref(), &change.to) {
            Ok(None) => return Ok(Outcome::Stale(format!("{name} has been changed meanwhile"))),
            Ok(Some(edits)) if edits.is_empty() => return Ok(Outcome::AlreadyTrue),
            Ok(Some(_)) => {}
            // How it is written there is the automation's own affair.
            Err(why) => tracing::debug!(%why, "gradus itself could not make the change"),
        }
        let targets = self.pipeline.environment(name).map(|here| here.targets.as_slice()).unwrap_or_default();
        let order = DispatchOrder {
            repository: self.pipeline.repository.clone(),
            event: policy.event.clone(),
            on: policy.on.clone().unwrap_or_else(|| base.clone()),
            promotion: promotion.as_str().into(),
            pipeline: self.pipeline.key.clone(),
            environment: name.clone(),
            from: change.from.clone(),
            to: change.to.clone(),
            base: base.clone(),
            files: paths,
            targets: targets.iter().map(|target| target.name.clone()).collect(),
            asked: change.request().map(|request| (request.kind, request.by.clone())),
            approved_by: change.approved_by.clone(),
            because: because(change),
        };
        let at = self.ports.clock.now();
        let DispatchRecord { url } =
            match self.ports.forge.dispatch(&order).instrument(spans::forge("dispatch")).await {
                Ok(record) => record,
                Err(error) if error.kind == PortErrorKind::Unusable => {
                    let why = error.in_full();
                    tracing::warn!(pipeline = %self.pipeline.key, environment = %name, why, "refused");
                    return Ok(Outcome::Refused(why));
                }
                Err(error) => return Err(error),
            };
        let because = order.because;
        let wrote = Wrote {
            environment: name.clone(),
            action: Action::Dispatched,
            from: change.from.clone(),
            to: Some(change.to.clone()),
            commit: tip.clone(),
            proposal: None,
            promotion,
            request: change.request().map(|request| request.id.clone()),
            asked_by: change.request().map(|request| request.by.clone()),
            approved_by: change.approved_by.clone(),
            detail: url.map_or_else(|| because.clone(), |url| format!("{because} {url}")),
            at,
        };
        self.unrecorded.put(&self.pipeline.key, &wrote);
        self.asked(wrote).await
    }

    /// Records that it was asked for. Until that is done it is remembered in this process alone.
    async fn asked(&self, wrote: Wrote) -> Result<Outcome, PortError> {
        let (commit, promotion) = (wrote.commit.clone(), wrote.promotion.clone());
        let (pipeline, environment) = (&self.pipeline.key, wrote.environment.clone());
        self.ports.ledger.record(pipeline, &[Entry::Wrote(wrote)]).await?;
        self.unrecorded.forget(&promotion);
        tracing::info!(%pipeline, %environment, promotion, "{}", Action::Dispatched.word());
        Ok(Outcome::Done(commit))
    }
}

fn policy<'a>(pipeline: &'a Pipeline, change: &Change) -> Option<&'a DispatchPolicy> {
    match &pipeline.environment(&change.environment)?.strategy {
        Strategy::Dispatch(policy) => Some(policy),
        Strategy::Push | Strategy::PullRequest => None,
    }
}

/// The name of a promotion that is asked for: what it changes, from what, to what, and by which request. Unlike that
/// of a commit it does not depend on what else is in the files, so that asking twice asks for the same.
fn dispatch_id(pipeline: &Pipeline, change: &Change) -> String {
    let mut hash = Sha256::new();
    let mut line = |text: &str| {
        hash.update(text.as_bytes());
        hash.update(b"\n");
    };
    line("dispatch");
    line(&pipeline.key.to_string());
    line(change.environment.as_str());
    line(&change.from.as_ref().map(ToString::to_string).unwrap_or_default());
    line(&change.to.to_string());
    line(change.request().map(|request| request.id.as_str()).unwrap_or_default());
    hash.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}
