//! What is told after somebody asked for something or approved it.

use gradus_core::names::PipelineKey;
use gradus_engine::Outcome;
use gradus_server::api::v1;
use serde::Serialize;
use v1::StepKind;

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::output::Printer;
use crate::source::{Acted, Answer as InCluster, Said, Source, Taken};
use crate::table::plain;

/// The answer as data: that of the API, and what was written here.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    asked: &'a v1::Asked,
    /// What was written.
    wrote: Vec<Wrote>,
}

/// Something that was written.
#[derive(Serialize)]
struct Wrote {
    #[serde(flatten)]
    step: v1::Step,
    branch: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// The environment that is meant where none was named: the only one that something waits to come into.
pub(crate) async fn environment(
    source: &Source,
    key: &PipelineKey,
    given: Option<&str>,
) -> Result<String, CliError> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let pipeline = source.pipeline(key).await?;
    let ready = pipeline.environments.iter().filter(|here| here.step.is_some());
    let waiting = pipeline.environments.iter().filter(|here| here.next.is_some());
    let names = |found: &mut dyn Iterator<Item = &v1::Environment>| -> Vec<String> {
        found.map(|here| here.name.clone()).collect()
    };
    let (ready, waiting) = (names(&mut ready.into_iter()), names(&mut waiting.into_iter()));
    match (ready.as_slice(), waiting.as_slice()) {
        ([only], _) | ([], [only]) => Ok(only.clone()),
        ([], []) => Err(CliError::failed(format!("nothing waits to come into any environment of {key}"))
            .help(format!("gradus status {} tells what each has", key.name))),
        ([], several) | (several, _) => Err(CliError::usage(format!(
            "into which environment? something waits for {}",
            several.join(", ")
        ))
        .help("say it with --to")),
    }
}

/// Tells what was recorded, what was written, and what happens next. Fails when a step failed.
pub(crate) fn tell(
    recorded: &str,
    said: Said,
    format: FormatArgs,
    printer: &Printer,
) -> Result<(), CliError> {
    let Said { asked, acted } = said;
    let mut failure = None;
    let (taken, note) = match acted {
        Acted::Here(taken) => (taken, None),
        Acted::Not => (Vec::new(), None),
        Acted::Told(server) => (Vec::new(), Some(format!("{server} takes it from here"))),
        Acted::InCluster(cluster, answer) => (
            Vec::new(),
            Some(match answer {
                InCluster::NotAwaited => format!("gradus in {cluster} takes it from here"),
                InCluster::NotYet => format!("gradus in {cluster} has not answered yet: does it run there?"),
                InCluster::Open(why) => match why {
                    Some(why) => format!("open: {why}"),
                    None => format!("open: gradus in {cluster} takes it from here"),
                },
                InCluster::Done(why) => format!("done: {why}"),
                InCluster::Refused(why) => {
                    failure = Some(format!("gradus in {cluster} refused it: {why}"));
                    String::new()
                }
            })
            .filter(|note| !note.is_empty()),
        ),
        Acted::Beside(data) => {
            (Vec::new(), Some(format!("gradus serve on {data} takes it from here, the next time it looks")))
        }
        Acted::Later(data) => (
            Vec::new(),
            Some(format!("nothing else happens before gradus serve runs on {data}, or somebody promotes")),
        ),
    };
    let failed = taken.iter().find_map(trouble);
    let wrote = taken.iter().map(|taken| Wrote {
        step: taken.step.clone(),
        branch: taken.branch.clone(),
        commit: commit(taken),
        problem: trouble(taken),
    });
    if let Some(text) = format.text(&Answer { asked: &asked, wrote: wrote.collect() })? {
        printer.text(text);
    } else {
        printer.line(if asked.recorded {
            recorded.to_owned()
        } else {
            format!("dry run, nothing is recorded: {recorded}")
        });
        for taken in &taken {
            printer.line(format!("  {}", plain(&done(taken))));
        }
        if let Some(here) = &asked.environment
            && taken.iter().all(|taken| taken.step.environment != here.name)
            && let Some(words) = next(here)
        {
            printer.line(format!("  {}: {}", here.name, plain(&words)));
        }
        if let Some(note) = note.filter(|_| asked.recorded) {
            printer.note(format!("  {note}"));
        }
    }
    if let Some(why) = failure {
        return Err(CliError::failed(why));
    }
    match failed {
        Some(why) => {
            Err(CliError::failed(why).help("it is recorded: say it again, and it goes on from there"))
        }
        None => Ok(()),
    }
}

/// What happens next in the environment.
fn next(here: &v1::Environment) -> Option<String> {
    if !here.words.is_empty() {
        return Some(here.words.clone());
    }
    here.reasons.first().map(|reason| reason.sentence.clone())
}

fn commit(taken: &Taken) -> Option<String> {
    match &taken.outcome {
        Ok(Outcome::Done(commit)) => Some(commit.to_string()),
        Ok(Outcome::AlreadyTrue | Outcome::Stale(_) | Outcome::Refused(_)) | Err(_) => None,
    }
}

fn trouble(taken: &Taken) -> Option<String> {
    match &taken.outcome {
        Ok(Outcome::Done(_) | Outcome::AlreadyTrue) => None,
        Ok(Outcome::Stale(why)) => Some(format!("{}: {why}", taken.step.environment)),
        Ok(Outcome::Refused(why)) => Some(format!("{} was refused: {why}", taken.step.environment)),
        Err(error) => Some(format!("{}: {}", taken.step.environment, error.in_full())),
    }
}

fn done(taken: &Taken) -> String {
    let step = &taken.step;
    let (environment, branch) = (&step.environment, &taken.branch);
    let number = step.proposal.map_or_else(|| "a proposal".to_owned(), |number| format!("proposal {number}"));
    let release = step.to.as_ref().map(ToString::to_string).unwrap_or_default();
    let what = match step.kind {
        StepKind::Push => format!("{environment} gets {release}"),
        StepKind::Propose => format!("{number} opened: {release} to {environment}"),
        StepKind::Update => format!("{number} updated: {release} to {environment}"),
        StepKind::Merge => format!("{number} merged: {environment} gets {release}"),
        StepKind::Close => format!("{number} closed, for {environment}"),
        StepKind::Dispatch => format!("automation asked: {release} to {environment}"),
    };
    match &taken.outcome {
        Ok(Outcome::Done(_)) if step.kind == StepKind::Dispatch => format!("{what}, on {branch}"),
        Ok(Outcome::Done(commit)) => format!("{what}, commit {} on {branch}", commit.short()),
        Ok(Outcome::AlreadyTrue) => format!("{what}: it was so already"),
        Ok(Outcome::Stale(why)) => format!("{what}: not done, {why}"),
        Ok(Outcome::Refused(why)) => format!("{what}: refused, {why}"),
        Err(error) => format!("{what}: failed, {}", error.in_full()),
    }
}
