//! Naming a value by document and path.

use gradus_edit::{FieldPath, Locator, Select, read};

use crate::{at, set};

const STREAM: &str = "\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: a}
spec: {image: web:1}
---
# nothing here
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: b
spec: {image: web:2}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: b}
spec: {image: none}
";

fn image() -> Select {
    Select::path(FieldPath::parse("spec.image").expect("a path"))
}

#[test]
fn the_document_is_found_by_what_it_says_of_itself() {
    let check = |select: Select, value: &str, document: usize, line: usize| {
        let found = read(STREAM.as_bytes(), &Locator::Path(select)).expect(value);
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((found.value.as_str(), found.place.document, found.place.line), (value, document, line));
        assert_eq!(STREAM.get(found.span.clone()), Some(value));
    };
    check(image().kind("Deployment").namespace("a"), "web:1", 1, 5);
    check(image().kind("Deployment").name("web").namespace("b"), "web:2", 3, 14);
    check(image().api_version("v1"), "none", 4, 19);
}

#[test]
fn without_a_condition_the_one_document_that_has_the_path_is_meant() {
    let stream = "kind: A\nx: {y: 1}\n---\n---\nkind: B\nx: {z: 2}\n---\n[1]\n";
    let read = |path: &str| read(stream.as_bytes(), &at(path)).map(|found| found[0].value.clone());
    assert_eq!(read("x.y").as_deref(), Ok("1"));
    assert_eq!(read("x.z").as_deref(), Ok("2"));
    assert_eq!(read("[0]").as_deref(), Ok("1"));
    let refused = |path: &str| read(path).expect_err(path).to_string();
    assert_eq!(
        refused("kind"),
        "2 documents have kind, on lines 1 and 5; select one by kind, name or namespace"
    );
    assert_eq!(
        refused("x.w"),
        "the file has 3 documents, on lines 1, 5 and 8; select one by kind, name or namespace"
    );
}

#[test]
fn an_edit_stays_in_its_document() {
    let locator = Locator::Path(image().kind("Deployment").namespace("b"));
    assert_eq!(set(STREAM, &locator, "web:3"), Ok(STREAM.replace("web:2", "web:3")));
}

#[test]
fn elements_are_found_by_field_and_by_index() {
    let file =
        "images:\n- name: a/b:c.d\n  newTag: x\n- newTag: y # the other\n  name: 'web'\nports: [80, 443]\n";
    let check = |path: &str, value: &str, place: (usize, usize), written: &str| {
        let found = read(file.as_bytes(), &at(path)).expect(path);
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(found.value, value, "{path}");
        assert_eq!((found.place.line, found.place.column), place, "{path}");
        assert_eq!(found.path.to_string(), written, "{path}");
    };
    check("images[name=a/b:c.d].newTag", "x", (3, 11), "images[0].newTag");
    check("images[name=web].newTag", "y", (4, 11), "images[1].newTag");
    check("images[1].name", "web", (5, 9), "images[1].name");
    check("ports[1]", "443", (6, 13), "ports[1]");
    check("ports.1", "443", (6, 13), "ports[1]");
    check("/images/0/newTag", "x", (3, 11), "images[0].newTag");
    let numbers = "/ports/01";
    assert!(read(file.as_bytes(), &at(numbers)).is_err());
    assert_eq!(read(b"0: {~1: /}", &at("/0/~01")).map(|found| found[0].value.clone()).as_deref(), Ok("/"));
}

#[test]
fn a_value_is_read_as_yaml_means_it() {
    let check = |file: &str, value: &str| {
        let found = read(file.as_bytes(), &at("a")).expect(file);
        assert_eq!(found.first().map(|found| found.value.as_str()), Some(value), "{file}");
    };
    check("a: 'it''s'\n", "it's");
    check("a: \"\\u00e9\\t\"\n", "é\t");
    check("a: 1.10\n", "1.10");
    check("a: two\n  lines\n", "two lines");
    check("a: |\n  x\n  y\n", "x\ny\n");
    check("a: &x v\nb: *x\n", "v");
}
