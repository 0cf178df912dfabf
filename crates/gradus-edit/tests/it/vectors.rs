//! The cases in `tests/vectors/markers.txt`.

use gradus_edit::{Edit, Locator, Outcome, edit, find_markers, read};

struct Case {
    id: String,
    set: String,
    file: String,
    edited: Option<String>,
    refused: Option<String>,
}

fn cases() -> Vec<Case> {
    let text = include_str!("../vectors/markers.txt");
    text.split("\n=== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let mut sections = text.split("\n>>> ");
    let mut head = sections.next().expect("a head").lines();
    let id = head.next().expect("an id").to_owned();
    let set =
        head.find_map(|line| line.strip_prefix("set:")).expect("a value to set").trim().replace("\\n", "\n");
    let mut case = Case { id, set, file: String::new(), edited: None, refused: None };
    for section in sections {
        let (name, body) = section.split_once('\n').expect("a section");
        let body = body.trim_end_matches('\n');
        match name {
            "file" => case.file = format!("{body}\n"),
            "edited" => case.edited = Some(format!("{body}\n")),
            other => {
                assert_eq!(other, "refused", "{}", case.id);
                case.refused = Some(body.to_owned());
            }
        }
    }
    case
}

#[test]
fn every_case_gives_its_file() {
    let cases = cases();
    assert!(cases.len() > 80, "only {} cases were found", cases.len());
    let mut wrong = String::new();
    for case in &cases {
        let locator = Locator::marker("$promotion", "ns:app:prod");
        let (edited, refused) = match edit(case.file.as_bytes(), &[Edit::new(locator, &case.set)]) {
            Ok(Outcome::Edited(edited)) => (Some(String::from_utf8(edited.bytes).expect("UTF-8")), None),
            Ok(Outcome::Unchanged) => (None, None),
            Ok(Outcome::Stale(stale)) => (None, Some(format!("stale: {stale:?}"))),
            Err(refusal) => (None, Some(refusal.to_string())),
        };
        if edited != case.edited || refused != case.refused {
            wrong.push_str(&format!("{}\n{}", case.id, edited.or(refused).unwrap_or_default()));
            wrong.push('\n');
        }
    }
    assert_eq!(wrong, "", "cases that gave something else");
}

/// Whatever can be edited reads back as the new value, and is listed with it.
#[test]
fn every_edited_file_reads_back_as_the_new_value() {
    for case in cases() {
        let Some(edited) = case.edited else { continue };
        let found = read(edited.as_bytes(), &Locator::marker("$promotion", "ns:app:prod")).expect(&case.id);
        assert!(!found.is_empty(), "{}", case.id);
        let listed = find_markers(edited.as_bytes(), "$promotion").expect(&case.id);
        let listed: Vec<_> = listed.into_iter().filter(|marker| marker.value == "ns:app:prod").collect();
        assert_eq!(listed.len(), found.len(), "{}", case.id);
        for (located, marker) in found.iter().zip(&listed) {
            assert_eq!(located.value, case.set, "{}", case.id);
            assert_eq!(marker.current, Ok(case.set.clone()), "{}", case.id);
            assert_eq!(marker.path.as_ref(), Some(&located.path), "{}", case.id);
        }
    }
}
