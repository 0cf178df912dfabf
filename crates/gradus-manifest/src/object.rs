//! An object of a cluster, as its API server keeps it. It is read as a file is,
//! with the same words for the same mistakes.

use std::sync::Arc;

use gradus_core::names::Namespace;
use gradus_core::notification::Notification;
use gradus_core::pipeline::Pipeline;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::convert::{self, Reader};
use crate::error::{ManifestError, ManifestErrorKind, Note, Trouble};
use crate::hold::HoldManifest;
use crate::read::{API_VERSION, decoded};
use crate::said::{ApprovalManifest, CheckManifest, PromotionManifest};
use crate::wire;
use crate::yaml::{Document, Path};

/// What an API server says of an object beside its spec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// The namespace it is in.
    pub namespace: Namespace,
    /// What it is called there.
    pub name: Arc<str>,
    /// Which one of that name it is.
    pub uid: Arc<str>,
    /// How often its spec has changed.
    pub generation: i64,
    /// The version that a change has to name.
    pub resource_version: Arc<str>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Since when it is to be deleted.
    pub deleted: Option<Timestamp>,
}

/// An object without mistakes.
#[derive(Debug, Clone)]
pub struct Object<T> {
    /// What its API server says of it.
    pub meta: ObjectMeta,
    /// What it is.
    pub value: T,
    /// What there is to know beside that.
    pub notes: Vec<Note>,
}

/// Reads a `Pipeline`.
pub fn pipeline_from_json(object: &Value) -> Result<Object<Pipeline>, Vec<ManifestError>> {
    read::<wire::PipelineManifest, _>(object, ("Pipeline", "PipelineManifest"), |reader, wire| {
        convert::pipeline(reader, wire)
    })
}

/// Reads a `Hold`. It is put on its pipeline by [`HoldManifest::on`].
pub fn hold_from_json(object: &Value) -> Result<Object<HoldManifest>, Vec<ManifestError>> {
    read::<wire::HoldManifest, _>(object, ("Hold", "HoldManifest"), |reader, wire| {
        convert::hold(reader, wire)
    })
}

/// Reads a `Promotion` with what was recorded of it.
pub fn promotion_from_json(object: &Value) -> Result<Object<PromotionManifest>, Vec<ManifestError>> {
    let status = status(object);
    read::<wire::PromotionManifest, _>(object, ("Promotion", "PromotionManifest"), |reader, wire| {
        convert::promotion(reader, wire, status.as_ref())
    })
}

/// Reads an `Approval` with what was recorded of it.
pub fn approval_from_json(object: &Value) -> Result<Object<ApprovalManifest>, Vec<ManifestError>> {
    let status = status(object);
    read::<wire::ApprovalManifest, _>(object, ("Approval", "ApprovalManifest"), |reader, wire| {
        convert::approval(reader, wire, status.as_ref())
    })
}

/// Reads a `Notification`.
pub fn notification_from_json(object: &Value) -> Result<Object<Notification>, Vec<ManifestError>> {
    read::<wire::NotificationManifest, _>(object, ("Notification", "NotificationManifest"), |reader, wire| {
        convert::notification(reader, wire)
    })
}

/// Reads a `Check`.
pub fn check_from_json(object: &Value) -> Result<Object<CheckManifest>, Vec<ManifestError>> {
    read::<wire::CheckManifest, _>(object, ("Check", "CheckManifest"), |reader, wire| {
        convert::check(reader, wire)
    })
}

/// The status, if it can be read. It is ours: one that cannot be read is written anew.
fn status<T: DeserializeOwned>(object: &Value) -> Option<T> {
    T::deserialize(object.get("status")?).ok()
}

fn read<W: DeserializeOwned, T>(
    object: &Value,
    (kind, definition): (&str, &'static str),
    convert: impl FnOnce(&mut Reader<'_, '_>, &W) -> Option<T>,
) -> Result<Object<T>, Vec<ManifestError>> {
    let spec = only_what_is_read(object);
    let document = Document::from_json(&spec);
    let file = Arc::from(called(object, kind));
    let mut reader = Reader { file, document: &document, errors: Vec::new(), notes: Vec::new() };
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    if text("/apiVersion") != API_VERSION || text("/kind") != kind {
        let message = format!(
            "this is {:?} of {:?}, and not {kind} of {API_VERSION}",
            text("/kind"),
            text("/apiVersion")
        );
        reader.fail(&Path::ROOT, Trouble::new(ManifestErrorKind::UnknownKind, message));
        return Err(reader.errors);
    }
    let value = document.root().and_then(|root| {
        let wire = decoded::<W>(&mut reader, root, definition)?;
        convert(&mut reader, &wire)
    });
    if reader.errors.is_empty()
        && let (Some(meta), Some(value)) = (meta(object), value)
    {
        return Ok(Object { meta, value, notes: reader.notes });
    }
    if reader.errors.is_empty() {
        let trouble =
            Trouble::new(ManifestErrorKind::MissingField, "the object has no name that can be read");
        reader.fail(&Path::ROOT.field("metadata"), trouble);
    }
    Err(reader.errors)
}

/// What an object is called where there is no file.
fn called(object: &Value, kind: &str) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").unwrap_or("without a name");
    match text("/metadata/namespace") {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// An API server knows more of an object than a file says; all of that is left out.
fn only_what_is_read(object: &Value) -> Value {
    const METADATA: [&str; 4] = ["name", "namespace", "labels", "annotations"];
    let pick = |value: Option<&Value>, wanted: &dyn Fn(&str) -> bool| -> Map<String, Value> {
        let fields = value.and_then(Value::as_object).into_iter().flatten();
        fields.filter(|(key, _)| wanted(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    let mut picked = pick(Some(object), &|key| key != "status" && key != "metadata");
    let metadata = pick(object.get("metadata"), &|key| METADATA.contains(&key));
    picked.insert("metadata".to_owned(), json!(metadata));
    Value::Object(picked)
}

fn meta(object: &Value) -> Option<ObjectMeta> {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let text = |field: &str| metadata.get(field).and_then(Value::as_str);
    let time = |field: &str| text(field).and_then(|text| text.parse().ok());
    // A name that is wrong has been told of where the rest was read.
    let namespace = Namespace::parse(text("namespace").unwrap_or("default")).ok();
    let name = text("name").filter(|name| !name.is_empty()).map(Arc::from);
    Some(ObjectMeta {
        namespace: namespace?,
        name: name?,
        uid: Arc::from(text("uid").unwrap_or_default()),
        generation: metadata.get("generation").and_then(Value::as_i64).unwrap_or_default(),
        resource_version: Arc::from(text("resourceVersion").unwrap_or_default()),
        created: time("creationTimestamp"),
        deleted: time("deletionTimestamp"),
    })
}
