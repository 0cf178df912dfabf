//! Flux's sources: `GitRepository`, `OCIRepository` and the others.

use crate::judge::Look;
use crate::notes::Says;
use crate::read::{Doc, Status};
use crate::revision::Revision;
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::tidy;

/// A source as a target: healthy when it has what it should fetch.
pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let state = of(object, look);
    let good = match &state {
        State::Healthy { .. } => Some(true),
        State::Failed { .. } => Some(false),
        State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
    };
    note(object, name, good, look);
    state
}

/// What a source says against something that was applied from it at `applied`.
pub(super) fn against(
    source: Doc<'_>,
    name: &ObjectRef,
    applied: Option<&str>,
    look: &mut Look<'_>,
) -> Option<State> {
    let revision = source.text("status/artifact/revision");
    let ready = source.condition("Ready");
    let state = if source.flag("spec/suspend") {
        Some(State::unknown(format!("its source {name} is suspended")))
    } else if let Some(ready) = ready.filter(|ready| ready.is_false()) {
        Some(State::unknown(format!("its source {name} is not ready: {}", ready.words())))
    } else if revision.is_some_and(|revision| !is_the_same(revision, applied)) {
        let version = revision.and_then(|revision| Revision::parse(revision).version());
        let since = source.time("status/artifact/lastUpdateTime");
        Some(State::Deploying { version: version.map(|version| tidy(&version)), since })
    } else {
        None
    };
    let good = if state.is_none() { ready.map(|ready| ready.is_true()) } else { None };
    note(source, name, good, look);
    state
}

/// Whether both stand for the same content, however an older controller wrote it.
fn is_the_same(revision: &str, applied: Option<&str>) -> bool {
    let hash = |text| Revision::parse(text).hash;
    applied.is_some_and(|applied| {
        revision == applied || hash(revision).is_some_and(|of| hash(applied) == Some(of))
    })
}

fn of(object: Doc<'_>, look: &Look<'_>) -> State {
    if object.is_deleting() {
        return State::unknown("it is being deleted");
    }
    if object.flag("spec/suspend") {
        return State::unknown("suspended");
    }
    let artifact = object.text("status/artifact/revision");
    let version = artifact.and_then(|it| Revision::parse(it).version()).map(|version| tidy(&version));
    let Some(ready) = object.condition("Ready") else {
        return State::Deploying { version: None, since: object.created() };
    };
    let observed =
        object.generation().is_some() && object.generation() == object.int("status/observedGeneration");
    let stalled = object.condition("Stalled").is_some_and(|it| it.is_true());
    match (ready.status, version) {
        (Status::False, _) => State::failed(None, ready.words(), ready.since),
        _ if stalled => State::failed(None, ready.words(), ready.since),
        (Status::True, Some(version)) if observed => {
            let since = object.time("status/artifact/lastUpdateTime").max(ready.since);
            State::Healthy { version, since: since.unwrap_or(look.now) }
        }
        (Status::True | Status::Unknown, _) => State::Deploying { version: None, since: ready.since },
    }
}

fn note(object: Doc<'_>, name: &ObjectRef, good: Option<bool>, look: &mut Look<'_>) {
    let ready = object.condition("Ready");
    let mut words = ready.map_or_else(|| "says nothing yet".to_owned(), |ready| ready.says());
    if object.flag("spec/suspend") {
        words.push_str(", suspended");
    }
    let since = object.time("status/artifact/lastUpdateTime");
    look.note(name, Says { words, revision: object.text("status/artifact/revision"), since, good });
}
