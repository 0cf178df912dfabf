//! One value that two environments write: each takes back what the other has written.

use std::collections::BTreeMap;

use gradus_edit::{Locator, read};
use gradus_engine::places;
use gradus_manifest::{ManifestError, ManifestErrorKind, Place};

use super::Rule;
use super::checkout::Checkout;

pub(super) const RULE: Rule = ("shared-place", check);

/// Who writes a value: `NAMESPACE:NAME:ENVIRONMENT`, and where that is said.
type Writer = (String, Place);

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    // By file and first byte, with the line of the value.
    let mut written: BTreeMap<(&str, usize), (usize, Vec<Writer>)> = BTreeMap::new();
    let mut add = |file, found: gradus_edit::Located, writer: Writer| {
        let (_, writers) =
            written.entry((file, found.span.start)).or_insert_with(|| (found.place.line, Vec::new()));
        if writers.iter().all(|(name, _)| *name != writer.0) {
            writers.push(writer);
        }
    };
    for edit in checkout.edits.iter().filter(|edit| !edit.own_branch) {
        let Some((file, bytes)) = checkout.file(edit.spec.file.as_str()) else { continue };
        let Ok(place) = places::place_of(&edit.spec) else { continue };
        for found in place.read(bytes).ok().flatten().unwrap_or_default() {
            add(file, found, (format!("{}:{}", edit.pipeline, edit.environment), edit.place.clone()));
        }
    }
    for (file, marker) in &checkout.promotions {
        let Some((file, bytes)) = checkout.file(file) else { continue };
        let place = Place { file: file.into(), line: marker.place.line, column: marker.place.column };
        for found in read(bytes, &Locator::marker(places::MARKER, marker.value.clone())).unwrap_or_default() {
            add(file, found, (marker.value.clone(), place.clone()));
        }
    }
    let told = written.into_iter().filter_map(|((file, _), (line, writers))| {
        let names: Vec<&str> = writers.iter().map(|(name, _)| name.as_str()).collect();
        let (_, place) = writers.get(1)?;
        Some(ManifestError {
            place: place.clone(),
            field: String::new(),
            kind: ManifestErrorKind::Conflict,
            message: format!("{file}:{line} is written by {}", names.join(" and ")),
            help: Some("give each environment a value of its own".to_owned()),
        })
    });
    told.collect()
}
