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
    let go_past = wants.map(|wants| {
        format!(
            "gradus promote {name} --to {environment} --version {} --override \"why\"",
            version_argument(wants)
        )
    });
    let one = |text: &str| vec![text.to_owned()];
    match reason {
        Reason::UpToDate
        | Reason::FollowsGit
        | Reason::Promoting { .. }
        | Reason::WaitingForHealth { .. }
        | Reason::Queued { .. }
        | Reason::Dispatched { .. }
        | Reason::Drift { .. }
        | Reason::RequestRefused { .. } => Vec::new(),
        Reason::WaitingForEnvironment { environment: before, .. } => {
            vec![format!("gradus explain {name} {before}")]
        }
        Reason::TargetFailed { .. } | Reason::DeadlineExceeded { .. } => {
            std::iter::once("release a fix".to_owned()).chain(go_past).collect()
        }
        Reason::HealthUnknown { environment: before, .. } if before != environment => {
            go_past.into_iter().collect()
        }
        Reason::HealthUnknown { .. } => Vec::new(),
        Reason::NotDeployed { environment: before } => vec![format!("deploy something to {before}")],
        Reason::WaitingForSoak { .. } => go_past.into_iter().collect(),
        Reason::WaitingForApproval { environment, release, .. }
        | Reason::WaitingForPerson { environment, release } => {
            vec![format!("gradus approve {name} --to {environment} --version {}", version_argument(release))]
        }
        Reason::OutsideWindow { .. } => one("change the window in the pipeline's manifest"),
        Reason::Frozen { .. } => one("change the freeze in the pipeline's manifest"),
        Reason::Held { hold, .. } => vec![format!("gradus unhold {hold}")],
        Reason::CheckPending { environment, check, .. } => vec![format!(
            "gradus report {name} --environment {environment} --version {version} --check {check} --state passed"
        )],
        Reason::CheckFailed { check, .. } => {
            vec![format!("release a fix, or report {check} again once it passes")]
        }
        Reason::WaitingForMerge { number, .. } => vec![
            format!("merge proposal {number}"),
            format!("gradus approve {name} --to {environment} --version {version}"),
        ],
        Reason::ProposalChanged { number, .. } => {
            vec![format!(
                "merge or close proposal {number} yourself: gradus leaves other people's commits alone"
            )]
        }
        Reason::QueuedInForge { number, .. } => {
            one(&format!("look in the forge what proposal {number} waits for; to stop it, close it"))
        }
        Reason::DispatchUnanswered { to, goes_back, .. } => {
            let again = if *goes_back { "rollback" } else { "promote" };
            vec![
                "look in the forge what became of the run that this promotion began".to_owned(),
                format!("gradus {again} {name} --to {environment} --version {}", version_argument(to)),
            ]
        }
        Reason::MergeConflict { environment: before, commit, .. } => {
            one(&format!("merge {} of {before} into {environment}'s branch by hand", commit.short()))
        }
        Reason::ProposalDeclined { .. } => vec![
            "release a newer version".to_owned(),
            format!("gradus promote {name} --to {environment} --version {version}"),
        ],
        Reason::VersionBlocked { .. } => one("take the version off `block` in the pipeline's manifest"),
        Reason::RolledBack { from, .. } => vec![
            "release a newer version".to_owned(),
            format!("gradus promote {name} --to {environment} --version {}", version_argument(from)),
        ],
        Reason::OlderVersion { release, .. } | Reason::MixedRelease { release, .. } => {
            vec![format!("gradus rollback {name} --to {environment} --version {}", version_argument(release))]
        }
        Reason::OrderUnknown { release, .. } => {
            vec![format!("gradus promote {name} --to {environment} --version {}", version_argument(release))]
        }
        Reason::PinnedQueue { .. } => one("change `queue` in the pipeline's manifest"),
        Reason::NeverProven { release, .. } => {
            let version = version_argument(release);
            vec![
                format!("gradus rollback {name} --to {environment} --version {version} --emergency \"why\""),
                "change it in Git by hand: gradus leaves that as it is".to_owned(),
            ]
        }
        Reason::Suspended => one("set `suspend: false` in the pipeline's manifest"),
        Reason::ObserveOnly => one("set `mode: active` in the pipeline's manifest, to let gradus write"),
        Reason::DeclaredUnknown { .. }
        | Reason::ProposalUnknown { .. }
        | Reason::RequestsUnknown { .. }
        | Reason::ApprovalsUnknown { .. }
        | Reason::ChecksUnknown { .. }
        | Reason::AuthorUnknown { .. }
        | Reason::DispatchUnknown { .. }
        | Reason::MergeImpossible { .. }
        | Reason::MergeUnknown { .. }
        | Reason::HistoryUnknown { .. } => Vec::new(),
    }
}

/// A release as it is written on the command line: a version, or `artifact=version` pairs.
fn version_argument(release: &Release) -> String {
    let mut versions = release.versions();
    match (versions.next(), versions.next()) {
        (Some((_, version)), None) => version.to_string(),
        (_, _) => release
            .versions()
            .map(|(name, version)| format!("{name}={version}"))
            .collect::<Vec<_>>()
            .join(","),
    }
}
