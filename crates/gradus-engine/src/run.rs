//! The loop: every pipeline is looked after when something was heard of it, when
//! a time is due, when its branch has moved, and once in a while anyway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::{BranchName, CommitId, PipelineKey};
use gradus_core::pipeline::{Pipeline, Repository, TargetKind};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::engine::{Engine, Reconciled};
use crate::observe::proposal_branch;

/// How the loop runs.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// How many pipelines are looked after at the same time.
    pub at_once: usize,
    /// How often a repository is asked whether its branches have moved.
    pub poll: Duration,
    /// How often a pipeline is looked at even if nothing was heard.
    pub resync: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { at_once: 8, poll: Duration::from_secs(30), resync: Duration::from_secs(600) }
    }
}

impl Engine {
    /// Runs until `stop` is done, then lets the steps that are being taken end.
    pub async fn run(self: &Arc<Self>, options: RunOptions, stop: impl Future<Output = ()>) {
        let places = Arc::new(Semaphore::new(options.at_once.max(1)));
        let mut workers = JoinSet::new();
        let mut polls = JoinSet::new();
        polls.spawn(poll(self.clone(), options.poll));
        tokio::pin!(stop);
        loop {
            let place = tokio::select! {
                () = &mut stop => break,
                place = places.clone().acquire_owned() => place,
            };
            let Ok(place) = place else { break };
            let key = tokio::select! {
                () = &mut stop => break,
                key = self.queue.next() => key,
            };
            let Some(key) = key else { break };
            let engine = self.clone();
            workers.spawn(async move {
                engine.look_after_one(&key, &options).await;
                drop(place);
            });
            while workers.try_join_next().is_some() {}
        }
        polls.shutdown().await;
        while workers.join_next().await.is_some() {}
    }

    async fn look_after_one(&self, key: &PipelineKey, options: &RunOptions) {
        let Some(pipeline) = self.pipeline(key) else {
            self.queue.done(key);
            return;
        };
        let done = self.reconcile(&pipeline).await;
        let mut failed = false;
        for error in done.errors() {
            failed = true;
            tracing::warn!(pipeline = %key, error = error.in_full(), hint = error.hint, "a step failed");
        }
        if failed {
            self.queue.failed(key, spread(key));
        } else {
            self.queue.done(key);
        }
        self.queue.want(key.clone(), Instant::now() + self.next_look(&pipeline, &done, options));
    }

    /// How long until the pipeline is worth another look.
    fn next_look(&self, pipeline: &Pipeline, done: &Reconciled, options: &RunOptions) -> Duration {
        if done.did_something() {
            return Duration::ZERO;
        }
        let asks = pipeline
            .environments()
            .iter()
            .flat_map(|environment| &environment.targets)
            .any(|target| matches!(target.kind, TargetKind::Http(_)));
        let regular = if asks { options.poll.min(options.resync) } else { options.resync };
        // Pipelines that were loaded together are not looked at together for ever.
        let regular = regular.mul_f64(0.9 + 0.1 * spread(&pipeline.key));
        match done.looked.report.wake_at {
            Some(at) => regular.min(until(self.ports.clock.now(), at)),
            None => regular,
        }
    }
}

fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// A number from 0 to 1 that is always the same for a key.
fn spread(key: &PipelineKey) -> f64 {
    let hash = Sha256::digest(key.to_string().as_bytes());
    f64::from(hash.first().copied().unwrap_or_default()) / 255.0
}

/// Asks every repository, again and again, whether a branch has moved that a
/// pipeline looks at: one request for all its pipelines.
async fn poll(engine: Arc<Engine>, every: Duration) {
    let mut known: BTreeMap<Repository, BTreeMap<BranchName, CommitId>> = BTreeMap::new();
    loop {
        tokio::time::sleep(every).await;
        let mut by_repository: BTreeMap<Repository, Vec<Arc<Pipeline>>> = BTreeMap::new();
        for pipeline in engine.pipelines() {
            by_repository.entry(pipeline.repository.clone()).or_default().push(pipeline);
        }
        known.retain(|repository, _| by_repository.contains_key(repository));
        for (repository, pipelines) in by_repository {
            let Ok(repo) = engine.ports.repos.open(&repository) else { continue };
            let base = match engine.base_branch(&repository, &*repo).await {
                Ok(base) => base,
                Err(error) => {
                    tracing::debug!(error = error.in_full(), "could not ask for the default branch");
                    continue;
                }
            };
            let proposals = pipelines.iter().flat_map(|pipeline| {
                pipeline.environments().iter().filter_map(|environment| proposal_branch(pipeline, &environment.name))
            });
            let branches: Vec<BranchName> = std::iter::once(base).chain(proposals).collect();
            match repo.tips(&branches).await {
                Ok(tips) => {
                    let before = known.insert(repository, tips.clone());
                    if before.is_some_and(|before| before != tips) {
                        for pipeline in &pipelines {
                            engine.wake(&pipeline.key);
                        }
                    }
                }
                Err(error) => tracing::debug!(error = error.in_full(), "could not ask for the tips"),
            }
        }
    }
}
