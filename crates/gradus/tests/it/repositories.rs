//! `gradus find` and `gradus set` in repositories as people have them: what is found, and the one line that
//! a change is.

use crate::world::World;

/// The files of a repository, committed.
fn repository(files: &[(&str, &str)]) -> World {
    let world = World::empty();
    for (name, text) in files {
        world.write(&format!("checkout/{name}"), text);
    }
    world.commit("As it is");
    world
}

/// Sets something in the checkout, and writes down what Git says of it.
fn set(world: &mut World, arguments: &[&str]) {
    world.run(&[&["set"], arguments].concat());
    let checkout = world.path("checkout");
    let stat = world.git(&checkout, &["diff", "--numstat"]);
    let lines = world.git(&checkout, &["diff", "-U0"]);
    let changed =
        |line: &&str| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---");
    let told: Vec<&str> = stat.lines().chain(lines.lines().filter(changed)).collect();
    world.record(&format!("{}\n\n", told.join("\n")));
    world.git(&checkout, &["checkout", "-q", "."]);
}

#[test]
fn a_flux_repository_with_components() {
    let mut world = repository(&[
        (
            "clusters/production/apps.yaml",
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\n\
             spec:\n  path: ./apps/production\n  prune: true\n  postBuild:\n    substitute:\n      web_version: \"1.2.0\"   # of the page\n",
        ),
        ("apps/base/web/kustomization.yaml", "resources:\n  - deployment.yaml\n"),
        (
            "apps/base/web/deployment.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n        \
             - name: web\n          image: ghcr.io/acme/web:1.0.0\n          env:\n            - {name: VERSION, value: '${web_version:=1.2.0}'}\n",
        ),
        (
            "apps/components/proxy/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches:\n  - target: {kind: Deployment, name: web}\n    patch: |-\n      \
             - op: add\n        path: /spec/template/spec/containers/-\n        value: {name: proxy, image: 'envoy:1.30.1'}\n",
        ),
        (
            "apps/staging/kustomization.yaml",
            "# staging\nresources: [../base/web]\ncomponents: [../components/proxy]\nimages:\n  - name: ghcr.io/acme/web\n    newTag: 1.2.0   # {\"$imagepolicy\": \"flux-system:web:tag\"}\n",
        ),
        (
            "apps/production/kustomization.yaml",
            "# production\r\nresources: [../base/web]\r\ncomponents: [../components/proxy]\r\nimages:\r\n  - name: ghcr.io/acme/web\r\n    newTag: '1.1.0'\r\n",
        ),
    ]);
    world.run(&["find", "1.2.0", "checkout"]);
    set(&mut world, &["checkout/apps/production", "--image", "ghcr.io/acme/web=1.2.0"]);
    set(&mut world, &["checkout", "--imagepolicy", "flux-system:web=ghcr.io/acme/web:1.3.0"]);
    set(
        &mut world,
        &["checkout/clusters/production/apps.yaml", "spec.postBuild.substitute.web_version", "1.10"],
    );
    world.check("repository_flux");
}

#[test]
fn helm_values_per_environment() {
    let mut world = repository(&[
        ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.3.1\nappVersion: \"1.2.0\"\n"),
        ("charts/web/values.yaml", "# Defaults.\nimage:\n  repository: ghcr.io/acme/web\n  tag: \"\"\n"),
        (
            "charts/web/templates/deployment.yaml",
            "kind: Deployment\nspec: {{ toYaml .Values | nindent 2 }}\n",
        ),
        ("envs/dev/values.yaml", "image:\n  tag: 1.2.0\nreplicas: 1\n"),
        ("envs/prod/values.yaml", "image:\n    tag: \"1.1.0\"     # approved by ops\n\nreplicas: 3\n"),
        (
            "envs/prod/release.yaml",
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\nspec:\n  chart:\n    spec: {chart: web, version: 0.3.1}\n  \
             values: {image: {repository: ghcr.io/acme/web, tag: 1.1.0}}\n",
        ),
    ]);
    world.run(&["find", "1.1.0", "checkout"]);
    set(&mut world, &["checkout/envs/prod/values.yaml", "image.tag", "1.2.0"]);
    set(&mut world, &["checkout/envs/prod/values.yaml", "replicas", "5"]);
    set(
        &mut world,
        &["checkout/envs/prod/release.yaml", "spec.chart.spec.version", "0.4.0", "--expect", "0.3.1"],
    );
    set(&mut world, &["checkout", "--image", "ghcr.io/acme/web=1.2.0"]);
    world.check("repository_helm");
}

#[test]
fn argo_cd_with_an_app_of_apps() {
    let application = |name: &str, revision: &str, version: &str| {
        format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n  namespace: argocd\nspec:\n  project: default\n  source:\n    \
             repoURL: https://charts.example.com\n    chart: web\n    targetRevision: {revision}\n    helm:\n      parameters:\n        \
             - {{name: image.tag, value: \"{version}\"}}   # what runs\n"
        )
    };
    let (dev, prod) = (application("web-dev", "0.4.0", "1.2.0"), application("web-prod", "0.3.1", "1.1.0"));
    let mut world = repository(&[
        (
            "root.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: root, namespace: argocd}\nspec:\n  source: {repoURL: https://example.com/fleet.git, path: apps, targetRevision: HEAD}\n",
        ),
        ("apps/web-dev.yaml", &dev),
        ("apps/web-prod.yaml", &prod),
        (
            "apps/api.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: api, namespace: argocd}\nspec:\n  generators:\n    - list:\n        elements:\n          \
             - cluster: dev\n            version: 2.1.0\n          - cluster: prod\n            version: 2.0.0\n  template:\n    metadata: {name: 'api-{{cluster}}'}\n    \
             spec:\n      source:\n        kustomize:\n          images:\n            - ghcr.io/acme/proxy:1.1.0\n",
        ),
    ]);
    world.run(&["find", "1.1.0", "checkout"]);
    set(&mut world, &["checkout/apps/web-prod.yaml", "spec.source.targetRevision", "0.4.0"]);
    set(
        &mut world,
        &["checkout/apps/web-prod.yaml", "spec.source.helm.parameters[name=image.tag].value", "1.2.0"],
    );
    set(
        &mut world,
        &["checkout/apps/api.yaml", "spec.generators[0].list.elements[cluster=prod].version", "2.1.0"],
    );
    set(&mut world, &["checkout/apps", "--image", "ghcr.io/acme/proxy=1.2.0"]);
    world.check("repository_argo");
}
