//! Patches that are written in a kustomization itself.

use crate::insert;
use crate::kustomize_image::root;
use crate::locator::KustomizePatch;
use crate::parse::parse;
use crate::refusal::{Missing, Refusal, RefusalKind};
use crate::splice::Splice;
use crate::table::{NodeId, Table};
use crate::tree::{House, Tree};
use crate::{FieldPath, Limits, Locator, Operation, Select, Step, operation, walk};

/// The lists that hold patches, with the key of the text in their elements. In the last one an element is
/// the text itself.
const LISTS: [(&str, Option<&str>); 3] =
    [("patches", Some("patch")), ("patchesJson6902", Some("patch")), ("patchesStrategicMerge", None)];

impl KustomizePatch {
    /// The object that is patched, as people name it.
    pub(crate) fn object(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }
}

/// The value in the one inline patch that writes it.
pub(crate) fn resolve(
    table: &Table<'_>,
    patch: &KustomizePatch,
    limits: &Limits,
) -> Result<Locator, Refusal> {
    let root = root(table)?;
    let (mut found, mut files) = (Vec::new(), Vec::new());
    for (list, key) in LISTS {
        let Some(list_node) = table.get(root, list) else { continue };
        for (index, element) in table.children(list_node).enumerate() {
            let text_node = key.map_or(Some(element), |key| table.get(element, key));
            let path = table.get(element, "path").and_then(|path| table.scalar(path));
            files.extend(path.map(walk::shorten));
            let Some(text) = text_node.and_then(|node| table.scalar(node)) else { continue };
            if key.is_none() && !text.contains('\n') {
                files.push(walk::shorten(text));
                continue;
            }
            if let Some(value) = value_in(table, element, text, patch, limits) {
                let steps = [Step::Key(list.to_owned()), Step::Index(index)];
                let key = key.map(|key| Step::Key(key.to_owned()));
                let block = Select::path(FieldPath::new(steps.into_iter().chain(key)));
                found.push((text_node.unwrap_or(element), Locator::Path(block).inside(value)));
            }
        }
    }
    match found.as_slice() {
        [(_, locator)] => Ok(locator.clone()),
        [] => {
            let missing = Missing::Patch { object: patch.object(), files };
            let found = FieldPath::new([]);
            let kind = RefusalKind::NotFound { path: patch.path.clone(), found, missing: Box::new(missing) };
            Err(Refusal { kind, place: table.node(root).map(|node| node.place) })
        }
        [(first, _), ..] => {
            let lines = found.iter().filter_map(|(node, _)| table.node(*node)).map(|node| node.place.line);
            let kind = RefusalKind::ManyElements { path: patch.path.clone(), lines: lines.collect() };
            Err(Refusal { kind, place: table.node(*first).map(|node| node.place) })
        }
    }
}

/// Where the text of one patch writes the value, if it is a patch of that object and does.
fn value_in(
    table: &Table<'_>,
    element: NodeId,
    text: &str,
    patch: &KustomizePatch,
    limits: &Limits,
) -> Option<Locator> {
    let target = table.get(element, "target");
    let said =
        |key: &str| target.and_then(|target| table.get(target, key)).and_then(|node| table.scalar(node));
    let meant = |said: Option<&str>, wanted: &str| said.is_none_or(|said| said == wanted);
    let inner = parse(text.as_bytes(), limits).ok()?;
    let first = *inner.roots.first()?;
    if inner.is_list(first) {
        let is_target =
            target.is_some() && meant(said("kind"), &patch.kind) && meant(said("name"), &patch.name);
        let locator = Operation { path: patch.path.clone() };
        let written = is_target.then(|| operation::written(&inner, &locator).ok()).flatten();
        return written.map(|_| Locator::Operation(locator));
    }
    let is_target = meant(said("kind"), &patch.kind) && meant(said("name"), &patch.name);
    let own = Select::path(patch.path.clone()).kind(patch.kind.clone());
    // With a target the name in the patch means nothing.
    let named = if target.is_some() { own } else { own.name(patch.name.clone()) };
    let root = is_target.then(|| crate::select::document(&inner, &named).ok()).flatten()?;
    walk::walk(&inner, root, &patch.path).ok().map(|_| Locator::Path(named))
}

/// Adds a patch of one operation behind those there are.
pub(crate) fn create(
    table: &Table<'_>,
    patch: &KustomizePatch,
    text: &str,
    house: House,
    missing: Refusal,
) -> Result<Vec<Splice>, Refusal> {
    let root = root(table)?;
    let Some(pointer) = patch.path.pointer() else { return Err(missing) };
    let operation = Tree::Mapping(vec![
        ("op".to_owned(), Tree::text("replace")),
        ("path".to_owned(), Tree::text(pointer)),
        ("value".to_owned(), Tree::text(text)),
    ]);
    let inner = House { line_end: "\n", json: false, ..house };
    let operations = Tree::List(vec![operation]).block(0, inner);
    let target = Tree::Mapping(vec![
        ("kind".to_owned(), Tree::text(patch.kind.clone())),
        ("name".to_owned(), Tree::text(patch.name.clone())),
    ]);
    let entry =
        Tree::Mapping(vec![("target".to_owned(), target), ("patch".to_owned(), Tree::Literal(operations))]);
    match table.get(root, "patches") {
        Some(patches) => insert::element(table, patches, &entry, house),
        None => insert::entry(table, root, "patches", &Tree::List(vec![entry]), house),
    }
}
