//! The kinds that are known, each judged in its own file.

use crate::judge::Look;
use crate::read::Doc;
use crate::state::State;
use crate::target::{GroupKind, ObjectRef};

mod application;
mod canary;
mod daemon_set;
mod deployment;
mod helm_release;
mod job;
mod kustomization;
mod other;
mod pods;
mod rollout;
mod source;
mod stateful_set;
mod workload;

/// The group of Flux's sources.
pub(crate) const SOURCES: &str = "source.toolkit.fluxcd.io";

/// A kind that is known, or any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// Flux's release of a chart.
    HelmRelease,
    /// Flux's set of manifests.
    Kustomization,
    /// One of Flux's sources.
    Source,
    /// Argo CD's set of manifests.
    Application,
    /// Flagger's rollout.
    Canary,
    /// Argo's rollout.
    Rollout,
    /// Pods that are interchangeable.
    Deployment,
    /// Pods with a name each.
    StatefulSet,
    /// A pod on each node.
    DaemonSet,
    /// Pods that end.
    Job,
    /// A pod.
    Pod,
    /// Any other.
    Other,
}

impl Kind {
    /// What kind this is.
    pub(crate) fn of(group: &str, kind: &str) -> Self {
        match (group, kind) {
            ("helm.toolkit.fluxcd.io", "HelmRelease") => Self::HelmRelease,
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => Self::Kustomization,
            (SOURCES, _) => Self::Source,
            ("argoproj.io", "Application") => Self::Application,
            ("argoproj.io", "Rollout") => Self::Rollout,
            ("flagger.app", "Canary") => Self::Canary,
            ("apps", "Deployment") => Self::Deployment,
            ("apps", "StatefulSet") => Self::StatefulSet,
            ("apps", "DaemonSet") => Self::DaemonSet,
            ("batch", "Job") => Self::Job,
            ("", "Pod") => Self::Pod,
            (_, _) => Self::Other,
        }
    }

    /// Its group and name; none for what is not one kind.
    pub(crate) fn group_kind(self) -> Option<GroupKind> {
        let (group, kind) = match self {
            Self::HelmRelease => ("helm.toolkit.fluxcd.io", "HelmRelease"),
            Self::Kustomization => ("kustomize.toolkit.fluxcd.io", "Kustomization"),
            Self::Application => ("argoproj.io", "Application"),
            Self::Rollout => ("argoproj.io", "Rollout"),
            Self::Canary => ("flagger.app", "Canary"),
            Self::Deployment => ("apps", "Deployment"),
            Self::StatefulSet => ("apps", "StatefulSet"),
            Self::DaemonSet => ("apps", "DaemonSet"),
            Self::Job => ("batch", "Job"),
            Self::Pod => ("", "Pod"),
            Self::Source | Self::Other => return None,
        };
        Some(GroupKind::new(group, kind))
    }

    /// Whether it runs pods by a template.
    pub(crate) fn is_workload(self) -> bool {
        match self {
            Self::Canary
            | Self::Rollout
            | Self::Deployment
            | Self::StatefulSet
            | Self::DaemonSet
            | Self::Job => true,
            Self::HelmRelease
            | Self::Kustomization
            | Self::Source
            | Self::Application
            | Self::Pod
            | Self::Other => false,
        }
    }

    /// Whether it applies others and says whether that went well.
    pub(crate) fn is_applier(self) -> bool {
        matches!(self, Self::HelmRelease | Self::Kustomization | Self::Application)
    }

    /// Judges an object of this kind.
    pub(crate) fn judge(self, object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
        match self {
            Self::HelmRelease => helm_release::judge(object, name, look),
            Self::Kustomization => kustomization::judge(object, name, look),
            Self::Source => source::judge(object, name, look),
            Self::Application => application::judge(object, name, look),
            Self::Canary => canary::judge(object, name, look),
            Self::Rollout => rollout::judge(object, name, look),
            Self::Deployment => deployment::judge(object, name, look),
            Self::StatefulSet => stateful_set::judge(object, name, look),
            Self::DaemonSet => daemon_set::judge(object, name, look),
            Self::Job => job::judge(object, name, look),
            Self::Pod | Self::Other => other::judge(object, name, look),
        }
    }
}
