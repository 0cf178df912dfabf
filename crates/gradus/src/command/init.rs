//! `gradus init`: a first pipeline from a checkout.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gradus_core::names::PipelineName;
use gradus_manifest::SourceFile;

use crate::error::CliError;
use crate::init::{Application, Checkout, Kind, Scan, applications, scan, write};
use crate::nearest::did_you_mean;
use crate::output::{Printer, Tone};
use crate::table::{Cell, Table};

/// Looks at a checkout and writes a first pipeline, which promotes nothing yet.
///
/// It looks for $promotion markers, pipelines of Weave GitOps, HelmReleases and
/// kustomize images in folders that are named like environments. It asks
/// nobody and changes no file of the checkout but the one that it writes.
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// The checkout, or a folder in it.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Which application, where there are several.
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// The file to write [default: pipelines/NAME.yaml].
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(arguments: InitArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    if !arguments.dir.is_dir() {
        return Err(CliError::failed(format!("{} is not a folder", arguments.dir.display()))
            .help("give the checkout of the repository that declares your environments"));
    }
    let checkout = Checkout::of(&arguments.dir);
    let folder = arguments.dir.canonicalize().unwrap_or_else(|_| arguments.dir.clone());
    let found = scan(&checkout.top, &folder)?;
    let all = applications(&found);
    let application = chosen(&arguments, &all, &found)?;
    let text = write(application, &checkout);
    check(&text, application)?;
    tell(application, &found, printer);
    if arguments.dry_run {
        printer.line("\ndry run, nothing is written:\n");
        printer.text(&text);
        return Ok(ExitCode::SUCCESS);
    }
    let file = arguments
        .write
        .clone()
        .unwrap_or_else(|| PathBuf::from("pipelines").join(format!("{}.yaml", application.name)));
    put(&file, &text, arguments.force)?;
    printer.line(format!("\nwrote {} (mode: observe, so that nothing is promoted yet)", file.display()));
    for other in all.iter().filter(|other| other.name != application.name) {
        let (dir, name) = (arguments.dir.display(), &other.name);
        printer.line(format!("  there is also {name}: gradus init {dir} --pipeline {name}"));
    }
    let config = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    printer.line(format!("\nnext\n  gradus lint {}", file.display()));
    printer.line(format!("  gradus plan --config {}", config.display()));
    Ok(ExitCode::SUCCESS)
}

/// The application that is meant, or the surest one.
fn chosen<'a>(
    arguments: &InitArgs,
    all: &'a [Application],
    found: &Scan,
) -> Result<&'a Application, CliError> {
    let Some(wanted) = &arguments.pipeline else {
        return all.first().ok_or_else(|| nothing(arguments, found));
    };
    all.iter().find(|application| application.name == *wanted).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|application| application.name.as_str()).collect();
        let error = CliError::failed(format!("no application {wanted} was found in two environments"));
        match did_you_mean(wanted, names.iter().copied()) {
            Some(help) => error.help(help),
            None if names.is_empty() => nothing(arguments, found),
            None => error.help(format!("there are {}", names.join(", "))),
        }
    })
}

/// What was looked for in vain.
fn nothing(arguments: &InitArgs, found: &Scan) -> CliError {
    let count = found.files;
    let mut error = CliError::failed(format!(
        "nothing to promote was found in {count} YAML files below {}",
        arguments.dir.display()
    ))
    .help("looked for markers such as `newTag: 1.0.0 # {\"$promotion\": \"default:web:prod\"}`")
    .help("looked for pipelines of Weave GitOps (pipelines.weave.works)")
    .help("looked for HelmReleases with a chart version, and kustomize images with newTag, in at least two folders named like environments (dev, test, qa, staging, prod, prod-eu, ...)");
    for (_, note) in &found.notes {
        error = error.help(note.clone());
    }
    error.help(
        "put a marker behind each version, or write a manifest by hand: `gradus schema pipeline` is its form",
    )
}

/// What is written must be what can be read.
fn check(text: &str, application: &Application) -> Result<(), CliError> {
    let parsed = gradus_manifest::read(&SourceFile { name: "the manifest", text: text.as_bytes() });
    if let Some(error) = parsed.errors.first() {
        return Err(CliError::failed(format!(
            "no manifest can be made for {}: {}",
            application.name, error.message
        ))
        .help("write it by hand: `gradus schema pipeline` is its form"));
    }
    PipelineName::parse(&application.name).map(drop).map_err(|error| CliError::failed(error.to_string()))
}

fn tell(application: &Application, found: &Scan, printer: &Printer) {
    let how = match &application.kind {
        Kind::Weave(file) => format!("a pipeline of Weave GitOps in {file}"),
        Kind::Markers => "markers".to_owned(),
        Kind::Releases => "HelmReleases".to_owned(),
        Kind::Images => "kustomize images".to_owned(),
    };
    let name = printer.toned(Tone::Strong, &application.name);
    printer.line(format!("{name}: found by {how}, in {} YAML files", found.files));
    let mut table = Table::default();
    for environment in &application.environments {
        let values = environment.values.iter().map(|value| (value.version.clone(), value.file.clone()));
        let values: Vec<(String, String)> = values.collect();
        if values.is_empty() {
            table.row(vec![Cell::new(&environment.name), Cell::new("?"), Cell::new("no version was found")]);
        }
        for (at, (version, file)) in values.into_iter().enumerate() {
            let name = if at == 0 { environment.name.as_str() } else { "" };
            table.row(vec![Cell::new(name), Cell::new(version), Cell::new(file)]);
        }
    }
    printer.text(table.render(printer));
    for (_, note) in found.notes.iter().filter(|(app, _)| *app == application.name) {
        printer.note(format!("note: {note}"));
    }
}

/// Writes the file, whole or not at all; over one that is there only if asked.
fn put(file: &Path, text: &str, force: bool) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::because(format!("writing {}", file.display()), error);
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let mut half = tempfile::Builder::new().prefix(".pipeline-").tempfile_in(parent).map_err(failed)?;
    half.write_all(text.as_bytes()).map_err(failed)?;
    half.as_file().sync_all().map_err(failed)?;
    crate::holds::readable_by_all(half.as_file()).map_err(failed)?;
    if force {
        half.persist(file).map_err(|error| failed(error.error))?;
        return Ok(());
    }
    match half.persist_noclobber(file) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(CliError::failed(format!("{} is there already", file.display()))
                .help("choose another file with --write, or write over it with --force"))
        }
        Err(error) => Err(failed(error.error)),
    }
}
