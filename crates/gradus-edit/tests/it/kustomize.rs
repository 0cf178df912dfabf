//! What kustomizations yield.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use gradus_edit::kustomize::{Build, Repository, Value, build};
use gradus_edit::{Edit, Outcome, edit};

mod environments;
mod patches;
mod versions;

type Files = BTreeMap<String, Vec<u8>>;

/// Files by their paths.
fn files(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

/// A repository below `tests/repositories`.
fn repository(name: &str) -> Files {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repositories").join(name);
    let mut found = Files::new();
    let mut open = vec![top.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(&top).unwrap().display().to_string();
                found.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    found
}

/// The versions with their places, and what was not followed; and each place is where the version is set.
fn told(files: &Files, build: &Build) -> String {
    let mut text = String::new();
    for version in &build.versions {
        let (said, found) = (&version.said, version.version.as_deref());
        writeln!(
            text,
            "{} {} {}: {} ({}) {}:{} {}",
            version.object,
            version.carrier.word(),
            version.name,
            found.unwrap_or("-"),
            version.pin.word(),
            said.file(),
            said.line(),
            said.path()
        )
        .unwrap();
        if let (Some(locator), Some(old)) = (version.locator(), found.filter(|old| !old.contains('@'))) {
            let bytes = &files[said.file()];
            match edit(bytes, &[Edit::new(locator.clone(), "9.9.9").expecting(old)]) {
                Ok(Outcome::Edited(edited)) => {
                    assert_eq!(edited.changes[0].place.line, said.line(), "{text}")
                }
                other => writeln!(text, "  not set: {other:?}").unwrap(),
            }
        }
    }
    for note in &build.notes {
        writeln!(text, "note: {note}").unwrap();
    }
    text
}

/// The same, of a folder.
fn of(files: &Files, folder: &str) -> String {
    told(files, &build(files, folder))
}

#[test]
fn k1_each_stage_has_the_applications_that_are_defined_once() {
    let files = repository("stages");
    for stage in ["dev", "staging", "prod"] {
        let built = build(&files, &format!("base/{stage}"));
        let of = |kind: &str, name: &str| {
            built.objects.iter().find(|object| {
                let id = object.id();
                id.kind == kind && id.name == name && id.namespace == stage
            })
        };
        for (kind, name, file) in
            [("Deployment", "nginx", "apps/nginx.yaml"), ("HelmRelease", "podinfo", "apps/podinfo.yaml")]
        {
            let object = of(kind, name).unwrap_or_else(|| panic!("no {kind} {name} in {stage}"));
            assert_eq!(object.node.origin.file(), file);
        }
        assert_eq!(built.notes, []);
    }
}

#[test]
fn k2_a_stage_is_a_folder_and_a_pipeline_the_one_around_it() {
    let files = repository("stages");
    let environments = Repository::new(&files).environments();
    let of: Vec<_> = environments.iter().map(|one| (one.around(), one.name())).collect();
    assert_eq!(of, [("base", "dev"), ("base", "prod"), ("base", "staging")]);
}

#[test]
fn k3_versions_of_each_stage_are_those_of_its_patches() {
    let files = repository("stages");
    let versions = |stage: &str| {
        let of = |kind: &str| {
            let built = build(&files, &format!("base/{stage}"));
            let found = built.versions.into_iter().find(|one| one.object.kind == kind).unwrap();
            (found.version.clone().unwrap(), format!("{}:{}", found.said.file(), found.said.line()))
        };
        [of("Deployment"), of("HelmRelease")]
    };
    let expected = |nginx: (&str, &str), podinfo: (&str, &str)| {
        [nginx, podinfo].map(|(version, place)| (version.to_owned(), place.to_owned()))
    };
    let base = ("5.2.1", "apps/podinfo.yaml:19");
    assert_eq!(
        versions("dev"),
        expected(("1.23.1", "base/dev/nginx-tag.yaml:10"), ("6.1.6", "base/dev/podinfo-version.yaml:3"))
    );
    assert_eq!(versions("staging"), expected(("1.22.0", "base/staging/nginx-tag.yaml:10"), base));
    assert_eq!(versions("prod"), expected(("1.21.6", "base/prod/nginx-tag.yaml:10"), base));
    for stage in ["dev", "staging", "prod"] {
        let text = of(&files, &format!("base/{stage}"));
        assert!(!text.contains("not set") && !text.contains("note"), "{text}");
    }
}

#[test]
fn garbage_is_told_and_breaks_nothing() {
    let files = files(&[
        (
            "kustomization.yaml",
            "resources: [a.yaml, b.yaml, {x: y}, 1, null, ../.., /etc, loop, \"\"]\npatches: 7\nimages: [1, {name: a}, {newTag: 1}]\nnamespace: [a]\nnamePrefix: {}\ncomponents: a\n",
        ),
        ("a.yaml", "kind: [\n"),
        (
            "b.yaml",
            "- 1\n---\nkind: Pod\nspec: {containers: 1, template: [a], initContainers: [1, {image: }]}\n---\nkind: List\nitems: [1, {kind: List, items: [{kind: Pod}]}]\n--- \nnull\n",
        ),
        (
            "loop/kustomization.yaml",
            "resources: [.., ., deep]\npatches: [{path: x}, {patch: '['}, {patch: 1}, {patch: '- a', target: {kind: '('}}, {target: {kind: '*'}}]\npatchesStrategicMerge: ['a: {', 1, ../b.yaml]\npatchesJson6902: [{target: 1, patch: '- op: x'}, {target: {kind: Pod}, patch: '- 1'}]\n",
        ),
        ("loop/deep/kustomization.yaml", "[\u{7f}"),
        ("utf/kustomization.yaml", "resources: [a.yaml]\n"),
    ]);
    let mut files = files;
    files.insert("utf/a.yaml".to_owned(), vec![0xff, 0xfe, 0]);
    insta::assert_snapshot!(
        ["", "loop", "utf", "nowhere"].map(|folder| format!("{folder}:\n{}", of(&files, folder))).concat()
    );
    Repository::new(&files).environments();
    Repository::new(&files).unreached();
}

#[test]
fn aliases_that_repeat_without_end_are_bounded() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        writeln!(text, "a{level}: &a{level} [{}]", vec![before; 10].join(", ")).unwrap();
    }
    let files = files(&[("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", &text)]);
    let built = build(&files, "");
    assert!(built.objects.is_empty());
    assert!(built.notes[0].to_string().contains("more than 500000"), "{:?}", built.notes);
}

#[test]
fn a_value_with_an_anchor_is_where_the_anchor_is() {
    let files = files(&[
        ("kustomization.yaml", "resources: [a.yaml]\n"),
        (
            "a.yaml",
            "kind: Pod\nmetadata: {name: a}\nx:\n  base: &base\n    image: web:1\nspec:\n  containers:\n  - <<: *base\n    name: web\n",
        ),
    ]);
    let built = build(&files, "");
    assert_eq!((built.versions[0].said.line(), built.versions[0].version.as_deref()), (5, Some("1")));
    assert!(matches!(built.objects[0].node.value, Value::Mapping(_)));
}
