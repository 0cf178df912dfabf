//! What holds of every plan, whatever was written and whatever was seen.
//! `PROPTEST_CASES` says how many cases each rule is tried on.

use std::collections::BTreeSet;

use gradus_core::names::EnvironmentName;
use gradus_core::observation::{Approval, EnvironmentSeen, Observation, RequestKind, Seen};
use gradus_core::pipeline::{Environment, Hold, Mode, Pipeline};
use gradus_core::plan;
use gradus_core::plan::{Plan, Step};
use gradus_core::release::Release;
use gradus_core::tell::{Clock, explain, proposal_body, status_rows};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::dice::{Dice, now};
use crate::model::{person, pipeline, release};
use crate::rule::Rule;
use crate::world::World;

/// Tries a rule on many made-up cases. What is left of the dice is for the rule.
fn holds(rule: impl Fn(&Pipeline, &Observation, &mut Dice) -> Result<(), TestCaseError>) {
    let mut config = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 3_000;
    }
    let numbers = proptest::collection::vec(any::<u32>(), 0..500);
    let result = TestRunner::new(config).run(&numbers, |numbers| {
        let mut dice = Dice::new(numbers);
        let (pipeline, seen) = dice.case();
        rule(&pipeline, &seen, &mut dice)
            .map_err(|error| TestCaseError::fail(format!("{error}\n{pipeline:#?}\n{seen:#?}")))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// A step by what it does: where, how, and to which release.
fn deeds(plan: &Plan) -> BTreeSet<(EnvironmentName, &'static str, Option<Release>)> {
    plan.steps
        .iter()
        .map(|step| (step.environment().clone(), step.kind(), step.change().map(|change| change.to.clone())))
        .collect()
}

#[test]
fn every_step_keeps_the_rules() {
    holds(|pipeline, seen, _| {
        let plan = plan(pipeline, seen, now());
        let rule = Rule { pipeline, seen, now: now() };
        for step in &plan.steps {
            if let Err(wrong) = rule.against(step) {
                prop_assert!(false, "{wrong}: {step:?}");
            }
        }
        let places: BTreeSet<_> = plan.steps.iter().map(Step::environment).collect();
        prop_assert_eq!(places.len(), plan.steps.len(), "two steps in one environment");
        Ok(())
    });
}

#[test]
fn the_same_input_gives_the_same_bytes_and_every_report_can_be_told() {
    holds(|pipeline, seen, _| {
        let first = plan(pipeline, seen, now());
        prop_assert_eq!(format!("{first:?}"), format!("{:?}", plan(pipeline, &seen.clone(), now())));
        prop_assert!(first.report.wake_at.is_none_or(|at| at > now()), "it would wake in the past");
        let clock = Clock::utc(now());
        prop_assert_eq!(status_rows(&first.report, &clock).len(), pipeline.environments().len());
        for here in &first.report.environments {
            prop_assert!(!here.reasons.is_empty(), "{} has no reason", here.name);
            prop_assert!(explain(&first.report, &here.name, &clock).is_some_and(|text| text.contains('.')));
            if let Some(change) = here.step.as_deref().and_then(Step::change) {
                let body = proposal_body(&first.report, change, "0123", &clock);
                prop_assert!(body.contains("Merging this"));
                let last = body.trim_end().lines().last().unwrap_or_default();
                prop_assert!(
                    last.starts_with("<!-- gradus: ") && last.matches("--").count() == 2,
                    "{}",
                    last
                );
            }
        }
        Ok(())
    });
}

#[test]
fn what_becomes_unknown_adds_no_step() {
    holds(|pipeline, seen, dice| {
        let before = deeds(&plan(pipeline, seen, now()));
        let names: Vec<_> = seen.environments.keys().cloned().collect();
        let mut dim = seen.clone();
        let name = &names[dice.roll(names.len())];
        let what = hide(dim.environments.get_mut(name).unwrap(), dice);
        let after = deeds(&plan(pipeline, &dim, now()));
        for deed in &after {
            // A proposal without ground is closed, where something that is known would have taken its place.
            let waited =
                deed.1 == "close" && before.iter().any(|other| other.0 == deed.0 && other.2.is_some());
            prop_assert!(
                before.contains(deed) || waited,
                "without {what} of {name}: {after:?}, with it: {before:?}"
            );
        }
        Ok(())
    });
}

/// Makes one fact unknown; says which.
fn hide(seen: &mut EnvironmentSeen, dice: &mut Dice) -> &'static str {
    let why = "it is hidden now";
    match dice.roll(10) {
        0 => {
            let count = seen.targets.len();
            if let Some(state) = seen.targets.values_mut().nth(dice.roll(count)) {
                *state = Seen::unknown(why);
            }
            "a target"
        }
        1 => {
            seen.declared = Seen::unknown(why);
            "what is declared"
        }
        2 => {
            if let Seen::Known(declared) = &mut seen.declared {
                declared.origin = Seen::unknown(why);
            }
            "the origin"
        }
        3 => {
            seen.proposal = Seen::unknown(why);
            "the proposal"
        }
        4 => {
            seen.requests = Seen::unknown(why);
            "the requests"
        }
        5 => {
            seen.approvals = Seen::unknown(why);
            "the approvals"
        }
        6 => {
            seen.checks = Seen::unknown(why);
            "the checks"
        }
        7 => {
            seen.proofs = Seen::unknown(why);
            "the proofs"
        }
        8 => {
            seen.dispatched = Seen::unknown(why);
            "what was asked for"
        }
        _ => {
            seen.promoted = Seen::unknown(why);
            "what was promoted"
        }
    }
}

#[test]
fn the_order_of_what_has_no_order_does_not_matter() {
    holds(|pipeline, seen, dice| {
        let mut other = seen.clone();
        for seen in other.environments.values_mut() {
            shuffle(&mut seen.requests, dice);
            shuffle(&mut seen.approvals, dice);
            shuffle(&mut seen.checks, dice);
            shuffle(&mut seen.proofs, dice);
            shuffle(&mut seen.dispatched, dice);
        }
        let mut environments: Vec<Environment> = pipeline.environments().to_vec();
        let turn = dice.roll(environments.len());
        environments.rotate_left(turn);
        let turned = rebuilt(pipeline, environments);
        let told = |plan: Plan| {
            let mut reports = plan.report.environments;
            reports.sort_by(|a, b| a.name.cmp(&b.name));
            format!("{reports:#?} {:?}", plan.report.wake_at)
        };
        prop_assert_eq!(told(plan(pipeline, seen, now())), told(plan(&turned, &other, now())));
        Ok(())
    });
}

fn shuffle<T>(list: &mut Seen<Vec<T>>, dice: &mut Dice) {
    if let Seen::Known(list) = list {
        for at in (1..list.len()).rev() {
            list.swap(at, dice.roll(at + 1));
        }
    }
}

fn rebuilt(old: &Pipeline, environments: Vec<Environment>) -> Pipeline {
    let mut new = pipeline("apps/web", old.artifacts.clone(), environments).unwrap();
    new.block = old.block.clone();
    new.holds = old.holds.clone();
    new.mode = old.mode;
    new
}

#[test]
fn steps_that_are_taken_come_to_rest() {
    holds(|pipeline, seen, _| {
        let mut world = World::new(pipeline, now());
        world.seen = seen.clone();
        world.skip_numbers();
        let mut taken: Vec<String> = Vec::new();
        loop {
            let plan = plan(pipeline, &world.seen, now());
            if plan.steps.is_empty() {
                return Ok(());
            }
            for step in &plan.steps {
                let deed = format!(
                    "{} {} {:?}",
                    step.environment(),
                    step.kind(),
                    step.change().map(|c| (&c.from, &c.to))
                );
                let deed =
                    if let Step::Close { because, .. } = step { format!("{deed} {because:?}") } else { deed };
                prop_assert!(!taken.contains(&deed), "it would do the same again: {deed} after {taken:?}");
                taken.push(deed);
                if let Err(wrong) = world.act(step) {
                    prop_assert!(false, "{wrong}: {step:?}");
                }
            }
        }
    });
}

#[test]
fn at_the_first_look_only_what_is_newer_and_healthy_now_goes_on() {
    holds(|pipeline, seen, _| {
        let mut first = seen.clone();
        for seen in first.environments.values_mut() {
            seen.requests = Seen::Known(Vec::new());
            seen.approvals = Seen::Known(Vec::new());
            seen.checks = Seen::Known(Vec::new());
            seen.proofs = Seen::Known(Vec::new());
            seen.promoted = Seen::Known(None);
            seen.proposal = Seen::Known(None);
        }
        let plan = plan(pipeline, &first, now());
        let rule = Rule { pipeline, seen: &first, now: now() };
        for step in &plan.steps {
            prop_assert!(
                step.change().is_some_and(|change| change.request().is_none()),
                "nobody asked for {step:?}"
            );
            if let Err(wrong) = rule.against(step) {
                prop_assert!(false, "{wrong}: {step:?}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_hold_lets_nothing_through() {
    holds(|pipeline, seen, dice| {
        let mut held = pipeline.clone();
        let environment = pipeline.environments()[dice.roll(pipeline.environments().len())].name.clone();
        let everywhere = dice.roll(2) == 1;
        let until = if dice.roll(2) == 1 { Some(now() + SignedDuration::from_secs(1)) } else { None };
        held.holds.push(Hold {
            name: "stop".into(),
            environment: if everywhere { None } else { Some(environment.clone()) },
            pin: None,
            reason: "stop".into(),
            owner: person("olga"),
            since: None,
            until,
        });
        for step in plan(&held, seen, now()).steps {
            let goes = step.change().is_some() && (everywhere || *step.environment() == environment);
            prop_assert!(!goes, "past a hold: {step:?}");
        }
        Ok(())
    });
}

#[test]
fn approvals_of_another_release_never_matter() {
    holds(|pipeline, seen, dice| {
        let mut other = seen.clone();
        for seen in other.environments.values_mut() {
            if let Seen::Known(approvals) = &mut seen.approvals {
                let people = ["ann", "bob", "rita", "olga"];
                approvals.push(Approval {
                    release: release(["9.9.9", "1.0", "v1.1.0"][dice.roll(3)]),
                    by: person(people[dice.roll(4)]),
                    groups: vec![gradus_core::names::Group::parse("rm").unwrap()],
                    aliases: people.map(person).to_vec(),
                    at: now(),
                });
            }
        }
        let same = format!("{:?}", plan(pipeline, seen, now()));
        prop_assert_eq!(same, format!("{:?}", plan(pipeline, &other, now())));
        Ok(())
    });
}

#[test]
fn who_only_observes_writes_nothing_and_says_the_same() {
    holds(|pipeline, seen, _| {
        let mut watching = pipeline.clone();
        watching.mode = Mode::Observe;
        let mut acting = pipeline.clone();
        acting.mode = Mode::Active;
        let (watched, acted) = (plan(&watching, seen, now()), plan(&acting, seen, now()));
        prop_assert!(watched.steps.is_empty(), "it wrote");
        let would: Vec<Step> =
            watched.report.environments.into_iter().filter_map(|here| here.step).map(|step| *step).collect();
        prop_assert_eq!(would, acted.steps);
        watching.mode = Mode::Suspended;
        let asleep = plan(&watching, seen, now());
        prop_assert!(asleep.steps.is_empty() && asleep.report.wake_at.is_none(), "it did not sleep");
        Ok(())
    });
}

#[test]
fn the_cases_are_worth_something() {
    let mut kinds = BTreeSet::new();
    let mut codes = BTreeSet::new();
    let mut runner = TestRunner::deterministic();
    let numbers = proptest::collection::vec(any::<u32>(), 0..500);
    for _ in 0..4_000 {
        let drawn = numbers.new_tree(&mut runner).unwrap().current();
        let (pipeline, seen) = Dice::new(drawn).case();
        let plan = plan(&pipeline, &seen, now());
        kinds.extend(plan.steps.iter().map(Step::kind));
        kinds.extend(plan.steps.iter().filter_map(Step::change).filter_map(|change| change.request()).map(
            |request| match request.kind {
                RequestKind::Promote => "asked",
                RequestKind::Override => "override",
                RequestKind::Rollback => "rollback",
                RequestKind::Emergency => "emergency",
            },
        ));
        codes.extend(
            plan.report.environments.iter().flat_map(|here| &here.reasons).map(|reason| reason.code()),
        );
    }
    let all = [
        "asked",
        "close",
        "dispatch",
        "emergency",
        "merge",
        "override",
        "propose",
        "push",
        "rollback",
        "update",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
    assert!(codes.len() >= 33, "only {} reasons were met: {codes:?}", codes.len());
}
