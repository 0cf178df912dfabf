//! Ways to clusters: from a reference in a pipeline to a client, kept current.
//!
//! A reference is absent (the cluster that gradus runs in), or names a `GitopsCluster`,
//! a `Cluster` of the Cluster API or a Secret. What it leads to is read with `get`, name by name:
//! never with `list` or `watch`, so that gradus needs no right to see other Secrets.
//! A kubeconfig is read again from time to time and when the cluster refuses it;
//! if it changed, there is a new client and every watch begins anew with it.

mod consent;
mod key;
mod kubeconfig;
mod link;
mod own;
mod served;
mod source;
mod trouble;
pub(crate) mod wire;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use gradus_engine::port::Clock;
use kube::Client;

pub use self::consent::ALLOW_FROM;
pub use self::key::{ClusterKey, ClusterPlace, Consent};
pub use self::kubeconfig::{
    KUBECONFIG_BYTES, KubeconfigPolicy, KubeconfigRefusal, Patience, Reach, read_kubeconfig,
};
pub(crate) use self::link::{Connection, Link, Way};
pub use self::own::{OwnCluster, OwnClusterError, own_client};
pub(crate) use self::served::Resource;
pub use self::trouble::{ClusterState, ClusterTrouble, ClusterTroubleKind};

use self::link::{Means, Slot};

/// How clusters are found and asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterOptions {
    /// What a kubeconfig from a Secret may ask for.
    pub policy: KubeconfigPolicy,
    /// How long a client waits.
    pub patience: Patience,
    /// How often a description that works is read again.
    pub refresh: Duration,
    /// How soon one that does not work is read again, at first.
    pub retry: Duration,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            policy: KubeconfigPolicy::default(),
            patience: Patience { connect: Duration::from_secs(10), read: Duration::from_secs(75) },
            refresh: Duration::from_secs(60),
            retry: Duration::from_secs(2),
        }
    }
}

/// All clusters that somebody refers to.
#[derive(Clone)]
pub struct Clusters(Arc<Inner>);

struct Inner {
    means: Means,
    own: Arc<Slot>,
    slots: Mutex<HashMap<ClusterPlace, Weak<Slot>>>,
}

/// Holds the way to a cluster: its description is looked after until all of them are dropped.
#[derive(Clone)]
pub struct Lease {
    slot: Arc<Slot>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

impl fmt::Debug for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clusters").finish_non_exhaustive()
    }
}

impl Clusters {
    /// Clusters that are described in the one that this client reaches.
    pub fn new(own: Client, options: ClusterOptions, clock: Arc<dyn Clock>) -> Self {
        let slot = Slot::own(Connection::new(own.clone(), ""), clock.now());
        let means = Means { own, options, clock };
        Self(Arc::new(Inner { means, own: slot, slots: Mutex::default() }))
    }

    /// The client of the cluster that gradus runs in.
    pub fn own(&self) -> &Client {
        &self.0.means.own
    }

    /// Holds the way to a cluster. Has to be called within a runtime.
    pub fn lease(&self, place: &ClusterPlace) -> Lease {
        let at = match place {
            ClusterPlace::Own => return Lease { slot: self.0.own.clone() },
            ClusterPlace::Described(at) => at,
        };
        let mut slots = self.slots();
        if let Some(slot) = slots.get(place).and_then(Weak::upgrade) {
            return Lease { slot };
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Slot::described(at.clone(), self.0.means.clone());
        slots.insert(place.clone(), Arc::downgrade(&slot));
        Lease { slot }
    }

    /// How far a cluster can be asked, as far as somebody holds it.
    pub fn state(&self, cluster: &ClusterKey) -> ClusterState {
        let slot = match cluster.place() {
            ClusterPlace::Own => return ClusterState::Known,
            ClusterPlace::Described(_) => self.slots().get(cluster.place()).and_then(Weak::upgrade),
        };
        let Some(slot) = slot else {
            return ClusterState::NotYet;
        };
        let link = slot.now();
        if let Some(trouble) = self.not_allowed(cluster, &link) {
            return ClusterState::Trouble(trouble);
        }
        match link.way {
            Way::NotYet => ClusterState::NotYet,
            Way::Up(_) => ClusterState::Known,
            Way::Down(trouble) => ClusterState::Trouble(trouble),
        }
    }

    /// How to ask a cluster now, as far as somebody holds it and it may be asked.
    pub(crate) fn connection(&self, cluster: &ClusterKey) -> Option<Connection> {
        let slot = match cluster.place() {
            ClusterPlace::Own => self.0.own.clone(),
            ClusterPlace::Described(_) => self.slots().get(cluster.place()).and_then(Weak::upgrade)?,
        };
        let link = slot.now();
        if self.not_allowed(cluster, &link).is_some() {
            return None;
        }
        match link.way {
            Way::Up(connection) => Some(connection),
            Way::NotYet | Way::Down(_) => None,
        }
    }

    /// Something suggests that the description of a cluster changed.
    pub fn look_again(&self, place: &ClusterPlace) {
        if let Some(slot) = self.slots().get(place).and_then(Weak::upgrade) {
            slot.look_again();
        }
    }

    /// Why a pipeline may not see a cluster. To those who may not, a cluster that is
    /// not there looks the same as one that is.
    fn not_allowed(&self, cluster: &ClusterKey, link: &Link) -> Option<ClusterTrouble> {
        let asker = cluster.asker()?;
        if matches!(link.way, Way::NotYet) || link.allow.allows(asker) {
            return None;
        }
        let message = format!(
            "{cluster} is not there, or does not allow pipelines of the namespace {asker} (annotation \
             {ALLOW_FROM} on it)"
        );
        let kind = ClusterTroubleKind::NotAllowed;
        Some(ClusterTrouble { kind, message: message.into(), since: link.since })
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.means.clock
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<ClusterPlace, Weak<Slot>>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// How often a client was made for it.
    pub fn rebuilt(&self) -> u64 {
        self.slot.rebuilt()
    }

    pub(crate) fn follow(&self) -> tokio::sync::watch::Receiver<Link> {
        self.slot.follow()
    }

    pub(crate) fn look_again(&self) {
        self.slot.look_again();
    }
}
