//! `gradus find`: where versions stand, and what environments have. What kustomizations yield is
//! compared with what kustomize itself makes of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use gradus_edit::kustomize::{Build, Node, Value, build};
use gradus_testbed::Tool;

use crate::world::World;

/// The repository of stages, which lies with the tests of what reads it.
fn stages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus-edit/tests/repositories/stages")
}

fn files(top: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![top.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(top).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

fn world() -> World {
    let world = World::empty();
    for (path, bytes) in files(&stages()) {
        world.write(&format!("checkout/{path}"), &String::from_utf8(bytes).unwrap());
    }
    world
}

#[test]
fn k3_places_and_the_versions_of_all_stages() {
    let mut world = world();
    world.run(&["find", "6.1.6", "checkout"]);
    world.run(&["find", "1.22.0", "checkout", "-o", "json"]);
    world.run(&["find", "--effective", "checkout"]);
    world.run(&["find", "9.9.9", "checkout"]);
    world.run(&["find"]);
    world.run(&["find", "--effective", "1.22.0", "checkout"]);
    world.run(&["find", "1", "nowhere"]);
    world.write("checkout/broken.yaml", "a: [6.1.6\n");
    world.run(&["find", "6.1.6", "checkout"]);
    world.check("find");
}

#[test]
fn the_same_without_a_clone() {
    let mut world = world();
    world.commit("All stages");
    world.run(&["find", "6.1.6", "--repo", "fleet.git"]);
    world.run(&["find", "6.1.6", "base/staging", "--repo", "fleet.git", "--branch", "main"]);
    world.check("find_repository");
}

/// All values of all objects, by the object and the way to them.
fn flat(build: &Build) -> BTreeMap<String, String> {
    fn walk(node: &Node, path: &str, found: &mut BTreeMap<String, String>) {
        match &node.value {
            Value::Mapping(entries) => {
                entries.iter().for_each(|(key, node)| walk(node, &format!("{path}/{key}"), found));
            }
            Value::List(elements) => {
                elements.iter().enumerate().for_each(|(at, node)| walk(node, &format!("{path}/{at}"), found));
            }
            Value::Text(text) => drop(found.insert(path.to_owned(), text.text.to_string())),
            Value::Null => drop(found.insert(path.to_owned(), "null".to_owned())),
        }
    }
    let mut found = BTreeMap::new();
    for object in &build.objects {
        walk(&object.node, &object.id().to_string(), &mut found);
    }
    found
}

#[tokio::test]
async fn k1_what_a_kustomization_yields_is_what_kustomize_makes_of_it() {
    let kubectl = gradus_testbed::find_tool(Tool::Kubectl).await.unwrap();
    let check = |top: &Path, folder: &str| {
        let output = Command::new(&kubectl).args(["kustomize", folder]).current_dir(top).output().unwrap();
        assert!(output.status.success(), "{folder}: {}", String::from_utf8_lossy(&output.stderr));
        let theirs = build(&BTreeMap::from([("all.yaml".to_owned(), output.stdout)]), "");
        let ours = build(&files(top), folder);
        assert_eq!(ours.notes, [], "{folder}");
        assert!(!ours.objects.is_empty());
        assert_eq!(flat(&ours), flat(&theirs), "{folder}");
    };
    for stage in ["dev", "staging", "prod"] {
        check(&stages(), &format!("base/{stage}"));
    }
    let world = World::empty();
    let web = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: registry:5000/web:1.0@sha256:0000000000000000000000000000000000000000000000000000000000000000\n        ports:\n        - containerPort: 80\n          name: http\n        env:\n        - {name: A, value: a}\n        - {name: B, value: b}\n      - name: side\n        image: side\n      initContainers:\n      - name: first\n        image: side:1\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: x\n---\napiVersion: example.com/v1\nkind: Rollout\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: a\n    image: side:2\n  - name: b\n    image: b:2\n";
    world.write("k/base/web.yaml", web);
    world.write("k/base/kustomization.yaml", "resources:\n- web.yaml\nnamePrefix: a-\n");
    world.write("k/pinned/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nimages:\n- name: side\n  newTag: \"3\"\n- name: registry:5000/web\n  newName: web\n  digest: sha256:1111111111111111111111111111111111111111111111111111111111111111\n");
    world.write("k/over/kustomization.yaml", "resources:\n- ../base\ncomponents:\n- ../pinned\nnamespace: over\nnameSuffix: -z\npatches:\n- path: merge.yaml\n- patch: |-\n    - op: replace\n      path: /spec/containers/0/image\n      value: new:5\n    - op: add\n      path: /spec/containers/-\n      value: {name: c, image: \"side:9\"}\n  target:\n    kind: Roll.*\n    name: .*web\n- target:\n    kind: Deployment\n  patch: |\n    kind: Deployment\n    metadata: {name: any}\n    spec:\n      template:\n        spec:\n          containers:\n          - name: late\n            image: late:1\n          - name: web\n            env:\n            - {name: B, value: c}\n            - {name: A, $patch: delete}\n            ports:\n            - {containerPort: 81}\n          - name: side\n            image: null\n            command: [a, b]\n");
    world.write("k/over/merge.yaml", "apiVersion: example.com/v1\nkind: Rollout\nmetadata:\n  name: web\nspec:\n  more: {x: 1, y: [1, 2]}\n  containers:\n  - name: z\n    image: z:1\n");
    world.write("k/delete/kustomization.yaml", "resources:\n- ../over\npatchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: Namespace\n  metadata: {name: x}\n  $patch: delete\npatchesJson6902:\n- target: {group: apps, version: v1, kind: Deployment, name: web}\n  patch: |-\n    - {op: remove, path: /spec/template/spec/initContainers}\n    - {op: test, path: /kind, value: Deployment}\nimages:\n- name: late\n  newTag: \"2\"\n");
    for folder in ["base", "over", "delete"] {
        check(&world.path("k"), folder);
    }
}
