use proptest::prelude::*;

use super::{FieldPath, Step};

fn key(key: &str) -> Step {
    Step::Key(key.to_owned())
}

fn element(field: &str, value: &str) -> Step {
    Step::Where { field: field.to_owned(), value: value.to_owned() }
}

#[test]
fn paths_are_read_and_written() {
    let check = |text: &str, steps: &[Step], written: &str| {
        let path = FieldPath::parse(text).expect(text);
        assert_eq!(path.steps(), steps, "{text}");
        assert_eq!(path.to_string(), written, "{text}");
    };
    check("a", &[key("a")], "a");
    check(".a.b", &[key("a"), key("b")], "a.b");
    check("a[0].b", &[key("a"), Step::Index(0), key("b")], "a[0].b");
    check("[2][0]", &[Step::Index(2), Step::Index(0)], "[2][0]");
    check(
        "images[name=ghcr.io/a/b].newTag",
        &[key("images"), element("name", "ghcr.io/a/b"), key("newTag")],
        "images[name=\"ghcr.io/a/b\"].newTag",
    );
    check("a[name=web]", &[key("a"), element("name", "web")], "a[name=web]");
    check("a[\"x y\"=\"1=2\"]", &[key("a"), element("x y", "1=2")], "a[\"x y\"=\"1=2\"]");
    check("a.\"x.y/z\".b", &[key("a"), key("x.y/z"), key("b")], "a[\"x.y/z\"].b");
    check("a[\"x.y\"].b", &[key("a"), key("x.y"), key("b")], "a[\"x.y\"].b");
    check(r#"a."q\"\\""#, &[key("a"), key("q\"\\")], r#"a["q\"\\"]"#);
    check("\"\"", &[key("")], "[\"\"]");
    check("häuser.a-b_c/d$", &[key("häuser"), key("a-b_c/d$")], "häuser.a-b_c/d$");
    check("/a/b.c/0", &[key("a"), key("b.c"), key("0")], "a[\"b.c\"].0");
    check("/a~1b/~0c//[x]", &[key("a/b"), key("~c"), key(""), key("[x]")], "a/b.~c[\"\"][\"[x]\"]");
    check("/", &[key("")], "[\"\"]");
    check("./a.b", &[key("/a"), key("b")], "./a.b");
}

#[test]
fn a_bad_path_says_where_and_what() {
    let texts = [
        "",
        ".",
        "a.",
        "a..b",
        "a[",
        "a[]",
        "a[x]",
        "a[-1]",
        "a[0",
        "a[n=]",
        "a[n=b",
        "a.[0]",
        "a\"b\"",
        "\"a",
        r#""\n""#,
        "a b",
        "a]",
        "a[99999999999999999999]",
        "ä'b",
        "/a/b~2c",
    ];
    let mut said = String::new();
    for text in texts {
        said.push_str(&FieldPath::parse(text).expect_err(text).to_string());
        said.push('\n');
    }
    insta::assert_snapshot!(said);
    assert_eq!(FieldPath::parse(&"a".repeat(5000)).expect_err("too long").reason, "the path is too long");
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        ".{0,6}".prop_map(Step::Key),
        (0..100usize).prop_map(Step::Index),
        (".{1,5}", ".{1,8}").prop_map(|(field, value)| Step::Where { field, value }),
    ]
}

proptest! {
    #[test]
    fn a_written_path_reads_the_same(steps in prop::collection::vec(any_step(), 1..6)) {
        let path = FieldPath::new(steps);
        prop_assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a\\.\\[\\]\"=0 ]{0,12}|.{0,20}") {
        if let Ok(path) = FieldPath::parse(&text) {
            prop_assert_eq!(FieldPath::parse(&path.to_string()), Ok(path));
        }
    }
}
