//! How a cluster is named.

use std::fmt;

use gradus_core::names::Namespace;
use gradus_core::pipeline::ClusterRef;

/// A cluster: the one that gradus runs in, or one that an object there describes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClusterPlace {
    /// The one that gradus runs in.
    Own,
    /// The one that this object describes.
    Described(ClusterRef),
}

impl ClusterPlace {
    /// The cluster that a target refers to.
    pub fn of(reference: Option<&ClusterRef>) -> Self {
        match reference {
            None => Self::Own,
            Some(reference) => Self::Described(reference.clone()),
        }
    }
}

impl fmt::Display for ClusterPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("the own cluster"),
            Self::Described(at) => write!(f, "{} {}/{}", at.kind.as_str(), at.namespace, at.name),
        }
    }
}

/// Whether a cluster that is described in another namespace than the pipeline's has to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// It has to, by its annotation.
    Needed,
    /// It has not: pipelines of the older kind never asked.
    NotNeeded,
}

/// A cluster, as one pipeline refers to it. Pipelines share what they see of a
/// cluster; whether one may see it is asked of each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterKey {
    place: ClusterPlace,
    asker: Option<Namespace>,
}

impl ClusterKey {
    /// The cluster that gradus runs in.
    pub fn own() -> Self {
        Self { place: ClusterPlace::Own, asker: None }
    }

    /// The cluster that a pipeline in this namespace refers to.
    pub fn of(reference: Option<&ClusterRef>, pipeline: &Namespace, consent: Consent) -> Self {
        let asker = reference
            .filter(|reference| consent == Consent::Needed && reference.namespace != *pipeline)
            .map(|_| pipeline.clone());
        Self { place: ClusterPlace::of(reference), asker }
    }

    /// The cluster, whoever asks.
    pub fn place(&self) -> &ClusterPlace {
        &self.place
    }

    /// The namespace that has to be allowed, where the cluster is described in another.
    pub fn asker(&self) -> Option<&Namespace> {
        self.asker.as_ref()
    }
}

impl fmt::Display for ClusterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}
