//! A marker of promotions that names a pipeline or an environment which is not there: nobody
//! ever writes the value.

use gradus_manifest::{ManifestError, ManifestErrorKind, Place};

use super::Rule;
use super::checkout::Checkout;

pub(super) const RULE: Rule = ("promotion-marker", check);

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    // Where there is no pipeline at all, they are kept elsewhere.
    if checkout.pipelines.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (file, marker) in &checkout.promotions {
        let Some((pipeline, environment)) = marker.value.rsplit_once(':') else { continue };
        let (why, help) = match checkout.pipelines.get(pipeline) {
            // One with a mistake may have any environments.
            Some(None) => continue,
            Some(Some(environments)) if environments.iter().any(|one| one == environment) => continue,
            Some(Some(environments)) => (
                format!("{} has no environment {environment}", pipeline.replace(':', "/")),
                format!("its environments are {}", environments.join(", ")),
            ),
            None => {
                let all: Vec<String> = checkout.pipelines.keys().map(|key| key.replace(':', "/")).collect();
                let why = format!("there is no pipeline {}", pipeline.replace(':', "/"));
                (why, format!("the pipelines here are {}", all.join(", ")))
            }
        };
        found.push(ManifestError {
            place: Place { file: (*file).into(), line: marker.place.line, column: marker.place.column },
            field: String::new(),
            kind: ManifestErrorKind::Reference,
            message: format!("nobody writes what the marker {} names: {why}", marker.value),
            help: Some(help),
        });
    }
    found
}
