//! Patches that are written in a kustomization itself.

use crate::insert;
use crate::kustomize_image::root;
use crate::locator::KustomizePatch;
use crate::parse::parse;
use crate::refusal::{Missing, Refusal, RefusalKind};
use crate::splice::Splice;
use crate::table::{NodeId, Table};
use crate::tree::{House, Tree};
use crate::{FieldPath, Limits, Locator, Operation, Select, Step, operation, select, walk};

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
            let at = Element { table, element, node: text_node.unwrap_or(element) };
            if let Some(value) = at.value_in(text, patch, limits)? {
                let steps = [Step::Key(list.to_owned()), Step::Index(index)];
                let key = key.map(|key| Step::Key(key.to_owned()));
                let block = Select::path(FieldPath::new(steps.into_iter().chain(key)));
                found.push((at.node, Locator::Path(block).inside(value)));
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

/// An element of a list of patches.
struct Element<'t, 'a> {
    table: &'t Table<'a>,
    element: NodeId,
    /// The text of the patch.
    node: NodeId,
}

impl Element<'_, '_> {
    /// Where the text writes the value, if it is a patch of that object and does.
    fn value_in(
        &self,
        text: &str,
        patch: &KustomizePatch,
        limits: &Limits,
    ) -> Result<Option<Locator>, Refusal> {
        let target = match self.target(patch) {
            Target::Another => return Ok(None),
            target @ (Target::This | Target::Wide | Target::Nobody) => target,
        };
        let inner = parse(text.as_bytes(), limits).map_err(|refusal| self.inside(refusal))?;
        let Some(first) = inner.roots.first().copied() else { return Ok(None) };
        let (locator, value) = if inner.is_list(first) {
            let operation = Operation { path: patch.path.clone() };
            let written = operation::written(&inner, &operation);
            (Locator::Operation(operation), written)
        } else {
            let own = Select::path(patch.path.clone()).kind(patch.kind.clone());
            // With a target the name in the patch means nothing.
            let named = if target == Target::Nobody { own.name(patch.name.clone()) } else { own };
            let root = select::document(&inner, &named);
            let value = root.and_then(|root| walk::walk(&inner, root, &patch.path));
            (Locator::Path(named), value)
        };
        let there = match value {
            Ok(_) => true,
            Err(Refusal { kind: RefusalKind::NotFound { .. } | RefusalKind::NoDocument { .. }, .. }) => false,
            Err(refusal) => return Err(self.inside(refusal)),
        };
        match target {
            _ if !there => Ok(None),
            Target::This => Ok(Some(locator)),
            Target::Nobody if inner.is_list(first) => Ok(None),
            Target::Nobody => Ok(Some(locator)),
            Target::Wide | Target::Another => {
                let kind = RefusalKind::WidePatch { path: patch.path.clone(), object: patch.object() };
                Err(Refusal { kind, place: self.table.node(self.element).map(|node| node.place) })
            }
        }
    }

    /// Whom the element says that it patches.
    fn target(&self, patch: &KustomizePatch) -> Target {
        let Some(target) = self.table.get(self.element, "target") else { return Target::Nobody };
        let said = |key: &str| self.table.get(target, key).and_then(|node| self.table.scalar(node));
        let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        let mut narrow = true;
        for (key, wanted) in [("kind", &patch.kind), ("name", &patch.name)] {
            match said(key) {
                Some(text) if text == wanted => {}
                // A dot of a name means any sign to kustomize, and so on.
                Some(text) if plain(text) => return Target::Another,
                Some(_) | None => narrow = false,
            }
        }
        let others = ["namespace", "labelSelector", "annotationSelector"];
        narrow &= others.iter().all(|key| self.table.get(target, key).is_none());
        if narrow { Target::This } else { Target::Wide }
    }

    fn inside(&self, refusal: Refusal) -> Refusal {
        let place = self.table.node(self.node).map(|node| node.place);
        let kind = RefusalKind::Inside { path: self.table.path(self.node), refusal: Box::new(refusal) };
        Refusal { kind, place }
    }
}

/// Whom a patch is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// The object.
    This,
    /// Another one.
    Another,
    /// More than the object, or perhaps not even it.
    Wide,
    /// It does not say.
    Nobody,
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
