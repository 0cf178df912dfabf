//! Commands that record, into the ledger of a data directory.

use crate::world::{WEB, World};

#[test]
fn a_release_goes_through_by_hand() {
    let mut world = World::web();
    let data = ["--data", "data"];
    let mut run = |arguments: &[&str]| {
        world.run(&[arguments, &data].concat());
    };
    run(&["promote", "web", "--dry-run"]);
    run(&["promote", "web"]);
    run(&["plan"]);
    run(&["promote", "web", "--to", "prod"]);
    run(&["promote", "web", "--to", "prod"]);
    run(&["proposals", "web"]);
    run(&["explain", "web", "prod"]);
    run(&["approve", "web", "--dry-run"]);
    run(&["approve", "web"]);
    run(&["plan"]);
    run(&["approve", "web", "--group", "release-managers"]);
    run(&["plan"]);
    run(&["promote", "web"]);
    run(&["status", "web"]);
    run(&["history", "web"]);
    run(&["history", "web", "--env", "staging", "--limit", "1"]);
    run(&["rollback", "web", "--to", "prod", "--dry-run"]);
    run(&["rollback", "web", "--to", "prod", "--reason", "it leaks"]);
    run(&["rollback", "web", "--to", "staging", "-o", "json"]);
    run(&["promote", "web"]);
    let log = world.git(&world.path("fleet.git"), &["log", "--first-parent", "--format=%s", "main"]);
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [
            "Roll back web in staging: 1.1.0 → 1.0.0",
            "Promote web to prod: 1.0.0 → 1.1.0",
            "Promote web to staging: 1.0.0 → 1.1.0",
            "Deploy web"
        ]
    );
    world.check("by_hand");
}

#[test]
fn a32_history_answers_who_when_and_which_version() {
    let mut world = World::web();
    let mut run = |arguments: &[&str], who: &str, data: &str| {
        let output = world.run_with(&[arguments, &["--data", data]].concat(), &[("GRADUS_USER", who)]);
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["promote", "web"], "grace", "data");
    run(&["promote", "web", "--to", "prod"], "grace", "data");
    run(&["approve", "web", "--group", "release-managers"], "henry", "data");
    run(&["promote", "web"], "grace", "data");
    // What was written, as far as it names who, what and where.
    let mut written = |data: &str| {
        let said = run(&["history", "web", "-o", "json"], "ann", data);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let mut commits = Vec::new();
        let wrote = said["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "wrote");
        let mut lines: Vec<String> = wrote
            .map(|item| {
                let wrote = item.get("wrote").unwrap_or(item);
                assert!(wrote["at"].as_str().is_some_and(|at| at.starts_with("20")), "{wrote}");
                let (action, to) = (&wrote["action"], &wrote["to"]["version"]);
                let (asked, approved) = (&wrote["askedBy"], &wrote["approvedBy"]);
                let commit = wrote["commit"].as_str().unwrap();
                commits.push(commit.to_owned());
                format!("{} {to} {action} {asked} {approved}", item["environment"])
            })
            .collect();
        lines.sort();
        (lines, commits)
    };
    let (lines, commits) = written("data");
    insta::assert_snapshot!(lines.join("\n"), @r#"
    "prod" "1.1.0" "merged" "grace" ["henry"]
    "prod" "1.1.0" "proposed" "grace" []
    "staging" "1.1.0" "pushed" "grace" []
    "#);
    // Each is in Git, where whoever has only that reads the same.
    let fleet = world.path("fleet.git");
    for commit in &commits {
        world.git(&fleet, &["merge-base", "--is-ancestor", commit, "main"]);
    }
    let said = world.git(&fleet, &["log", "--first-parent", "-2", "--format=%(trailers)", "main"]);
    let of_people = |line: &&str| !line.is_empty() && !line.starts_with("Gradus-Promotion");
    insta::assert_snapshot!(said.lines().filter(of_people).collect::<Vec<_>>().join("\n"), @r"
    Gradus-Pipeline: apps/web
    Gradus-Environment: prod
    Gradus-Version: 1.1.0
    Gradus-Approved-By: henry
    Gradus-Brought-By: Ada
    Gradus-Brought-By: ada@example.com
    Gradus-Brought-By: grace
    Gradus-Asked-By: grace
    Gradus-Pipeline: apps/web
    Gradus-Environment: staging
    Gradus-Version: 1.1.0
    Gradus-Brought-By: Ada
    Gradus-Brought-By: ada@example.com
    Gradus-Brought-By: grace
    Gradus-Asked-By: grace
    ");
}

#[test]
fn what_targets_do_is_reported() {
    let mut world = World::web();
    let manifest = WEB.replace("name: staging, targets: [git: {}]", "name: staging, targets: [report: {}]");
    world.write(
        "pipelines/web.yaml",
        &manifest.replace(
            "approval: {min: 1, groups: [release-managers]}",
            "check: {name: load, reporter: grace}",
        ),
    );
    let mut report = |arguments: &[&str]| {
        world.run(&[&["report", "web", "--data", "data", "--environment"], arguments].concat());
    };
    report(&["staging", "--version", "1.0.0", "--state", "healthy", "--dry-run"]);
    report(&["staging", "--version", "1.0.0", "--state", "healthy"]);
    report(&[
        "staging",
        "--version",
        "1.1.0",
        "--state",
        "failed",
        "--message",
        "0 of 1 replicas became available",
    ]);
    report(&["prod", "--version", "1.1.0", "--check", "load", "--state", "passed"]);
    // Mistakes.
    report(&["staging", "--state", "healthy"]);
    report(&["staging", "--state", "passed"]);
    report(&["prod", "--check", "load", "--state", "passed"]);
    report(&["prod", "--check", "load", "--version", "1.1.0", "--state", "healthy"]);
    report(&["dev", "--version", "1.0.0", "--state", "healthy"]);
    report(&["staging", "--target", "cluster-b", "--version", "1.0.0", "--state", "healthy"]);
    report(&["staging", "--version", "chart=1.0.0", "--state", "healthy"]);
    world.run(&["status", "web", "--data", "data"]);
    world.run(&["history", "web", "--all", "--data", "data"]);
    world.check("reports");
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let mut world = World::web();
    let mut run = |arguments: &[&str]| {
        world.run(&[arguments, &["--data", "data"]].concat());
    };
    run(&["promote", "web", "--to", "prod", "--version", "9.9.9"]);
    run(&["approve", "web", "--to", "prod", "--version", "9.9.9"]);
    run(&["approve", "web", "--to", "dev"]);
    run(&["promote", "web", "--to", "prod", "--override", " "]);
    run(&["promote", "web", "--to", "prod", "--override", "it burns", "--emergency", "it burns"]);
    run(&["rollback", "web", "--to", "prod"]);
    run(&["rollback", "web", "--to", "prod", "--emergency", "it burns"]);
    run(&["promote", "web", "--to", "staging", "--version", "a=1,b=2"]);
    world.check("refused");
}

#[test]
fn a_release_past_what_is_proven_says_why() {
    let mut world = World::web();
    let data = ["--data", "data"];
    world.run(
        &[
            &["promote", "web", "--to", "prod", "--version", "1.1.0", "--override", "staging is down"][..],
            &data,
        ]
        .concat(),
    );
    world.run(&[&["history", "web"][..], &data].concat());
    world.check("override");
}

#[test]
fn a_pipeline_that_only_observes_is_not_promoted() {
    let mut world = World::web();
    world.write("pipelines/web.yaml", &WEB.replace("spec:\n", "spec:\n  mode: observe\n"));
    world.run(&["promote", "web", "--data", "data"]);
    world.check("promote_observe");
}
