//! Promotions in repositories as people have them: each place in which a version can be, and the one line
//! that changes.

use crate::serving::Serving;
use crate::world::World;

const STAGES: [&str; 3] = ["dev", "staging", "prod"];

/// A Deployment and a HelmRelease that are defined once, and a folder of patches a stage.
fn stages(world: &World, tags: [&str; 3]) {
    let write = |name: &str, text: &str| world.write(&format!("checkout/{name}"), text);
    write(
        "apps/nginx.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: nginx\nspec:\n  template:\n    spec:\n      \
         containers:\n      - name: nginx\n        image: nginx:1.21.6\n",
    );
    write(
        "apps/podinfo.yaml",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: podinfo\nspec:\n  chart:\n    \
         spec:\n      chart: podinfo\n      version: 5.2.1\n",
    );
    write("apps/kustomization.yaml", "resources: [nginx.yaml, podinfo.yaml]\n");
    for (stage, tag) in STAGES.into_iter().zip(tags) {
        let patches = if stage == "dev" {
            "- path: nginx-tag.yaml\n- path: podinfo-version.yaml\n  target: {kind: HelmRelease, name: podinfo}\n"
        } else {
            "- path: nginx-tag.yaml\n"
        };
        write(
            &format!("base/{stage}/kustomization.yaml"),
            &format!(
                "# {stage}\nnamespace: {stage}\nresources:\n- ../../apps\n- sync.yaml\npatches:\n{patches}"
            ),
        );
        write(
            &format!("base/{stage}/nginx-tag.yaml"),
            &format!(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: nginx   # patched\nspec:\n  template:\n    \
                 spec:\n      containers:\n      - name: nginx\n        image: nginx:{tag} # keep\n"
            ),
        );
        write(
            &format!("base/{stage}/sync.yaml"),
            &format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: base-{stage}\n\
                 spec:\n  path: ./base/{stage}\n  prune: true\n  force: true\n"
            ),
        );
    }
    write(
        "base/dev/podinfo-version.yaml",
        "- op: replace\n  path: /spec/chart/spec/version\n  value: 6.1.6 # {\"$imagepolicy\": \"flux-system:podinfo:tag\"}\n",
    );
    world.commit("Stages");
}

/// A pipeline of as many environments as there are edits, each with its `edit:`.
fn pipeline(world: &World, name: &str, edits: &[String]) {
    let mut text = format!(
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: {name}, namespace: apps}}\nspec:\n  \
         repository: {{url: ../fleet.git}}\n  environments:\n"
    );
    for (stage, edit) in STAGES.into_iter().zip(edits) {
        text.push_str(&format!(
            "  - name: {stage}\n    targets: [git: {{}}]\n    promote: {{strategy: push}}\n    edit:\n    - {edit}\n"
        ));
    }
    world.write(&format!("pipelines/{name}.yaml"), &text);
}

const TAG: &str = "select: {kind: Deployment, name: nginx, path: 'spec.template.spec.containers[name=nginx].image'}, part: tag";

/// Runs `serve` until there are this many commits beside the first one, and writes down what they changed.
fn promoted(world: &mut World, commits: usize) {
    let mut serving = Serving::start(world.gradus());
    let bare = world.path("fleet.git");
    let count = |world: &World| world.git(&bare, &["rev-list", "--count", "main"]).trim().parse::<usize>();
    serving.until(world, |_| count(world).is_ok_and(|count| count > commits));
    serving.until(world, |status| !status.contains("next:"));
    serving.stop();
    assert_eq!(count(world), Ok(commits + 1));
    let first = world.git(&bare, &["rev-list", "--max-parents=0", "main"]);
    let range = format!("{}..main", first.trim());
    let log = world.git(&bare, &["log", "-p", "--reverse", "--format=%n%s", "--no-ext-diff", "-U0", &range]);
    let shown = |line: &&str| !["index ", "--- ", "diff ", "@@"].iter().any(|start| line.starts_with(start));
    let told: Vec<String> = log.lines().filter(shown).map(|line| line.replace('\r', "\\r")).collect();
    world.record(&format!("{}\n\n", told.join("\n")));
    assert_eq!(world.git(&bare, &["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn k4_k7_k17_k19_a_promotion_edits_the_patch_of_the_stage() {
    let mut world = World::empty();
    stages(&world, ["1.23.1", "1.22.0", "1.22.0"]);
    let file = |stage: &str| format!("{{file: base/{stage}/nginx-tag.yaml, {TAG}}}");
    pipeline(&world, "nginx", &[file("dev"), file("staging"), file("prod")]);
    // One commit a step, and none into the first stage.
    promoted(&mut world, 2);
    world.check("places_patch");
}

#[test]
fn k5_k6_a_stage_without_a_patch_is_named_or_gets_one() {
    let mut world = World::empty();
    stages(&world, ["1.23.1", "1.22.0", "1.21.6"]);
    let dev = "{file: base/dev/podinfo-version.yaml, operation: /spec/chart/spec/version}";
    let patch = "kustomization: base/staging, patch: {kind: HelmRelease, name: podinfo, path: spec.chart.spec.version}";
    pipeline(&world, "podinfo", &[dev.to_owned(), format!("{{{patch}}}")]);
    world.run(&["status", "podinfo"]);
    pipeline(&world, "podinfo", &[dev.to_owned(), format!("{{{patch}, create: true}}")]);
    promoted(&mut world, 1);
    world.check("places_no_patch");
}

#[test]
fn a16_every_form_changes_its_value_and_no_other_byte() {
    let mut world = World::empty();
    let write = |stage: &str, version: &str| {
        let write = |name: &str, text: &str| world.write(&format!("checkout/{stage}/{name}"), text);
        write(
            "podinfo-helmrelease.yaml",
            &format!(
                "kind: HelmRelease\nmetadata: {{name: podinfo}}\nspec:\n  chart:\n    spec:\n      version:   '{version}'   # chart\n"
            ),
        );
        write(
            "kustomization.yaml",
            &format!("images:\n- name: web   # main\n  newTag: \"{version}\"\n  digest: sha256:{stage}\n"),
        );
        write(
            "values-map.yaml",
            &format!(
                "kind: ConfigMap\nmetadata: {{name: values}}\ndata:\n  values.yaml: |\n    # chart\n    image:\n      tag: {version}\n      repository: ghcr.io/acme/web\n"
            ),
        );
        write("values.json", &format!("{{\n\t\"image\": {{ \"tag\": \"{version}\" }}\n}}"));
        write("app.toml", &format!("[image] # the one\ntag = '{version}'\n"));
        write(".env", &format!("# build\nexport WEB_VERSION={version} # now\r\nOTHER=1\r\n"));
        write(
            "application.yaml",
            &format!(
                "kind: Application\nmetadata: {{name: web}}\nspec:\n  source:\n    targetRevision: {version}\n    helm:\n      parameters:\n      - name: image.tag\n        value: {version}\n"
            ),
        );
    };
    write("dev", "1.1.0");
    write("staging", "1.0.0");
    world.commit("Every form");
    let edits = |stage: &str| {
        format!(
            "{{file: {stage}/podinfo-helmrelease.yaml, select: {{kind: HelmRelease, path: spec.chart.spec.version}}}}\n    \
             - {{kustomization: {stage}, image: web, digest: drop}}\n    \
             - {{file: {stage}/values-map.yaml, inside: {{path: 'data[\"values.yaml\"]'}}, select: {{path: image.tag}}}}\n    \
             - {{file: {stage}/values.json, select: {{path: /image/tag}}}}\n    \
             - {{file: {stage}/app.toml, select: {{path: image.tag}}}}\n    \
             - {{file: {stage}/.env, select: {{path: WEB_VERSION}}}}\n    \
             - {{file: {stage}/application.yaml, select: {{path: spec.source.targetRevision}}}}\n    \
             - {{file: {stage}/application.yaml, select: {{path: 'spec.source.helm.parameters[name=image.tag].value'}}}}"
        )
    };
    pipeline(&world, "web", &[edits("dev"), edits("staging")]);
    promoted(&mut world, 1);
    world.check("places_forms");
}

#[test]
fn a29_targets_that_share_a_marker_change_together() {
    let mut world = World::empty();
    let file = |folder: &str, environment: &str, version: &str| {
        world.write(
            &format!("checkout/{folder}/podinfo.yaml"),
            &format!("spec:\n  version: '{version}' # {{\"$promotion\": \"apps:podinfo:{environment}\"}}\n"),
        );
    };
    file("stg", "staging", "1.1.0");
    file("prd", "prod", "1.0.0");
    file("prd2", "prod", "1.0.0");
    world.commit("Two of prod");
    world.write(
        "pipelines/podinfo.yaml",
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {name: podinfo, namespace: apps}\nspec:\n  \
         repository: {url: ../fleet.git}\n  environments:\n  - {name: staging, targets: [git: {}]}\n  \
         - {name: prod, targets: [git: {}], promote: {strategy: push}}\n",
    );
    promoted(&mut world, 1);
    world.check("places_shared_marker");
}

#[test]
fn a13_a_range_is_not_overwritten() {
    let mut world = World::empty();
    world.write("checkout/dev/chart.yaml", "spec:\n  version: 1.1.9\n");
    world.write("checkout/dev-test/chart.yaml", "spec:\n  version: '>=0.0.3'\n");
    world.commit("A range");
    let edit = |folder: &str| format!("{{file: {folder}/chart.yaml, select: {{path: spec.version}}}}");
    pipeline(&world, "podinfo", &[edit("dev"), edit("dev-test")]);
    let mut serving = Serving::start(world.gradus());
    serving.until(&world, |status| status.contains("1.1.9"));
    serving.stop();
    world.run(&["status", "podinfo"]);
    assert_eq!(world.git(&world.path("fleet.git"), &["rev-list", "--count", "main"]).trim(), "1");
    world.check("places_range");
}
