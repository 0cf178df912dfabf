//! A promotion into the files by which Flux looks after itself: a mistake in them cuts the cluster off from
//! the repository in which it would be mended.

use gradus_manifest::{ManifestError, ManifestErrorKind, Place};

use super::Rule;
use super::checkout::Checkout;

pub(super) const RULE: Rule = ("sync-file", check);

/// What such files are called.
const NAMES: [&str; 3] = ["gotk-components.yaml", "gotk-sync.yaml", "sync.yaml"];

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    let told = |place: Place, message: String| ManifestError {
        place,
        field: String::new(),
        kind: ManifestErrorKind::Value,
        message,
        help: Some("keep versions in a file of their own, which that one applies".to_owned()),
    };
    let markers =
        checkout.promotions.iter().filter(|(file, _)| is_one(checkout, file)).map(|(file, marker)| {
            let place = Place { file: (*file).into(), line: marker.place.line, column: marker.place.column };
            told(
                place,
                format!("the marker {} has promotions change how Flux looks after itself", marker.value),
            )
        });
    let edits = checkout.edits.iter().filter(|edit| is_one(checkout, edit.spec.file.as_str())).map(|edit| {
        told(
            edit.place.clone(),
            format!(
                "environment {} edits {}, by which Flux looks after itself",
                edit.environment, edit.spec.file
            ),
        )
    });
    markers.chain(edits).collect()
}

fn is_one(checkout: &Checkout<'_>, file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let of_flux = || {
        let mut beside =
            checkout.files.iter().filter(|(path, _)| format!("/{path}").ends_with(&format!("/{file}")));
        // What is not among the files is known by its name alone.
        beside.next().is_none_or(|(_, text)| String::from_utf8_lossy(text).contains("toolkit.fluxcd.io"))
    };
    NAMES.contains(&name) && of_flux()
}
