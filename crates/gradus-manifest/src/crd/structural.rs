//! From the JSON Schema of the types to the structural schema that an API server
//! asks for: every value has one type, and nothing stands by reference.
//!
//! Where a value may be written in two ways that have no type in common, such as
//! a text or a list, the API server keeps it as it is and our own reader judges it.

use serde_json::{Map, Value, json};

use super::{bounds, rules};

/// All schemas, by the names of their types.
pub(super) struct Schemas<'s> {
    pub(super) definitions: &'s Map<String, Value>,
}

/// What says the same in both.
const KEPT: [&str; 10] = [
    "type",
    "description",
    "pattern",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "required",
];
/// The formats that an API server knows; others speak of the programs' types.
const FORMATS: [&str; 3] = ["date-time", "int32", "int64"];

impl Schemas<'_> {
    /// The structural schema of a type.
    pub(super) fn of(&self, name: &str) -> Value {
        let definition = self.definitions.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let mut schema = match two_ways(name) {
            Some(mut schema) => {
                schema.insert(
                    "description".to_owned(),
                    definition.get("description").cloned().unwrap_or_default(),
                );
                schema
            }
            None => self.object(name, &definition),
        };
        rules::add(name, &mut schema);
        Value::Object(schema)
    }

    fn object(&self, name: &str, from: &Map<String, Value>) -> Map<String, Value> {
        let mut schema = self.plain(name, from);
        let choices = from.get("oneOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        if choices.iter().all(|choice| choice.get("const").is_some()) {
            words(&mut schema, choices);
        } else if choices.iter().all(|choice| choice.get("properties").is_some()) {
            self.one_of(name, &mut schema, choices);
        }
        schema
    }

    /// All but choices.
    fn plain(&self, name: &str, from: &Map<String, Value>) -> Map<String, Value> {
        let mut schema: Map<String, Value> =
            KEPT.iter().filter_map(|key| Some(((*key).to_owned(), from.get(*key)?.clone()))).collect();
        // What may be left out may also be nothing; an API server drops that by itself.
        if let Some(Value::Array(types)) = schema.get("type") {
            let of = types.iter().find(|of| of.as_str() != Some("null")).cloned().unwrap_or_default();
            schema.insert("type".to_owned(), of);
        }
        if let Some(values) = from.get("enum") {
            schema.insert("enum".to_owned(), values.clone());
            schema.entry("type").or_insert_with(|| "string".into());
        }
        if let Some(format) = from
            .get("format")
            .filter(|format| format.as_str().is_some_and(|format| FORMATS.contains(&format)))
        {
            schema.insert("format".to_owned(), format.clone());
        }
        if let Some(properties) = from.get("properties").and_then(Value::as_object) {
            let inner =
                properties.iter().map(|(field, inner)| (field.clone(), self.field(name, field, inner)));
            schema.insert("properties".to_owned(), Value::Object(inner.collect()));
        }
        if let Some(items) = from.get("items") {
            schema.insert("items".to_owned(), self.field(name, "", items));
        }
        if let Some(values) = from.get("additionalProperties").filter(|values| values.is_object()) {
            schema.insert("additionalProperties".to_owned(), self.field(name, "", values));
        }
        schema
    }

    /// A field of a type, or what is inside a list or a map there.
    fn field(&self, owner: &str, field: &str, from: &Value) -> Value {
        let Some(from) = from.as_object() else { return json!({"type": "object"}) };
        let alternatives = from.get("anyOf").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let meant = alternatives.iter().find(|choice| choice.get("type") != Some(&json!("null")));
        let reference = from.get("$ref").or_else(|| meant?.get("$ref")).and_then(Value::as_str);
        let mut schema = match reference.and_then(|reference| reference.strip_prefix("#/$defs/")) {
            Some(name) => {
                let mut schema = self.of(name).as_object().cloned().unwrap_or_default();
                // The field says more than its type.
                if let Some(description) = from.get("description") {
                    let choices = schema
                        .get("description")
                        .and_then(Value::as_str)
                        .and_then(|told| told.split_once("\n\n"));
                    let told = match (description.as_str(), choices) {
                        (Some(description), Some((_, choices))) => {
                            format!("{description}\n\n{choices}").into()
                        }
                        (_, _) => description.clone(),
                    };
                    schema.insert("description".to_owned(), told);
                }
                schema
            }
            None => self.object(owner, from),
        };
        bounds::add(owner, field, &mut schema);
        Value::Object(schema)
    }

    /// A mapping with exactly one key becomes one whose keys may all be there, and a rule.
    fn one_of(&self, name: &str, schema: &mut Map<String, Value>, choices: &[Value]) {
        let mut properties = Map::new();
        for choice in choices {
            for (field, inner) in choice.get("properties").and_then(Value::as_object).into_iter().flatten() {
                let mut inner = self.field(name, field, inner);
                if let (Some(inner), Some(description)) = (inner.as_object_mut(), choice.get("description")) {
                    inner.insert("description".to_owned(), description.clone());
                }
                properties.insert(field.clone(), inner);
            }
        }
        if properties.is_empty() {
            return;
        }
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), Value::Object(properties));
    }
}

/// Words to choose from, each with what it means.
fn words(schema: &mut Map<String, Value>, choices: &[Value]) {
    if choices.is_empty() {
        return;
    }
    let values: Vec<Value> = choices.iter().filter_map(|choice| choice.get("const").cloned()).collect();
    let meanings: Vec<String> = choices
        .iter()
        .filter_map(|choice| {
            let word = choice.get("const")?.as_str()?;
            Some(format!("- `{word}`: {}", choice.get("description")?.as_str()?.replace('\n', " ")))
        })
        .collect();
    let about = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{about}\n\n{}", meanings.join("\n"));
    schema.insert("description".to_owned(), description.into());
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), Value::Array(values));
}

/// What can be written in two ways. Each limit speaks of one of them and leaves
/// the other alone.
fn two_ways(name: &str) -> Option<Map<String, Value>> {
    const KEEP: &str = "x-kubernetes-preserve-unknown-fields";
    let schema = match name {
        "HealthyTargets" => {
            json!({"x-kubernetes-int-or-string": true, "pattern": "^(all|any)$", "minimum": 1})
        }
        "OneOrMany" => json!({KEEP: true, "minLength": 1, "maxLength": 256, "maxItems": 64}),
        "Pin" => {
            json!({KEEP: true, "minLength": 1, "maxLength": 256, "minProperties": 1, "maxProperties": 32})
        }
        "Queue" => json!({KEEP: true, "pattern": "^(latest|queue)$", "required": ["pinned"]}),
        _ => return None,
    };
    schema.as_object().cloned()
}
