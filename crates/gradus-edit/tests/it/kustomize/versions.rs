//! Which versions are told, of what.

use super::{build, files, of};

const POD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n";

#[test]
fn k15_images_without_a_plain_tag_and_charts_without_a_version_break_nothing() {
    let digest = "sha256:6745aaadb1c9a2d1f3ff0d4bd2b8a1e4b1e4bb1a6c1c0b7f6a0c3e1d2f3a4b5c";
    let containers = ["plain", "registry:5000/a/b", "registry:5000/a/b:1.2", "''", "${IMAGE}", "a:latest"]
        .map(|image| format!("      - {{name: c, image: \"{image}\"}}\n"))
        .concat();
    let digests = format!(
        "      - {{name: d, image: a@{digest}}}\n      - {{name: e, image: \"a:1@{digest}\"}}\n      - name: f\n"
    );
    let files = files(&[
        ("kustomization.yaml", "resources: [a.yaml, release.yaml]\n"),
        (
            "a.yaml",
            &format!(
                "{POD}{containers}{digests}      initContainers:\n      - {{name: first, image: \"init:3\"}}\n"
            ),
        ),
        (
            "release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: flagger}\nspec:\n  chart:\n    spec:\n      chart: flagger\n\
             ---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: bare}\nspec: {}\n\
             ---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: barer}\n",
        ),
    ]);
    insta::assert_snapshot!(of(&files, ""));
}

#[test]
fn a13_a_range_is_told_as_the_range_that_it_is() {
    let files = files(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "a.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: podinfo}\nspec:\n  chart:\n    spec:\n      chart: podinfo\n      version: \">=0.0.3\"\n",
        ),
    ]);
    let text = of(&files, "");
    assert_eq!(text, "HelmRelease/podinfo chart podinfo: >=0.0.3 (range) a.yaml:8 spec.chart.spec.version\n");
}

#[test]
fn a26_defaults_of_variables_are_honoured() {
    let files = files(&[
        (
            "clusters/dev/apps.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\nspec:\n  path: ./apps\n  postBuild:\n    substitute:\n      TAG: '2.0'\n",
        ),
        ("apps/kustomization.yaml", "resources: [web.yaml]\n"),
        (
            "apps/web.yaml",
            &format!("{POD}      - {{name: a, image: \"web:${{TAG:=1.0}}\"}}\n      - {{name: b, image: \"side:${{PR:=0}}-${{BRANCH:=main}}\"}}\n")
                .replace("name: web}", "name: \"web-${environment:=dev}\"}"),
        ),
    ]);
    let mut text = of(&files, "apps");
    let mut repository = gradus_edit::kustomize::Repository::new(&files);
    for environment in repository.environments() {
        let built = repository.build_environment(&environment);
        text.push_str(&format!("{}:\n{}", environment.folder, super::told(&files, &built)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn charts_from_registries_and_chart_objects() {
    let files = files(&[
        (
            "kustomization.yaml",
            "resources: [a.yaml]\nhelmCharts:\n- name: redis\n  version: 18.0.1\n- name: open\n",
        ),
        (
            "a.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: one}\nspec:\n  chartRef: {kind: OCIRepository, name: one}\n  values:\n    image:\n      repository: ghcr.io/acme/one\n      tag: 1.0.1\n    sidecarImage: {tag: ''}\n    other: {tag: 3}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: one}\nspec:\n  url: oci://ghcr.io/acme/charts/one\n  ref: {tag: 1.2.3, digest: ''}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: loose}\nspec:\n  url: oci://ghcr.io/acme/loose\n  ref: {semver: '>=1.0.0'}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: none}\nspec: {url: oci://ghcr.io/acme/none}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: main}\nspec: {ref: {branch: main}}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: tagged}\nspec: {ref: {tag: v3.1.0}}\n\
             ---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmChart\nmetadata: {name: chart}\nspec: {chart: web, version: 1.x}\n\
             ---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: two}\nspec:\n  chartRef: {kind: HelmChart, name: chart}\n\
             ---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: three}\nspec:\n  chartRef: {kind: HelmChart, name: elsewhere, namespace: x}\n",
        ),
    ]);
    insta::assert_snapshot!(of(&files, ""));
}

#[test]
fn applications_of_argo_cd_and_the_sets_that_make_them() {
    let files = files(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "a.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: web, namespace: argocd}\nspec:\n  source:\n    repoURL: https://git.example.com/acme/web.git\n    path: deploy\n    targetRevision: v1.4.0\n    helm:\n      parameters:\n      - {name: image.tag, value: 1.4.0}\n      - {name: replicas, value: '3'}\n    kustomize:\n      images:\n      - ghcr.io/acme/web:1.4.1\n      - web=ghcr.io/acme/web\n\
             ---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: two, namespace: argocd}\nspec:\n  sources:\n  - {repoURL: https://charts.example.com, chart: web, targetRevision: 1.*}\n  - {repoURL: https://git.example.com/acme/values, targetRevision: main}\n  - {repoURL: https://git.example.com/acme/values}\n\
             ---\napiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set, namespace: argocd}\nspec:\n  generators:\n  - list:\n      elements:\n      - {env: dev, revision: 2.0.0}\n      - {env: prod, revision: 1.9.0}\n  template:\n    metadata: {name: 'web-{{env}}'}\n    spec:\n      source: {repoURL: https://charts.example.com, chart: web, targetRevision: '{{ .revision }}'}\n",
        ),
    ]);
    insta::assert_snapshot!(of(&files, ""));
}

#[test]
fn any_kind_with_a_template_of_pods_is_a_workload() {
    let container = "containers: [{name: a, image: \"a:1\"}, {name: b, image: \"b:2\"}]";
    let of_kind = |api: &str, kind: &str, spec: &str| {
        format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {spec}\n---\n")
    };
    let text = of_kind("v1", "Pod", &format!("{{{container}}}"))
        + &of_kind(
            "batch/v1",
            "CronJob",
            &format!("{{jobTemplate: {{spec: {{template: {{spec: {{{container}}}}}}}}}}}"),
        )
        + &of_kind("argoproj.io/v1alpha1", "Rollout", &format!("{{template: {{spec: {{{container}}}}}}}"))
        + &of_kind("v1", "Service", "{ports: [{port: 80}]}");
    let files = files(&[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", &text)]);
    assert_eq!(build(&files, "").versions.len(), 6);
    insta::assert_snapshot!(of(&files, ""));
}
