//! How the watches are.

use std::sync::Arc;

use gradus_evidence::GroupKind;
use jiff::Timestamp;

use super::home::Shared;
use super::table::Health;
use super::wanted::Keep;
use crate::clusters::ClusterPlace;

/// How one watch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchStats {
    /// In which cluster.
    pub cluster: ClusterPlace,
    /// Of which kind.
    pub kind: GroupKind,
    /// The namespace, if it is only over one.
    pub namespace: Option<Arc<str>>,
    /// How much of each object is kept.
    pub keep: Keep,
    /// How far it can be believed.
    pub state: WatchState,
    /// How many objects are kept.
    pub objects: usize,
    /// In how many bytes.
    pub bytes: usize,
    /// How many names are wanted.
    pub wanted: usize,
    /// How often everything was listed.
    pub lists: u64,
    /// How often objects were asked for by name.
    pub gets: u64,
    /// How often something failed.
    pub failures: u64,
}

/// How far a watch can be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchState {
    /// The first list is not complete.
    Syncing,
    /// It hears of everything.
    Synced,
    /// It lost the connection a moment ago, and what was known is still believed.
    Shaky {
        /// Why.
        why: Arc<str>,
    },
    /// It sees nothing.
    Broken {
        /// Why.
        why: Arc<str>,
        /// Since when.
        since: Option<Timestamp>,
    },
}

/// How far the watches over the own cluster can be believed, of each kind. Asked
/// several times a second, so that nothing is counted for it.
pub(crate) fn of_own(shared: &Shared) -> Vec<(GroupKind, Keep, WatchState)> {
    let all = shared.all();
    let own = all.iter().filter(|watch| watch.key().place == ClusterPlace::Own);
    own.map(|watch| (watch.key().kind.clone(), watch.key().keep, state_of(watch.table().health()))).collect()
}

fn state_of(health: &Health) -> WatchState {
    match health {
        Health::Syncing => WatchState::Syncing,
        Health::Synced => WatchState::Synced,
        Health::Shaky { blind, .. } => WatchState::Shaky { why: blind.why.clone() },
        Health::Blind(blind) => WatchState::Broken { why: blind.why.clone(), since: blind.since },
    }
}

pub(crate) fn of(shared: &Shared) -> Vec<WatchStats> {
    let mut all: Vec<WatchStats> = shared
        .all()
        .iter()
        .map(|watch| {
            let counts = watch.counts();
            let table = watch.table();
            let (objects, bytes) = table.size();
            let state = state_of(table.health());
            WatchStats {
                cluster: watch.key().place.clone(),
                kind: watch.key().kind.clone(),
                namespace: watch.key().namespace.clone(),
                keep: watch.key().keep,
                state,
                objects,
                bytes,
                wanted: table.wanted(),
                lists: counts.lists,
                gets: counts.gets,
                failures: counts.failures,
            }
        })
        .collect();
    let order =
        |stats: &WatchStats| (stats.cluster.clone(), stats.kind.clone(), stats.namespace.clone(), stats.keep);
    all.sort_by_key(order);
    all
}
