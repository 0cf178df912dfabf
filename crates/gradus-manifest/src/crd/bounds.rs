//! How much of everything an object may hold. An API server refuses rules whose
//! cost it cannot bound, and everything from outside has a bound anyway.

use serde_json::{Map, Value};

/// What a name of an object may have at most.
const NAME: u64 = 253;
/// What a label, such as an environment's name, may have at most.
const LABEL: u64 = 63;
/// What a version or a person may have at most.
const WORD: u64 = 256;
const TEXT: u64 = 1024;
const URL: u64 = 2048;
const PROSE: u64 = 4096;
const TEMPLATE: u64 = 16_384;
const LONGEST_CONDITION: u64 = 32_768;

/// Bounds a field of a type, or what is inside a list or a map there.
pub(super) fn add(owner: &str, field: &str, schema: &mut Map<String, Value>) {
    let of = schema.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    match of.as_str() {
        "string" if !schema.contains_key("enum") && !schema.contains_key("format") => {
            schema.entry("maxLength").or_insert_with(|| letters(owner, field).into());
        }
        "array" => {
            schema.entry("maxItems").or_insert_with(|| items(owner, field).into());
        }
        "object" if schema.contains_key("additionalProperties") => {
            schema.entry("maxProperties").or_insert_with(|| 32.into());
        }
        _ => {}
    }
}

fn letters(owner: &str, field: &str) -> u64 {
    match (owner, field) {
        ("Condition", "message") => LONGEST_CONDITION,
        ("Condition", "reason") => TEXT,
        ("Condition", "type") => 316,
        ("WebhookReceiver", "template") => 4 * PROSE,
        ("Environment" | "EnvironmentStatus" | "Artifact", "name") | (_, "environment" | "namespace") => {
            LABEL
        }
        ("PullRequest", "body" | "message") => TEMPLATE,
        (_, "name" | "pipeline" | "check") => NAME,
        (_, "url" | "repository") => URL,
        (_, "message" | "explanation" | "detail" | "summary" | "reason" | "file") => PROSE,
        // Inside a list or a map there are names, versions and people.
        (_, "version" | "by" | "owner" | "reporter" | "") => WORD,
        _ => TEXT,
    }
}

fn items(owner: &str, field: &str) -> u64 {
    match (owner, field) {
        ("PipelineSpec" | "PipelineStatus", "environments") => 100,
        ("Environment", "targets") | ("EnvironmentStatus", "targets") => 500,
        ("EnvironmentStatus", "proven") => crate::status::MAX_PROVEN as u64,
        ("EnvironmentStatus", "dispatched") => crate::status::MAX_DISPATCHED as u64,
        ("TargetStatus", "evidence") => crate::status::MAX_EVIDENCE as u64,
        ("Environment", "after" | "gates" | "verify") => 32,
        ("PipelineSpec", "artifacts") => 32,
        ("PullRequest", "labels" | "reviewers" | "assignees") => 32,
        ("PipelineStatus" | "NotificationStatus", "conditions") => 16,
        ("NotificationStatus", "told") => 1000,
        ("ToldStatus", "keys") => crate::status::MAX_TOLD as u64,
        ("NotificationStatus", "threads") => crate::status::MAX_THREADS as u64,
        ("NotificationStatus", "undelivered") => crate::status::MAX_UNDELIVERED as u64,
        _ => 100,
    }
}
