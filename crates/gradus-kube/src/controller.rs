//! The controller: custom resources in, promotions in Git, statuses out.
//!
//! Every replica watches; the one that holds the Lease looks after the pipelines
//! and writes. Nothing is decided here: objects become pipelines ([`crate::intake`]),
//! the engine decides and acts, and its reports become statuses.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use gradus_core::names::PipelineKey;
use gradus_engine::port::Clock;
use gradus_engine::{Engine, RunOptions};
use gradus_manifest::status::{Health, PipelineStatus};
use kube::Client;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::events::{self, EventSink, News};
use crate::intake::{Intake, Loaded, Took};
use crate::kinds::{Kind, Scope, object_name};
use crate::ledger::KubeLedger;
use crate::saying;
use crate::status;
use crate::targets::KubeTargets;
use crate::watch::{Changed, Watches};
use crate::write::{Writer, Wrote};

/// How many statuses are written at the same time.
const AT_ONCE: usize = 8;
/// How often it is looked whether the objects can be seen.
const TICK: Duration = Duration::from_millis(250);
/// How long to wait before a status that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(5);

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
}

/// Keys that wait, each once.
#[derive(Default)]
struct Pending {
    keys: Mutex<BTreeSet<PipelineKey>>,
    came: tokio::sync::Notify,
}

impl Pending {
    fn add(&self, keys: impl IntoIterator<Item = PipelineKey>) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
        self.came.notify_one();
    }

    async fn all(&self) -> BTreeSet<PipelineKey> {
        loop {
            let came = self.came.notified();
            let keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
            if !keys.is_empty() {
                return keys;
            }
            came.await;
        }
    }
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
                controller.intake.loaded(key).map(|loaded| loaded.meta.uid.to_string())
            };
            tasks.spawn(events::publish(
                self.parts.client.clone(),
                self.parts.identity.clone(),
                news,
                uid_of,
            ));
        }
        tasks.spawn(self.clone().take_in(changes, leads.clone()));
        tasks.spawn(self.clone().watch_sight());
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
            self.stale.add(self.intake.keys());
            for pipeline in self.parts.engine.pipelines() {
                self.parts.engine.wake(&pipeline.key);
            }
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

    /// Keeps the engine's pipelines as the objects are.
    async fn take_in(
        self: Arc<Self>,
        mut changes: mpsc::UnboundedReceiver<Changed>,
        leads: watch::Receiver<bool>,
    ) {
        let mut batch = Vec::new();
        let mut blind: BTreeSet<PipelineKey> = BTreeSet::new();
        loop {
            tokio::select! {
                came = changes.recv_many(&mut batch, 256) => if came == 0 { return },
                () = sleep(AGAIN), if !blind.is_empty() => {}
            }
            let mut keys = std::mem::take(&mut blind);
            for change in batch.drain(..) {
                keys.extend(self.intake.about(&change));
            }
            for key in &keys {
                match self.intake.take(key) {
                    Took::Loaded => {}
                    Took::Gone(Some(pipeline)) if *leads.borrow() => {
                        let controller = self.clone();
                        tokio::spawn(async move {
                            for error in controller.parts.engine.retire(&pipeline).await {
                                let error = error.in_full();
                                tracing::warn!(error, pipeline = %pipeline.key, "clearing up after a pipeline failed");
                            }
                            controller.parts.targets.forget(&pipeline.key);
                        });
                    }
                    Took::Gone(_) => self.parts.targets.forget(key),
                    Took::Blind => drop(blind.insert(key.clone())),
                }
            }
            self.wake_those_who_ask(&keys);
            self.stale.add(keys);
        }
    }

    /// Whoever sets `reconcile.fluxcd.io/requestedAt` asks for a look.
    fn wake_those_who_ask(&self, keys: &BTreeSet<PipelineKey>) {
        for key in keys {
            let Some(object) = self.intake.object(Kind::Pipeline, &object_name(key)) else { continue };
            if status::asks(&object) {
                self.parts.engine.wake(key);
            }
        }
    }

    /// Notes whether the controller's own objects can be seen.
    async fn watch_sight(self: Arc<Self>) {
        let mut before: Option<Option<String>> = None;
        loop {
            let blind = self.intake.blind();
            if before.as_ref() != Some(&blind) {
                match &blind {
                    Some(why) => {
                        tracing::warn!(why, "gradus's own objects cannot be seen: nothing is promoted")
                    }
                    None => tracing::info!("gradus's own objects are seen"),
                }
                self.parts.ledger.set_blind(blind.as_deref().map(Arc::from));
                if blind.is_none() {
                    // The changes that made this so are taken in first.
                    sleep(TICK).await;
                    self.seen_once.store(true, Ordering::Relaxed);
                    for pipeline in self.parts.engine.pipelines() {
                        self.parts.engine.wake(&pipeline.key);
                    }
                }
                before = Some(blind);
            }
            sleep(TICK).await;
        }
    }

    async fn hear_reports(self: Arc<Self>) {
        let mut reports = self.parts.engine.subscribe();
        loop {
            match reports.recv().await {
                Ok(key) => self.stale.add([key]),
                Err(broadcast::error::RecvError::Lagged(_)) => self.stale.add(self.intake.keys()),
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    async fn write_statuses(self: Arc<Self>, leads: watch::Receiver<bool>) {
        let mut leading = leads.clone();
        loop {
            if leading.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            let keys = self.stale.all().await;
            if !*leads.borrow() {
                self.stale.add(keys);
                continue;
            }
            stream::iter(keys)
                .for_each_concurrent(AT_ONCE, |key| {
                    let controller = self.clone();
                    async move {
                        if controller.tell(&key).await {
                            tokio::spawn(async move {
                                sleep(AGAIN).await;
                                controller.stale.add([key]);
                            });
                        }
                    }
                })
                .await;
        }
    }

    /// Tells a pipeline's object, and those of what was said of it, how it stands.
    /// Whether something could not be written.
    async fn tell(&self, key: &PipelineKey) -> bool {
        let name = object_name(key);
        let (Some(object), Some(loaded)) =
            (self.intake.object(Kind::Pipeline, &name), self.intake.loaded(key))
        else {
            return false;
        };
        let now = self.parts.clock.now();
        let wanted = if loaded.errors.is_empty() {
            let Some(looked) = self.parts.engine.latest(key) else { return false };
            let kept = self.parts.ledger.kept(key);
            status::of_report(&object, &looked.report, &kept, now)
        } else {
            status::of_mistakes(&object, &loaded.errors, now)
        };
        let before = status::read(&object);
        let mut failed = false;
        if !status::says_the_same(&before, &wanted) {
            self.tell_news(key, &before, &wanted, &loaded);
            let value = serde_json::to_value(&wanted).unwrap_or(Value::Null);
            failed |= self.writer.status(Kind::Pipeline, &name, &object, value).await == Wrote::Failed;
        }
        failed | saying::answer(&self.intake, &self.parts.engine, &self.writer, key, &loaded).await
    }

    /// Tells of verdicts that are other than the status has them.
    fn tell_news(&self, key: &PipelineKey, before: &PipelineStatus, now: &PipelineStatus, loaded: &Loaded) {
        if !loaded.errors.is_empty() {
            let note = now.summary.clone().unwrap_or_default();
            let about = format!("generation {}", loaded.meta.generation);
            self.parts.events.tell(News { pipeline: key.clone(), bad: true, reason: "Invalid", about, note });
            return;
        }
        for here in &now.environments {
            let earlier = before.environments.iter().find(|earlier| earlier.name == here.name);
            let is_told = earlier
                .is_some_and(|earlier| (earlier.verdict, &earlier.version) == (here.verdict, &here.version));
            let (bad, reason) = match here.verdict {
                Health::Healthy => (false, "Healthy"),
                Health::Failed => (true, "Failed"),
                Health::NotDeployed | Health::Deploying | Health::Unknown => continue,
            };
            if is_told {
                continue;
            }
            let version = here.version.as_deref().unwrap_or("-");
            let why = here.targets.iter().find_map(|target| target.message.as_deref()).unwrap_or_default();
            let separator = if why.is_empty() { "" } else { ": " };
            let note = format!("{} is {} at {version}{separator}{why}", here.name, reason.to_lowercase());
            let about = format!("{} {version}", here.name);
            self.parts.events.tell(News { pipeline: key.clone(), bad, reason, about, note });
        }
    }
}
