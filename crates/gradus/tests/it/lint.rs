//! `gradus lint`: every mistake, with its line.

use crate::world::{WEB, World};

#[test]
fn mistakes_are_shown_with_their_lines() {
    let mut world = World::web();
    world.run(&["lint"]);
    world.write(
        "pipelines/shop.yaml",
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: shop}\nspec:\n  repository: {url: ../fleet.git}\n  \
         environments:\n  - name: dev\n    targets: [git: {}]\n  - name: prod\n    after: [stagng]\n    targets: [git: {}]\n    \
         promot: {strategy: push}\n",
    );
    world.write(
        "pipelines/broken.yaml",
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: [}\n",
    );
    world
        .write("pipelines/fleet.yaml", "apiVersion: gradus.dev/v1alpha1\nkind: Fleet\nmetadata: {name: x}\n");
    world.run(&["lint"]);
    world.run(&["lint", "pipelines/web.yaml", "pipelines/shop.yaml"]);
    world.run(&["lint", "pipelines", "-o", "json"]);
    world.check("lint");
}

#[test]
fn paths_of_edits_are_read_as_the_editor_reads_them() {
    let mut world = World::web();
    let edits = "      edit:\n        - file: prod.yaml\n          select: {kind: A, path: spec.tag}\n        \
                 - file: prod.yaml\n          select:\n            path: images[name=web.newTag\n";
    world.write("pipelines/web.yaml", &WEB.replace("      gates", &format!("{edits}      gates")));
    world.run(&["lint"]);
    world.run(&["lint", "-o", "yaml"]);
    world.check("lint_paths");
}

#[test]
fn there_may_be_nothing_to_check() {
    let mut world = World::empty();
    world.write("other/config.yaml", "kind: ConfigMap\n");
    world.run(&["lint", "other"]);
    world.run(&["lint", "nowhere"]);
    world.check("lint_nothing");
}

const POLICY: &str =
    "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImagePolicy\nmetadata: {name: NAME}\n";
const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

#[test]
fn a_marker_that_no_image_policy_matches() {
    let mut world = World::empty();
    let write_policy = |file: &str, name: &str| world.write(file, &POLICY.replace("NAME", name));
    write_policy("fleet/dev/policy.yaml", "nginx-dev");
    write_policy("fleet/tenant/policy.yaml", "web");
    // This one is told its namespace by nobody: it may land anywhere.
    write_policy("fleet/loose/policy.yaml", "loose");
    world.write(
        "fleet/dev/kustomization.yaml",
        &format!("{KUSTOMIZATION}namespace: dev\nresources:\n- policy.yaml\n- tag.yaml\n"),
    );
    world.write(
        "fleet/sync.yaml",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: tenant, namespace: flux-system}\n\
         spec: {path: ./tenant, targetNamespace: shop}\n",
    );
    world.write(
        "fleet/dev/tag.yaml",
        "spec:\n  image: nginx:1.23.1 # {\"$imagepolicy\": \"flux-system:nginx-dev\"}\n  \
         same: nginx:1.23.1 # {\"$imagepolicy\": \"dev:nginx-dev\"}\n  \
         tag: \"1.23.1\" # {\"$imagepolicy\": \"apps:web:tag\"}\n  \
         shop: web:1 # {\"$imagepolicy\": \"shop:web\"}\n  \
         loose: web:1 # {\"$imagepolicy\": \"a:loose\"}\n  \
         gone: web:1 # {\"$imagepolicy\": \"dev:gone\"}\n",
    );
    world.run(&["lint", "fleet"]);
    world.run(&["lint", "fleet", "-o", "json"]);
    // Where no policy is among the files, they are kept elsewhere.
    world.run(&["lint", "fleet/dev/tag.yaml"]);
    world.check("lint_image_policy_marker");
}

#[test]
fn a_kustomization_outside_the_order_of_the_others() {
    let mut world = World::empty();
    let one = |name: &str, path: &str, more: &str| {
        format!(
            "---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: {name}\n  \
             namespace: flux-system\nspec:\n  path: {path}\n{more}"
        )
    };
    let after = |name: &str| format!("  dependsOn:\n    - name: {name}\n");
    let infrastructure = one("releases", "./infrastructure/releases", "")
        + &one("manifests", "./infrastructure/manifests", &after("releases"));
    world.write("clusters/staging/infrastructure.yaml", &infrastructure);
    world.write("clusters/staging/apps.yaml", &one("apps", "./apps/staging/", ""));
    // What brings all of them comes first, wherever it is written.
    world.write("clusters/staging/sync.yaml", &one("flux-system", "./clusters/staging", ""));
    // Where nobody waits, there is no order to be outside of.
    world.write("clusters/prod/apps.yaml", &(one("apps", "./apps/prod", "") + &one("more", "./more", "")));
    world.run(&["lint", "clusters"]);
    world.write("clusters/staging/apps.yaml", &one("apps", "./apps/staging/", &after("manifests")));
    world.run(&["lint", "clusters"]);
    world.check("lint_outside_the_order");
}

#[test]
fn d14_a_version_that_floats_behind_the_first_environment() {
    let mut world = World::empty();
    let release = |version: &str| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: web}}\nspec:\n  chart:\n    spec:\n      \
             chart: web\n{version}"
        )
    };
    for (stage, version) in [("dev", ""), ("staging", "      version: 1.x\n"), ("prod", "")] {
        world.write(
            &format!("apps/{stage}/kustomization.yaml"),
            &format!("{KUSTOMIZATION}resources: [web.yaml]\n"),
        );
        world.write(&format!("apps/{stage}/web.yaml"), &release(version));
    }
    world.run(&["lint", "apps"]);
    for stage in ["staging", "prod"] {
        world.write(&format!("apps/{stage}/web.yaml"), &release("      version: 1.2.3\n"));
    }
    world.run(&["lint", "apps"]);
    world.check("lint_floating_version");
}

#[test]
fn d16_a_file_outside_its_kustomization() {
    let mut world = World::empty();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n";
    world.write(
        "apps/kustomization.yaml",
        &format!("{KUSTOMIZATION}resources:\n- web.yaml\n# - policies.yaml\n"),
    );
    world.write("apps/web.yaml", pod);
    world.write("apps/policies.yaml", &pod.replace("web", "policy"));
    world.run(&["lint", "apps"]);
    world.write("apps/kustomization.yaml", &format!("{KUSTOMIZATION}resources: [web.yaml, policies.yaml]\n"));
    world.run(&["lint", "apps"]);
    world.check("lint_outside_kustomization");
}

#[test]
fn k8_a_marker_that_no_pipeline_names() {
    let mut world = World::web();
    let markers = ["apps:web:prod", "apps:web:qa", "apps:shop:dev"];
    let text: String =
        markers.iter().map(|marker| format!("- a: 1.0.0 # {{\"$promotion\": \"{marker}\"}}\n")).collect();
    world.write("fleet/apps.yaml", &text);
    world.run(&["lint", "fleet", "pipelines"]);
    // Where no pipeline is among the files, they are kept elsewhere.
    world.run(&["lint", "fleet"]);
    world.check("lint_promotion_marker");
}

#[test]
fn k19_promotions_into_what_flux_syncs_by() {
    let mut world = World::empty();
    let edits = "      edit:\n        - file: base/prod/sync.yaml\n          select: {kind: Kustomization, path: spec.path}\n";
    world.write("pipelines/web.yaml", &WEB.replace("      gates", &format!("{edits}      gates")));
    world.write(
        "base/prod/sync.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: base}\nspec:\n  ref:\n    \
         tag: v1.0.0 # {\"$promotion\": \"apps:web:prod\"}\n",
    );
    world.run(&["lint", "pipelines", "base"]);
    world.check("lint_sync_file");
}

#[test]
fn places_that_are_not_there_and_places_that_two_write() {
    let mut world = World::empty();
    let pipeline = |name: &str, edit: &str| {
        world.write(
            &format!("fleet/pipelines/{name}.yaml"),
            &format!(
                "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: {name}, namespace: apps}}\nspec:\n  \
                 repository: {{url: https://example.com/fleet, branch: main}}\n  environments:\n  \
                 - name: dev\n    targets: [{{git: {{}}}}]\n    edit:\n    - {edit}\n"
            ),
        );
    };
    world.write(
        "fleet/apps/web.yaml",
        "image:\n  tag: 1.0.0 # {\"$promotion\": \"apps:marked:dev\"}\n  # next\n  other: 1\n",
    );
    world.write("fleet/apps/api.toml", "tag = '1'\n");
    pipeline("web", "{file: apps/web.yaml, select: {path: image.tag}}");
    pipeline("web-too", "{file: apps/web.yaml, select: {path: /image/tag}}");
    pipeline("typo", "{file: apps/web.yaml, select: {path: image.tug}}");
    pipeline("gone", "{file: apps/wep.yaml, select: {path: image.tag}}");
    pipeline("made", "{file: apps/web.yaml, select: {path: image.digest}, create: true}");
    pipeline("toml", "{file: apps/api.toml, select: {path: tag}}");
    // What is in no folder that was read is not looked for.
    pipeline("elsewhere", "{file: clusters/web.yaml, select: {path: image.tag}}");
    world.write(
        "fleet/pipelines/marked.yaml",
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: marked, namespace: apps}\nspec:\n  \
         repository: {url: https://example.com/fleet, branch: main}\n  environments:\n  - {name: dev, targets: [git: {}]}\n",
    );
    world.run(&["lint", "fleet"]);
    world.check("lint_places");
}
