//! Any other kind: by the conditions that most controllers write.

use crate::image;
use crate::judge::Look;
use crate::notes::Says;
use crate::read::{Condition, Doc, Status};
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::tidy;

/// Judges by generation and conditions. A kind that says nothing of its
/// readiness is not taken to be ready.
pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let ready = object.condition("Ready");
    let state = of(object, name, look);
    let good = match &state {
        State::Healthy { .. } => Some(true),
        State::Failed { .. } => Some(false),
        State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
    };
    let words = ready.map_or_else(|| "does not say whether it is ready".to_owned(), |ready| ready.says());
    look.note(name, Says { words, revision: None, since: ready.and_then(|ready| ready.since), good });
    state
}

fn of(object: Doc<'_>, name: &ObjectRef, look: &Look<'_>) -> State {
    if object.is_deleting() {
        return State::unknown("it is being deleted");
    }
    if object.flag("spec/suspend") || object.flag("spec/suspended") {
        return State::unknown("suspended");
    }
    if object.flag("spec/paused") || object.flag("spec/pause") {
        return State::unknown("paused");
    }
    let generation = object.generation();
    let stalled = object.condition("Stalled").filter(Condition::is_true);
    let version = object
        .at("spec/template")
        .map(|template| image::pick(template, &look.pick, &name.name))
        .and_then(Result::ok)
        .map(|(_, image)| tidy(image.version(look.wanted.as_ref())));
    if let Some(stalled) = stalled.filter(|it| generation.is_none_or(|of| it.may_be_of(of))) {
        return State::failed(version, stalled.words(), stalled.since);
    }
    let Some(ready) = object.condition("Ready") else {
        return State::unknown("it does not say whether it is ready");
    };
    let reconciling = object.condition("Reconciling").filter(Condition::is_true);
    let observed = object.int("status/observedGeneration").or(ready.generation);
    let lags = match (generation, observed) {
        (Some(generation), Some(observed)) => observed < generation,
        (Some(_) | None, Some(_) | None) => false,
    };
    if lags || reconciling.is_some() || ready.status != Status::True {
        let since = reconciling.and_then(|it| it.since).or(ready.since.filter(|_| !ready.is_true()));
        return State::Deploying { version, since };
    }
    // A version that is read from a path is put in its place afterwards.
    match (version, &look.pick) {
        (Some(version), _) => State::Healthy { version, since: ready.since.unwrap_or(look.now) },
        (None, image::Pick::Any) => {
            State::Healthy { version: String::new(), since: ready.since.unwrap_or(look.now) }
        }
        (None, image::Pick::Auto | image::Pick::Named { .. }) => {
            State::unknown("where its version is written is not told")
        }
    }
}
