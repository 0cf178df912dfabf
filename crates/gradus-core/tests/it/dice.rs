//! Made-up pipelines and observations. Every choice is drawn from a list of
//! numbers, so that proptest makes a failing case smaller by shortening the
//! list; 0, which is what an empty list gives, is the plainest choice.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use gradus_core::gate::Gate;
use gradus_core::gate::approval::ApprovalGate;
use gradus_core::gate::check::CheckGate;
use gradus_core::gate::freeze::FreezeGate;
use gradus_core::gate::soak::SoakGate;
use gradus_core::names::{CheckName, Group, Person, ProposalNumber, RequestId};
use gradus_core::observation::{
    Approval, Brought, CheckFact, CheckResult, Declared, Dispatched, EnvironmentSeen, Fit, Observation,
    Origin, Proof, ProposalSeen, Request, RequestKind, Seen, TargetState,
};
use gradus_core::pipeline::{
    Emergency, Environment, Hold, Merge, Mode, Need, Pipeline, Queue, Strategy as Write, TargetKind,
};
use gradus_core::release::Release;
use gradus_core::version::Order;
use gradus_core::window::{Span, Window};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{artifact, commit, environment, person, pipeline, release, target, version};

const PEOPLE: [&str; 4] = ["ann", "bob", "rita", "olga"];

/// A Monday noon.
pub(crate) fn now() -> Timestamp {
    "2026-11-16T12:00:00Z".parse().unwrap()
}

#[derive(Debug, Clone)]
pub(crate) struct Dice {
    numbers: Vec<u32>,
    at: usize,
}

impl Dice {
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Self { numbers, at: 0 }
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        number as usize % sides.max(1)
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.roll(many) == many - 1
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())].clone()
    }

    fn maybe<T>(&mut self, one_in: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(one_in).then(|| make(self))
    }

    fn few<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self, usize) -> T) -> Vec<T> {
        let count = self.roll(most + 1);
        (0..count).map(|at| make(self, at)).collect()
    }

    fn seen<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Seen<T> {
        if self.one_in(16) { Seen::unknown("it is hidden") } else { Seen::Known(make(self)) }
    }

    fn person(&mut self) -> Person {
        person(self.pick(&PEOPLE))
    }

    fn group(&mut self) -> Group {
        Group::parse(self.pick(&["rm", "qa"])).unwrap()
    }

    fn minutes(&mut self) -> SignedDuration {
        SignedDuration::from_mins(self.pick(&[10, 0, 1, 45, 90, 600]))
    }

    fn time(&mut self) -> Timestamp {
        match self.roll(40) {
            39 => Timestamp::MAX,
            38 => Timestamp::MIN,
            37 => now() + SignedDuration::from_mins(7),
            steps => now() - SignedDuration::from_mins(7) * i32::try_from(steps).unwrap(),
        }
    }

    fn release(&mut self, kind: Kind) -> Release {
        let number = self.roll(5);
        match kind {
            Kind::Single => release(&format!("1.{number}.0")),
            Kind::Seen => release(["9f2c", "41aa", "e07b", "0c3d", "ffff"][number]),
            Kind::Pair => match self.roll(12) {
                11 => release(&format!("app=1.{number}.0")),
                other => release(&format!("app=1.{number}.0,chart=2.{}.0", other % 3)),
            },
        }
    }

    pub(crate) fn case(&mut self) -> (Pipeline, Observation) {
        let kind = self.pick(&[Kind::Single, Kind::Single, Kind::Pair, Kind::Seen]);
        let pipeline = self.pipeline(kind);
        let seen = self.observation(&pipeline, kind);
        (pipeline, seen)
    }

    fn pipeline(&mut self, kind: Kind) -> Pipeline {
        let count = 2 + self.roll(4);
        let mut names: Vec<String> = Vec::new();
        let mut environments = Vec::new();
        for at in 0..count {
            let text = format!("e{at}");
            environments.push(self.environment(&text, &names, kind));
            names.push(text);
        }
        let mut artifacts = BTreeMap::from([(artifact("app"), Order::Auto)]);
        if kind == Kind::Pair {
            artifacts.insert(artifact("chart"), Order::Semver);
        }
        let mut pipeline = pipeline("apps/web", artifacts, environments).unwrap();
        pipeline.block = self.few(1, |dice, _| dice.release(kind).versions().next().unwrap().1.clone());
        if self.one_in(4) {
            let environment = self.maybe(2, |dice| dice.pick(&names));
            pipeline.holds = vec![Hold {
                name: "h".into(),
                environment: environment.map(|text| crate::model::name(&text)),
                pin: self.maybe(2, |dice| dice.release(kind)),
                reason: "why".into(),
                owner: self.person(),
                since: None,
                until: self.maybe(2, Self::time),
            }];
        }
        pipeline.mode = if self.one_in(12) { Mode::Observe } else { Mode::Active };
        pipeline
    }

    fn environment(&mut self, text: &str, before: &[String], kind: Kind) -> Environment {
        let mut after: Vec<&str> = Vec::new();
        if let Some(last) = before.last()
            && !self.one_in(6)
        {
            after.push(last);
            for other in &before[..before.len() - 1] {
                if self.one_in(4) {
                    after.push(other);
                }
            }
        }
        let mut made = environment(text, &after);
        made.targets =
            (0..1 + self.roll(3)).map(|at| target(&format!("t{at}"), TargetKind::Report)).collect();
        if self.one_in(6) {
            made.targets = vec![target("git", TargetKind::Git)];
        }
        let count = u32::try_from(1 + self.roll(made.targets.len())).unwrap();
        made.healthy = self.pick(&[Need::All, Need::Any, Need::Count(NonZeroU32::new(count).unwrap())]);
        made.strategy = match self.roll(3) {
            0 => Write::Push,
            1 => Write::PullRequest,
            _ => Write::Dispatch(Box::default()),
        };
        made.merge = self.pick(&[Merge::Auto, Merge::Person]);
        made.queue = match self.roll(6) {
            0..=2 => Queue::Latest,
            3 | 4 => Queue::Every,
            _ => Queue::Pinned(self.release(kind)),
        };
        made.gates = self.few(2, |dice, _| dice.gate(after.is_empty()));
        made.verify = if self.one_in(4) { vec![self.gate(false)] } else { Vec::new() };
        made.emergency = self.pick(&[Emergency::Forbidden, Emergency::Allowed]);
        if self.one_in(8) {
            made.block = vec![version("1.3.0")];
        }
        made
    }

    fn gate(&mut self, is_first: bool) -> Gate {
        match self.roll(6) {
            0 if !is_first => Gate::Soak(SoakGate { time: self.minutes() }),
            0 | 1 => Gate::Approval(ApprovalGate {
                min: NonZeroU32::new(1 + u32::try_from(self.roll(2)).unwrap()).unwrap(),
                users: self.few(1, |dice, _| dice.person()),
                groups: self.few(1, |dice, _| dice.group()),
                not_author: self.one_in(2),
            }),
            2 => Gate::Check(CheckGate { name: CheckName::parse("smoke").unwrap(), reporter: person("ann") }),
            3 => Gate::Freeze(FreezeGate {
                from: self.maybe(2, Self::time),
                until: self.maybe(2, Self::time),
                reason: None,
            }),
            4 => {
                let span =
                    self.pick(&["Mon-Fri 08:00-16:00", "Mon 12:00-13:00", "Tue 08:00-09:00", "Sat-Sun"]);
                let spans = vec![Span::parse(span).unwrap()];
                let (allow, deny) = if self.one_in(2) { (Vec::new(), spans) } else { (spans, Vec::new()) };
                Gate::Window(Window { allow, deny, zone: TimeZone::UTC, zone_name: "UTC".into() })
            }
            _ => Gate::Manual,
        }
    }

    fn observation(&mut self, pipeline: &Pipeline, kind: Kind) -> Observation {
        let environments = pipeline
            .environments()
            .iter()
            .map(|e| (e.name.clone(), self.environment_seen(e, kind)))
            .collect();
        let order = ["9f2c", "41aa", "e07b", "0c3d"].map(version).to_vec();
        let order =
            if kind == Kind::Seen { BTreeMap::from([(artifact("app"), order)]) } else { BTreeMap::new() };
        Observation { environments, order }
    }

    fn environment_seen(&mut self, environment: &Environment, kind: Kind) -> EnvironmentSeen {
        let declared = if self.one_in(8) { None } else { Some(self.release(kind)) };
        let state = |dice: &mut Self| dice.target_state(declared.clone(), kind);
        let targets =
            environment.targets.iter().map(|target| (target.name.clone(), self.seen(state))).collect();
        let origin = self.seen(|dice| dice.origin(kind));
        let from_commit = origin.known().map(|origin| origin.commit.clone());
        let promoted =
            self.seen(|dice| dice.maybe(3, |dice| declared.clone().unwrap_or_else(|| dice.release(kind))));
        EnvironmentSeen {
            declared: self.seen(|_| Declared { release: declared.clone(), origin }),
            targets,
            proposal: self.seen(|dice| {
                dice.maybe(2, |dice| ProposalSeen {
                    number: ProposalNumber(1),
                    url: None,
                    head: commit(1000),
                    release: dice.seen(|dice| dice.release(kind)),
                    fit: dice.pick(&[Fit::Current, Fit::Current, Fit::Behind, Fit::Foreign]),
                    since: dice.time(),
                })
            }),
            requests: self.seen(|dice| {
                if !dice.one_in(3) {
                    return Vec::new();
                }
                dice.few(3, |dice, at| Request {
                    id: RequestId::parse(&format!("r{at}")).unwrap(),
                    release: dice.release(kind),
                    kind: dice.pick(&[
                        RequestKind::Promote,
                        RequestKind::Rollback,
                        RequestKind::Override,
                        RequestKind::Emergency,
                    ]),
                    by: dice.person(),
                    at: dice.time(),
                    reason: None,
                    from: if dice.one_in(4) { Some(dice.release(kind)) } else { declared.clone() },
                    from_commit: from_commit.clone().filter(|_| !dice.one_in(3)),
                })
            }),
            approvals: self.seen(|dice| {
                dice.few(4, |dice, _| Approval {
                    release: dice.release(kind),
                    by: dice.person(),
                    groups: dice.few(2, |dice, _| dice.group()),
                    aliases: dice.few(1, |dice, _| dice.person()),
                    at: dice.time(),
                })
            }),
            checks: self.seen(|dice| {
                dice.few(4, |dice, _| CheckFact {
                    check: CheckName::parse("smoke").unwrap(),
                    reporter: if dice.one_in(4) { person("bob") } else { person("ann") },
                    release: dice.release(kind),
                    result: dice.pick(&[CheckResult::Passed, CheckResult::Failed, CheckResult::Pending]),
                    at: dice.time(),
                    detail: None,
                })
            }),
            proofs: self.seen(|dice| {
                dice.few(4, |dice, _| {
                    let (a, b) = (dice.time(), dice.time());
                    Proof { release: dice.release(kind), since: a.min(b), until: a.max(b) }
                })
            }),
            promoted,
            dispatched: self.seen(|dice| {
                dice.few(2, |dice, at| Dispatched {
                    promotion: format!("p{at}").into(),
                    from: declared.clone().filter(|_| !dice.one_in(4)),
                    to: dice.release(kind),
                    request: dice.maybe(3, |dice| RequestId::parse(&format!("r{}", dice.roll(3))).unwrap()),
                    at: dice.time(),
                })
            }),
            evidence: BTreeMap::new(),
            brought: self
                .few(3, |dice, _| Brought {
                    release: dice.release(kind),
                    by: dice.few(2, |dice, _| dice.person()).into_iter().collect::<BTreeSet<_>>().into(),
                    commit: None,
                })
                .into(),
            merge: None,
        }
    }

    fn origin(&mut self, kind: Kind) -> Origin {
        Origin {
            commit: commit(u64::try_from(self.roll(3)).unwrap()),
            title: "a commit".into(),
            author: self.person(),
            at: self.time(),
            by_gradus: self.one_in(2),
            brought_by: self.few(2, |dice, _| dice.person()),
            replaced: self.maybe(3, |dice| dice.release(kind)),
            since: [].into(),
        }
    }

    fn target_state(&mut self, declared: Option<Release>, kind: Kind) -> TargetState {
        let release = match declared {
            Some(declared) if !self.one_in(5) => declared,
            Some(_) | None => self.release(kind),
        };
        let since = self.time();
        match self.roll(8) {
            0..=4 => TargetState::Healthy { release, since },
            5 => TargetState::Deploying { release: self.maybe(2, |_| release), since },
            6 => TargetState::Failed {
                release: self.maybe(2, |_| release.clone()),
                why: "it fell over".into(),
                since,
                running: self.maybe(2, |_| release),
            },
            _ => TargetState::NotDeployed,
        }
    }
}

/// How the releases of a case look.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Single,
    Pair,
    Seen,
}
