//! Several files together.

use gradus_manifest::{Assembled, SourceFile, assemble, read};

use crate::telling::tell;

const WEB: &str = "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {name: web, namespace: apps}
spec:
  repository: {url: fleet.git}
  environments:
  - {name: staging, targets: [{report: {}}]}
  - {name: prod, targets: [{report: {}}]}
";

fn hold(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: gradus.dev/v1alpha1\nkind: Hold\nmetadata: {{name: {name}, namespace: apps}}\n\
         spec:\n  reason: black friday\n  owner: ada\n{spec}"
    )
}

fn together(files: &[(&str, &str)]) -> Assembled {
    assemble(files.iter().map(|(name, text)| read(&SourceFile { name, text: text.as_bytes() })))
}

/// The mistakes, the pipelines that are left with their holds, and those that are withheld.
fn check(files: &[(&str, &str)]) -> String {
    let all = together(files);
    let mut told = tell("", &all.errors, &all.notes);
    for (key, loaded) in &all.pipelines {
        let holds: Vec<String> = loaded
            .pipeline
            .holds
            .iter()
            .map(|hold| format!("{} pin {:?} until {:?}", hold.name, hold.pin, hold.until))
            .collect();
        told += &format!("{key} at {}: holds [{}]\n", loaded.place, holds.join(", "));
    }
    for key in &all.withheld {
        told += &format!("withheld: {key}\n");
    }
    told
}

#[test]
fn holds_are_put_on_their_pipelines_wherever_they_are() {
    // One that is over stays: whether it counts is a question of the time.
    let freeze = hold("freeze", "  pipeline: web\n  environment: prod\n  until: 2020-01-01T00:00:00Z\n");
    let pin = hold("pin", "  pipeline: web\n  pin: \"1.10\"\n");
    insta::assert_snapshot!(check(&[("a.yaml", &freeze), ("b.yaml", &format!("{WEB}---\n{pin}"))]));
}

#[test]
fn two_manifests_of_one_pipeline_are_told_with_both_places() {
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &format!("# again\n{WEB}"))]));
}

#[test]
fn a_hold_on_nothing_is_told() {
    let of = |spec: &str| hold("freeze", spec);
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &of("  pipeline: wbe\n"))]));
    let elsewhere = of("  pipeline: web\n").replace("apps", "default");
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &elsewhere)]));
    insta::assert_snapshot!(check(&[
        ("a.yaml", WEB),
        ("b.yaml", &of("  pipeline: web\n  environment: prd\n"))
    ]));
    insta::assert_snapshot!(check(&[
        ("a.yaml", WEB),
        ("b.yaml", &of("  pipeline: web\n  pin: {ap: 1.0.0}\n"))
    ]));
}

#[test]
fn the_same_hold_twice_is_told() {
    let freeze = hold("freeze", "  pipeline: web\n");
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &freeze), ("c.yaml", &freeze)]));
}

#[test]
fn a_pipeline_whose_hold_has_a_mistake_is_withheld() {
    let freeze = hold("freeze", "  pipeline: web\n  untl: 2026-12-20T00:00:00Z\n");
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &freeze)]));
}

#[test]
fn a_pipeline_whose_hold_is_of_no_known_kind_is_withheld() {
    let freeze = hold("freeze", "  pipeline: web\n");
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &freeze.replace("v1alpha1", "v1"))]));
    insta::assert_snapshot!(check(&[("a.yaml", WEB), ("b.yaml", &freeze.replace("Hold", "Hld"))]));
}

#[test]
fn a_hold_on_a_pipeline_with_a_mistake_is_not_blamed() {
    let freeze = hold("freeze", "  pipeline: web\n");
    insta::assert_snapshot!(check(&[("a.yaml", &WEB.replace("prod", "Prod")), ("b.yaml", &freeze)]));
}

#[test]
fn one_bad_document_does_not_cost_the_others() {
    let api = WEB.replace("name: web", "name: api");
    let broken = "kind: [Pipeline\nmetadata: }\n";
    let text = format!(
        "{broken}---\n{WEB}---\n{}---\nkind: ConfigMap\n---\n{api}",
        WEB.replace("name: web", "nam: w")
    );
    insta::assert_snapshot!(check(&[("a.yaml", &text)]));
}

#[test]
fn a_notification_of_nothing_or_twice_is_told_and_withholds_nothing() {
    let notification = |name: &str, pipelines: &str| {
        format!(
            "apiVersion: gradus.dev/v1alpha1\nkind: Notification\nmetadata: {{name: {name}, namespace: apps}}\n\
             spec:\n  pipelines: [{pipelines}]\n  to: {{teams: {{secretRef: {{name: teams}}}}}}\n"
        )
    };
    let files = [
        ("a.yaml", WEB.to_owned()),
        ("b.yaml", notification("team", "web, wep")),
        ("c.yaml", notification("team", "web")),
        ("d.yaml", notification("others", "web")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    assert_eq!(together(&files).notifications.len(), 2);
    insta::assert_snapshot!(check(&files), @r#"
    error: c.yaml:3: notification apps/team is there twice; it is first at b.yaml:3
      field: Conflict "metadata.name", column 18

    error: b.yaml:5: notification apps/team is for pipeline apps/wep, which does not exist
      help: did you mean "web"?
      field: Reference "spec.pipelines[1]", column 20

    apps/web at a.yaml:3: holds []
    "#);
}

#[test]
fn pipelines_that_would_share_a_branch_are_told() {
    let of = |name: &str, branch: &str| {
        WEB.replace("name: web", &format!("name: {name}"))
            .replace("spec:\n", &format!("spec:\n  pullRequest: {{branch: {branch:?}}}\n"))
    };
    let files = [
        ("a.yaml", of("api", "promote-{{ environment }}")),
        ("b.yaml", of("web", "promote-{{ environment }}")),
        ("c.yaml", of("zoo", "promote-prod/{{ pipeline.name }}-{{ environment }}")),
        ("d.yaml", of("good", "{{ pipeline.name }}-{{ environment }}")),
        // Elsewhere it is free.
        ("e.yaml", of("other", "promote-{{ environment }}").replace("fleet.git", "other.git")),
        ("f.yaml", WEB.replace("name: web", "name: plain")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    insta::assert_snapshot!(check(&files), @r#"
    error: b.yaml:3: apps/web proposes for staging on the branch promote-staging, and pipeline apps/api on promote-staging (a.yaml:3)
      help: put `{{ pipeline.name }}` into the template of the branch
      field: Conflict "promote.pullRequest.branch", column 18

    error: b.yaml:3: apps/web proposes for prod on the branch promote-prod, and pipeline apps/api on promote-prod (a.yaml:3)
      help: put `{{ pipeline.name }}` into the template of the branch
      field: Conflict "promote.pullRequest.branch", column 18

    error: c.yaml:3: apps/zoo proposes for staging on the branch promote-prod/zoo-staging, and pipeline apps/api on promote-prod (a.yaml:3)
      help: Git keeps no branch below another one: call one of them something else
      field: Conflict "promote.pullRequest.branch", column 18

    error: c.yaml:3: apps/zoo proposes for prod on the branch promote-prod/zoo-prod, and pipeline apps/api on promote-prod (a.yaml:3)
      help: Git keeps no branch below another one: call one of them something else
      field: Conflict "promote.pullRequest.branch", column 18

    apps/api at a.yaml:3: holds []
    apps/good at d.yaml:3: holds []
    apps/other at e.yaml:3: holds []
    apps/plain at f.yaml:3: holds []
    withheld: apps/web
    withheld: apps/zoo
    "#);
}
