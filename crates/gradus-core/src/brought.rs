//! Who brought a release into an environment.

use std::collections::BTreeSet;

use crate::names::{EnvironmentName, Person};
use crate::observation::{Brought, EnvironmentSeen, Seen, Why};
use crate::release::Release;

/// Who brought a release into an environment that declares it, or declared it before.
pub(crate) fn brought_by(
    environment: &EnvironmentName,
    seen: &EnvironmentSeen,
    release: &Release,
) -> Seen<Vec<Person>> {
    match Telling::of(environment, seen, release) {
        Telling::Unseen(why) | Telling::Some { why, .. } => Seen::Unknown(why),
        Telling::Nothing => Seen::Unknown(Why::new(format!("{environment} does not declare {release}"))),
        Telling::All(people) => Seen::Known(people.into_iter().collect()),
    }
}

/// What an environment tells of how a release came into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Telling {
    /// It could not be looked at.
    Unseen(Why),
    /// It does not declare the release and, as far as is known, never did.
    Nothing,
    /// These people brought it, and nobody else.
    All(BTreeSet<Person>),
    /// These people brought it, and somebody else.
    Some {
        /// Those who are known.
        named: BTreeSet<Person>,
        /// Why the others are not.
        why: Why,
    },
}

impl Telling {
    /// What an environment tells of a release. All who brought it at any time count, however
    /// often it went and came again.
    pub(crate) fn of(environment: &EnvironmentName, seen: &EnvironmentSeen, release: &Release) -> Self {
        let declared = match &seen.declared {
            Seen::Unknown(why) => return Self::Unseen(why.clone()),
            Seen::Known(declared) => declared,
        };
        let origin = match (declares(seen, release), &declared.origin) {
            (false, _) => None,
            (true, Seen::Known(origin)) => Some(origin),
            (true, Seen::Unknown(why)) => return Self::Unseen(why.clone()),
        };
        let arrivals: Vec<&Brought> = arrivals(&seen.brought, release).collect();
        if origin.is_none() && arrivals.is_empty() {
            return Self::Nothing;
        }
        let now = origin.map(|origin| origin.brought_by.iter());
        let before = arrivals.iter().flat_map(|arrival| &*arrival.by);
        let mut named: BTreeSet<Person> = now.into_iter().flatten().chain(before).cloned().collect();
        named.remove(&Person::unknown());
        let silent = origin.filter(|origin| !is_told(origin.brought_by.iter()));
        let why = match silent {
            Some(origin) => format!("commit {} does not say it", origin.commit.short()),
            None if arrivals.iter().all(|arrival| is_told(arrival.by.iter())) => return Self::All(named),
            None => format!("a commit that brought it into {environment} does not say it"),
        };
        Self::Some { named, why: Why::new(why) }
    }
}

/// Whether Git declares the release in an environment.
pub(crate) fn declares(seen: &EnvironmentSeen, release: &Release) -> bool {
    let declared = seen.declared.known().and_then(|declared| declared.release.as_ref());
    declared.is_some_and(|declared| declared.covers(release))
}

/// Each time the release came: where it was not there right before.
fn arrivals<'a>(brought: &'a [Brought], release: &'a Release) -> impl Iterator<Item = &'a Brought> {
    let before = brought.iter().skip(1).map(Some).chain([None]);
    brought
        .iter()
        .zip(before)
        .filter(|(now, before)| {
            now.release.covers(release) && !before.is_some_and(|before| before.release.covers(release))
        })
        .map(|(now, _)| now)
}

/// A commit has an author at least: nobody at all means that it is not known, and
/// so does somebody whose name was not known when it was made.
fn is_told<'a>(mut people: impl ExactSizeIterator<Item = &'a Person>) -> bool {
    people.len() > 0 && people.all(|person| *person != Person::unknown())
}
