//! The spans of a look and of what follows from it, as traces show them.
//!
//! Nobody may listen: then none is made. What is said in them are names, counts and
//! words of a few kinds; never an address, a text of somebody else, or a cause.

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::plan::Step;
use tracing::Span;
use tracing::field::Empty;

use crate::act::Outcome;
use crate::engine::Reconciled;
use crate::port::PortError;

/// What became of it, in a word.
pub(crate) const OUTCOME: &str = "gradus.outcome";
/// How many steps were planned.
pub(crate) const STEPS: &str = "gradus.steps";
const COMMIT: &str = "gradus.commit";
const STATUS: &str = "otel.status_code";

/// A look at a pipeline, with what is done about it.
pub(crate) fn look(pipeline: &PipelineKey) -> Span {
    tracing::info_span!("look", gradus.pipeline = %pipeline, gradus.outcome = Empty, otel.status_code = Empty)
}

/// Says what became of a look.
pub(crate) fn looked(span: &Span, done: &Reconciled) {
    let failed = done.errors().next().is_some();
    let word = if done.made_progress() {
        "acted"
    } else if failed {
        "failed"
    } else if done.did_something() {
        "stale"
    } else {
        "nothing-to-do"
    };
    span.record(OUTCOME, word);
    if failed {
        span.record(STATUS, "ERROR");
    }
}

/// Everything is asked.
pub(crate) fn observe() -> Span {
    tracing::info_span!("observe", gradus.outcome = Empty)
}

/// The repository is read.
pub(crate) fn git() -> Span {
    tracing::info_span!("git")
}

/// An open proposal is looked at.
pub(crate) fn proposal(environment: &EnvironmentName) -> Span {
    tracing::info_span!("proposal", gradus.environment = %environment)
}

/// The record is read.
pub(crate) fn ledger() -> Span {
    tracing::info_span!("ledger")
}

/// The targets are asked.
pub(crate) fn targets() -> Span {
    tracing::info_span!("targets")
}

/// It is decided what to do.
pub(crate) fn plan() -> Span {
    tracing::info_span!("plan", gradus.steps = Empty)
}

/// A step is taken.
pub(crate) fn step(step: &Step) -> Span {
    tracing::info_span!(
        "step",
        gradus.step = step.kind(),
        gradus.environment = %step.environment(),
        gradus.outcome = Empty,
        gradus.commit = Empty,
        otel.status_code = Empty
    )
}

/// Says what became of a step.
pub(crate) fn took(span: &Span, outcome: &Result<Outcome, PortError>) {
    let word = match outcome {
        Ok(Outcome::Done(commit)) => {
            span.record(COMMIT, commit.as_str());
            "done"
        }
        Ok(Outcome::AlreadyTrue) => "already-true",
        Ok(Outcome::Stale(_)) => "stale",
        Ok(Outcome::Refused(_)) => "refused",
        Err(_) => {
            span.record(STATUS, "ERROR");
            "failed"
        }
    };
    span.record(OUTCOME, word);
}

/// The branch is read as it is now, and the files are changed.
pub(crate) fn edit() -> Span {
    tracing::info_span!("edit")
}

/// The commit is made and pushed.
pub(crate) fn commit() -> Span {
    tracing::info_span!("commit")
}

/// The forge is asked to open, to merge or to close.
pub(crate) fn forge(doing: &'static str) -> Span {
    tracing::info_span!("forge", otel.name = doing)
}
