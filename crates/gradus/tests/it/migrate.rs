//! `gradus migrate`: pipelines of Weave GitOps become ours.

use std::io::Write as _;
use std::process::Stdio;

use crate::world::World;

const OLD: &str = "\
apiVersion: pipelines.weave.works/v1alpha1
kind: Pipeline
metadata:
  name: shop
  namespace: apps
spec:
  appRef:
    apiVersion: helm.toolkit.fluxcd.io/v2
    kind: HelmRelease
    name: shop
  environments:
    - name: dev
      targets:
        - namespace: shop-dev
    - name: prod
      targets:
        - namespace: shop-prod
  promotion:
    manual: true
    strategy:
      pull-request:
        type: gitlab
        url: https://gitlab.com/acme/fleet
        baseBranch: main
        secretRef:
          name: fleet-git
      secretRef:
        name: signed
";

#[test]
fn what_changes_is_shown_with_what_there_is_to_look_at() {
    let mut world = World::empty();
    world.write("old.yaml", &format!("kind: ConfigMap\n---\n{OLD}"));
    world.run(&["migrate", "old.yaml"]);
    world.run(&["migrate", "old.yaml", "-o", "yaml"]);
    world.check("migrate");
}

#[test]
fn what_is_written_has_no_mistakes() {
    let mut world = World::empty();
    let mut child = world
        .gradus()
        .args(["migrate", "-", "-o", "yaml"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(OLD.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    world.write("new/shop.yaml", &String::from_utf8(output.stdout).unwrap());
    world.run(&["lint", "new"]);
    world.write("old/shop.yaml", OLD);
    world.run(&["lint", "old"]);
    world.check("migrate_lint");
}

#[test]
fn a_pipeline_that_nothing_is_lost_of_is_done() {
    let mut world = World::empty();
    let plain = OLD.split("  promotion:").next().unwrap();
    world.write("old.yaml", plain);
    world.run(&["migrate", "old.yaml", "--repository", "https://git.example.com/acme/fleet.git"]);
    world.check("migrate_plain");
}

#[test]
fn what_cannot_be_migrated_says_why() {
    let mut world = World::empty();
    world.write("other.yaml", "kind: ConfigMap\n");
    world.run(&["migrate", "other.yaml"]);
    world.run(&["migrate", "nowhere.yaml"]);
    world.run(&["migrate"]);
    world.write("ssh.yaml", &OLD.replace("https://gitlab.com", "ssh://git@gitlab.com"));
    world.run(&["migrate", "ssh.yaml"]);
    world.write("broken.yaml", &format!("{OLD}---\na: [\n"));
    world.run(&["migrate", "broken.yaml", "-o", "yaml"]);
    world.check("migrate_cannot");
}
