//! How a status is written: what is ours of it, and whether that says anything new.

use std::hash::{DefaultHasher, Hash, Hasher};

use gradus_weave::classic::Event;
use gradus_weave::condition::time;
use gradus_weave::kind::{API_VERSION, Condition, KIND, Pipeline, Status};
use gradus_weave::message::cut;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Which rule a pipeline is looked after by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Its clusters are looked at; only webhooks promote.
    Classic,
    /// What runs is looked at, and promoted.
    Level,
}

/// What a condition says that the contract has no word for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: &'a str,
}

/// Puts a condition in. Since when it is so stays, as long as its status does.
pub(super) fn set(conditions: &mut Vec<Condition>, says: &Said<'_>, generation: Option<i64>, now: Timestamp) {
    let at = conditions.iter().position(|one| one.kind == says.kind);
    let before = at.map(|at| conditions.remove(at)).filter(|before| before.status == says.status);
    let condition = Condition {
        kind: says.kind.to_owned(),
        status: says.status.to_owned(),
        reason: says.reason.to_owned(),
        message: cut(says.message),
        last_transition_time: Some(
            before.and_then(|before| before.last_transition_time).unwrap_or_else(|| time(now)),
        ),
        observed_generation: generation,
    };
    conditions.insert(at.unwrap_or(conditions.len()), condition);
}

/// What is applied: everything but what waits for an approval. It names the writing
/// that it replaces.
pub(super) fn body(pipeline: &Pipeline, status: &Status, rule: Rule) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {
            "name": pipeline.metadata.name,
            "namespace": pipeline.metadata.namespace,
            "uid": pipeline.metadata.uid,
            "resourceVersion": pipeline.metadata.resource_version,
        },
        "status": ours(pipeline, status, rule),
    })
}

/// Whether this status says nothing that the pipeline's own does not.
pub(super) fn says_the_same(pipeline: &Pipeline, status: &Status, rule: Rule) -> bool {
    ours(pipeline, &pipeline.status, rule) == ours(pipeline, status, rule)
}

/// What is told with a status, such that the same told again is the same text. A
/// clock that went on is nothing new.
pub(super) fn telling(pipeline: &Pipeline, status: &Status, rule: Rule, events: &[Event]) -> String {
    let mut timeless = status.clone();
    for condition in &mut timeless.conditions {
        condition.last_transition_time = None;
    }
    for promotion in timeless.environments.values_mut().filter_map(|one| one.promotion.as_mut()) {
        promotion.last_attempted_time = None;
    }
    short(&format!("{} {events:?}", ours(pipeline, &timeless, rule)))
}

/// The same for what is told without a status.
pub(super) fn telling_only(event: &Event) -> String {
    short(&format!("{event:?}"))
}

fn short(text: &str) -> String {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// The fields of a status that are the controller's. Under the classic rule it says
/// nothing of the environments.
fn ours(pipeline: &Pipeline, status: &Status, rule: Rule) -> Value {
    let mut ours = json!({
        "observedGeneration": status.observed_generation,
        "conditions": status.conditions,
    });
    let Some(fields) = ours.as_object_mut() else { return ours };
    match rule {
        Rule::Classic => return ours,
        Rule::Level => {}
    }
    if let Some(latest) = &status.latest_revision {
        fields.insert("latestRevision".to_owned(), json!(latest));
    }
    let mut environments = Map::new();
    for environment in &pipeline.spec.environments {
        let Some(of) = status.environments.get(&environment.name) else { continue };
        let mut here = json!({"targets": of.targets});
        if let (Some(promotion), Some(here)) = (&of.promotion, here.as_object_mut()) {
            here.insert("promotion".to_owned(), json!(promotion));
        }
        environments.insert(environment.name.clone(), here);
    }
    fields.insert("environments".to_owned(), Value::Object(environments));
    ours
}
