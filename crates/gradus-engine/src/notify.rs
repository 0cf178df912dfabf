//! Telling people what is new, beside the looks: nothing here keeps a look or a step waiting.
//!
//! What is news is decided by a report and by what is remembered ([`decide`]), so that a look that
//! was missed, a restart and the next leader come to the same. It is remembered as pending before
//! it is sent and as sent afterwards: it is told at least once, and twice only where the process ends
//! between the two.

mod decide;
mod desk;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_core::news::{self, Found};
use gradus_core::notification::{Notification, NotificationKey};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::engine::{Engine, Looked, Reconciled};
use crate::port::Clock;
use crate::port::notify::{Messenger, Told};
use crate::run::Watcher;

pub use decide::short;
use desk::Desk;

/// How many looks may wait; of those that are more, the last of a pipeline is taken later.
const LOOKS: usize = 256;
/// How long a message that is being sent may take when everything ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How messages are sent.
#[derive(Debug, Clone, Copy)]
pub struct NotifyOptions {
    /// How often a message is tried.
    pub tries: u32,
    /// How long to wait after the first time; twice as long after each further one.
    pub first_pause: Duration,
    /// The longest wait.
    pub longest_pause: Duration,
    /// How long one try may take.
    pub patience: Duration,
    /// How many messages of one notification may wait.
    pub waiting: usize,
    /// How often it is looked whether a hold ends soon, and what was missed is caught up on.
    pub tick: Duration,
}

impl Default for NotifyOptions {
    fn default() -> Self {
        Self {
            tries: 10,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(600),
            patience: Duration::from_secs(30),
            waiting: 1000,
            tick: Duration::from_secs(30),
        }
    }
}

/// What a notification is looked after with.
#[derive(Clone)]
struct Parts {
    messenger: Arc<dyn Messenger>,
    told: Arc<dyn Told>,
    clock: Arc<dyn Clock>,
    options: NotifyOptions,
}

/// Tells people what is new.
pub struct Notifier {
    parts: Parts,
    wanted: RwLock<BTreeMap<NotificationKey, Arc<Notification>>>,
    changed: Notify,
    looks: mpsc::Sender<Arc<Looked>>,
    inbox: tokio::sync::Mutex<mpsc::Receiver<Arc<Looked>>>,
    /// Pipelines of which a look was not taken up.
    missed: Mutex<BTreeSet<PipelineKey>>,
}

impl Notifier {
    /// A notifier that has nobody to tell yet.
    pub fn new(
        messenger: Arc<dyn Messenger>,
        told: Arc<dyn Told>,
        clock: Arc<dyn Clock>,
        options: NotifyOptions,
    ) -> Self {
        let (looks, inbox) = mpsc::channel(LOOKS);
        Self {
            parts: Parts { messenger, told, clock, options },
            wanted: RwLock::default(),
            changed: Notify::new(),
            looks,
            inbox: tokio::sync::Mutex::new(inbox),
            missed: Mutex::default(),
        }
    }

    /// Sets who is told of what.
    pub fn set(&self, notifications: impl IntoIterator<Item = Arc<Notification>>) {
        let wanted: BTreeMap<_, _> = notifications.into_iter().map(|one| (one.key.clone(), one)).collect();
        let mut now = self.wanted.write().unwrap_or_else(PoisonError::into_inner);
        if *now != wanted {
            *now = wanted;
            drop(now);
            self.changed.notify_one();
        }
    }

    /// Takes up what a look found. Never waits.
    pub fn offer(&self, looked: &Arc<Looked>) {
        let key = &looked.pipeline.key;
        if !self.wanted().values().any(|one| one.is_for(key)) {
            return;
        }
        if self.looks.try_send(looked.clone()).is_err() {
            self.miss(key);
        }
    }

    /// Tells people what is new until told to stop.
    pub async fn run(&self, engine: &Engine, stop: impl Future<Output = ()>) {
        let mut inbox = self.inbox.lock().await;
        // What was found before somebody else did this is known to them.
        while inbox.try_recv().is_ok() {}
        let (stopping, stopped) = watch::channel(false);
        let mut desks: BTreeMap<NotificationKey, Desk> = BTreeMap::new();
        self.arrange(&mut desks, engine, &stopped).await;
        let mut tick = interval(self.parts.options.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                looked = inbox.recv() => match looked {
                    Some(looked) => self.hear(&mut desks, &looked).await,
                    None => break,
                },
                () = self.changed.notified() => self.arrange(&mut desks, engine, &stopped).await,
                _ = tick.tick() => {
                    self.catch_up(&mut desks, engine).await;
                    self.hear_holds(&mut desks, engine).await;
                }
            }
        }
        let _everyone_has_gone = stopping.send(true);
        futures::future::join_all(desks.into_values().map(Desk::close)).await;
    }

    /// A desk for each notification, and none for those that are no more.
    async fn arrange(
        &self,
        desks: &mut BTreeMap<NotificationKey, Desk>,
        engine: &Engine,
        stopped: &watch::Receiver<bool>,
    ) {
        let wanted = self.wanted().clone();
        let gone: Vec<NotificationKey> =
            desks.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
        for key in gone {
            if let Some(desk) = desks.remove(&key) {
                desk.close().await;
            }
        }
        for (key, notification) in wanted {
            match desks.get(&key) {
                Some(desk) => desk.set(&notification),
                None => {
                    let (parts, options) = (self.parts.clone(), &self.parts.options);
                    let mut desk = Desk::new(parts, notification, options, stopped.clone());
                    // What was left over is told even if nothing new comes.
                    desk.open().await;
                    desks.insert(key, desk);
                }
            }
        }
        // What is so now is where each begins; what came since it was written is not missed.
        for pipeline in engine.pipelines() {
            self.miss(&pipeline.key);
        }
        self.catch_up(desks, engine).await;
    }

    async fn hear(&self, desks: &mut BTreeMap<NotificationKey, Desk>, looked: &Looked) {
        let found = news::found(&looked.pipeline, &looked.report, looked.at);
        self.pass_on(desks, &looked.pipeline.key, &found).await;
    }

    async fn hear_holds(&self, desks: &mut BTreeMap<NotificationKey, Desk>, engine: &Engine) {
        for pipeline in engine.pipelines() {
            let news = news::ending(&pipeline, self.parts.clock.now());
            if !news.is_empty() {
                let found = Found { news, ..Found::default() };
                self.pass_on(desks, &pipeline.key, &found).await;
            }
        }
    }

    async fn catch_up(&self, desks: &mut BTreeMap<NotificationKey, Desk>, engine: &Engine) {
        let missed = std::mem::take(&mut *self.missed.lock().unwrap_or_else(PoisonError::into_inner));
        for key in missed {
            if let Some(looked) = engine.latest(&key) {
                self.hear(desks, &looked).await;
            }
        }
    }

    async fn pass_on(
        &self,
        desks: &mut BTreeMap<NotificationKey, Desk>,
        pipeline: &PipelineKey,
        found: &Found,
    ) {
        for desk in desks.values_mut().filter(|desk| desk.is_for(pipeline)) {
            if !desk.hear(pipeline, found).await {
                self.miss(pipeline);
            }
        }
    }

    fn miss(&self, pipeline: &PipelineKey) {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(pipeline.clone());
    }

    fn wanted(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<NotificationKey, Arc<Notification>>> {
        self.wanted.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Notifier {
    fn looked_after(&self, done: &Reconciled, _took: Duration, _waiting: usize) {
        self.offer(&done.looked);
    }
}
