//! A version that may be another one tomorrow without anybody writing it, in an environment beside one
//! that has it pinned or of which it is not the first: what was tried there is not what runs here.

use std::collections::BTreeMap;

use gradus_edit::kustomize::{Repository, Version};
use gradus_manifest::{ManifestError, ManifestErrorKind, Place};

use super::Rule;
use super::checkout::Checkout;

pub(super) const RULE: Rule = ("floating-version", check);

/// What environments are called in which everything may be the newest.
const FIRST: [&str; 8] =
    ["dev", "develop", "development", "dev-test", "test", "local", "sandbox", "ephemeral"];

fn check(checkout: &Checkout<'_>) -> Vec<ManifestError> {
    let mut repository = Repository::new(&checkout.files);
    let environments = repository.environments();
    let mut stages: BTreeMap<String, usize> = BTreeMap::new();
    for one in &environments {
        *stages.entry(one.around().to_owned()).or_default() += 1;
    }
    let mut found: Vec<ManifestError> = Vec::new();
    for environment in &environments {
        // Where there is no other environment, there is nothing to be promoted to.
        let is_alone = stages.get(environment.around()).is_none_or(|stages| *stages < 2);
        if is_alone || FIRST.contains(&environment.name().to_lowercase().as_str()) {
            continue;
        }
        for version in repository.build_environment(environment).versions {
            let one = told(&version, environment.name());
            if version.pin.floats() && !found.iter().any(|other| other.place == one.place) {
                found.push(one);
            }
        }
    }
    found
}

fn told(version: &Version, environment: &str) -> ManifestError {
    let what = match &version.version {
        Some(text) => format!("{} {text} of {}", version.name, version.object),
        None => format!("{} of {} has no version and", version.name, version.object),
    };
    let floats = if version.version.is_some() { "floats" } else { "is whatever is the newest" };
    let place = version.said.place;
    ManifestError {
        place: Place { file: version.said.file().into(), line: place.line, column: place.column },
        field: String::new(),
        kind: ManifestErrorKind::Value,
        message: format!("{what} {floats} in {environment}: it may change without a commit"),
        help: Some("write one version there; a range is for the first environment".to_owned()),
    }
}
