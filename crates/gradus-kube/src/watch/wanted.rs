//! What somebody wants to see.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use gradus_core::names::PipelineKey;
use gradus_evidence::{GroupKind, ObjectRef};

use crate::clusters::{ClusterKey, ClusterPlace};

use super::labels::LabelSelector;

/// A kind in words, as `kubectl` takes it.
pub(crate) fn kind_words(kind: &GroupKind) -> String {
    if kind.group.is_empty() { kind.kind.clone() } else { format!("{}.{}", kind.kind, kind.group) }
}

/// What an object of some kind is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its namespace; absent for what has none.
    pub namespace: Option<Arc<str>>,
    /// Its name.
    pub name: Arc<str>,
}

impl ObjectName {
    /// An object in a namespace; an empty one is none.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: (!namespace.is_empty()).then(|| namespace.into()), name: name.into() }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// In which cluster.
    pub cluster: ClusterKey,
    /// Objects of which kind.
    pub kind: GroupKind,
    /// Which of them.
    pub which: Which,
    /// How much of them.
    pub keep: Keep,
    /// JSON pointers to what is kept besides what is evidence.
    pub paths: Vec<Arc<str>>,
}

impl Wanted {
    /// The evidence of one object.
    pub fn one(cluster: &ClusterKey, object: &ObjectRef) -> Self {
        Self {
            cluster: cluster.clone(),
            kind: object.group_kind(),
            which: Which::One(ObjectName::new(&object.namespace, &object.name)),
            keep: Keep::Evidence,
            paths: Vec::new(),
        }
    }

    /// The evidence of all objects of a kind, in a namespace or everywhere.
    pub fn all(cluster: &ClusterKey, kind: &GroupKind, namespace: Option<&str>) -> Self {
        let among = Among { namespace: namespace.map(Into::into), labels: LabelSelector::default() };
        Self {
            cluster: cluster.clone(),
            kind: kind.clone(),
            which: Which::All(among),
            keep: Keep::Evidence,
            paths: Vec::new(),
        }
    }

    /// The same, but whole objects.
    pub fn whole(self) -> Self {
        Self { keep: Keep::Whole, ..self }
    }

    /// The same, and what is at this JSON pointer.
    pub fn with_path(mut self, path: &str) -> Self {
        self.paths.push(path.into());
        self
    }
}

/// Which objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Which {
    /// The one of this name.
    One(ObjectName),
    /// All that fit.
    All(Among),
}

/// All objects of a kind in a place that carry some labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Among {
    /// Only in this namespace.
    pub namespace: Option<Arc<str>>,
    /// Only with these labels.
    pub labels: LabelSelector,
}

impl Among {
    /// Whether an object is one of them.
    pub(crate) fn holds(&self, name: &ObjectName, labels: &BTreeMap<Arc<str>, Arc<str>>) -> bool {
        self.is_over(name) && self.labels.holds(labels)
    }

    /// Whether an object could be one of them, whatever its labels are.
    pub(crate) fn is_over(&self, name: &ObjectName) -> bool {
        self.namespace.is_none() || self.namespace == name.namespace
    }
}

/// How much of an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// What says which version it is and whether it works.
    Evidence,
    /// All but what the API server keeps about its fields.
    Whole,
}

/// Who wants to see something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subscriber {
    /// A pipeline.
    Pipeline(PipelineKey),
    /// Somebody who hears of each object.
    Follower(u64),
}

/// What somebody who follows a kind hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// This object is other than it was, or gone.
    Object {
        /// Of which kind.
        kind: GroupKind,
        /// Which.
        name: ObjectName,
    },
    /// Whether the kind can be seen changed: everything of it has to be looked at.
    Sight {
        /// Where.
        cluster: ClusterPlace,
        /// Of which kind.
        kind: GroupKind,
    },
}
