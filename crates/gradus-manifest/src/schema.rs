//! The JSON Schema of the manifests, from the types they are read into.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::wire::{HoldManifest, PipelineManifest};

/// The JSON Schema of all manifests: a `Pipeline` or a `Hold`.
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let pipeline = generator.subschema_for::<PipelineManifest>();
    let hold = generator.subschema_for::<HoldManifest>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradus manifests",
        "description": "What gradus reads: pipelines and holds.",
        "oneOf": [pipeline, hold],
        "$defs": generator.take_definitions(true),
    })
}
