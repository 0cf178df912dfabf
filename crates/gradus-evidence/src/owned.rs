//! What an object applied, and the sum of its states.

use jiff::Timestamp;

use crate::image::Pick;
use crate::judge::Look;
use crate::kind::Kind;
use crate::notes::Says;
use crate::read::Doc;
use crate::sighting::{Listing, Lookup};
use crate::state::State;
use crate::target::{Confidence, ObjectRef};

/// The annotation by which an object asks not to be kept as it is in Git.
const APPLY_HOW: &str = "kustomize.toolkit.fluxcd.io/ssa";

/// Who applied the objects, and by which labels they say so.
pub(crate) struct Owner<'a> {
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name_label: &'static str,
    pub(crate) namespace_label: &'static str,
}

/// What is to be thought of all of them.
#[derive(Debug)]
pub(crate) enum Sum {
    /// Each works, the last one since then, where that is told.
    Good { since: Option<Timestamp> },
    /// Not each works: the state of the worst, with no version.
    Bad(State),
}

impl Sum {
    /// The state of the one that applied them, which says itself that it is well.
    pub(crate) fn onto(self, version: String, since: Timestamp) -> State {
        match self {
            Self::Good { since: below } => {
                State::Healthy { version, since: below.map_or(since, |below| below.max(since)) }
            }
            Self::Bad(State::Failed { why, since, .. }) => State::failed(Some(version), why, since),
            Self::Bad(State::Deploying { since, .. }) => State::Deploying { version: Some(version), since },
            Self::Bad(state) => state,
        }
    }
}

/// The objects of an inventory, whose ids are `NAMESPACE_NAME_GROUP_KIND`.
pub(crate) fn inventory(object: Doc<'_>) -> Vec<ObjectRef> {
    object.items("status/inventory/entries").filter_map(|entry| parse_id(entry.text("id")?)).collect()
}

/// Takes the id of an inventory entry apart; a colon in a name is written `__`.
pub(crate) fn parse_id(id: &str) -> Option<ObjectRef> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    (!name.is_empty() && !kind.is_empty())
        .then(|| ObjectRef::new(group, kind, namespace, &name.replace("__", ":")))
}

/// Whether workloads are looked at, although their controller waits for them.
pub(crate) fn workloads_count(look: &Look<'_>) -> bool {
    look.confidence >= Confidence::Workloads || look.pick.is_named()
}

/// Judges those of the objects whose kind is known: what applies others, and the
/// workloads where they count.
pub(crate) fn sum(owned: &[ObjectRef], workloads: bool, owner: &Owner<'_>, look: &mut Look<'_>) -> Sum {
    let mut worst: Option<(u8, State)> = None;
    let mut since: Option<Timestamp> = None;
    let (mut idle, mut good) = (None, 0_usize);
    for name in owned {
        let kind = Kind::of(&name.group, &name.kind);
        if !(kind.is_applier() || (workloads && kind.is_workload())) || look.came_through(name) {
            continue;
        }
        let state = match look.limit() {
            Some(why) => State::unknown(why),
            None => {
                look.idle = false;
                one(name, owner, look)
            }
        };
        // One that should have no pods does not stand in the way of the others.
        if std::mem::take(&mut look.idle) {
            idle.get_or_insert(name);
            continue;
        }
        let (rank, state) = match state {
            State::Healthy { since: from, .. } => {
                good += 1;
                // The time of the look stands for one that nobody tells.
                if from < look.now {
                    since = since.max(Some(from));
                }
                continue;
            }
            State::Failed { why, since, .. } => (3, State::failed(None, format!("{name}: {why}"), since)),
            State::Unknown { why } => (2, State::unknown(format!("{name}: {why}"))),
            State::Deploying { since, .. } => (1, State::Deploying { version: None, since }),
            State::NotDeployed => (1, State::Deploying { version: None, since: None }),
        };
        if worst.as_ref().is_none_or(|(worst, _)| rank > *worst) {
            worst = Some((rank, state));
        }
    }
    match (worst, idle) {
        (Some((_, state)), _) => Sum::Bad(state),
        (None, Some(name)) if good == 0 => {
            Sum::Bad(State::unknown(format!("{name}: it should have no pods, which proves nothing")))
        }
        (None, Some(_) | None) => Sum::Good { since },
    }
}

/// Why what was applied cannot be looked at here, where that is so.
pub(crate) fn elsewhere(object: Doc<'_>) -> Option<Sum> {
    object
        .at("spec/kubeConfig")
        .map(|_| Sum::Bad(State::unknown("what it applied is in another cluster, and was not looked at")))
}

/// Judges one object that was applied.
fn one(name: &ObjectRef, owner: &Owner<'_>, look: &mut Look<'_>) -> State {
    match look.get(name) {
        Lookup::Seen(object) => {
            let object = Doc::new(&object);
            if let Some(why) = contested(object, owner) {
                let words = why.clone();
                look.note(name, Says { words, ..Says::default() });
                return State::unknown(why);
            }
            look.judge(object, name)
        }
        Lookup::Missing if Kind::of(&name.group, &name.kind) == Kind::Job => {
            // Jobs are taken away some time after they are through.
            look.note(name, Says { words: "is not there any more".to_owned(), ..Says::default() });
            look.idle = true;
            State::NotDeployed
        }
        Lookup::Missing => {
            let words = format!("is not there, though the {} applied it", owner.kind);
            look.note(name, Says { words, good: Some(false), ..Says::default() });
            State::NotDeployed
        }
        Lookup::NotLooked(why) => {
            look.note(name, Says { words: format!("was not looked at: {why}"), ..Says::default() });
            State::unknown(format!("it was not looked at: {why}"))
        }
    }
}

/// Why the object may not be what its owner says it applied.
fn contested(object: Doc<'_>, owner: &Owner<'_>) -> Option<String> {
    let by = object.label(owner.name_label)?;
    let home = object.label(owner.namespace_label).unwrap_or(owner.namespace);
    if (by, home) != (owner.name, owner.namespace) {
        return Some(format!("{} {home}/{by} applies it too", owner.kind));
    }
    let how = object.annotation(APPLY_HOW)?;
    (how.eq_ignore_ascii_case("Ignore") || how.eq_ignore_ascii_case("IfNotPresent"))
        .then(|| format!("it is not kept as it is in Git ({APPLY_HOW}: {how})"))
}

/// The workloads of a namespace that carry the owner's labels.
pub(crate) fn labelled(
    owner: &Owner<'_>,
    namespace: &str,
    look: &mut Look<'_>,
) -> Result<Vec<ObjectRef>, String> {
    let mut found = Vec::new();
    for kind in [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet] {
        let Some(group_kind) = kind.group_kind() else { continue };
        let objects = match look.list(group_kind.clone(), namespace) {
            Listing::Seen(objects) => objects,
            Listing::NotLooked(why) => return Err(why),
        };
        for object in &objects {
            let object = Doc::new(object);
            let by = (object.label(owner.name_label), object.label(owner.namespace_label));
            if by == (Some(owner.name), Some(owner.namespace))
                && let Some(name) = object.text("metadata/name")
            {
                found.push(ObjectRef::new(&group_kind.group, &group_kind.kind, namespace, name));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The state of what applies others, with the version of the picked image where
/// one was picked.
pub(crate) fn by_image(state: State, look: &Look<'_>) -> State {
    let Pick::Named { .. } = look.pick else { return state };
    let mut versions = look.images.iter();
    let only = versions.next().filter(|_| look.images.len() == 1).cloned();
    match (state, only) {
        (State::Healthy { since, .. }, Some(version)) => State::Healthy { version, since },
        (State::Healthy { .. }, None) if look.images.is_empty() => {
            State::unknown("nothing below it runs the image that has the version")
        }
        (State::Healthy { .. }, None) => {
            let all: Vec<&str> = look.images.iter().map(String::as_str).collect();
            State::unknown(format!("the image that has the version runs in several: {}", all.join(", ")))
        }
        (State::Deploying { since, .. }, version) => State::Deploying { version, since },
        (State::Failed { why, since, .. }, version) => State::failed(version, why, since),
        (state @ (State::NotDeployed | State::Unknown { .. }), _) => state,
    }
}
