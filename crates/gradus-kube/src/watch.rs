//! Watches: what objects in clusters say, heard as it changes and kept small.
//!
//! There is one watch for each kind in each cluster, whoever wants to see it. What
//! nobody wants is dropped as it arrives, and of the rest only what is evidence is kept. Looking
//! never waits: what was not read yet, or cannot be, is unknown with its reason. A
//! cluster that does not answer slows nobody, because each watch goes its own way.

mod below;
mod home;
mod labels;
mod packed;
mod read;
mod sight;
mod stats;
mod table;
mod task;
mod wanted;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_evidence::{GroupKind, ObjectRef};
use serde_json::Value;

use crate::clusters::{ClusterKey, ClusterState, ClusterTrouble, ClusterTroubleKind, Clusters};

pub use self::below::Seen;
pub use self::labels::{LabelSelector, LabelSelectorError};
pub use self::sight::{Blind, BlindKind, Listing, Sight};
pub use self::stats::{WatchState, WatchStats};
pub(crate) use self::wanted::kind_words;
pub use self::wanted::{Among, Changed, Keep, ObjectName, Wanted, Which};

use self::home::Shared;
use self::table::{Look, Table};
use self::wanted::Subscriber;

/// How watches behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchOptions {
    /// How many objects a page of a list has.
    pub page: u32,
    /// How long one watch request lasts. A connection that died in silence is noticed some seconds after that.
    pub lasts: Duration,
    /// For how long after a lost connection what was known is believed.
    pub believed: Duration,
    /// The longest wait before the next try.
    pub slowest: Duration,
    /// How long until a kind that is not served is looked for again.
    pub not_served: Duration,
    /// How long a watch goes on that nobody needs.
    pub unused: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            page: 500,
            lasts: Duration::from_secs(60),
            believed: Duration::from_secs(15),
            slowest: Duration::from_secs(60),
            not_served: Duration::from_secs(60),
            unused: Duration::from_secs(300),
        }
    }
}

/// All watches. A clone is the same watches.
#[derive(Clone, Debug)]
pub struct Watches(Arc<Shared>);

impl Watches {
    /// Watches that tell of pipelines that should look again. Has to be called within
    /// a runtime; the watches live there, and end when the last clone is dropped.
    pub fn new(
        clusters: Clusters,
        options: WatchOptions,
        wake: impl Fn(&PipelineKey) + Send + Sync + 'static,
    ) -> Self {
        Self(Shared::new(clusters, options, Box::new(wake)))
    }

    /// Replaces what a pipeline wants to see.
    pub fn want(&self, pipeline: &PipelineKey, objects: Vec<Wanted>) {
        self.0.set(Subscriber::Pipeline(pipeline.clone()), objects);
    }

    /// A pipeline wants to see nothing any more.
    pub fn forget(&self, pipeline: &PipelineKey) {
        self.0.set(Subscriber::Pipeline(pipeline.clone()), Vec::new());
    }

    /// Tells of each object that changes among these, until what is returned is dropped.
    pub fn follow(&self, objects: Vec<Wanted>, heard: impl Fn(Changed) + Send + Sync + 'static) -> Following {
        let id = self.0.add_follower(Arc::new(heard));
        self.0.set(Subscriber::Follower(id), objects);
        Following { watches: self.clone(), id }
    }

    /// What is seen of an object that somebody wants.
    pub fn see(&self, cluster: &ClusterKey, object: &ObjectRef) -> Sight {
        if let Some(blind) = self.without_cluster(cluster) {
            return Sight::Unknown(blind);
        }
        let name = ObjectName::new(&object.namespace, &object.name);
        let watches = self.0.over(cluster.place(), &object.group_kind(), name.namespace.as_ref());
        let look = watches.iter().find_map(|watch| watch.table().see(&name));
        match look {
            Some(Look::Seen(bytes)) => match read::value_of(&bytes) {
                Some(value) => Sight::Seen(Arc::new(value)),
                None => Sight::Unknown(blind(BlindKind::NotYet, "what was kept cannot be read")),
            },
            Some(Look::Missing) => Sight::Missing,
            Some(Look::Unknown(blind)) => Sight::Unknown(blind),
            None => Sight::Unknown(blind(BlindKind::NotWanted, "nobody asked for it to be watched")),
        }
    }

    /// What is seen of objects that somebody wants all of.
    pub fn list(&self, cluster: &ClusterKey, kind: &GroupKind, among: &Among) -> Listing {
        if let Some(blind) = self.without_cluster(cluster) {
            return Listing::Unknown(blind);
        }
        let watches = self.0.over(cluster.place(), kind, among.namespace.as_ref());
        let list = watches.iter().find_map(|watch| watch.table().list(among));
        match list {
            Some(Ok(all)) => {
                let values = all.iter().filter_map(|bytes| read::value_of(bytes).map(Arc::new));
                Listing::Seen(values.collect::<Vec<Arc<Value>>>())
            }
            Some(Err(blind)) => Listing::Unknown(blind),
            None => Listing::Unknown(blind(BlindKind::NotWanted, "nobody asked for them to be watched")),
        }
    }

    /// The names of objects that somebody wants all of; none where they are not seen.
    pub(crate) fn names(
        &self,
        cluster: &ClusterKey,
        kind: &GroupKind,
        among: &Among,
    ) -> Option<BTreeSet<ObjectName>> {
        if self.without_cluster(cluster).is_some() {
            return None;
        }
        let watches = self.0.over(cluster.place(), kind, among.namespace.as_ref());
        watches.iter().find_map(|watch| watch.table().names(among))?.ok()
    }

    /// Whether every watch knows where it stands: it hears, or it knows why not.
    pub fn synced(&self) -> bool {
        self.0.all().iter().all(|watch| *watch.table().health() != table::Health::Syncing)
    }

    /// How far the watches over the own cluster can be believed.
    pub(crate) fn own_states(&self) -> Vec<(GroupKind, Keep, WatchState)> {
        stats::of_own(&self.0)
    }

    /// Each watch, in the order of clusters and kinds.
    pub fn stats(&self) -> Vec<WatchStats> {
        stats::of(&self.0)
    }

    /// The clusters that are watched.
    pub fn clusters(&self) -> &Clusters {
        self.0.clusters()
    }

    /// The objects of a cluster, as judging asks for them.
    pub fn seen_in(&self, cluster: &ClusterKey) -> Seen<'_> {
        Seen::new(self, cluster.clone())
    }

    fn without_cluster(&self, cluster: &ClusterKey) -> Option<Blind> {
        match self.0.clusters().state(cluster) {
            ClusterState::Known | ClusterState::NotYet => None,
            ClusterState::Trouble(trouble) => Some(no_cluster(trouble)),
        }
    }
}

/// Follows objects until it is dropped.
#[derive(Debug)]
pub struct Following {
    watches: Watches,
    id: u64,
}

impl Following {
    /// Replaces what is followed.
    pub fn set(&self, objects: Vec<Wanted>) {
        self.watches.0.set(Subscriber::Follower(self.id), objects);
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.watches.0.remove_follower(self.id);
    }
}

fn blind(kind: BlindKind, why: &str) -> Blind {
    Blind { kind, why: why.into(), since: None }
}

fn no_cluster(trouble: ClusterTrouble) -> Blind {
    let kind = match trouble.kind {
        ClusterTroubleKind::NotReady => BlindKind::ClusterNotReady,
        ClusterTroubleKind::NotAllowed => BlindKind::NotAllowed,
        ClusterTroubleKind::Missing | ClusterTroubleKind::Denied | ClusterTroubleKind::Unusable => {
            BlindKind::NoCluster
        }
        ClusterTroubleKind::Unreachable => BlindKind::Unreachable,
    };
    Blind { kind, why: trouble.message, since: Some(trouble.since) }
}
