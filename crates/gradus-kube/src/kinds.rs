//! The kinds of gradus's own objects.

use std::sync::Arc;

use gradus_core::names::{Namespace, PipelineKey, PipelineName};
use gradus_evidence::GroupKind;
use serde_json::Value;

use crate::clusters::ClusterKey;
use crate::watch::{Among, Keep, LabelSelector, ObjectName, Wanted, Which};

/// The group of all of them.
pub(crate) const GROUP: &str = "gradus.dev";
/// The group and version of all of them.
pub const API_VERSION: &str = "gradus.dev/v1alpha1";

/// One of gradus's own kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A pipeline.
    Pipeline,
    /// A pin or a freeze that a person set.
    Hold,
    /// A person's request.
    Promotion,
    /// A person's yes.
    Approval,
    /// What an outside check reported.
    Check,
}

impl Kind {
    /// All of them, those first that others rest on.
    pub const ALL: [Self; 5] = [Self::Hold, Self::Promotion, Self::Approval, Self::Check, Self::Pipeline];

    /// The kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pipeline => "Pipeline",
            Self::Hold => "Hold",
            Self::Promotion => "Promotion",
            Self::Approval => "Approval",
            Self::Check => "Check",
        }
    }

    /// The kind as its address has it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Pipeline => "pipelines",
            Self::Hold => "holds",
            Self::Promotion => "promotions",
            Self::Approval => "approvals",
            Self::Check => "checks",
        }
    }

    /// The kind with its group.
    pub fn group_kind(self) -> GroupKind {
        GroupKind::new(GROUP, self.as_str())
    }

    pub(crate) fn of(kind: &GroupKind) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.group_kind() == *kind)
    }

    /// The pipeline that an object of this kind is about.
    pub(crate) fn about(self, object: &Value) -> Option<PipelineKey> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let namespace = Namespace::parse(text("/metadata/namespace")?).ok()?;
        let name = match self {
            Self::Pipeline => text("/metadata/name")?,
            Self::Hold | Self::Promotion | Self::Approval | Self::Check => text("/spec/pipeline")?,
        };
        Some(PipelineKey { namespace, name: PipelineName::parse(name).ok()? })
    }
}

/// Which objects a controller looks after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only this namespace.
    pub namespace: Option<Namespace>,
    /// Only pipelines with these labels.
    pub labels: LabelSelector,
}

impl Scope {
    /// The objects of a kind that are looked after. What is said of a pipeline need
    /// not carry the pipeline's labels.
    pub(crate) fn among(&self, kind: Kind) -> Among {
        let namespace = self.namespace.as_ref().map(|namespace| Arc::from(namespace.as_str()));
        let labels = match kind {
            Kind::Pipeline => self.labels.clone(),
            Kind::Hold | Kind::Promotion | Kind::Approval | Kind::Check => LabelSelector::default(),
        };
        Among { namespace, labels }
    }

    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        Kind::ALL
            .into_iter()
            .map(|kind| Wanted {
                cluster: ClusterKey::own(),
                kind: kind.group_kind(),
                which: Which::All(self.among(kind)),
                keep: Keep::Whole,
                paths: Vec::new(),
            })
            .collect()
    }
}

/// An object's name as the watches have it.
pub(crate) fn object_name(key: &PipelineKey) -> ObjectName {
    ObjectName::new(key.namespace.as_str(), key.name.as_str())
}
