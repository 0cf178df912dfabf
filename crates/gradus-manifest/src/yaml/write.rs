//! JSON's values as the YAML that people write.

use serde_json::Value;

use super::Plain;

/// Writes one document, with the keys of each mapping in the order of the
/// alphabet, so that the same value is always the same text.
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    if nests(value) {
        block(&mut out, value, 0);
    } else {
        member(&mut out, value, 0);
    }
    out
}

/// The lines of a mapping or a list that is not empty.
fn block(out: &mut String, value: &Value, indent: usize) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push_str(&format!("{pad}{}:", text(key)));
                if nests(value) {
                    out.push('\n');
                    // A list stands right below its key, as Kubernetes' own tools write it.
                    let deeper = if value.is_array() { indent } else { indent + 2 };
                    block(out, value, deeper);
                } else {
                    out.push(' ');
                    member(out, value, indent + 2);
                }
            }
        }
        Value::Array(list) => {
            for value in list {
                // What begins a list's element stands behind the dash.
                let mut inner = String::new();
                if nests(value) {
                    block(&mut inner, value, indent + 2);
                } else {
                    inner.push_str(&" ".repeat(indent + 2));
                    member(&mut inner, value, indent + 2);
                }
                out.push_str(&format!("{pad}- {}", inner.get(indent + 2..).unwrap_or_default()));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => member(out, value, indent),
    }
}

/// The rest of a line, and the lines of a text that has several.
fn member(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::String(words) if is_prose(words) => {
            out.push_str("|-\n");
            for line in words.lines() {
                let pad = if line.is_empty() { "" } else { &" ".repeat(indent) };
                out.push_str(&format!("{pad}{line}\n"));
            }
        }
        Value::String(words) => out.push_str(&format!("{}\n", text(words))),
        // JSON's null, booleans, numbers and empty collections are YAML's.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            out.push_str(&format!("{value}\n"));
        }
    }
}

fn nests(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a text has lines that can stand below each other as they are.
fn is_prose(words: &str) -> bool {
    words.contains('\n')
        && !words.starts_with(char::is_whitespace)
        && !words.ends_with('\n')
        && words.chars().all(|c| c == '\n' || is_printable(c))
        && words.lines().all(|line| !line.ends_with(' '))
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{85}')
}

/// A text without quotes where every reader of YAML takes it for that text.
pub(crate) fn text(words: &str) -> String {
    const TRUTHS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let is_plain = words.starts_with(|c: char| c.is_ascii_alphabetic())
        && words.chars().all(is_printable)
        && !words.contains(": ")
        && !words.contains(" #")
        && !words.ends_with([':', ' '])
        && Plain::of(words) == Plain::Text
        && !TRUTHS.contains(&words.to_ascii_lowercase().as_str());
    if is_plain { words.to_owned() } else { quote(words) }
}

/// A text in double quotes.
pub(crate) fn quote(words: &str) -> String {
    let mut quoted = String::from("\"");
    for c in words.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if is_printable(c) => quoted.push(c),
            c => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::to_yaml;
    use crate::yaml::{Document, NodeId, Plain, parse};

    /// What was written is as expected, and is read back as the value.
    fn check(value: &Value, expected: &str) {
        let written = to_yaml(value);
        assert_eq!(written, expected);
        let (documents, broken) = parse(&written);
        assert!(broken.is_empty(), "{written}");
        assert_eq!(read(&documents[0], documents[0].root().unwrap()), *value, "{written}");
    }

    fn read(document: &Document<'_>, node: NodeId) -> Value {
        if !document.items(node).is_empty() {
            return document.items(node).iter().map(|item| read(document, *item)).collect();
        }
        if !document.entries(node).is_empty() {
            let entries = document.entries(node).iter();
            let field = |key: NodeId| document.text(key).unwrap().to_owned();
            return Value::Object(
                entries.map(|(key, value)| (field(*key), read(document, *value))).collect(),
            );
        }
        let Some(text) = document.text(node) else { return Value::Null };
        match document.node(node).map(|node| &node.content) {
            Some(crate::yaml::Content::Plain(_)) => match Plain::of(text) {
                Plain::Null => Value::Null,
                Plain::Bool(truth) => truth.into(),
                Plain::Unsigned(number) => number.into(),
                Plain::Signed(number) => number.into(),
                Plain::Float(number) => number.into(),
                Plain::Text => text.into(),
            },
            _ => text.into(),
        }
    }

    /// Any value whose texts are not empty collections or what YAML has no words for.
    fn value() -> impl Strategy<Value = Value> {
        let text = prop_oneof!["[ -~\n\t]{0,12}", "\\PC{0,6}", "(true|null|no|0x1f|1e3|-|~|a: b|- x|\\|-\n)"];
        let leaf =
            prop_oneof![text.prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
                proptest::collection::btree_map("[ -~\n]{1,8}", inner, 1..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_was_written_is_read_back(value in value()) {
            check(&value, &to_yaml(&value));
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        check(&json!("word"), "word\n");
        check(
            &json!({"c": null, "d": 1.5, "e": false, "m": -7, "text": "a sentence, with {braces} and it's"}),
            "c: null\nd: 1.5\ne: false\nm: -7\ntext: a sentence, with {braces} and it's\n",
        );
        check(
            &json!({"a": ["x", ["deep", "er"], {"k": "v", "l": [1]}], "b": "1.10", "on": "no"}),
            "a:\n- x\n- - deep\n  - er\n- k: v\n  l:\n  - 1\nb: \"1.10\"\n\"on\": \"no\"\n",
        );
        check(
            &json!({"a": "first\n\n- second: # no comment\nlast", "b": [{"c": "x\ny"}, "z\nw"]}),
            "a: |-\n  first\n\n  - second: # no comment\n  last\nb:\n- c: |-\n    x\n    y\n- |-\n  z\n  w\n",
        );
        check(
            &json!({"a": "a: b", "b": "a #b", "c": "a:", "d": " a\nb", "e": "a\n", "f": "tab\tand\u{7}", "g": "", "h": "#"}),
            "a: \"a: b\"\nb: \"a #b\"\nc: \"a:\"\nd: \" a\\nb\"\ne: \"a\\n\"\nf: \"tab\\tand\\u0007\"\ng: \"\"\nh: \"#\"\n",
        );
        assert_eq!(to_yaml(&json!({"a": [], "b": {}})), "a: []\nb: {}\n");
    }
}
