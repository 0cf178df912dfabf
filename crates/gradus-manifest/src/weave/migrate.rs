//! A pipeline of the older kind, written as ours.

use gradus_core::names::EnvironmentName;

use super::is_one;
use super::shape::Old;
use crate::error::{ManifestError, ManifestErrorKind, Place, Trouble};
use crate::read::{SourceFile, read};
use crate::yaml::{self, At, Document, NodeId};

mod draft;
mod environment;
mod lines;
mod repository;

use lines::Lines;

/// What became of a file.
#[derive(Debug, Clone, Default)]
pub struct Migrated {
    /// The pipelines of the older kind, in their order.
    pub pipelines: Vec<Migration>,
    /// What could not be read or written.
    pub errors: Vec<ManifestError>,
    /// How many other documents are in the file.
    pub others: usize,
}

/// What became of one pipeline.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The pipeline, as `namespace/name`.
    pub name: String,
    /// Its document as it was.
    pub before: String,
    /// The manifest in our kind. It has no mistakes.
    pub after: String,
    /// What a person has to look at: it could not be carried over, or not as it was.
    pub left: Vec<String>,
}

/// What cannot be known from the pipeline itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'k> {
    /// The repository that declares the environments, where the pipeline does not say it.
    pub repository: Option<&'k str>,
}

/// Writes the pipelines of the older kind in a file as ours.
pub fn migrate(file: &SourceFile<'_>, known: Known<'_>) -> Migrated {
    let mut migrated = Migrated::default();
    let text = String::from_utf8_lossy(file.text);
    let (documents, broken) = yaml::parse(&text);
    for yaml::Broken { at, trouble } in broken {
        let place = Place { file: file.name.into(), line: at.line, column: at.column };
        migrated.errors.push(trouble.at(place, String::new()));
    }
    for document in &documents {
        let Some(root) = document.root() else { continue };
        let objects = objects(document, root);
        for (nth, object) in objects.iter().enumerate() {
            if !is_one(document, *object) {
                migrated.others += 1;
                continue;
            }
            let at = document.at(*object);
            let place = Place { file: file.name.into(), line: at.line, column: at.column };
            let next = objects.get(nth + 1).map(|next| document.at(*next).line);
            match one(document, *object, known) {
                Ok((name, Lines { text: after, left })) => {
                    migrated.pipelines.push(Migration { name, before: source(&text, at, next), after, left });
                }
                Err(faults) => migrated
                    .errors
                    .extend(faults.into_iter().map(|(field, trouble)| trouble.at(place.clone(), field))),
            }
        }
    }
    migrated
}

/// The objects in a document: itself, or those that it lists, as `kubectl get` does.
fn objects(document: &Document<'_>, root: NodeId) -> Vec<NodeId> {
    let kind = document.get(root, "kind").and_then(|kind| document.text(kind)).unwrap_or_default();
    match document.get(root, "items") {
        Some(items) if kind.ends_with("List") => document.items(items).to_vec(),
        Some(_) | None => vec![root],
    }
}

type Faults = Vec<(String, Trouble)>;

/// The name of the pipeline, and its manifest.
fn one(document: &Document<'_>, root: NodeId, known: Known<'_>) -> Result<(String, Lines), Faults> {
    let old = Old::of(document, root);
    let fail = |field: &str, message: String| {
        vec![(field.to_owned(), Trouble::new(ManifestErrorKind::Pipeline, message))]
    };
    if old.name.is_empty() {
        return Err(fail("metadata.name", "the pipeline has no name".to_owned()));
    }
    if old.environments.is_empty() {
        return Err(fail("spec.environments", format!("pipeline {} has no environments", old.name)));
    }
    let mut names: Vec<String> = Vec::new();
    for (at, environment) in old.environments.iter().enumerate() {
        let name = environment_name(&environment.name);
        if EnvironmentName::parse(&name).is_err() || names.contains(&name) {
            let message = format!(
                "no name can be made for environment {:?} that is lower case letters, digits and '-' and there once",
                environment.name
            );
            return Err(fail(&format!("spec.environments[{at}].name"), message));
        }
        names.push(name);
    }
    let written = draft::write(&old, &names, known);
    let errors = mistakes(&written.text);
    if !errors.is_empty() {
        return Err(errors
            .into_iter()
            .map(|error| {
                let message =
                    format!("{} cannot be written as ours: {}: {}", old.name, error.field, error.message);
                (error.field, Trouble::new(error.kind, message).maybe_help(error.help))
            })
            .collect());
    }
    let name = match &old.namespace {
        Some(namespace) => format!("{namespace}/{}", old.name),
        None => old.name.clone(),
    };
    Ok((name, written))
}

fn mistakes(text: &str) -> Vec<ManifestError> {
    read(&SourceFile { name: "the manifest", text: text.as_bytes() }).errors
}

/// A name as ours are written.
fn environment_name(name: &str) -> String {
    name.to_lowercase().replace(['_', ' ', '.'], "-").trim_matches('-').to_owned()
}

/// The lines of the object that begins here, without what parts documents and
/// without what it is indented by; `next` is the line of the one after it.
fn source(text: &str, at: At, next: Option<usize>) -> String {
    let lines: Vec<&str> = yaml::lines(text).collect();
    let parts = |line: &&str| line.starts_with("---") || line.starts_with("...");
    let indent = at.column.saturating_sub(1);
    let at = at.line.saturating_sub(1).min(lines.len().saturating_sub(1));
    let before = lines.get(..at).unwrap_or_default();
    let first = if indent == 0 { before.iter().rposition(parts).map_or(0, |found| found + 1) } else { at };
    let rest = lines.get(at..).unwrap_or_default();
    let end = rest.iter().skip(1).position(parts).map_or(lines.len(), |found| at + 1 + found);
    let last = next.map_or(end, |next| end.min(next.saturating_sub(1)));
    // What is indented less belongs to the list; the first line has the list's dash.
    let belongs = |nth: usize, line: &str| {
        nth == 0 || line.trim().is_empty() || line.len() - line.trim_start().len() >= indent
    };
    let object = lines.get(first..last).unwrap_or_default().iter().enumerate();
    let mut source: String = object
        .take_while(|(nth, line)| belongs(*nth, line))
        .map(|(_, line)| format!("{}\n", line.get(indent..).unwrap_or_default()))
        .collect();
    source.truncate(source.trim_end().len());
    source.push('\n');
    source
}
