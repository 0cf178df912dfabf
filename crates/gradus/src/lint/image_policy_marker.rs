//! A marker of Flux's image automation that names an ImagePolicy which is not there:
//! the automation leaves the value as it is, and says nothing.

use std::collections::BTreeSet;

use gradus_manifest::{ManifestError, ManifestErrorKind, Place};

use super::Rule;
use super::checkout::Checkout;

pub(super) const RULE: Rule = ("image-policy-marker", check);

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    // Where there is no policy at all, they are kept elsewhere.
    if checkout.policies.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (file, marker) in &checkout.markers {
        // A third part says which half of the image the value is.
        let mut parts = marker.value.splitn(3, ':');
        let (Some(namespace), Some(name)) = (parts.next(), parts.next()) else { continue };
        let named = checkout.policies.iter().filter(|policy| policy.name == name);
        let lands: BTreeSet<Option<String>> = named.flat_map(|policy| checkout.namespaces(policy)).collect();
        // A policy without a namespace lands wherever it is applied to.
        if lands.iter().any(|one| one.as_deref().is_none_or(|one| one == namespace)) {
            continue;
        }
        let elsewhere: Vec<&str> = lands.iter().flatten().map(String::as_str).collect();
        let rest = parts.next().map(|rest| format!(":{rest}")).unwrap_or_default();
        let marker_for = |namespace: &str| {
            format!("write {{\"$imagepolicy\": \"{namespace}:{name}{rest}\"}}, or move the policy")
        };
        let (why, help) = match elsewhere.first() {
            Some(first) => (
                format!("the one of that name lands in {}", elsewhere.join(" and ")),
                Some(marker_for(first)),
            ),
            None => ("there is none of that name".to_owned(), None),
        };
        found.push(ManifestError {
            place: Place { file: (*file).into(), line: marker.place.line, column: marker.place.column },
            field: String::new(),
            kind: ManifestErrorKind::Reference,
            message: format!("no ImagePolicy matches the marker {}: {why}", marker.value),
            help,
        });
    }
    found
}
