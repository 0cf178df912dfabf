//! `gradus lint`: every mistake in the manifests, and what in the files beside them
//! will not do what people think it does, with the line it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use gradus_edit::FieldPath;
use gradus_manifest::{
    Assembled, Loaded, Manifest, ManifestError, ManifestErrorKind, Parsed, Place, SourceFile,
};
use gradus_server::api::v1;

use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::format::FormatArgs;
use crate::lint::{self, Finding};
use crate::output::{Printer, Tone};
use crate::source::config_folder;

/// Checks manifests, and what Flux is told beside them; contacts nobody.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 no mistakes, though there may be warnings; 1 mistakes.")]
pub(crate) struct LintArgs {
    /// Files and folders; GRADUS_CONFIG, or the current folder, when left out.
    paths: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatArgs,
}

/// The mistakes, in the shape in which a server tells its own, and the warnings.
#[derive(Debug, serde::Serialize)]
struct Answer<'a> {
    items: Vec<v1::Problem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning<'a>>,
}

/// What a rule found.
#[derive(Debug, serde::Serialize)]
struct Warning<'a> {
    rule: &'a str,
    #[serde(flatten)]
    what: v1::Problem,
}

pub(crate) async fn run(arguments: LintArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let paths = if arguments.paths.is_empty() { vec![config_folder(None)] } else { arguments.paths.clone() };
    let texts = read(&paths)?;
    let parsed: Vec<Parsed> =
        texts.iter().map(|(name, text)| gradus_manifest::read(&SourceFile { name, text })).collect();
    let holds = parsed
        .iter()
        .flat_map(|parsed| &parsed.manifests)
        .filter(|one| matches!(one, Manifest::Hold(_)))
        .count();
    let Assembled { pipelines, notifications, mut errors, notes, withheld } =
        gradus_manifest::assemble(parsed.into_iter());
    for loaded in pipelines.values() {
        errors.extend(paths_that_do_not_parse(loaded, &texts));
    }
    errors.sort_by(|a, b| a.place.cmp(&b.place));
    let findings = lint::check(&texts, &pipelines, &withheld);
    let answer = Answer {
        items: errors.iter().map(problem).collect(),
        warnings: findings
            .iter()
            .map(|Finding { rule, what }| Warning { rule, what: problem(what) })
            .collect(),
    };
    if let Some(text) = arguments.format.text(&answer)? {
        printer.text(text);
    } else {
        for error in &errors {
            printer.text(told(&printer.toned(Tone::Bad, "error:"), error, &texts, printer));
        }
        for Finding { rule, what } in &findings {
            let title = printer.toned(Tone::Waiting, &format!("warning[{rule}]:"));
            printer.text(told(&title, what, &texts, printer));
        }
        for note in &notes {
            printer.line(format!("{} {note}", printer.toned(Tone::Strong, "note:")));
        }
        let files: BTreeSet<&str> = errors.iter().map(|error| &*error.place.file).collect();
        let end = if errors.is_empty() && pipelines.is_empty() && holds == 0 && notifications.is_empty() {
            format!("no manifest of gradus in {}", count(texts.len(), "file"))
        } else if errors.is_empty() {
            let (pipelines, holds) = (count(pipelines.len(), "pipeline"), count(holds, "hold"));
            let all = match notifications.len() {
                0 => format!("{pipelines} and {holds}"),
                more => format!("{pipelines}, {holds} and {}", count(more, "notification")),
            };
            format!("{all} in {}: no mistakes", count(texts.len(), "file"))
        } else {
            let (mistakes, files) = (count(errors.len(), "mistake"), count(files.len(), "file"));
            match withheld.len() {
                0 => format!("{mistakes} in {files}"),
                more => format!("{mistakes} in {files}; {} left out", count(more, "pipeline")),
            }
        };
        printer.line(match findings.len() {
            0 => end,
            more => format!("{end}; {}", count(more, "warning")),
        });
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files, by the names that people gave.
fn read(paths: &[PathBuf]) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let mut all = BTreeMap::new();
    for path in paths {
        let folder = ConfigFolder::new(path)?;
        all.extend(folder.texts()?.into_iter().map(|(name, text)| (folder.shown(&name), text)));
    }
    Ok(all)
}

fn told(title: &str, error: &ManifestError, texts: &BTreeMap<String, Vec<u8>>, printer: &Printer) -> String {
    let mut text = format!("{title} {error}\n");
    let source = texts.get(&*error.place.file).map(|text| String::from_utf8_lossy(text));
    if let Some(excerpt) = source.and_then(|source| error.excerpt(&source)) {
        for line in excerpt.lines() {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if let Some(help) = &error.help {
        text.push_str(&format!("  {} {help}\n", printer.toned(Tone::Strong, "help:")));
    }
    text.push('\n');
    text
}

/// Paths of fields that say nothing. The manifest takes them as they are: their meaning is the editor's.
fn paths_that_do_not_parse(loaded: &Loaded, texts: &BTreeMap<String, Vec<u8>>) -> Vec<ManifestError> {
    let mut errors = Vec::new();
    for environment in loaded.pipeline.environments() {
        for (at, edit) in environment.edit.iter().enumerate() {
            for (field, path) in edit.paths() {
                let Err(error) = FieldPath::parse(path) else { continue };
                errors.push(ManifestError {
                    place: place_of(path, loaded, texts),
                    field: format!("environment {}, edit[{at}].{field}", environment.name),
                    kind: ManifestErrorKind::Value,
                    message: format!(
                        "the path of an edit in environment {:?}: {error}",
                        environment.name.as_str()
                    ),
                    help: Some("write it like spec.chart.spec.version or images[name=web].newTag".to_owned()),
                });
            }
        }
    }
    errors
}

/// The line that holds this text, after the pipeline's name.
fn place_of(wanted: &str, loaded: &Loaded, texts: &BTreeMap<String, Vec<u8>>) -> Place {
    let place = &loaded.place;
    let text = texts.get(&*place.file).map(|text| String::from_utf8_lossy(text)).unwrap_or_default();
    let found = text.lines().enumerate().skip(place.line).find_map(|(at, line)| {
        let column = line.get(..line.find(wanted)?)?.chars().count();
        Some(Place { file: place.file.clone(), line: at + 1, column: column + 1 })
    });
    found.unwrap_or_else(|| place.clone())
}

fn problem(error: &ManifestError) -> v1::Problem {
    v1::Problem {
        file: error.place.file.to_string(),
        line: u64::try_from(error.place.line).ok(),
        message: error.message.clone(),
        help: error.help.clone(),
    }
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
