//! The older kind, `pipelines.weave.works/v1alpha1 Pipeline`: what is wrong with
//! one, and the same pipeline in our own kind.
//!
//! Its form changed several times before it settled, and its documentation showed
//! forms that no cluster ever took. All of them are understood here, so that a
//! mistake is answered with what would be right.

use std::sync::Arc;

use serde_json::Value;

use crate::convert::Reader;
use crate::error::{ManifestError, Trouble};
use crate::read::SourceFile;
use crate::yaml::{self, Document, NodeId, Path};

mod migrate;
mod rule;
mod shape;
mod snippet;
mod spell;

pub use migrate::{Known, Migrated, Migration, migrate};
pub(crate) use snippet::HOSTS;

/// The group of the older kind.
pub(crate) const GROUP: &str = "pipelines.weave.works";

/// What is wrong with the pipelines of the older kind in a file. What else is in
/// it is passed over.
pub fn explain(file: &SourceFile<'_>) -> Vec<ManifestError> {
    let text = String::from_utf8_lossy(file.text);
    let (documents, _broken) = yaml::parse(&text);
    documents.iter().flat_map(|document| mistakes(file.name, document)).collect()
}

/// What is wrong with one object of the older kind.
pub fn explain_json(object: &Value) -> Vec<ManifestError> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("without a name");
    mistakes(&format!("Pipeline {name}"), &Document::from_json(object))
}

fn mistakes(file: &str, document: &Document<'_>) -> Vec<ManifestError> {
    let Some(root) = document.root().filter(|root| is_one(document, *root)) else { return Vec::new() };
    let mut reader = Reader { file: Arc::from(file), document, errors: Vec::new(), notes: Vec::new() };
    rule::check(&mut reader, root);
    reader.errors
}

/// Tells why a pipeline of the older kind is not read from a file: what is wrong
/// with it, and else how it becomes one of ours.
pub(crate) fn refuse(reader: &mut Reader<'_, '_>, root: NodeId) {
    rule::check(reader, root);
    if reader.errors.is_empty() {
        let message = "a pipeline of pipelines.weave.works is looked after in a cluster, and not from a file";
        let trouble =
            Trouble::not_yet(message).help("`gradus migrate FILE` writes it as gradus.dev/v1alpha1");
        reader.fail(&Path::ROOT.field("apiVersion"), trouble);
    }
}

/// Whether a document is a pipeline of the older kind.
pub(crate) fn is_one(document: &Document<'_>, root: NodeId) -> bool {
    let text = |key| document.get(root, key).and_then(|node| document.text(node)).unwrap_or_default();
    text("apiVersion").split('/').next() == Some(GROUP) && text("kind") == "Pipeline"
}
