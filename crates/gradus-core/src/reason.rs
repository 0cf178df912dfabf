//! Why something is so. Each reason has a stable code, a sentence, a time since
//! when, a time until when, and what a person can do.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::names::{CheckName, CommitId, EnvironmentName, Person, ProposalNumber, RepoPath, TargetName};
use crate::observation::Why;
use crate::release::Release;

mod facts;

/// Why something is so. The evidence is in the variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The environment has what it should have.
    UpToDate,
    /// The first environment follows Git; nothing is promoted into it.
    FollowsGit,
    /// A step is being taken now.
    Promoting {
        /// What comes in.
        to: Release,
    },
    /// An environment before has something else.
    WaitingForEnvironment {
        /// Which one.
        environment: EnvironmentName,
        /// What it has.
        has: Option<Release>,
        /// What it would have to have.
        wants: Release,
    },
    /// An environment before is still rolling out.
    WaitingForHealth {
        /// Which one.
        environment: EnvironmentName,
        /// What is rolled out.
        release: Option<Release>,
        /// Since when.
        since: Option<Timestamp>,
        /// When it counts as failed.
        deadline: Option<Timestamp>,
        /// How many targets are healthy.
        healthy: usize,
        /// How many must be.
        need: usize,
    },
    /// A target of an environment before does not work.
    TargetFailed {
        /// Which environment.
        environment: EnvironmentName,
        /// Which target.
        target: Option<TargetName>,
        /// What failed.
        release: Option<Release>,
        /// Why, as it was told.
        why: Arc<str>,
        /// Since when.
        since: Timestamp,
        /// What runs instead.
        running: Option<Release>,
    },
    /// A rollout in an environment before took too long.
    DeadlineExceeded {
        /// Which environment.
        environment: EnvironmentName,
        /// Which target.
        target: Option<TargetName>,
        /// What was rolled out.
        release: Option<Release>,
        /// How long it may take.
        within: SignedDuration,
        /// When the time was up.
        since: Timestamp,
    },
    /// The health of an environment before is not known.
    HealthUnknown {
        /// Which environment.
        environment: EnvironmentName,
        /// Which target.
        target: Option<TargetName>,
        /// Why not.
        why: Why,
    },
    /// Nothing runs in an environment before.
    NotDeployed {
        /// Which environment.
        environment: EnvironmentName,
    },
    /// A person asked to go back to what nobody saw healthy.
    NeverProven {
        /// Where it would go.
        environment: EnvironmentName,
        /// What was asked for.
        release: Release,
    },
    /// The release has not been healthy for long enough.
    WaitingForSoak {
        /// Where it soaks.
        environment: EnvironmentName,
        /// How long it must.
        time: SignedDuration,
        /// Since when it does.
        since: Timestamp,
        /// When it will have; absent where the soak broke off.
        until: Option<Timestamp>,
    },
    /// People have to say yes.
    WaitingForApproval {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// To what.
        release: Release,
        /// How many did.
        have: u32,
        /// How many must.
        min: u32,
        /// Who may.
        by: String,
        /// Whether those who brought or asked for it may not.
        not_author: bool,
    },
    /// The time is not right.
    OutsideWindow {
        /// The window in words.
        window: Arc<str>,
        /// When it opens.
        opens: Option<Timestamp>,
    },
    /// A freeze is on.
    Frozen {
        /// Since when.
        since: Option<Timestamp>,
        /// Until when.
        until: Option<Timestamp>,
        /// Why.
        why: Option<Arc<str>>,
    },
    /// A person holds it.
    Held {
        /// The hold's name.
        hold: Arc<str>,
        /// What it pins to, if it is a pin.
        pin: Option<Release>,
        /// Who.
        owner: Person,
        /// Why.
        why: Arc<str>,
        /// Since when.
        since: Option<Timestamp>,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// A check has not said anything yet, or still runs.
    CheckPending {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// Which check.
        check: CheckName,
        /// Who reports it.
        reporter: Person,
        /// Since when it runs.
        since: Option<Timestamp>,
        /// More.
        detail: Option<Arc<str>>,
    },
    /// A check said no.
    CheckFailed {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// Which check.
        check: CheckName,
        /// Who reported it.
        reporter: Person,
        /// Of what.
        release: Release,
        /// When.
        since: Timestamp,
        /// More.
        detail: Option<Arc<str>>,
    },
    /// A person has to ask for it by name.
    WaitingForPerson {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// For what.
        release: Release,
    },
    /// A person has to merge the proposal.
    WaitingForMerge {
        /// Which one.
        number: ProposalNumber,
        /// Where it is.
        url: Option<Arc<str>>,
        /// Since when it is open.
        since: Timestamp,
    },
    /// The forge was told to merge the proposal, and does so once its own rules are met.
    QueuedInForge {
        /// Which one.
        number: ProposalNumber,
        /// Where it is.
        url: Option<Arc<str>>,
        /// Since when.
        since: Timestamp,
    },
    /// Somebody else's automation was asked to bring it in, and has time left.
    Dispatched {
        /// What it was asked for.
        to: Release,
        /// The id of the promotion.
        promotion: Arc<str>,
        /// When it was asked.
        since: Timestamp,
        /// Until when it has time.
        until: Timestamp,
    },
    /// Somebody else's automation was asked to bring it in, and did not in time.
    DispatchUnanswered {
        /// What it was asked for.
        to: Release,
        /// The id of the promotion.
        promotion: Arc<str>,
        /// When it was asked.
        asked: Timestamp,
        /// How long it had.
        within: SignedDuration,
        /// When the time was up.
        since: Timestamp,
        /// Whether what was asked for is older than what is there.
        goes_back: bool,
    },
    /// The branch of the environment before cannot be merged: both have changed the same lines.
    MergeConflict {
        /// Whose branch.
        environment: EnvironmentName,
        /// The commit of it that would be merged.
        commit: CommitId,
        /// The files that both have changed.
        files: Arc<[RepoPath]>,
    },
    /// The branch of the environment before cannot be merged, for another reason.
    MergeImpossible {
        /// Whose branch.
        environment: EnvironmentName,
        /// The commit of it that would be merged.
        commit: CommitId,
        /// Why not.
        why: Why,
    },
    /// Somebody else pushed to the proposal's branch.
    ProposalChanged {
        /// Which one.
        number: ProposalNumber,
        /// Its head.
        head: CommitId,
    },
    /// A person closed the proposal without merging it.
    ProposalDeclined {
        /// Which one.
        number: ProposalNumber,
        /// Where it is.
        url: Option<Arc<str>>,
        /// When it was closed.
        since: Timestamp,
    },
    /// The version is blocked.
    VersionBlocked {
        /// Which one.
        release: Release,
    },
    /// The environment was moved back from this release.
    RolledBack {
        /// Which environment.
        environment: EnvironmentName,
        /// From what.
        from: Release,
        /// To what.
        to: Release,
        /// By which commit.
        commit: CommitId,
        /// Whose.
        by: Person,
        /// When.
        since: Timestamp,
    },
    /// What the environments before have is older.
    OlderVersion {
        /// What they have.
        release: Release,
        /// What this one has.
        has: Release,
    },
    /// Some of the release is newer and some is older.
    MixedRelease {
        /// What the environments before have.
        release: Release,
        /// What this one has.
        has: Release,
    },
    /// Which is newer is not known.
    OrderUnknown {
        /// What the environments before have.
        release: Release,
        /// What this one has.
        has: Release,
    },
    /// Another version goes first.
    Queued {
        /// Which one.
        first: Release,
    },
    /// The queue is pinned to another version.
    PinnedQueue {
        /// To which.
        pin: Release,
    },
    /// Git declares what nobody promoted.
    Drift {
        /// What it declares.
        declared: Release,
        /// What was promoted last.
        promoted: Release,
        /// The commit that changed it, where that is known.
        commit: Option<CommitId>,
        /// Its author.
        by: Option<Person>,
        /// When.
        since: Option<Timestamp>,
    },
    /// A person's request cannot be done as it was asked.
    RequestRefused {
        /// Who asked.
        by: Person,
        /// For what.
        release: Release,
        /// Why not.
        why: Arc<str>,
        /// When it was asked.
        since: Timestamp,
    },
    /// The pipeline is suspended.
    Suspended,
    /// The pipeline only observes.
    ObserveOnly,
    /// What Git declares is not known.
    DeclaredUnknown {
        /// For which environment.
        environment: EnvironmentName,
        /// Why not.
        why: Why,
    },
    /// Whether a proposal is open is not known.
    ProposalUnknown {
        /// Why not.
        why: Why,
    },
    /// What people asked for is not known.
    RequestsUnknown {
        /// Why not.
        why: Why,
    },
    /// Who approved is not known.
    ApprovalsUnknown {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// Why not.
        why: Why,
    },
    /// Who brought the release is not known, and a gate needs to know.
    AuthorUnknown {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// Why not.
        why: Why,
    },
    /// What a check reported is not known.
    ChecksUnknown {
        /// Whose gate it is.
        environment: EnvironmentName,
        /// Which check.
        check: CheckName,
        /// Why not.
        why: Why,
    },
    /// What somebody else's automation was asked for is not known.
    DispatchUnknown {
        /// Why not.
        why: Why,
    },
    /// What merging the branch of the environment before comes to is not known.
    MergeUnknown {
        /// Whose branch.
        environment: EnvironmentName,
        /// Why not.
        why: Why,
    },
    /// How the environment came to what it has is not known: it may have been
    /// moved back from what would come in now.
    HistoryUnknown {
        /// Which environment.
        environment: EnvironmentName,
        /// Why not.
        why: Why,
    },
}
