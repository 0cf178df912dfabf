//! `gradus comment`: one comment below a pull request, which is edited in place of writing another.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use gradus_core::names::ProposalNumber;
use gradus_engine::port::clock::SystemClock;
use gradus_remote::forge::{ForgeApis as _, ForgeError, ForgeErrorKind, Forges, Kept, keep_comment};
use gradus_template::{CommentFacts, EventFacts, TemplateError};
use gradus_weave::event::Event;
use serde::Serialize;

use crate::error::CliError;
use crate::forge_arg::ForgeArg;
use crate::format::FormatArgs;
use crate::output::Printer;

/// Writes one comment below a pull request, and edits it when it is to say something else.
///
/// What it says is made by a template, of an event of Flux and of what is given with --set. An application that is
/// installed for a pull request alone says so in this way.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 it is written, edited, or said so already, 1 it failed.")]
pub(crate) struct CommentArgs {
    /// The repository's address.
    #[arg(value_name = "URL")]
    repository: String,
    /// The number of the pull request; what the event says (`pr=NUMBER` in its summary, or `pr` in its metadata) when
    /// left out.
    #[arg(value_name = "NUMBER")]
    number: Option<u64>,
    /// What the comment says, as a template.
    #[arg(long, value_name = "FILE")]
    template: PathBuf,
    /// An event of Flux, or a dispatch of GitHub with one in it; `-` reads it from the standard input.
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// A value for the template, there as `set.NAME`. May be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Which comment: there is one for each key. The object of the event, as KIND/NAMESPACE/NAME, when left out; else
    /// `gradus`.
    #[arg(long, value_name = "KEY", value_parser = key_of)]
    key: Option<String>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    forge: ForgeArg,
    #[command(flatten)]
    format: FormatArgs,
}

/// What became of it.
#[derive(Serialize)]
struct Outcome<'a> {
    repository: &'a str,
    number: u64,
    key: &'a str,
    outcome: &'static str,
    text: &'a str,
}

/// The longest event that is read.
const LONGEST: u64 = 1 << 20;
/// The longest key: a kind and two names of Kubernetes fit.
const LONGEST_KEY: usize = 640;

pub(crate) async fn run(arguments: CommentArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let event = arguments.event.as_deref().map(read).transpose()?;
    let facts = event.as_ref().map(facts_of);
    let number = match (arguments.number, &facts) {
        (Some(number), _) => number,
        (None, Some(facts)) => number_in(facts)?,
        (None, None) => {
            return Err(CliError::usage("below which pull request is not said")
                .help("give its number, or with --event an event that names it"));
        }
    };
    let key = match (&arguments.key, &event) {
        (Some(key), _) => key.clone(),
        (None, Some(Event { object, .. })) if !object.name.is_empty() => {
            let named = format!("{}/{}/{}", object.kind, object.namespace, object.name);
            key_of(&named).map_err(|why| {
                CliError::failed(format!("reading what the event is about: {why}"))
                    .help("give the comment a key of its own with --key")
            })?
        }
        (None, _) => "gradus".to_owned(),
    };
    let set = arguments.set.iter().cloned().collect();
    let text = text(&arguments.template, &CommentFacts { pull: number.to_string(), event: facts, set })?;
    let outcome = if arguments.dry_run {
        "would be written"
    } else {
        let kept = printer.patiently("asking the forge...", keep(&arguments, number, &key, &text)).await?;
        match kept {
            Kept::Written => "written",
            Kept::Edited => "edited",
            Kept::AsItWas => "as it was",
        }
    };
    let repository = arguments.repository.as_str();
    let outcome = Outcome { repository, number, key: &key, outcome, text: &text };
    match arguments.format.text(&outcome)? {
        Some(answer) => printer.text(answer),
        None => {
            printer.line(format!("comment {key} below {repository} #{number}: {}", outcome.outcome));
            if arguments.dry_run {
                printer.text(format!("{text}\n"));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn keep(arguments: &CommentArgs, number: u64, key: &str, text: &str) -> Result<Kept, CliError> {
    let access = arguments.forge.access()?;
    let (_, repository) = arguments.forge.of(&arguments.repository, &access).await?;
    let api = Forges::new(access, Arc::new(SystemClock)).open(&repository)?;
    let failed = |error| failed(error, &arguments.repository, number);
    // Not every forge says of the comments of nothing that it is not there.
    let pull = api.get(ProposalNumber(number)).await.map_err(failed)?;
    keep_comment(&*api, pull.number, key, text).await.map_err(failed)
}

fn failed(error: ForgeError, repository: &str, number: u64) -> CliError {
    let lost = *error.kind() == ForgeErrorKind::OutcomeUnknown;
    let missing = *error.kind() == ForgeErrorKind::NotFound;
    let failed = CliError::because(format!("keeping the comment below {repository} #{number}"), error);
    if lost {
        failed.help("run it again: what was written is found by its key")
    } else if missing {
        failed.help("look whether it is there; `gradus doctor forge` says what the credentials may see")
    } else {
        failed.help("`gradus doctor forge` says what the credentials lack")
    }
}

fn text(template: &Path, facts: &CommentFacts) -> Result<String, CliError> {
    let shown = template.display();
    let read = std::fs::File::open(template).and_then(|file| {
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map(|_| text)
    });
    let read = read.map_err(|error| CliError::because(format!("reading the template {shown}"), error))?;
    gradus_template::comment(&read, facts).map_err(|error: TemplateError| {
        let hint = error.hint.clone();
        let failed = CliError::because(format!("making the comment of {shown}"), error);
        match hint {
            Some(hint) => failed.help(hint),
            None => failed,
        }
    })
}

fn read(path: &Path) -> Result<Event, CliError> {
    let shown = if path == Path::new("-") { "the standard input".into() } else { path.to_string_lossy() };
    let failed = |error| CliError::because(format!("reading the event in {shown}"), error);
    let mut body = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().take(LONGEST + 1).read_to_end(&mut body).map_err(failed)?;
    } else {
        std::fs::File::open(path)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut body))
            .map_err(failed)?;
    }
    if body.len() as u64 > LONGEST {
        return Err(CliError::failed(format!("the event in {shown} has more than {LONGEST} bytes")));
    }
    Event::read(&body).map_err(|error| {
        CliError::because(format!("reading the event in {shown}"), error)
            .help("it is what Flux sends, or the `client_payload` of a dispatch")
    })
}

fn facts_of(event: &Event) -> EventFacts {
    let said = |name: &str| {
        let below = format!("/{name}");
        let exact = event.metadata.get(name);
        exact.or_else(|| event.metadata.iter().find(|(key, _)| key.ends_with(&below)).map(|(_, value)| value))
    };
    let words = said("summary").map(String::as_str).unwrap_or_default();
    let summary = words.split_whitespace().filter_map(|word| word.split_once('='));
    let mut summary: BTreeMap<String, String> =
        summary.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if let Some(number) = said("pr") {
        summary.entry("pr".to_owned()).or_insert_with(|| number.clone());
    }
    EventFacts {
        kind: event.object.kind.clone(),
        namespace: event.object.namespace.clone(),
        name: event.object.name.clone(),
        version: said("revision").cloned().unwrap_or_default(),
        severity: event.severity.clone(),
        reason: event.reason.clone(),
        message: event.message.clone(),
        metadata: event.metadata.clone(),
        summary,
    }
}

fn number_in(facts: &EventFacts) -> Result<u64, CliError> {
    let help = "its alert says it with `summary: pr=NUMBER`, or `pr` in `eventMetadata`; or give the number";
    let Some(said) = facts.summary.get("pr") else {
        return Err(CliError::failed("the event does not say which pull request it is about").help(help));
    };
    let number = said.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        CliError::failed(format!("the event is about the pull request {said:?}, which is no number"))
            .help(help)
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is written NAME=VALUE")?;
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if is_name(name) {
        Ok((name.to_owned(), value.to_owned()))
    } else {
        Err(format!("{name:?} is no name: letters, digits and _"))
    }
}

/// A key ends no comment of HTML, in which it stands.
fn key_of(text: &str) -> Result<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    let is_key = !text.is_empty() && text.len() <= LONGEST_KEY && text.chars().all(is_part);
    if is_key {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no key: at most {LONGEST_KEY} letters, digits, . _ / and -"))
    }
}
