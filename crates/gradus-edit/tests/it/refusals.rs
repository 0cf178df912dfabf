//! The text of every refusal.

use gradus_edit::{Edit, FieldPath, Locator, Select, edit, read};

use crate::at;

const STREAM: &str = "\
kind: HelmRelease
metadata: {name: web, namespace: apps}
---
kind: HelmRelease
metadata: {name: api}
---
- 1
";

/// What `read` or else `edit` says of each file, in one text.
fn refusals(cases: &[(&str, Locator)]) -> String {
    let mut text = String::new();
    let mut shown = None;
    for (file, locator) in cases {
        let edits = [Edit::new(locator.clone(), "v9")];
        let (what, error) = match read(file.as_bytes(), locator) {
            Err(error) => ("", error),
            Ok(_) => ("only the edit: ", edit(file.as_bytes(), &edits).expect_err(file)),
        };
        if shown.replace(file) != Some(file) {
            text.push_str(&format!("{file:?}\n"));
        }
        text.push_str(&format!("  {what}{error}\n"));
    }
    text
}

#[test]
fn paths_that_lead_nowhere() {
    let file = "spec:\n  chart: {name: web}\n  images: [{name: a}, {name: b}, x]\n  empty: {}\n  none:\n";
    let cases = [
        "sepc.chart",
        "spec.chart.version",
        "spec.Chart",
        "spec.chart.name.x",
        "spec.images.name",
        "spec.images[3]",
        "spec.images[name=c]",
        "spec.images[kind=c]",
        "spec.chart[0]",
        "spec.chart[name=web]",
        "spec.empty.x",
        "spec.none.x",
        "[0]",
        "spec.\"a.b\"",
        "spec",
        "spec.images",
        "spec.none",
    ];
    insta::assert_snapshot!(refusals(&cases.map(|path| (file, at(path)))));
    let keys: String = (0..20).map(|key| format!("{}{key}: 1\n", "key".repeat(key))).collect();
    insta::assert_snapshot!(refusals(&[(&keys, at("x"))]));
}

#[test]
fn documents_that_do_not_match() {
    let select = || Select::path(FieldPath::parse("metadata.name").expect("a path"));
    let many = "---\nkind: A\n".repeat(10);
    insta::assert_snapshot!(refusals(&[
        (STREAM, Locator::Path(select())),
        (STREAM, Locator::Path(select().kind("HelmRelease"))),
        (STREAM, Locator::Path(select().kind("helmRelease"))),
        (STREAM, Locator::Path(select().kind("HelmRelease").name("web").namespace("prod").api_version("v2"))),
        ("", Locator::Path(select())),
        ("# only a comment\n---\n", Locator::Path(select().kind("A"))),
        (&many, Locator::Path(select())),
        (&many, Locator::Path(select().kind("B"))),
    ]));
}

#[test]
fn values_that_cannot_be_edited() {
    insta::assert_snapshot!(refusals(&[
        ("a: |\n  v1\n", at("a")),
        ("a: >-\n  v1\n", at("a")),
        ("a:\nb: 1\n", at("a")),
        ("a: null\n", at("a")),
        ("a: {b: }\n", at("a.b")),
        ("a: 'x-{{ .Values.tag }}'\n", at("a")),
        ("a: {{ .Values.tag }}\n", at("a")),
        ("a: !!int 3\n", at("a")),
        ("a: v1\nb: x\na: v2\n", at("a")),
        ("a: {b: 1}\nc: 1\n\"a\": {b: 1}\n'a': 2\n", at("a.b")),
        ("l: [{n: a}, {n: b},\n {n: a}]\n", at("l[n=a].n")),
    ]));
}

#[test]
fn values_that_are_shared() {
    let file = "base: &b\n  v: &w v1\nx: *b\ny:\n  <<: *b\n  own: *w\nz: &unused v1\n---\nv: &b v1\n";
    let first = |path: &str| {
        let path = FieldPath::parse(path).expect(path);
        Locator::Path(Select {
            api_version: None,
            kind: Some("K".to_owned()),
            name: None,
            namespace: None,
            path,
        })
    };
    let file = format!("kind: K\n{file}");
    insta::assert_snapshot!(refusals(&[
        (&file, first("base.v")),
        (&file, first("x")),
        (&file, first("x.v")),
        (&file, first("y.v")),
        (&file, first("y.own")),
        (&file, first("y.\"<<\".v")),
        ("a: &a [v1]\nb: *a\n", at("a[0]")),
        ("&r a: v1\nb: &r {c: v1}\nd: *r\n", at("b.c")),
    ]));
}

#[test]
fn files_that_cannot_be_read() {
    let mut text = refusals(&[
        ("a: [1\n", at("a")),
        ("a: \"x\"#c\n", at("a")),
        ("a: 1\n b: 2\n", at("a")),
        ("a: \u{1}\n", at("a")),
        ("a: *nothing\n", at("a")),
        ("a:\n  b: \"x\ny\"\n", at("a.b")),
        ("a:\n\t- b\n", at("a")),
        ("{{- if .Values.on }}\na: 1\n{{- end }}\n", at("a")),
        ("a: 1\n---\nb: [\n", at("a")),
    ]);
    for bytes in [&b"a: 1\nb: caf\xe9\n"[..], b"\xff\xfea\0:\0 \x001\0", b"\xf0\x9f"] {
        text.push_str(&format!("{}\n", read(bytes, &at("a")).expect_err("not UTF-8")));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn new_values_that_do_not_fit_on_a_line() {
    for bad in ["a\nb", "a\rb", "\t", "\0", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}", "\u{ffff}"] {
        let error = edit(b"a: v1\n", &[Edit::new(at("a"), bad)]).expect_err("a character that does not fit");
        let character = bad.chars().find(|c| !c.is_ascii_lowercase()).expect("a character");
        let text =
            format!("the new value has the character {character:?}, which cannot be written on one line");
        assert_eq!(error.to_string(), text);
    }
}
