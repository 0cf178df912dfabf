//! The cases in `tests/vectors/setters.txt`.

use gradus_edit::{Outcome, Setter, Standing, list_markers, set_markers};

const KEY: &str = "$imagepolicy";

/// What is set: the image, tag and digest of each policy of the namespace `apps`.
fn setters() -> Vec<Setter> {
    let web = format!("sha256:{}", "a".repeat(64));
    let policies = [
        ("web", "1.5.0", Some(web.as_str())),
        ("plain", "2.0.0", None),
        ("num", "20260131", None),
        ("flt", "1.10", None),
        ("exp", "1234e56", None),
        ("bool", "on", None),
        ("date", "2026-01-31", None),
        ("sex", "12.30.45", None),
        ("oct", "0755", None),
        ("under", "1_000", None),
    ];
    let of = |(name, tag, digest): (&str, &str, Option<&str>)| {
        let image = format!("registry.example.com/shop/{name}");
        Setter::image(KEY, &format!("apps:{name}"), &image, Some(tag), digest)
    };
    policies.into_iter().flat_map(of).collect()
}

struct Case {
    name: String,
    before: String,
    after: String,
    /// What is said of it, if something is.
    said: String,
}

fn cases() -> Vec<Case> {
    include_str!("../vectors/setters.txt").split("\n=== ").skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let mut sections = text.split("\n>>> ");
    let mut head = sections.next().expect("a head").lines();
    let name = head.next().expect("a name").to_owned();
    let bytes: Vec<&str> = head.collect();
    let (mut file, mut said) = (String::new(), String::new());
    for section in sections {
        let (what, body) = section.split_once('\n').expect("a section");
        if what == "file" {
            file = format!("{}\n", body.strip_suffix('\n').unwrap_or(body));
        } else {
            said = format!("{what}: {}", body.trim_end());
        }
    }
    for peculiar in bytes {
        file = match peculiar {
            "crlf" => file.replace('\n', "\r\n"),
            "mark" => format!("\u{feff}{file}"),
            "no final newline" => file.trim_end().to_owned(),
            other => panic!("{name}: {other:?}"),
        };
    }
    let (mut before, mut after) = (String::new(), String::new());
    let mut pieces = file.split('⟦');
    let start = pieces.next().expect("a start");
    before.push_str(start);
    after.push_str(start);
    for piece in pieces {
        let (change, rest) = piece.split_once('⟧').expect("an end");
        let (old, new) = change.split_once('→').expect("an arrow");
        before.push_str(&format!("{old}{rest}"));
        after.push_str(&format!("{new}{rest}"));
    }
    Case { name, before, after, said }
}

#[test]
fn every_case_gives_its_file() {
    let (cases, setters) = (cases(), setters());
    assert!(cases.len() > 120, "only {} cases were found", cases.len());
    let mut wrong = String::new();
    for case in &cases {
        let (after, said) = match set_markers(case.before.as_bytes(), &setters) {
            Ok(done) => {
                let after = match done.outcome {
                    Outcome::Edited(edited) => String::from_utf8(edited.bytes).expect("UTF-8"),
                    Outcome::Unchanged => case.before.clone(),
                    Outcome::Stale(stale) => panic!("{}: nothing was expected, yet {stale:?}", case.name),
                };
                let said: Vec<String> =
                    done.passed_over.iter().map(|over| format!("passed over: {}", over.why)).collect();
                (after, said.join("\n"))
            }
            Err(refusal) => (case.before.clone(), format!("refused: {refusal}")),
        };
        if after != case.after || said != case.said {
            wrong.push_str(&format!("--- {}\n{after}\n{said}\n", case.name));
        }
    }
    assert_eq!(wrong, "", "cases that gave something else");
}

/// What was set is listed as what is there, and setting it again changes nothing.
#[test]
fn what_was_set_is_listed_and_stays() {
    let setters = setters();
    for case in cases().iter().filter(|case| case.before != case.after) {
        let again = set_markers(case.after.as_bytes(), &setters).expect(&case.name);
        assert_eq!(again.outcome, Outcome::Unchanged, "{}", case.name);
        let listed = list_markers(case.after.as_bytes(), &[(KEY, Standing::Attached)]).expect(&case.name);
        let current: Vec<_> = listed
            .iter()
            .filter(|listed| setters.iter().any(|setter| setter.value == listed.marker.value))
            .filter_map(|listed| listed.marker.current.as_ref().ok())
            .collect();
        assert_eq!(current.len(), again.values, "{}", case.name);
    }
}
