//! The Action of GitHub and the component of GitLab, as their runners run them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gradus_testbed::{Tool, find_tool};
use serde_json::{Value, json};

use crate::world::World;

fn part(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ci").join(name)
}

/// Where jq is, as runners have it.
fn jq() -> PathBuf {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(find_tool(Tool::Jq)).unwrap()
}

/// A shell that finds gradus and jq, with what a runner sets.
fn shell(world: &World, program: &str, variables: &[(&str, &str)]) -> Command {
    let own = Path::new(env!("CARGO_BIN_EXE_gradus")).parent().unwrap();
    let all = std::env::var_os("PATH").unwrap_or_default();
    let jq = jq();
    let first = [own, jq.parent().unwrap()].map(Path::to_owned);
    let path = std::env::join_paths(first.into_iter().chain(std::env::split_paths(&all))).unwrap();
    let mut command = world.command(program);
    command.env("PATH", path).env("GRADUS_USER", "ci").envs(variables.iter().copied());
    command
}

fn record(world: &mut World, title: &str, output: &Output, files: &[&str]) {
    let mut text = format!("# {title}\n{}", String::from_utf8_lossy(&output.stdout));
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        text.push_str(&format!("! {line}\n"));
    }
    text.push_str(&format!("[{}]\n", output.status.code().unwrap()));
    for file in files {
        let path = world.path(file);
        let said = std::fs::read_to_string(&path).unwrap_or_default();
        let _was_there = std::fs::remove_file(&path);
        text.push_str(&format!("--- {file}\n{said}"));
    }
    world.record(&format!("{text}\n"));
}

fn action(world: &mut World, title: &str, variables: &[(&str, &str)]) {
    let run = part("github-action/run.sh");
    let (summary, outputs) = (world.path("summary.md"), world.path("outputs"));
    let mut command = shell(world, "bash", variables);
    command.arg(run).env("GITHUB_STEP_SUMMARY", summary).env("GITHUB_OUTPUT", outputs);
    let output = command.env("GRADUS_TOKEN", "").output().unwrap();
    record(world, title, &output, &["summary.md", "outputs"]);
}

/// What Flux dispatches after a Helm upgrade.
fn event() -> Value {
    json!({
        "involvedObject": {
            "kind": "HelmRelease", "name": "web", "namespace": "apps", "apiVersion": "helm.toolkit.fluxcd.io/v2",
        },
        "severity": "info",
        "timestamp": "2026-05-01T10:00:00Z",
        "message": "Helm upgrade succeeded for release apps/web.v2 with chart web@1.1.0+0a1b2c3d4e5f",
        "reason": "UpgradeSucceeded",
        "metadata": {"revision": "1.1.0+0a1b2c3d4e5f", "summary": "env=dev"},
        "reportingController": "helm-controller",
    })
}

fn staging(world: &World) -> String {
    let path = "main:apps/staging/web/kustomization.yaml";
    let text = world.git(&world.path("fleet.git"), &["show", path]);
    text.lines().last().unwrap().trim().to_owned()
}

#[test]
fn the_action_plans_explains_and_promotes() {
    let mut world = World::web();
    let here = ("GRADUS_CI_CONFIG", "pipelines");
    action(&mut world, "plan", &[here]);
    action(
        &mut world,
        "explain",
        &[
            here,
            ("GRADUS_CI_COMMAND", "explain"),
            ("GRADUS_CI_PIPELINE", "web"),
            ("GRADUS_CI_ENVIRONMENT", "prod"),
        ],
    );

    // What Flux dispatches begins a promotion, if it says that a version works where it has to.
    let asked = [
        here,
        ("GRADUS_CI_COMMAND", "promote"),
        ("GRADUS_CI_PIPELINE", "web"),
        ("GRADUS_CI_ENVIRONMENT", "staging"),
        ("GRADUS_CI_FROM", "dev"),
        ("GRADUS_CI_EVENT_TYPE", "HelmRelease/web.apps"),
    ];
    let mut dispatched = |title: &str, member: &str, value: Value| {
        let mut event = event();
        *event.pointer_mut(member).unwrap() = value;
        let text = event.to_string();
        action(&mut world, title, &[&asked[..], &[("GRADUS_CI_EVENT", text.as_str())]].concat());
        staging(&world)
    };
    let before = dispatched("an error", "/severity", json!("error"));
    dispatched("a rollback", "/reason", json!("RollbackSucceeded"));
    dispatched("another environment", "/metadata/summary", json!("env=uat"));
    dispatched("another kind", "/involvedObject/kind", json!("Kustomization"));
    dispatched("another object than the dispatch says", "/involvedObject/name", json!("shop"));
    dispatched("no version", "/metadata/revision", json!("--help"));
    let after = dispatched("an upgrade", "/severity", json!("info"));
    dispatched("the same again", "/severity", json!("info"));
    assert!(before.contains("1.0.0") && after.contains("1.1.0"), "{before} {after}");

    action(&mut world, "no event", &[&asked[..], &[("GRADUS_CI_EVENT", "not json")]].concat());
    action(
        &mut world,
        "an image that may be another one tomorrow",
        &[("GRADUS_CI_IMAGE", "registry.example.com/gradus:latest")],
    );
    action(&mut world, "no program", &[("GRADUS_CI_PROGRAM", "gradus-that-is-not-there")]);
    action(&mut world, "no such command", &[("GRADUS_CI_COMMAND", "destroy")]);
    action(&mut world, "no pipeline", &[here, ("GRADUS_CI_COMMAND", "promote")]);
    action(&mut world, "an option as a name", &[here, ("GRADUS_CI_PIPELINE", "--data=x")]);
    action(&mut world, "no such pipeline", &[here, ("GRADUS_CI_PIPELINE", "shop")]);
    world.check("ci_github_action");
}

/// The script of the component.
fn script() -> String {
    let text = std::fs::read_to_string(part("gitlab/templates/gradus.yml")).unwrap();
    let (_, rest) = text.split_once("    - |\n").unwrap();
    let (script, _) = rest.split_once("  artifacts:\n").unwrap();
    script.lines().map(|line| format!("{}\n", line.trim_start_matches("      "))).collect()
}

fn component(world: &mut World, title: &str, variables: &[(&str, &str)]) {
    const NAMES: [&str; 7] = ["COMMAND", "PIPELINE", "ENVIRONMENT", "VERSION", "REASON", "CONFIG", "SERVER"];
    let mut command = shell(world, "sh", &[]);
    // What is not said is empty, as GitLab sets it.
    command.envs(NAMES.map(|name| (format!("GRADUS_CI_{name}"), "")));
    let output = command.envs(variables.iter().copied()).arg("-c").arg(script()).output().unwrap();
    record(world, title, &output, &["gradus.txt", "gradus.env"]);
}

#[test]
fn the_component_plans_explains_and_promotes() {
    let mut world = World::web();
    let (here, web) = (("GRADUS_CI_CONFIG", "pipelines"), ("GRADUS_CI_PIPELINE", "web"));
    component(&mut world, "plan", &[here, ("GRADUS_CI_COMMAND", "plan")]);
    let prod = ("GRADUS_CI_ENVIRONMENT", "prod");
    component(&mut world, "explain", &[here, web, prod, ("GRADUS_CI_COMMAND", "explain")]);
    component(&mut world, "no pipeline", &[here, prod, ("GRADUS_CI_COMMAND", "explain")]);
    component(
        &mut world,
        "an option as a name",
        &[here, ("GRADUS_CI_PIPELINE", "--help"), ("GRADUS_CI_COMMAND", "plan")],
    );
    let to = ("GRADUS_CI_ENVIRONMENT", "staging");
    let version = ("GRADUS_CI_VERSION", "1.1.0");
    component(&mut world, "promote", &[here, web, to, version, ("GRADUS_CI_COMMAND", "promote")]);
    assert!(staging(&world).contains("1.1.0"));
    component(
        &mut world,
        "promote what is not there",
        &[here, web, to, ("GRADUS_CI_VERSION", "9.9.9"), ("GRADUS_CI_COMMAND", "promote")],
    );
    world.check("ci_gitlab");
}
