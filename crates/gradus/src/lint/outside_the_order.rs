//! A Kustomization beside others that wait for each other, which waits for nothing
//! and which nothing waits for: it is applied at any time between them.

use std::collections::BTreeSet;

use gradus_manifest::{ManifestError, ManifestErrorKind};

use super::Rule;
use super::checkout::{Applied, Checkout, folder, is_below};

pub(super) const RULE: Rule = ("outside-the-order", check);

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    let awaited: BTreeSet<(Option<&str>, &str)> = checkout
        .applied
        .iter()
        .flat_map(|one| {
            one.after
                .iter()
                .map(|(namespace, name)| (namespace.as_deref().or(one.namespace.as_deref()), name.as_str()))
        })
        .collect();
    let is_awaited = |one: &Applied<'_>| awaited.contains(&(one.namespace.as_deref(), one.name.as_str()));
    let mut found = Vec::new();
    for one in checkout.applied.iter().filter(|one| one.after.is_empty() && !is_awaited(one)) {
        // Those of one cluster are written into one folder.
        let beside: Vec<&Applied<'_>> = checkout
            .applied
            .iter()
            .filter(|other| folder(other.file) == folder(one.file) && other.name != one.name)
            .collect();
        // What brings the others themselves comes before them in any case.
        let brings_them = beside.iter().any(|other| is_below(folder(other.file), &one.path));
        let Some(waits) = beside.iter().find(|other| !other.after.is_empty()).filter(|_| !brings_them) else {
            continue;
        };
        let last = beside.iter().find(|other| !other.after.is_empty() && !is_awaited(other)).unwrap_or(waits);
        let first = waits.after.first().map_or("", |(_, name)| name);
        found.push(ManifestError {
            place: one.place.clone(),
            field: "spec.dependsOn".to_owned(),
            kind: ManifestErrorKind::Reference,
            message: format!(
                "{} has no dependsOn, while {} waits for {first}: it is applied before, between or after them",
                one.name, waits.name
            ),
            help: Some(format!("add `dependsOn: [{{name: {}}}]` to its spec if it needs what they bring", last.name)),
        });
    }
    found
}
