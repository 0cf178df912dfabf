//! Entries to write: by hand, and at random.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use gradus_core::names::{
    ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, PipelineKey, ProposalNumber,
    RequestId, TargetName,
};
use gradus_core::observation::{Approval, CheckFact, CheckResult, Proof, Request, RequestKind};
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::Ledger;
use gradus_engine::port::ledger::{Action, Entry, HistoryQuery, Recorded, Reported, Wrote};
use gradus_local::SqliteLedger;
use jiff::Timestamp;
use proptest::option::of;
use proptest::prelude::*;

/// Runs a future to its end.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A folder that is deleted when it is dropped, and a ledger's file in it.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = gradus_local::ledger_file(folder.path());
    (folder, file)
}

pub(crate) fn web() -> PipelineKey {
    PipelineKey::parse("apps/web").unwrap()
}

pub(crate) fn environment(name: &str) -> EnvironmentName {
    EnvironmentName::parse(name).unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn person(name: &str) -> Person {
    Person::parse(name).unwrap()
}

pub(crate) fn release(version: &str) -> Release {
    Release::single(ArtifactName::parse("app").unwrap(), Version::parse(version).unwrap())
}

pub(crate) fn commit(digit: char) -> CommitId {
    CommitId::parse(&digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn report(reported: Reported, second: i64) -> Entry {
    Entry::Report {
        environment: environment("prod"),
        target: TargetName::parse("eu").unwrap(),
        reported,
        by: person("ci"),
        at: at(second),
    }
}

pub(crate) fn approval(version: &str, by: &str) -> Entry {
    let (groups, aliases) = (Vec::new(), Vec::new());
    let approval = Approval { release: release(version), by: person(by), groups, aliases, at: at(1) };
    Entry::Approval { environment: environment("prod"), approval }
}

pub(crate) fn wrote(action: Action, version: &str, digit: char) -> Entry {
    Entry::Wrote(Wrote {
        environment: environment("prod"),
        action,
        from: None,
        to: Some(release(version)),
        commit: commit(digit),
        proposal: None,
        promotion: "p".to_owned(),
        request: None,
        asked_by: None,
        approved_by: vec![person("ann")],
        detail: String::new(),
        at: at(1),
    })
}

/// All of the history, newest first, read in pages of three.
pub(crate) async fn all(ledger: &SqliteLedger, pipeline: &PipelineKey) -> Vec<Recorded> {
    let mut found: Vec<Recorded> = Vec::new();
    loop {
        let before = found.last().map(|recorded| recorded.id);
        let query = HistoryQuery { before, limit: 3, ..HistoryQuery::default() };
        let page = ledger.history(pipeline, &query).await.unwrap();
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

/// How varied random entries are: with few names and times they meet each other often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variety {
    Few,
    Many,
}

impl Variety {
    fn text(self) -> BoxedStrategy<String> {
        match self {
            Self::Few => "[ab]".boxed(),
            Self::Many => ".{0,40}".boxed(),
        }
    }

    fn time(self) -> BoxedStrategy<Timestamp> {
        match self {
            Self::Few => (0..6_i64).prop_map(at).boxed(),
            Self::Many => {
                let seconds = Timestamp::MIN.as_second()..Timestamp::MAX.as_second();
                (seconds, 0..1_000_000_000_i32)
                    .prop_filter_map("out of range", |(second, nano)| Timestamp::new(second, nano).ok())
                    .boxed()
            }
        }
    }

    fn name(self) -> BoxedStrategy<String> {
        match self {
            Self::Few => "[ab]".boxed(),
            Self::Many => "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?".boxed(),
        }
    }

    fn person(self) -> BoxedStrategy<Person> {
        match self {
            Self::Few => self.name().prop_map(|name| person(&name)).boxed(),
            Self::Many => {
                "[\\PC&&\\S]{1,30}".prop_filter_map("not a person", |t| Person::parse(&t).ok()).boxed()
            }
        }
    }

    fn version(self) -> BoxedStrategy<Version> {
        match self {
            Self::Few => "[12]".prop_map(|t| Version::parse(&t).unwrap()).boxed(),
            Self::Many => {
                "[\\PC&&\\S]{1,30}".prop_filter_map("not a version", |t| Version::parse(&t).ok()).boxed()
            }
        }
    }

    fn artifact(self) -> BoxedStrategy<ArtifactName> {
        self.name().prop_map(|name| ArtifactName::parse(&name).unwrap()).boxed()
    }

    fn release(self) -> BoxedStrategy<Release> {
        let most = match self {
            Self::Few => 1,
            Self::Many => 4,
        };
        proptest::collection::vec((self.artifact(), self.version()), 1..=most)
            .prop_filter_map("empty", Release::new)
            .boxed()
    }

    fn environment(self) -> BoxedStrategy<EnvironmentName> {
        self.name().prop_map(|name| environment(&name)).boxed()
    }

    fn commit(self) -> BoxedStrategy<CommitId> {
        match self {
            Self::Few => "[ab]".prop_map(|digit| commit(digit.chars().next().unwrap())).boxed(),
            Self::Many => "[0-9a-f]{40}".prop_map(|id| CommitId::parse(&id).unwrap()).boxed(),
        }
    }

    fn words(self) -> BoxedStrategy<Arc<str>> {
        self.text().prop_map(Arc::from).boxed()
    }
}

fn reported(variety: Variety) -> impl Strategy<Value = Reported> {
    prop_oneof![
        Just(Reported::NotDeployed),
        of(variety.release()).prop_map(|release| Reported::Deploying { release }),
        variety.release().prop_map(|release| Reported::Healthy { release }),
        (of(variety.release()), variety.words()).prop_map(|(release, why)| Reported::Failed { release, why }),
        variety.release().prop_map(|to| Reported::RolledBack { to }),
    ]
}

fn approvals(v: Variety) -> impl Strategy<Value = Approval> {
    let groups = proptest::collection::vec(v.person().prop_map(|p| Group::parse(p.as_str()).unwrap()), 0..2);
    let aliases = proptest::collection::vec(v.person(), 0..2);
    (v.release(), v.person(), groups, aliases, v.time())
        .prop_map(|(release, by, groups, aliases, at)| Approval { release, by, groups, aliases, at })
}

fn requests(v: Variety) -> impl Strategy<Value = Request> {
    let kinds = [RequestKind::Promote, RequestKind::Override, RequestKind::Rollback, RequestKind::Emergency];
    let id = v.name().prop_map(|name| RequestId::parse(&name).unwrap());
    let from = (of(v.words()), of(v.release()), of(v.commit()));
    (id, v.release(), prop::sample::select(kinds.to_vec()), v.person(), v.time(), from).prop_map(
        |(id, release, kind, by, at, (reason, from, from_commit))| Request {
            id,
            release,
            kind,
            by,
            at,
            reason,
            from,
            from_commit,
        },
    )
}

fn checks(v: Variety) -> impl Strategy<Value = CheckFact> {
    let results = [CheckResult::Passed, CheckResult::Failed, CheckResult::Pending];
    let check = v.name().prop_map(|name| CheckName::parse(&name).unwrap());
    (check, v.person(), v.release(), prop::sample::select(results.to_vec()), v.time(), of(v.words()))
        .prop_map(|(check, reporter, release, result, at, detail)| CheckFact {
            check,
            reporter,
            release,
            result,
            at,
            detail,
        })
}

fn writes(v: Variety) -> impl Strategy<Value = Wrote> {
    let actions = [
        Action::Pushed,
        Action::Proposed,
        Action::Updated,
        Action::Merged,
        Action::Closed,
        Action::Dispatched,
    ];
    let what = (
        v.environment(),
        prop::sample::select(actions.to_vec()),
        of(v.release()),
        of(v.release()),
        v.commit(),
    );
    let request = of(v.name().prop_map(|name| RequestId::parse(&name).unwrap()));
    let people = (of(v.person()), request, proptest::collection::vec(v.person(), 0..3));
    (what, of(any::<u64>()), v.text(), people, v.text(), v.time()).prop_map(
        |(
            (environment, action, from, to, commit),
            proposal,
            promotion,
            (asked_by, request, approved_by),
            detail,
            at,
        )| Wrote {
            environment,
            action,
            from,
            to,
            commit,
            proposal: proposal.map(ProposalNumber),
            promotion,
            request,
            asked_by,
            approved_by,
            detail,
            at,
        },
    )
}

/// Any entry.
pub(crate) fn entries(v: Variety) -> impl Strategy<Value = Entry> {
    let target = v.name().prop_map(|name| TargetName::parse(&name).unwrap());
    // Two verdicts of one environment at the same instant contradict each other.
    let verdict_time = Variety::Many.time();
    prop_oneof![
        (v.environment(), target, reported(v), v.person(), v.time()).prop_map(
            |(environment, target, reported, by, at)| Entry::Report { environment, target, reported, by, at }
        ),
        (v.environment(), approvals(v))
            .prop_map(|(environment, approval)| Entry::Approval { environment, approval }),
        (v.environment(), requests(v))
            .prop_map(|(environment, request)| Entry::Request { environment, request }),
        (v.environment(), checks(v)).prop_map(|(environment, fact)| Entry::Check { environment, fact }),
        (v.environment(), v.release(), v.time(), v.time()).prop_map(
            |(environment, release, since, until)| {
                Entry::Healthy { environment, proof: Proof { release, since, until } }
            }
        ),
        (v.environment(), v.text(), of(v.release()), v.text(), verdict_time).prop_map(
            |(environment, verdict, release, detail, at)| Entry::Verdict {
                environment,
                verdict,
                release,
                detail,
                at
            }
        ),
        (v.artifact(), v.version(), v.time()).prop_map(|(artifact, version, at)| Entry::Seen {
            artifact,
            version,
            at
        }),
        writes(v).prop_map(Entry::Wrote),
    ]
}
