//! Where the watches live: who wants what of which watch, and who hears of it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_evidence::GroupKind;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::table::{Hearers, Need};
use super::wanted::{Changed, Keep, ObjectName, Subscriber, Wanted, Which};
use super::{Table, WatchOptions, task};
use crate::clusters::{ClusterPlace, Clusters, Lease};

/// How often it is looked whether something is unused, or not believed any longer.
const SWEEP: Duration = Duration::from_secs(1);

type Wake = Box<dyn Fn(&PipelineKey) + Send + Sync>;
type Heard = Arc<dyn Fn(Changed) + Send + Sync>;

/// What one watch is over.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WatchKey {
    pub(crate) place: ClusterPlace,
    pub(crate) kind: GroupKind,
    pub(crate) keep: Keep,
    /// One namespace, where the credentials do not allow all.
    pub(crate) namespace: Option<Arc<str>>,
}

/// One watch.
pub(crate) struct Watch {
    key: WatchKey,
    lease: Lease,
    table: Mutex<Table>,
    /// Somebody's wishes changed.
    pub(super) poke: Notify,
    lists: AtomicU64,
    gets: AtomicU64,
    failures: AtomicU64,
}

/// How often something happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) lists: u64,
    pub(crate) gets: u64,
    pub(crate) failures: u64,
}

impl Watch {
    pub(crate) fn key(&self) -> &WatchKey {
        &self.key
    }

    pub(super) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts { lists: read(&self.lists), gets: read(&self.gets), failures: read(&self.failures) }
    }

    pub(super) fn listed(&self) {
        self.lists.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn got(&self) {
        self.gets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }
}

/// What all clones of the watches share.
pub(crate) struct Shared {
    clusters: Clusters,
    options: WatchOptions,
    wake: Wake,
    followers: Mutex<HashMap<u64, Heard>>,
    next_follower: AtomicU64,
    state: Mutex<State>,
    runtime: Handle,
    begun: Instant,
}

#[derive(Default)]
struct State {
    wishes: HashMap<Arc<Subscriber>, Vec<Wanted>>,
    watches: HashMap<WatchKey, (Arc<Watch>, AbortHandle)>,
    /// Kinds that may not be seen in all namespaces of a cluster at once.
    narrow: HashSet<(ClusterPlace, GroupKind)>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").field("watches", &self.state().watches.len()).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        for (_, task) in self.state().watches.values() {
            task.abort();
        }
    }
}

impl Shared {
    pub(crate) fn new(clusters: Clusters, options: WatchOptions, wake: Wake) -> Arc<Self> {
        let shared = Arc::new(Self {
            clusters,
            options,
            wake,
            followers: Mutex::default(),
            next_follower: AtomicU64::new(0),
            state: Mutex::default(),
            runtime: Handle::current(),
            begun: Instant::now(),
        });
        shared.runtime.spawn(sweep(Arc::downgrade(&shared)));
        shared
    }

    pub(crate) fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    pub(super) fn options(&self) -> &WatchOptions {
        &self.options
    }

    /// How long the watches run already: the clock of the tables.
    pub(super) fn uptime(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Replaces what somebody wants.
    pub(crate) fn set(self: &Arc<Self>, who: Subscriber, wanted: Vec<Wanted>) {
        let who = Arc::new(who);
        let mut state = self.state();
        let before = state.wishes.remove(&who).unwrap_or_default();
        let mut keys: HashSet<WatchKey> = state.keys_of(&before).into_keys().collect();
        if !wanted.is_empty() {
            state.wishes.insert(who.clone(), wanted);
        }
        keys.extend(state.keys_of(state.wishes.get(&who).map_or(&[], Vec::as_slice)).into_keys());
        self.settle(&mut state, &who, &keys);
    }

    /// Brings what the watches know of somebody's wishes up to date.
    fn settle(self: &Arc<Self>, state: &mut State, who: &Arc<Subscriber>, keys: &HashSet<WatchKey>) {
        let wanted = state.wishes.get(who).map_or(&[][..], Vec::as_slice);
        let mut wishes = state.keys_of(wanted);
        for key in keys {
            let Wishes { which, paths } = wishes.remove(key).unwrap_or_default();
            if which.is_empty() && !state.watches.contains_key(key) {
                continue;
            }
            let (watch, _) = state.watches.entry(key.clone()).or_insert_with(|| self.start(key.clone()));
            let Need { gets, list } = watch.table().set(who, which, paths, self.uptime());
            if gets || list {
                watch.poke.notify_one();
            }
        }
    }

    fn start(self: &Arc<Self>, key: WatchKey) -> (Arc<Watch>, AbortHandle) {
        let _in_runtime = self.runtime.enter();
        let watch = Arc::new(Watch {
            lease: self.clusters.lease(&key.place),
            key,
            table: Mutex::new(Table::new(self.uptime())),
            poke: Notify::new(),
            lists: AtomicU64::new(0),
            gets: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        });
        let task = self.runtime.spawn(task::run(watch.clone(), Arc::downgrade(self)));
        (watch, task.abort_handle())
    }

    /// The credentials do not allow to see a kind in all namespaces at once: from now
    /// on each namespace is watched by itself. Says whether that is new.
    pub(super) fn narrow(self: &Arc<Self>, place: &ClusterPlace, kind: &GroupKind) -> bool {
        let mut state = self.state();
        let concerned = |wanted: &[Wanted]| {
            wanted.iter().any(|one| {
                one.cluster.place() == place && one.kind == *kind && namespace_of(&one.which).is_some()
            })
        };
        let those: Vec<Arc<Subscriber>> =
            state.wishes.iter().filter(|(_, all)| concerned(all)).map(|(who, _)| who.clone()).collect();
        if those.is_empty() || state.narrow.contains(&(place.clone(), kind.clone())) {
            return false;
        }
        let before: Vec<HashSet<WatchKey>> =
            those.iter().map(|who| state.keys_now(who).into_keys().collect()).collect();
        state.narrow.insert((place.clone(), kind.clone()));
        for (who, mut keys) in those.iter().zip(before) {
            keys.extend(state.keys_now(who).into_keys());
            self.settle(&mut state, who, &keys);
        }
        true
    }

    pub(crate) fn add_follower(&self, heard: Heard) -> u64 {
        let id = self.next_follower.fetch_add(1, Ordering::Relaxed);
        self.followers().insert(id, heard);
        id
    }

    pub(crate) fn remove_follower(self: &Arc<Self>, id: u64) {
        self.followers().remove(&id);
        self.set(Subscriber::Follower(id), Vec::new());
    }

    /// The watches that may know an object of this kind and namespace.
    pub(crate) fn over(
        &self,
        place: &ClusterPlace,
        kind: &GroupKind,
        namespace: Option<&Arc<str>>,
    ) -> Vec<Arc<Watch>> {
        let state = self.state();
        let scopes = [namespace.cloned(), None].into_iter().skip(usize::from(namespace.is_none()));
        let mut found = Vec::new();
        for namespace in scopes {
            for keep in [Keep::Evidence, Keep::Whole] {
                let namespace = namespace.clone();
                let key = WatchKey { place: place.clone(), kind: kind.clone(), keep, namespace };
                found.extend(state.watches.get(&key).map(|(watch, _)| watch.clone()));
            }
        }
        found
    }

    /// All watches.
    pub(crate) fn all(&self) -> Vec<Arc<Watch>> {
        self.state().watches.values().map(|(watch, _)| watch.clone()).collect()
    }

    /// Tells those who want an object that it changed.
    pub(super) fn tell_of_object(&self, watch: &Watch, name: &ObjectName, hearers: &Hearers) {
        for who in hearers {
            match &**who {
                Subscriber::Pipeline(pipeline) => (self.wake)(pipeline),
                Subscriber::Follower(id) => {
                    self.tell_follower(
                        *id,
                        Changed::Object { kind: watch.key.kind.clone(), name: name.clone() },
                    );
                }
            }
        }
    }

    /// Tells those who want something of a watch that it sees, or sees no more.
    pub(super) fn tell_of_sight(&self, watch: &Watch, hearers: &Hearers) {
        for who in hearers {
            match &**who {
                Subscriber::Pipeline(pipeline) => (self.wake)(pipeline),
                Subscriber::Follower(id) => {
                    let WatchKey { place, kind, .. } = &watch.key;
                    self.tell_follower(*id, Changed::Sight { cluster: place.clone(), kind: kind.clone() });
                }
            }
        }
    }

    fn tell_follower(&self, id: u64, changed: Changed) {
        let heard = self.followers().get(&id).cloned();
        if let Some(heard) = heard {
            heard(changed);
        }
    }

    fn sweep(&self) {
        let now = self.uptime();
        let mut ended = Vec::new();
        let mut state = self.state();
        state.watches.retain(|_, (watch, task)| {
            let unused = watch.table().unused_since();
            let keep = unused.is_none_or(|since| now.saturating_sub(since) < self.options.unused);
            if !keep {
                task.abort();
                ended.push(watch.clone());
            }
            keep
        });
        let remaining: Vec<Arc<Watch>> = state.watches.values().map(|(watch, _)| watch.clone()).collect();
        let State { narrow, watches, .. } = &mut *state;
        if !ended.is_empty() {
            narrow.retain(|(place, kind)| watches.keys().any(|key| key.place == *place && key.kind == *kind));
        }
        drop(state);
        for watch in remaining {
            let hearers = {
                let mut table = watch.table();
                if table.tick(now) { table.everybody() } else { Hearers::new() }
            };
            self.tell_of_sight(&watch, &hearers);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn followers(&self) -> MutexGuard<'_, HashMap<u64, Heard>> {
        self.followers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Which watches see these, and what of each.
    fn keys_of(&self, wanted: &[Wanted]) -> HashMap<WatchKey, Wishes> {
        let mut keys = HashMap::new();
        for one in wanted {
            let (place, kind) = (one.cluster.place().clone(), one.kind.clone());
            let narrow = self.narrow.contains(&(place.clone(), kind.clone()));
            let namespace = if narrow { namespace_of(&one.which).cloned() } else { None };
            let key = WatchKey { place, kind, keep: one.keep, namespace };
            let wishes: &mut Wishes = keys.entry(key).or_default();
            wishes.which.push(one.which.clone());
            wishes.paths.extend(one.paths.iter().cloned());
        }
        keys
    }

    fn keys_now(&self, who: &Arc<Subscriber>) -> HashMap<WatchKey, Wishes> {
        self.keys_of(self.wishes.get(who).map_or(&[], Vec::as_slice))
    }
}

/// What somebody wants of one watch.
#[derive(Default)]
struct Wishes {
    which: Vec<Which>,
    paths: BTreeSet<Arc<str>>,
}

fn namespace_of(which: &Which) -> Option<&Arc<str>> {
    match which {
        Which::One(name) => name.namespace.as_ref(),
        Which::All(among) => among.namespace.as_ref(),
    }
}

async fn sweep(shared: Weak<Shared>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.sweep();
    }
}
