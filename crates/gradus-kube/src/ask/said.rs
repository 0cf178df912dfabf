//! The objects by which people say something.

use std::collections::BTreeMap;

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::observation::RequestKind;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::Me;
use crate::kinds::{API_VERSION, Kind};

/// How much of the pipeline's and environment's names is in the name of an object.
const MOST: usize = 40;

/// Which release somebody means.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// What is next, or what was there before where it is a way back.
    Next,
    /// This version of the pipeline's only artifact.
    Version(&'a str),
    /// These versions, by artifact.
    Versions(&'a BTreeMap<String, String>),
}

/// A yes to a release.
#[derive(Debug, Clone)]
pub struct Approve<'a> {
    /// Of which pipeline.
    pub pipeline: &'a PipelineKey,
    /// In which environment.
    pub environment: &'a EnvironmentName,
    /// To what.
    pub wanted: Wanted<'a>,
    /// Who says it.
    pub me: &'a Me,
}

/// A wish for a release.
#[derive(Debug, Clone)]
pub struct Promote<'a> {
    /// Of which pipeline.
    pub pipeline: &'a PipelineKey,
    /// Into which environment.
    pub environment: &'a EnvironmentName,
    /// What.
    pub wanted: Wanted<'a>,
    /// How.
    pub kind: RequestKind,
    /// Why.
    pub reason: Option<&'a str>,
    /// Who asks.
    pub me: &'a Me,
}

/// The object that says yes. Saying it twice is the same object.
pub fn approval(approve: &Approve<'_>) -> Value {
    let Approve { pipeline, environment, wanted, me } = approve;
    let mut spec = spec(pipeline, environment, *wanted);
    spec.insert("by".to_owned(), me.name.as_str().into());
    if !me.groups.is_empty() {
        let groups: Vec<&str> = me.groups.iter().map(|group| group.as_str()).collect();
        spec.insert("groups".to_owned(), json!(groups));
    }
    let digest: [u8; 32] = Sha256::digest(Value::Object(spec.clone()).to_string().as_bytes()).into();
    let hex: String = digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
    let name = json!({
        "name": format!("{}-{hex}", begin(pipeline, environment)),
        "namespace": pipeline.namespace.as_str(),
    });
    object(Kind::Approval, name, spec)
}

/// The object that asks. It stands for the state that the environment is in now, so
/// that asking again later is another one.
pub fn promotion(promote: &Promote<'_>) -> Value {
    let Promote { pipeline, environment, wanted, kind, reason, me } = promote;
    let mut spec = spec(pipeline, environment, *wanted);
    let way = match kind {
        RequestKind::Promote => "promote",
        RequestKind::Override => "override",
        RequestKind::Rollback => "rollback",
        RequestKind::Emergency => "emergency",
    };
    spec.insert("type".to_owned(), way.into());
    spec.insert("by".to_owned(), me.name.as_str().into());
    if let Some(reason) = reason {
        spec.insert("reason".to_owned(), (*reason).into());
    }
    let name = json!({
        "generateName": format!("{}-", begin(pipeline, environment)),
        "namespace": pipeline.namespace.as_str(),
    });
    object(Kind::Promotion, name, spec)
}

fn spec(pipeline: &PipelineKey, environment: &EnvironmentName, wanted: Wanted<'_>) -> Map<String, Value> {
    let mut spec = Map::new();
    spec.insert("pipeline".to_owned(), pipeline.name.as_str().into());
    spec.insert("environment".to_owned(), environment.as_str().into());
    match wanted {
        Wanted::Next => None,
        Wanted::Version(version) => spec.insert("version".to_owned(), version.into()),
        Wanted::Versions(versions) => spec.insert("versions".to_owned(), json!(versions)),
    };
    spec
}

/// What the name of an object begins with.
fn begin(pipeline: &PipelineKey, environment: &EnvironmentName) -> String {
    let text = format!("{}-{environment}", pipeline.name);
    let cut: String = text.chars().take(MOST).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}

fn object(kind: Kind, metadata: Value, spec: Map<String, Value>) -> Value {
    json!({"apiVersion": API_VERSION, "kind": kind.as_str(), "metadata": metadata, "spec": spec})
}
