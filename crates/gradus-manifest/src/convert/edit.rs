//! Edits: which value in which file says the version.

use std::collections::BTreeMap;

use gradus_core::names::{ArtifactName, RepoPath};
use gradus_core::pipeline::{EditSpec, Select};
use gradus_core::version::Order;

use super::Reader;
use super::versions::unknown_artifact;
use crate::decode::quoted;
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// Reads a list of edits.
pub(super) fn list(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    edits: &[wire::Edit],
    artifacts: &BTreeMap<ArtifactName, Order>,
) -> Option<Vec<EditSpec>> {
    reader.each(path, edits, |reader, path, edit| {
        let file = reader.take(&path.field("file"), RepoPath::parse(&edit.file));
        let field = field(&edit.select.path);
        let field = reader.take(&path.field("select").field("path"), field);
        // Without `from` the mistake is in the edit itself.
        let from_field = path.field("from");
        let from_path = if edit.from.is_some() { &from_field } else { path };
        let from = reader.take(from_path, from(edit.from.as_deref(), artifacts));
        let select = Select {
            api_version: edit.select.api_version.clone(),
            kind: edit.select.kind.clone(),
            namespace: edit.select.namespace.clone(),
            name: edit.select.name.clone(),
            path: field?,
        };
        Some(EditSpec { file: file?, select, from: from? })
    })
}

fn field(text: &str) -> Result<String, Trouble> {
    if text.trim().is_empty() {
        Err(Trouble::value("the field to edit is empty")
            .help("write it such as `path: spec.chart.spec.version`"))
    } else if text.chars().any(char::is_control) {
        Err(Trouble::value("the field to edit has a control character in it"))
    } else {
        Ok(text.to_owned())
    }
}

fn from(text: Option<&str>, artifacts: &BTreeMap<ArtifactName, Order>) -> Result<ArtifactName, Trouble> {
    let Some(text) = text else {
        return match artifacts.keys().collect::<Vec<_>>().as_slice() {
            [only] => Ok((*only).clone()),
            all => {
                let names: Vec<&str> = all.iter().map(|name| name.as_str()).collect();
                Err(Trouble::value("the edit does not say which artifact's version is written")
                    .help(format!("add `from:` with one of {}", names.join(", "))))
            }
        };
    };
    let (name, part) = text.split_once('.').unwrap_or((text, "version"));
    if part != "version" {
        return Err(Trouble::value(format!("{} is not an artifact's version", quoted(text)))
            .help(format!("write {}", quoted(&format!("{name}.version")))));
    }
    let name = ArtifactName::parse(name)?;
    if artifacts.contains_key(&name) { Ok(name) } else { Err(unknown_artifact(&name, artifacts)) }
}
