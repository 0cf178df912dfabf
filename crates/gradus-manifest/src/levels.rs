//! Where in a manifest a field belongs.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::nearest::nearest;
use crate::schema::definitions;
use crate::yaml::Path;

/// The fields of one kind of manifest, level by level.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels {
    /// The definition in the schema.
    pub(crate) definition: &'static str,
}

impl Levels {
    /// What may have been meant by a field that does not exist.
    pub(crate) fn suggest(&self, path: &Path<'_>, field: &str, known: &[&str]) -> Option<String> {
        if let Some(meant) = nearest(field, known.iter().copied()) {
            return Some(format!("did you mean {meant:?}?"));
        }
        let here = path.level();
        let schema = json!({ "$defs": definitions() });
        let mut homes = BTreeSet::new();
        let mut walk = Walk { schema: &schema, field, homes: &mut homes };
        walk.level(schema.pointer(&format!("/$defs/{}", self.definition))?, "", 0);
        // The home that shares the longest way with the place where it was written.
        let shared = |home: &str| home.chars().zip(here.chars()).take_while(|(a, b)| a == b).count();
        let nearness = |home: &str| (shared(home), std::cmp::Reverse(home.len()));
        let best = homes.iter().max_by_key(|home| nearness(home))?;
        let level = if best.is_empty() { "the top level".to_owned() } else { format!("`{best}`") };
        Some(format!("{field:?} belongs in {level}"))
    }
}

/// Collects the levels that have a field.
struct Walk<'s> {
    schema: &'s Value,
    field: &'s str,
    homes: &'s mut BTreeSet<String>,
}

impl Walk<'_> {
    fn level(&mut self, schema: &Value, at: &str, depth: usize) {
        const DEEPEST: usize = 32;
        let Some(schema) = schema.as_object().filter(|_| depth < DEEPEST) else { return };
        if let Some(target) = self.target(schema) {
            return self.level(&target, at, depth + 1);
        }
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if name == self.field {
                self.homes.insert(at.to_owned());
            }
            let inner_at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            self.level(inner, &inner_at, depth + 1);
        }
        if let Some(items) = schema.get("items") {
            self.level(items, &format!("{at}[]"), depth + 1);
        }
        for choices in ["oneOf", "anyOf", "allOf"] {
            for choice in schema.get(choices).and_then(Value::as_array).into_iter().flatten() {
                self.level(choice, at, depth + 1);
            }
        }
    }

    fn target(&self, schema: &Map<String, Value>) -> Option<Value> {
        let reference = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.schema.pointer(reference).cloned()
    }
}
