//! Holds, tokens, backups, the doctor, and what shells and manuals need.

use crate::mistakes::refusing;
use crate::world::{WEB, World};

#[test]
fn a_hold_is_a_file() {
    let mut world = World::web();
    world.run(&["hold", "web", "--environment", "staging", "--reason", "black friday", "--dry-run"]);
    world.run(&["hold", "web", "--environment", "staging", "--reason", "black friday"]);
    world.show("pipelines/holds/apps.web-staging.yaml");
    world.run(&["hold", "web", "--environment", "staging", "--reason", "black friday"]);
    world.run(&["hold", "web", "--environment", "staging", "--reason", "another", "--until", "3d"]);
    world.run(&["plan"]);
    world.run(&["explain", "web", "staging"]);
    world.run(&["unhold", "web-stagng"]);
    world.run(&["unhold", "web-staging", "--dry-run"]);
    world.run(&["unhold", "web-staging"]);
    world.run(&["unhold", "web-staging"]);
    world.run(&["hold", "web", "--version", "1.0.0", "--name", "pin-web", "--reason", "wait for the fix"]);
    world.run(&["plan"]);
    world.check("hold");
}

#[test]
fn holds_that_cannot_be() {
    let mut world = World::web();
    world.write(
        "pipelines/frozen.yaml",
        "apiVersion: gradus.dev/v1alpha1\nkind: Hold\nmetadata: {name: frozen, namespace: apps}\n\
         spec: {pipeline: web, reason: by hand, owner: ada}\n",
    );
    world.run(&["hold", "web", "--reason", " "]);
    world.run(&["hold", "web", "--to", "prd", "--reason", "x"]);
    world.run(&["hold", "web", "--reason", "x", "--until", "2020-01-01"]);
    world.run(&["hold", "web", "--reason", "x", "--until", "soon"]);
    world.run(&["hold", "web", "--reason", "x", "--name", "Not A Name"]);
    world.run(&["hold", "web", "--reason", "x", "--version", "a=1"]);
    world.run(&["hold", "web", "--reason", "x", "--config", "pipelines/web.yaml"]);
    world.run(&["unhold", "frozen"]);
    world.check("hold_mistakes");
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let mut world = World::empty();
    let mut token = |arguments: &[&str]| {
        let (what, rest) = arguments.split_first().unwrap();
        world.run(&[&["token", what, "--data", "data"], rest].concat());
    };
    token(&["list"]);
    token(&["create", "--name", "ci", "--role", "reporter", "--expires", "2161h"]);
    token(&[
        "create",
        "--name",
        "ada",
        "--role",
        "approver",
        "--role",
        "operator",
        "--group",
        "release-managers",
        "--alias",
        "ada@example.com",
    ]);
    token(&["list"]);
    token(&["list", "-o", "json"]);
    token(&["create", "--name", "ci", "--role", "viewer"]);
    token(&["create", "--name", "x", "--role", "admin"]);
    token(&["create", "--name", "x"]);
    token(&["revoke", "cj"]);
    token(&["revoke", "ci"]);
    token(&["revoke", "ci"]);
    world.check("token");
}

#[test]
fn a_ledger_is_copied_into_a_new_file() {
    let mut world = World::web();
    world.run(&["ledger", "backup", "--data", "data", "--to", "backup.sqlite"]);
    world.run(&["promote", "web", "--data", "data"]);
    world.run(&["ledger", "backup", "--data", "data", "--to", "restored/ledger.sqlite"]);
    std::fs::create_dir(world.path("restored")).unwrap();
    world.run(&["ledger", "backup", "--data", "data", "--to", "restored/ledger.sqlite"]);
    world.run(&["ledger", "backup", "--data", "data", "--to", "restored/ledger.sqlite"]);
    world.run(&["history", "web", "--data", "restored"]);
    world.check("ledger");
}

#[test]
fn the_doctor_looks_at_a_repository() {
    let mut world = World::web();
    let port = refusing();
    world.run(&["doctor", "git", "fleet.git"]);
    world.run(&["doctor", "git", "fleet.git", "-o", "json"]);
    world.run(&["doctor", "git", "fleet.git", "--file", "apps/dev/web/kustomization.yaml"]);
    world.run(&["doctor", "git", "fleet.git", "--file", "none.yaml"]);
    world.run(&["doctor", "git", "fleet.git", "--branch", "production"]);
    world.git(&world.path("fleet.git"), &["config", "uploadpack.allowFilter", "false"]);
    world.run(&["doctor", "git", "fleet.git"]);
    world.run(&["doctor", "git", "nowhere.git"]);
    world.run(&["doctor", "git", "http://127.0.0.1:1/fleet.git"]);
    let refusing = format!("http://127.0.0.1:{port}/fleet.git");
    world.run(&["doctor", "git", &refusing]);
    world.run_with(&["doctor", "git", &refusing, "--git-user", "ada"], &[("GRADUS_GIT_TOKEN", "secret")]);
    world.run(&["doctor", "git", "ssh://git@example.com/fleet"]);
    world.run(&["doctor", "git", "https://ada:secret@example.com/fleet"]);
    world.run(&["doctor", "git", "fleet.git", "--secret", "apps/fleet-git"]);
    world.hide(port.to_string(), "[port]");
    world.check("doctor");
}

/// What is wrong with a key, and with what is known of the host, is said in words.
#[tokio::test]
async fn the_doctor_looks_at_a_repository_over_ssh() {
    let sshd = gradus_testbed::Sshd::start(&["AcceptEnv GIT_PROTOCOL"]).await.unwrap();
    let mut world = World::web();
    let url = sshd.url(&world.path("fleet.git"));
    let look = ["doctor", "git", &url, "--secrets", "secrets", "--secret", "apps/fleet-git"];
    let key = |world: &World, identity: &str, known_hosts: &str| {
        world.write("secrets/apps/fleet-git/identity", identity);
        world.write("secrets/apps/fleet-git/known_hosts", known_hosts);
    };
    key(&world, &sshd.identity(), &sshd.known_hosts());
    world.run(&look);
    key(&world, &sshd.stranger(), &sshd.known_hosts());
    world.run(&look);
    key(&world, &sshd.identity(), &sshd.wrong_hosts());
    world.run(&look);
    key(&world, &sshd.identity(), "");
    world.run(&look);
    key(&world, "ssh-ed25519 AAAA", &sshd.known_hosts());
    world.run(&look);
    world.run(&["doctor", "git", &url]);
    world.hide(format!("{}@127.0.0.1:{}", sshd.user(), sshd.port()), "[host]");
    world.check("doctor_ssh");
}

#[test]
fn a_schema_is_given_for_each_kind() {
    let world = World::empty();
    for (arguments, wanted) in
        [(&["schema"][..], "oneOf"), (&["schema", "pipeline"], "$ref"), (&["schema", "hold"], "$ref")]
    {
        let output = world.gradus().args(arguments).output().unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(schema.get(wanted).is_some() && schema.get("$defs").is_some(), "{arguments:?}");
    }
}

#[test]
fn shells_and_manuals_know_every_command() {
    let world = World::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = world.gradus().args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success() && script.contains("explain") && script.contains("dry-run"),
            "{shell}"
        );
    }
    let output = world.gradus().args(["man", "--dir", "man"]).output().unwrap();
    assert!(output.status.success());
    for page in ["gradus.1", "gradus-plan.1", "gradus-token-create.1"] {
        assert!(world.path("man").join(page).exists(), "{page}");
    }
    let output = world.gradus().arg("man").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains(".TH gradus 1"));
}

#[test]
fn a_hold_that_is_on_nothing_is_a_mistake_that_lint_shows() {
    let mut world = World::web();
    world.run(&["hold", "web", "--reason", "x"]);
    world.write("pipelines/web.yaml", &WEB.replace("name: web", "name: shop"));
    world.run(&["lint"]);
    world.check("hold_on_nothing");
}
