//! The loop: every pipeline is looked after when something was heard of it, when
//! a time is due, when its branch has moved, and once in a while anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::{BranchName, PipelineKey};
use gradus_core::pipeline::{Commands, Pipeline, Repository, TargetKind};
use gradus_core::report::Report;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::engine::{Engine, Reconciled};
use crate::moment::Moment;
use crate::observe::proposal_branch;
use crate::port::PortError;
use crate::queue::Queue;

/// How the loop runs.
#[derive(Debug, Clone, Copy)]
pub struct RunOptions {
    /// How many pipelines are looked after at the same time.
    pub at_once: usize,
    /// How often a repository is asked whether its branches have moved.
    pub poll: Duration,
    /// How often a pipeline is looked at even if nothing was heard.
    pub resync: Duration,
    /// How often version endpoints are asked.
    pub ask: Duration,
    /// How often a forge that does not tell is asked what people said of an open proposal.
    pub people: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        let ask = Duration::from_secs(30);
        Self {
            at_once: 8,
            poll: ask,
            resync: Duration::from_secs(600),
            ask,
            people: Duration::from_secs(300),
        }
    }
}

/// Hears how each pipeline was looked after. It decides nothing, and keeps nobody waiting.
pub trait Watcher: Send + Sync {
    /// A pipeline was looked after; so many others wait, now or later.
    fn looked_after(&self, done: &Reconciled, took: Duration, waiting: usize);
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
            let Some((key, since)) = key else { break };
            let engine = self.clone();
            workers.spawn(async move {
                engine.look_after_one(&key, since, &options).await;
                drop(place);
            });
            while let Some(ended) = workers.try_join_next() {
                tell(ended);
            }
        }
        polls.shutdown().await;
        while let Some(ended) = workers.join_next().await {
            tell(ended);
        }
    }

    async fn look_after_one(&self, key: &PipelineKey, since: Moment, options: &RunOptions) {
        let turn = Turn { queue: &self.queue, key, ended: false };
        let Some(pipeline) = self.pipeline(key) else { return turn.done() };
        let begun = Instant::now();
        let done = self.reconcile_since(&pipeline, since).await;
        for watcher in &self.watchers {
            watcher.looked_after(&done, begun.elapsed(), self.queue.len());
        }
        for error in done.errors() {
            tracing::warn!(pipeline = %key, error = error.in_full(), hint = error.hint, "a step failed");
        }
        if done.should_try_again() {
            turn.failed();
        } else {
            turn.done();
        }
        self.queue.want(key.clone(), Instant::now() + self.next_look(&pipeline, &done, options));
    }

    /// How long until the pipeline is worth another look.
    fn next_look(&self, pipeline: &Pipeline, done: &Reconciled, options: &RunOptions) -> Duration {
        // What was not done is tried again with care; what was done is looked at now.
        if done.made_progress() {
            return Duration::ZERO;
        }
        let asks = pipeline
            .environments()
            .iter()
            .flat_map(|environment| &environment.targets)
            .any(|target| matches!(target.kind, TargetKind::Http(_)));
        let mut regular = if asks { options.ask.min(options.resync) } else { options.resync };
        if listens(pipeline, &done.looked.report) && !self.ports.forge.tells(&pipeline.repository) {
            regular = regular.min(options.people);
        }
        // Pipelines that were loaded together are not looked at together for ever.
        let regular = regular.mul_f64(0.9 + 0.1 * spread(&pipeline.key));
        match done.looked.report.wake_at {
            Some(at) => regular.min(until(self.ports.clock.now(), at)),
            None => regular,
        }
    }
}

/// Whether what people say at an open proposal matters.
fn listens(pipeline: &Pipeline, report: &Report) -> bool {
    pipeline.environments().iter().any(|environment| {
        let policy = environment.pull_request();
        (policy.reviews || policy.commands != Commands::Off)
            && report.environment(&environment.name).is_some_and(|here| here.proposal.is_some())
    })
}

/// A pipeline that is being looked after. If that ends in a panic, somebody tries again.
struct Turn<'a> {
    queue: &'a Queue<PipelineKey>,
    key: &'a PipelineKey,
    ended: bool,
}

impl Turn<'_> {
    fn done(mut self) {
        self.ended = true;
        self.queue.done(self.key);
    }

    fn failed(mut self) {
        self.ended = true;
        self.queue.failed(self.key, spread(self.key));
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.queue.failed(self.key, 1.0);
        }
    }
}

fn tell(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "looking after a pipeline ended early; it is tried again");
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

/// Asks every repository, again and again, whether a branch has moved since a
/// pipeline was looked at: one request for all its pipelines.
async fn poll(engine: Arc<Engine>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let mut by_repository: BTreeMap<Repository, Vec<Arc<Pipeline>>> = BTreeMap::new();
        for pipeline in engine.pipelines() {
            by_repository.entry(pipeline.repository.clone()).or_default().push(pipeline);
        }
        for (repository, pipelines) in by_repository {
            if let Err(error) = ask(&engine, &repository, &pipelines).await {
                tracing::debug!(error = error.in_full(), "could not ask for the tips");
            }
        }
    }
}

async fn ask(engine: &Engine, repository: &Repository, pipelines: &[Arc<Pipeline>]) -> Result<(), PortError> {
    let repo = engine.ports.repos.open(repository)?;
    let base = engine.base_branch(repository, &*repo).await?;
    let branches_of = |pipeline: &Pipeline| -> BTreeSet<BranchName> {
        let names = pipeline.environments().iter().map(|environment| &environment.name);
        names.filter_map(|name| proposal_branch(pipeline, name)).chain([base.clone()]).collect()
    };
    let asked = Moment::now();
    let tips = engine.tips(repository, &base, pipelines, &*repo).await?;
    for pipeline in pipelines {
        let its = branches_of(pipeline);
        let tips = tips.iter().filter(|(branch, _)| its.contains(*branch));
        if engine.has_moved(&pipeline.key, &tips.map(|(branch, tip)| (branch.clone(), tip.clone())).collect())
        {
            engine.wake_since(&pipeline.key, asked);
        }
    }
    Ok(())
}
