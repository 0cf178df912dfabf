//! A branch for each environment: what is promoted is merged.

use gradus_core::names::BranchName;
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::{Environment, Merge, Pipeline, Strategy, Takes};
use gradus_engine::fake::sketch::{approval, environment, pipeline};

use crate::lab::{Lab, Trouble, check};

fn on_branch(name: &str, after: &str) -> Environment {
    let mut here = environment(name, &[after]);
    here.branch = Some(BranchName::parse(name).expect("a branch"));
    here.takes = Takes::Branch;
    here
}

fn branches() -> Pipeline {
    pipeline(vec![environment("dev", &[]), on_branch("stage", "dev"), on_branch("prod", "stage")])
}

fn proposed() -> Pipeline {
    let mut prod = on_branch("prod", "dev");
    (prod.strategy, prod.merge) = (Strategy::PullRequest, Merge::Auto);
    prod.gates = vec![approval(1, false)];
    pipeline(vec![environment("dev", &[]), prod])
}

const CONFIG: &str = "apps/config.yaml";

#[test]
fn f1_a_release_goes_from_branch_to_branch() {
    check(
        &branches,
        &|lab| {
            lab.writes_on("prod", "apps/own.yaml", "replicas: 3\n");
            lab.writes(CONFIG, "log: debug\n");
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.healthy("stage", "1.1.0");
            for branch in ["stage", "prod"] {
                assert_eq!(lab.fakes.repo.text(branch, CONFIG).as_deref(), Some("log: debug\n"));
                // However often it was tried and interrupted.
                assert_eq!(lab.merged(branch), 1);
            }
            let own = lab.fakes.repo.text("prod", "apps/own.yaml");
            assert_eq!(own.as_deref(), Some("replicas: 3\n"));
        },
        "dev: 1.0.0 1.1.0
         stage: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

/// What was there when the release was seen healthy comes along; what came later is proven by nothing.
#[test]
fn what_came_after_the_proof_stays_behind() {
    let mut lab = Lab::new(branches(), Trouble::None);
    lab.sets("dev", "1.1.0");
    lab.writes(CONFIG, "log: debug\n");
    let seen = lab.fakes.repo.tip("main");
    // Its approval is waited for, so to say: stage is looked at only once dev is healthy.
    lab.healthy("dev", "1.1.0");
    lab.writes(CONFIG, "log: trace\n");
    lab.healthy("stage", "1.1.0");
    let tip = lab.fakes.repo.tip("stage").and_then(|tip| lab.fakes.repo.stored(&tip)).expect("a commit");
    assert_eq!(tip.parents.get(1), seen.as_ref());
    assert_eq!(lab.fakes.repo.text("prod", CONFIG).as_deref(), Some("log: debug\n"));
}

#[test]
fn a_conflict_is_told_and_nothing_is_written() {
    check(
        &branches,
        &|lab| {
            lab.writes(CONFIG, "log: info\nreplicas: 1\n");
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.writes_on("stage", CONFIG, "log: info\nreplicas: 2\n");
            lab.writes(CONFIG, "log: info\nreplicas: 3\n");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
            let merges = lab.merged("stage");
            let reason = lab.reason("stage");
            assert!(reason.ends_with(&format!(" of dev conflicts in {CONFIG}")), "{reason}");
            assert_eq!((merges, lab.had("stage").len()), (1, 2));
            // Somebody takes back on one side what collides.
            lab.writes_on("stage", CONFIG, "log: info\nreplicas: 3\n");
        },
        "dev: 1.0.0 1.1.0 1.2.0
         stage: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0",
    );
}

/// On the way back the version alone is written, as nothing is taken out of a branch by a merge. That both branches
/// have another version then is no conflict: it is known what it becomes.
#[test]
fn back_is_an_edit_and_forward_again_a_merge() {
    check(
        &branches,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            // A way back is one that was healthy once, and only the record says so.
            lab.rests_on_the_record();
            lab.healthy("stage", "1.1.0");
            lab.asks(RequestKind::Rollback, "stage", "1.0.0");
            assert_eq!(lab.merged("stage"), 1);
            lab.healthy("stage", "1.0.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
            lab.healthy("stage", "1.2.0");
            assert_eq!((lab.merged("stage"), lab.merged("prod")), (2, 2));
        },
        "dev: 1.0.0 1.1.0 1.2.0
         stage: 1.0.0 1.1.0 1.0.0 1.2.0
         prod: 1.0.0 1.1.0 1.2.0",
    );
}

#[test]
fn a_proposal_carries_the_merge() {
    check(
        &proposed,
        &|lab| {
            lab.writes(CONFIG, "log: debug\n");
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            // The branch moves below the proposal, which is made anew.
            lab.writes_on("prod", "apps/own.yaml", "replicas: 3\n");
            lab.approves("mia", "prod", "1.1.0");
            assert_eq!(lab.fakes.repo.text("prod", CONFIG).as_deref(), Some("log: debug\n"));
            assert_eq!(lab.fakes.repo.text("prod", "apps/own.yaml").as_deref(), Some("replicas: 3\n"));
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

/// Whoever merges by hand has promoted, as the branch says.
#[test]
fn a_branch_that_a_person_merged_is_not_merged_again() {
    check(
        &branches,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.fakes.repo.merge("main", "stage", "tom", "Merge main").expect("branches to merge");
            lab.healthy("dev", "1.1.0");
            lab.healthy("stage", "1.1.0");
            assert_eq!((lab.merged("stage"), lab.merged("prod")), (1, 1));
        },
        "dev: 1.0.0 1.1.0
         stage: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a_branch_that_is_not_there_is_told() {
    let mut lab = Lab::new(branches(), Trouble::None);
    lab.fakes.repo.remove("stage");
    lab.sets("dev", "1.1.0");
    lab.healthy("dev", "1.1.0");
    let reason = lab.reason("stage");
    assert!(reason.ends_with("https://git.example/fleet has no branch stage"), "{reason}");
    assert_eq!(lab.reason("dev"), "follows Git; nothing is promoted into it");
}
