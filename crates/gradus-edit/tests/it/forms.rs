//! Keys and elements that come and go, parts of image references, JSON patches and literal blocks.

use std::fmt::Write as _;

use gradus_edit::{
    Edit, FieldPath, ImagePart, ImageSet, KustomizeImage, KustomizePatch, Limits, Locator, Operation,
    Outcome, Select, StaleDigest, edit_within, read, set_images,
};

use crate::at;

const KUSTOMIZATION: &str = "# shop\nresources:\n- ../base\nimages:\n- name: nginx\n  newTag: \"1.22.0\" # by hand\n- name: web\n  newName: registry:5000/web\n  digest: sha256:abc\nnamePrefix: x-\n";

/// The file after the edits; the whole story where it was not edited.
fn made(file: &str, edits: &[Edit]) -> String {
    match edit_within(file.as_bytes(), edits, &Limits::default()) {
        Ok(Outcome::Edited(edited)) => diff(file, &String::from_utf8(edited.bytes).expect("UTF-8")),
        Ok(Outcome::Unchanged) => "unchanged\n".to_owned(),
        Ok(Outcome::Stale(stale)) => format!("stale: {} is {}\n", stale.path, stale.found),
        Err(refusal) => format!("refused: {refusal}\n"),
    }
}

/// The lines that are not in both, with their ends where those are not a line feed.
fn diff(before: &str, after: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(old, new)| old == new).count();
    let mut text = String::new();
    let shown = |sign: char, lines: &[&str], text: &mut String| {
        for line in lines {
            let ended = line.strip_suffix('\n');
            let line = ended.unwrap_or(line).replace('\r', "\\r");
            let end = if ended.is_some() { "" } else { "\\ no newline" };
            writeln!(text, "{sign}{line}{end}").expect("a string");
        }
    };
    shown('-', &old[head..old.len() - tail], &mut text);
    shown('+', &new[head..new.len() - tail], &mut text);
    text
}

/// What came of each case, under its name.
fn told<const N: usize>(cases: [(&str, String); N]) -> String {
    cases.map(|(what, made)| format!("# {what}\n{made}")).join("\n")
}

fn image(name: &str, field: ImagePart, digest: StaleDigest) -> Locator {
    Locator::KustomizeImage(KustomizeImage { image: name.to_owned(), field, digest })
}

fn tag(name: &str) -> Locator {
    image(name, ImagePart::Tag, StaleDigest::Refused)
}

fn operation(path: &str) -> Locator {
    Locator::Operation(Operation { path: FieldPath::parse(path).expect(path) })
}

#[test]
fn images_of_a_kustomization() {
    let dropped = |name| image(name, ImagePart::Tag, StaleDigest::Dropped);
    let made = |edits: &[Edit]| made(KUSTOMIZATION, edits);
    let told = told([
        ("an entry's tag", made(&[Edit::new(tag("nginx"), "1.23.1").expecting("1.22.0")])),
        ("another one is expected", made(&[Edit::new(tag("nginx"), "1.23.1").expecting("1.21.0")])),
        (
            "an entry without the field",
            made(&[
                Edit::new(image("nginx", ImagePart::Name, StaleDigest::Refused), "mirror/nginx").creating()
            ]),
        ),
        (
            "the field is missing and not to be made",
            made(&[Edit::new(image("nginx", ImagePart::Digest, StaleDigest::Refused), "sha256:1")]),
        ),
        ("a tag beside a digest", made(&[Edit::new(tag("web"), "2").creating()])),
        ("a tag, and the digest goes", made(&[Edit::new(dropped("web"), "2").creating()])),
        (
            "a new digest",
            made(&[Edit::new(image("web", ImagePart::Digest, StaleDigest::Refused), "sha256:def")]),
        ),
        ("no entry", made(&[Edit::new(tag("api"), "2.0")])),
        ("a new entry, quoted like the others", made(&[Edit::new(tag("api"), "2.x").creating()])),
        (
            "a new entry with two fields",
            made(&[
                Edit::new(tag("api"), "2.x").creating(),
                Edit::new(image("api", ImagePart::Name, StaleDigest::Refused), "mirror/api").creating(),
            ]),
        ),
        ("a field goes", made(&[Edit::removing(image("web", ImagePart::Digest, StaleDigest::Refused))])),
        (
            "what is not there goes",
            made(&[Edit::removing(image("api", ImagePart::Digest, StaleDigest::Refused))]),
        ),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn files_of_other_styles() {
    let files = [
        ("no images", "resources: [a]\n"),
        ("no images, the last line has no end", "resources:\n    - a\nnamePrefix: x-"),
        ("no images, other line ends", "resources:\r\n  - a\r\n"),
        ("a block at the end", "resources:\n- a\npatches:\n- patch: |\n    a: b\n\n"),
        ("a block that keeps its empty lines", "patches:\n- patch: |+\n    a: b\n\n"),
        ("comments at the end", "resources:\n- a # b\n# the end\n"),
        ("an empty list", "images: []\n"),
        ("a list in brackets", "images: [{name: nginx, newTag: v1}] # c\n"),
        (
            "a list in brackets on several lines",
            "images: [\n  {name: nginx, newTag: v1}, # c\n  {name: b, newTag: v2} # d\n]\n",
        ),
        ("a wide list", "images:\n  -   name: nginx\n      newTag: 'v1'\n"),
        ("JSON", "{\n  \"images\": [\n    {\"name\": \"nginx\", \"newTag\": \"v1\"}\n  ]\n}\n"),
        ("no value", "images:\nresources: [a]\n"),
        ("no mapping", "- a\n"),
        ("an empty file", ""),
    ];
    let made: Vec<String> = files
        .iter()
        .map(|(what, file)| format!("# {what}\n{}", made(file, &[Edit::new(tag("api"), "2.x").creating()])))
        .collect();
    insta::assert_snapshot!(made.join("\n"));
}

#[test]
fn keys_that_are_created_and_taken_away() {
    let file = "spec:\n  chart:\n    spec: {version: '1'}\n  values:\n    # first\n    image:\n      tag: a # old\n    list:\n      - name: x\n        v: 1\n  none:\n  nothing: ~\n---\nkind: Other\n";
    let other = Locator::Path(Select::path(FieldPath::parse("spec.x").expect("a path")).kind("Other"));
    let only = file.split("---\n").next().expect("a document");
    let in_file = made;
    let made = |edit: Edit| made(only, &[edit]);
    let told = told([
        ("a key", made(Edit::new(at("spec.values.image.digest"), "sha256:1").creating())),
        ("keys around it", made(Edit::new(at("spec.values.global.web.tag"), "1.10").creating())),
        ("in braces", made(Edit::new(at("spec.chart.spec.interval"), "5m").creating())),
        ("an element", made(Edit::new(at("spec.values.list[name=y].v"), "on").creating())),
        ("an element by its index", made(Edit::new(at("spec.values.list[1].name"), "y").creating())),
        ("an index that leaves a hole", made(Edit::new(at("spec.values.list[3].name"), "y").creating())),
        ("not asked for", made(Edit::new(at("spec.values.image.digest"), "sha256:1"))),
        ("no value", made(Edit::new(at("spec.none"), "x"))),
        ("null", made(Edit::new(at("spec.nothing"), "null"))),
        ("below what has no value", made(Edit::new(at("spec.none.tag"), "x").creating())),
        ("below a value", made(Edit::new(at("spec.values.image.tag.x"), "x").creating())),
        ("a key that needs quotes", made(Edit::new(at("spec.values[\"a: b\"]"), "#").creating())),
        ("taken away", made(Edit::removing(at("spec.values.list[0].v")))),
        ("the first of an element", made(Edit::removing(at("spec.values.list[0].name")))),
        ("with what is below it", made(Edit::removing(at("spec.values.image.tag")))),
        ("in another document", in_file(file, &[Edit::new(other, "1").creating()])),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn parts_of_a_reference() {
    let file = "a: registry:5000/a/b:1.2@sha256:abc\nb: 'nginx'\nc: {{ x }}\nd: \"{{ x }}:1\"\n";
    let file = &file.replace("c: {{ x }}\n", "");
    let part = |path: &str, part, digest| at(path).part(part, digest);
    let edit = |locator: Locator, set: &str| made(file, &[Edit::new(locator, set)]);
    let (refused, dropped) = (StaleDigest::Refused, StaleDigest::Dropped);
    let told = told([
        ("a tag beside a digest", edit(part("a", ImagePart::Tag, refused), "1.3")),
        ("the digest goes", edit(part("a", ImagePart::Tag, dropped), "1.3")),
        ("the same tag", edit(part("a", ImagePart::Tag, refused), "1.2")),
        ("the digest", edit(part("a", ImagePart::Digest, refused), "sha256:def")),
        ("the digest is taken away", made(file, &[Edit::removing(part("a", ImagePart::Digest, refused))])),
        ("the name", edit(part("a", ImagePart::Name, dropped), "b")),
        ("a tag where there was none", edit(part("b", ImagePart::Tag, refused), "1.2")),
        (
            "another tag is expected",
            made(file, &[Edit::new(part("b", ImagePart::Tag, refused), "1.2").expecting("1.1")]),
        ),
        ("a template", edit(part("d", ImagePart::Tag, refused), "1.2")),
    ]);
    insta::assert_snapshot!(told);
    let tag = read(file.as_bytes(), &part("a", ImagePart::Tag, refused)).expect("a tag");
    assert_eq!(tag.iter().map(|tag| tag.value.as_str()).collect::<Vec<_>>(), ["1.2"]);
}

#[test]
fn operations_of_a_json_patch() {
    let file = "- op: test\n  path: /spec/chart/spec/version\n  value: 1\n- op: replace\n  path: /spec/chart/spec/version\n  value: 6.1.6\n- {op: add, path: /metadata/annotations/a~1b, value: x}\n- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: nginx:1.22.0\n- op: add\n  path: /spec/values\n  value:\n    image: {tag: v1}\n- op: remove\n  path: /spec/gone\n";
    let edit = |path: &str, set: &str| made(file, &[Edit::new(operation(path), set)]);
    let told = told([
        ("a value", edit("spec.chart.spec.version", "6.2.0")),
        ("a key with a slash", edit("metadata.annotations[\"a/b\"]", "y")),
        ("an element", edit("spec.template.spec.containers[0].image", "nginx:1.23.1")),
        ("inside what is written", edit("spec.values.image.tag", "v2")),
        ("a removal", edit("spec.gone", "v2")),
        (
            "a tag of it",
            made(
                file,
                &[Edit::new(
                    operation("spec.template.spec.containers[0].image")
                        .part(ImagePart::Tag, StaleDigest::Refused),
                    "1.23.1",
                )],
            ),
        ),
        (
            "JSON",
            made(
                "[{\"op\": \"replace\", \"path\": \"/a\", \"value\": \"1\"}]\n",
                &[Edit::new(operation("a"), "2")],
            ),
        ),
        (
            "two that write it",
            made(
                "- {op: add, path: /a, value: 1}\n- {op: replace, path: /a, value: 2}\n",
                &[Edit::new(operation("a"), "3")],
            ),
        ),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn values_in_literal_blocks() {
    let file = "apiVersion: v1\nkind: ConfigMap\ndata:\n  values.yaml: |  # of the chart\n    # head\n    image:\n      tag: v1\n\n      name: 'web'\n  other: x\npatches:\n- patch: |-\n    - op: replace\n      path: /spec/version\n      value: 6.1.6\n- >-\n    a: b\n- \"a: b\"\n";
    let values = || at("data[\"values.yaml\"]");
    let edit = |locator: Locator, set: &str| made(file, &[Edit::new(locator, set)]);
    let told = told([
        ("a value", edit(values().inside(at("image.tag")), "v2")),
        (
            "two of a block",
            made(
                file,
                &[
                    Edit::new(values().inside(at("image.tag")), "v2"),
                    Edit::new(values().inside(at("image.name")), "api"),
                ],
            ),
        ),
        ("a new key", made(file, &[Edit::new(values().inside(at("image.digest")), "sha256:1").creating()])),
        ("a key that goes", made(file, &[Edit::removing(values().inside(at("image.tag")))])),
        ("an operation", edit(at("patches[0].patch").inside(operation("spec.version")), "6.2.0")),
        (
            "another is expected",
            made(file, &[Edit::new(values().inside(at("image.tag")), "v2").expecting("v0")]),
        ),
        ("a missing one", edit(values().inside(at("image.tug")), "v2")),
        ("a folded block", edit(at("patches[1]").inside(at("a")), "c")),
        ("no block", edit(at("patches[2]").inside(at("a")), "c")),
        (
            "other line ends",
            made(&file.replace('\n', "\r\n"), &[Edit::new(values().inside(at("image.tag")), "v2")]),
        ),
        ("no end", made("a: |\n  b: 1\n  c: 2", &[Edit::new(at("a").inside(at("c")), "3")])),
        (
            "an indentation that is said",
            made("a: |2\n   b: 1\n   c: 2\n", &[Edit::new(at("a").inside(at("c")), "3")]),
        ),
        ("in a list", made("- |\n  b: 1\n- x\n", &[Edit::new(at("[0]").inside(at("b")), "3")])),
    ]);
    insta::assert_snapshot!(told);
    let found = read(file.as_bytes(), &values().inside(at("image.name"))).expect("a value");
    let said: Vec<String> = found
        .iter()
        .map(|found| {
            format!("{} at {}: {} {:?}", found.path, found.place, found.value, &file[found.span.clone()])
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#"data["values.yaml"].image.name at line 9, column 13: web "'web'""#);
}

#[test]
fn patches_in_a_kustomization() {
    let file = "resources: [../../apps]\npatches:\n  - path: nginx-tag.yaml\n  - target:\n      kind: HelmRelease\n      name: podinfo\n    patch: |-\n      - op: replace\n        path: /spec/chart/spec/version\n        value: 6.1.6 # chart\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: web}\n      spec:\n        template:\n          spec:\n            containers:\n              - name: web\n                image: web:1.2\npatchesStrategicMerge:\n  - other.yaml\n  - |-\n    kind: HelmRelease\n    metadata:\n      name: other\n    spec: {chart: {spec: {version: '1'}}}\n";
    let patch = |kind: &str, name: &str, path: &str| {
        let path = FieldPath::parse(path).expect(path);
        Locator::KustomizePatch(KustomizePatch { kind: kind.to_owned(), name: name.to_owned(), path })
    };
    const VERSION: &str = "spec.chart.spec.version";
    let web = || patch("Deployment", "web", "spec.template.spec.containers[name=web].image");
    let edit = |locator: Locator, set: &str| made(file, &[Edit::new(locator, set)]);
    let told = told([
        ("an operation", edit(patch("HelmRelease", "podinfo", VERSION), "6.2.0")),
        ("a strategic merge", edit(web(), "web:1.3")),
        ("a part of it", edit(web().part(ImagePart::Tag, StaleDigest::Refused), "1.3")),
        ("in an older list", edit(patch("HelmRelease", "other", VERSION), "2")),
        ("no patch", edit(patch("HelmRelease", "none", VERSION), "2")),
        ("a new patch", made(file, &[Edit::new(patch("HelmRelease", "none", VERSION), "2").creating()])),
        (
            "the first patch",
            made(
                "resources: [../../apps]\n",
                &[Edit::new(patch("HelmRelease", "none", VERSION), "2.x").creating()],
            ),
        ),
        (
            "the first patch, in braces",
            made(
                "{\"resources\": [\"../../apps\"]}\n",
                &[Edit::new(patch("HelmRelease", "none", VERSION), "2.x").creating()],
            ),
        ),
        (
            "an element by a field has no pointer",
            made("resources: []\n", &[Edit::new(web(), "2.x").creating()]),
        ),
        (
            "two patches",
            made(
                "patches:\n- target: {kind: A, name: a}\n  patch: |\n    - {op: add, path: /x, value: 1}\n- target: {kind: A}\n  patch: |\n    - {op: add, path: /x, value: 1}\n",
                &[Edit::new(patch("A", "a", "x"), "2")],
            ),
        ),
        (
            "not the expected one",
            made(file, &[Edit::new(patch("HelmRelease", "podinfo", VERSION), "6.2.0").expecting("6.0.0")]),
        ),
    ]);
    insta::assert_snapshot!(told);
    let found = read(file.as_bytes(), &web().part(ImagePart::Tag, StaleDigest::Refused)).expect("a value");
    let said: Vec<String> = found.iter().map(|found| format!("{}: {}", found.place, found.value)).collect();
    assert_eq!(said, ["line 20, column 24: 1.2"]);
}

#[test]
fn images_wherever_they_are_named() {
    let set = |file: &str, what: &str| {
        let image = ImageSet::parse(what).expect(what);
        match set_images(file.as_bytes(), &[image]) {
            Ok(Outcome::Edited(edited)) => diff(file, &String::from_utf8(edited.bytes).expect("UTF-8")),
            Ok(other) => format!("{other:?}\n"),
            Err(refusal) => format!("refused: {refusal}\n"),
        }
    };
    let containers = "spec:\n  containers:\n  - name: a\n    image: nginx:1.22 # c\n  - image: registry:5000/nginx:1\n  initContainers: [{image: 'nginx'}]\n";
    let values = "image:\n  registry: ghcr.io\n  repository: acme/web\n  tag: \"1.2\"\n  digest: sha256:abc\nother:\n  image: {repository: ghcr.io/acme/web, tag: 1.2@sha256:abc}\n";
    let argo = "spec:\n  source:\n    kustomize:\n      images:\n      - nginx:1.22\n      - nginx=mirror/nginx:1.22\n      - other\n";
    let told = told([
        ("a tag in a kustomization", set(KUSTOMIZATION, "nginx=1.23.1")),
        ("a tag beside a digest", set(KUSTOMIZATION, "web=2.0")),
        ("another name", set(KUSTOMIZATION, "nginx=mirror/nginx:1.23.1@sha256:1")),
        ("containers", set(containers, "nginx=1.23.1")),
        ("a registry with a port", set(containers, "registry:5000/nginx=:2")),
        ("chart values", set(values, "ghcr.io/acme/web=1.3")),
        ("chart values with a digest", set(values, "ghcr.io/acme/web=:1.3@sha256:def")),
        ("another repository", set(values, "ghcr.io/acme/web=ghcr.io/acme/api:1")),
        ("another registry", set(values, "ghcr.io/acme/web=quay.io/acme/web:1")),
        ("Argo CD", set(argo, "nginx=1.23.1")),
        ("the same", set(containers.split("  initContainers").next().expect("text"), "nginx=1.22")),
        ("nobody's", set(argo, "redis=1.23.1")),
    ]);
    insta::assert_snapshot!(told);
    for bad in ["nginx", "=1", "nginx=", "nginx=:", "nginx=a@"] {
        assert_eq!(ImageSet::parse(bad), None, "{bad}");
    }
}

#[test]
fn what_would_change_more_than_was_asked_for_is_refused() {
    let anchored = "base: &b\n  image: x\n  tag: 1\nother: *b\n";
    let digest = |name: &str| image(name, ImagePart::Tag, StaleDigest::Dropped);
    let patch = |file: &str| {
        let path = FieldPath::parse("x").expect("a path");
        let patch = KustomizePatch { kind: "A".to_owned(), name: "a".to_owned(), path };
        made(file, &[Edit::new(Locator::KustomizePatch(patch), "2").creating()])
    };
    let told = told([
        ("a key beside which others repeat", made(anchored, &[Edit::new(at("base.new"), "1").creating()])),
        ("a key that others repeat goes", made(anchored, &[Edit::removing(at("base.tag"))])),
        (
            "the marker of the next key",
            made(
                "images:\n- digest: sha256:1\n  # {\"$set\": \"x\"}\n  name: x\n  newTag: \"1\"\n",
                &[Edit::new(digest("x"), "2")],
            ),
        ),
        (
            "the marker of the key before",
            made(
                "images: [{name: x, newTag: \"1\", # {\"$set\": \"x\"}\n  digest: y}]\n",
                &[Edit::new(digest("x"), "2")],
            ),
        ),
        (
            "a marker that would name the next key",
            made(
                "images:\n- name: x\n  # {\"$set\": \"d\"}\n  digest: x\n  newTag: \"1\"\n",
                &[Edit::new(digest("x"), "2")],
            ),
        ),
        (
            "two different texts for one new key",
            made("a: {}\n", &[Edit::new(at("a.b"), "1").creating(), Edit::new(at("a.b"), "2").creating()]),
        ),
        ("a list in brackets has no lines", patch("patches: []\n")),
        (
            "a patch that is broken",
            patch("patches:\n- target: {kind: A, name: a}\n  patch: |\n    - {op: add\n"),
        ),
        (
            "a patch that sets it twice",
            patch(
                "patches:\n- target: {kind: A, name: a}\n  patch: |\n    - {op: add, path: /x, value: 1}\n    - {op: replace, path: /x, value: 1}\n",
            ),
        ),
        (
            "a patch of a namespace",
            patch(
                "patches:\n- target: {kind: A, name: a, namespace: b}\n  patch: |\n    - {op: add, path: /x, value: 1}\n",
            ),
        ),
        (
            "a patch of what has a label",
            patch(
                "patches:\n- target: {labelSelector: app=b}\n  patch: |\n    - {op: add, path: /x, value: 1}\n",
            ),
        ),
        ("a patch of another", patch("patches:\n- target: {kind: A, name: b}\n  patch: |\n    - {op: add\n")),
    ]);
    insta::assert_snapshot!(told);
}

#[test]
fn what_moves_what_stands_behind_it_is_done() {
    let blocks = "version: 1.9.0\na: |\n  tag: 1.9.0\nb: |-\n  tag: 1.9.0\n";
    let in_block = |block: &str| Edit::new(at(block).inside(at("tag")), "1.10.0");
    let name = |file: &str| {
        let image = ImageSet::parse("nginx=other/nginx").expect("an image");
        match set_images(file.as_bytes(), &[image]) {
            Ok(Outcome::Edited(edited)) => diff(file, &String::from_utf8(edited.bytes).expect("UTF-8")),
            other => format!("{other:?}"),
        }
    };
    let told = told([
        (
            "blocks behind longer values",
            made(blocks, &[Edit::new(at("version"), "1.10.0"), in_block("a"), in_block("b")]),
        ),
        ("neighbours that go", name("images:\n- digest: sha256:a\n  newTag: b\n  name: nginx\n")),
        ("neighbours that go, in braces", name("images: [{name: nginx, newTag: \"1\", digest: sha256:a}]\n")),
        ("two fields behind a comma", {
            let image = ImageSet::parse("nginx=other/nginx:1@sha256:a").expect("an image");
            let edited = set_images(b"images: [{name: nginx,}]\n", &[image]).expect("an edit");
            let Outcome::Edited(edited) = edited else { panic!("nothing was done") };
            String::from_utf8(edited.bytes).expect("UTF-8")
        }),
    ]);
    insta::assert_snapshot!(told);
    assert_eq!(gradus_edit::Format::of("a/.env.yaml"), gradus_edit::Format::Yaml);
}
