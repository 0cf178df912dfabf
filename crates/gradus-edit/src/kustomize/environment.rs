//! Folders that stand for themselves: no other takes them in, or something in the cluster applies them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::evaluate::Evaluator;
use super::files::{folder_of, is_below, is_kustomization, join};
use super::images::Image;
use super::node::{Node, Origin, Value};
use super::object::{Id, Object};

/// A folder that stands for itself.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The folder.
    pub folder: String,
    /// What applies it, if that is among the files.
    pub applied_by: Option<Applier>,
}

/// A Kustomization of Flux, or an Application of Argo CD.
#[derive(Debug, Clone)]
pub struct Applier {
    /// The object.
    pub object: Id,
    /// Where its path is written.
    pub said: Arc<Origin>,
    /// What it changes: fields of the same names as a kustomization's.
    pub(super) changes: Option<Node>,
    /// Values of variables.
    pub(super) values: BTreeMap<String, Node>,
}

impl Environment {
    /// The name of the folder.
    pub fn name(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }

    /// The folder around it.
    pub fn around(&self) -> &str {
        folder_of(&self.folder)
    }
}

impl Applier {
    fn matters(&self) -> bool {
        self.changes.is_some() || !self.values.is_empty()
    }

    /// What it makes of the objects.
    pub(super) fn apply(
        &self,
        evaluator: &mut Evaluator<'_>,
        folder: &str,
        objects: Vec<Object>,
    ) -> Vec<Object> {
        let Some(changes) = &self.changes else { return objects };
        if self.object.group != "argoproj.io" {
            return evaluator.transformed(objects, changes, folder, false);
        }
        let mut objects = objects;
        for image in changes.list("images").iter().filter_map(Image::of_argo) {
            objects.iter_mut().for_each(|object| image.apply(object));
        }
        objects
    }
}

/// The folders, in their order.
pub(super) fn all(evaluator: &mut Evaluator<'_>) -> Vec<Environment> {
    let mut folders = BTreeSet::new();
    let mut taken = BTreeSet::new();
    let mut applied: BTreeMap<String, Vec<Applier>> = BTreeMap::new();
    for path in evaluator.files.below("") {
        if is_kustomization(&path) {
            let folder = folder_of(&path).to_owned();
            let Some(root) = evaluator.kustomization(&folder) else { continue };
            for entry in ["resources", "bases", "components"].into_iter().flat_map(|field| root.list(field)) {
                taken.extend(entry.text().and_then(|text| join(&folder, text)));
            }
            if root.text_of("kind") != Some("Component") {
                folders.insert(folder);
            }
        } else if mentions_one(evaluator, &path)
            && let Some(documents) = evaluator.documents(&path)
            && let Ok(documents) = &*documents
        {
            for (folder, applier) in documents.iter().cloned().flat_map(Object::all).filter_map(applier) {
                if !evaluator.files.below(&folder).is_empty() {
                    applied.entry(folder).or_default().push(applier);
                }
            }
        }
    }
    // Without a kustomization of its own a folder is applied with all that is below it.
    let whole: Vec<&String> = applied.keys().filter(|folder| evaluator.file_of(folder).is_none()).collect();
    folders.retain(|folder| {
        !taken.contains(folder)
            && !applied.contains_key(folder)
            && !whole.iter().any(|whole| is_below(folder, whole))
    });
    let mut all: Vec<Environment> =
        folders.into_iter().map(|folder| Environment { folder, applied_by: None }).collect();
    for (folder, appliers) in applied {
        let several = appliers.iter().any(Applier::matters);
        let shown = if several { appliers.len() } else { 1 };
        let environment = |applier| Environment { folder: folder.clone(), applied_by: Some(applier) };
        all.extend(appliers.into_iter().take(shown).map(environment));
    }
    all.sort_by(|one, other| one.folder.cmp(&other.folder));
    all
}

fn mentions_one(evaluator: &Evaluator<'_>, path: &str) -> bool {
    let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
    let groups = ["kustomize.toolkit.fluxcd.io", "argoproj.io"];
    is_yaml
        && evaluator.files.read(path).is_some_and(|bytes| {
            std::str::from_utf8(&bytes).is_ok_and(|text| groups.iter().any(|group| text.contains(group)))
        })
}

/// The folder that an object applies.
fn applier(object: Object) -> Option<(String, Applier)> {
    let id = object.id();
    let spec = object.node.get("spec")?;
    if id.is("kustomize.toolkit.fluxcd.io", "Kustomization") {
        let path = spec.get("path")?;
        let folder = join("", path.text()?)?;
        let fields = ["images", "patches", "components", "targetNamespace", "namePrefix", "nameSuffix"];
        let changes = fields.iter().any(|field| spec.get(field).is_some()).then(|| spec.clone());
        let values = spec.at(&["postBuild", "substitute"]).map(Node::entries).unwrap_or_default();
        let values = values.iter().map(|(key, node)| (key.to_string(), node.clone())).collect();
        return Some((folder, Applier { object: id, said: path.origin.clone(), changes, values }));
    }
    if id.is("argoproj.io", "Application") {
        let source = spec.get("source")?;
        let path = source.get("path")?;
        let folder = join("", path.text()?)?;
        let changes = source.get("kustomize").cloned();
        let is_list =
            |node: &Node| matches!(node.get("images").map(|node| &node.value), Some(Value::List(_)));
        let changes = changes.filter(is_list);
        let applier = Applier { object: id, said: path.origin.clone(), changes, values: BTreeMap::new() };
        return Some((folder, applier));
    }
    None
}
