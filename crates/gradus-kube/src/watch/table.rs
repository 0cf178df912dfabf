//! What one watch knows, and who wants to know it.
//!
//! Pure: it is told what arrives and says who has to hear of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::health::Health;
use super::labels::LabelSelector;
use super::sight::Blind;
use super::wanted::{Among, ObjectName, Subscriber, Which};

/// The labels of an object.
pub(crate) type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// Who has to hear of something.
pub(crate) type Hearers = BTreeSet<Arc<Subscriber>>;

/// An object as it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// What it is called.
    pub(crate) name: ObjectName,
    /// Its resource version.
    pub(crate) version: Version,
    /// Its labels.
    pub(crate) labels: Labels,
    /// What is kept of it; absent if nobody wanted it when it arrived.
    pub(crate) bytes: Option<Arc<[u8]>>,
}

/// A resource version, as far as it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version(Option<u64>);

impl Version {
    /// Reads a resource version.
    pub(crate) fn read(text: &str) -> Self {
        Self(text.parse().ok())
    }

    /// Whether this is surely from before the other.
    fn is_before(self, other: Self) -> bool {
        matches!((self.0, other.0), (Some(this), Some(other)) if this < other)
    }
}

/// An object as it is kept.
#[derive(Debug, Clone)]
struct Kept {
    bytes: Arc<[u8]>,
    version: Version,
    /// Only where somebody wants more than single names.
    labels: Option<Box<Labels>>,
}

/// What has to be done for somebody's new wishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Objects have to be got one by one: [`Table::to_get`].
    pub(crate) gets: bool,
    /// Everything has to be listed again.
    pub(crate) list: bool,
}

/// What became of one object by name.
#[derive(Debug, Clone)]
pub(crate) enum Look {
    /// It is there.
    Seen(Arc<[u8]>),
    /// It is not there.
    Missing,
    /// It is not known.
    Unknown(Blind),
}

/// What one watch knows.
#[derive(Debug)]
pub(crate) struct Table {
    health: Health,
    objects: HashMap<ObjectName, Kept>,
    /// The list that is under way.
    fresh: Option<HashMap<ObjectName, Kept>>,
    names: HashMap<ObjectName, Vec<Arc<Subscriber>>>,
    among: Vec<(Among, Arc<Subscriber>)>,
    wishes: HashMap<Arc<Subscriber>, Vec<Which>>,
    /// Names that were wanted after the list began, and whether a list that is under way covers them.
    pending: HashMap<ObjectName, bool>,
    /// What a complete list and the watch since then cover.
    covered: Vec<Among>,
    covering: Vec<Among>,
    /// What is kept besides what is evidence, by whom it is wanted.
    paths: HashMap<Arc<Subscriber>, BTreeSet<Arc<str>>>,
    all_paths: BTreeSet<Arc<str>>,
    /// Whether something is kept that lacks a path.
    lacks_paths: bool,
    unused_since: Option<Duration>,
}

impl Table {
    /// A table that knows nothing and that nobody wants.
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            health: Health::Syncing,
            objects: HashMap::new(),
            fresh: None,
            names: HashMap::new(),
            among: Vec::new(),
            wishes: HashMap::new(),
            pending: HashMap::new(),
            covered: Vec::new(),
            covering: Vec::new(),
            paths: HashMap::new(),
            all_paths: BTreeSet::new(),
            lacks_paths: false,
            unused_since: Some(now),
        }
    }

    // What arrives.

    /// A list begins. What arrives until it ends is part of it.
    pub(crate) fn begin_list(&mut self) {
        self.fresh = Some(HashMap::new());
        self.lacks_paths = false;
        for covered in self.pending.values_mut() {
            *covered = true;
        }
        self.covering = self.among.iter().map(|(among, _)| among.clone()).collect();
        self.covering.sort_by(|a, b| (&a.namespace, &a.labels).cmp(&(&b.namespace, &b.labels)));
        self.covering.dedup();
    }

    /// The list broke off. What was known before still is.
    pub(crate) fn abandon_list(&mut self) {
        self.fresh = None;
        for covered in self.pending.values_mut() {
            *covered = false;
        }
        self.covering.clear();
        self.lacks_paths = !self.all_paths.is_empty();
    }

    /// The list is complete: what it did not show is gone. Says what changed, and
    /// whether everybody has to look because nothing was seen before.
    pub(crate) fn end_list(&mut self) -> (Vec<(ObjectName, Hearers)>, bool) {
        let fresh = self.fresh.take().unwrap_or_default();
        let before = std::mem::replace(&mut self.objects, fresh);
        // What the list answers besides: names that were asked for before it began.
        let answered: Vec<ObjectName> =
            self.pending.extract_if(|_, covered| *covered).map(|(name, _)| name).collect();
        let covers_more = self.covering.iter().any(|among| !self.covered.contains(among));
        self.covered = std::mem::take(&mut self.covering);
        let was_blind = self.health.blind().is_some();
        self.health = Health::Synced;
        let mut changed = Vec::new();
        for (name, kept) in &self.objects {
            let old = before.get(name);
            if old.is_none_or(|old| old.bytes != kept.bytes) {
                changed.push((name.clone(), self.hearers(name, [old, Some(kept)])));
            }
        }
        for (name, old) in before.iter().filter(|(name, _)| !self.objects.contains_key(*name)) {
            changed.push((name.clone(), self.hearers(name, [Some(old), None])));
        }
        for name in answered {
            changed.push((name.clone(), self.hearers(&name, [None, None])));
        }
        // Whoever asked for more while others saw already waits for this list, even if it shows nothing.
        (changed, was_blind || covers_more)
    }

    /// An object is there. Says who has to hear of it.
    pub(crate) fn arrive(&mut self, arrival: Arrival) -> Hearers {
        let Arrival { name, version, labels, bytes } = arrival;
        if !self.wants(&name, &labels) {
            return self.leave(&name, version);
        }
        let Some(bytes) = bytes else {
            // It became wanted while it was being read.
            if !self.is_known(&name) {
                self.pending.insert(name, false);
            }
            return Hearers::new();
        };
        let chosen = !self.among.is_empty();
        let kept = Kept { bytes, version, labels: chosen.then(|| Box::new(labels)) };
        self.pending.remove(&name);
        let listing = self.fresh.is_some();
        let objects = self.fresh.as_mut().unwrap_or(&mut self.objects);
        if objects.get(&name).is_some_and(|old| kept.version.is_before(old.version)) {
            return Hearers::new();
        }
        // The name that is kept is the one that somebody wants, so that it is in memory once.
        let name = self.names.get_key_value(&name).map_or(name, |(wanted, _)| wanted.clone());
        let old = objects.insert(name.clone(), kept);
        if listing {
            return Hearers::new();
        }
        let new = self.objects.get(&name);
        if old.as_ref().map(|old| &old.bytes) == new.map(|new| &new.bytes) {
            return Hearers::new();
        }
        self.hearers(&name, [old.as_ref(), new])
    }

    /// An object is gone. Says who has to hear of it.
    pub(crate) fn leave(&mut self, name: &ObjectName, version: Version) -> Hearers {
        let pending = self.pending.remove(name).is_some();
        let listing = self.fresh.is_some();
        let objects = self.fresh.as_mut().unwrap_or(&mut self.objects);
        if objects.get(name).is_some_and(|old| version.is_before(old.version)) {
            return Hearers::new();
        }
        let old = objects.remove(name);
        if listing || (old.is_none() && !pending) {
            return Hearers::new();
        }
        self.hearers(name, [old.as_ref(), None])
    }

    /// The answer to a question for one name. An answer that was overtaken is nothing new.
    pub(crate) fn answer(&mut self, name: &ObjectName, found: Option<Arrival>) -> Hearers {
        if self.pending.remove(name).is_none() {
            return Hearers::new();
        }
        match found {
            Some(arrival) => {
                let mut hearers = self.arrive(arrival);
                hearers.extend(self.hearers(name, [None, None]));
                hearers
            }
            None => self.hearers(name, [None, None]),
        }
    }

    fn hearers(&self, name: &ObjectName, seen: [Option<&Kept>; 2]) -> Hearers {
        let mut hearers: Hearers = self.names.get(name).into_iter().flatten().cloned().collect();
        let none = Labels::new();
        for kept in seen.into_iter().flatten() {
            let labels = kept.labels.as_deref().unwrap_or(&none);
            let among = self.among.iter().filter(|(among, _)| match &kept.labels {
                Some(_) => among.holds(name, labels),
                None => among.is_over(name),
            });
            hearers.extend(among.map(|(_, who)| who.clone()));
        }
        hearers
    }

    // How far it can be believed. Each says whether everybody has to look.

    /// The watch hears again.
    pub(crate) fn stand(&mut self) -> bool {
        self.health.stand()
    }

    /// The connection was lost. What was known is believed for a while.
    pub(crate) fn stumble(&mut self, blind: Blind, until: Duration) -> bool {
        self.health.stumble(blind, until)
    }

    /// Nothing can be seen, from now on.
    pub(crate) fn fail(&mut self, blind: Blind) -> bool {
        self.health.fail(blind)
    }

    /// Time passes: what was known may not be believed any longer.
    pub(crate) fn tick(&mut self, now: Duration) -> bool {
        self.health.tick(now)
    }

    /// It is another cluster: nothing that was known counts.
    pub(crate) fn forget(&mut self) -> bool {
        self.abandon_list();
        self.objects.clear();
        self.covered.clear();
        let seen = self.health != Health::Syncing;
        self.health = Health::Syncing;
        seen
    }

    /// How far it can be believed.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    // What is seen.

    /// What is known of an object; absent if nobody wants it.
    pub(crate) fn see(&self, name: &ObjectName) -> Option<Look> {
        let by_name = self.names.contains_key(name);
        if !by_name && !self.among.iter().any(|(among, _)| among.is_over(name)) {
            return None;
        }
        if let Some(blind) = self.health.blind() {
            return Some(Look::Unknown(blind));
        }
        if let Some(kept) = self.objects.get(name) {
            return Some(Look::Seen(kept.bytes.clone()));
        }
        if self.pending.contains_key(name) {
            return Some(Look::Unknown(Blind::not_yet()));
        }
        let everything_there = Among { namespace: name.namespace.clone(), labels: LabelSelector::default() };
        if by_name || self.covers(&everything_there) {
            return Some(Look::Missing);
        }
        // Somebody wants those with a label; whether this one is there without it is not known.
        None
    }

    /// What is known of several objects; absent if nobody wants them.
    pub(crate) fn list(&self, wanted: &Among) -> Option<Result<Vec<Arc<[u8]>>, Blind>> {
        let found = self.found(wanted)?;
        Some(found.map(|mut found| {
            found.sort_by_key(|(name, _)| *name);
            found.into_iter().map(|(_, kept)| kept.bytes.clone()).collect()
        }))
    }

    /// What several objects are called; absent if nobody wants them.
    pub(crate) fn names(&self, wanted: &Among) -> Option<Result<BTreeSet<ObjectName>, Blind>> {
        let found = self.found(wanted)?;
        Some(found.map(|found| found.into_iter().map(|(name, _)| name.clone()).collect()))
    }

    fn found(&self, wanted: &Among) -> Option<Result<Vec<(&ObjectName, &Kept)>, Blind>> {
        if !self.among.iter().any(|(among, _)| is_within(wanted, among)) {
            return None;
        }
        if let Some(blind) = self.health.blind() {
            return Some(Err(blind));
        }
        if !self.covers(wanted) {
            return Some(Err(Blind::not_yet()));
        }
        let none = Labels::new();
        let fits =
            |(name, kept): &(&ObjectName, &Kept)| wanted.holds(name, kept.labels.as_deref().unwrap_or(&none));
        Some(Ok(self.objects.iter().filter(fits).collect()))
    }

    fn covers(&self, wanted: &Among) -> bool {
        self.covered.iter().any(|covered| is_within(wanted, covered))
    }

    fn is_known(&self, name: &ObjectName) -> bool {
        let everything_there = Among { namespace: name.namespace.clone(), labels: LabelSelector::default() };
        self.objects.contains_key(name) || self.covers(&everything_there)
    }

    /// How many objects are kept, and in how many bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let bytes = |(name, kept): (&ObjectName, &Kept)| name.name.len() + kept.bytes.len();
        (self.objects.len(), self.objects.iter().map(bytes).sum())
    }

    /// How many names are wanted.
    pub(crate) fn wanted(&self) -> usize {
        self.names.len()
    }
}

/// Whether all of `inner` are in `outer`.
fn is_within(inner: &Among, outer: &Among) -> bool {
    (outer.namespace.is_none() || outer.namespace == inner.namespace) && inner.labels.is_within(&outer.labels)
}

mod health;
#[cfg(test)]
mod tests;
mod wishes;
