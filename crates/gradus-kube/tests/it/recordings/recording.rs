//! Recordings, as they are read and as an API server takes them.

use std::collections::BTreeMap;

use gradus_testbed::{ControlPlane, each_time};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// One version of an object, or its end.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Step {
    #[serde(rename = "at")]
    _at: f64,
    /// As in `HelmRelease/dev/podinfo`.
    pub(crate) object: String,
    pub(crate) is: Option<Value>,
    pub(crate) patch: Option<Value>,
    /// Whether the object gets another version later that takes this one in.
    #[serde(skip)]
    pub(crate) can_be_left_out: bool,
}

impl Step {
    pub(crate) fn is_end(&self) -> bool {
        self.is.is_none() && self.patch.is_none()
    }
}

/// Declares the kinds of Flux.
pub(crate) async fn kinds() {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let plane = ControlPlane::shared().await.unwrap();
    DEFINED.get_or_init(async || plane.flux_crds().await.unwrap()).await;
}

/// The steps of a recording by now and in other namespaces.
pub(crate) fn steps(scenario: &str, namespaces: &BTreeMap<String, String>) -> Vec<Step> {
    let text = std::fs::read_to_string(super::folder().join(format!("{scenario}.jsonl"))).unwrap();
    let mut steps: Vec<Step> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut last = Timestamp::UNIX_EPOCH;
    for value in steps.iter_mut().flat_map(|step| step.is.iter_mut().chain(&mut step.patch)) {
        each_time(value, &mut |at| {
            last = last.max(at);
            at
        });
    }
    let passed = SignedDuration::from_secs(Timestamp::now().duration_since(last).as_secs());
    for step in &mut steps {
        let parts: Vec<&str> = step.object.split('/').collect();
        let [kind, namespace, name] = parts[..] else { panic!("{} is no object", step.object) };
        step.object = format!("{kind}/{}/{name}", namespaces[namespace]);
        for value in step.is.iter_mut().chain(&mut step.patch) {
            each_time(value, &mut |at| at + passed);
            moved(value, namespaces);
        }
    }
    for at in 0..steps.len() {
        let later = steps[at + 1..].iter().find(|later| later.object == steps[at].object);
        steps[at].can_be_left_out =
            steps[at].is.is_none() && !steps[at].is_end() && later.is_some_and(|later| !later.is_end());
    }
    steps
}

/// Names other namespaces wherever one is named.
fn moved(value: &mut Value, namespaces: &BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let new = value.as_str().and_then(|text| match key.as_str() {
                    "id" => {
                        let (namespace, rest) = text.split_once('_')?;
                        Some(format!("{}_{rest}", namespaces.get(namespace)?))
                    }
                    key if key.ends_with("namespace") => namespaces.get(text).cloned(),
                    _ => None,
                });
                match new {
                    Some(new) => *value = new.into(),
                    None => moved(value, namespaces),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| moved(value, namespaces)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The object with what its definition asks for and the recording left out.
pub(crate) fn completed(mut object: Value) -> Value {
    match object["kind"].as_str().unwrap() {
        "HelmRelease" => {
            for entry in object["status"]["history"].as_array_mut().into_iter().flatten() {
                let filled = [
                    ("chartName", json!("podinfo")),
                    ("configDigest", json!("sha256:0")),
                    ("digest", json!("sha256:0")),
                    ("firstDeployed", entry["lastDeployed"].clone()),
                ];
                fill(entry, filled);
            }
        }
        "Kustomization" => {
            for entry in object["status"]["history"].as_array_mut().into_iter().flatten() {
                let filled = [("lastReconciledDuration", json!("1s")), ("totalReconciliations", json!(1))];
                fill(entry, filled);
            }
        }
        "GitRepository" => {
            fill(&mut object["spec"], [("url", json!("https://git.example.org/fleet"))]);
            if object["status"]["artifact"].is_object() {
                let path = "gitrepository/flux-system/fleet/latest.tar.gz";
                let updated = object["status"]["artifact"]["lastUpdateTime"].clone();
                let now = Timestamp::now().to_string();
                let filled = [
                    (
                        "digest",
                        json!("sha256:0000000000000000000000000000000000000000000000000000000000000000"),
                    ),
                    ("path", json!(path)),
                    ("url", json!(format!("http://source-controller.flux-system/{path}"))),
                    ("lastUpdateTime", if updated.is_null() { json!(now) } else { updated }),
                ];
                fill(&mut object["status"]["artifact"], filled);
            }
        }
        "Deployment" => {
            let labels = object["spec"]["selector"]["matchLabels"].clone();
            fill(&mut object["spec"]["template"], [("metadata", json!({"labels": labels}))]);
        }
        _ => {}
    }
    object
}

fn fill<const N: usize>(object: &mut Value, fields: [(&str, Value); N]) {
    for (field, value) in fields {
        if object[field].is_null() {
            object[field] = value;
        }
    }
}

/// A change of a spec that means nothing, another one for each number.
pub(crate) fn harmless(kind: &str, number: i64) -> Value {
    let spec = match kind {
        "HelmRelease" => json!({"maxHistory": number + 5}),
        "Kustomization" => json!({"retryInterval": format!("{}m", number + 5)}),
        "GitRepository" => json!({"timeout": format!("{}s", number + 30)}),
        "Deployment" => json!({"revisionHistoryLimit": number + 5}),
        other => panic!("{other} is in no recording"),
    };
    json!({"spec": spec})
}

/// The JSON merge patch that makes one value the other.
pub(crate) fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (from, to) else { return to.clone() };
    let mut patch = serde_json::Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) => drop(patch.insert(key.clone(), difference(before, value))),
            None => drop(patch.insert(key.clone(), value.clone())),
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}
