//! What a pipeline of the older kind has to be: one rule a file.

use super::shape::{Old, OldPromotion};
use super::snippet;
use crate::convert::Reader;
use crate::error::{ManifestErrorKind, Trouble};
use crate::yaml::{NodeId, Path};

mod branch;
mod cluster;
mod host;
mod parts;
mod secret;
mod spelling;
mod strategy;
mod url;
mod webhook;

/// Tells all that is wrong.
pub(super) fn check(reader: &mut Reader<'_, '_>, root: NodeId) {
    let old = Old::of(reader.document, root);
    let spec = Path::ROOT.field("spec");
    parts::check(reader, &spec);
    cluster::check(reader, &spec);
    if let Some(promotion) = &old.promotion {
        check_promotion(reader, &spec.field("promotion"), promotion);
    }
    let environments = spec.field("environments");
    for (at, environment) in old.environments.iter().enumerate() {
        if let Some(promotion) = &environment.promotion {
            check_promotion(reader, &environments.item(at).field("promotion"), promotion);
        }
    }
    reader.errors.sort_by(|a, b| a.place.cmp(&b.place));
}

/// The rules of a promotion. The first that is broken also shows what would be right.
fn check_promotion(reader: &mut Reader<'_, '_>, path: &Path<'_>, promotion: &OldPromotion) {
    let before = reader.errors.len();
    strategy::check(reader, path);
    let strategy = path.field("strategy");
    for place in [path, &strategy] {
        spelling::check(reader, place);
        webhook::check(reader, place);
        for name in ["pull-request", "pullRequest"] {
            let request = place.field(name);
            if there(reader, &request) {
                host::check(reader, &request);
                url::check(reader, &request);
                branch::check(reader, &request);
                secret::check(reader, &request, true);
            }
        }
        secret::check(reader, place, false);
    }
    let told = reader.errors.get_mut(before..).unwrap_or_default();
    told.sort_by(|a, b| a.place.cmp(&b.place));
    if let Some(first) = told.first_mut() {
        first.help = Some(format!("write it so:{}", snippet::promotion(promotion, 4)));
    }
}

/// Whether something is written at a place.
fn there(reader: &Reader<'_, '_>, path: &Path<'_>) -> bool {
    reader.document.find(path).is_some_and(|node| !reader.document.is_null(node))
}

/// The text at a place.
fn text<'r>(reader: &'r Reader<'_, '_>, path: &Path<'_>) -> Option<&'r str> {
    reader.document.find(path).and_then(|node| reader.document.text(node))
}

fn missing(message: impl Into<String>) -> Trouble {
    Trouble::new(ManifestErrorKind::MissingField, message)
}
