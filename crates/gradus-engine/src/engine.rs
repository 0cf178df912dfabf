//! The engine: looks at a pipeline, plans, acts and records; takes what people
//! and machines say.

mod retire;
mod say;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use gradus_core::names::{BranchName, CommitId, PipelineKey};
use gradus_core::pipeline::Pipeline;
use gradus_core::plan::{Plan, Step};
use gradus_core::report::Report;
use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tracing::Instrument;

use crate::act::{Actor, Lanes, Outcome, Unrecorded};
use crate::moment::Moment;
use crate::observe::{self, Branches, Memory, Sight, observe};
use crate::port::{Holder, PortError, PortErrorKind, Ports, Shelf};
use crate::queue::Queue;
use crate::record;
use crate::run::Watcher;
use crate::spans;
use crate::standing::Told;

pub use say::{Asked, AskedFor, SayError, SayErrorKind};

/// How many changes a slow listener may be behind before it is told that it missed some.
const CHANGES_KEPT: usize = 1024;

/// Looks at pipelines, decides and acts.
pub struct Engine {
    pub(crate) ports: Ports,
    memory: Memory,
    told: Told,
    unrecorded: Unrecorded,
    lanes: Lanes,
    pipelines: RwLock<BTreeMap<PipelineKey, Arc<Pipeline>>>,
    latest: RwLock<BTreeMap<PipelineKey, Arc<Looked>>>,
    pub(crate) queue: Queue<PipelineKey>,
    changes: broadcast::Sender<PipelineKey>,
    /// One at a time writes for a pipeline.
    turns: Mutex<BTreeMap<PipelineKey, Arc<tokio::sync::Mutex<()>>>>,
    holder: OnceLock<Arc<dyn Holder>>,
    pub(crate) watchers: Vec<Arc<dyn Watcher>>,
}

/// What a look at a pipeline found.
#[derive(Debug, Clone)]
pub struct Looked {
    /// The pipeline as it was then.
    pub pipeline: Arc<Pipeline>,
    /// What was found, and why nothing more happens.
    pub report: Report,
    /// What is to be done.
    pub steps: Vec<Step>,
    /// When.
    pub at: Timestamp,
}

/// What became of a pipeline that was looked after.
#[derive(Debug)]
pub struct Reconciled {
    /// What was found before anything was done.
    pub looked: Arc<Looked>,
    /// What became of each step.
    pub outcomes: Vec<(Step, Result<Outcome, PortError>)>,
    /// Why something could not be recorded, or what was said could not be heard.
    pub unrecorded: Option<PortError>,
    /// Whether a port failed during the look, so that something is not known.
    pub(crate) missed: bool,
    /// Whether what people said below a proposal was done instead of what was planned.
    pub(crate) heard: bool,
}

impl Reconciled {
    /// Whether something was done, so that it is worth looking again at once.
    pub fn did_something(&self) -> bool {
        self.heard
            || self.outcomes.iter().any(|(_, outcome)| match outcome {
                Ok(Outcome::Done(_) | Outcome::Stale(_)) => true,
                Ok(Outcome::AlreadyTrue | Outcome::Refused(_)) | Err(_) => false,
            })
    }

    /// Whether a step was done.
    pub(crate) fn made_progress(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| matches!(outcome, Ok(Outcome::Done(_))))
    }

    /// Whether it is worth trying again, later with every further time.
    pub(crate) fn should_try_again(&self) -> bool {
        let stale = |outcome: &Result<Outcome, PortError>| matches!(outcome, Ok(Outcome::Stale(_)));
        self.missed
            || self.errors().next().is_some()
            || self.outcomes.iter().any(|(_, outcome)| stale(outcome))
    }

    /// What went wrong and may go better later.
    pub fn errors(&self) -> impl Iterator<Item = &PortError> {
        self.outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().err()).chain(&self.unrecorded)
    }
}

impl Engine {
    /// An engine on these ports, with no pipelines yet.
    pub fn new(ports: Ports) -> Self {
        Self {
            ports,
            memory: Memory::default(),
            told: Told::default(),
            unrecorded: Unrecorded::default(),
            lanes: Lanes::default(),
            pipelines: RwLock::default(),
            latest: RwLock::default(),
            queue: Queue::default(),
            changes: broadcast::channel(CHANGES_KEPT).0,
            turns: Mutex::default(),
            holder: OnceLock::new(),
            watchers: Vec::new(),
        }
    }

    /// The same engine, which lets another watcher hear how each pipeline was looked after.
    #[must_use]
    pub fn watched_by(mut self, watcher: Arc<dyn Watcher>) -> Self {
        self.watchers.push(watcher);
        self
    }

    /// The same engine, which keeps there what it knows of repositories.
    #[must_use]
    pub fn keeping_on(mut self, shelf: Arc<dyn Shelf>) -> Self {
        self.memory.indexes.keep_on(shelf);
        self
    }

    /// From now on holds that are said below proposals are set there. Only the first one counts.
    pub fn hold_with(&self, holder: Arc<dyn Holder>) {
        let _only_once = self.holder.set(holder);
    }

    pub(crate) fn holder(&self) -> Option<&dyn Holder> {
        self.holder.get().map(Arc::as_ref)
    }

    /// Sets the pipelines. Those that are new or changed are looked at soon; those
    /// that are no more are returned, so that the caller can [`Engine::retire`] them.
    pub fn set_pipelines(&self, pipelines: BTreeMap<PipelineKey, Arc<Pipeline>>) -> Vec<Arc<Pipeline>> {
        let now = Instant::now();
        let before = {
            let mut current = self.pipelines.write().unwrap_or_else(PoisonError::into_inner);
            for key in pipelines.keys() {
                self.queue.want(key.clone(), now);
            }
            std::mem::replace(&mut *current, pipelines)
        };
        let gone: Vec<_> = before.into_iter().filter(|(key, _)| self.pipeline(key).is_none()).collect();
        self.queue.retain(|key| self.pipeline(key).is_some());
        self.memory.retain(|key| self.pipeline(key).is_some());
        self.told.retain(|key| self.pipeline(key).is_some());
        self.unrecorded.retain(|key| self.pipeline(key).is_some());
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in &gone {
            latest.remove(key);
        }
        drop(latest);
        for (key, _) in &gone {
            let _nobody_listens = self.changes.send(key.clone());
        }
        gone.into_iter().map(|(_, pipeline)| pipeline).collect()
    }

    /// Sets one pipeline, new or changed, and leaves the others as they are. It is looked at soon.
    pub fn set_pipeline(&self, pipeline: Arc<Pipeline>) {
        let key = pipeline.key.clone();
        self.pipelines.write().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), pipeline);
        self.queue.want(key, Instant::now());
    }

    /// Takes one pipeline away. It is returned, so that the caller can [`Engine::retire`] it.
    pub fn remove_pipeline(&self, key: &PipelineKey) -> Option<Arc<Pipeline>> {
        let gone = self.pipelines.write().unwrap_or_else(PoisonError::into_inner).remove(key)?;
        let is_another = |other: &PipelineKey| other != key;
        self.queue.retain(is_another);
        self.memory.retain(is_another);
        self.told.retain(is_another);
        self.unrecorded.retain(is_another);
        self.latest.write().unwrap_or_else(PoisonError::into_inner).remove(key);
        let _nobody_listens = self.changes.send(key.clone());
        Some(gone)
    }

    /// One pipeline.
    pub fn pipeline(&self, key: &PipelineKey) -> Option<Arc<Pipeline>> {
        self.pipelines.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// All pipelines.
    pub fn pipelines(&self) -> Vec<Arc<Pipeline>> {
        self.pipelines.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// What the last look at a pipeline found.
    pub fn latest(&self, key: &PipelineKey) -> Option<Arc<Looked>> {
        self.latest.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Hears of every pipeline whose report has changed.
    pub fn subscribe(&self) -> broadcast::Receiver<PipelineKey> {
        self.changes.subscribe()
    }

    /// Something may have happened to a pipeline: it is looked at soon.
    pub fn wake(&self, key: &PipelineKey) {
        if self.pipeline(key).is_some() {
            self.queue.want_since(key.clone(), Moment::now());
        }
    }

    /// The same, for what was seen at a moment that is past.
    pub(crate) fn wake_since(&self, key: &PipelineKey, since: Moment) {
        if self.pipeline(key).is_some() {
            self.queue.want_since(key.clone(), since);
        }
    }

    /// The record.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Asks all ports about a pipeline and plans. Writes nothing to Git.
    pub async fn look(&self, pipeline: &Arc<Pipeline>) -> (Looked, Sight) {
        self.look_since(pipeline, Moment::now()).await
    }

    /// A look that shows whatever happened before a moment, and of Git perhaps nothing later.
    async fn look_since(&self, pipeline: &Arc<Pipeline>, since: Moment) -> (Looked, Sight) {
        // What is seen is true at this time or later. A time that is taken after the
        // look would count as soaked what may have failed since it was asked.
        let at = self.ports.clock.now();
        let seeing = spans::observe();
        let mut sight = observe(&self.ports, &self.memory, pipeline, since).instrument(seeing.clone()).await;
        seeing.record(spans::OUTCOME, if sight.missed { "missed" } else { "seen" });
        drop(seeing);
        let planning = spans::plan();
        let planned =
            |sight: &Sight| planning.in_scope(|| gradus_core::plan(pipeline, &sight.observation, at));
        let mut plan = planned(&sight);
        // What is to be merged, and whether people are waited for, is known only now.
        if observe::merges::add(&self.ports, &self.memory, pipeline, &mut sight, &plan.report).await {
            plan = planned(&sight);
        }
        if observe::reviews::add(&self.ports, pipeline, &mut sight, &plan.report).await {
            plan = planned(&sight);
        }
        let Plan { steps, report } = plan;
        planning.record(spans::STEPS, steps.len());
        (Looked { pipeline: pipeline.clone(), report, steps, at }, sight)
    }

    /// Looks at a pipeline, records what is new, and takes the planned steps.
    ///
    /// One at a time does so for a pipeline. Once the pipeline was changed or
    /// removed, no further step is taken.
    pub async fn reconcile(&self, pipeline: &Arc<Pipeline>) -> Reconciled {
        self.reconcile_since(pipeline, Moment::now()).await
    }

    /// The same, where it was wanted at this moment.
    pub(crate) async fn reconcile_since(&self, pipeline: &Arc<Pipeline>, since: Moment) -> Reconciled {
        let span = spans::look(&pipeline.key);
        let done = self.in_turn(pipeline, since).instrument(span.clone()).await;
        spans::looked(&span, &done);
        done
    }

    async fn in_turn(&self, pipeline: &Arc<Pipeline>, since: Moment) -> Reconciled {
        let turn = self.turn(&pipeline.key);
        let _turn = turn.lock().await;
        let listed = self.pipeline(&pipeline.key);
        let (looked, sight) = self.look_since(pipeline, since).await;
        let before = self.latest(&pipeline.key);
        let entries = record::of_look(
            pipeline,
            &sight,
            &looked.report,
            before.as_ref().map(|before| &before.report),
            looked.at,
        );
        let unrecorded = if entries.is_empty() {
            None
        } else {
            self.ports.ledger.record(&pipeline.key, &entries).await.err()
        };
        let looked = self.keep(looked);
        // What people said comes first: it may be that nothing is to be done.
        let heard = self.hear(pipeline, &looked, &sight).await;
        if matches!(heard, Ok(true)) {
            self.wake(&pipeline.key);
            return Reconciled {
                looked,
                outcomes: Vec::new(),
                unrecorded,
                missed: sight.missed,
                heard: true,
            };
        }
        let unheard = heard.err();
        // Before the steps: what a commit is marked with may be what the forge waits for before it merges.
        self.told.tell(&self.ports, pipeline, &sight, &looked.report).await;
        let actor = Actor {
            ports: &self.ports,
            pipeline,
            sight: &sight,
            report: &looked.report,
            unrecorded: &self.unrecorded,
            lanes: &self.lanes,
        };
        let mut outcomes = Vec::with_capacity(looked.steps.len());
        for step in &looked.steps {
            if self.pipeline(&pipeline.key).as_ref().map(Arc::as_ptr) != listed.as_ref().map(Arc::as_ptr) {
                break;
            }
            let outcome = actor.take(step).await;
            outcomes.push((step.clone(), outcome));
        }
        Reconciled {
            looked,
            outcomes,
            unrecorded: unrecorded.or(unheard),
            missed: sight.missed,
            heard: false,
        }
    }

    fn turn(&self, key: &PipelineKey) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()).or_default().clone()
    }

    /// Whether a branch has moved since a pipeline was looked at.
    pub(crate) fn has_moved(&self, key: &PipelineKey, tips: &BTreeMap<BranchName, CommitId>) -> bool {
        self.memory.looked_at.moved(key, tips) == Some(true)
    }

    /// The lines that a step would change, file by file. Reads what [`Engine::look`] saw.
    pub fn preview(&self, sight: &Sight, step: &Step) -> Result<Vec<crate::places::FileEdit>, PortError> {
        let Some(change) = step.change() else { return Ok(Vec::new()) };
        let unusable = |why: String| PortError::because(PortErrorKind::Unusable, "making the change", why);
        let places = match sight.places.get(&change.environment) {
            Some(Ok(places)) => places,
            Some(Err(why)) => return Err(unusable(why.to_string())),
            None => return Ok(Vec::new()),
        };
        let Some(ground) = sight.ground(&change.environment) else { return Ok(Vec::new()) };
        match crate::places::edits(places, &ground.files, change.from.as_ref(), &change.to) {
            Ok(edits) => Ok(edits.unwrap_or_default()),
            Err(why) => Err(unusable(why.to_string())),
        }
    }

    /// Where the branches of a repository are now, those of these pipelines among them.
    pub(crate) async fn tips(
        &self,
        repository: &gradus_core::pipeline::Repository,
        base: &BranchName,
        pipelines: &[Arc<Pipeline>],
        repo: &dyn crate::port::Repo,
    ) -> Result<Branches, PortError> {
        let named: BTreeSet<&BranchName> =
            pipelines.iter().flat_map(|pipeline| observe::tips::named(pipeline)).collect();
        let named: Vec<BranchName> = named.into_iter().cloned().collect();
        let asked = self.memory.tips.with_others(Moment::now(), repository, base, &named, repo).await;
        asked.map(|(_, branches)| branches)
    }

    /// The branch of a repository that is deployed.
    pub(crate) async fn base_branch(
        &self,
        repository: &gradus_core::pipeline::Repository,
        repo: &dyn crate::port::Repo,
    ) -> Result<BranchName, PortError> {
        self.memory.branches.base(repository, repo).await
    }

    fn keep(&self, mut looked: Looked) -> Arc<Looked> {
        without_room(&mut looked);
        let key = looked.pipeline.key.clone();
        let looked = Arc::new(looked);
        let before = {
            let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
            latest.insert(key.clone(), looked.clone())
        };
        if before.is_none_or(|before| before.report != looked.report) {
            let _nobody_listens = self.changes.send(key);
        }
        looked
    }
}

/// Gives back the room that lists have for more: what is kept does not grow.
fn without_room(looked: &mut Looked) {
    looked.steps.shrink_to_fit();
    looked.report.environments.shrink_to_fit();
    for here in &mut looked.report.environments {
        here.after.shrink_to_fit();
        here.reasons.shrink_to_fit();
        here.notes.shrink_to_fit();
        here.verdict.targets.shrink_to_fit();
        if let Some(next) = &mut here.next {
            next.gates.shrink_to_fit();
        }
    }
}
