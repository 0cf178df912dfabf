//! Keys and elements that come and go, parts of image references, JSON patches and literal blocks.

use std::fmt::Write as _;

use gradus_edit::{
    Edit, FieldPath, ImagePart, KustomizeImage, Limits, Locator, Operation, Outcome, Select, StaleDigest,
    edit_within, read,
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
