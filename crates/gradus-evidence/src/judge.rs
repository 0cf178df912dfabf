//! Judges a target.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::image::Pick;
use crate::kind::Kind;
use crate::notes::{Notes, Says};
use crate::owned;
use crate::read::Doc;
use crate::sighting::{Below, Listing, Lookup, Sighting};
use crate::state::{Judged, State};
use crate::target::{Confidence, GroupKind, ObjectRef, Scope, TargetSpec, VersionSource, Wanted};

/// The most objects that one look goes through.
const MOST: usize = 5_000;
/// How deep what applies others may be nested.
const DEEPEST: usize = 8;

/// Judges a target by what was seen.
pub fn judge(target: &TargetSpec, sighting: &Sighting<'_>) -> Judged {
    let pick = match &target.version {
        VersionSource::Auto => Pick::Auto,
        VersionSource::Image { container, repository } => {
            Pick::Named { container: container.clone(), repository: repository.clone() }
        }
        VersionSource::Path(_) => Pick::Any,
    };
    let mut look = Look {
        below: sighting.below,
        now: sighting.now,
        confidence: target.confidence,
        pick,
        wanted: target.wanted.clone(),
        images: BTreeSet::new(),
        idle: false,
        path: Vec::new(),
        looked: 0,
        notes: Notes::default(),
    };
    let kind = Kind::of(&target.object.group, &target.object.kind);
    let state = match sighting.object {
        None => State::NotDeployed,
        Some(object) => {
            let object = Doc::new(object);
            let state = look.judge(object, &target.object);
            match &target.version {
                VersionSource::Path(pointer) => at_path(state, object, pointer),
                VersionSource::Image { .. } if kind.is_applier() => owned::by_image(state, &look),
                VersionSource::Auto | VersionSource::Image { .. } => state,
            }
        }
    };
    // Something on its way for a time that nobody tells is so from now on, not
    // from when it was asked for: that may be long ago.
    let state = match state {
        State::Deploying { version, since } => {
            State::Deploying { version, since: since.or(Some(sighting.now)) }
        }
        state @ (State::NotDeployed
        | State::Healthy { .. }
        | State::Failed { .. }
        | State::Unknown { .. }) => state,
    };
    let needs = std::mem::take(&mut look.notes.needs);
    let lists = std::mem::take(&mut look.notes.lists);
    Judged { state, evidence: look.notes.evidence(), needs, lists }
}

/// The state with the version from this place of the object. A place in the
/// status tells what runs, and nothing of what failed or is on its way.
fn at_path(state: State, object: Doc<'_>, pointer: &str) -> State {
    let found = object.scalar(pointer);
    let declared = if pointer.starts_with("/status") { None } else { found.clone() };
    match (state, found) {
        (State::Healthy { since, .. }, Some(version)) => State::Healthy { version, since },
        (State::Healthy { .. }, None) => State::unknown(format!("there is no version at {pointer}")),
        (State::Deploying { since, .. }, _) => State::Deploying { version: declared, since },
        (State::Failed { why, since, .. }, _) => {
            State::Failed { version: declared, why, since, running: None }
        }
        (state @ (State::NotDeployed | State::Unknown { .. }), _) => state,
    }
}

/// One look at a target and what is below it.
pub(crate) struct Look<'a> {
    below: &'a dyn Below,
    pub(crate) now: Timestamp,
    pub(crate) confidence: Confidence,
    /// Which image has the version of the target.
    pub(crate) pick: Pick,
    /// What the target should run; nothing is known of what is below it.
    pub(crate) wanted: Option<Wanted>,
    /// The versions of the picked image that were found below.
    pub(crate) images: BTreeSet<String>,
    /// Whether the workload that was judged last should have no pods.
    pub(crate) idle: bool,
    /// The objects that led here.
    path: Vec<ObjectRef>,
    looked: usize,
    notes: Notes,
}

impl<'a> Look<'a> {
    /// Judges an object that was seen.
    pub(crate) fn judge(&mut self, object: Doc<'_>, name: &ObjectRef) -> State {
        self.path.push(name.clone());
        let state = Kind::of(&name.group, &name.kind).judge(object, name, self);
        self.path.pop();
        state
    }

    /// Whether the target itself is being judged, not something below it.
    pub(crate) fn is_top(&self) -> bool {
        self.path.len() <= 1
    }

    /// Whether the object is one of those that led here: a `Kustomization` may
    /// apply itself.
    pub(crate) fn came_through(&self, name: &ObjectRef) -> bool {
        self.path.iter().any(|earlier| earlier.same(name))
    }

    /// Why nothing more is looked at, where that is so.
    pub(crate) fn limit(&self) -> Option<&'static str> {
        if self.looked >= MOST {
            Some("there is too much below it to look at")
        } else if self.path.len() > DEEPEST {
            Some("what is below it is nested too deep")
        } else {
            None
        }
    }

    pub(crate) fn get(&mut self, name: &ObjectRef) -> Lookup<'a> {
        self.looked += 1;
        self.notes.need(name);
        self.below.get(name)
    }

    pub(crate) fn list(&mut self, kind: GroupKind, namespace: &str) -> Listing<'a> {
        let listing = self.below.list(&kind, namespace);
        self.notes.need_all(Scope { kind, namespace: namespace.to_owned() });
        listing
    }

    pub(crate) fn note(&mut self, object: &ObjectRef, says: Says<'_>) {
        self.notes.note(object, says);
    }
}
