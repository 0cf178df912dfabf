//! `gradus migrate`: pipelines of Weave GitOps, written as ours.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use gradus_manifest::weave::{Known, Migration, migrate};
use gradus_manifest::{MAX_FILE_BYTES, ManifestError, SourceFile};

use crate::diff;
use crate::error::CliError;
use crate::output::{Printer, Tone};

/// Writes pipelines of Weave GitOps (pipelines.weave.works) as gradus.dev/v1alpha1; contacts nobody.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 all was carried over, 1 something cannot be, 2 there is something to look at."
)]
pub(crate) struct MigrateArgs {
    /// The file with the pipelines; `-` for standard input.
    file: PathBuf,
    /// What to print: what changes, or the new manifests alone.
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "diff")]
    output: Output,
    /// The repository that declares the environments, for pipelines that do not say it.
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
}

/// How wide sentences are at most.
const WIDTH: usize = 80;

/// What to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// What changes, and what there is to look at.
    Diff,
    /// The new manifests alone.
    Yaml,
}

pub(crate) async fn run(arguments: MigrateArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let name = arguments.file.display().to_string();
    let text = read(&arguments.file)?;
    let known = Known { repository: arguments.repository.as_deref() };
    let migrated = migrate(&SourceFile { name: &name, text: &text }, known);
    if migrated.pipelines.is_empty() && migrated.errors.is_empty() {
        return Err(CliError::failed(format!("there is no pipeline of pipelines.weave.works in {name}"))
            .help("give the file that holds it, or pipe it in: kubectl get pipelines.pipelines.weave.works NAME -o yaml | gradus migrate -"));
    }
    for (at, pipeline) in migrated.pipelines.iter().enumerate() {
        match arguments.output {
            Output::Yaml => {
                let between = if at == 0 { "" } else { "---\n" };
                printer.text(format!("{between}{}", pipeline.after));
            }
            Output::Diff => printer.text(told(pipeline, printer)),
        }
    }
    if migrated.others > 0 {
        let others = migrated.others;
        printer.note(format!(
            "passed over: {others} other {}",
            if others == 1 { "document" } else { "documents" }
        ));
    }
    for error in &migrated.errors {
        printer.error(&failed(error));
    }
    Ok(if !migrated.errors.is_empty() {
        ExitCode::FAILURE
    } else if migrated.pipelines.iter().any(|pipeline| !pipeline.left.is_empty()) {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

/// The text of the file, or of standard input, up to what is read at most and a little more.
fn read(file: &PathBuf) -> Result<Vec<u8>, CliError> {
    let doing = || format!("reading {}", file.display());
    let mut text = Vec::new();
    let most = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = if file.as_os_str() == "-" {
        std::io::stdin().lock().take(most).read_to_end(&mut text)
    } else {
        std::fs::File::open(file).and_then(|opened| opened.take(most).read_to_end(&mut text))
    };
    read.map_err(|error| CliError::because(doing(), error))?;
    if text.len() > MAX_FILE_BYTES {
        return Err(CliError::failed(format!(
            "{} has more than {MAX_FILE_BYTES} bytes (1 MiB)",
            file.display()
        ))
        .help("split it into files"));
    }
    Ok(text)
}

fn told(pipeline: &Migration, printer: &Printer) -> String {
    let mut text = String::new();
    for line in diff::unified(&pipeline.before, &pipeline.after) {
        let tone = match line.chars().next() {
            Some('+') => Some(Tone::Good),
            Some('-') => Some(Tone::Bad),
            Some(_) | None => None,
        };
        text.push_str(&tone.map_or_else(|| line.clone(), |tone| printer.toned(tone, &line)));
        text.push('\n');
    }
    let count = pipeline.left.len();
    if count == 0 {
        text.push_str(&format!("\n{}: all was carried over\n\n", pipeline.name));
        return text;
    }
    text.push_str(&format!("\n{}: to look at\n", printer.toned(Tone::Strong, &pipeline.name)));
    for left in &pipeline.left {
        for (at, line) in
            wrapped(left, printer.width().unwrap_or(WIDTH).clamp(20, WIDTH) - 4).iter().enumerate()
        {
            text.push_str(&format!("  {} {line}\n", if at == 0 { "-" } else { " " }));
        }
    }
    text.push('\n');
    text
}

/// The lines of a sentence, none wider than this where its words allow it.
fn wrapped(sentence: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn failed(error: &ManifestError) -> CliError {
    let told = CliError::failed(error.to_string());
    match &error.help {
        Some(help) => told.help(help.clone()),
        None => told,
    }
}
