//! What the engine does, from the first look to the last commit, also when things go wrong.

use gradus_core::observation::RequestKind;
use gradus_core::pipeline::{Pipeline, Strategy};
use gradus_engine::fake::sketch::{approval, environment, pipeline, soak};
use gradus_engine::port::ledger::Reported;

use crate::lab::check;

fn pushes() -> Pipeline {
    pipeline(vec![environment("dev", &[]), environment("staging", &["dev"]), environment("prod", &["staging"])])
}

fn proposes() -> Pipeline {
    let mut prod = environment("prod", &["dev"]);
    prod.strategy = Strategy::PullRequest;
    prod.gates = vec![approval(1, false)];
    pipeline(vec![environment("dev", &[]), prod])
}

#[test]
fn a_version_goes_up_step_by_step() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.healthy("staging", "1.1.0");
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a_version_that_fails_goes_no_further() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            let release = Some(gradus_engine::fake::sketch::release("1.1.0"));
            lab.reports("staging", Reported::Failed { release, why: "crash loop".into() });
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0 1.1.0
         prod: 1.0.0",
    );
}

#[test]
fn a_soak_is_waited_for() {
    check(
        &|| {
            let mut prod = environment("prod", &["dev"]);
            prod.gates = vec![soak(60)];
            pipeline(vec![environment("dev", &[]), prod])
        },
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.waits(40);
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
            lab.waits(90);
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 1.2.0",
    );
}

#[test]
fn a_proposal_waits_for_a_yes() {
    check(
        &proposes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 (proposed: 1.1.0)",
    );
    check(
        &proposes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.approves("mia", "prod", "1.1.0");
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a_newer_version_takes_the_place_of_the_proposed_one() {
    check(
        &proposes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
            lab.approves("mia", "prod", "1.1.0");
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 (proposed: 1.2.0)",
    );
}

#[test]
fn a_rollback_stays_where_it_went() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.healthy("staging", "1.1.0");
            // A way back is one that was healthy once, and only the record says so.
            lab.rests_on_the_record();
            lab.healthy("prod", "1.1.0");
            lab.asks(RequestKind::Rollback, "prod", "1.0.0");
            lab.healthy("prod", "1.0.0");
            lab.waits(60);
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0 1.0.0",
    );
}

#[test]
fn a_proposal_with_other_peoples_commits_is_left_alone() {
    check(
        &proposes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.adds_to_proposal("prod", "apps/extra.yaml", "replicas: 3\n");
            lab.approves("mia", "prod", "1.1.0");
            assert!(lab.reason("prod").starts_with("somebody else pushed"), "{}", lab.reason("prod"));
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 (proposed: 1.1.0)",
    );
}
