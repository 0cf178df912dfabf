//! `gradus init`: a first pipeline that `lint` and `plan` accept.

use crate::world::World;

const RELEASE: &str = "\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: podinfo, namespace: podinfo}
spec:
  chart:
    spec:
      chart: podinfo
      version: VERSION
---
apiVersion: v1
kind: ConfigMap
metadata: {name: podinfo}
";

/// Runs what people run first: init, lint and plan.
fn begin(world: &mut World, arguments: &[&str], file: &str) {
    world.run(&[&["init", "checkout"], arguments].concat());
    world.show(file);
    world.run(&["lint", file]);
    world.run(&["plan", "--config", file]);
}

#[test]
fn from_markers() {
    let mut world = World::empty();
    world.repository(&[("prod", "1.0.0"), ("dev", "1.1.0"), ("staging", "1.0.0")]);
    begin(&mut world, &[], "pipelines/web.yaml");
    world.check("init_markers");
}

#[test]
fn from_helm_releases_with_several_prods() {
    let mut world = World::empty();
    for (environment, version) in
        [("dev", "6.6.0"), ("staging", "6.5.1"), ("prod-eu", "6.5.1"), ("prod-us", "6.5.0")]
    {
        world.write(
            &format!("checkout/apps/{environment}/podinfo.yaml"),
            &RELEASE.replace("VERSION", version),
        );
    }
    world.write("checkout/apps/base/podinfo.yaml", &RELEASE.replace("VERSION", "\">=6.0.0\""));
    world.write(
        "checkout/apps/dev/redis.yaml",
        &RELEASE.replace("podinfo", "redis").replace("VERSION", "6.x"),
    );
    world.commit("Deploy podinfo");
    begin(&mut world, &[], "pipelines/podinfo.yaml");
    world.check("init_releases");
}

#[test]
fn from_images_where_flux_says_which_folder_is_which_environment() {
    let mut world = World::empty();
    for (folder, environment, version) in [("a", "test", "\"1.11\""), ("b", "production", "\"1.10\"")] {
        let images = format!(
            "images:\n  - name: ghcr.io/acme/web\n    newTag: {version}\n  - name: api\n    newTag: v2\n"
        );
        world.write(&format!("checkout/tenants/{folder}/kustomization.yaml"), &images);
        let root = format!(
            "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {environment}}}\nspec: {{path: ./tenants/{folder}}}\n"
        );
        world.write(&format!("checkout/clusters/{folder}.yaml"), &root);
    }
    world.commit("Deploy web and api");
    begin(&mut world, &["--pipeline", "web", "--write", "first.yaml"], "first.yaml");
    world.run(&["init", "checkout", "--pipeline", "wep"]);
    world.check("init_images");
}

#[test]
fn from_a_pipeline_of_weave_gitops() {
    let mut world = World::empty();
    world.write(
        "checkout/pipelines/podinfo.yaml",
        "apiVersion: pipelines.weave.works/v1alpha1\nkind: Pipeline\nmetadata: {name: podinfo, namespace: flux-system}\nspec:\n  \
         appRef: {apiVersion: helm.toolkit.fluxcd.io/v2beta1, kind: HelmRelease, name: podinfo}\n  environments:\n  \
         - name: dev\n    targets: [{namespace: podinfo-dev, clusterRef: {kind: GitopsCluster, name: dev}}]\n  \
         - name: prod\n    targets: [{namespace: podinfo}]\n    promotion: {manual: true}\n",
    );
    for environment in ["dev", "prod"] {
        let text = RELEASE.replace(
            "VERSION",
            &format!("6.5.1 # {{\"$promotion\": \"flux-system:podinfo:{environment}\"}}"),
        );
        world.write(&format!("checkout/apps/{environment}/podinfo.yaml"), &text);
    }
    world.commit("Deploy podinfo");
    begin(&mut world, &[], "pipelines/podinfo.yaml");
    world.check("init_weave");
}

#[test]
fn a_file_that_is_there_stays() {
    let mut world = World::empty();
    world.repository(&[("dev", "1.1.0"), ("prod", "1.0.0")]);
    world.write("pipelines/web.yaml", "# mine\n");
    world.run(&["init", "checkout", "--dry-run"]);
    world.run(&["init", "checkout"]);
    world.show("pipelines/web.yaml");
    world.run(&["init", "checkout", "--force"]);
    world.check("init_force");
}

#[test]
fn nothing_was_found() {
    let mut world = World::empty();
    world.write("checkout/apps/dev/podinfo.yaml", &RELEASE.replace("VERSION", "6.x"));
    world.run(&["init", "checkout"]);
    world.run(&["init", "checkout", "--pipeline", "podinfo"]);
    world.run(&["init", "nowhere"]);
    world.check("init_nothing");
}
