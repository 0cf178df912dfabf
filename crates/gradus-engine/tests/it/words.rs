//! What a pipeline says of its pull requests is what people find in Git and in the forge.

use gradus_core::names::BranchName;
use gradus_core::pipeline::{Environment, Pipeline, PullRequestPolicy, Strategy};
use gradus_core::tell::{Trailer, trailers_of};
use gradus_engine::fake::sketch::{approval, environment, file, path, pipeline};

use crate::lab::{Lab, Trouble, check};

/// An environment whose proposals are as it says.
fn said(name: &str, policy: PullRequestPolicy) -> Environment {
    let mut here = environment(name, &["dev"]);
    here.strategy = Strategy::PullRequest;
    here.gates = vec![approval(1, false)];
    here.pull_request = Some(Box::new(policy));
    here
}

fn on_branch(name: &str) -> PullRequestPolicy {
    let branch = Some(BranchName::parse(name).expect("a branch"));
    PullRequestPolicy { branch, ..PullRequestPolicy::default() }
}

/// As a person would have written it by hand before.
fn by_hand() -> Pipeline {
    let policy = PullRequestPolicy {
        title: Some("Promote {{ pipeline.name }} release to v{{ version }} on {{ environment }}".into()),
        message: Some("Update {{ pipeline.name }} to v{{ version }}".into()),
        body: Some("{{ from }} to {{ to }}\n\n{{ report }}".into()),
        ..on_branch("web-promotion-prod")
    };
    pipeline(vec![environment("dev", &[]), said("prod", policy)])
}

#[test]
fn a_branch_of_its_own_name_is_proposed_merged_and_cleared_up_like_any_other() {
    check(
        &by_hand,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.approves("rm", "prod", "1.1.0");
            lab.healthy("prod", "1.1.0");
            lab.sets("dev", "1.2.0");
            lab.healthy("dev", "1.2.0");
        },
        "dev: 1.0.0 1.1.0 1.2.0
         prod: 1.0.0 1.1.0 (proposed: 1.2.0)",
    );
}

#[test]
fn other_peoples_commits_on_a_branch_of_its_own_name_are_left_alone() {
    check(
        &by_hand,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.adds_to_proposal("prod", &path("prod"), &file("prod", "1.1.0-bob"));
            lab.approves("rm", "prod", "1.1.0");
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 (proposed: 1.1.0-bob)",
    );
}

#[test]
fn a17_the_words_of_a_pipeline_are_in_git_and_in_the_forge() {
    let mut lab = Lab::new(by_hand(), Trouble::None);
    lab.sets("dev", "1.1.0");
    lab.healthy("dev", "1.1.0");
    let head = lab.fakes.repo.tip("web-promotion-prod").expect("the branch");
    let message = lab.fakes.repo.stored(&head).expect("the commit").message.clone();
    assert_eq!(message.lines().next(), Some("Update web to v1.1.0"));
    assert_eq!(trailers_of(&message, Trailer::Version).collect::<Vec<_>>(), ["1.1.0"]);
    let open = lab.fakes.forge.open();
    let proposal = open.first().expect("a proposal");
    assert_eq!(proposal.title, "Promote web release to v1.1.0 on prod");
    assert!(proposal.body.starts_with("1.0.0 to 1.1.0\n\n| | now | proposed |"), "{}", proposal.body);
    assert!(proposal.body.contains("<!-- gradus: pipeline=apps/web environment=prod"), "{}", proposal.body);
    lab.approves("rm", "prod", "1.1.0");
    let tip = lab.fakes.repo.tip("main").expect("main");
    let merged = lab.fakes.repo.stored(&tip).expect("the merge").message.clone();
    assert!(merged.starts_with("Update web to v1.1.0\n\nGradus-Pipeline: apps/web\n"), "{merged}");
    assert_eq!(lab.fakes.repo.tip("web-promotion-prod"), None);
}

/// Everything is told, and the forge is asked for nothing else.
fn talks() -> Pipeline {
    let talks = PullRequestPolicy {
        comment: true,
        statuses: true,
        deployments: true,
        ..PullRequestPolicy::default()
    };
    let mut dev = environment("dev", &[]);
    dev.pull_request = Some(Box::new(PullRequestPolicy { statuses: true, ..PullRequestPolicy::default() }));
    pipeline(vec![dev, said("prod", talks)])
}

#[test]
fn telling_the_forge_keeps_no_promotion_whatever_fails() {
    check(
        &talks,
        &|lab| {
            lab.sets("dev", "1.1.0");
            lab.healthy("dev", "1.1.0");
            lab.approves("rm", "prod", "1.1.0");
            lab.healthy("prod", "1.1.0");
        },
        "dev: 1.0.0 1.1.0
         prod: 1.0.0 1.1.0",
    );
}

#[test]
fn a21_the_forge_is_told_how_each_environment_stands_when_that_changes() {
    let mut lab = Lab::new(talks(), Trouble::None);
    lab.sets("dev", "1.1.0");
    lab.healthy("dev", "1.1.0");
    lab.waits(60);
    lab.approves("rm", "prod", "1.1.0");
    lab.healthy("prod", "1.1.0");
    lab.waits(60);
    let mut told = String::new();
    for (environment, standing) in lab.fakes.forge.told() {
        told += &format!("{environment}\n");
        for status in &standing.statuses {
            told += &format!("  {} {:?}: {}\n", status.name, status.light, status.summary);
        }
        if let Some(comment) = &standing.comment {
            told +=
                &format!("  below {}: {}\n", comment.number, comment.text.lines().next().unwrap_or_default());
        }
        if let Some(deployed) = &standing.deployed {
            told += &format!("  {} {:?}: {}\n", deployed.environment, deployed.light, deployed.summary);
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_a_template_cannot_say_is_not_written() {
    for (title, message) in [(Some("{{ to.chart }}"), None), (None, Some("{{ reason }}"))] {
        let policy = PullRequestPolicy {
            title: title.map(Into::into),
            message: message.map(Into::into),
            ..PullRequestPolicy::default()
        };
        let mut lab = Lab::new(pipeline(vec![environment("dev", &[]), said("prod", policy)]), Trouble::None);
        lab.sets("dev", "1.1.0");
        lab.healthy("dev", "1.1.0");
        assert_eq!(lab.fakes.repo.branches().len(), 1, "a branch was made");
        let why = lab.refusal().expect("a refusal");
        assert!(why.starts_with("a template of its pull request cannot be filled in: the "), "{why}");
    }
}
