//! `gradus find`: every place that says a version, and which version each environment has.

mod checkout;
mod effective;

use std::collections::BTreeSet;
use std::process::ExitCode;

use gradus_edit::kustomize::{Id, PatchFile, Repository};
use gradus_edit::{Found, find};
use serde::Serialize;

use checkout::Checkout;

use crate::error::CliError;
use crate::files::{Files as Opened, FilesArgs};
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::table::{Cell, Table};

/// So many files that were not followed are told of.
const MOST_NOTES: usize = 20;

/// Finds every place that says a version, and what it makes of each environment.
///
/// An environment is a kustomization that no other one takes in, or a folder that Flux or Argo CD applies.
/// Bases, components, patches and images are followed; nothing is fetched, and no cluster is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 found; 1 nothing found, or it failed; 64 wrong usage.")]
pub(crate) struct FindArgs {
    /// The version, the tag or the digest; with --effective it is left out.
    version: Option<String>,
    /// Where to look: a folder or a file; the current folder when left out.
    dir: Option<String>,
    /// Show all versions of all environments, and nothing else.
    #[arg(long)]
    effective: bool,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    files: FilesArgs,
}

/// What was found, as data.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    places: Vec<Place>,
    environments: Vec<effective::Environment>,
    /// Files that could not be followed.
    notes: Vec<Note>,
}

/// A place that says the version.
#[derive(Debug, Serialize)]
struct Place {
    file: String,
    line: usize,
    column: usize,
    form: &'static str,
    path: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<Object>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// An object, by its names.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    namespace: String,
    name: String,
}

/// Something that could not be followed.
#[derive(Debug, Clone, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    message: String,
}

impl From<&Id> for Object {
    fn from(id: &Id) -> Self {
        Self { kind: id.kind.clone(), namespace: id.namespace.clone(), name: id.name.clone() }
    }
}

pub(crate) async fn run(arguments: FindArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let (version, dir) = match (arguments.effective, arguments.version, arguments.dir) {
        (true, dir, None) => (None, dir),
        (true, Some(version), Some(_)) => {
            return Err(CliError::usage(format!("--effective shows all versions, and {version} is one"))
                .help(
                    "leave out one of the two: `gradus find VERSION DIR` or `gradus find --effective DIR`",
                ));
        }
        (true, None, dir) => (None, dir),
        (false, version, dir) => match version.filter(|version| !version.is_empty()) {
            Some(version) => (Some(version), dir),
            None => {
                return Err(CliError::usage("there is no version to look for").help(
                    "`gradus find VERSION [DIR]`, or `gradus find --effective [DIR]` for all versions",
                ));
            }
        },
    };
    let place = dir.unwrap_or_else(|| ".".to_owned());
    let opened = arguments.files.open(&place).await?;
    let top = match &opened {
        Opened::Folder(_) => Some(place.as_str()).filter(|place| *place != "."),
        Opened::Repository(_) => None,
    };
    let files = Checkout::new(opened.all(checkout::says_versions).await?, top);
    let answer = look(&files, version);
    for note in answer.notes.iter().take(MOST_NOTES) {
        let line = note.line.map(|line| format!(":{line}")).unwrap_or_default();
        printer.note(format!("note: {}{line}: {}", note.file, note.message));
    }
    if answer.notes.len() > MOST_NOTES {
        printer.note(format!("note: and {} more", answer.notes.len() - MOST_NOTES));
    }
    let nothing = answer.places.is_empty() && (answer.version.is_some() || answer.environments.is_empty());
    if let Some(text) = arguments.format.text(&answer)? {
        printer.text(text);
    } else if nothing {
        printer.line(match &answer.version {
            Some(version) => {
                format!("nothing says {version}: {} looked at", count(files.files.len(), "file"))
            }
            None => format!("no environment has a version: {} looked at", count(files.files.len(), "file")),
        });
    } else {
        printer.text(shown(&answer, printer));
    }
    Ok(if nothing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn look(files: &Checkout, version: Option<String>) -> Answer {
    let mut repository = Repository::new(files);
    let mut notes = BTreeSet::new();
    let mut places = Vec::new();
    if let Some(version) = &version {
        let patches = repository.patch_files();
        for (path, file) in &files.files {
            match find(path, &file.bytes, version) {
                Ok(found) => places.extend(
                    found.into_iter().map(|found| place(files, path, found, patches.get(path).copied())),
                ),
                Err(refusal) => drop(notes.insert(Note {
                    file: files.shown(path),
                    line: refusal.place.map(|place| place.line),
                    message: refusal.kind.to_string(),
                })),
            }
        }
    }
    let (environments, more) = effective::environments(files, &mut repository, version.as_deref());
    // What cannot be followed changes what an environment has, but not where a version stands.
    notes.extend(more);
    Answer { version, places, environments, notes: notes.into_iter().collect() }
}

fn place(files: &Checkout, path: &str, found: Found, patch: Option<PatchFile>) -> Place {
    let found = match patch {
        Some(patch) => found.in_patch(patch),
        None => found,
    };
    Place {
        file: files.shown(path),
        line: found.place.line,
        column: found.place.column,
        form: found.form.word(),
        path: found.path.to_string(),
        value: found.value,
        object: found.object.as_ref().map(Object::from),
        marker: found.marker.map(|marker| marker.to_string()),
    }
}

fn shown(answer: &Answer, printer: &Printer) -> String {
    let mut text = String::new();
    if let Some(version) = &answer.version {
        let (places, files) = (answer.places.len(), answer.places.iter().map(|place| &place.file));
        let files = files.collect::<BTreeSet<_>>().len();
        let title = format!("{version} is in {} of {}", count(places, "place"), count(files, "file"));
        let mut table = Table::default();
        table.text(printer.toned(Tone::Strong, &title));
        for place in &answer.places {
            table.row(vec![
                Cell::new(format!("{}:{}", place.file, place.line)),
                Cell::toned(Tone::Good, place.form),
                Cell::new(&place.path),
                Cell::new(&place.value),
            ]);
        }
        text.push_str(&table.render(printer));
        text.push('\n');
    }
    text.push_str(&effective::shown(&answer.environments, answer.version.as_deref(), printer));
    text
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
