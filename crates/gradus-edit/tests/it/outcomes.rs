//! What an edit answers: edited, unchanged or stale, and what a caller can show of it.

use gradus_edit::{Edit, Locator, Outcome, Stale, edit, find_markers, read};

use crate::at;

const FILE: &str = "a: v1 # {\"$set\": \"x\"}\nb: {c: v1, d: 'v2'}\n";

fn outcome(edits: &[Edit]) -> Outcome {
    edit(FILE.as_bytes(), edits).expect("an outcome")
}

/// The edited file and its changed lines, as a person would be shown them.
fn shown(edits: &[Edit]) -> String {
    let Outcome::Edited(edited) = outcome(edits) else { return format!("{:?}", outcome(edits)) };
    let mut text = String::from_utf8(edited.bytes.clone()).expect("UTF-8");
    for line in edited.lines() {
        text.push_str(&format!("{}\n-{}\n+{}\n", line.number, line.before, line.after));
    }
    for change in &edited.changes {
        text.push_str(&format!("{} at {}: {} -> {}\n", change.path, change.place, change.from, change.to));
    }
    text
}

#[test]
fn all_edits_are_in_the_result() {
    let edits = [
        Edit::new(at("b.d"), "v4"),
        Edit::new(Locator::marker("$set", "x"), "v3").expecting("v1"),
        Edit::new(at("b.c"), "v1"),
    ];
    insta::assert_snapshot!(shown(&edits), @r#"
    a: v3 # {"$set": "x"}
    b: {c: v1, d: 'v4'}
    1
    -a: v1 # {"$set": "x"}
    +a: v3 # {"$set": "x"}
    2
    -b: {c: v1, d: 'v2'}
    +b: {c: v1, d: 'v4'}
    a at line 1, column 4: v1 -> v3
    b.d at line 2, column 15: v2 -> v4
    "#);
}

#[test]
fn a_line_with_two_changes_is_shown_once_where_they_are_alike() {
    insta::assert_snapshot!(shown(&[Edit::new(at("b.d"), "longer"), Edit::new(at("b.c"), "on")]), @r#"
    a: v1 # {"$set": "x"}
    b: {c: "on", d: 'longer'}
    2
    -b: {c: v1, d: 'v2'}
    +b: {c: "on", d: 'longer'}
    b.c at line 2, column 8: v1 -> on
    b.d at line 2, column 15: v2 -> longer
    "#);
}

#[test]
fn what_is_already_so_is_unchanged() {
    assert_eq!(outcome(&[]), Outcome::Unchanged);
    assert_eq!(outcome(&[Edit::new(at("a"), "v1")]), Outcome::Unchanged);
    assert_eq!(outcome(&[Edit::new(at("a"), "v1").expecting("v0")]), Outcome::Unchanged);
    assert_eq!(outcome(&[Edit::new(Locator::marker("$set", "y"), "v3")]), Outcome::Unchanged);
    assert_eq!(outcome(&[Edit::new(Locator::marker("$get", "x"), "v3")]), Outcome::Unchanged);
}

#[test]
fn an_unexpected_value_is_stale_and_stops_every_edit() {
    let edits = [Edit::new(at("a"), "v3"), Edit::new(at("b.d"), "v3").expecting("v1")];
    let Outcome::Stale(Stale { place, path, expected, found }) = outcome(&edits) else { panic!("not stale") };
    assert_eq!((place.line, place.column), (2, 15));
    assert_eq!((path.to_string().as_str(), expected.as_str(), found.as_str()), ("b.d", "v1", "v2"));
}

#[test]
fn edits_that_agree_on_a_value_are_one() {
    let edits = [Edit::new(at("a"), "v3"), Edit::new(Locator::marker("$set", "x"), "v3")];
    let Outcome::Edited(edited) = outcome(&edits) else { panic!("not edited") };
    assert_eq!(edited.changes.len(), 1);
    let error =
        edit(FILE.as_bytes(), &[Edit::new(at("a"), "v3"), Edit::new(at("a"), "v4")]).expect_err("a conflict");
    assert_eq!(error.to_string(), "line 1, column 4: two edits give a different values");
}

#[test]
fn of_a_long_line_only_the_surroundings_are_shown() {
    let file = format!("{{\"x\": \"{0}\", \"a\": \"v1\", \"y\": \"{0}\"}}", "é".repeat(5000));
    let Ok(Outcome::Edited(edited)) = edit(file.as_bytes(), &[Edit::new(at("a"), "v2")]) else {
        panic!("not edited")
    };
    let lines = edited.lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert!(line.before.contains("\"a\": \"v1\"") && line.after.contains("\"a\": \"v2\""), "{line:?}");
    assert!(
        line.before.chars().count() < 250 && line.before.starts_with("...é") && line.before.ends_with("é...")
    );
}

#[test]
fn markers_are_listed_with_what_they_name() {
    let file = "\
a: v1 # {\"$set\": \"x\", \"other\": \"y\"}
b: # {\"$set\": \"z\"}
  c: 1
l:
# {\"$set\": \"x\"}
- \"v 2\"
# {\"$set\": \"end\"}
";
    let mut text = String::new();
    for marker in find_markers(file.as_bytes(), "$set").expect("markers") {
        let path = marker.path.map(|path| path.to_string());
        let current = marker.current.unwrap_or_else(|refusal| format!("refused: {refusal}"));
        text.push_str(&format!("{} at {}, {path:?}: {current}\n", marker.value, marker.place));
    }
    insta::assert_snapshot!(text, @r#"
    x at line 1, column 7, Some("a"): v1
    z at line 2, column 4, Some("b"): refused: line 3, column 3: b is a mapping, not a single value; name a value inside it
    x at line 5, column 1, Some("l[0]"): v 2
    end at line 7, column 1, None: refused: line 7, column 1: the marker {"$set": "end"} belongs to no value; put it at the end of the value's line, or right above its key with the same indentation
    "#);
    assert_eq!(find_markers(file.as_bytes(), "other").map(|found| found.len()), Ok(1));
    assert_eq!(find_markers(file.as_bytes(), "y"), Ok(Vec::new()));
}

#[test]
fn a_file_without_the_marker_is_not_parsed() {
    let broken = b"a: [\n# {\"$set\": \"x\"}";
    assert_eq!(find_markers(broken, "$other"), Ok(Vec::new()));
    assert_eq!(read(b"\xff\xfe", &Locator::marker("$set", "x")), Ok(Vec::new()));
    assert!(find_markers(broken, "$set").is_err());
    assert!(find_markers(b"\xff \"$set\"", "$set").is_err());
    // A key that JSON escapes can be written in several ways, so the file has to be parsed.
    let escaped = find_markers(b"a: v1 # {\"q\\u0022\": \"x\"}\n", "q\"").expect("markers");
    assert_eq!(escaped.first().map(|marker| marker.current.clone()), Some(Ok("v1".to_owned())));
}
