//! The JSON Schema of the manifests, from the types they are read into.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::status;
use crate::wire;

/// The JSON Schema of all manifests: a `Pipeline`, a `Hold` or a `Notification`.
pub fn json_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let pipeline = generator.subschema_for::<wire::PipelineManifest>();
    let hold = generator.subschema_for::<wire::HoldManifest>();
    let notification = generator.subschema_for::<wire::NotificationManifest>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gradus manifests",
        "description": "What gradus reads: pipelines, holds and notifications.",
        "oneOf": [pipeline, hold, notification],
        "$defs": generator.take_definitions(true),
    })
}

/// The schemas of all that is read and written in a cluster, by the names of their types.
pub(crate) fn definitions() -> Map<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    generator.subschema_for::<wire::PipelineManifest>();
    generator.subschema_for::<wire::HoldManifest>();
    generator.subschema_for::<wire::PromotionManifest>();
    generator.subschema_for::<wire::ApprovalManifest>();
    generator.subschema_for::<wire::CheckManifest>();
    generator.subschema_for::<wire::NotificationManifest>();
    generator.subschema_for::<status::PipelineStatus>();
    generator.subschema_for::<status::HoldStatus>();
    generator.subschema_for::<status::PromotionStatus>();
    generator.subschema_for::<status::ApprovalStatus>();
    generator.subschema_for::<status::CheckStatus>();
    generator.subschema_for::<status::NotificationStatus>();
    generator.take_definitions(true)
}
