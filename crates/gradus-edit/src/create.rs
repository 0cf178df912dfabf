//! Writing values that are not there yet.

use crate::refusal::{Refusal, RefusalKind};
use crate::splice::Splice;
use crate::table::Table;
use crate::tree::{House, Tree};
use crate::{Locator, Select, Step, insert, kustomize_image, kustomize_patch, select, walk};

/// Adds what a locator names, if what is around it is there.
///
/// `missing` is why it was not found; it is the answer where nothing can be added.
pub(crate) fn create(
    table: &Table<'_>,
    locator: &Locator,
    text: &str,
    house: House,
    missing: Refusal,
) -> Result<Vec<Splice>, Refusal> {
    if !matches!(missing.kind, RefusalKind::NotFound { .. }) {
        return Err(missing);
    }
    match locator {
        Locator::Path(select) => path(table, select, text, house, missing),
        Locator::KustomizeImage(image) => kustomize_image::create(table, image, text, house),
        Locator::KustomizePatch(patch) => kustomize_patch::create(table, patch, text, house, missing),
        Locator::Marker(_) | Locator::Part { .. } | Locator::Operation(_) | Locator::Inside { .. } => {
            Err(missing)
        }
    }
}

fn path(
    table: &Table<'_>,
    select: &Select,
    text: &str,
    house: House,
    missing: Refusal,
) -> Result<Vec<Splice>, Refusal> {
    let RefusalKind::NotFound { found, .. } = &missing.kind else { return Err(missing) };
    let root = select::document(table, select)?;
    let at = walk::walk(table, root, found)?;
    let mut rest = select.path.steps().iter().skip(found.steps().len());
    let Some(step) = rest.next() else { return Err(missing) };
    let rest: Vec<&Step> = rest.collect();
    let Some(value) = tree(&rest, text) else { return Err(missing) };
    match step {
        Step::Key(key) if table.is_mapping(at) => insert::entry(table, at, key, &value, house),
        Step::Where { field, value: name } if table.is_list(at) => match value {
            Tree::Mapping(entries) if entries.iter().all(|(key, _)| key != field) => {
                let named = (field.clone(), Tree::text(name.clone()));
                let entries = std::iter::once(named).chain(entries).collect();
                insert::element(table, at, &Tree::Mapping(entries), house)
            }
            Tree::Text(..) | Tree::Literal(_) | Tree::List(_) | Tree::Mapping(_) => Err(missing),
        },
        Step::Index(index) if table.is_list(at) && *index == table.children(at).count() => {
            insert::element(table, at, &value, house)
        }
        Step::Key(_) | Step::Where { .. } | Step::Index(_) => Err(missing),
    }
}

/// The text with what the remaining steps put around it.
fn tree(steps: &[&Step], text: &str) -> Option<Tree> {
    let mut tree = Tree::text(text);
    for step in steps.iter().rev() {
        tree = match step {
            Step::Key(key) => Tree::one(key.clone(), tree),
            Step::Index(0) => Tree::List(vec![tree]),
            Step::Index(_) => return None,
            Step::Where { field, value } => match tree {
                Tree::Mapping(entries) if entries.iter().all(|(key, _)| key != field) => {
                    let named = (field.clone(), Tree::text(value.clone()));
                    Tree::List(vec![Tree::Mapping(std::iter::once(named).chain(entries).collect())])
                }
                Tree::Text(..) | Tree::Literal(_) | Tree::List(_) | Tree::Mapping(_) => return None,
            },
        };
    }
    Some(tree)
}
