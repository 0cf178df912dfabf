//! The kinds that stand in the tree, and those that are looked at beside them.

use gradus_evidence::{GroupKind, ObjectRef};

const SOURCES: &str = "source.toolkit.fluxcd.io";

/// A kind that stands in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shown {
    GitRepository,
    OciRepository,
    Bucket,
    ExternalArtifact,
    HelmRepository,
    Kustomization,
    HelmRelease,
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
}

impl Shown {
    pub(super) const ALL: [Self; 11] = [
        Self::GitRepository,
        Self::OciRepository,
        Self::Bucket,
        Self::ExternalArtifact,
        Self::HelmRepository,
        Self::Kustomization,
        Self::HelmRelease,
        Self::Deployment,
        Self::StatefulSet,
        Self::DaemonSet,
        Self::Job,
    ];

    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::GitRepository => "GitRepository",
            Self::OciRepository => "OCIRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
            Self::HelmRepository => "HelmRepository",
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }

    pub(super) fn group(self) -> &'static str {
        match self {
            Self::GitRepository
            | Self::OciRepository
            | Self::Bucket
            | Self::ExternalArtifact
            | Self::HelmRepository => SOURCES,
            Self::Kustomization => "kustomize.toolkit.fluxcd.io",
            Self::HelmRelease => "helm.toolkit.fluxcd.io",
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps",
            Self::Job => "batch",
        }
    }

    /// What people call it for short.
    fn short(self) -> &'static str {
        match self {
            Self::GitRepository => "gitrepo",
            Self::OciRepository => "ocirepo",
            Self::Bucket => "bucket",
            Self::ExternalArtifact => "artifact",
            Self::HelmRepository => "helmrepo",
            Self::Kustomization => "ks",
            Self::HelmRelease => "hr",
            Self::Deployment => "deploy",
            Self::StatefulSet => "sts",
            Self::DaemonSet => "ds",
            Self::Job => "job",
        }
    }

    pub(super) fn is_source(self) -> bool {
        self.group() == SOURCES
    }

    pub(super) fn is_workload(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet | Self::Job)
    }

    pub(super) fn of(object: &ObjectRef) -> Option<Self> {
        Self::ALL.into_iter().find(|shown| object.kind == shown.kind() && object.group == shown.group())
    }

    /// The kind, however people write it.
    pub(super) fn named(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        Self::ALL.into_iter().find(|shown| {
            let kind = shown.kind().to_ascii_lowercase();
            let many = kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"));
            text == kind || text == many || text == shown.short()
        })
    }
}

/// The kinds of objects that a tree is made of, and by which it is judged.
pub fn tree_kinds() -> Vec<GroupKind> {
    let shown = Shown::ALL.into_iter().map(|shown| GroupKind::new(shown.group(), shown.kind()));
    let beside = [(SOURCES, "HelmChart"), ("flagger.app", "Canary"), ("argoproj.io", "Rollout")];
    shown.chain(beside.into_iter().map(|(group, kind)| GroupKind::new(group, kind))).collect()
}
