//! The YAML documents of a text, and what each is about.
//!
//! The cluster reads the YAML. Only what its address needs is found here, where
//! people and generators write it: one key a line, or all of `metadata` in braces.

use serde_json::Value;

use crate::{TestbedError, TestbedErrorKind};

/// One document and the object that it describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) text: String,
}

impl Document {
    /// The group, empty for the core's, and the version.
    pub(crate) fn group_and_version(&self) -> (&str, &str) {
        self.api_version.split_once('/').unwrap_or(("", &self.api_version))
    }

    /// As people name it.
    pub(crate) fn words(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }
}

/// The documents of a text, without those that hold nothing.
pub(crate) fn documents(yaml: &str) -> Result<Vec<Document>, TestbedError> {
    let mut texts = vec![String::new()];
    for line in yaml.lines() {
        if line == "---" || line.starts_with("--- ") {
            texts.push(String::new());
        } else if let Some(text) = texts.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    texts.into_iter().filter(|text| text.lines().any(|line| !is_blank(line))).map(document).collect()
}

fn document(text: String) -> Result<Document, TestbedError> {
    let head = match serde_json::from_str::<Value>(&text) {
        Ok(json) => head_of_json(&json),
        Err(_) => head_of_yaml(&text),
    };
    let Head { api_version, kind, name, namespace } = head;
    let missing = |what: &str| {
        let start = text.lines().find(|line| !is_blank(line)).unwrap_or_default();
        let message = format!("found no {what} in the document that starts with {start:?}");
        TestbedError::new(TestbedErrorKind::Document, message)
    };
    Ok(Document {
        api_version: api_version.ok_or_else(|| missing("apiVersion"))?,
        kind: kind.ok_or_else(|| missing("kind"))?,
        name: name.ok_or_else(|| missing("metadata.name"))?,
        namespace,
        text,
    })
}

#[derive(Debug, Default)]
struct Head {
    api_version: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
}

fn head_of_json(json: &Value) -> Head {
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    Head {
        api_version: text("/apiVersion"),
        kind: text("/kind"),
        name: text("/metadata/name"),
        namespace: text("/metadata/namespace"),
    }
}

fn head_of_yaml(text: &str) -> Head {
    let mut head = Head::default();
    // How far the keys of `metadata` are indented, once the first of them was seen.
    let mut metadata: Option<Option<usize>> = None;
    for line in text.lines().filter(|line| !is_blank(line)) {
        let indent = line.len() - line.trim_start().len();
        let Some((key, value)) = line.trim().split_once(':') else { continue };
        if indent == 0 {
            metadata = (key == "metadata").then_some(None);
            match key {
                "apiVersion" => head.api_version = scalar(value),
                "kind" => head.kind = scalar(value),
                "metadata" => in_braces(value, &mut head),
                _ => {}
            }
        } else if let Some(keys) = &mut metadata
            && *keys.get_or_insert(indent) == indent
        {
            of_metadata(key, value, &mut head);
        }
    }
    head
}

fn of_metadata(key: &str, value: &str, head: &mut Head) {
    match key {
        "name" => head.name = scalar(value),
        "namespace" => head.namespace = scalar(value),
        _ => {}
    }
}

fn in_braces(value: &str, head: &mut Head) {
    let Some((inside, _)) = value.trim().strip_prefix('{').and_then(|rest| rest.rsplit_once('}')) else {
        return;
    };
    let mut depth = 0_usize;
    let outer = inside.split(|character| {
        match character {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    for (key, value) in outer.filter_map(|pair| pair.split_once(':')) {
        of_metadata(key.trim(), value, head);
    }
}

fn scalar(value: &str) -> Option<String> {
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::documents;

    fn told(yaml: &str) -> String {
        match documents(yaml) {
            Ok(documents) => documents
                .iter()
                .map(|document| format!("{} {:?}\n", document.words(), document.group_and_version()))
                .collect(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_document_says_what_it_is_about() {
        insta::assert_snapshot!(told(r#"
# A comment before everything.
---
apiVersion: v1
kind: Namespace
metadata: {labels: {name: no, a: "b"}, name: apps} # not `no`
---
# Nothing but this.
---
apiVersion: apps/v1
kind: "Deployment"
metadata:
  labels:
    name: no
  annotations: {name: no}
  namespace: apps   # where
  name: 'podinfo'
spec:
  template:
    metadata:
      name: no
---
{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json", "namespace": "apps"}}
"#), @r#"
        Namespace apps ("", "v1")
        Deployment apps/podinfo ("apps", "v1")
        ConfigMap apps/json ("", "v1")
        "#);
    }

    #[test]
    fn what_is_missing_is_named() {
        insta::assert_snapshot!(
            told("apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n"),
            @r#"found no metadata.name in the document that starts with "apiVersion: v1""#
        );
        insta::assert_snapshot!(
            told("kind: Pod\n"),
            @r#"found no apiVersion in the document that starts with "kind: Pod""#
        );
    }
}
