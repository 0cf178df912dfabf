//! Argo's `Rollout`.

use crate::image;
use crate::judge::Look;
use crate::notes::Says;
use crate::read::{Condition, Doc};
use crate::sighting::Lookup;
use crate::state::State;
use crate::target::ObjectRef;
use crate::words::{clause, tidy};

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let state = of(object, name, look);
    let good = match &state {
        State::Healthy { .. } => Some(true),
        State::Failed { .. } => Some(false),
        State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
    };
    let mut words = format!("phase={}", tidy(object.text("status/phase").unwrap_or("?")));
    let pauses: Vec<String> =
        object.items("status/pauseConditions").filter_map(|it| it.text("reason")).map(tidy).collect();
    if !pauses.is_empty() {
        words.push_str(&format!(" ({})", pauses.join(", ")));
    }
    if let Some(message) = object.text("status/message") {
        words.push_str(&format!(": {}", clause(message)));
    }
    look.note(name, Says { words, revision: None, since: since(object), good });
    state
}

fn of(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    if object.is_deleting() {
        return State::unknown("it is being deleted");
    }
    let Some(generation) = object.generation() else {
        return State::unknown("it does not tell its generation");
    };
    // Written as a text; controllers before 1.0 wrote a hash there.
    let observed = object.text("status/observedGeneration");
    let observed = match observed.map(str::parse::<i64>) {
        Some(Ok(observed)) => observed,
        Some(Err(_)) => return State::unknown("its controller is too old to tell what it has observed"),
        None => return State::Deploying { version: None, since: object.created() },
    };
    let version = match version(object, name, look) {
        Ok(version) => version,
        Err(state) => return state,
    };
    let on_its_way = |since| State::Deploying { version: Some(version.clone()), since };
    if observed != generation {
        return on_its_way(None);
    }
    let phase = object.text("status/phase").unwrap_or_default();
    let message = clause(object.text("status/message").unwrap_or_default());
    let why = |or: &str| if message.is_empty() { or.to_owned() } else { message.clone() };
    if object.flag("status/abort") {
        let since = object.time("status/abortedAt").or(since(object));
        return State::failed(Some(version), why("its rollout was aborted"), since);
    }
    let is_unpausing =
        object.flag("status/controllerPause") && object.items("status/pauseConditions").next().is_none();
    match phase {
        "Degraded" => State::failed(Some(version), why("it is degraded"), since(object)),
        "Paused" if object.flag("spec/paused") => State::unknown("paused"),
        "Progressing" | "Paused" => on_its_way(since(object)),
        "Healthy" if !is_unpausing => {
            let hash = object.text("status/currentPodHash");
            let is_stable = hash.is_some() && hash == object.text("status/stableRS");
            let active = object.text("status/blueGreen/activeSelector");
            let is_active = object.at("spec/strategy/blueGreen").is_none() || active == hash;
            if object.int("spec/replicas") == Some(0) {
                State::unknown("it has no replicas, which proves nothing")
            } else if is_stable && is_active {
                State::Healthy { version, since: since(object).unwrap_or(look.now) }
            } else {
                on_its_way(since(object))
            }
        }
        "Healthy" => on_its_way(since(object)),
        _ => State::unknown("it does not tell its phase"),
    }
}

/// The version of its template, or of the workload's that it borrows.
fn version(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> Result<String, State> {
    if object.at("spec/workloadRef").is_none() {
        let template = object.at("spec/template").ok_or_else(|| State::unknown("it has no pod template"))?;
        return picked(template, name, look);
    }
    let of = |key: &str| object.text(&format!("spec/workloadRef/{key}")).unwrap_or_default();
    let group = of("apiVersion").split_once('/').map_or("", |(group, _)| group);
    let workload = ObjectRef::new(group, of("kind"), &name.namespace, of("name"));
    let seen = match look.get(&workload) {
        Lookup::Seen(seen) => seen,
        Lookup::Missing => return Err(State::unknown(format!("{workload} is not there"))),
        Lookup::NotLooked(why) => {
            return Err(State::unknown(format!("{workload} was not looked at: {}", tidy(&why))));
        }
    };
    let workload = Doc::new(&seen);
    let template = workload.at("spec/template").ok_or_else(|| State::unknown("it has no pod template"))?;
    let version = picked(template, name, look)?;
    let there = workload.generation().map(|generation| generation.to_string());
    let taken = object.annotation("rollout.argoproj.io/workload-generation");
    let observed = object.text("status/workloadObservedGeneration");
    if there.is_none() || there.as_deref() != observed || taken.is_some_and(|taken| Some(taken) != observed) {
        return Err(State::Deploying { version: Some(version), since: None });
    }
    Ok(version)
}

fn picked(template: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> Result<String, State> {
    let top = look.is_top();
    if !top
        && look.pick.is_named()
        && let Ok((_, found)) = image::pick(template, &look.pick, &name.name)
    {
        look.images.insert(tidy(found.version(look.wanted.as_ref())));
    }
    let pick = if top { &look.pick } else { &image::Pick::Any };
    let (_, image) = image::pick(template, pick, &name.name).map_err(State::unknown)?;
    Ok(tidy(image.version(look.wanted.as_ref().filter(|_| top))))
}

fn since(object: Doc<'_>) -> Option<jiff::Timestamp> {
    let of = |it: Condition<'_>| it.since.max(it.updated);
    let all = [object.condition("Healthy"), object.condition("Completed"), object.condition("Progressing")];
    all.into_iter().flatten().filter_map(of).max()
}
