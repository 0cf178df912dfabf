//! Times in what was recorded.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

/// Changes every time in a value.
pub fn each_time(value: &mut Value, change: &mut impl FnMut(Timestamp) -> Timestamp) {
    match value {
        Value::String(text) => {
            if let Ok(at) = text.parse::<Timestamp>() {
                *text = change(at).to_string();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| each_time(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| each_time(value, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
