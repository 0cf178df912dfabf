//! `gradus crds`: what a cluster needs.

use std::path::Path;

use crate::world::World;

/// The files that are kept in the repository, in their order.
fn kept() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/crd");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with("kustomization.yaml"));
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn all_that_is_kept_is_printed() {
    let output = World::empty().gradus().arg("crds").output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let kept: String = kept().into_iter().map(|(_, text)| text).collect();
    assert!(printed == kept, "config/crd is not what is printed: run `just gen`");
}

#[test]
fn files_are_written_once() {
    let mut world = World::empty();
    world.run(&["crds", "--output", "crd", "--dry-run"]);
    assert!(!world.path("crd").exists());
    world.run(&["crds", "--output", "crd"]);
    for (name, text) in kept() {
        assert_eq!(std::fs::read_to_string(world.path("crd").join(&name)).unwrap(), text, "{name}");
    }
    world.write("crd/gradus.dev_holds.yaml", "older\n");
    world.run(&["crds", "--output", "crd", "--dry-run"]);
    world.run(&["crds", "--output", "crd"]);
    world.run(&["crds", "--dry-run"]);
    world.check("crds");
}
