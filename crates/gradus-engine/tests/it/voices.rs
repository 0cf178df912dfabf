//! What people say in the forge: reviews of proposals, and commands below them.

use gradus_core::gate::Gate;
use gradus_core::names::Group;
use gradus_core::pipeline::{Commands, Pipeline, PullRequestPolicy, Strategy};
use gradus_engine::fake::sketch::{approval, environment, pipeline};
use gradus_engine::port::forge::Verdict;

use crate::lab::{Lab, check};

/// From `dev` to `prod`, for which so many people have to approve, in the forge as well.
fn proposes(people: u32, groups: &[&str]) -> Pipeline {
    let mut prod = environment("prod", &["dev"]);
    prod.strategy = Strategy::PullRequest;
    let policy =
        PullRequestPolicy { reviews: true, commands: Commands::Members, ..PullRequestPolicy::default() };
    prod.pull_request = Some(Box::new(policy));
    let mut gate = approval(people, false);
    if let Gate::Approval(gate) = &mut gate {
        gate.groups = groups.iter().map(|name| Group::parse(name).expect("a group")).collect();
    }
    prod.gates = vec![gate];
    pipeline(vec![environment("dev", &[]), prod])
}

/// A version is proposed for `prod`.
fn proposed(lab: &mut Lab, version: &str) {
    lab.sets("dev", version);
    lab.healthy("dev", version);
}

const WAITS: &str = "dev: 1.0.0 1.1.0
    prod: 1.0.0 (proposed: 1.1.0)";
const THERE: &str = "dev: 1.0.0 1.1.0
    prod: 1.0.0 1.1.0";

#[test]
fn a19_nothing_comes_in_before_somebody_approves() {
    check(
        &|| proposes(1, &[]),
        &|lab| {
            lab.knows("ann", &[]);
            proposed(lab, "1.1.0");
            // Who may only read may say what they want.
            lab.reviews("eve", "prod", Verdict::Yes);
        },
        WAITS,
    );
}

#[test]
fn f20_a_review_is_an_approval() {
    check(
        &|| proposes(1, &[]),
        &|lab| {
            lab.knows("ann", &[]);
            proposed(lab, "1.1.0");
            lab.reviews("ann", "prod", Verdict::Yes);
        },
        THERE,
    );
}

#[test]
fn the_last_word_of_each_person_counts() {
    let say = |last: &'static [(&'static str, Verdict)]| {
        move |lab: &mut Lab| {
            lab.knows("ann", &[]);
            lab.knows("bob", &[]);
            proposed(lab, "1.1.0");
            for (person, verdict) in last {
                lab.reviews(person, "prod", *verdict);
            }
        }
    };
    let two = || proposes(2, &[]);
    check(&two, &say(&[("ann", Verdict::Yes), ("ann", Verdict::Yes)]), WAITS);
    check(&two, &say(&[("ann", Verdict::Yes), ("ann", Verdict::No), ("bob", Verdict::Yes)]), WAITS);
    check(&two, &say(&[("ann", Verdict::Yes), ("ann", Verdict::Withdrawn), ("bob", Verdict::Yes)]), WAITS);
    check(&two, &say(&[("ann", Verdict::No), ("bob", Verdict::Yes), ("ann", Verdict::Yes)]), THERE);
}

#[test]
fn a_new_version_voids_what_was_said_of_the_one_before() {
    check(
        &|| proposes(2, &[]),
        &|lab| {
            lab.knows("ann", &[]);
            lab.knows("bob", &[]);
            proposed(lab, "1.1.0");
            lab.reviews("ann", "prod", Verdict::Yes);
            proposed(lab, "1.2.0");
            lab.reviews("bob", "prod", Verdict::Yes);
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 (proposed: 1.2.0)",
    );
}

#[test]
fn who_is_in_the_team_counts() {
    check(
        &|| proposes(1, &["release"]),
        &|lab| {
            lab.knows("ann", &["web"]);
            proposed(lab, "1.1.0");
            lab.reviews("ann", "prod", Verdict::Yes);
        },
        WAITS,
    );
    check(
        &|| proposes(1, &["release"]),
        &|lab| {
            lab.knows("bob", &["web", "release"]);
            proposed(lab, "1.1.0");
            lab.reviews("bob", "prod", Verdict::Yes);
        },
        THERE,
    );
}

#[test]
fn a_comment_approves_once_whatever_happens() {
    check(
        &|| proposes(1, &[]),
        &|lab| {
            lab.rests_on_the_record();
            lab.knows("ann", &[]);
            proposed(lab, "1.1.0");
            lab.comments("ann", "prod", "Looks good.\n/gradus approve");
            assert_eq!(lab.answers("prod"), ["@ann: your yes to 1.1.0 in prod is recorded."]);
        },
        THERE,
    );
}

#[test]
fn ten_comments_that_say_the_same_have_one_answer() {
    check(
        &|| proposes(2, &[]),
        &|lab| {
            lab.rests_on_the_record();
            lab.knows("ann", &[]);
            proposed(lab, "1.1.0");
            let branch = gradus_core::names::BranchName::parse("gradus/apps/web/prod").expect("a branch");
            for _ in 0..9 {
                let ann = gradus_engine::fake::sketch::person("ann");
                lab.fakes.forge.comment(&branch, &ann, "/gradus approve");
            }
            lab.comments("ann", "prod", "/gradus approve");
            assert_eq!(lab.answers("prod"), ["@ann: your yes to 1.1.0 in prod is recorded."]);
        },
        WAITS,
    );
}

#[test]
fn who_may_not_is_told_so_once() {
    check(
        &|| proposes(1, &[]),
        &|lab| {
            proposed(lab, "1.1.0");
            for _ in 0..3 {
                lab.comments("eve", "prod", "/gradus approve");
            }
            lab.comments("eve", "prod", "/gradus promote");
            let no = "@eve: nothing is done: who says so may only read. Commands are taken from members of this \
                      repository who may write to it.";
            assert_eq!(lab.answers("prod"), [no]);
        },
        WAITS,
    );
}

#[test]
fn what_was_said_of_another_version_is_not_done() {
    check(
        &|| proposes(2, &[]),
        &|lab| {
            lab.rests_on_the_record();
            lab.knows("ann", &[]);
            lab.knows("bob", &[]);
            proposed(lab, "1.1.0");
            lab.comments("ann", "prod", "/gradus approve 1.0.0");
            lab.comments("ann", "prod", "/gradus approve 1.1.0");
            proposed(lab, "1.2.0");
            lab.comments("bob", "prod", "/gradus approve");
            assert_eq!(
                lab.answers("prod"),
                [
                    "@ann: nothing is done: 1.1.0 is proposed here, and not 1.0.0.",
                    "@ann: your yes to 1.1.0 in prod is recorded.",
                    "@bob: your yes to 1.2.0 in prod is recorded.",
                ]
            );
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 (proposed: 1.2.0)",
    );
}

#[test]
fn what_cannot_be_done_is_said() {
    check(
        &|| proposes(1, &[]),
        &|lab| {
            lab.knows("ann", &[]);
            proposed(lab, "1.1.0");
            for command in ["hold not today", "unhold", "approved", "retry"] {
                lab.comments("ann", "prod", &format!("/gradus {command}"));
            }
            let cannot = "@ann: holds cannot be set from here. In a cluster they are objects, which `gradus hold` \
                          and `kubectl` write.";
            assert_eq!(
                lab.answers("prod"),
                [
                    cannot,
                    cannot,
                    "@ann: that is no command. There are `approve`, `hold REASON`, `unhold`, `promote`, `explain` and `retry`.",
                    "@ann: it is looked at again.",
                ]
            );
        },
        WAITS,
    );
}
