//! Objects, and all that they were called on the way.

use std::fmt;

use super::node::{Node, Value};

/// An object that a kustomization yields.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it says.
    pub node: Node,
    /// What it was called before, the first name first; patches may go by any of them.
    pub(super) before: Vec<Id>,
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// The part of `apiVersion` before the slash; empty for the core group.
    pub group: String,
    /// The part behind it.
    pub version: String,
    /// The `kind`.
    pub kind: String,
    /// The namespace; empty if it has none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// Kinds that belong to no namespace.
const CLUSTER_WIDE: [&str; 23] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

impl Id {
    /// What a document says that it is; nothing if it has no kind.
    pub fn of(node: &Node) -> Option<Self> {
        let kind = node.text_of("kind")?;
        let api_version = node.text_of("apiVersion").unwrap_or_default();
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let metadata = |key| node.at(&["metadata", key]).and_then(Node::text).unwrap_or_default().to_owned();
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            namespace: metadata("namespace"),
            name: metadata("name"),
        })
    }

    /// Whether it is of this group and kind, in whatever version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    /// The namespace as kustomize compares it.
    pub(super) fn namespace_or_default(&self) -> &str {
        if self.namespace.is_empty() { "default" } else { &self.namespace }
    }

    /// Whether both mean one object.
    pub(super) fn same(&self, other: &Self) -> bool {
        (&self.group, &self.version, &self.kind, &self.name)
            == (&other.group, &other.version, &other.kind, &other.name)
            && (self.is_cluster_wide() || self.namespace_or_default() == other.namespace_or_default())
    }

    pub(super) fn is_cluster_wide(&self) -> bool {
        CLUSTER_WIDE.contains(&self.kind.as_str())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.kind)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl Object {
    /// The objects in a document: itself, or what a list of objects holds.
    pub(super) fn all(node: Node) -> Vec<Self> {
        let Some(id) = Id::of(&node) else { return Vec::new() };
        if id.kind.ends_with("List")
            && matches!(node.get("items").map(|node| &node.value), Some(Value::List(_)))
        {
            return node.list("items").iter().cloned().flat_map(Self::all).collect();
        }
        vec![Self { node, before: Vec::new() }]
    }

    /// What it is called now.
    pub fn id(&self) -> Id {
        Id::of(&self.node).unwrap_or_else(|| Id {
            group: String::new(),
            version: String::new(),
            kind: String::new(),
            namespace: String::new(),
            name: String::new(),
        })
    }

    /// What it was called at first.
    pub(super) fn first_id(&self) -> Id {
        self.before.first().cloned().unwrap_or_else(|| self.id())
    }

    /// Whether it is or was called so.
    pub(super) fn was(&self, id: &Id) -> bool {
        self.before.iter().any(|before| before.same(id)) || self.id().same(id)
    }

    /// Changes a field of its metadata, and remembers what it was called.
    pub(super) fn rename(&mut self, key: &str, node: Node) {
        let id = self.id();
        if let Value::Mapping(entries) = &mut self.node.value
            && let Some((_, metadata)) = entries.iter_mut().find(|(name, _)| &**name == "metadata")
        {
            metadata.set(key, node);
        }
        if self.id() != id {
            self.before.push(id);
        }
    }
}
