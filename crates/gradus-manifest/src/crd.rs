//! The definitions that a cluster needs to keep our objects, and the rules by
//! which it lets people write them.

use serde_json::{Map, Value, json};

use crate::schema::definitions;

mod admission;
mod bounds;
mod kinds;
mod rules;
mod structural;
mod weave;

/// An object to be put into a cluster before anything else.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterObject {
    /// The file it is kept in.
    pub file: &'static str,
    /// The object.
    pub object: Value,
}

/// All that a cluster needs: first the definitions, then the rules of admission.
pub fn crds() -> Vec<ClusterObject> {
    let definitions = definitions();
    let mut all: Vec<ClusterObject> = kinds::ALL
        .iter()
        .map(|kind| ClusterObject { file: kind.file, object: definition(kind, &definitions) })
        .collect();
    all.push(ClusterObject { file: "pipelines.weave.works_pipelines.yaml", object: weave::definition() });
    all.extend(admission::policies());
    all
}

fn definition(kind: &kinds::Kind, definitions: &Map<String, Value>) -> Value {
    let schemas = structural::Schemas { definitions };
    let mut properties = Map::new();
    properties.insert("apiVersion".to_owned(), json!({"type": "string"}));
    properties.insert("kind".to_owned(), json!({"type": "string"}));
    properties.insert("metadata".to_owned(), json!({"type": "object"}));
    properties.insert("spec".to_owned(), schemas.of(kind.spec));
    properties.insert("status".to_owned(), schemas.of(kind.status));
    let description = definitions.get(kind.manifest).and_then(|schema| schema.get("description"));
    let columns: Vec<Value> = kind.columns.iter().map(kinds::Column::to_json).collect();
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.gradus.dev", kind.plural)},
        "spec": {
            "group": "gradus.dev",
            "names": {
                "kind": kind.kind,
                "listKind": format!("{}List", kind.kind),
                "plural": kind.plural,
                "singular": kind.kind.to_lowercase(),
                "shortNames": [kind.short],
                "categories": ["gradus"],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1",
                "served": true,
                "storage": true,
                "additionalPrinterColumns": columns,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "description": description,
                    "required": ["spec"],
                    "properties": properties,
                }},
            }],
        },
    })
}
