//! What was said and done: reports, approvals, requests, and the audit record.
//!
//! Losing it loses the record of approvals and reports, and nothing else: the
//! plan rests on Git, the manifests and the targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{
    ArtifactName, CommitId, EnvironmentName, Person, PipelineKey, ProposalNumber, RequestId, TargetName,
};
use gradus_core::observation::{Approval, CheckFact, Dispatched, Proof, Request, TargetState};
use gradus_core::release::Release;
use gradus_core::version::Version;
use jiff::Timestamp;

use super::PortError;

/// The record. Entries are only ever added.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Everything that the planner needs of one pipeline.
    async fn view(&self, pipeline: &PipelineKey) -> Result<View, PortError>;

    /// Adds entries, all or none. An entry that is there already is not added twice.
    async fn record(&self, pipeline: &PipelineKey, entries: &[Entry]) -> Result<(), PortError>;

    /// The newest entries, newest first.
    async fn history(&self, pipeline: &PipelineKey, query: &HistoryQuery)
    -> Result<Vec<Recorded>, PortError>;
}

/// What the planner needs of one pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The state of each target, as its reports make it.
    pub targets: BTreeMap<(EnvironmentName, TargetName), TargetState>,
    /// Approvals, oldest first.
    pub approvals: BTreeMap<EnvironmentName, Vec<Approval>>,
    /// Requests, oldest first.
    pub requests: BTreeMap<EnvironmentName, Vec<Request>>,
    /// Check reports, oldest first.
    pub checks: BTreeMap<EnvironmentName, Vec<CheckFact>>,
    /// Spans in which an environment was healthy, oldest first.
    pub proofs: BTreeMap<EnvironmentName, Vec<Proof>>,
    /// What was last written into each environment.
    pub promoted: BTreeMap<EnvironmentName, Release>,
    /// What somebody else's automation was asked for, oldest first.
    pub dispatched: BTreeMap<EnvironmentName, Vec<Dispatched>>,
    /// The versions of each artifact in the order in which they were seen.
    pub seen: BTreeMap<ArtifactName, Vec<Version>>,
}

/// One thing that was said, seen or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A target's state was reported. One that is older than the target's newest
    /// report is kept and changes nothing.
    Report {
        /// Where.
        environment: EnvironmentName,
        /// Which target.
        target: TargetName,
        /// What was reported.
        reported: Reported,
        /// By whom.
        by: Person,
        /// When it was so, by the reporter's word.
        at: Timestamp,
    },
    /// A person said yes. The same yes at another time is another entry: one from
    /// before the environment was moved back does not count any more.
    Approval {
        /// Where.
        environment: EnvironmentName,
        /// To what, and who.
        approval: Approval,
    },
    /// A person asked for something by name.
    Request {
        /// Where.
        environment: EnvironmentName,
        /// What.
        request: Request,
    },
    /// A check was reported.
    Check {
        /// Where.
        environment: EnvironmentName,
        /// What.
        fact: CheckFact,
    },
    /// An environment was seen healthy. Extends the open span at this release and
    /// begins another where it began later.
    Healthy {
        /// Which.
        environment: EnvironmentName,
        /// At what, since when, until now.
        proof: Proof,
    },
    /// The verdict of an environment changed. Of several of one environment in
    /// one call the last one counts.
    Verdict {
        /// Which.
        environment: EnvironmentName,
        /// The one word.
        verdict: String,
        /// At what.
        release: Option<Release>,
        /// Why, in words.
        detail: String,
        /// When it was seen.
        at: Timestamp,
    },
    /// A version was seen in the first environment.
    Seen {
        /// Of which artifact.
        artifact: ArtifactName,
        /// Which.
        version: Version,
        /// When.
        at: Timestamp,
    },
    /// Something was written to Git or to the forge.
    Wrote(Wrote),
}

/// Something that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrote {
    /// Into which environment.
    pub environment: EnvironmentName,
    /// What was done.
    pub action: Action,
    /// What it had.
    pub from: Option<Release>,
    /// What it gets.
    pub to: Option<Release>,
    /// The commit.
    pub commit: CommitId,
    /// The proposal.
    pub proposal: Option<ProposalNumber>,
    /// The hash that names the promotion.
    pub promotion: String,
    /// The request by name that it answers.
    pub request: Option<RequestId>,
    /// Who asked for it by name.
    pub asked_by: Option<Person>,
    /// Who approved.
    pub approved_by: Vec<Person>,
    /// Why, in words.
    pub detail: String,
    /// When.
    pub at: Timestamp,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A commit on the branch itself.
    Pushed,
    /// A proposal was opened.
    Proposed,
    /// A proposal was changed.
    Updated,
    /// A proposal was merged.
    Merged,
    /// A proposal was closed.
    Closed,
    /// Somebody else's automation was asked for it.
    Dispatched,
}

impl Wrote {
    /// What somebody else's automation was asked for, if it was asked.
    pub fn dispatched(&self) -> Option<Dispatched> {
        match (self.action, &self.to) {
            (Action::Dispatched, Some(to)) => Some(Dispatched {
                promotion: self.promotion.as_str().into(),
                from: self.from.clone(),
                to: to.clone(),
                request: self.request.clone(),
                at: self.at,
            }),
            (Action::Dispatched, None)
            | (Action::Pushed | Action::Proposed | Action::Updated | Action::Merged | Action::Closed, _) => {
                None
            }
        }
    }
}

impl Action {
    /// The one word that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pushed => "pushed",
            Self::Proposed => "proposed",
            Self::Updated => "updated",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Dispatched => "dispatched",
        }
    }

    /// Whether the environment declares the release afterwards.
    pub fn promotes(self) -> bool {
        match self {
            Self::Pushed | Self::Merged => true,
            Self::Proposed | Self::Updated | Self::Closed | Self::Dispatched => false,
        }
    }
}

/// What somebody reported of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    /// Nothing runs there.
    NotDeployed,
    /// A rollout is under way.
    Deploying {
        /// To what.
        release: Option<Release>,
    },
    /// It runs and works.
    Healthy {
        /// What runs.
        release: Release,
    },
    /// It does not work.
    Failed {
        /// What failed.
        release: Option<Release>,
        /// Why.
        why: Arc<str>,
    },
    /// What failed was taken back.
    RolledBack {
        /// What runs now.
        to: Release,
    },
}

/// What a new report makes of a target's state. The time since when something is
/// so stays as long as it is so. A report that was overtaken by a newer one changes
/// nothing; a ledger that keeps the time of a target's newest report can tell more
/// of them than this, which only knows since when the state holds.
pub fn after_report(before: Option<&TargetState>, reported: &Reported, at: Timestamp) -> TargetState {
    if let Some(before) = before
        && since(before).is_some_and(|since| since > at)
    {
        return before.clone();
    }
    match reported {
        Reported::NotDeployed => TargetState::NotDeployed,
        Reported::Deploying { release } => match before {
            Some(TargetState::Deploying { release: same, since }) if same == release => {
                TargetState::Deploying { release: release.clone(), since: *since }
            }
            Some(_) | None => TargetState::Deploying { release: release.clone(), since: at },
        },
        Reported::Healthy { release } => match before {
            Some(TargetState::Healthy { release: same, since }) if same == release => {
                TargetState::Healthy { release: release.clone(), since: *since }
            }
            Some(_) | None => TargetState::Healthy { release: release.clone(), since: at },
        },
        Reported::Failed { release, why } => match before {
            Some(TargetState::Failed { release: same, since, running, .. }) if same == release => {
                TargetState::Failed {
                    release: release.clone(),
                    why: why.clone(),
                    since: *since,
                    running: running.clone(),
                }
            }
            Some(TargetState::Healthy { release: running, .. }) if Some(running) != release.as_ref() => {
                let running = Some(running.clone());
                TargetState::Failed { release: release.clone(), why: why.clone(), since: at, running }
            }
            Some(_) | None => {
                TargetState::Failed { release: release.clone(), why: why.clone(), since: at, running: None }
            }
        },
        Reported::RolledBack { to } => match before {
            Some(TargetState::Failed { release, why, since, .. }) => TargetState::Failed {
                release: release.clone(),
                why: why.clone(),
                since: *since,
                running: Some(to.clone()),
            },
            Some(TargetState::Deploying { release, .. }) => TargetState::Failed {
                release: release.clone(),
                why: Arc::from(format!("rolled back to {to}")),
                since: at,
                running: Some(to.clone()),
            },
            // What is healthy at something else than the rollback's release was taken back;
            // which release failed was not told.
            Some(TargetState::Healthy { release, .. }) if release != to => TargetState::Failed {
                release: Some(release.clone()),
                why: Arc::from(format!("rolled back to {to}")),
                since: at,
                running: Some(to.clone()),
            },
            Some(TargetState::Healthy { .. } | TargetState::NotDeployed) | None => TargetState::Failed {
                release: None,
                why: Arc::from(format!("rolled back to {to}")),
                since: at,
                running: Some(to.clone()),
            },
        },
    }
}

fn since(state: &TargetState) -> Option<Timestamp> {
    match state {
        TargetState::NotDeployed => None,
        TargetState::Deploying { since, .. }
        | TargetState::Healthy { since, .. }
        | TargetState::Failed { since, .. } => Some(*since),
    }
}

/// Which part of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only this environment.
    pub environment: Option<EnvironmentName>,
    /// Only what was written, approved and asked for; not what was seen.
    pub deeds_only: bool,
    /// Only entries before this one.
    pub before: Option<u64>,
    /// At most this many.
    pub limit: usize,
}

/// An entry, with its place in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place.
    pub id: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What.
    pub entry: Entry,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_was_overtaken_changes_nothing() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let release = || {
            let artifact = ArtifactName::parse("app").unwrap();
            Release::single(artifact, Version::parse("1.0.0").unwrap())
        };
        let failed = Reported::Failed { release: Some(release()), why: "it crashes".into() };
        let healthy = Reported::Healthy { release: release() };
        let now = after_report(None, &failed, at(20));
        assert_eq!(after_report(Some(&now), &healthy, at(10)), now, "it came late");
        let later = after_report(Some(&now), &healthy, at(30));
        assert_eq!(later, TargetState::Healthy { release: release(), since: at(30) });
        assert_eq!(after_report(Some(&later), &healthy, at(40)), later, "since when it is so stays");
    }
}
