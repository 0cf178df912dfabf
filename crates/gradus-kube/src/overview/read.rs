//! What is read of objects, whatever they are.

use gradus_evidence::Image;
use serde_json::Value;

/// The text at a JSON pointer.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A label, whose key may have a `/` in it.
pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// The namespace and the name.
pub(crate) fn name_of(object: &Value) -> (&str, &str) {
    (
        text(object, "/metadata/namespace").unwrap_or_default(),
        text(object, "/metadata/name").unwrap_or_default(),
    )
}

/// The versions of the images of a workload, in the order of its containers.
pub(crate) fn images(workload: &Value) -> Vec<&str> {
    let containers = workload.pointer("/spec/template/spec/containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str());
    images.map(|image| Image::parse(image).version(None)).collect()
}
