//! JSON's values as YAML. Every text that YAML could take for something else is
//! in double quotes, as JSON writes it: that is YAML too.

use serde_json::Value;

/// Writes one document.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(&mut out, value, 0),
        Value::Array(list) if !list.is_empty() => block(&mut out, value, 0),
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)
        | Value::Array(_) => {
            out.push_str(&inline(value));
            out.push('\n');
        }
    }
    out
}

/// Writes the lines of a mapping or a list that is not empty.
fn block(out: &mut String, value: &Value, indent: usize) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                out.push_str(&format!("{pad}{}:", text(key)));
                member(out, value, indent + 2);
            }
        }
        Value::Array(list) => {
            for value in list {
                // What begins a list's element stands behind the dash.
                let mut inner = String::new();
                if nests(value) {
                    block(&mut inner, value, indent + 2);
                } else {
                    inner = format!("{pad}  {}\n", inline(value));
                }
                out.push_str(&format!("{pad}- {}", inner.get(indent + 2..).unwrap_or_default()));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push_str(&inline(value)),
    }
}

fn member(out: &mut String, value: &Value, indent: usize) {
    if nests(value) {
        out.push('\n');
        block(out, value, indent);
    } else {
        out.push_str(&format!(" {}\n", inline(value)));
    }
}

fn nests(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(words) => text(words),
        // JSON's null, booleans, numbers and empty collections are YAML's.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// A text without quotes where nobody takes it for anything else.
fn text(words: &str) -> String {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_plain = words.starts_with(|c: char| c.is_ascii_alphabetic())
        && words.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !WORDS.contains(&words.to_ascii_lowercase().as_str());
    if is_plain { words.to_owned() } else { Value::from(words).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::write;

    /// Every text in the value is read back from what was written, by its path.
    fn check(value: &Value, expected: &str) {
        let written = write(value);
        assert_eq!(written, expected);
        let mut texts = Vec::new();
        leaves(value, String::new(), &mut texts);
        for (path, text) in texts {
            let path = gradus_edit::FieldPath::parse(&path).expect("a path");
            let select = gradus_edit::Locator::Path(gradus_edit::Select::path(path));
            let read = gradus_edit::read(written.as_bytes(), &select).expect("YAML");
            let read: Vec<&str> = read.iter().map(|located| located.value.as_str()).collect();
            assert_eq!(read, [text.as_str()], "{written}");
        }
    }

    fn leaves(value: &Value, path: String, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let dot = if path.is_empty() { "" } else { "." };
                    leaves(value, format!("{path}{dot}{key}"), found);
                }
            }
            Value::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    leaves(value, format!("{path}[{at}]"), found);
                }
            }
            Value::String(text) => found.push((path, text.clone())),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        check(&json!({}), "{}\n");
        check(&json!([]), "[]\n");
        check(
            &json!({"a": [], "b": {}, "c": null, "d": 1.5, "e": false}),
            "a: []\nb: {}\nc: null\nd: 1.5\ne: false\n",
        );
        check(
            &json!({"version": "1.10", "on": "off", "name": "web"}),
            "name: web\n\"on\": \"off\"\nversion: \"1.10\"\n",
        );
        check(
            &json!({"items": [{"name": "dev", "gates": ["a: b", "# c"]}, {"name": "x\ny\u{7}"}, [["deep"]]]}),
            "items:\n  - gates:\n      - \"a: b\"\n      - \"# c\"\n    name: dev\n  - name: \"x\\ny\\u0007\"\n  - - - deep\n",
        );
    }
}
