//! What was said, as the objects that say it.

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::observation::{Approval, CheckFact, CheckResult, Request, RequestKind};
use gradus_core::pipeline::Hold;
use gradus_core::release::Release;
use serde_json::{Map, Value, json};

use crate::status::Versions;

/// The versions of a release, by artifact, as objects hold them.
pub fn versions(release: &Release) -> Versions {
    release.versions().map(|(artifact, version)| (artifact.to_string(), version.to_string())).collect()
}

/// The object that asks for a promotion, under a name of the caller's. Its status
/// is what was recorded; an API server takes the two in two requests.
pub fn promotion_object(
    name: &str,
    pipeline: &PipelineKey,
    environment: &EnvironmentName,
    request: &Request,
) -> Value {
    let way = match request.kind {
        RequestKind::Promote => "promote",
        RequestKind::Override => "override",
        RequestKind::Rollback => "rollback",
        RequestKind::Emergency => "emergency",
    };
    let mut spec = about(pipeline, environment, &request.release);
    spec.insert("type".to_owned(), way.into());
    spec.insert("by".to_owned(), request.by.as_str().into());
    if let Some(reason) = &request.reason {
        spec.insert("reason".to_owned(), reason.as_ref().into());
    }
    let mut recorded = json!({"id": request.id.as_str(), "versions": versions(&request.release)});
    if let (Some(from), Some(recorded)) = (&request.from, recorded.as_object_mut()) {
        recorded.insert("from".to_owned(), json!(versions(from)));
    }
    if let (Some(commit), Some(recorded)) = (&request.from_commit, recorded.as_object_mut()) {
        recorded.insert("fromCommit".to_owned(), commit.as_str().into());
    }
    let mut object = object("Promotion", name, pipeline, spec);
    object.insert("status".to_owned(), json!({"state": "open", "recorded": recorded}));
    Value::Object(object)
}

/// The object that says yes to a release, under a name of the caller's.
pub fn approval_object(
    name: &str,
    pipeline: &PipelineKey,
    environment: &EnvironmentName,
    approval: &Approval,
) -> Value {
    let mut spec = about(pipeline, environment, &approval.release);
    spec.insert("by".to_owned(), approval.by.as_str().into());
    if !approval.groups.is_empty() {
        let groups: Vec<&str> = approval.groups.iter().map(|group| group.as_str()).collect();
        spec.insert("groups".to_owned(), json!(groups));
    }
    if !approval.aliases.is_empty() {
        let aliases: Vec<&str> = approval.aliases.iter().map(|alias| alias.as_str()).collect();
        spec.insert("aliases".to_owned(), json!(aliases));
    }
    Value::Object(object("Approval", name, pipeline, spec))
}

/// The object that reports a check, under a name of the caller's.
pub fn check_object(
    name: &str,
    pipeline: &PipelineKey,
    environment: &EnvironmentName,
    fact: &CheckFact,
) -> Value {
    let result = match fact.result {
        CheckResult::Passed => "passed",
        CheckResult::Failed => "failed",
        CheckResult::Pending => "pending",
    };
    let mut spec = about(pipeline, environment, &fact.release);
    spec.insert("check".to_owned(), fact.check.as_str().into());
    spec.insert("reporter".to_owned(), fact.reporter.as_str().into());
    spec.insert("result".to_owned(), result.into());
    spec.insert("at".to_owned(), fact.at.to_string().into());
    if let Some(detail) = &fact.detail {
        spec.insert("detail".to_owned(), detail.as_ref().into());
    }
    Value::Object(object("Check", name, pipeline, spec))
}

/// The object that a hold is.
pub fn hold_object(pipeline: &PipelineKey, hold: &Hold) -> Value {
    let mut spec = Map::new();
    spec.insert("pipeline".to_owned(), pipeline.name.as_str().into());
    if let Some(environment) = &hold.environment {
        spec.insert("environment".to_owned(), environment.as_str().into());
    }
    if let Some(pin) = &hold.pin {
        spec.insert("pin".to_owned(), json!(versions(pin)));
    }
    spec.insert("reason".to_owned(), hold.reason.as_ref().into());
    spec.insert("owner".to_owned(), hold.owner.as_str().into());
    for (field, time) in [("since", hold.since), ("until", hold.until)] {
        if let Some(time) = time {
            spec.insert(field.to_owned(), time.to_string().into());
        }
    }
    Value::Object(object("Hold", &hold.name, pipeline, spec))
}

fn about(pipeline: &PipelineKey, environment: &EnvironmentName, release: &Release) -> Map<String, Value> {
    let mut spec = Map::new();
    spec.insert("pipeline".to_owned(), pipeline.name.as_str().into());
    spec.insert("environment".to_owned(), environment.as_str().into());
    spec.insert("versions".to_owned(), json!(versions(release)));
    spec
}

fn object(kind: &str, name: &str, pipeline: &PipelineKey, spec: Map<String, Value>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), "gradus.dev/v1alpha1".into());
    object.insert("kind".to_owned(), kind.into());
    object.insert("metadata".to_owned(), json!({"name": name, "namespace": pipeline.namespace.as_str()}));
    object.insert("spec".to_owned(), Value::Object(spec));
    object
}
