//! Who may refer to a cluster that is described in another namespace.
//!
//! A kubeconfig is a credential. A pipeline that may name one in any namespace would
//! lend its author the rights of every team, so the side that owns the object has
//! to agree: with the annotation [`ALLOW_FROM`] on the object that the pipeline names
//! (for a `Cluster` of the Cluster API on its kubeconfig's Secret, which is the only
//! object that is read). Its value is `*`, or the namespaces whose pipelines may,
//! with commas between them. In its own namespace nobody is asked.

use std::collections::BTreeMap;

use gradus_core::names::Namespace;

/// The annotation that lists the namespaces whose pipelines may refer to a cluster.
pub const ALLOW_FROM: &str = "gradus.dev/allow-from";

/// The namespaces whose pipelines may refer to a cluster, besides its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum AllowFrom {
    /// None.
    #[default]
    Nobody,
    /// All.
    Everybody,
    /// These.
    Namespaces(Vec<Namespace>),
}

impl AllowFrom {
    /// Reads the annotation. What is no namespace allows nobody.
    pub(crate) fn read(annotations: &BTreeMap<String, String>) -> Self {
        let Some(value) = annotations.get(ALLOW_FROM) else {
            return Self::Nobody;
        };
        if value.trim() == "*" {
            return Self::Everybody;
        }
        let named: Vec<Namespace> =
            value.split(',').filter_map(|part| Namespace::parse(part.trim()).ok()).collect();
        if named.is_empty() { Self::Nobody } else { Self::Namespaces(named) }
    }

    /// Whether pipelines of this namespace may.
    pub(crate) fn allows(&self, asker: &Namespace) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Namespaces(named) => named.contains(asker),
        }
    }
}
