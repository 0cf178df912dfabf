//! How long planning takes: 10,000 pipelines of 5 environments each.
//!
//! `cargo bench -p gradus-core` prints a table: the best of seven runs, on one
//! thread. The goal is 300 ms where everything has changed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench may fail, and prints its table")]
#![expect(clippy::disallowed_methods, reason = "the planner has no clock; what measures it has one")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use gradus_core::gate::Gate;
use gradus_core::gate::approval::ApprovalGate;
use gradus_core::gate::soak::SoakGate;
use gradus_core::names::{ArtifactName, CommitId, EnvironmentName, Group, Person, PipelineKey, TargetName};
use gradus_core::observation::{Declared, EnvironmentSeen, Observation, Origin, Proof, Seen, TargetState};
use gradus_core::pipeline::{
    Emergency, Environment, Merge, Need, Pipeline, Queue, Repository, Strategy, Takes, Target, TargetKind,
};
use gradus_core::plan;
use gradus_core::release::Release;
use gradus_core::version::{Order, Version};
use gradus_core::window::{Span, Window};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

const PIPELINES: usize = 10_000;
const NAMES: [&str; 5] = ["dev", "qa", "staging", "prod-eu", "prod-us"];

fn main() {
    println!("{PIPELINES} pipelines of {} environments, one thread", NAMES.len());
    println!("{:<44} {:>9} {:>12} {:>7}", "", "total", "a pipeline", "steps");
    let cases: [(&str, Version, Vec<Gate>); 4] = [
        ("at rest", version("1.0.0"), Vec::new()),
        ("all changed, no gates", version("1.1.0"), Vec::new()),
        ("all changed, soak and approval", version("1.1.0"), vec![soak(), approval()]),
        ("all changed, soak, approval and window", version("1.1.0"), vec![soak(), approval(), window()]),
    ];
    for (name, newest, gates) in cases {
        let all: Vec<(Pipeline, Observation)> = (0..PIPELINES).map(|at| case(at, &newest, &gates)).collect();
        let mut best = Duration::MAX;
        let mut steps = 0;
        for _ in 0..7 {
            let start = Instant::now();
            steps =
                all.iter().map(|(pipeline, seen)| black_box(plan(pipeline, seen, now())).steps.len()).sum();
            best = best.min(start.elapsed());
        }
        let each = best / u32::try_from(PIPELINES).unwrap();
        println!("{name:<44} {:>6} ms {:>12} {steps:>7}", best.as_millis(), format!("{each:.1?}"));
    }
}

fn now() -> Timestamp {
    "2026-11-16T12:00:00Z".parse().unwrap()
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn soak() -> Gate {
    Gate::Soak(SoakGate { time: SignedDuration::from_mins(10) })
}

fn approval() -> Gate {
    let groups = vec![Group::parse("release-managers").unwrap()];
    Gate::Approval(ApprovalGate { min: NonZeroU32::MIN, users: Vec::new(), groups, not_author: true })
}

fn window() -> Gate {
    let allow = vec![Span::parse("Mon-Thu 08:00-16:00").unwrap()];
    Gate::Window(Window { allow, deny: Vec::new(), zone: TimeZone::UTC, zone_name: "UTC".into() })
}

/// The first environment has `newest`, the others 1.0.0, all healthy.
fn case(number: usize, newest: &Version, gates: &[Gate]) -> (Pipeline, Observation) {
    let artifact = ArtifactName::parse("app").unwrap();
    let release = |version: &Version| Release::single(artifact.clone(), version.clone());
    let old = version("1.0.0");
    let mut environments = Vec::new();
    let mut seen = BTreeMap::new();
    for (at, text) in NAMES.iter().enumerate() {
        let name = EnvironmentName::parse(text).unwrap();
        // Each comes after the one before; the two last side by side, and every other one changed.
        let after = match at {
            0 => Vec::new(),
            4 => vec![EnvironmentName::parse(NAMES[2]).unwrap()],
            _ => vec![EnvironmentName::parse(NAMES[at - 1]).unwrap()],
        };
        let target = TargetName::parse(text).unwrap();
        environments.push(Environment {
            name: name.clone(),
            after,
            targets: vec![Target { name: target.clone(), kind: TargetKind::Report }],
            healthy: Need::All,
            deploy_within: SignedDuration::from_mins(30),
            strategy: Strategy::PullRequest,
            merge: Merge::Person,
            pull_request: None,
            queue: Queue::Latest,
            gates: if at == 0 { Vec::new() } else { gates.to_vec() },
            verify: Vec::new(),
            emergency: Emergency::Forbidden,
            block: Vec::new(),
            edit: Vec::new(),
            branch: None,
            takes: Takes::Version,
        });
        let has = release(if at % 2 == 0 { newest } else { &old });
        let since = now() - SignedDuration::from_hours(1);
        seen.insert(name, environment_seen(number, &has, &release(&old), &target, since));
    }
    let repository = Repository {
        url: "https://example.com/fleet".into(),
        branch: None,
        paths: Vec::new(),
        secret: None,
        forge: None,
        commit: Default::default(),
    };
    let key = PipelineKey::parse(&format!("apps/app-{number}")).unwrap();
    let pipeline =
        Pipeline::new(key, repository, BTreeMap::from([(artifact, Order::Auto)]), environments).unwrap();
    (pipeline, Observation { environments: seen, order: BTreeMap::new() })
}

fn environment_seen(
    number: usize,
    has: &Release,
    old: &Release,
    target: &TargetName,
    since: Timestamp,
) -> EnvironmentSeen {
    let author = Person::parse("ann").unwrap();
    let origin = Origin {
        commit: CommitId::parse(&format!("{number:040x}")).unwrap(),
        title: "Update app".into(),
        author: author.clone(),
        at: since,
        by_gradus: false,
        brought_by: vec![author],
        replaced: None,
        since: [].into(),
    };
    let state = TargetState::Healthy { release: has.clone(), since };
    let proof = Proof { release: old.clone(), since: since - SignedDuration::from_hours(9), until: since };
    EnvironmentSeen {
        declared: Seen::Known(Declared { release: Some(has.clone()), origin: Seen::Known(origin) }),
        targets: BTreeMap::from([(target.clone(), Seen::Known(state))]),
        proposal: Seen::Known(None),
        requests: Seen::Known(Vec::new()),
        approvals: Seen::Known(Vec::new()),
        checks: Seen::Known(Vec::new()),
        proofs: Seen::Known(vec![proof]),
        promoted: Seen::Known(None),
        dispatched: Seen::Known(Vec::new()),
        evidence: BTreeMap::new(),
        brought: [].into(),
        merge: None,
    }
}
