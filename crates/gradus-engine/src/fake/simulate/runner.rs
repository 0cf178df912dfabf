//! Two engines, whose steps are mixed with each other and with what happens in the world.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use gradus_core::pipeline::Pipeline;
use jiff::{SignedDuration, Timestamp};

use super::chance::Chance;
use super::judge::{Judge, Mover};
use super::world::{Deed, Event, World};
use super::{Options, Played, scene};
use crate::fake::{Fakes, Fault, Faults, Sabotage, Task};
use crate::port::Clock;
use crate::{Engine, Reconciled};

/// How many engines there are.
pub(super) const ENGINES: usize = 2;
/// How often an engine looks even if it hears nothing.
const RESYNC: SignedDuration = SignedDuration::from_mins(10);
/// A schedule that takes more steps than this does not end.
const MOST_STEPS: u64 = 60_000;

/// A schedule that is being played.
pub(super) struct Simulation {
    pub(super) world: World,
    pub(super) judge: Judge,
    pub(super) engines: Vec<Runner>,
    chance: Chance,
    sabotage: Option<Sabotage>,
    hours: i64,
    /// Whether people do things just while an engine is at work.
    meddles: bool,
    trouble: Arc<Trouble>,
    steps: u64,
    looks: u64,
    crashes: u64,
}

/// What is shared by those who decide what goes wrong.
struct Trouble {
    on: AtomicBool,
    failures: AtomicU64,
}

/// An engine, and when it looks next.
pub(super) struct Runner {
    engine: Arc<Engine>,
    pipeline: Arc<Pipeline>,
    faults: Faults,
    task: Option<(Task<Reconciled>, Mover)>,
    pub(super) due: Timestamp,
    failures: u32,
    heard: bool,
    /// What came of the last look.
    pub(super) last: Option<Reconciled>,
}

impl Simulation {
    pub(super) fn new(options: Options) -> Self {
        let mut chance = Chance::new(options.seed);
        let pipeline = scene::pipeline(&mut chance);
        let fakes = Fakes::default();
        if let Some(sabotage) = options.sabotage {
            fakes.sabotage(sabotage);
        }
        let hours = chance.between(1, 4);
        let meddles = chance.percent(25);
        let mut world = World::new(fakes, pipeline, chance.fork(), options.trace);
        world.plan_people(hours);
        let trouble = Arc::new(Trouble { on: AtomicBool::new(true), failures: AtomicU64::new(0) });
        let mut this = Self {
            world,
            judge: Judge::default(),
            engines: Vec::new(),
            chance,
            sabotage: options.sabotage,
            hours,
            meddles,
            trouble,
            steps: 0,
            looks: 0,
            crashes: 0,
        };
        for _ in 0..ENGINES {
            let runner = this.begin();
            this.engines.push(runner);
        }
        if options.trace {
            let pipeline = this.world.pipeline.clone();
            for environment in pipeline.environments() {
                this.world.tell(|| format!("{environment:?}"));
            }
        }
        this
    }

    /// A new engine, which knows nothing.
    fn begin(&mut self) -> Runner {
        let mut chance = self.chance.fork();
        let trouble = self.trouble.clone();
        let faults = Faults::directed(move |_| {
            if !trouble.on.load(Ordering::Relaxed) {
                return Fault::None;
            }
            match chance.below(1000) {
                0..=7 => {
                    trouble.failures.fetch_add(1, Ordering::Relaxed);
                    Fault::Fail
                }
                8..=25 => Fault::Delay(u32::try_from(chance.between(1, 12)).unwrap_or(1)),
                _ => Fault::None,
            }
        });
        let mut ports = self.world.fakes.ports(&faults);
        if self.sabotage == Some(Sabotage::RunsAhead) {
            ports.clock = Arc::new(Ahead(self.world.fakes.clone()));
        }
        let engine = Arc::new(Engine::new(ports));
        let pipeline = self.world.pipeline.clone();
        engine.set_pipelines(BTreeMap::from([(pipeline.key.clone(), pipeline.clone())]));
        let due = self.world.now() + SignedDuration::from_secs(self.chance.between(0, 60));
        Runner { engine, pipeline, faults, task: None, due, failures: 0, heard: false, last: None }
    }

    pub(super) fn run(&mut self) -> Result<(), String> {
        self.judge.absorb(&mut self.world, None)?;
        let end = self.world.now() + SignedDuration::from_hours(self.hours);
        while self.world.now() < end {
            self.go_on()?;
        }
        self.settle()
    }

    pub(super) fn played(&mut self) -> Played {
        Played {
            steps: self.steps,
            looks: self.looks,
            promotions: self.judge.promotions,
            proposals: u64::try_from(self.world.fakes.forge.proposals().len()).unwrap_or(u64::MAX),
            failures: self.trouble.failures.load(Ordering::Relaxed),
            crashes: self.crashes,
            trace: self.world.trace.take().unwrap_or_default(),
        }
    }

    /// From now on nothing goes wrong any more.
    pub(super) fn calm(&mut self) {
        self.trouble.on.store(false, Ordering::Relaxed);
        self.world.chaos = false;
        for runner in &self.engines {
            runner.faults.stop();
        }
    }

    /// One engine goes on, or something happens in the world.
    pub(super) fn go_on(&mut self) -> Result<(), String> {
        let running: Vec<usize> = self
            .engines
            .iter()
            .enumerate()
            .filter(|(_, runner)| runner.task.is_some())
            .map(|(at, _)| at)
            .collect();
        match self.chance.pick(&running).copied() {
            Some(_) if self.world.chaos && self.meddles && self.chance.permille(3) => self.meddle(),
            Some(engine) if self.chance.percent(97) => self.step(engine),
            Some(_) | None => self.happen(),
        }
    }

    /// People do something just while an engine is at work.
    fn meddle(&mut self) -> Result<(), String> {
        let places = 0..self.world.environments().len();
        let proposed: Vec<usize> =
            places.filter(|at| self.world.fakes.repo.tip(&self.world.branch(*at)).is_some()).collect();
        let place = self.chance.below(self.world.environments().len());
        let deed = match (self.chance.pick(&proposed), self.chance.below(6)) {
            (Some(place), 0 | 1) => Deed::Meddle(*place),
            (_, 0 | 2) => Deed::SetByHand(place),
            (_, 3) => Deed::Revert,
            (_, 4) => Deed::Touch(place),
            (_, _) => Deed::Noise,
        };
        self.world.person(deed, &self.judge);
        self.judge.absorb(&mut self.world, None)
    }

    /// When something happens next, and nothing is going on.
    pub(super) fn next_event(&self) -> Option<Timestamp> {
        self.world.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn is_busy(&self) -> bool {
        self.engines.iter().any(|runner| runner.task.is_some())
    }

    /// The next thing happens in the world, or an engine begins to look.
    fn happen(&mut self) -> Result<(), String> {
        let idle = self.engines.iter().enumerate().filter(|(_, runner)| runner.task.is_none());
        let engine = idle.map(|(at, runner)| (runner.due, at)).min();
        match (self.next_event(), engine) {
            (Some(event), Some((due, _))) if event <= due => self.event(),
            (_, Some((due, at))) => {
                self.world.fakes.clock.advance_to(due);
                self.look(at)
            }
            (Some(_), None) => self.event(),
            (None, None) => Ok(()),
        }
    }

    fn event(&mut self) -> Result<(), String> {
        let Some(((at, _), event)) = self.world.queue.pop_first() else { return Ok(()) };
        self.world.fakes.clock.advance_to(at);
        match event {
            Event::Person(deed) => {
                self.world.person(deed, &self.judge);
                self.judge.absorb(&mut self.world, None)?;
            }
            Event::Follow(spot) => self.world.follow(spot),
            Event::RolledOut(spot, number) => self.world.rolled_out(spot, number),
            Event::Flap(spot, breaks) => self.world.flap(spot, breaks),
            Event::Beat(spot) => self.world.beat(spot),
            Event::Deliver(entry) => {
                self.world.fakes.ledger.put(&self.world.pipeline.key, *entry);
                self.world.wake_all();
            }
            Event::Wake(engine) => {
                let now = self.world.now();
                if let Some(runner) = self.engines.get_mut(engine) {
                    runner.heard = true;
                    runner.due = runner.due.min(now);
                }
            }
            Event::Configure(engine) => {
                let (now, pipeline) = (self.world.now(), self.world.pipeline.clone());
                if let Some(runner) = self.engines.get_mut(engine) {
                    runner.engine.set_pipelines(BTreeMap::from([(pipeline.key.clone(), pipeline.clone())]));
                    runner.pipeline = pipeline;
                    runner.heard = true;
                    runner.due = runner.due.min(now);
                }
            }
        }
        Ok(())
    }

    /// An engine begins to look.
    pub(super) fn look(&mut self, at: usize) -> Result<(), String> {
        let began = self.world.now();
        self.world.tell(|| format!("engine {at} looks"));
        let Some(runner) = self.engines.get_mut(at) else { return Ok(()) };
        let (engine, pipeline) = (runner.engine.clone(), runner.pipeline.clone());
        let proofs = self.world.fakes.ledger.view_of(&pipeline.key).proofs;
        let mover = Mover { began, pipeline: pipeline.clone(), proofs };
        runner.heard = false;
        runner.task = Some((Task::new(async move { engine.reconcile(&pipeline).await }), mover));
        self.step(at)
    }

    /// An engine goes on to its next stop, or dies there.
    fn step(&mut self, at: usize) -> Result<(), String> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err("it does not come to an end".to_owned());
        }
        let Some(runner) = self.engines.get_mut(at) else { return Ok(()) };
        let Some((mut task, mover)) = runner.task.take() else { return Ok(()) };
        let moved = self.world.fakes.repo.moved();
        let done = task.step();
        self.judge.absorb(&mut self.world, Some(&mover))?;
        // The worst time is right after something was written.
        if self.world.fakes.repo.moved() != moved
            && self.world.chaos
            && self.meddles
            && self.chance.percent(20)
        {
            self.meddle()?;
        }
        let dies = self.world.chaos && self.chance.permille(2);
        let Some(runner) = self.engines.get_mut(at) else { return Ok(()) };
        match done {
            Some(done) => self.end(at, done),
            None if dies => {
                drop(task);
                self.crashes += 1;
                self.world.tell(|| format!("engine {at} dies"));
                let fresh = self.begin();
                if let Some(runner) = self.engines.get_mut(at) {
                    *runner = fresh;
                }
            }
            None => runner.task = Some((task, mover)),
        }
        Ok(())
    }

    /// A look has come to its end: when the next one is due follows from it, as in the loop.
    fn end(&mut self, at: usize, done: Reconciled) {
        self.looks += 1;
        let now = self.world.now();
        let wait = SignedDuration::from_secs(self.chance.between(1, 3));
        self.world.tell(|| {
            let steps = done.outcomes.iter().map(|(step, outcome)| format!("{} {outcome:?}", step.kind()));
            let clock = gradus_core::tell::Clock::utc(done.looked.at);
            let reason = |reason| gradus_core::tell::sentence(reason, &clock);
            let here = done.looked.report.environments.iter().map(|here| {
                let reasons: Vec<String> = here.reasons.iter().map(reason).collect();
                format!("\n    {} ({}): {}", here.name, here.verdict.verdict.word(), reasons.join("; "))
            });
            let (steps, here) = (steps.collect::<Vec<_>>(), here.collect::<String>());
            format!("engine {at} is done: {steps:?} {:?}{here}", done.unrecorded)
        });
        let Some(runner) = self.engines.get_mut(at) else { return };
        let due =
            done.looked.report.wake_at.filter(|due| *due > now).unwrap_or(now + RESYNC).min(now + RESYNC);
        if done.should_try_again() {
            runner.failures += 1;
            let backoff = SignedDuration::from_secs(1_i64 << runner.failures.min(8));
            runner.due = due.min(now + backoff);
        } else {
            runner.failures = 0;
            runner.due = due;
        }
        if done.made_progress() || runner.heard {
            runner.due = now + wait;
        }
        runner.last = Some(done);
    }
}

/// A clock that runs ahead of the world's.
struct Ahead(Fakes);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.0.clock.now() + SignedDuration::from_mins(45)
    }
}
