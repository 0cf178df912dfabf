//! The watched objects of a cluster, as judging asks for them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use gradus_evidence::{Below, GroupKind, Listing, Lookup, ObjectRef};
use serde_json::Value;

use super::sight::{self, BlindKind, Sight};
use super::wanted::Among;
use super::{Blind, Watches};
use crate::clusters::ClusterKey;

/// The watched objects of a cluster.
#[derive(Clone)]
pub struct Seen<'a> {
    watches: &'a Watches,
    cluster: ClusterKey,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(watches: &'a Watches, cluster: ClusterKey) -> Self {
        Self { watches, cluster }
    }
}

impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("cluster", &self.cluster).finish_non_exhaustive()
    }
}

impl Below for Seen<'_> {
    fn get(&self, reference: &ObjectRef) -> Lookup<'_> {
        match self.watches.see(&self.cluster, reference) {
            Sight::Seen(value) => Lookup::Seen(owned(value)),
            Sight::Missing => Lookup::Missing,
            Sight::Unknown(blind) if not_served(&blind) => Lookup::Missing,
            Sight::Unknown(blind) => Lookup::NotLooked(blind.to_string()),
        }
    }

    fn list(&self, kind: &GroupKind, namespace: &str) -> Listing<'_> {
        let among = Among { namespace: Some(namespace.into()), ..Among::default() };
        match self.watches.list(&self.cluster, kind, &among) {
            sight::Listing::Seen(all) => Listing::Seen(all.into_iter().map(owned).collect()),
            sight::Listing::Unknown(blind) if not_served(&blind) => Listing::Seen(Vec::new()),
            sight::Listing::Unknown(blind) => Listing::NotLooked(blind.to_string()),
        }
    }
}

/// What a cluster does not know, it has none of.
fn not_served(blind: &Blind) -> bool {
    blind.kind == BlindKind::NotServed
}

fn owned<'a>(value: Arc<Value>) -> Cow<'a, Value> {
    Cow::Owned(Arc::unwrap_or_clone(value))
}
