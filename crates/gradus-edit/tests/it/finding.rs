//! Every place that says a version, and the form of each; what names it sets it.

use std::fmt::Write;

use gradus_edit::{Edit, Form, Format, Outcome, edit_file, find};

/// The places with their forms, one a line; where a place has a name, what is named can be set.
fn told(file: &str, text: &str, version: &str) -> String {
    let mut out = String::new();
    for found in find(file, text.as_bytes(), version).unwrap() {
        let object = found.object.as_ref().map_or_else(String::new, |object| format!(" in {object}"));
        let marker = found.marker.as_ref().map_or_else(String::new, |marker| format!(" {marker}"));
        let (line, form, path, value) = (found.place.line, found.form, &found.path, &found.value);
        writeln!(out, "{file}:{line} {form} {path} = {value}{object}{marker}").unwrap();
        let Some(locator) = found.locator else { continue };
        let edit = Edit::new(locator, "77.0.0").expecting(version);
        match edit_file(Format::of(file), text.as_bytes(), &[edit]) {
            Ok(Outcome::Edited(edited)) => {
                assert_eq!(edited.changes[0].place.line, line, "{out}");
                assert!(String::from_utf8(edited.bytes).unwrap().contains("77.0.0"));
            }
            other => writeln!(out, "  not set: {other:?}").unwrap(),
        }
    }
    out
}

#[test]
fn every_form_is_told_from_the_others() {
    let mut out = String::new();
    let mut say = |file: &str, text: &str| out.push_str(&told(file, text, "6.1.6"));
    let object = |api: &str, kind: &str, rest: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: podinfo, namespace: apps}}\n{rest}")
    };
    say(
        "marker.yaml",
        "a: 6.1.6 # {\"$imagepolicy\": \"ns:podinfo:tag\"}\n# {\"$promotion\": \"ns:p:dev\"}\nb: '6.1.6'\nc: 6.1.6 # by hand\n",
    );
    say(
        "deploy.yaml",
        &object(
            "apps/v1",
            "Deployment",
            "spec:\n  template:\n    spec:\n      containers:\n      - image: reg:5000/podinfo:6.1.6\n      - image: podinfo:6.1.61\n      - {env: [{name: V, value: 6.1.6}]}\n",
        ),
    );
    say(
        "apps/kustomization.yaml",
        "images:\n- name: podinfo\n  newTag: 6.1.6\nhelmCharts:\n- name: podinfo\n  version: 6.1.6\npatches:\n- patch: |\n    - op: replace\n      path: /spec/chart/spec/version\n      value: 6.1.6\n- patch: |-\n    kind: Deployment\n    spec:\n      image: a:6.1.6\npatchesStrategicMerge:\n- |\n  kind: Deployment\n  x: 6.1.6\n",
    );
    say(
        "patch.yaml",
        "- op: replace\n  path: /spec/chart/spec/version\n  value: 6.1.6\n- op: add\n  path: /spec/template/spec/containers/0\n  value:\n    image: podinfo:6.1.6\n- {op: test, path: /a, value: 6.1.6}\n",
    );
    say("patch.json", "[{\"op\": \"replace\", \"path\": \"/a~1b/0\", \"value\": \"6.1.6\"}]");
    say(
        "release.yaml",
        &object(
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            "spec:\n  chart:\n    spec:\n      version: 6.1.6\n  values:\n    image:\n      tag: 6.1.6\n",
        ),
    );
    say("oci.yaml", &object("source.toolkit.fluxcd.io/v1", "OCIRepository", "spec:\n  ref: {tag: 6.1.6}\n"));
    say("git.yaml", &object("source.toolkit.fluxcd.io/v1", "GitRepository", "spec:\n  ref: {tag: 6.1.6}\n"));
    say("chart.yaml", &object("source.toolkit.fluxcd.io/v1", "HelmChart", "spec: {version: 6.1.6}\n"));
    say(
        "flux.yaml",
        &object(
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            "spec:\n  images:\n  - {name: a, newTag: 6.1.6}\n  postBuild:\n    substitute: {V: 6.1.6}\n  patches:\n  - patch: |\n      - op: add\n        path: /a\n        value: 6.1.6\n",
        ),
    );
    say(
        "argo.yaml",
        &object(
            "argoproj.io/v1alpha1",
            "Application",
            "spec:\n  source:\n    targetRevision: 6.1.6\n    helm:\n      parameters:\n      - {name: image.tag, value: 6.1.6}\n      valuesObject: {tag: 6.1.6}\n      values: |\n        image:\n          tag: 6.1.6\n    kustomize:\n      images:\n      - ghcr.io/podinfo:6.1.6\n",
        ),
    );
    say(
        "set.yaml",
        &object(
            "argoproj.io/v1alpha1",
            "ApplicationSet",
            "spec:\n  generators:\n  - list:\n      elements:\n      - {env: dev, version: 6.1.6}\n  template:\n    spec:\n      sources:\n      - targetRevision: 6.1.6\n",
        ),
    );
    say(
        "map.yaml",
        &object(
            "v1",
            "ConfigMap",
            "data:\n  values.yaml: |\n    tag: 6.1.6\n  other: |\n    kind: Pod\n    image: x:6.1.6\n  text: |\n    it is 6.1.6: or: not\n  folded: >\n    a: 6.1.6\n",
        ),
    );
    say("web/values-dev.yaml", "image:\n  repository: podinfo\n  tag: 6.1.6\n");
    say("vars.yaml", "a: ${TAG:=6.1.6}\nb: podinfo:${TAG:-6.1.6}\nc: ${TAG}\n");
    say(
        "list.yaml",
        "kind: List\napiVersion: v1\nitems:\n- apiVersion: helm.toolkit.fluxcd.io/v2\n  kind: HelmRelease\n  metadata: {name: a}\n  spec: {chart: {spec: {version: 6.1.6}}}\n---\nkind: A\napiVersion: v1\nx: 6.1.6\n",
    );
    say("versions.json", "{\"podinfo\": {\"version\": \"6.1.6\"}, \"list\": [\"a:6.1.6\"]}");
    say("versions.toml", "[podinfo]\nversion = \"6.1.6\"\nlist = ['6.1.6']\n");
    say("deploy/.env", "# 6.1.6\nTAG=6.1.6\nexport IMAGE=\"podinfo:6.1.6\"\n");
    assert!(!out.contains("not set"), "{out}");
    insta::assert_snapshot!(out);
}

#[test]
fn digests_are_found_with_and_without_their_name() {
    let digest = "0123456789012345678901234567890123456789012345678901234567890123";
    let text = format!("a: web@sha256:{digest}\nb: sha256:{digest}\nc: web:1@sha256:{digest}\n");
    let forms = |version: &str| {
        find("a.yaml", text.as_bytes(), version)
            .unwrap()
            .iter()
            .map(|one| (one.place.line, one.form))
            .collect::<Vec<_>>()
    };
    assert_eq!(forms(&format!("sha256:{digest}")), [(1, Form::Image), (2, Form::Path), (3, Form::Image)]);
    assert_eq!(forms(digest), [(1, Form::Image), (2, Form::Image), (3, Form::Image)]);
    assert_eq!(forms("1"), [(3, Form::Image)]);
}

#[test]
fn what_does_not_parse_is_told_only_where_it_has_the_version() {
    let broken = b"a: [6.1.6\nb: {{ x }}\n";
    assert!(find("a.yaml", broken, "6.1.6").unwrap_err().to_string().contains("{{"));
    assert_eq!(find("a.yaml", broken, "6.1.7"), Ok(Vec::new()));
    assert_eq!(find("a.yaml", b"\xff\xfe6.1.7", "6.1.6"), Ok(Vec::new()));
    assert!(find("a.yaml", b"\xff\xfe6.1.6", "6.1.6").is_err());
    assert!(find("a.toml", b"a = 6.1.6", "6.1.6").is_err());
    assert_eq!(find("a.yaml", b"a: ''\n", ""), Ok(Vec::new()));
}
