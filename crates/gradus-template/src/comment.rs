//! What the template of a comment may speak of.

use std::collections::BTreeMap;

use minijinja::Value;

use crate::engine::rendered;
use crate::error::TemplateError;
use crate::part::Part;

/// What the template of a comment may speak of: what happened to an object, and what the writer added.
#[derive(Debug, Clone, Default)]
pub struct CommentFacts {
    /// The number of the proposal.
    pub pull: String,
    /// What happened; absent where the comment is about no event.
    pub event: Option<EventFacts>,
    /// What was added by name.
    pub set: BTreeMap<String, String>,
}

/// What happened to an object.
#[derive(Debug, Clone, Default)]
pub struct EventFacts {
    /// Of which kind the object is.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// At what version it is.
    pub version: String,
    /// How bad it is.
    pub severity: String,
    /// What happened, in one word.
    pub reason: String,
    /// What happened, in words.
    pub message: String,
    /// What else is known.
    pub metadata: BTreeMap<String, String>,
    /// The `NAME=VALUE` of its summary.
    pub summary: BTreeMap<String, String>,
}

/// What the template of a comment makes of them.
pub fn comment(template: &str, facts: &CommentFacts) -> Result<String, TemplateError> {
    rendered(Part::Comment, template, value(facts))
}

fn value(facts: &CommentFacts) -> Value {
    let mut all = BTreeMap::from([("pull", Value::from(facts.pull.as_str())), ("set", map(&facts.set))]);
    if let Some(event) = &facts.event {
        all.extend([
            ("kind", Value::from(event.kind.as_str())),
            ("namespace", Value::from(event.namespace.as_str())),
            ("name", Value::from(event.name.as_str())),
            ("version", Value::from(event.version.as_str())),
            ("severity", Value::from(event.severity.as_str())),
            ("reason", Value::from(event.reason.as_str())),
            ("message", Value::from(event.message.as_str())),
            ("metadata", map(&event.metadata)),
            ("summary", map(&event.summary)),
        ]);
    }
    Value::from(all)
}

fn map(pairs: &BTreeMap<String, String>) -> Value {
    Value::from(
        pairs
            .iter()
            .map(|(name, text)| (name.as_str(), Value::from(text.as_str())))
            .collect::<BTreeMap<_, _>>(),
    )
}
