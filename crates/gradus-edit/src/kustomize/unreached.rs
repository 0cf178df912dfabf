//! Files that stand beside kustomizations, and what those make of them.

use std::collections::{BTreeMap, BTreeSet};

use super::evaluate::Evaluator;
use super::files::{folder_of, is_below, is_kustomization, join};
use super::node::{Node, Value};
use super::object::Object;
use super::{Id, environment};

/// What a file is to a kustomization that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatchFile {
    /// A strategic-merge patch.
    StrategicMerge,
    /// A JSON patch.
    Json6902,
}

/// A file with objects that no kustomization takes in, though one is beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreached {
    /// The file.
    pub file: String,
    /// The kustomization that could take it in.
    pub kustomization: String,
    /// The first object in it.
    pub object: Id,
    /// The line of that object.
    pub line: usize,
}

/// Objects that bring others in, and are applied by hand.
const BY_HAND: [&str; 5] = [
    "kustomize.toolkit.fluxcd.io",
    "gradus.dev",
    "pipelines.weave.works",
    "kustomize.config.k8s.io",
    "argoproj.io",
];

pub(super) fn patch_files(evaluator: &mut Evaluator<'_>) -> BTreeMap<String, PatchFile> {
    let mut found = BTreeMap::new();
    for path in evaluator.files.below("").iter().filter(|path| is_kustomization(path)) {
        let folder = folder_of(path);
        let Some(root) = evaluator.kustomization(folder) else { continue };
        let fields = ["patches", "patchesStrategicMerge", "patchesJson6902"];
        for entry in fields.into_iter().flat_map(|field| root.list(field)) {
            let named = entry.text_of("path").or_else(|| entry.text());
            let Some(path) = named.and_then(|text| join(folder, text)) else { continue };
            let Some(documents) = evaluator.documents(&path) else { continue };
            let is_list = |node: &Node| matches!(node.value, Value::List(_));
            let lists = documents.as_ref().as_ref().is_ok_and(|documents| documents.iter().any(is_list));
            let form = if lists { PatchFile::Json6902 } else { PatchFile::StrategicMerge };
            found.insert(path, form);
        }
    }
    found
}

pub(super) fn unreached(evaluator: &mut Evaluator<'_>) -> Vec<Unreached> {
    let paths = evaluator.files.below("");
    // All that a kustomization says may be the path of a file.
    let mut named = BTreeSet::new();
    let mut kustomizations: BTreeMap<String, String> = BTreeMap::new();
    for path in paths.iter().filter(|path| is_kustomization(path)) {
        let folder = folder_of(path);
        kustomizations.insert(folder.to_owned(), path.clone());
        if let Some(root) = evaluator.kustomization(folder) {
            texts(&root, &mut |text| {
                let file = text.rsplit('=').next().unwrap_or(text);
                named.extend([text, file].into_iter().filter_map(|text| join(folder, text)));
            });
        }
    }
    // Without a kustomization of its own a folder is applied with all that is in it.
    let applied: Vec<String> = environment::all(evaluator)
        .into_iter()
        .filter(|one| one.applied_by.is_some())
        .map(|one| one.folder)
        .collect();
    let whole: Vec<&String> = applied.iter().filter(|folder| !kustomizations.contains_key(*folder)).collect();
    let mut found = Vec::new();
    for path in &paths {
        let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
        let Some(kustomization) = kustomizations.get(folder_of(path)).filter(|_| is_yaml) else { continue };
        let is_taken = named.contains(path) || is_kustomization(path);
        let is_applied = whole.iter().any(|folder| is_below(path, folder) && folder_of(path) == **folder);
        if is_taken || is_applied {
            continue;
        }
        let Some(documents) = evaluator.documents(path) else { continue };
        let Ok(documents) = &*documents else { continue };
        let mut objects = documents.iter().cloned().flat_map(Object::all);
        let of_interest = |object: &Object| {
            let id = object.id();
            !id.version.is_empty()
                && !id.name.is_empty()
                && !BY_HAND.contains(&id.group.as_str())
                && !id.is("source.toolkit.fluxcd.io", "GitRepository")
        };
        if let Some(object) = objects.find(of_interest) {
            found.push(Unreached {
                file: path.clone(),
                kustomization: kustomization.clone(),
                object: object.id(),
                line: object.node.origin.line(),
            });
        }
    }
    found
}

fn texts(node: &Node, take: &mut impl FnMut(&str)) {
    match &node.value {
        Value::Mapping(entries) => entries.iter().for_each(|(_, node)| texts(node, take)),
        Value::List(elements) => elements.iter().for_each(|node| texts(node, take)),
        Value::Text(text) => take(&text.text),
        Value::Null => {}
    }
}
