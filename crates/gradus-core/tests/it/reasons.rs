//! Every reason there is, as people read it.

use std::collections::BTreeSet;
use std::fmt::Write;

use gradus_core::names::{CheckName, CommitId, ProposalNumber, RepoPath, TargetName};
use gradus_core::observation::{Seen, Why};
use gradus_core::pipeline::Mode;
use gradus_core::reason::Reason;
use gradus_core::report::{EnvironmentReport, Next, Report};
use gradus_core::tell::{Clock, explain, sentence, status_line};
use gradus_core::verdict::{EnvironmentVerdict, TargetVerdict, Verdict};
use jiff::{SignedDuration, Timestamp};

use crate::model::{commit, name, person, release};

#[test]
fn every_reason_as_people_read_it() {
    let clock = Clock::utc(at("12:05:28"));
    let mut text = String::new();
    let mut codes = BTreeSet::new();
    let mut reason = example_after(None);
    while let Some(here) = reason {
        assert!(codes.insert(here.code()), "two reasons have the code {}", here.code());
        let report = report_of(&here);
        let environment = report.environment(&name("prod")).unwrap();
        writeln!(text, "## {}", here.code()).unwrap();
        writeln!(text, "sentence  {}", sentence(&here, &clock)).unwrap();
        writeln!(text, "status    {}", status_line(environment, &clock)).unwrap();
        for (word, time) in [("since", here.since()), ("until", here.until())] {
            if let Some(time) = time {
                writeln!(text, "{word:<9} {}", clock.at(time)).unwrap();
            }
        }
        writeln!(text, "\n{}\n", explain(&report, &name("prod"), &clock).unwrap()).unwrap();
        reason = example_after(Some(&here));
    }
    insta::assert_snapshot!(text);
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-16T{time}Z").parse().unwrap()
}

fn check() -> CheckName {
    CheckName::parse("smoke").unwrap()
}

fn head() -> CommitId {
    commit(7)
}

fn down() -> Why {
    Why::new("dial tcp 10.0.0.7:443: connection refused")
}

/// An example of the reason that is declared after this one. Every variant has
/// its place here: a new one does not compile before it has.
fn example_after(reason: Option<&Reason>) -> Option<Reason> {
    let (staging, prod) = (name("staging"), name("prod"));
    let (old, new) = (release("6.5.1"), release("6.6.0"));
    Some(match reason {
        None => Reason::UpToDate,
        Some(Reason::UpToDate) => Reason::FollowsGit,
        Some(Reason::FollowsGit) => Reason::Promoting { to: new },
        Some(Reason::Promoting { .. }) => {
            Reason::WaitingForEnvironment { environment: staging, has: Some(old), wants: new }
        }
        Some(Reason::WaitingForEnvironment { .. }) => Reason::WaitingForHealth {
            environment: staging,
            release: Some(new),
            since: Some(at("12:01:00")),
            deadline: Some(at("12:31:00")),
            healthy: 1,
            need: 2,
        },
        Some(Reason::WaitingForHealth { .. }) => Reason::TargetFailed {
            environment: staging,
            target: Some(TargetName::parse("eu").unwrap()),
            release: Some(new),
            why: "HelmRelease staging/podinfo failed to upgrade\n\
                  Deployment staging/podinfo: 0 of 1 replicas became available within 30s"
                .into(),
            since: at("12:03:28"),
            running: Some(old),
        },
        Some(Reason::TargetFailed { .. }) => Reason::DeadlineExceeded {
            environment: staging,
            target: Some(TargetName::parse("eu").unwrap()),
            release: Some(new),
            within: SignedDuration::from_mins(30),
            since: at("12:03:28"),
        },
        Some(Reason::DeadlineExceeded { .. }) => Reason::HealthUnknown {
            environment: staging,
            target: Some(TargetName::parse("eu").unwrap()),
            why: down(),
        },
        Some(Reason::HealthUnknown { .. }) => Reason::NotDeployed { environment: staging },
        Some(Reason::NotDeployed { .. }) => Reason::NeverProven { environment: prod, release: new },
        Some(Reason::NeverProven { .. }) => Reason::WaitingForSoak {
            environment: staging,
            time: SignedDuration::from_hours(1),
            since: at("11:24:00"),
            until: Some(at("12:24:00")),
        },
        Some(Reason::WaitingForSoak { .. }) => Reason::WaitingForApproval {
            environment: prod,
            release: new,
            have: 1,
            min: 2,
            by: "release-managers".to_owned(),
            not_author: true,
        },
        Some(Reason::WaitingForApproval { .. }) => Reason::OutsideWindow {
            window: "window Mon-Thu 08:00-16:00 Europe/Berlin".into(),
            opens: Some(at("15:00:00")),
        },
        Some(Reason::OutsideWindow { .. }) => Reason::Frozen {
            since: Some(at("08:00:00")),
            until: Some(at("18:00:00")),
            why: Some("the quarter ends".into()),
        },
        Some(Reason::Frozen { .. }) => Reason::Held {
            hold: "launch".into(),
            pin: None,
            owner: person("olga"),
            why: "the launch is on".into(),
            since: Some(at("09:00:00")),
            until: None,
        },
        Some(Reason::Held { .. }) => Reason::CheckPending {
            environment: prod,
            check: check(),
            reporter: person("ci"),
            since: Some(at("12:02:00")),
            detail: Some("3 of 7 suites".into()),
        },
        Some(Reason::CheckPending { .. }) => Reason::CheckFailed {
            environment: staging,
            check: check(),
            reporter: person("ci"),
            release: new,
            since: at("12:02:00"),
            detail: Some("login is broken".into()),
        },
        Some(Reason::CheckFailed { .. }) => Reason::WaitingForPerson { environment: prod, release: new },
        Some(Reason::WaitingForPerson { .. }) => Reason::WaitingForMerge {
            number: ProposalNumber(12),
            url: Some("https://github.com/acme/fleet/pull/12".into()),
            since: at("11:50:00"),
        },
        Some(Reason::WaitingForMerge { .. }) => Reason::QueuedInForge {
            number: ProposalNumber(12),
            url: Some("https://github.com/acme/fleet/pull/12".into()),
            since: at("11:58:00"),
        },
        Some(Reason::QueuedInForge { .. }) => Reason::Dispatched {
            to: new,
            promotion: "5f0c1d".into(),
            since: at("11:50:00"),
            until: at("12:50:00"),
        },
        Some(Reason::Dispatched { .. }) => Reason::DispatchUnanswered {
            to: new,
            promotion: "5f0c1d".into(),
            asked: at("10:50:00"),
            within: SignedDuration::from_hours(1),
            since: at("11:50:00"),
            goes_back: false,
        },
        Some(Reason::DispatchUnanswered { .. }) => Reason::MergeConflict {
            environment: staging,
            commit: head(),
            files: ["config/common.yaml", "component.yaml"].map(|file| RepoPath::parse(file).unwrap()).into(),
        },
        Some(Reason::MergeConflict { .. }) => Reason::MergeImpossible {
            environment: staging,
            commit: head(),
            why: Why::new("they have no commit in common"),
        },
        Some(Reason::MergeImpossible { .. }) => {
            Reason::ProposalChanged { number: ProposalNumber(12), head: head() }
        }
        Some(Reason::ProposalChanged { .. }) => Reason::ProposalDeclined {
            number: ProposalNumber(12),
            url: Some("https://github.com/acme/fleet/pull/12".into()),
            since: at("11:55:00"),
        },
        Some(Reason::ProposalDeclined { .. }) => Reason::VersionBlocked { release: new },
        Some(Reason::VersionBlocked { .. }) => {
            let (by, since) = (person("hans"), at("11:40:00"));
            Reason::RolledBack { environment: prod, from: new, to: old, commit: head(), by, since }
        }
        Some(Reason::RolledBack { .. }) => Reason::OlderVersion { release: old, has: new },
        Some(Reason::OlderVersion { .. }) => Reason::MixedRelease {
            release: release("app=2.0.0,chart=1.0.0"),
            has: release("app=1.9.0,chart=1.1.0"),
        },
        Some(Reason::MixedRelease { .. }) => {
            Reason::OrderUnknown { release: release("9f2c41a"), has: release("e07b77c") }
        }
        Some(Reason::OrderUnknown { .. }) => Reason::Queued { first: old },
        Some(Reason::Queued { .. }) => Reason::PinnedQueue { pin: old },
        Some(Reason::PinnedQueue { .. }) => Reason::Drift {
            declared: new,
            promoted: old,
            commit: Some(head()),
            by: Some(person("hans")),
            since: Some(at("11:40:00")),
        },
        Some(Reason::Drift { .. }) => Reason::RequestRefused {
            by: person("ann"),
            release: old,
            why: "it is older than what is there; going back is a rollback".into(),
            since: at("12:00:00"),
        },
        Some(Reason::RequestRefused { .. }) => Reason::Suspended,
        Some(Reason::Suspended) => Reason::ObserveOnly,
        Some(Reason::ObserveOnly) => Reason::DeclaredUnknown { environment: prod, why: down() },
        Some(Reason::DeclaredUnknown { .. }) => Reason::ProposalUnknown { why: down() },
        Some(Reason::ProposalUnknown { .. }) => Reason::RequestsUnknown { why: down() },
        Some(Reason::RequestsUnknown { .. }) => Reason::ApprovalsUnknown { environment: prod, why: down() },
        Some(Reason::ApprovalsUnknown { .. }) => Reason::AuthorUnknown { environment: prod, why: down() },
        Some(Reason::AuthorUnknown { .. }) => {
            Reason::ChecksUnknown { environment: staging, check: check(), why: down() }
        }
        Some(Reason::ChecksUnknown { .. }) => Reason::DispatchUnknown { why: down() },
        Some(Reason::DispatchUnknown { .. }) => Reason::MergeUnknown { environment: staging, why: down() },
        Some(Reason::MergeUnknown { .. }) => Reason::HistoryUnknown { environment: prod, why: down() },
        Some(Reason::HistoryUnknown { .. }) => return None,
    })
}

/// A report of prod at 6.5.1, with 6.6.0 on its way, for this reason alone.
fn report_of(reason: &Reason) -> Report {
    let has = release("6.5.1");
    let is_going = !(reason.is_content()
        || matches!(
            reason,
            Reason::OlderVersion { .. }
                | Reason::MixedRelease { .. }
                | Reason::OrderUnknown { .. }
                | Reason::PinnedQueue { .. }
                | Reason::NotDeployed { .. }
                | Reason::Suspended
                | Reason::DeclaredUnknown { .. }
                | Reason::ProposalUnknown { .. }
                | Reason::RequestsUnknown { .. }
        ));
    let verdict = Verdict::Healthy { release: has.clone(), since: at("08:00:00") };
    let target = TargetVerdict {
        name: TargetName::parse("eu").unwrap(),
        verdict: verdict.clone(),
        running: Some(has.clone()),
        evidence: [].into(),
    };
    let here = EnvironmentReport {
        name: name("prod"),
        after: vec![name("staging")],
        declared: Seen::Known(Some(has)),
        origin: None,
        verdict: EnvironmentVerdict { verdict, healthy: 1, need: 1, targets: vec![target] },
        proposal: None,
        next: is_going.then(|| {
            Box::new(Next { release: release("6.6.0"), request: None, gates: Vec::new(), merges: None })
        }),
        step: None,
        reasons: if *reason == Reason::ObserveOnly {
            vec![Reason::ObserveOnly, Reason::Promoting { to: release("6.6.0") }]
        } else {
            vec![reason.clone()]
        },
        notes: Vec::new(),
    };
    Report {
        pipeline: gradus_core::names::PipelineKey::parse("apps/podinfo").unwrap(),
        mode: Mode::Active,
        environments: vec![here],
        wake_at: None,
    }
}
