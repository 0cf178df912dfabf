use super::{is_valid, string_members};

#[test]
fn valid_json_is_told_from_the_rest() {
    for text in [
        "{}",
        "[]",
        " [ ] ",
        "1",
        "-0.5e+3",
        "\"a\"",
        "null",
        "true",
        "[1,2,[3,{}]]",
        "{\"a\":{\"b\":[]},\"c\":\"\\u00e9\\n\"}",
        "{\r\n\t\"a\" : 1 ,\n\"b\":[ \"x\" , false ] }\n",
        "\"\\ud83d\\ude00\"",
    ] {
        assert!(is_valid(text), "{text}");
    }
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "[1",
        "[1,]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        ".5",
        "+1",
        "nul",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud83d\"",
        "[1] 2",
        "[1 2]",
        "{\"a\":1]",
        "[1}",
        "{1:2}",
        "NaN",
        "{\"a\" 1}",
        "[,1]",
        "{\"a\":1 \"b\":2}",
        "# c\n{}",
    ] {
        assert!(!is_valid(text), "{text}");
    }
    assert!(is_valid(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))));
    assert!(!is_valid(&"[".repeat(100_000)));
}

#[test]
fn members_are_read_only_from_an_object_of_strings() {
    let check = |text: &str, members: Option<&[(&str, &str)]>| {
        let found = string_members(text);
        let found = found
            .as_ref()
            .map(|found| found.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>());
        assert_eq!(found.as_deref(), members, "{text}");
    };
    check("{}", Some(&[]));
    check(" { \"a\" : \"b\" } ", Some(&[("a", "b")]));
    check("{\"a\":\"b\",\"c\":\"\"}", Some(&[("a", "b"), ("c", "")]));
    check("{\"a\":\"b\",\"a\":\"c\"}", Some(&[("a", "c")]));
    check("{\"a\":\"n\\u003ax\\/\\\"\\b\\f\\r\\t\\\\\"}", Some(&[("a", "n:x/\"\u{8}\u{c}\r\t\\")]));
    check("{\"a\":\"\\ud83d\\ude00\"}", Some(&[("a", "😀")]));
    for text in [
        "",
        "{",
        "x {\"a\":\"b\"}",
        "{\"a\":\"b\"} x",
        "{\"a\":1}",
        "{\"a\":\"b\",\"n\":1}",
        "{\"a\":\"b\",}",
        "{\"a\":null}",
        "{'a':'b'}",
        "{\"a\":{\"b\":\"c\"}}",
        "[\"a\"]",
        "\"a\"",
        "{\"a\" \"b\"}",
        "{\"a\":\"b\" \"c\":\"d\"}",
        "{\"a\":\"\\ude00\"}",
    ] {
        check(text, None);
    }
}
