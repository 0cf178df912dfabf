//! An event of Flux, as it comes in.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// An event of Flux, as far as it is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The object that it is about.
    pub object: Object,
    /// `info` or `error`; empty where it is not said.
    pub severity: String,
    /// What happened, in one word; empty where it is not said.
    pub reason: String,
    /// What happened, in words.
    pub message: String,
    /// What else is known.
    pub metadata: BTreeMap<String, String>,
}

/// The object that an event is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// Such as `helm.toolkit.fluxcd.io/v2`.
    pub api_version: String,
    /// Such as `HelmRelease`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Why a body is no event. What is in the body is not told: it is the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnEvent {
    /// It is not JSON.
    #[error("the body is not JSON")]
    NotJson,
    /// It is JSON of another shape.
    #[error("{0:?} is not what an event has there")]
    Shape(&'static str),
}

impl Event {
    /// Reads an event; or one that GitHub passes on as the `client_payload` of a dispatch.
    ///
    /// A field that is `null` or not there is empty, others are passed over, and
    /// a field of another type makes it no event.
    pub fn read(body: &[u8]) -> Result<Self, NotAnEvent> {
        let value: Value = serde_json::from_slice(body).map_err(|_| NotAnEvent::NotJson)?;
        let Some(fields) = object(Some(&value), "event")? else { return Ok(Self::default()) };
        match object(fields.get("client_payload"), "client_payload")? {
            Some(payload) if !fields.contains_key("involvedObject") => Self::of(payload),
            Some(_) | None => Self::of(fields),
        }
    }

    fn of(fields: &Map<String, Value>) -> Result<Self, NotAnEvent> {
        for name in ["reportingController", "reportingInstance"] {
            text(fields, name)?;
        }
        time(fields, "timestamp")?;
        let mut metadata = BTreeMap::new();
        for (key, value) in object(fields.get("metadata"), "metadata")?.into_iter().flatten() {
            metadata.insert(key.clone(), string(Some(value), "metadata")?);
        }
        let involved = match object(fields.get("involvedObject"), "involvedObject")? {
            None => Object::default(),
            Some(involved) => {
                for name in ["uid", "resourceVersion", "fieldPath"] {
                    text(involved, name)?;
                }
                Object {
                    api_version: text(involved, "apiVersion")?,
                    kind: text(involved, "kind")?,
                    namespace: text(involved, "namespace")?,
                    name: text(involved, "name")?,
                }
            }
        };
        Ok(Self {
            object: involved,
            severity: text(fields, "severity")?,
            reason: text(fields, "reason")?,
            message: text(fields, "message")?,
            metadata,
        })
    }
}

fn object<'a>(
    value: Option<&'a Value>,
    name: &'static str,
) -> Result<Option<&'a Map<String, Value>>, NotAnEvent> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(fields)) => Ok(Some(fields)),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(NotAnEvent::Shape(name))
        }
    }
}

fn string(value: Option<&Value>, name: &'static str) -> Result<String, NotAnEvent> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_)) => {
            Err(NotAnEvent::Shape(name))
        }
    }
}

fn text(fields: &Map<String, Value>, name: &'static str) -> Result<String, NotAnEvent> {
    string(fields.get(name), name)
}

fn time(fields: &Map<String, Value>, name: &'static str) -> Result<(), NotAnEvent> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(text)) if text.parse::<jiff::Timestamp>().is_ok() => Ok(()),
        Some(_other) => Err(NotAnEvent::Shape(name)),
    }
}
