//! Which versions environments have.

use std::collections::BTreeSet;

use gradus_edit::kustomize::{Environment as Folder, Repository, Version};
use serde::Serialize;

use super::checkout::Checkout;
use super::{Note, Object};
use crate::output::{Printer, Tone};
use crate::table::{Cell, Table};

/// An environment and its versions.
#[derive(Debug, Serialize)]
pub(super) struct Environment {
    /// The folder around it, which has the stages of one pipeline.
    pipeline: String,
    /// The folder's own name.
    name: String,
    folder: String,
    #[serde(rename = "appliedBy", skip_serializing_if = "Option::is_none")]
    applied_by: Option<Object>,
    versions: Vec<Effective>,
}

/// A version that an object has in an environment.
#[derive(Debug, Serialize)]
struct Effective {
    object: Object,
    carrier: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Whether it always means the same: `exact`, `range`, `moving` or `elsewhere`.
    pin: &'static str,
    file: String,
    line: usize,
}

/// What environments are called, from the first to the last.
const STAGES: [&[&str]; 8] = [
    &["local", "sandbox", "ephemeral"],
    &["dev", "develop", "development", "int", "integration"],
    &["test", "testing", "dev-test", "ci"],
    &["qa", "sit", "acceptance"],
    &["uat"],
    &["staging", "stage", "stg", "preprod", "pre-prod", "perf"],
    &["canary"],
    &["prod", "production", "prd", "live"],
];

/// The environments with their versions. Of one version only what has it anywhere is shown, and that
/// everywhere.
pub(super) fn environments(
    files: &Checkout,
    repository: &mut Repository<'_>,
    version: Option<&str>,
) -> (Vec<Environment>, BTreeSet<Note>) {
    let mut notes = BTreeSet::new();
    let mut found: Vec<(Folder, Vec<Version>)> = Vec::new();
    for folder in repository.environments() {
        let built = repository.build_environment(&folder);
        notes.extend(built.notes.iter().map(|note| Note {
            file: files.shown(&note.file),
            line: note.place.map(|place| place.line),
            message: note.kind.to_string(),
        }));
        found.push((folder, built.versions));
    }
    if let Some(version) = version {
        let has = |one: &&Version| one.version.as_deref().is_some_and(|text| is_it(text, version));
        let wanted: BTreeSet<_> =
            found.iter().flat_map(|(_, versions)| versions).filter(has).map(what).collect();
        for (_, versions) in &mut found {
            versions.retain(|one| wanted.contains(&what(one)));
        }
    }
    found.retain(|(_, versions)| !versions.is_empty());
    found.sort_by_cached_key(|(folder, _)| {
        (folder.around().to_owned(), rank(folder.name()), folder.name().to_owned())
    });
    let environments = found.into_iter().map(|(folder, versions)| Environment {
        pipeline: folder.around().to_owned(),
        name: if folder.folder.is_empty() { ".".to_owned() } else { folder.name().to_owned() },
        applied_by: folder.applied_by.as_ref().map(|by| Object::from(&by.object)),
        versions: versions.into_iter().map(|version| effective(files, version)).collect(),
        folder: folder.folder,
    });
    (environments.collect(), notes)
}

/// What a version is of, in whatever environment.
fn what(version: &Version) -> (String, String, &'static str, String) {
    let object = &version.object;
    (object.kind.clone(), object.name.clone(), version.carrier.word(), version.name.clone())
}

/// Whether a version, perhaps with a digest, is the one that is looked for.
fn is_it(text: &str, version: &str) -> bool {
    text == version
        || text.split('@').any(|part| part == version || part.strip_prefix("sha256:") == Some(version))
}

fn rank(name: &str) -> usize {
    let name = name.to_lowercase();
    let same = STAGES.iter().position(|names| names.contains(&name.as_str()));
    let part =
        || STAGES.iter().rposition(|names| name.split(['-', '_', '.']).any(|part| names.contains(&part)));
    same.or_else(part).unwrap_or(STAGES.len())
}

fn effective(files: &Checkout, version: Version) -> Effective {
    Effective {
        object: Object::from(&version.object),
        carrier: version.carrier.word(),
        name: version.name.clone(),
        pin: version.pin.word(),
        file: files.shown(version.said.file()),
        line: version.said.line(),
        version: version.version,
    }
}

/// The environments, pipeline by pipeline.
pub(super) fn shown(environments: &[Environment], version: Option<&str>, printer: &Printer) -> String {
    if environments.is_empty() {
        return "no environment has it\n".to_owned();
    }
    let mut table = Table::default();
    let mut pipeline = None;
    for environment in environments {
        if pipeline != Some(&environment.pipeline) {
            let title = if environment.pipeline.is_empty() { "." } else { &environment.pipeline };
            table.text(printer.toned(Tone::Strong, title));
            pipeline = Some(&environment.pipeline);
        }
        let mut name = environment.name.clone();
        for one in &environment.versions {
            let same =
                one.version.as_deref().zip(version).is_some_and(|(text, version)| is_it(text, version));
            let text = match (&one.version, one.pin) {
                (Some(text), "exact") => short(text),
                (Some(text), pin) => format!("{text} ({pin})"),
                (None, pin) => format!("- ({pin})"),
            };
            let object = format!("{}/{}", one.object.kind, one.object.name);
            let object = if one.object.name == one.name { object } else { format!("{object} {}", one.name) };
            table.row(vec![
                Cell::new(&name),
                Cell::new(object),
                if same { Cell::toned(Tone::Good, text) } else { Cell::new(text) },
                Cell::toned(Tone::Dim, format!("{}:{}", one.file, one.line)),
            ]);
            name.clear();
        }
    }
    table.render(printer)
}

/// A digest as far as people tell it from others.
fn short(text: &str) -> String {
    match text.split_once("sha256:") {
        Some((before, digest)) if digest.len() > 12 => {
            format!("{before}sha256:{}", digest.get(..12).unwrap_or(digest))
        }
        Some(_) | None => text.to_owned(),
    }
}
