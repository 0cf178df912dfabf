//! What the engine does, from the first look to the last commit, also when things go wrong.

use gradus_core::observation::RequestKind;
use gradus_core::pipeline::{OnDelete, Pipeline, Strategy};
use gradus_engine::fake::sketch::{approval, environment, file, path, pipeline, soak};
use gradus_engine::port::ledger::Reported;

use crate::lab::check;

fn pushes() -> Pipeline {
    pipeline(vec![
        environment("dev", &[]),
        environment("staging", &["dev"]),
        environment("prod", &["staging"]),
    ])
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
fn who_brought_an_overtaken_version_does_not_approve_it() {
    let pipeline_with_author = || {
        let (mut staging, mut prod) = (environment("staging", &["dev"]), environment("prod", &["staging"]));
        staging.gates = vec![soak(600)];
        prod.gates = vec![approval(1, true)];
        pipeline(vec![environment("dev", &[]), staging, prod])
    };
    for (approver, came) in [("ada", "1.0.0"), ("tom", "1.0.0 1.1.0")] {
        check(
            &pipeline_with_author,
            &|lab| {
                lab.sets("dev", "1.1.0");
                lab.healthy("dev", "1.1.0");
                lab.sets("dev", "1.2.0");
                lab.asks(RequestKind::Override, "staging", "1.1.0");
                lab.healthy("staging", "1.1.0");
                lab.approves(approver, "prod", "1.1.0");
            },
            &format!("dev: 1.0.0 1.1.0 1.2.0\nstaging: 1.0.0 1.1.0\nprod: {came}"),
        );
    }
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

#[test]
fn what_was_set_by_hand_is_told_and_overtaken() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            // What was written by gradus and what was not is told apart by the record.
            lab.rests_on_the_record();
            lab.sets("staging", "1.0.5");
            assert_eq!(lab.notes("staging"), "ada set 1.0.5 by hand (commit {}); gradus had promoted 1.1.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
        },
        "dev: 1.0.0 1.1.0 1.2.0
         staging: 1.0.0 1.1.0 1.0.5 1.2.0
         prod: 1.0.0",
    );
}

#[test]
fn a_version_that_was_taken_back_by_hand_stays_out() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.sets("staging", "1.0.0");
            lab.healthy("staging", "1.0.0");
            lab.waits(60);
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0 1.1.0 1.0.0
         prod: 1.0.0",
    );
}

#[test]
fn a_version_that_came_and_went_between_two_looks_stays_out() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.sets_and_takes_back("staging", "1.2.0", "1.1.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
        },
        "dev: 1.0.0 1.1.0 1.2.0
         staging: 1.0.0 1.1.0 1.2.0 1.1.0
         prod: 1.0.0",
    );
}

#[test]
fn without_a_marker_nothing_is_written() {
    check(
        &pushes,
        &|lab| {
            lab.writes(&path("staging"), "kind: Release\nspec:\n  version: 1.0.0\n");
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            let why = lab.reason("staging");
            assert!(
                why.contains("no marker `{\"$promotion\": \"apps:web:staging\"}` in 3 YAML files"),
                "{why}"
            );
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0 nothing
         prod: 1.0.0",
    );
}

#[test]
fn files_that_disagree_hold() {
    check(
        &pushes,
        &|lab| {
            lab.writes("apps/staging-more.yaml", &file("staging", "0.9.0"));
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            let why = lab.reason("staging");
            let disagree =
                "its files disagree: 0.9.0 at apps/staging-more.yaml:3, 1.0.0 at apps/staging.yaml:3";
            assert!(why.contains(disagree), "{why}");
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0
         prod: 1.0.0",
    );
}

#[test]
fn a_file_with_the_marker_that_cannot_be_read_holds() {
    check(
        &pushes,
        &|lab| {
            let broken = format!("a: [\n{}", file("staging", "1.0.0"));
            lab.writes("apps/staging-more.yaml", &broken);
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            let why = lab.reason("staging");
            assert!(
                why.contains("a file that names its marker cannot be read: apps/staging-more.yaml:"),
                "{why}"
            );
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0
         prod: 1.0.0",
    );
}

#[test]
fn the_same_version_may_be_written_differently() {
    check(
        &pushes,
        &|lab| {
            lab.writes("apps/staging-more.yaml", &file("staging", "v1.0.0"));
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            let more = lab.fakes.repo.text("main", "apps/staging-more.yaml");
            assert_eq!(more, Some(file("staging", "1.1.0")));
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0 1.1.0
         prod: 1.0.0",
    );
}

#[test]
fn a_proposal_that_somebody_merged_is_cleared_up() {
    check(
        &proposes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.merges("prod");
            assert_eq!(lab.fakes.forge.open().len(), 0);
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a_proposal_that_fell_behind_is_made_anew() {
    check(
        &proposes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            let changed = format!("{}  replicas: 3\n", file("prod", "1.0.0"));
            lab.writes(&path("prod"), &changed);
            let proposed = lab.fakes.repo.text("gradus/apps/web/prod", &path("prod"));
            assert_eq!(proposed, Some(changed.replace("1.0.0", "1.1.0")));
            lab.approves("mia", "prod", "1.1.0");
            assert_eq!(lab.fakes.forge.proposals().len(), 1);
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a_branch_that_may_not_be_pushed_to_is_told() {
    check(
        &pushes,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.fakes.repo.protect("main", "protected by a rule");
            lab.healthy("dev", "1.1.0");
            assert_eq!(lab.refusal(), Some("protected by a rule".to_owned()));
        },
        "dev: 1.0.0 1.1.0
         staging: 1.0.0
         prod: 1.0.0",
    );
}

#[test]
fn a_proposal_goes_with_its_pipeline() {
    for (on_delete, left) in [(OnDelete::Close, 0), (OnDelete::Leave, 1)] {
        let expected = if left == 0 {
            "dev: 1.0.0 1.1.0
             prod: 1.0.0"
        } else {
            "dev: 1.0.0 1.1.0
             prod: 1.0.0 (proposed: 1.1.0)"
        };
        check(
            &|| {
                let mut pipeline = proposes();
                pipeline.on_delete = on_delete;
                pipeline
            },
            &|lab| {
                lab.sets("dev", "1.1.0");
                lab.healthy("dev", "1.1.0");
                lab.retires();
                assert_eq!(lab.fakes.forge.open().len(), left);
            },
            expected,
        );
    }
}

#[test]
fn those_who_deploy_are_asked_once_for_each_commit() {
    for poke in [true, false] {
        let asked = |environments: &'static [&'static str]| if poke { environments } else { &[] };
        let with = |mut pipeline: Pipeline| {
            pipeline.poke = poke;
            pipeline
        };
        check(
            &|| with(pushes()),
            &|lab| {
                lab.sets("dev", "1.1.0");
                lab.nudged(&[]);
                lab.healthy("dev", "1.1.0");
                lab.healthy("staging", "1.1.0");
                lab.nudged(asked(&["staging", "prod"]));
            },
            "dev: 1.0.0 1.1.0
             staging: 1.0.0 1.1.0
             prod: 1.0.0 1.1.0",
        );
        check(
            &|| with(proposes()),
            &|lab| {
                lab.sets("dev", "1.1.0");
                lab.healthy("dev", "1.1.0");
                lab.nudged(&[]);
                lab.approves("bob", "prod", "1.1.0");
                lab.nudged(asked(&["prod"]));
            },
            "dev: 1.0.0 1.1.0
             prod: 1.0.0 1.1.0",
        );
    }
}
