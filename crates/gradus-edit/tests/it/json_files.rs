//! JSON is read as YAML and stays JSON.

use crate::{at, set};

const FILE: &str = "{\n\t\"version\": \"1.0\",\n\t\"list\": [1, true, null, 2.5],\n\t\"o\": {\"k\":\"a\\/b\\ud83d\\ude00\"}\n}\n";

#[test]
fn the_result_is_json_with_one_value_changed() {
    let check = |path: &str, value: &str, old: &str, new: &str| {
        assert_eq!(set(FILE, &at(path), value), Ok(FILE.replacen(old, new, 1)), "{path}");
    };
    check("version", "1.10", "\"1.0\"", "\"1.10\"");
    check("version", "a\"b\\", "\"1.0\"", "\"a\\\"b\\\\\"");
    check("list[0]", "2", "[1", "[2");
    check("list[0]", "x", "[1", "[\"x\"");
    check("list[0]", "007", "[1", "[\"007\"");
    check("list[1]", "false", "true", "false");
    check("list[1]", "False", "true", "\"False\"");
    check("list[3]", "2.50", "2.5", "\"2.50\"");
    check("o.k", "é😀", "\"a\\/b\\ud83d\\ude00\"", "\"é😀\"");
}

#[test]
fn a_null_becomes_a_text() {
    let edited = set(FILE, &at("list[2]"), "x").expect("an edit");
    assert_eq!(edited, FILE.replace("null", "\"x\""));
}
