//! From a folder to its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::files::{Files, NAMES, folder_of, is_below, is_kustomization, is_remote, join};
use super::images::Image;
use super::node::{self, Node, Text, Value};
use super::note::{Note, NoteKind};
use super::object::{Id, Object};
use super::target::Target;
use super::{json_patch, strategic};
use crate::Limits;
use crate::walk::shorten;

/// Kustomizations inside one another.
const DEEPEST: usize = 32;
/// Kustomizations that are read for one folder: several may take in the same one.
const MOST_FOLDERS: usize = 5_000;
/// Objects of one folder.
const MOST_OBJECTS: usize = 100_000;

/// Fields with more to them than is followed, which may say a version.
const PASSED_OVER: [&str; 4] = ["generators", "transformers", "replacements", "vars"];

/// What kinds of names are not prefixed.
const KEEP_THEIR_NAMES: [&str; 3] = ["APIService", "CustomResourceDefinition", "Namespace"];

/// Reads kustomizations, each file once.
pub(super) struct Evaluator<'f> {
    pub(super) files: &'f dyn Files,
    read: BTreeMap<String, Option<Rc<Documents>>>,
    pub(super) notes: Vec<Note>,
    stack: Vec<String>,
    folders: usize,
    /// Charts that kustomize would render, with the kustomization that names them.
    pub(super) charts: Vec<Node>,
}

type Documents = Result<Vec<Node>, Note>;

impl<'f> Evaluator<'f> {
    pub(super) fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            read: BTreeMap::new(),
            notes: Vec::new(),
            stack: Vec::new(),
            folders: 0,
            charts: Vec::new(),
        }
    }

    /// Begins with another folder; what was read stays read.
    pub(super) fn begin(&mut self) {
        self.folders = 0;
        self.notes.clear();
        self.charts.clear();
        self.stack.clear();
    }

    /// The documents of a file; nothing if there is no such file.
    pub(super) fn documents(&mut self, path: &str) -> Option<Rc<Documents>> {
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        let read = self.files.read(path).map(|bytes| {
            let refused = |refusal: crate::Refusal| Note {
                file: path.to_owned(),
                place: refusal.place,
                kind: NoteKind::Unreadable(refusal),
            };
            Rc::new(node::read(path, &bytes, &Limits::default()).map_err(refused))
        });
        self.read.insert(path.to_owned(), read.clone());
        read
    }

    /// Kustomize's own file of a folder, if it has one.
    pub(super) fn file_of(&self, folder: &str) -> Option<String> {
        let path =
            |name: &&str| if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") };
        NAMES.iter().map(path).find(|path| self.files.read(path).is_some())
    }

    /// The root of kustomize's own file of a folder.
    pub(super) fn kustomization(&mut self, folder: &str) -> Option<Node> {
        let file = self.file_of(folder)?;
        match &*self.documents(&file)? {
            Ok(documents) => documents.iter().find(|node| matches!(node.value, Value::Mapping(_))).cloned(),
            Err(note) => {
                self.note(note.clone());
                None
            }
        }
    }

    /// The objects of a folder, behind those that are there already. A component changes them, too.
    pub(super) fn folder(&mut self, folder: &str, objects: Vec<Object>) -> Vec<Object> {
        let Some(root) = self.kustomization(folder) else { return objects };
        self.folders += 1;
        if self.folders > MOST_FOLDERS || self.stack.len() >= DEEPEST {
            let what = if self.stack.len() >= DEEPEST { "folders inside one another" } else { "folders" };
            self.note(Note::at(&root, NoteKind::TooMuch { what }));
            return objects;
        }
        self.stack.push(folder.to_owned());
        let mut all = objects;
        let mut called: BTreeSet<Id> = all.iter().map(Object::id).collect();
        for entry in root.list("resources").iter().chain(root.list("bases")) {
            for object in self.resource(entry, folder) {
                let id = object.id();
                if called.contains(&id) {
                    self.note(Note::at(entry, NoteKind::Twice { object: id.to_string() }));
                }
                called.insert(id);
                all.push(object);
            }
            if all.len() > MOST_OBJECTS {
                self.note(Note::at(entry, NoteKind::TooMuch { what: "objects" }));
                break;
            }
        }
        all = self.transformed(all, &root, folder, true);
        for field in PASSED_OVER {
            if let Some(node) = root.get(field) {
                self.note(Note::at(node, NoteKind::PassedOver { field: field.to_owned() }));
            }
        }
        self.charts.extend(root.list("helmCharts").iter().cloned());
        self.stack.pop();
        all
    }

    /// What an entry of `resources` stands for.
    fn resource(&mut self, entry: &Node, folder: &str) -> Vec<Object> {
        let Some(text) = entry.text() else { return Vec::new() };
        let Some(path) = join(folder, text) else {
            self.note(self.not_there(entry, text));
            return Vec::new();
        };
        match self.documents(&path) {
            Some(documents) => self.objects_of(&documents),
            None if self.file_of(&path).is_some() => self.enter(entry, &path, Vec::new()),
            None => {
                self.note(self.not_there(entry, text));
                Vec::new()
            }
        }
    }

    fn not_there(&self, entry: &Node, text: &str) -> Note {
        if is_remote(text) {
            return Note::at(entry, NoteKind::Remote { address: shorten(text) });
        }
        Note::missing(entry, text)
    }

    fn enter(&mut self, entry: &Node, path: &str, objects: Vec<Object>) -> Vec<Object> {
        if self.stack.iter().any(|folder| folder == path) {
            self.note(Note::at(entry, NoteKind::Cycle { folder: path.to_owned() }));
            return objects;
        }
        self.folder(path, objects)
    }

    fn objects_of(&mut self, documents: &Documents) -> Vec<Object> {
        match documents {
            Ok(documents) => documents.iter().cloned().flat_map(Object::all).collect(),
            Err(note) => {
                self.note(note.clone());
                Vec::new()
            }
        }
    }

    /// The objects of all files in a folder and below it, where kustomize has no file of its own.
    pub(super) fn everything(&mut self, folder: &str) -> Vec<Object> {
        let paths = self.files.below(folder);
        let own: Vec<String> = paths
            .iter()
            .filter(|path| is_kustomization(path))
            .map(|path| folder_of(path).to_owned())
            .collect();
        // What lies in the folder of another kustomization is that one's to take in.
        let outer: Vec<&String> = own
            .iter()
            .filter(|folder| !own.iter().any(|other| other != *folder && is_below(folder, other)))
            .collect();
        let mut all = Vec::new();
        for folder in &outer {
            all.extend(self.folder(folder, Vec::new()));
        }
        for path in &paths {
            let is_yaml = path.ends_with(".yaml") || path.ends_with(".yml");
            if !is_yaml || outer.iter().any(|folder| is_below(path, folder)) {
                continue;
            }
            if let Some(documents) = self.documents(path) {
                all.extend(self.objects_of(&documents));
            }
            if all.len() > MOST_OBJECTS {
                break;
            }
        }
        all
    }

    /// What a kustomization makes of objects. Flux and Argo CD have fields of the same names.
    pub(super) fn transformed(
        &mut self,
        mut objects: Vec<Object>,
        root: &Node,
        folder: &str,
        in_kustomization: bool,
    ) -> Vec<Object> {
        for entry in root.list("components") {
            let Some(text) = entry.text() else { continue };
            match join(folder, text).filter(|path| self.file_of(path).is_some()) {
                Some(path) => objects = self.enter(entry, &path, objects),
                None => self.note(self.not_there(entry, text)),
            }
        }
        for entry in root.list("patchesStrategicMerge") {
            let read = self.text_or_file(entry, folder);
            self.strategic(&mut objects, &read, None, entry);
        }
        for entry in root.list("patches") {
            self.patch(&mut objects, entry, folder);
        }
        self.names(&mut objects, root, in_kustomization);
        for entry in root.list("patchesJson6902") {
            self.json6902(&mut objects, entry, folder);
        }
        let images: Vec<Image> =
            root.list("images").iter().filter_map(|node| Image::read(node, in_kustomization)).collect();
        for image in images {
            objects.iter_mut().for_each(|object| image.apply(object));
        }
        objects
    }

    /// The documents of a file that an entry names, or of the text that it is.
    fn text_or_file(&mut self, entry: &Node, folder: &str) -> Vec<Node> {
        let Value::Text(text) = &entry.value else { return Vec::new() };
        if text.text.contains('\n') || text.text.contains(": ") {
            return self.inline(entry, text);
        }
        self.file(entry, folder)
    }

    fn file(&mut self, entry: &Node, folder: &str) -> Vec<Node> {
        let Some(text) = entry.text() else { return Vec::new() };
        let Some(documents) = join(folder, text).and_then(|path| self.documents(&path)) else {
            self.note(self.not_there(entry, text));
            return Vec::new();
        };
        match &*documents {
            Ok(documents) => documents.clone(),
            Err(note) => {
                self.note(note.clone());
                Vec::new()
            }
        }
    }

    fn inline(&mut self, entry: &Node, text: &Text) -> Vec<Node> {
        match node::read_inside(entry, text, &Limits::default()) {
            Ok(documents) => documents,
            Err(refusal) => {
                let place = refusal.place;
                let file = entry.origin.file().to_owned();
                self.note(Note { file, place, kind: NoteKind::Unreadable(refusal) });
                Vec::new()
            }
        }
    }

    /// The documents that an entry with `path` or `patch` stands for.
    fn path_or_patch(&mut self, entry: &Node, folder: &str) -> Vec<Node> {
        match (entry.get("path"), entry.get("patch")) {
            (Some(path), _) => self.file(path, folder),
            (None, Some(node)) => match &node.value {
                Value::Text(text) => self.inline(node, text),
                Value::Mapping(_) | Value::List(_) | Value::Null => Vec::new(),
            },
            // Flux and older kustomizations have operations as they are.
            (None, None) => entry.get("ops").cloned().into_iter().collect(),
        }
    }

    fn patch(&mut self, objects: &mut Vec<Object>, entry: &Node, folder: &str) {
        let documents = self.path_or_patch(entry, folder);
        let target = match entry.get("target").map(Target::read).transpose() {
            Ok(target) => target,
            Err(why) => return self.note(Note::at(entry, NoteKind::NotApplied { why })),
        };
        let (operations, merges): (Vec<Node>, Vec<Node>) =
            documents.into_iter().partition(|node| matches!(node.value, Value::List(_)));
        for operations in operations {
            let Some(target) = &target else {
                let why = "a JSON patch needs a target".to_owned();
                self.note(Note::at(entry, NoteKind::NotApplied { why }));
                continue;
            };
            let mut found = false;
            for object in objects.iter_mut().filter(|object| target.selects(object)) {
                found = true;
                self.operate(object, &operations);
            }
            if !found {
                self.no_target(entry);
            }
        }
        self.strategic(objects, &merges, target.as_ref(), entry);
    }

    fn no_target(&mut self, entry: &Node) {
        let target = entry.get("target").unwrap_or(entry);
        let fields =
            target.entries().iter().filter_map(|(key, node)| Some(format!("{key} {}", node.text()?)));
        let wanted = shorten(&fields.collect::<Vec<_>>().join(", "));
        self.note(Note::at(entry, NoteKind::NoTarget { wanted }));
    }

    fn strategic(
        &mut self,
        objects: &mut Vec<Object>,
        patches: &[Node],
        target: Option<&Target>,
        entry: &Node,
    ) {
        for patch in patches.iter().filter(|node| matches!(node.value, Value::Mapping(_))) {
            let id = Id::of(patch);
            let is_meant = |object: &Object| match (target, &id) {
                (Some(target), _) => target.selects(object),
                (None, Some(id)) => object.was(id),
                (None, None) => false,
            };
            if !objects.iter().any(is_meant) {
                match (target, &id) {
                    (Some(_), _) => self.no_target(entry),
                    (None, id) => {
                        let wanted = id.as_ref().map_or_else(|| "no kind".to_owned(), Id::to_string);
                        self.note(Note::at(patch, NoteKind::NoTarget { wanted }));
                    }
                }
                continue;
            }
            let old = std::mem::take(objects);
            objects.extend(
                old.into_iter().filter_map(|object| {
                    if is_meant(&object) { merged(object, patch) } else { Some(object) }
                }),
            );
        }
    }

    fn json6902(&mut self, objects: &mut [Object], entry: &Node, folder: &str) {
        let documents = self.path_or_patch(entry, folder);
        let Some(target) = entry.get("target") else { return };
        let text = |key| target.text_of(key).unwrap_or_default().to_owned();
        let id = Id {
            group: text("group"),
            version: text("version"),
            kind: text("kind"),
            namespace: text("namespace"),
            name: text("name"),
        };
        let Some(object) = objects.iter_mut().find(|object| object.was(&id)) else {
            return self.note(Note::at(entry, NoteKind::NoTarget { wanted: id.to_string() }));
        };
        for operations in &documents {
            self.operate(object, operations);
        }
    }

    fn operate(&mut self, object: &mut Object, operations: &Node) {
        match json_patch::patched(&object.node, operations) {
            Ok(node) => object.node = node,
            Err((operation, why)) => self.note(Note::at(&operation, NoteKind::NotApplied { why })),
        }
    }

    /// Namespaces, prefixes and suffixes.
    fn names(&mut self, objects: &mut [Object], root: &Node, in_kustomization: bool) {
        let namespace = if in_kustomization { "namespace" } else { "targetNamespace" };
        if let Some(node) =
            root.get(namespace).filter(|node| node.text().is_some_and(|text| !text.is_empty()))
        {
            for object in objects.iter_mut() {
                let id = object.id();
                if id.is("", "Namespace") {
                    object.rename("name", node.clone());
                } else if !id.is_cluster_wide() {
                    object.rename("namespace", node.clone());
                }
            }
        }
        for (field, before) in [("namePrefix", true), ("nameSuffix", false)] {
            let Some((node, more)) = root.get(field).and_then(|node| Some((node, node.text()?))) else {
                continue;
            };
            for object in objects.iter_mut() {
                let Id { kind, name, .. } = object.id();
                if !KEEP_THEIR_NAMES.contains(&kind.as_str()) && !more.is_empty() {
                    let name = if before { format!("{more}{name}") } else { format!("{name}{more}") };
                    object.rename("name", Node::made(&name, &node.origin));
                }
            }
        }
    }

    pub(super) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The object with the patch in it, by the kind and the names that it had.
fn merged(object: Object, patch: &Node) -> Option<Object> {
    let id = object.id();
    let mut node = strategic::patched(&object.node, patch, &id.group)?;
    for key in ["apiVersion", "kind"] {
        if let Some(own) = object.node.get(key) {
            node.set(key, own.clone());
        }
    }
    let own = ["name", "namespace"].map(|key| (key, object.node.at(&["metadata", key]).cloned()));
    if let Value::Mapping(entries) = &mut node.value
        && let Some((_, metadata)) = entries.iter_mut().find(|(key, _)| &**key == "metadata")
    {
        for (key, own) in own {
            match own {
                Some(own) => metadata.set(key, own),
                None => {
                    if let Value::Mapping(entries) = &mut metadata.value {
                        entries.retain(|(name, _)| &**name != key);
                    }
                }
            }
        }
    }
    Some(Object { node, before: object.before })
}
