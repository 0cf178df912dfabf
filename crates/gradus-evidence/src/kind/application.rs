//! Argo CD's `Application`.
//!
//! Its generation moves with its status and proves nothing. What it was compared
//! with is in its status, and is compared with what it asks for now.

use jiff::Timestamp;

use crate::image::{Image, Pick};
use crate::judge::Look;
use crate::notes::Says;
use crate::owned::{self, Owner};
use crate::read::Doc;
use crate::revision::plain;
use crate::state::State;
use crate::target::{Confidence, ObjectRef};
use crate::words::{clause, tidy};

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    let state = of(object, look.now);
    let good = match &state {
        State::Healthy { .. } => Some(true),
        State::Failed { .. } => Some(false),
        State::NotDeployed | State::Deploying { .. } | State::Unknown { .. } => None,
    };
    look.note(name, Says { words: words(object), revision: revision(object), since: since(object), good });
    let (version, since) = match state {
        State::Healthy { version, since } => (version, since),
        state @ (State::NotDeployed
        | State::Deploying { .. }
        | State::Failed { .. }
        | State::Unknown { .. }) => return state,
    };
    if let Pick::Named { container, repository: Some(repository) } = &look.pick
        && container.is_none()
        && look.confidence == Confidence::Controller
    {
        let of = |image: Doc<'_>| {
            let image = Image::parse(image.as_text()?);
            image.is_of(repository).then(|| tidy(image.version(look.wanted.as_ref())))
        };
        let versions: Vec<String> = object.items("status/summary/images").filter_map(of).collect();
        look.images.extend(versions);
        return State::Healthy { version, since };
    }
    if !owned::workloads_count(look) {
        return State::Healthy { version, since };
    }
    let is_here = match (object.text("spec/destination/server"), object.text("spec/destination/name")) {
        (Some(server), _) => server == "https://kubernetes.default.svc",
        (None, Some(name)) => name == "in-cluster",
        (None, None) => true,
    };
    if !is_here {
        return State::unknown("what it applied is in another cluster, and was not looked at");
    }
    let owner = Owner {
        kind: "Application",
        name: &name.name,
        namespace: &name.namespace,
        // Which label it uses is a setting of the whole of Argo CD: none is compared.
        name_label: "",
        namespace_label: "",
    };
    let resources: Vec<ObjectRef> = object
        .items("status/resources")
        .filter_map(|it| {
            let (kind, resource) = (it.text("kind")?, it.text("name")?);
            let home = it.text("namespace").unwrap_or_default();
            Some(ObjectRef::new(it.text("group").unwrap_or_default(), kind, home, resource))
        })
        .collect();
    owned::sum(&resources, true, &owner, look).onto(version, since)
}

fn of(object: Doc<'_>, now: Timestamp) -> State {
    if object.is_deleting() {
        return State::unknown("it is being deleted");
    }
    let version = version(object);
    let phase = object.text("status/operationState/phase").unwrap_or_default();
    let sync = object.text("status/sync/status").unwrap_or_default();
    let health = object.text("status/health/status").unwrap_or_default();
    let started = object.time("status/operationState/startedAt");
    let finished = object.time("status/operationState/finishedAt");
    let on_its_way = |since| State::Deploying { version: version.clone(), since };
    if let Some(error) = object.items("status/conditions").find(|it| {
        it.text("type")
            .is_some_and(|kind| matches!(kind, "ComparisonError" | "InvalidSpecError" | "UnknownError"))
    }) {
        let message = clause(error.text("message").unwrap_or_default());
        return State::unknown(format!("it cannot be compared: {message}"));
    }
    if sync.is_empty() {
        return State::Deploying { version: None, since: object.created() };
    }
    if !is_compared(object) {
        return State::Deploying { version: None, since: None };
    }
    if object.at("operation").is_some() || matches!(phase, "Running" | "Terminating") {
        return on_its_way(started);
    }
    let message = clause(object.text("status/operationState/message").unwrap_or_default());
    // A sync that failed speaks of the revision that it was for.
    let is_of_now = synced(object).is_none_or(|synced| Some(synced) == revision(object));
    if matches!(phase, "Failed" | "Error") && is_of_now {
        return State::failed(version, format!("the sync failed: {message}"), finished);
    }
    if health == "Suspended" {
        return State::unknown("suspended");
    }
    match (sync, health) {
        ("Synced", "Healthy") => {}
        ("Synced", "Degraded") => {
            let message = clause(object.text("status/health/message").unwrap_or("it is degraded"));
            return State::failed(version, message, since(object));
        }
        ("OutOfSync", "Missing") if phase.is_empty() => return State::NotDeployed,
        ("Synced", "Progressing" | "Missing") => return on_its_way(since(object)),
        ("OutOfSync", _) => return on_its_way(None),
        (_, _) => {
            return State::unknown(format!("sync is {}, health is {}", tidy(sync), tidy(health)));
        }
    }
    // Health is looked at after a sync, not at its end.
    let looked = object.time("status/reconciledAt");
    if let (Some(finished), Some(looked)) = (finished, looked)
        && looked < finished
    {
        return on_its_way(Some(finished));
    }
    match version {
        Some(version) => State::Healthy { version, since: since(object).unwrap_or(now) },
        None => State::unknown("it does not tell what it is synced to"),
    }
}

/// Whether its status is about the sources that it asks for now.
fn is_compared(object: Doc<'_>) -> bool {
    let same = |one: Doc<'_>, other: Doc<'_>| {
        ["repoURL", "targetRevision", "chart", "path"].iter().all(|key| one.text(key) == other.text(key))
    };
    let several: Vec<Doc<'_>> = object.items("spec/sources").collect();
    if several.is_empty() {
        return match (object.at("spec/source"), object.at("status/sync/comparedTo/source")) {
            (Some(asked), Some(compared)) => same(asked, compared),
            (_, _) => false,
        };
    }
    let compared: Vec<Doc<'_>> = object.items("status/sync/comparedTo/sources").collect();
    several.len() == compared.len() && several.iter().zip(&compared).all(|(one, other)| same(*one, *other))
}

/// The version: of the chart where exactly one source is one, else the commit of
/// the first source.
fn version(object: Doc<'_>) -> Option<String> {
    let sources: Vec<Doc<'_>> = object.items("spec/sources").collect();
    if sources.is_empty() {
        return object.text("status/sync/revision").map(|revision| tidy(plain(revision)));
    }
    let charts: Vec<usize> = sources
        .iter()
        .enumerate()
        .filter(|(_, source)| source.text("chart").is_some())
        .map(|(at, _)| at)
        .collect();
    let at = match charts.as_slice() {
        [] => 0,
        [only] => *only,
        [_, _, ..] => return None,
    };
    object.items("status/sync/revisions").nth(at).and_then(Doc::as_text).map(|text| tidy(plain(text)))
}

/// What its status is about.
fn revision(object: Doc<'_>) -> Option<&str> {
    let first = object.items("status/sync/revisions").next().and_then(Doc::as_text);
    object.text("status/sync/revision").or(first)
}

/// What the last sync was for.
fn synced(object: Doc<'_>) -> Option<&str> {
    let of = "status/operationState/syncResult";
    let first = object.items(&format!("{of}/revisions")).next().and_then(Doc::as_text);
    let asked = object.text("status/operationState/operation/sync/revision");
    object.text(&format!("{of}/revision")).or(first).or(asked)
}

/// Since when its health is what it is, and the last sync is over.
fn since(object: Doc<'_>) -> Option<Timestamp> {
    let health = object.time("status/health/lastTransitionTime");
    health.max(object.time("status/operationState/finishedAt"))
}

fn words(object: Doc<'_>) -> String {
    let of = |path| tidy(object.text(path).unwrap_or("?"));
    let mut words = format!("sync={}, health={}", of("status/sync/status"), of("status/health/status"));
    if let Some(phase) = object.text("status/operationState/phase") {
        words.push_str(&format!(", operation={}", tidy(phase)));
    }
    words
}
