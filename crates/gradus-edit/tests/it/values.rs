//! What becomes of a plain value: which of its type it stays, and when it is quoted.

use gradus_edit::Locator;

use crate::{at, set};

/// The plain value after the edit, as it is written.
fn becomes(old: &str, new: &str) -> String {
    let edited =
        set(&format!("a: {old} # c\nb: x\n"), &at("a"), new).unwrap_or_else(|error| error.to_string());
    match edited.strip_prefix("a: ").and_then(|rest| rest.strip_suffix(" # c\nb: x\n")) {
        Some(value) => value.to_owned(),
        None => edited,
    }
}

#[test]
fn a_number_stays_one_where_the_new_value_is_written_as_one() {
    for new in ["2", "0", "-1", "10", "1.5", "0.25"] {
        assert_eq!(becomes("1", new), new);
        assert_eq!(becomes("0x1F", new), new);
        assert_eq!(becomes("1.50", new), new);
    }
    for new in
        ["1.10", "0x1F", "1_000", "007", "+1", "1e3", ".5", "1.", "-0", "12345678901234567890", ".inf", "0o7"]
    {
        assert_eq!(becomes("1", new), format!("\"{new}\""));
    }
    assert_eq!(becomes("1", "1.5.0"), "1.5.0");
    assert_eq!(becomes("1", "true"), "\"true\"");
    assert_eq!(becomes("1", ""), "\"\"");
}

#[test]
fn a_boolean_stays_one_where_the_new_value_is_written_as_one() {
    assert_eq!(becomes("true", "false"), "false");
    assert_eq!(becomes("False", "true"), "true");
    for new in ["False", "TRUE", "yes", "on", "n", "1", "null", "~"] {
        assert_eq!(becomes("true", new), format!("\"{new}\""));
    }
    // To some readers `yes` is text, so what takes its place has to be text to all.
    assert_eq!(becomes("yes", "on"), "\"on\"");
    assert_eq!(becomes("yes", "true"), "\"true\"");
}

#[test]
fn a_date_is_text_in_place_of_a_date() {
    for new in ["2026-02-01", "2026-2-1", "2026-02-01T10:00:00Z", "2026-02-01 10:00:00"] {
        assert_eq!(becomes("2026-01-31", new), format!("\"{new}\""));
    }
}

#[test]
fn text_stays_text_to_every_reader() {
    let typed = [
        "1",
        "1.10",
        "0x1F",
        "0o17",
        "017",
        "1_000",
        "1:30",
        "190:20:30",
        "1e3",
        ".5",
        "+1",
        ".nan",
        "-.inf",
        "true",
        "Yes",
        "OFF",
        "y",
        "null",
        "~",
        "Null",
        "2026-01-31",
        "<<",
        "=",
        "0b11",
        "12e03",
        "1234e56",
    ];
    for new in typed {
        assert_eq!(becomes("v1", new), format!("\"{new}\""));
        let file = |value: &str| format!("a: {value} # {{\"$set\": \"x\"}}\nb: {new}\n");
        let marked = set(&file("5"), &Locator::marker("$set", "x"), new);
        assert_eq!(marked, Ok(file(&format!("\"{new}\""))));
    }
    let text = [
        "1.5.0",
        "v1",
        "12.30.45",
        "1.2.3-rc.1+b",
        "1.5.0@sha256:ab",
        "a b",
        "a#b",
        "a:b",
        "-x",
        "nope",
        "e5",
    ];
    for new in text {
        assert_eq!(becomes("v1", new), new);
        assert_eq!(becomes("1", new), new);
        assert_eq!(becomes("true", new), new);
    }
    let signs = [
        "- x", "a: b", "a #b", "a:", "#a", "&a", "*a", "!a", "|", ">", "@a", "`a", "%a", "\"a\"", "[a]",
        " a", "a ", "-",
    ];
    for new in signs {
        let escaped = new.replace('"', "\\\"");
        assert_eq!(becomes("v1", new), format!("\"{escaped}\""));
    }
}
