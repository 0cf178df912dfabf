//! The world that the engines live in: clusters that follow the branch, and what
//! is really true of them, which nobody is told without delay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::CommitId;
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::{Environment, Pipeline, TargetKind};
use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::scene;
use crate::fake::{Fakes, sketch};
use crate::port::Clock;
use crate::port::ledger::{Entry, Reported};
use crate::port::targets::Answered;

/// Something that happens at its time.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A person does something.
    Person(Deed),
    /// A target looks at the branch.
    Follow(Spot),
    /// A rollout ends.
    RolledOut(Spot, u64),
    /// A target breaks for a while, and works again.
    Flap(Spot, bool),
    /// A target says again how it is.
    Beat(Spot),
    /// What a target said arrives.
    Deliver(Box<Entry>),
    /// An engine hears that something has happened.
    Wake(usize),
    /// An engine is told of the pipeline as it is now.
    Configure(usize),
}

/// What people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// A new version into the first environment.
    Develop,
    /// The first environment goes back to what it had.
    Revert,
    /// An environment is set by hand.
    SetByHand(usize),
    /// A file that belongs to nobody.
    Noise,
    /// An environment's file, but not its version.
    Touch(usize),
    /// An environment's file becomes unreadable.
    Break(usize),
    /// It is as it was again.
    Mend(usize),
    /// A request by name.
    Ask(usize, RequestKind),
    /// Somebody agrees to what waits.
    Approve,
    /// Somebody merges the proposal.
    Merge(usize),
    /// Somebody deletes the proposal's branch.
    Discard(usize),
    /// Somebody pushes to the proposal's branch.
    Meddle(usize),
    /// A hold is set or taken away.
    Hold(usize, bool),
    /// The record is lost.
    Wipe,
}

/// A target: the place of its environment, and its own.
pub(super) type Spot = (usize, usize);

/// What is true of one target.
#[derive(Debug, Clone, Default)]
pub(super) struct Truth {
    /// What it was last told to run.
    pub(super) wanted: Option<u32>,
    /// What runs and works.
    pub(super) healthy: Option<u32>,
    /// What is being rolled out, with the number of the rollout.
    pub(super) rollout: Option<(u32, u64)>,
    /// What failed.
    pub(super) failed: Option<u32>,
    /// When each version worked for the first time.
    pub(super) first: BTreeMap<u32, Timestamp>,
}

/// A request as it was made.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) environment: usize,
    pub(super) kind: RequestKind,
    pub(super) version: u32,
    pub(super) by: &'static str,
    pub(super) from: Option<u32>,
    pub(super) from_commit: Option<CommitId>,
}

/// An approval as it was given.
#[derive(Debug, Clone)]
pub(super) struct Agreed {
    pub(super) environment: usize,
    pub(super) version: u32,
    pub(super) by: &'static str,
    pub(super) at: Timestamp,
}

/// Everything there is, apart from the engines.
pub(super) struct World {
    pub(super) fakes: Fakes,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) chance: Chance,
    pub(super) truths: BTreeMap<Spot, Truth>,
    pub(super) queue: BTreeMap<(Timestamp, u64), Event>,
    pub(super) asked: Vec<Asked>,
    pub(super) agreed: Vec<Agreed>,
    /// Who pushed each version first.
    pub(super) authors: BTreeMap<u32, &'static str>,
    /// Versions that work nowhere, or not in one environment.
    pub(super) bad: BTreeSet<(usize, u32)>,
    pub(super) newest: u32,
    /// Environments in which people did something by hand since the last proposal.
    pub(super) disturbed: BTreeSet<usize>,
    /// Whether the record was lost.
    pub(super) wiped: bool,
    /// Whether messages still get lost, and targets still flap.
    pub(super) chaos: bool,
    pub(super) trace: Option<Vec<String>>,
    events: u64,
}

impl World {
    pub(super) fn new(fakes: Fakes, pipeline: Pipeline, chance: Chance, trace: bool) -> Self {
        let mut world = Self {
            fakes,
            pipeline: Arc::new(pipeline),
            chance,
            truths: BTreeMap::new(),
            queue: BTreeMap::new(),
            asked: Vec::new(),
            agreed: Vec::new(),
            authors: BTreeMap::from([(0, "ada")]),
            bad: BTreeSet::new(),
            newest: 0,
            disturbed: BTreeSet::new(),
            wiped: false,
            chaos: true,
            trace: trace.then(Vec::new),
            events: 0,
        };
        world.begin();
        world
    }

    /// Every environment has the first version, and it works.
    fn begin(&mut self) {
        let files: Vec<(String, String)> = self
            .environments()
            .iter()
            .map(|environment| environment.name.as_str())
            .map(|name| (sketch::path(name), sketch::file(name, &scene::text(0))))
            .collect();
        let files: Vec<(&str, Option<&str>)> =
            files.iter().map(|(p, t)| (p.as_str(), Some(t.as_str()))).collect();
        self.fakes.repo.push("main", "ada", "Begin", &files);
        self.fakes.clock.advance(SignedDuration::from_mins(5));
        for spot in self.spots() {
            let now = self.now();
            let truth = self.truths.entry(spot).or_default();
            truth.wanted = Some(0);
            truth.healthy = Some(0);
            truth.first.insert(0, now);
            self.answer(spot);
            self.say_now(spot);
            let after = self.chance.between(1, 120);
            self.plan(after, Event::Follow(spot));
            let after = self.chance.between(60, 1800);
            self.plan(after, Event::Beat(spot));
        }
    }

    pub(super) fn environments(&self) -> &[Environment] {
        self.pipeline.environments()
    }

    pub(super) fn environment(&self, at: usize) -> &Environment {
        self.environments().get(at).expect("an environment")
    }

    pub(super) fn name(&self, at: usize) -> String {
        self.environment(at).name.to_string()
    }

    pub(super) fn place_of(&self, name: &gradus_core::names::EnvironmentName) -> usize {
        self.environments().iter().position(|environment| &environment.name == name).expect("an environment")
    }

    pub(super) fn spots(&self) -> Vec<Spot> {
        let environments = self.environments().iter().enumerate();
        environments
            .flat_map(|(at, environment)| (0..environment.targets.len()).map(move |target| (at, target)))
            .collect()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.fakes.clock.now()
    }

    /// Something happens in so many seconds.
    pub(super) fn plan(&mut self, seconds: i64, event: Event) {
        let at = self.now() + SignedDuration::from_secs(seconds);
        self.events += 1;
        self.queue.insert((at, self.events), event);
    }

    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        let at = self.now();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at} {}", line()));
        }
    }

    /// What Git declares for an environment; nothing where that cannot be read.
    pub(super) fn declared(&self, at: usize) -> Option<u32> {
        let text = self.fakes.repo.text("main", &sketch::path(&self.name(at)))?;
        scene::number(sketch::version_in(&text)?)
    }

    /// When so many targets as are needed have worked at a version, if they ever have.
    pub(super) fn proven_at(&self, at: usize, version: u32) -> Option<Timestamp> {
        let environment = self.environment(at);
        let need = environment.healthy.of(environment.targets.len());
        let truths = (0..environment.targets.len()).filter_map(|target| self.truths.get(&(at, target)));
        let mut times: Vec<Timestamp> =
            truths.filter_map(|truth| truth.first.get(&version).copied()).collect();
        times.sort_unstable();
        need.checked_sub(1).and_then(|last| times.get(last).copied())
    }

    /// Whether so many targets as are needed work at a version now.
    pub(super) fn works_at(&self, at: usize, version: u32) -> bool {
        let environment = self.environment(at);
        let need = environment.healthy.of(environment.targets.len());
        let truths = (0..environment.targets.len()).filter_map(|target| self.truths.get(&(at, target)));
        truths.filter(|truth| truth.healthy == Some(version)).count() >= need
    }

    /// The branch has something else for an environment. Where Git is the target, it is there at once.
    pub(super) fn arrives(&mut self, at: usize, version: Option<u32>) {
        let Some(version) = version else { return };
        let now = self.now();
        for target in 0..self.environment(at).targets.len() {
            if self.kind((at, target)) == TargetKind::Git {
                let truth = self.truths.entry((at, target)).or_default();
                (truth.wanted, truth.healthy) = (Some(version), Some(version));
                truth.first.entry(version).or_insert(now);
            }
        }
    }

    /// A target looks at the branch, and rolls out what is new.
    pub(super) fn follow(&mut self, spot: Spot) {
        if self.chaos {
            let again = self.chance.between(60, 300);
            self.plan(again, Event::Follow(spot));
        }
        let Some(declared) = self.declared(spot.0) else { return };
        let number = self.events;
        let truth = self.truths.entry(spot).or_default();
        if truth.wanted == Some(declared) {
            return;
        }
        truth.wanted = Some(declared);
        truth.failed = None;
        truth.healthy = None;
        truth.rollout = Some((declared, number));
        self.answer(spot);
        self.say(spot);
        let takes = if self.chance.percent(5) {
            self.chance.between(1200, 2400)
        } else {
            self.chance.between(5, 400)
        };
        self.plan(takes, Event::RolledOut(spot, number));
    }

    /// A rollout ends, if it was not overtaken.
    pub(super) fn rolled_out(&mut self, spot: Spot, number: u64) {
        let now = self.now();
        let truth = self.truths.entry(spot).or_default();
        let Some((version, current)) = truth.rollout else { return };
        if current != number {
            return;
        }
        truth.rollout = None;
        if self.bad.contains(&(spot.0, version)) {
            truth.failed = Some(version);
        } else {
            truth.healthy = Some(version);
            truth.first.entry(version).or_insert(now);
        }
        self.answer(spot);
        self.say(spot);
    }

    /// A target breaks, or works again.
    pub(super) fn flap(&mut self, spot: Spot, breaks: bool) {
        let truth = self.truths.entry(spot).or_default();
        let changes = match (breaks, truth.healthy, truth.failed) {
            (true, Some(version), _) => {
                (truth.healthy, truth.failed) = (None, Some(version));
                true
            }
            (false, None, Some(version))
                if truth.wanted == Some(version) && !self.bad.contains(&(spot.0, version)) =>
            {
                (truth.healthy, truth.failed) = (Some(version), None);
                true
            }
            (true | false, _, _) => false,
        };
        if changes {
            self.answer(spot);
            self.say(spot);
        }
        if breaks {
            let lasts = self.chance.between(30, 900);
            self.plan(lasts, Event::Flap(spot, false));
        }
    }

    /// A target says again how it is.
    pub(super) fn beat(&mut self, spot: Spot) {
        self.say(spot);
        if self.chaos {
            let again = self.chance.between(900, 2400);
            self.plan(again, Event::Beat(spot));
        }
    }

    fn kind(&self, spot: Spot) -> TargetKind {
        self.environment(spot.0).targets.get(spot.1).map_or(TargetKind::Report, |target| target.kind.clone())
    }

    fn entry(&self, spot: Spot) -> Option<Entry> {
        let environment = self.environment(spot.0);
        let target = environment.targets.get(spot.1)?;
        match target.kind {
            TargetKind::Report => {}
            TargetKind::Http(_) | TargetKind::Git | TargetKind::Cluster(_) => return None,
        }
        let release = |version| sketch::release(&scene::text(version));
        let truth = self.truths.get(&spot)?;
        let reported = match (truth.healthy, truth.failed, truth.rollout) {
            (Some(version), _, _) => Reported::Healthy { release: release(version) },
            (None, Some(version), _) => {
                Reported::Failed { release: Some(release(version)), why: "it crashes".into() }
            }
            (None, None, Some((version, _))) => Reported::Deploying { release: Some(release(version)) },
            (None, None, None) => Reported::NotDeployed,
        };
        Some(Entry::Report {
            environment: environment.name.clone(),
            target: target.name.clone(),
            reported,
            by: sketch::person("flux"),
            at: self.now(),
        })
    }

    /// What a target says is sent, and may arrive late, twice or never.
    fn say(&mut self, spot: Spot) {
        let Some(entry) = self.entry(spot) else { return self.wake_all() };
        self.tell(|| format!("cluster says {entry:?}"));
        if !self.chaos {
            return self.plan(1, Event::Deliver(Box::new(entry)));
        }
        let times = match self.chance.below(20) {
            0 => 0,
            1 => 2,
            _ => 1,
        };
        for _ in 0..times {
            let late = if self.chance.percent(5) {
                self.chance.between(60, 1200)
            } else {
                self.chance.between(0, 20)
            };
            self.plan(late, Event::Deliver(Box::new(entry.clone())));
        }
    }

    /// What a target says arrives at once.
    pub(super) fn say_now(&mut self, spot: Spot) {
        if let Some(entry) = self.entry(spot) {
            self.fakes.ledger.put(&self.pipeline.key, entry);
        }
    }

    /// What a target answers when it is asked.
    fn answer(&self, spot: Spot) {
        let TargetKind::Http(http) = self.kind(spot) else { return };
        let Some(truth) = self.truths.get(&spot) else { return };
        let answer = match (truth.healthy, truth.failed) {
            (Some(version), _) => Some(Answered::Healthy(scene::version(version))),
            (None, Some(_)) => Some(Answered::Unhealthy("status 500".to_owned())),
            (None, None) => None,
        };
        self.fakes.targets.answer(&http.url, answer);
    }

    /// The engines hear that something has happened, or not. At the end they only
    /// look when it is time to, as they always must be able to.
    pub(super) fn wake_all(&mut self) {
        if !self.chaos {
            return;
        }
        for engine in 0..super::runner::ENGINES {
            let times = match self.chance.below(10) {
                0..=2 => 0,
                3 => 2,
                _ => 1,
            };
            for _ in 0..times {
                let late = self.chance.between(0, 15);
                self.plan(late, Event::Wake(engine));
            }
        }
    }
}
