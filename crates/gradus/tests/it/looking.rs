//! Commands that look: plan, status, explain, history, proposals.

use crate::world::World;

#[test]
fn a_plan_shows_the_lines_and_writes_nothing() {
    let mut world = World::web();
    let before = world.git(&world.path("fleet.git"), &["rev-parse", "main"]);
    world.run(&["plan"]);
    world.run(&["plan", "apps/web", "-o", "yaml"]);
    assert_eq!(before, world.git(&world.path("fleet.git"), &["rev-parse", "main"]));
    assert!(!world.path("pipelines/ledger.sqlite").exists());
    world.check("plan");
}

#[test]
fn a_plan_without_anything_to_do_exits_with_0() {
    let mut world = World::empty();
    world.write("pipelines/web.yaml", crate::world::WEB);
    world.repository(&[("dev", "1.0.0"), ("staging", "1.0.0"), ("prod", "1.0.0")]);
    world.run(&["plan"]);
    world.check("plan_nothing");
}

#[test]
fn a_plan_of_an_observed_pipeline_says_that_nothing_is_written() {
    let mut world = World::web();
    world.write("pipelines/web.yaml", &crate::world::WEB.replace("spec:\n", "spec:\n  mode: observe\n"));
    world.run(&["plan"]);
    world.check("plan_observe");
}

#[test]
fn a_suspended_pipeline_is_said_to_be_so() {
    let mut world = World::web();
    world.write("pipelines/web.yaml", &crate::world::WEB.replace("spec:\n", "spec:\n  suspend: true\n"));
    world.run(&["plan"]);
    world.run(&["status"]);
    world.check("suspended");
}

#[test]
fn status_is_a_table_and_a_shape() {
    let mut world = World::web();
    world.run(&["status"]);
    world.run(&["status", "web"]);
    world.run(&["status", "-o", "json"]);
    world.check("status");
}

#[test]
fn status_is_coloured_on_request_only() {
    let mut world = World::web();
    world.run(&["status", "--color", "always"]);
    world.run_with(&["status"], &[("NO_COLOR", "1")]);
    world.check("status_colour");
}

#[test]
fn explain_says_why() {
    let mut world = World::web();
    for environment in ["dev", "staging", "prod"] {
        world.run(&["explain", "web", environment]);
    }
    world.run(&["explain", "apps/web", "prod", "-o", "yaml"]);
    world.check("explain");
}

#[test]
fn history_and_proposals_are_empty_at_first() {
    let mut world = World::web();
    world.run(&["history", "web"]);
    world.run(&["proposals", "web"]);
    world.run(&["history", "web", "-o", "json"]);
    world.check("history_empty");
}

#[test]
fn one_pipeline_is_looked_at_by_its_file() {
    let mut world = World::web();
    world.run(&["plan", "--config", "pipelines/web.yaml"]);
    world.check("plan_file");
}
