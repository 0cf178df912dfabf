//! What is remembered while this replica leads. All of it can be lost: it only spares
//! work, and keeps this process from taking for new what it did itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gradus_core::pipeline::ClusterRef;
use gradus_weave::Promotion;
use gradus_weave::kind::{Pipeline, PromotionStatus};
use tokio::time::Instant;

use super::queue::Queue;
use crate::watch::{Following, ObjectName, Wanted, Watches};

/// The first wait after a promotion that failed.
const SOONEST: Duration = Duration::from_secs(5);
/// The longest.
const SLOWEST: Duration = Duration::from_secs(300);

/// What is remembered while this replica leads.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) queue: std::sync::Arc<Queue>,
    watches: Watches,
    memories: Mutex<HashMap<ObjectName, Memory>>,
}

#[derive(Debug)]
struct Memory {
    following: Following,
    wanted: Vec<Wanted>,
    /// Since when exactly this is followed.
    since: Instant,
    /// The writings of its clusters' objects that were seen last.
    clusters: BTreeMap<ClusterRef, String>,
    /// What was told last.
    told: Option<String>,
    /// The pipeline as it was written, and which writing that replaced.
    written: Option<(String, Pipeline)>,
    /// What was promoted to each environment, whether or not it is written down yet.
    promoted: BTreeMap<String, PromotionStatus>,
    failed: Option<Failed>,
}

/// A promotion that failed.
#[derive(Debug, Clone)]
struct Failed {
    environment: String,
    revision: String,
    times: u32,
    again: Instant,
}

impl Session {
    pub(super) fn new(watches: Watches) -> Self {
        Self { queue: std::sync::Arc::default(), watches, memories: Mutex::default() }
    }

    /// The pipelines that are remembered.
    pub(super) fn keys(&self) -> Vec<ObjectName> {
        self.memories().keys().cloned().collect()
    }

    /// Follows what a pipeline rests on, so that it is looked at again when that changes.
    /// Since when exactly this is followed.
    pub(super) fn follow(&self, key: &ObjectName, wanted: Vec<Wanted>) -> Instant {
        let mut memories = self.memories();
        if let Some(memory) = memories.get_mut(key) {
            if memory.wanted != wanted {
                memory.following.set(wanted.clone());
                memory.wanted = wanted;
                memory.since = Instant::now();
            }
            return memory.since;
        }
        let (queue, of) = (self.queue.clone(), key.clone());
        let following = self.watches.follow(wanted.clone(), move |_| queue.add(of.clone()));
        let since = Instant::now();
        let memory = Memory {
            following,
            wanted,
            since,
            clusters: BTreeMap::new(),
            told: None,
            written: None,
            promoted: BTreeMap::new(),
            failed: None,
        };
        memories.insert(key.clone(), memory);
        since
    }

    /// A pipeline is no more.
    pub(super) fn forget(&self, key: &ObjectName) {
        let gone = self.memories().remove(key);
        // Dropped without the lock, as it takes another.
        drop(gone);
    }

    /// Whether the object of a cluster is another than at the last look.
    pub(super) fn is_other(&self, key: &ObjectName, cluster: &ClusterRef, version: &str) -> bool {
        let mut memories = self.memories();
        let Some(memory) = memories.get_mut(key) else { return false };
        let before = memory.clusters.insert(cluster.clone(), version.to_owned());
        before.is_some_and(|before| before != version)
    }

    /// The pipeline with what this process knows of it and did not hear back yet.
    pub(super) fn newest(&self, key: &ObjectName, seen: Pipeline) -> Pipeline {
        let mut memories = self.memories();
        let Some(memory) = memories.get_mut(key) else { return seen };
        let mut pipeline = match &memory.written {
            Some((replaced, written))
                if *replaced == seen.metadata.resource_version
                    && written.metadata.uid == seen.metadata.uid =>
            {
                written.clone()
            }
            Some(_) | None => {
                memory.written = None;
                seen
            }
        };
        for (environment, promoted) in &memory.promoted {
            let status = pipeline.status.environments.entry(environment.clone()).or_default();
            let recorded =
                status.promotion.as_ref().and_then(|recorded| recorded.last_attempted_time.as_ref());
            if recorded < promoted.last_attempted_time.as_ref() {
                status.promotion = Some(promoted.clone());
            }
        }
        pipeline
    }

    /// The pipeline was written, in place of this writing of it.
    pub(super) fn wrote(&self, key: &ObjectName, replaced: &str, now: Pipeline) {
        if let Some(memory) = self.memories().get_mut(key) {
            memory.written = Some((replaced.to_owned(), now));
        }
    }

    /// Whether this was not told last. It is from now on.
    pub(super) fn is_news(&self, key: &ObjectName, telling: &str) -> bool {
        let mut memories = self.memories();
        let Some(memory) = memories.get_mut(key) else { return true };
        let is_news = memory.told.as_deref() != Some(telling);
        memory.told = Some(telling.to_owned());
        is_news
    }

    /// For how long a promotion that failed before has to wait.
    pub(super) fn has_to_wait(&self, key: &ObjectName, promotion: &Promotion) -> Option<Duration> {
        let memories = self.memories();
        let failed = memories.get(key)?.failed.as_ref().filter(|failed| failed.is(promotion))?;
        let wait = failed.again.saturating_duration_since(Instant::now());
        (!wait.is_zero()).then_some(wait)
    }

    /// Something was promoted, or that failed: then, after how long it is tried again.
    pub(super) fn promoted(
        &self,
        key: &ObjectName,
        promotion: &Promotion,
        recorded: &PromotionStatus,
    ) -> Option<Duration> {
        let mut memories = self.memories();
        let memory = memories.get_mut(key)?;
        memory.promoted.insert(promotion.environment.name.clone(), recorded.clone());
        if recorded.succeeded {
            memory.failed = None;
            return None;
        }
        let before = memory.failed.take().filter(|failed| failed.is(promotion));
        let times = before.map_or(0, |failed| failed.times);
        let wait = SOONEST.saturating_mul(2u32.saturating_pow(times.min(16))).min(SLOWEST);
        memory.failed = Some(Failed {
            environment: promotion.environment.name.clone(),
            revision: promotion.revision.as_str().to_owned(),
            times: times.saturating_add(1),
            again: Instant::now() + wait,
        });
        Some(wait)
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<ObjectName, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failed {
    fn is(&self, promotion: &Promotion) -> bool {
        self.environment == promotion.environment.name && self.revision == promotion.revision.as_str()
    }
}
