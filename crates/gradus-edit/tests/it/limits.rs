//! Everything from outside is bounded.

use gradus_edit::{Edit, Limits, Locator, Outcome, edit, edit_within, find_markers, read, read_within};

use crate::at;

#[test]
fn a_file_beyond_a_limit_is_refused() {
    let check = |file: &str, limits: &Limits, text: &str| {
        let error = read_within(file.as_bytes(), &at("a"), limits).expect_err(text);
        assert_eq!(error.to_string(), text);
    };
    let limits = Limits { bytes: 40, nodes: 6, depth: 2 };
    check(&"#".repeat(41), &limits, "the file has 41 bytes, and files of up to 40 are read");
    check("a: 1\nb: 2\nc: 3\n", &limits, "line 3, column 4: the file has more than 6 keys and values");
    check("a: [[1]]\n", &limits, "line 1, column 5: the file is nested deeper than 2 levels");
    check(
        &"[".repeat(10_000),
        &Limits::default(),
        "line 1, column 201: the file is nested deeper than 200 levels",
    );
    check(
        &"- ".repeat(10_000),
        &Limits::default(),
        "line 1, column 401: the file is nested deeper than 200 levels",
    );
    assert!(read_within(b"a: [1, 2]\n", &at("a[1]"), &limits).is_ok());
}

#[test]
fn the_result_of_an_edit_is_within_the_limits_too() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    let edit = |value: &str| edit_within(b"a: v1\n", &[Edit::new(at("a"), value)], &limits);
    assert!(
        matches!(edit("123456"), Ok(Outcome::Edited(_))) || matches!(edit("v23456"), Ok(Outcome::Edited(_)))
    );
    let error = edit("v23456789").expect_err("too large");
    assert_eq!(error.to_string(), "the file has 13 bytes, and files of up to 10 are read");
}

#[test]
fn aliases_are_not_expanded() {
    let mut bomb = String::from("a: &a [x]\n");
    for (name, before) in ('b'..='z').zip('a'..) {
        bomb.push_str(&format!("{name}: &{name} [{}*{before}]\n", format!("*{before}, ").repeat(20)));
    }
    bomb.push_str("end: v1\n");
    let found = read(bomb.as_bytes(), &at("end")).expect("read");
    assert_eq!(found.first().map(|found| found.value.as_str()), Some("v1"));
}

/// Long runs of comments, some of them markers, are walked once.
#[test]
fn long_runs_of_comments_are_read() {
    let run = "  # {\"$set\": \"x\"}\n".repeat(100_000);
    let file = format!("a:\n{run}  b: v1\n");
    let found = find_markers(file.as_bytes(), "$set").expect("markers");
    assert_eq!(found.len(), 100_000);
    assert!(found.iter().all(|marker| marker.current.as_deref() == Ok("v1")));
    let edits = [Edit::new(Locator::marker("$set", "x"), "v2")];
    let Ok(Outcome::Edited(edited)) = edit(file.as_bytes(), &edits) else { panic!("not edited") };
    assert_eq!(edited.bytes, file.replace("v1", "v2").into_bytes());
}

#[test]
fn many_markers_are_edited_in_one_go() {
    let file = "- v1 # {\"$set\": \"x\"}\n".repeat(50_000);
    let edits = [Edit::new(Locator::marker("$set", "x"), "v2")];
    let Ok(Outcome::Edited(edited)) = edit(file.as_bytes(), &edits) else { panic!("not edited") };
    assert_eq!(edited.bytes, file.replace("v1", "v2").into_bytes());
    assert_eq!(edited.changes.len(), 50_000);
}
