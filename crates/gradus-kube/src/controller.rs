//! The controller: custom resources in, promotions in Git, statuses out.
//!
//! Every replica watches; the one that holds the Lease looks after the pipelines
//! and writes. Nothing is decided here: objects become pipelines ([`crate::intake`]),
//! the engine decides and acts, and its reports become statuses.

mod leave;
mod statuses;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_engine::port::Clock;
use gradus_engine::{Engine, RunOptions};
use gradus_manifest::status::Health;
use jiff::Timestamp;
use kube::Client;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use self::statuses::Pending;
use crate::events::{self, EventSink};
use crate::intake::{Intake, Took};
use crate::kinds::{Kind, Scope, object_name};
use crate::ledger::KubeLedger;
use crate::status;
use crate::targets::KubeTargets;
use crate::watch::{Changed, WatchState, Watches};
use crate::write::Writer;

/// How many statuses are written at the same time.
const AT_ONCE: usize = 8;
/// How long to wait before what could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// How often it is looked whether the objects can be seen.
const TICK: Duration = Duration::from_millis(250);
/// For how long the first looks wait until the own cluster was read once.
const FIRST_READ: Duration = Duration::from_secs(120);

/// What a controller is made of.
pub struct ControllerParts {
    /// The own cluster.
    pub client: Client,
    /// What is seen of all clusters.
    pub watches: Watches,
    /// Decides and acts, on the ledger and the targets below.
    pub engine: Arc<Engine>,
    /// What people said.
    pub ledger: Arc<KubeLedger>,
    /// What runs.
    pub targets: Arc<KubeTargets>,
    /// Hears what the ledger records.
    pub events: Arc<EventSink>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Which objects are looked after.
    pub scope: Scope,
    /// Who this replica is.
    pub identity: String,
    /// How the engine runs.
    pub run: RunOptions,
    /// How long a pipeline that is to be deleted waits for its repository.
    pub clearing_up: Duration,
}

/// The controller.
pub struct Controller {
    parts: ControllerParts,
    intake: Intake,
    writer: Writer,
    /// Pipelines whose status may be out of date.
    stale: Pending,
    seen_once: AtomicBool,
    leads: AtomicBool,
    desk: Mutex<Desk>,
    /// So many are cleared up after at the same time.
    clearing: Semaphore,
}

/// What is kept between two statuses of a pipeline, which its object may not show yet.
#[derive(Default)]
struct Desk {
    /// Since when this replica leads. What it found before is not told any more.
    leads_since: Option<Timestamp>,
    /// Which look was asked for, and when that was noticed.
    asked: HashMap<PipelineKey, (String, Timestamp)>,
    /// What events told last: of each environment, or of the spec under no name.
    told: HashMap<PipelineKey, BTreeMap<String, (Health, Option<String>)>>,
    /// Pipelines that are being cleared up after.
    clearing: BTreeSet<PipelineKey>,
    /// When finalizers could not be written for want of the right to.
    may_not: Option<Instant>,
}

impl Controller {
    /// A controller of these parts, which does nothing yet.
    pub fn new(parts: ControllerParts) -> Self {
        let intake = Intake::new(
            parts.watches.clone(),
            parts.engine.clone(),
            parts.ledger.clone(),
            parts.targets.clone(),
            parts.scope.clone(),
        );
        let writer = Writer::new(parts.client.clone());
        Self {
            parts,
            intake,
            writer,
            stale: Pending::default(),
            seen_once: AtomicBool::new(false),
            leads: AtomicBool::new(false),
            desk: Mutex::default(),
            clearing: Semaphore::new(AT_ONCE),
        }
    }

    /// Whether all objects were seen once, so that the controller can do its work.
    pub fn is_ready(&self) -> bool {
        self.seen_once.load(Ordering::Relaxed)
    }

    /// Whether this replica looks after the pipelines now.
    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// Why the controller's own objects cannot be seen, if they cannot.
    pub fn blind(&self) -> Option<String> {
        self.intake.blind()
    }

    /// The pipelines whose objects have mistakes, and which.
    pub fn faults(&self) -> Vec<(PipelineKey, String)> {
        let keys = self.intake.keys().into_iter();
        let faulty = keys.filter_map(|key| {
            let loaded = self.intake.loaded(&key)?;
            (!loaded.errors.is_empty()).then(|| (key, crate::intake::words(&loaded.errors)))
        });
        faulty.collect()
    }

    /// Runs until told to stop, and looks after the pipelines while this replica
    /// leads; then lets the steps that are being taken end.
    pub async fn run(self: Arc<Self>, leads: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
        let (changed, changes) = mpsc::unbounded_channel();
        let following = self.parts.watches.follow(self.parts.scope.wanted(), move |change| {
            let _the_end = changed.send(change);
        });
        let mut tasks = JoinSet::new();
        if let Some(news) = self.parts.events.receiver() {
            let controller = self.clone();
            let uid_of = move |key: &PipelineKey| {
                // One that is to be deleted is not looked after any more.
                let object = || controller.intake.object(Kind::Pipeline, &object_name(key));
                let uid = controller.intake.loaded(key).map(|loaded| loaded.meta.uid.to_string());
                uid.or_else(|| Some(object()?.pointer("/metadata/uid")?.as_str()?.to_owned()))
            };
            tasks.spawn(events::publish(
                self.parts.client.clone(),
                self.parts.identity.clone(),
                news,
                uid_of,
            ));
        }
        tasks.spawn(self.clone().take_in(changes, leads.clone()));
        tasks.spawn(self.clone().write_statuses(leads.clone()));
        tasks.spawn(self.clone().hear_reports());
        self.lead(leads, stop).await;
        tasks.shutdown().await;
        drop(following);
    }

    /// Looks after the pipelines while this replica leads and sees.
    async fn lead(&self, leads: watch::Receiver<bool>, stop: watch::Receiver<bool>) {
        loop {
            let (mut leading, mut stopping) = (leads.clone(), stop.clone());
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                _ = leading.wait_for(|leads| *leads) => {}
            }
            // What was not read in yet may hold what was.
            while !self.is_ready() {
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return,
                    () = sleep(TICK) => {}
                }
            }
            // What a look does not find read yet is unknown, and would be said so in every status.
            let begun = Instant::now();
            while self.is_reading() && begun.elapsed() < FIRST_READ {
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => return,
                    () = sleep(TICK) => {}
                }
            }
            // Whoever led before has written more since this replica read it first.
            self.intake.take_up();
            {
                let mut desk = self.desk();
                desk.leads_since = Some(self.parts.clock.now());
                desk.told.clear();
            }
            self.wake_all();
            self.stale.add(self.intake.keys());
            let (mut leading, mut stopping) = (leads.clone(), stop.clone());
            let ended = async move {
                tokio::select! {
                    _ = stopping.wait_for(|stop| *stop) => {}
                    _ = leading.wait_for(|leads| !*leads) => {}
                }
            };
            self.leads.store(true, Ordering::Relaxed);
            self.parts.engine.run(self.parts.run, ended).await;
            self.leads.store(false, Ordering::Relaxed);
        }
    }

    /// Whether something of the own cluster is being read for the first time.
    fn is_reading(&self) -> bool {
        self.parts.watches.own_states().iter().any(|(_, _, state)| *state == WatchState::Syncing)
    }

    /// Keeps the engine's pipelines as the objects are.
    async fn take_in(
        self: Arc<Self>,
        mut changes: mpsc::UnboundedReceiver<Changed>,
        leads: watch::Receiver<bool>,
    ) {
        let mut batch = Vec::new();
        let mut unseen: BTreeSet<PipelineKey> = BTreeSet::new();
        let mut before: Option<Option<String>> = None;
        loop {
            tokio::select! {
                came = changes.recv_many(&mut batch, 256) => if came == 0 { return },
                () = sleep(TICK) => {}
            }
            let mut keys = std::mem::take(&mut unseen);
            for change in batch.drain(..) {
                keys.extend(self.intake.about(&change));
            }
            unseen = self.take(keys, &leads);
            let blind = self.intake.blind();
            if before.as_ref() == Some(&blind) {
                continue;
            }
            match &blind {
                Some(why) => {
                    tracing::warn!(why, "gradus's own objects cannot be seen: nothing is promoted");
                    self.parts.ledger.set_blind(Some(Arc::from(why.as_str())));
                }
                None => {
                    tracing::info!("gradus's own objects are seen");
                    // A hold that came in the meantime is taken in before anything may move.
                    let everything = self.intake.everything();
                    unseen.extend(self.take(everything, &leads));
                    self.parts.ledger.set_blind(None);
                    self.seen_once.store(true, Ordering::Relaxed);
                    self.wake_all();
                }
            }
            before = Some(blind);
        }
    }

    /// Takes pipelines as their objects are now; those that cannot be seen.
    fn take(
        self: &Arc<Self>,
        keys: BTreeSet<PipelineKey>,
        leads: &watch::Receiver<bool>,
    ) -> BTreeSet<PipelineKey> {
        let mut unseen = BTreeSet::new();
        for key in &keys {
            match self.intake.take(key) {
                Took::Loaded => self.hear_who_asks(key),
                Took::Gone(Some(pipeline)) if *leads.borrow() => {
                    self.forget(key);
                    let controller = self.clone();
                    tokio::spawn(async move {
                        for error in controller.parts.engine.retire(&pipeline).await {
                            let error = error.in_full();
                            tracing::warn!(error, pipeline = %pipeline.key, "clearing up after a pipeline failed");
                        }
                        controller.parts.targets.forget(&pipeline.key);
                    });
                }
                // Whoever leads clears up after it.
                Took::Gone(_) | Took::Leaving => {
                    self.forget(key);
                    self.parts.targets.forget(key);
                }
                Took::Blind => drop(unseen.insert(key.clone())),
            }
        }
        self.stale.add(keys);
        unseen
    }

    /// Whoever sets `reconcile.fluxcd.io/requestedAt` asks for a look.
    fn hear_who_asks(&self, key: &PipelineKey) {
        let Some(object) = self.intake.object(Kind::Pipeline, &object_name(key)) else { return };
        let Some(wanted) = status::asks(&object) else { return };
        let mut desk = self.desk();
        if desk.asked.get(key).is_none_or(|(known, _)| known != wanted) {
            desk.asked.insert(key.clone(), (wanted.to_owned(), self.parts.clock.now()));
            drop(desk);
            self.parts.engine.wake(key);
        }
    }

    fn forget(&self, key: &PipelineKey) {
        let mut desk = self.desk();
        desk.asked.remove(key);
        desk.told.remove(key);
    }

    fn wake_all(&self) {
        for pipeline in self.parts.engine.pipelines() {
            self.parts.engine.wake(&pipeline.key);
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
