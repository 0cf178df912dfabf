//! What a person can do about a reason.

use crate::names::{EnvironmentName, PipelineKey};
use crate::reason::Reason;
use crate::release::Release;

/// What a person can do so that `wants` comes into `environment`.
pub fn advice(
    reason: &Reason,
    pipeline: &PipelineKey,
    environment: &EnvironmentName,
    wants: Option<&Release>,
) -> Vec<String> {
    let name = &pipeline.name;
    let version = wants.map_or_else(|| "VERSION".to_owned(), version_argument);
    let go_past = || {
        format!("gradus promote {name} --to {environment} --version {version} --override \"why\"    (role: operator; recorded)")
    };
    match reason {
        Reason::UpToDate | Reason::FollowsGit | Reason::Promoting { .. } | Reason::WaitingForHealth { .. } => Vec::new(),
        Reason::WaitingForEnvironment { environment: before, .. } => {
            vec![format!("see gradus explain {name} {before}")]
        }
        Reason::TargetFailed { .. } | Reason::DeadlineExceeded { .. } => {
            vec!["release a fix: a newer version goes on by itself once it is healthy".to_owned(), go_past()]
        }
        Reason::HealthUnknown { .. } => {
            vec!["make its health known again: it holds until then".to_owned(), go_past()]
        }
        Reason::NotDeployed { environment: before } => vec![format!("deploy something in {before}")],
        Reason::WaitingForSoak { until: Some(_), .. } => vec![go_past()],
        Reason::WaitingForSoak { until: None, .. } => vec!["let the newer version soak".to_owned(), go_past()],
        Reason::WaitingForApproval { release, .. } | Reason::WaitingForPerson { release } => {
            vec![format!("gradus approve {name} --to {environment} --version {}", version_argument(release))]
        }
        Reason::OutsideWindow { .. } | Reason::Frozen { .. } => {
            vec!["wait, or change the rule in the pipeline's manifest".to_owned()]
        }
        Reason::Held { hold, .. } => vec![format!("gradus unhold {hold}")],
        Reason::CheckPending { check, .. } => {
            vec![format!("gradus report {name} --check {check} --version {version} --state passed    (role: reporter)")]
        }
        Reason::CheckFailed { .. } => vec!["release a fix, or report the check again once it passes".to_owned()],
        Reason::WaitingForMerge { .. } => vec!["merge it, or close it".to_owned()],
        Reason::ProposalChanged { number, .. } => {
            vec![format!("merge or close proposal {number} yourself; gradus leaves other people's commits alone")]
        }
        Reason::VersionBlocked { .. } => vec!["take the version off `block` in the pipeline's manifest".to_owned()],
        Reason::RolledBack { from, .. } => vec![
            "release a newer version".to_owned(),
            format!("gradus promote {name} --to {environment} --version {}", version_argument(from)),
        ],
        Reason::OlderVersion { release, .. } => {
            vec![format!("gradus rollback {name} --to {environment} --version {}", version_argument(release))]
        }
        Reason::MixedRelease { .. } | Reason::OrderUnknown { .. } => {
            vec![format!("gradus promote {name} --to {environment} --version {version}")]
        }
        Reason::Queued { .. } => Vec::new(),
        Reason::PinnedQueue { .. } => vec!["change `queue` in the pipeline's manifest".to_owned()],
        Reason::Drift { promoted, .. } => {
            vec![format!(
                "keep it: the next newer version replaces it; or gradus rollback {name} --to {environment} --version {}",
                version_argument(promoted)
            )]
        }
        Reason::RequestRefused { .. } => vec!["ask again, otherwise".to_owned()],
        Reason::Suspended => vec!["set `suspend: false` in the pipeline's manifest".to_owned()],
        Reason::ObserveOnly => vec!["set `mode: active` in the pipeline's manifest, to let gradus write".to_owned()],
        Reason::DeclaredUnknown { .. }
        | Reason::ProposalUnknown { .. }
        | Reason::RequestsUnknown { .. }
        | Reason::ApprovalsUnknown { .. }
        | Reason::AuthorUnknown { .. } => vec!["make it readable again: it holds until then".to_owned()],
    }
}

/// A release as it is written on the command line: a version, or `artifact=version` pairs.
fn version_argument(release: &Release) -> String {
    let mut versions = release.versions();
    match (versions.next(), versions.next()) {
        (Some((_, version)), None) => version.to_string(),
        (_, _) => release.versions().map(|(name, version)| format!("{name}={version}")).collect::<Vec<_>>().join(","),
    }
}
