//! Every byte outside the value stays: line ends, indentation, comments, document markers.

use crate::{at, set};

/// The value at the path becomes `9.9`; `«old»` in the file marks the bytes that are replaced by `new`.
fn check(file: &str, path: &str, new: &str) {
    let (before, rest) = file.split_once('«').expect("a mark");
    let (old, after) = rest.split_once('»').expect("a mark");
    let edited = set(&format!("{before}{old}{after}"), &at(path), "v9")
        .unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(edited, format!("{before}{new}{after}"));
}

#[test]
fn line_ends_stay_as_they_are() {
    check("a: «v1»\r\nb: 'x'\r\n", "a", "v9");
    check("a: 'x' # c\r\nb: «\"v1\"» # d\r\n\r\n", "b", "\"v9\"");
    check("a: «v1»\rb: x\r", "a", "v9");
    check("x: a\u{85}b\nl: «v1» # \u{2028}\n", "l", "v9");
    check("a: «v1»", "a", "v9");
    check("a: x\nb: «'v1'»", "b", "'v9'");
    check("a: «v1»\n\n\n", "a", "v9");
}

#[test]
fn blanks_around_the_value_stay_as_they_are() {
    check("a:   «v1»   \nb: c\t\n", "a", "v9");
    check("a: «v1»\t# c\n", "a", "v9");
    check("a:\t«v1»\t \t# c \n", "a", "v9");
    check("a: «'v1'»   # {\"$setter\": \"x\"}\n", "a", "'v9'");
    check("a:\n    «v1»\nb: x\n", "a", "v9");
    check("a:\n\n  # above\n\n  «v1»\n", "a", "v9");
}

#[test]
fn a_byte_order_mark_moves_nothing() {
    check("\u{feff}a: «v1»\n", "a", "v9");
    check("\u{feff}# é\nü: «'v1'» # 😀\n", "ü", "'v9'");
    check("\u{feff}{\"a\": «\"v1\"»}", "a", "\"v9\"");
}

#[test]
fn what_is_before_and_after_the_documents_stays() {
    check("---\na: «v1»\n", "a", "v9");
    check("# licence\n\n---\n# head\na: «v1»\n...\n", "a", "v9");
    check("%YAML 1.2\n%TAG !e! tag:example.com,2000:\n---\na: !e!x «v1»\n...\n---\n...\n# end\n", "a", "v9");
    check("---\n---\na: «v1»\n---\n# nothing\n---\n", "a", "v9");
    check("--- {a: «v1»}\n", "a", "v9");
    check("--- # c\na: «v1»\n--- # d\n", "a", "v9");
}

#[test]
fn anchors_and_tags_are_no_part_of_the_value() {
    check("a: &x «v1»\n", "a", "v9");
    check("a: !!str «v1» # c\n", "a", "v9");
    check("a: &x !local «'v1'»\n", "a", "'v9'");
    check("a: !<tag:example.com,2000:x> &y «\"v1\"»\n", "a", "\"v9\"");
}

#[test]
fn quoted_characters_are_no_part_of_the_structure() {
    check("a: «'it''s # no: comment'» # c\n", "a", "'v9'");
    check("a: «\"\\\"#\\u00e9\\/\\x41\"»\n", "a", "\"v9\"");
    check("a: x#y\nb: «c#d» #e\n", "b", "v9");
    check("a: http://x:80/?q=[1]\nb: «v1»\n", "b", "v9");
}

#[test]
fn a_value_on_several_lines_becomes_one_line() {
    check("a: «v1\n  v2» # c\nb: x\n", "a", "v9");
    check("a: «'v1\r\n\r\n  v2'»\r\nb: &x y # c\r\nc: *x\r\n", "a", "'v9'");
    check("# c\na: {b: «\"v1\\\n  v2\"», c: [x,\n y]} # d\n---\nz: 1 # e\n", "a.b", "\"v9\"");
}

#[test]
fn an_element_that_is_not_written_is_filled() {
    check("a:\n-«»\nb: 1\n", "a[0]", " v9");
    check("- x\n-«»\n\n", "[1]", " v9");
}

#[test]
fn values_around_blocks_of_text_are_reached() {
    check("a: |\n  text # {\n\n   more\nb: «v1»\n", "b", "v9");
    check("a: >-\n  text\n\n# c\nb: «v1»\n", "b", "v9");
    check("l:\n  - |+\n    x\n\n  - «v1»\n", "l[1]", "v9");
    check("a: |2-\n   x\nb: «v1» # c", "b", "v9");
    check("p: |-\n  - op: replace\n    path: /a\n    value: v1\nq: «v1»\n", "q", "v9");
}

#[test]
fn values_in_flow_collections_are_reached() {
    check("a: {b: «v1», c: [x,y]} # d\n", "a.b", "v9");
    check("a: {b: {c: [x, «'v1'» ,z]}}\n", "a.b.c[1]", "'v9'");
    check("a: [ {b : «v1»}]\n", "a[0].b", "v9");
    check("a: [b: «v1»]\n", "a[0].b", "v9");
    check("{\n  a: x,\n  # c\n  b: «v1» # d\n  ,\n}\n", "b", "v9");
    check("a: {\"b\":«\"v1\"»}\n", "a.b", "\"v9\"");
}

#[test]
fn keys_of_every_form_are_found() {
    check("\"a b\": «v1»\n", "\"a b\"", "v9");
    check("'a.b':\n  c: «v1»\n", "\"a.b\".c", "v9");
    check("? a\n: «v1»\n? [x, y]\n: z\n", "a", "v9");
    check("1: «v1»\ntrue: x\n", "1", "v9");
    check("&k a: «v1»\n", "a", "v9");
    check("a: x\n<<: {b: y}\nc: «v1»\n", "c", "v9");
    check("a:\n- b\n-   c:   «v1»\n", "a[1].c", "v9");
    check("- - «v1»\n  - x\n", "[0][0]", "v9");
}

#[test]
fn a_lone_scalar_is_a_document_too() {
    let root = gradus_edit::Locator::Path(gradus_edit::Select::path(gradus_edit::FieldPath::new([])));
    assert_eq!(set("# c\n--- v1 # d\n...\n", &root, "v9").as_deref(), Ok("# c\n--- v9 # d\n...\n"));
    assert_eq!(set("v1", &root, "--- x").as_deref(), Ok("\"--- x\""));
}
