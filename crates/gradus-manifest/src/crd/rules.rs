//! What the schema alone cannot say: rules with words of their own.

use serde_json::{Map, Value, json};

const RULES: &str = "x-kubernetes-validations";
const LABEL: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

/// Adds the rules of a type to its schema.
pub(super) fn add(name: &str, schema: &mut Map<String, Value>) {
    match name {
        "PipelineSpec" => {
            keyed(schema, "environments", "name");
            keyed(schema, "artifacts", "name");
        }
        "PipelineStatus" => {
            keyed(schema, "conditions", "type");
            keyed(schema, "environments", "name");
        }
        "EnvironmentStatus" => keyed(schema, "targets", "name"),
        "Environment" => {
            rule(
                schema,
                format!("self.name.matches('{LABEL}')"),
                "an environment's name is lower case letters, digits and '-', and begins and ends with a letter or digit",
            );
            rule(
                schema,
                "!has(self.after) || !(self.name in self.after)",
                "an environment cannot come after itself",
            );
        }
        "Gate" => one_of(schema, &[], "a gate is exactly one of"),
        "Receiver" => one_of(schema, &[], "a notification goes to exactly one of"),
        "WebhookReceiver" => rule(
            schema,
            "has(self.url) || has(self.secretRef)",
            "a webhook needs a url, or a Secret that holds its address",
        ),
        "NotificationStatus" => {
            keyed(schema, "conditions", "type");
            keyed(schema, "told", "pipeline");
        }
        "Target" => target(schema),
        "Repository" => no_password(schema),
        "Http" => {
            rule(
                schema,
                "self.url.startsWith('https://') || self.url.startsWith('http://')",
                "a URL to ask begins with https:// or http://",
            );
            // A rule with words would cost too much in as many targets as there may be.
            let url = schema.get_mut("properties").and_then(|properties| properties.get_mut("url"));
            if let Some(url) = url.and_then(Value::as_object_mut) {
                url.insert("pattern".to_owned(), "^[^/]*//[^/@]*(/.*)?$".into());
            }
        }
        "HoldSpec" => {
            not_blank(schema, "reason");
            not_blank(schema, "owner");
        }
        "PromotionSpec" => {
            stays(
                schema,
                "what was asked for cannot be changed; to ask for something else, make another Promotion",
            );
            one_version(schema);
            not_blank(schema, "by");
            rule(
                schema,
                "!has(self.type) || !(self.type in ['override', 'emergency']) || (has(self.reason) && self.reason.trim() != '')",
                "an override or an emergency needs a reason",
            );
        }
        "ApprovalSpec" => {
            stays(schema, "an approval cannot be changed; delete it to take it back, and make another");
            one_version(schema);
            not_blank(schema, "by");
        }
        "CheckSpec" => {
            stays(schema, "a report cannot be changed; to report again, make another Check");
            one_version(schema);
            not_blank(schema, "reporter");
            rule(
                schema,
                "has(self.version) || has(self.versions)",
                "say what was checked: a version, or versions by artifact",
            );
        }
        _ => {}
    }
}

fn rule(schema: &mut Map<String, Value>, rule: impl Into<String>, message: &str) {
    let rules = schema.entry(RULES).or_insert_with(|| json!([]));
    if let Some(rules) = rules.as_array_mut() {
        rules.push(json!({"rule": rule.into(), "message": message}));
    }
}

/// A list that has one item of each name, so that several may write it.
fn keyed(schema: &mut Map<String, Value>, list: &str, key: &str) {
    let list = schema.get_mut("properties").and_then(|properties| properties.get_mut(list));
    if let Some(list) = list.and_then(Value::as_object_mut) {
        list.insert("x-kubernetes-list-type".to_owned(), "map".into());
        list.insert("x-kubernetes-list-map-keys".to_owned(), json!([key]));
    }
}

/// Exactly one of these fields, or of all where none are named.
fn one_of(schema: &mut Map<String, Value>, fields: &[&str], words: &str) {
    let all: Vec<String> = properties(schema);
    let fields: Vec<&str> =
        if fields.is_empty() { all.iter().map(String::as_str).collect() } else { fields.to_vec() };
    let there: Vec<String> = fields.iter().map(|field| has(field)).collect();
    let message = format!("{words} {}", fields.join(", "));
    rule(schema, format!("[{}].exists_one(there, there)", there.join(", ")), &message);
}

fn target(schema: &mut Map<String, Value>) {
    const WAYS: [&str; 4] = ["namespace", "report", "http", "git"];
    one_of(schema, &WAYS, "a target is exactly one of");
    // Whatever else it has says more about what runs in the namespace.
    let beside: Vec<String> = properties(schema)
        .into_iter()
        .filter(|field| field != "name" && !WAYS.contains(&field.as_str()))
        .collect();
    let there: Vec<String> = beside.iter().map(|field| has(field)).collect();
    let message = format!("{} belong to a target with namespace", beside.join(", "));
    rule(schema, format!("{} || !({})", has("namespace"), there.join(" || ")), &message);
}

/// Whether a field is there. The language of rules keeps some words for itself.
fn has(field: &str) -> String {
    match field {
        "namespace" => "has(self.__namespace__)".to_owned(),
        _ => format!("has(self.{field})"),
    }
}

fn properties(schema: &Map<String, Value>) -> Vec<String> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect()
}

fn no_password(schema: &mut Map<String, Value>) {
    rule(
        schema,
        "!self.url.matches('^[^/]*://[^/]*@')",
        "a URL must not hold a user or a password; name a Secret in secretRef",
    );
}

fn stays(schema: &mut Map<String, Value>, message: &str) {
    rule(schema, "self == oldSelf", message);
}

fn one_version(schema: &mut Map<String, Value>) {
    rule(schema, "!has(self.version) || !has(self.versions)", "only one of version and versions can be here");
}

fn not_blank(schema: &mut Map<String, Value>, field: &str) {
    rule(schema, format!("self.{field}.trim() != ''"), &format!("{field} is empty"));
}
