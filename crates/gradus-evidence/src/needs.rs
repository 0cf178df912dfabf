//! Which kinds may have to be looked at below a target.

use crate::kind::Kind;
use crate::target::GroupKind;

/// The kinds that a target of this kind may have to look at. Those that a
/// cluster does not have are lists of none.
pub fn needs_of(kind: &GroupKind) -> Vec<GroupKind> {
    let workloads =
        || [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Canary, Kind::Rollout, Kind::Pod];
    let mut kinds: Vec<Kind> = match Kind::of(&kind.group, &kind.kind) {
        Kind::HelmRelease => workloads().to_vec(),
        Kind::Kustomization => {
            [Kind::Kustomization, Kind::HelmRelease, Kind::Job].into_iter().chain(workloads()).collect()
        }
        Kind::Application => [Kind::Application, Kind::Job].into_iter().chain(workloads()).collect(),
        Kind::Canary => vec![Kind::Deployment, Kind::DaemonSet, Kind::Pod],
        Kind::Deployment | Kind::DaemonSet => {
            vec![Kind::Canary, Kind::Deployment, Kind::DaemonSet, Kind::Pod]
        }
        Kind::Rollout => vec![Kind::Deployment, Kind::Pod],
        Kind::StatefulSet => vec![Kind::Pod],
        Kind::Job | Kind::Pod | Kind::Source | Kind::Other => Vec::new(),
    };
    kinds.sort_unstable();
    kinds.dedup();
    let mut needed: Vec<GroupKind> = kinds.into_iter().filter_map(Kind::group_kind).collect();
    if matches!(Kind::of(&kind.group, &kind.kind), Kind::HelmRelease | Kind::Kustomization) {
        let sources = match kind.kind.as_str() {
            "HelmRelease" => &["OCIRepository", "HelmChart", "ExternalArtifact"][..],
            _ => &["GitRepository", "OCIRepository", "Bucket", "ExternalArtifact"][..],
        };
        needed.extend(sources.iter().map(|kind| GroupKind::new(crate::kind::SOURCES, kind)));
    }
    needed
}
