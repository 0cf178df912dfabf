//! A file with objects beside a kustomization that does not take it in: nobody applies them.

use gradus_manifest::{ManifestError, ManifestErrorKind, Place};

use super::Rule;
use super::checkout::Checkout;

pub(super) const RULE: Rule = ("outside-kustomization", check);

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    let found = gradus_edit::kustomize::Repository::new(&checkout.files).unreached();
    let told = found.into_iter().map(|one| {
        let name = one.file.rsplit('/').next().unwrap_or(&one.file);
        ManifestError {
            message: format!(
                "{} is applied by nobody: {} does not take it in",
                one.object, one.kustomization
            ),
            help: Some(format!("add {name} to its resources, or delete the file if it is not needed")),
            place: Place { file: one.file.as_str().into(), line: one.line, column: 1 },
            field: String::new(),
            kind: ManifestErrorKind::Reference,
        }
    });
    told.collect()
}
