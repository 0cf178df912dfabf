//! Promotions that somebody else's automation is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gradus_core::names::PipelineKey;
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::{Pipeline, Strategy};
use gradus_engine::fake::sketch::{
    approval, environment, environment_name, file, path, person, pipeline, release, target_name,
};
use gradus_engine::fake::{Fakes, Fault, Faults, Moment, Task};
use gradus_engine::port::Clock;
use gradus_engine::port::ledger::{Action, Entry, Reported};
use gradus_engine::{AskedFor, Engine, Outcome, Reconciled};
use jiff::SignedDuration;

use crate::lab::check;

fn dispatches() -> Pipeline {
    let mut prod = environment("prod", &["dev"]);
    prod.strategy = Strategy::Dispatch(Box::default());
    pipeline(vec![environment("dev", &[]), prod])
}

fn gated() -> Pipeline {
    let mut prod = environment("prod", &["dev"]);
    prod.strategy = Strategy::Dispatch(Box::default());
    prod.gates = vec![approval(1, false)];
    pipeline(vec![environment("dev", &[]), prod])
}

#[test]
fn automation_brings_what_it_was_asked_for() {
    check(
        &dispatches,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.asked_for(&["1.1.0"]);
            lab.obeys();
            lab.healthy("prod", "1.1.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
            lab.obeys();
            lab.asked_for(&["1.1.0", "1.2.0"]);
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 1.1.0 1.2.0",
    );
}

#[test]
fn nobody_is_asked_before_all_gates_have_passed() {
    check(
        &gated,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.asked_for(&[]);
            lab.approves("mia", "prod", "1.1.0");
            lab.asked_for(&["1.1.0"]);
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0",
    );
}

#[test]
fn what_does_not_come_is_told_and_asked_for_by_name_only() {
    check(
        &dispatches,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.waits(180);
            let why = lab.reason("prod");
            assert!(why.contains("Git did not declare it within 1h"), "{why}");
            lab.asked_for(&["1.1.0"]);
            lab.asks(RequestKind::Promote, "prod", "1.1.0");
            lab.asked_for(&["1.1.0", "1.1.0"]);
            lab.obeys();
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a_newer_version_is_asked_for_beside_the_one_that_is_under_way() {
    check(
        &dispatches,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
            lab.asked_for(&["1.1.0", "1.2.0"]);
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0",
    );
}

/// An engine, the fakes behind it, and what is to be brought to `prod`.
struct Stage {
    fakes: Fakes,
    pipeline: Arc<Pipeline>,
}

impl Stage {
    fn new() -> Self {
        let (fakes, pipeline) = (Fakes::default(), Arc::new(dispatches()));
        let files =
            [("dev", "1.1.0"), ("prod", "1.0.0")].map(|(name, version)| (path(name), file(name, version)));
        let files: Vec<(&str, Option<&str>)> =
            files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
        fakes.repo.push("main", "ada", "Begin", &files);
        let stage = Self { fakes, pipeline };
        for (name, version) in [("dev", "1.1.0"), ("prod", "1.0.0")] {
            let (environment, target) = (environment_name(name), target_name("main"));
            let reported = Reported::Healthy { release: release(version) };
            let (by, at) = (person("flux"), stage.fakes.clock.now());
            let report = Entry::Report { environment, target, reported, by, at };
            stage.fakes.ledger.put(&stage.pipeline.key, report);
        }
        stage
    }

    /// A gradus that was started just now.
    fn engine(&self, faults: &Faults) -> Arc<Engine> {
        let engine = Arc::new(Engine::new(self.fakes.ports(faults)));
        let key = self.pipeline.key.clone();
        drop(engine.set_pipelines(BTreeMap::from([(key, self.pipeline.clone())])));
        engine
    }

    fn reconcile(&self, engine: &Arc<Engine>) -> Reconciled {
        self.fakes.clock.advance(SignedDuration::from_secs(10));
        let (engine, pipeline) = (engine.clone(), self.pipeline.clone());
        Task::new(async move { engine.reconcile(&pipeline).await }).finish(10_000).expect("it ends")
    }

    fn promotions(&self) -> Vec<Arc<str>> {
        self.fakes.forge.dispatched().iter().map(|order| order.promotion.clone()).collect()
    }

    fn recorded(&self) -> Vec<String> {
        let wrote = self.fakes.ledger.entries(&self.pipeline.key).into_iter().filter_map(|entry| {
            let Entry::Wrote(wrote) = entry else { return None };
            (wrote.action == Action::Dispatched).then_some(wrote.promotion)
        });
        wrote.collect()
    }

    fn ask(&self, engine: &Arc<Engine>, by: &str) {
        let (engine, key) = (engine.clone(), self.pipeline.key.clone());
        let asked = AskedFor {
            environment: environment_name("prod"),
            version: Some("1.1.0".to_owned()),
            kind: RequestKind::Promote,
            by: person(by),
            reason: None,
        };
        let asking = async move { engine.ask(&key, asked, false).await.map(drop) };
        Task::new(asking).finish(10_000).expect("it ends").expect("it is heard");
    }
}

/// Nothing can be recorded once automation was asked, as long as that is broken.
fn losing_the_record(broken: &Arc<AtomicBool>) -> Faults {
    let (mut was_asked, broken) = (false, broken.clone());
    Faults::directed(move |point| {
        was_asked |= point.what == "forge.dispatch" && point.moment == Moment::After;
        let fails = was_asked && point.what == "ledger.record" && point.moment == Moment::Before;
        if fails && broken.load(Ordering::SeqCst) { Fault::Fail } else { Fault::None }
    })
}

#[test]
fn all_that_is_known_is_told() {
    let stage = Stage::new();
    stage.reconcile(&stage.engine(&Faults::none()));
    let all = stage.fakes.forge.dispatched();
    let [order] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(order.pipeline, PipelineKey::parse("apps/web").expect("a key"));
    assert_eq!((order.environment.as_str(), order.event.as_str()), ("prod", "gradus-promotion"));
    assert_eq!((&order.from, &order.to), (&Some(release("1.0.0")), &release("1.1.0")));
    assert_eq!((order.base.as_str(), order.on.as_str()), ("main", "main"));
    let files: Vec<&str> = order.files.iter().map(|file| file.as_str()).collect();
    let targets: Vec<&str> = order.targets.iter().map(|target| target.as_str()).collect();
    assert_eq!((files.as_slice(), targets.as_slice()), (["apps/prod.yaml"].as_slice(), ["main"].as_slice()));
    assert_eq!(order.because, "It is proven in dev.");
    assert_eq!(stage.recorded(), [order.promotion.to_string()]);
}

#[test]
fn who_cannot_record_it_does_not_ask_again() {
    let stage = Stage::new();
    let broken = Arc::new(AtomicBool::new(true));
    let engine = stage.engine(&losing_the_record(&broken));
    for _ in 0..3 {
        assert!(stage.reconcile(&engine).errors().next().is_some(), "the record fails");
        assert!(stage.recorded().is_empty());
    }
    let asked = stage.fakes.clock.now();
    broken.store(false, Ordering::SeqCst);
    stage.reconcile(&engine);
    assert_eq!((stage.promotions().len(), stage.recorded().len()), (1, 1));
    // The time that it has begins when it was asked.
    let view = stage.fakes.ledger.view_of(&stage.pipeline.key);
    assert!(view.dispatched[&environment_name("prod")][0].at < asked);
    assert!(stage.reconcile(&engine).outcomes.is_empty());
}

#[test]
fn a_crash_between_the_call_and_its_record_asks_twice_for_the_same() {
    let stage = Stage::new();
    stage.reconcile(&stage.engine(&losing_the_record(&Arc::new(AtomicBool::new(true)))));
    assert_eq!((stage.promotions().len(), stage.recorded().len()), (1, 0));
    // Something else in the file is changed meanwhile: it still is the same promotion.
    let text = format!("{}  replicas: 3\n", file("prod", "1.0.0"));
    stage.fakes.repo.push("main", "ada", "Scale", &[(&path("prod"), Some(&text))]);
    let engine = stage.engine(&Faults::none());
    stage.reconcile(&engine);
    stage.reconcile(&engine);
    let promotions = stage.promotions();
    assert_eq!(promotions.len(), 2, "{promotions:?}");
    assert_eq!(promotions[0], promotions[1]);
    assert_eq!(stage.recorded(), [promotions[0].to_string()]);
}

#[test]
fn a_person_asks_again_for_another_promotion() {
    let stage = Stage::new();
    let engine = stage.engine(&Faults::none());
    stage.reconcile(&engine);
    stage.ask(&engine, "ann");
    stage.reconcile(&engine);
    // The same word once more is the same word, as long as an answer may come.
    stage.ask(&engine, "ann");
    stage.reconcile(&engine);
    assert_eq!(stage.promotions().len(), 2);
    for asked in 3..5 {
        stage.fakes.clock.advance(SignedDuration::from_mins(61));
        stage.reconcile(&engine);
        assert_eq!(stage.promotions().len(), asked - 1, "nobody asks by itself");
        stage.ask(&engine, "ann");
        stage.reconcile(&engine);
        stage.ask(&engine, "ann");
        stage.reconcile(&engine);
        assert_eq!(stage.promotions().len(), asked);
    }
    let different: BTreeSet<_> = stage.promotions().into_iter().collect();
    assert_eq!(different.len(), 4);
    assert_eq!(stage.fakes.forge.dispatched()[3].asked, Some((RequestKind::Promote, person("ann"))));
}

#[test]
fn what_was_changed_meanwhile_is_not_asked_for() {
    let stage = Stage::new();
    let (repo, faults) = (stage.fakes.repo.clone(), Faults::none());
    let mut tips = 0;
    // Somebody else brings it after the look, and before the step.
    let late = Faults::directed(move |point| {
        if point.what == "repo.tips" && point.moment == Moment::Before {
            tips += 1;
            if tips == 2 {
                let text = file("prod", "1.1.0");
                repo.push("main", "bot", "Bring it", &[(&path("prod"), Some(&text))]);
            }
        }
        Fault::None
    });
    let done = stage.reconcile(&stage.engine(&late));
    let [(_, Ok(Outcome::Stale(why)))] = done.outcomes.as_slice() else { panic!("{:?}", done.outcomes) };
    assert!(why.contains("has been changed meanwhile"), "{why}");
    assert!(stage.promotions().is_empty());
    assert!(stage.reconcile(&stage.engine(&faults)).outcomes.is_empty());
}
