//! What can be told of every reason: its code, since when, until when, and of what kind it is.

use jiff::Timestamp;

use super::Reason;

impl Reason {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UpToDate => "up-to-date",
            Self::FollowsGit => "follows-git",
            Self::Promoting { .. } => "promoting",
            Self::WaitingForEnvironment { .. } => "waiting-for-environment",
            Self::WaitingForHealth { .. } => "waiting-for-health",
            Self::TargetFailed { .. } => "target-failed",
            Self::DeadlineExceeded { .. } => "deadline-exceeded",
            Self::HealthUnknown { .. } => "health-unknown",
            Self::NotDeployed { .. } => "not-deployed",
            Self::NeverProven { .. } => "never-proven",
            Self::WaitingForSoak { .. } => "waiting-for-soak",
            Self::WaitingForApproval { .. } => "waiting-for-approval",
            Self::OutsideWindow { .. } => "outside-window",
            Self::Frozen { .. } => "frozen",
            Self::Held { .. } => "held",
            Self::CheckPending { .. } => "check-pending",
            Self::CheckFailed { .. } => "check-failed",
            Self::WaitingForPerson { .. } => "waiting-for-person",
            Self::WaitingForMerge { .. } => "waiting-for-merge",
            Self::QueuedInForge { .. } => "queued-in-forge",
            Self::Dispatched { .. } => "dispatched",
            Self::DispatchUnanswered { .. } => "dispatch-unanswered",
            Self::MergeConflict { .. } => "merge-conflict",
            Self::MergeImpossible { .. } => "merge-impossible",
            Self::ProposalChanged { .. } => "proposal-changed",
            Self::ProposalDeclined { .. } => "proposal-declined",
            Self::VersionBlocked { .. } => "version-blocked",
            Self::RolledBack { .. } => "rolled-back",
            Self::OlderVersion { .. } => "older-version",
            Self::MixedRelease { .. } => "mixed-release",
            Self::OrderUnknown { .. } => "order-unknown",
            Self::Queued { .. } => "queued",
            Self::PinnedQueue { .. } => "pinned-queue",
            Self::Drift { .. } => "drift",
            Self::RequestRefused { .. } => "request-refused",
            Self::Suspended => "suspended",
            Self::ObserveOnly => "observe-only",
            Self::DeclaredUnknown { .. } => "declared-unknown",
            Self::ProposalUnknown { .. } => "proposal-unknown",
            Self::RequestsUnknown { .. } => "requests-unknown",
            Self::ApprovalsUnknown { .. } => "approvals-unknown",
            Self::AuthorUnknown { .. } => "author-unknown",
            Self::ChecksUnknown { .. } => "checks-unknown",
            Self::DispatchUnknown { .. } => "dispatch-unknown",
            Self::MergeUnknown { .. } => "merge-unknown",
            Self::HistoryUnknown { .. } => "history-unknown",
        }
    }

    /// Since when it is so, where that is known.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::WaitingForHealth { since, .. }
            | Self::Frozen { since, .. }
            | Self::Held { since, .. }
            | Self::CheckPending { since, .. }
            | Self::Drift { since, .. } => *since,
            Self::TargetFailed { since, .. }
            | Self::DeadlineExceeded { since, .. }
            | Self::WaitingForSoak { since, .. }
            | Self::CheckFailed { since, .. }
            | Self::WaitingForMerge { since, .. }
            | Self::ProposalDeclined { since, .. }
            | Self::QueuedInForge { since, .. }
            | Self::Dispatched { since, .. }
            | Self::DispatchUnanswered { since, .. }
            | Self::RequestRefused { since, .. }
            | Self::RolledBack { since, .. } => Some(*since),
            Self::UpToDate
            | Self::FollowsGit
            | Self::Promoting { .. }
            | Self::WaitingForEnvironment { .. }
            | Self::HealthUnknown { .. }
            | Self::NotDeployed { .. }
            | Self::NeverProven { .. }
            | Self::WaitingForApproval { .. }
            | Self::OutsideWindow { .. }
            | Self::WaitingForPerson { .. }
            | Self::MergeConflict { .. }
            | Self::MergeImpossible { .. }
            | Self::ProposalChanged { .. }
            | Self::VersionBlocked { .. }
            | Self::OlderVersion { .. }
            | Self::MixedRelease { .. }
            | Self::OrderUnknown { .. }
            | Self::Queued { .. }
            | Self::PinnedQueue { .. }
            | Self::Suspended
            | Self::ObserveOnly
            | Self::DeclaredUnknown { .. }
            | Self::ProposalUnknown { .. }
            | Self::RequestsUnknown { .. }
            | Self::ApprovalsUnknown { .. }
            | Self::AuthorUnknown { .. }
            | Self::ChecksUnknown { .. }
            | Self::DispatchUnknown { .. }
            | Self::MergeUnknown { .. }
            | Self::HistoryUnknown { .. } => None,
        }
    }

    /// When it may change by the clock alone.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::WaitingForHealth { deadline, .. } => *deadline,
            Self::WaitingForSoak { until, .. } | Self::Frozen { until, .. } | Self::Held { until, .. } => {
                *until
            }
            Self::OutsideWindow { opens, .. } => *opens,
            Self::Dispatched { until, .. } => Some(*until),
            Self::UpToDate
            | Self::FollowsGit
            | Self::Promoting { .. }
            | Self::WaitingForEnvironment { .. }
            | Self::TargetFailed { .. }
            | Self::DeadlineExceeded { .. }
            | Self::HealthUnknown { .. }
            | Self::NotDeployed { .. }
            | Self::NeverProven { .. }
            | Self::WaitingForApproval { .. }
            | Self::CheckPending { .. }
            | Self::CheckFailed { .. }
            | Self::WaitingForPerson { .. }
            | Self::WaitingForMerge { .. }
            | Self::MergeConflict { .. }
            | Self::MergeImpossible { .. }
            | Self::ProposalChanged { .. }
            | Self::ProposalDeclined { .. }
            | Self::QueuedInForge { .. }
            | Self::DispatchUnanswered { .. }
            | Self::VersionBlocked { .. }
            | Self::RolledBack { .. }
            | Self::OlderVersion { .. }
            | Self::MixedRelease { .. }
            | Self::OrderUnknown { .. }
            | Self::Queued { .. }
            | Self::PinnedQueue { .. }
            | Self::Drift { .. }
            | Self::RequestRefused { .. }
            | Self::Suspended
            | Self::ObserveOnly
            | Self::DeclaredUnknown { .. }
            | Self::ProposalUnknown { .. }
            | Self::RequestsUnknown { .. }
            | Self::ApprovalsUnknown { .. }
            | Self::AuthorUnknown { .. }
            | Self::ChecksUnknown { .. }
            | Self::DispatchUnknown { .. }
            | Self::MergeUnknown { .. }
            | Self::HistoryUnknown { .. } => None,
        }
    }

    /// Whether it says that something is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::HealthUnknown { .. }
                | Self::DeclaredUnknown { .. }
                | Self::ProposalUnknown { .. }
                | Self::RequestsUnknown { .. }
                | Self::ApprovalsUnknown { .. }
                | Self::AuthorUnknown { .. }
                | Self::ChecksUnknown { .. }
                | Self::DispatchUnknown { .. }
                | Self::MergeUnknown { .. }
                | Self::HistoryUnknown { .. }
        )
    }

    /// Whether everything is as it should be.
    pub fn is_content(&self) -> bool {
        matches!(self, Self::UpToDate | Self::FollowsGit)
    }
}
