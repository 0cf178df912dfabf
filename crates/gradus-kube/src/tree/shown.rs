//! One object of the tree in words.

use gradus_core::tell::{Clock, age};
use gradus_evidence::{Below as _, Lookup, ObjectRef, Revision, Sighting, State, TargetSpec, judge};
use serde_json::Value;

use super::grown::{dependencies, source};
use super::kind::Shown;
use super::seen::Sighted;
use crate::clusters::wire::clean;
use crate::overview::{ChartVersion, chart_version, images, text};

/// One object of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) health: &'static str,
    /// For how long it has been so.
    pub(super) age: String,
    pub(super) why: String,
    /// What stands beside it: where it comes from, what it waits for.
    pub(super) notes: Vec<String>,
}

impl Row {
    pub(super) fn of(seen: &Sighted, name: &ObjectRef, above: Option<&ObjectRef>, clock: &Clock) -> Self {
        let shown_name = clean(&name.to_string());
        let without = |health: &'static str, why: &str| Self {
            name: shown_name.clone(),
            version: String::new(),
            health,
            age: String::new(),
            why: why.to_owned(),
            notes: Vec::new(),
        };
        let object = match (seen.get(name), seen.find(name)) {
            (_, Some(object)) => object,
            (Lookup::NotLooked(why), None) => return without("unknown", &why),
            (Lookup::Missing | Lookup::Seen(_), None) => return without("missing", "it is not there"),
        };
        let state = state(seen, name, object, clock);
        let (health, since, why) = words(&state);
        let why =
            if matches!(state, State::Deploying { .. }) { unready(object).unwrap_or_default() } else { why };
        Self {
            name: shown_name,
            version: Shown::of(name).map(|shown| version(shown, object)).unwrap_or_default(),
            health,
            age: since.map_or_else(String::new, |since| age(clock.since(since))),
            why: clean(why),
            notes: notes(seen, name, object, above, clock),
        }
    }
}

fn state(seen: &Sighted, name: &ObjectRef, object: &Value, clock: &Clock) -> State {
    judge(&TargetSpec::new(name.clone()), &Sighting { object: Some(object), below: seen, now: clock.now })
        .state
}

/// The word, since when, and why.
fn words(state: &State) -> (&'static str, Option<jiff::Timestamp>, &str) {
    match state {
        State::NotDeployed => ("not deployed", None, ""),
        State::Deploying { since, .. } => ("deploying", *since, ""),
        State::Healthy { since, .. } => ("healthy", Some(*since), ""),
        State::Failed { why, since, .. } => ("failed", *since, why),
        State::Unknown { why } => ("unknown", None, why),
    }
}

/// Why it says that it is not ready yet.
fn unready(object: &Value) -> Option<&str> {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array)?;
    let ready = conditions.iter().find(|condition| text(condition, "/type") == Some("Ready"))?;
    text(ready, "/message").filter(|_| text(ready, "/status") == Some("False"))
}

fn version(shown: Shown, object: &Value) -> String {
    let revision = |places: &[&str]| {
        let text = places.iter().find_map(|place| text(object, place));
        text.map(short).unwrap_or_default()
    };
    let version = match shown {
        Shown::GitRepository
        | Shown::OciRepository
        | Shown::Bucket
        | Shown::ExternalArtifact
        | Shown::HelmRepository => revision(&["/status/artifact/revision"]),
        Shown::Kustomization => revision(&["/status/lastAppliedRevision", "/status/lastAttemptedRevision"]),
        Shown::HelmRelease => chart(object),
        Shown::Deployment | Shown::StatefulSet | Shown::DaemonSet | Shown::Job => images(object).join(", "),
    };
    clean(&version)
}

/// The branch or tag, and so much of the commit that people know it.
fn short(text: &str) -> String {
    let revision = Revision::parse(text);
    let hash = revision.hash.map(|hash| hash.get(..7).unwrap_or(hash));
    match (revision.name, hash) {
        (Some(name), Some(hash)) => format!("{name}@{hash}"),
        (Some(name), None) => name.to_owned(),
        (None, Some(hash)) => hash.to_owned(),
        (None, None) => String::new(),
    }
}

/// What is installed, and what it follows where that is not one version.
fn chart(object: &Value) -> String {
    let installed = || text(object, "/status/history/0/chartVersion").map(str::to_owned);
    match chart_version(object) {
        ChartVersion::Pinned(wanted) => match installed() {
            Some(installed) if installed != wanted => format!("{installed} -> {wanted}"),
            Some(_) | None => wanted,
        },
        ChartVersion::Range { range, now } => {
            now.map_or_else(|| range.clone(), |now| format!("{now} (range {range})"))
        }
        ChartVersion::Floating { now } => {
            now.map_or_else(|| "floating".to_owned(), |now| format!("{now} (floating)"))
        }
    }
}

fn notes(
    seen: &Sighted,
    name: &ObjectRef,
    object: &Value,
    above: Option<&ObjectRef>,
    clock: &Clock,
) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(shown) = Shown::of(name) else { return notes };
    if let Some(source) = source(shown, name, object) {
        let how = how(seen, &source, clock);
        let place = format!("{}{how}", clean(&source.to_string()));
        match text(object, "/spec/chart/spec/chart").filter(|_| shown == Shown::HelmRelease) {
            Some(chart) => notes.push(format!("chart {} of {place}", clean(chart))),
            None if above == Some(&source) || (shown == Shown::Kustomization && how.is_empty()) => {}
            None => notes.push(format!("from {place}")),
        }
    }
    for before in dependencies(name, object) {
        notes.push(format!("after {}{}", clean(&before.to_string()), how(seen, &before, clock)));
    }
    notes
}

/// What is wrong with something that an object rests on. Why, its own row tells,
/// where it has one.
fn how(seen: &Sighted, on: &ObjectRef, clock: &Clock) -> String {
    let object = match seen.get(on) {
        Lookup::Missing => return ", which is not there".to_owned(),
        Lookup::NotLooked(_) => return String::new(),
        Lookup::Seen(object) => object,
    };
    let state = state(seen, on, &object, clock);
    let (health, _, why) = words(&state);
    let is_list = Shown::of(on) == Some(Shown::HelmRepository);
    match &state {
        State::Healthy { .. } => String::new(),
        State::Failed { .. } if is_list => format!(", which is {health}: {}", clean(why)),
        // A list of charts in a registry is never fetched, and says nothing.
        State::Deploying { .. } | State::Unknown { .. } | State::NotDeployed if is_list => String::new(),
        State::Failed { .. } | State::Unknown { .. } | State::Deploying { .. } | State::NotDeployed => {
            format!(", which is {health}")
        }
    }
}
