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
