//! What a webhook about a source environment is answered, or what it promotes.

use crate::answer::{Answer, NO_REVISION, escaped};
use crate::effective::effective;
use crate::event::{Event, Object};
use crate::kind::{AppRef, Environment, Pipeline};
use crate::name::{Revision, RevisionError};
use crate::promotion::Promotion;
use crate::signature::Signed;
pub use crate::success::Nothing;
use crate::success::nothing;

/// What becomes of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is answered, and nothing else is done.
    Answer(Answer),
    /// It cannot be promoted, and why is for the log only. Answered with [`Answer::failed`].
    Unable(&'static str),
    /// Everything is right, and there is nothing to promote. Answered with 204.
    Nothing(Nothing),
    /// The revision waits for an approval in this environment. Answered with 204 once that is written.
    Wait {
        /// The environment that it would go to.
        environment: String,
        /// What would go there.
        revision: Revision,
    },
    /// This is promoted.
    Promote(Box<Promotion>),
}

/// What becomes of a webhook with this body about this environment. The first
/// thing that is wrong is the answer, in an order that senders know.
pub fn decide(pipeline: &Pipeline, source: &str, signed: Signed, body: &[u8]) -> Decision {
    match check(pipeline, source, signed, body) {
        Ok(decision) => decision,
        Err(answer) => Decision::Answer(answer),
    }
}

fn check(pipeline: &Pipeline, source: &str, signed: Signed, body: &[u8]) -> Result<Decision, Answer> {
    if !signed.is_fine() {
        return Err(Answer::status(401));
    }
    let event = Event::read(body).map_err(|_| Answer::status(400))?;
    let revision = event.metadata.get("revision").map(String::as_str).unwrap_or_default();
    let revision = Revision::parse(revision).map_err(|error| match error {
        RevisionError::Empty => Answer::unprocessable(NO_REVISION),
        RevisionError::Odd => Answer::status(400),
    })?;
    let (from, to) = step(pipeline, source)?;
    if to.targets.is_empty() {
        return Err(Answer::unprocessable(escaped(&format!("environment {} has no targets", to.name))));
    }
    if !is_of(&pipeline.spec.app_ref, from, &event.object) {
        return Err(Answer::unprocessable("involved object does not match Pipeline definition"));
    }
    if let Some(nothing) = nothing(pipeline, source, &event) {
        return Ok(Decision::Nothing(nothing));
    }
    if effective(pipeline, &to.name).is_some_and(|promotion| promotion.manual) {
        return Ok(Decision::Wait { environment: to.name.clone(), revision });
    }
    Ok(match Promotion::to(pipeline, to, revision) {
        Ok(promotion) => Decision::Promote(Box::new(promotion)),
        Err(unable) => Decision::Unable(unable.words()),
    })
}

/// The environment after this one, where there is one.
pub fn target<'a>(pipeline: &'a Pipeline, source: &str) -> Option<&'a Environment> {
    step(pipeline, source).ok().map(|(_, to)| to)
}

/// The environment of this name, and the one after it.
fn step<'a>(pipeline: &'a Pipeline, source: &str) -> Result<(&'a Environment, &'a Environment), Answer> {
    let environments = &pipeline.spec.environments;
    let at = environments.iter().position(|environment| environment.name == source);
    let Some((at, from)) = at.and_then(|at| Some((at, environments.get(at)?))) else {
        return Err(Answer::unprocessable(escaped(&no_such_environment(pipeline, source))));
    };
    match environments.get(at + 1) {
        Some(to) => Ok((from, to)),
        None => {
            Err(Answer::unprocessable(escaped(&format!("cannot promote beyond last environment {source}"))))
        }
    }
}

pub(crate) fn no_such_environment(pipeline: &Pipeline, name: &str) -> String {
    let (namespace, pipeline) = (&pipeline.metadata.namespace, &pipeline.metadata.name);
    format!("app {namespace}/{pipeline} has no environment {name} defined")
}

/// Whether the object is the pipeline's application in one of the targets of an environment.
///
/// The version of its API does not count: one update of Flux changes it, and it
/// is the same object. Which cluster it is in is not told by anybody.
fn is_of(app: &AppRef, from: &Environment, object: &Object) -> bool {
    group(&object.api_version) == group(&app.api_version)
        && object.kind == app.kind
        && object.name == app.name
        && from.targets.iter().any(|target| target.namespace == object.namespace)
}

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map(|(group, _)| group).unwrap_or(bare(api_version))
}

/// What has no `/` is a version of the core group, such as `v1`. Other words stay what they are.
fn bare(api_version: &str) -> &str {
    let is_version =
        api_version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if is_version { "" } else { api_version }
}
