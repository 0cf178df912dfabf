//! What patches and images make of objects.

use super::{files, of};

const WEB: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  labels: {app: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: registry:5000/web:1.0\n      - name: side\n        image: side:0.1\n";

fn with(kustomization: &str, more: &[(&str, &str)]) -> String {
    let mut all = vec![("web.yaml", WEB), ("kustomization.yaml", kustomization)];
    all.extend(more);
    of(&files(&all), "")
}

#[test]
fn patches_in_files_and_inline() {
    let merge = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: registry:5000/web:1.1\n";
    let inline = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let mut out = String::new();
    let mut say = |title: &str, kustomization: &str, more: &[(&str, &str)]| {
        out.push_str(&format!(
            "{title}:\n{}",
            with(&format!("resources: [web.yaml]\n{kustomization}"), more)
        ));
    };
    say("patches, path", "patches:\n- path: p.yaml\n", &[("p.yaml", merge)]);
    say("patches, inline", &format!("patches:\n- patch: |\n{}", inline(merge)), &[]);
    say(
        "patches, quoted",
        "patches:\n- patch: \"[{op: replace, path: /spec/template/spec/containers/1/image, value: 'side:0.2'}]\"\n  target: {name: w.*}\n",
        &[],
    );
    say("strategic, path", "patchesStrategicMerge: [p.yaml]\n", &[("p.yaml", merge)]);
    say("strategic, inline", &format!("patchesStrategicMerge:\n- |\n{}", inline(merge)), &[]);
    let operation = "- op: test\n  path: /spec/template/spec/containers/0/name\n  value: web\n- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: registry:5000/web:1.2\n- op: remove\n  path: /spec/template/spec/containers/1\n- op: add\n  path: /spec/template/spec/containers/-\n  value: {name: late, image: \"late:3\"}\n";
    say(
        "json6902, path",
        "patchesJson6902:\n- path: o.yaml\n  target: {group: apps, version: v1, kind: Deployment, name: web}\n",
        &[("o.yaml", operation)],
    );
    say(
        "json6902, inline",
        &format!("patches:\n- target: {{kind: Deployment}}\n  patch: |-\n{}", inline(operation)),
        &[],
    );
    say(
        "json6902, JSON",
        "patches:\n- path: o.json\n  target: {labelSelector: app=web}\n",
        &[(
            "o.json",
            "[{\"op\": \"replace\", \"path\": \"/spec/template/spec/containers/0/image\", \"value\": \"registry:5000/web:1.3\"}]\n",
        )],
    );
    insta::assert_snapshot!(out);
}

#[test]
fn patches_that_delete_and_replace() {
    let mut out = String::new();
    let mut say = |title: &str, patch: &str| {
        let inline: String = patch.lines().map(|line| format!("    {line}\n")).collect();
        out.push_str(&format!(
            "{title}:\n{}",
            with(
                &format!(
                    "resources: [web.yaml]\npatches:\n- target: {{kind: Deployment}}\n  patch: |\n{inline}"
                ),
                &[]
            )
        ));
    };
    say("the object", "$patch: delete\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}");
    say(
        "an element",
        "kind: Deployment\nspec: {template: {spec: {containers: [{name: side, $patch: delete}]}}}",
    );
    say(
        "all elements",
        "kind: Deployment\nspec: {template: {spec: {containers: [{$patch: replace}, {name: new, image: 'new:1'}]}}}",
    );
    say("a key", "kind: Deployment\nspec: {template: {spec: {containers: [{name: side, image: null}]}}}");
    say(
        "a mapping",
        "kind: Deployment\nspec: {template: {$patch: replace, spec: {containers: [{name: new, image: 'new:2'}]}}}",
    );
    say(
        "one more",
        "kind: Deployment\nspec: {template: {spec: {containers: [{name: new, image: 'new:3'}]}}}",
    );
    insta::assert_snapshot!(out);
}

#[test]
fn lists_of_other_kinds_are_replaced() {
    let rollout = WEB.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout");
    let patch = "patches:\n- target: {kind: Rollout}\n  patch: |\n    kind: Rollout\n    spec: {template: {spec: {containers: [{name: side, image: 'side:9'}]}}}\n";
    let text = with(&format!("resources: [rollout.yaml]\n{patch}"), &[("rollout.yaml", &rollout)]);
    assert_eq!(
        text,
        "Rollout/web image side: 9 (exact) kustomization.yaml:6 spec.template.spec.containers[0].image\n"
    );
}

#[test]
fn images_change_names_tags_and_digests() {
    let digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let images = |text: &str| with(&format!("resources: [web.yaml]\nimages:\n{text}"), &[]);
    let all = [
        "- name: registry:5000/web\n  newTag: 1.5.0\n- name: gone\n  newTag: '3'\n".to_owned(),
        "- name: registry:5000/web\n  newName: ghcr.io/acme/web\n".to_owned(),
        format!(
            "- name: registry:5000/web\n  digest: {digest}\n- {{name: side, newName: aside, newTag: \"7\"}}\n"
        ),
        "- name: web\n  newTag: '3'\n".to_owned(),
    ];
    insta::assert_snapshot!(all.map(|text| images(&text)).join("\n"));
}

#[test]
fn what_cannot_be_followed_is_told_with_its_line() {
    insta::assert_snapshot!(with(
        "resources:\n- web.yaml\n- gone.yaml\n- https://example.com/a.yaml\n- web.yaml\ncomponents:\n- nowhere\npatches:\n- path: gone.yaml\n- path: other.yaml\n- patch: '[{op: add}]'\n- patch: '[{op: replace, path: /a/b, value: 1}]'\n  target: {kind: Deployment}\n- patch: 'kind: {'\n- patch: '{kind: A}'\n  target: {kind: B}\ngenerators: [g.yaml]\n",
        &[("other.yaml", "kind: Deployment\nmetadata: {name: other}\n")]
    ));
}
