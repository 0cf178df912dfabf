//! Entries and states as JSON. The planner's types know no wire format; these
//! mirror them field by field, and no longer compile when they differ.

use std::sync::Arc;

use gradus_core::names::{
    ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, ProposalNumber, RequestId, TargetName,
};
use gradus_core::observation::{Approval, CheckFact, CheckResult, Proof, Request, RequestKind, TargetState};
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::ledger::{Action, Entry, Reported, Wrote};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::plain;
use crate::store::Failure;

/// A type that is kept as JSON.
pub(super) trait Wire: Sized {
    /// Writes it.
    fn to_json(&self) -> Result<String, Failure>;

    /// Reads it; `what` says what it is, should it not be readable.
    fn of_json(text: &str, what: impl FnOnce() -> String) -> Result<Self, Failure>;
}

macro_rules! wire {
    ($type:ty, $with:ty) => {
        impl Wire for $type {
            fn to_json(&self) -> Result<String, Failure> {
                let mut json = Vec::with_capacity(256);
                let written = <$with>::serialize(self, &mut serde_json::Serializer::new(&mut json));
                let text = written
                    .map_err(|error| error.to_string())
                    .and_then(|()| String::from_utf8(json).map_err(|error| error.to_string()));
                text.map_err(|why| Failure::Unreadable { what: "a new entry".to_owned(), why })
            }

            fn of_json(text: &str, what: impl FnOnce() -> String) -> Result<Self, Failure> {
                <$with>::deserialize(&mut serde_json::Deserializer::from_str(text))
                    .map_err(|error| Failure::Unreadable { what: what(), why: error.to_string() })
            }
        }
    };
}

wire!(Entry, EntryWire);
wire!(TargetState, TargetStateWire);
wire!(Reported, ReportedWire);
wire!(Release, ReleaseWire);

struct ReleaseWire;

impl ReleaseWire {
    fn serialize<S: Serializer>(release: &Release, to: S) -> Result<S::Ok, S::Error> {
        plain::serialize(release, to)
    }

    fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Release, D::Error> {
        plain::deserialize(from)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Entry", rename_all = "camelCase")]
enum EntryWire {
    Report {
        #[serde(with = "plain")]
        environment: EnvironmentName,
        #[serde(with = "plain")]
        target: TargetName,
        #[serde(with = "ReportedWire")]
        reported: Reported,
        #[serde(with = "plain")]
        by: Person,
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Approval {
        #[serde(with = "plain")]
        environment: EnvironmentName,
        #[serde(with = "ApprovalWire")]
        approval: Approval,
    },
    Request {
        #[serde(with = "plain")]
        environment: EnvironmentName,
        #[serde(with = "RequestWire")]
        request: Request,
    },
    Check {
        #[serde(with = "plain")]
        environment: EnvironmentName,
        #[serde(with = "CheckFactWire")]
        fact: CheckFact,
    },
    Healthy {
        #[serde(with = "plain")]
        environment: EnvironmentName,
        #[serde(with = "ProofWire")]
        proof: Proof,
    },
    Verdict {
        #[serde(with = "plain")]
        environment: EnvironmentName,
        verdict: String,
        #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
        detail: String,
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Seen {
        #[serde(with = "plain")]
        artifact: ArtifactName,
        #[serde(with = "plain")]
        version: Version,
        #[serde(with = "plain")]
        at: Timestamp,
    },
    Wrote(#[serde(with = "WroteWire")] Wrote),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Wrote", rename_all = "camelCase")]
struct WroteWire {
    #[serde(with = "plain")]
    environment: EnvironmentName,
    #[serde(with = "ActionWire")]
    action: Action,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    from: Option<Release>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    to: Option<Release>,
    #[serde(with = "plain")]
    commit: CommitId,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    proposal: Option<ProposalNumber>,
    promotion: String,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    request: Option<RequestId>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    asked_by: Option<Person>,
    #[serde(with = "plain")]
    approved_by: Vec<Person>,
    detail: String,
    #[serde(with = "plain")]
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Action", rename_all = "camelCase")]
enum ActionWire {
    Pushed,
    Proposed,
    Updated,
    Merged,
    Closed,
    Dispatched,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Reported", rename_all = "camelCase")]
enum ReportedWire {
    NotDeployed,
    Deploying {
        #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
    },
    Healthy {
        #[serde(with = "plain")]
        release: Release,
    },
    Failed {
        #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
        #[serde(with = "plain")]
        why: Arc<str>,
    },
    RolledBack {
        #[serde(with = "plain")]
        to: Release,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TargetState", rename_all = "camelCase")]
enum TargetStateWire {
    NotDeployed,
    Deploying {
        #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
        #[serde(with = "plain")]
        since: Timestamp,
    },
    Healthy {
        #[serde(with = "plain")]
        release: Release,
        #[serde(with = "plain")]
        since: Timestamp,
    },
    Failed {
        #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
        release: Option<Release>,
        #[serde(with = "plain")]
        why: Arc<str>,
        #[serde(with = "plain")]
        since: Timestamp,
        #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
        running: Option<Release>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Approval", rename_all = "camelCase")]
struct ApprovalWire {
    #[serde(with = "plain")]
    release: Release,
    #[serde(with = "plain")]
    by: Person,
    #[serde(with = "plain")]
    groups: Vec<Group>,
    #[serde(with = "plain")]
    aliases: Vec<Person>,
    #[serde(with = "plain")]
    at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Request", rename_all = "camelCase")]
struct RequestWire {
    #[serde(with = "plain")]
    id: RequestId,
    #[serde(with = "plain")]
    release: Release,
    #[serde(with = "RequestKindWire")]
    kind: RequestKind,
    #[serde(with = "plain")]
    by: Person,
    #[serde(with = "plain")]
    at: Timestamp,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    reason: Option<Arc<str>>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    from: Option<Release>,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    from_commit: Option<CommitId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RequestKind", rename_all = "camelCase")]
enum RequestKindWire {
    Promote,
    Override,
    Rollback,
    Emergency,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CheckFact", rename_all = "camelCase")]
struct CheckFactWire {
    #[serde(with = "plain")]
    check: CheckName,
    #[serde(with = "plain")]
    reporter: Person,
    #[serde(with = "plain")]
    release: Release,
    #[serde(with = "CheckResultWire")]
    result: CheckResult,
    #[serde(with = "plain")]
    at: Timestamp,
    #[serde(with = "plain", default, skip_serializing_if = "Option::is_none")]
    detail: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "CheckResult", rename_all = "camelCase")]
enum CheckResultWire {
    Passed,
    Failed,
    Pending,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Proof", rename_all = "camelCase")]
struct ProofWire {
    #[serde(with = "plain")]
    release: Release,
    #[serde(with = "plain")]
    since: Timestamp,
    #[serde(with = "plain")]
    until: Timestamp,
}
