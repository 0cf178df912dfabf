//! `gradus markers`: every marker, and the value it names or why it names none.

use std::process::ExitCode;

use gradus_edit::{ListedMarker, Refusal, Standing, list_markers, may_have_markers};
use serde::Serialize;

use crate::error::CliError;
use crate::files::FilesArgs;
use crate::format::FormatArgs;
use crate::output::{Printer, Tone};
use crate::table::{Cell, Table, plain};

/// The keys of markers, and which comments may be one.
const KEYS: [(&str, Standing); 2] = [("$promotion", Standing::Around), ("$imagepolicy", Standing::Attached)];

/// Lists the markers of files, with the value that each names or why it names none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 done, whatever was found; 1 failed.")]
pub(crate) struct MarkersArgs {
    /// The folder or file; the current folder, or the whole repository, when left out.
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    place: String,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    files: FilesArgs,
}

/// What was found.
#[derive(Default, Serialize)]
struct Answer {
    items: Vec<Item>,
    /// Files that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

/// A marker.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    file: String,
    line: usize,
    column: usize,
    key: String,
    value: String,
    /// The path of what it stands beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The value that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    /// Why it names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// A file that cannot be read.
#[derive(Serialize)]
struct Problem {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    message: String,
}

pub(crate) async fn run(arguments: MarkersArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let mut answer = Answer::default();
    for file in arguments.files.open(&arguments.place).await?.all(may_have_markers).await? {
        match list_markers(&file.bytes, &KEYS) {
            Ok(found) => answer.items.extend(found.into_iter().map(|found| Item::of(&file.name, found))),
            Err(why) => answer.problems.push(Problem::of(&file.name, &why)),
        }
    }
    if let Some(text) = arguments.format.text(&answer)? {
        printer.text(text);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::default();
    for item in &answer.items {
        let value = match (&item.current, &item.problem) {
            (Some(current), _) => Cell::new(current),
            (None, Some(problem)) => Cell::toned(Tone::Waiting, format!("names nothing: {problem}")),
            (None, None) => Cell::new(""),
        };
        table.row(vec![
            Cell::new(format!("{}:{}", item.file, item.line)),
            Cell::toned(Tone::Strong, format!("{} {}", item.key, item.value)),
            value,
        ]);
    }
    printer.text(table.render(printer));
    for Problem { file, line, message } in &answer.problems {
        let place = line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"));
        printer.note(plain(&format!("passed over: {place}: {message}")));
    }
    if answer.items.is_empty() {
        printer.line(format!("no markers in {}", plain(&arguments.place)));
    }
    Ok(ExitCode::SUCCESS)
}

impl Item {
    fn of(file: &str, found: ListedMarker) -> Self {
        let ListedMarker { key, marker } = found;
        let (current, problem) = match marker.current {
            Ok(current) => (Some(current), None),
            Err(why) => (None, Some(why.kind.to_string())),
        };
        Self {
            file: file.to_owned(),
            line: marker.place.line,
            column: marker.place.column,
            key,
            value: marker.value,
            path: marker.path.map(|path| path.to_string()),
            current,
            problem,
        }
    }
}

impl Problem {
    fn of(file: &str, why: &Refusal) -> Self {
        let line = why.place.map(|place| place.line);
        Self { file: file.to_owned(), line, message: why.kind.to_string() }
    }
}
