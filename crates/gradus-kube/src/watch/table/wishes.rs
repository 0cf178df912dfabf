//! Who wants what.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Hearers, Kept, Labels, Need, Table, is_within};
use crate::watch::wanted::{Among, ObjectName, Subscriber, Which};

impl Table {
    /// Replaces what somebody wants to see here.
    pub(crate) fn set(
        &mut self,
        who: &Arc<Subscriber>,
        which: Vec<Which>,
        paths: BTreeSet<Arc<str>>,
        now: Duration,
    ) -> Need {
        let mut unique = HashSet::new();
        let which: Vec<Which> = which.into_iter().filter(|wish| unique.insert(wish.clone())).collect();
        let before = self.wishes.remove(who).unwrap_or_default();
        let mut need = Need { gets: false, list: self.set_paths(who, paths) };
        let (old, new): (HashSet<&Which>, HashSet<&Which>) =
            (before.iter().collect(), which.iter().collect());
        let added: Vec<Which> = new.difference(&old).map(|wish| (*wish).clone()).collect();
        let gone: Vec<Which> = old.difference(&new).map(|wish| (*wish).clone()).collect();
        // First what is new, so that nothing is dropped that stays wanted.
        for wish in &added {
            self.add(who, wish, &mut need);
        }
        for wish in &gone {
            self.remove(who, wish);
        }
        if gone.iter().any(|wish| matches!(wish, Which::All(_))) {
            self.drop_unwanted();
        }
        if !which.is_empty() {
            self.wishes.insert(who.clone(), which);
        }
        self.unused_since = match self.unused_since {
            _ if !self.wishes.is_empty() => None,
            Some(since) => Some(since),
            None => Some(now),
        };
        need
    }

    /// Says whether there is a path that what is known lacks.
    fn set_paths(&mut self, who: &Arc<Subscriber>, paths: BTreeSet<Arc<str>>) -> bool {
        if paths.is_empty() {
            self.paths.remove(who);
        } else {
            self.paths.insert(who.clone(), paths);
        }
        let all: BTreeSet<Arc<str>> = self.paths.values().flatten().cloned().collect();
        let lacks = !all.is_subset(&self.all_paths);
        self.lacks_paths |= lacks;
        self.all_paths = all;
        lacks
    }

    /// What is kept besides what is evidence.
    pub(crate) fn paths(&self) -> &BTreeSet<Arc<str>> {
        &self.all_paths
    }

    fn add(&mut self, who: &Arc<Subscriber>, wish: &Which, need: &mut Need) {
        match wish {
            Which::One(name) => {
                let known = self.is_known(name);
                let wanting = self.names.entry(name.clone()).or_default();
                let new = wanting.is_empty();
                if !wanting.contains(who) {
                    wanting.push(who.clone());
                }
                if new && !known {
                    self.pending.insert(name.clone(), false);
                    need.gets = true;
                }
            }
            Which::All(among) => {
                // What is part of something that is covered stays covered when that is not wanted any more.
                let within = |all: &[Among]| all.iter().any(|other| is_within(among, other));
                if within(&self.covering) {
                    self.covering.push(among.clone());
                }
                if within(&self.covered) {
                    self.covered.push(among.clone());
                } else {
                    need.list = true;
                }
                self.among.push((among.clone(), who.clone()));
            }
        }
    }

    fn remove(&mut self, who: &Arc<Subscriber>, wish: &Which) {
        match wish {
            Which::One(name) => {
                let Some(wanting) = self.names.get_mut(name) else { return };
                wanting.retain(|other| other != who);
                if !wanting.is_empty() {
                    return;
                }
                self.names.remove(name);
                self.pending.remove(name);
                for objects in [Some(&mut self.objects), self.fresh.as_mut()].into_iter().flatten() {
                    let labels = objects.get(name).and_then(|kept| kept.labels.as_deref());
                    let none = Labels::new();
                    let labels = labels.unwrap_or(&none);
                    if !self.among.iter().any(|(among, _)| among.holds(name, labels)) {
                        objects.remove(name);
                    }
                }
            }
            Which::All(among) => {
                let at = self.among.iter().position(|(other, whose)| other == among && whose == who);
                if let Some(at) = at {
                    self.among.swap_remove(at);
                }
                let wanted = &self.among;
                let kept = |one: &Among| wanted.iter().any(|(other, _)| other == one);
                self.covered.retain(kept);
                self.covering.retain(kept);
            }
        }
    }

    fn drop_unwanted(&mut self) {
        let (names, among) = (&self.names, &self.among);
        let none = Labels::new();
        let wanted = |name: &ObjectName, kept: &mut Kept| {
            let labels = kept.labels.as_deref().unwrap_or(&none);
            names.contains_key(name) || among.iter().any(|(among, _)| among.holds(name, labels))
        };
        self.objects.retain(wanted);
        self.objects.shrink_to_fit();
        if let Some(fresh) = &mut self.fresh {
            fresh.retain(wanted);
        }
    }

    /// Whether somebody wants an object.
    pub(crate) fn wants(&self, name: &ObjectName, labels: &Labels) -> bool {
        self.names.contains_key(name) || self.among.iter().any(|(among, _)| among.holds(name, labels))
    }

    /// Since when nobody wants anything here.
    pub(crate) fn unused_since(&self) -> Option<Duration> {
        self.unused_since
    }

    /// Everybody who wants something here.
    pub(crate) fn everybody(&self) -> Hearers {
        self.wishes.keys().cloned().collect()
    }

    /// Names that a list under way may not show.
    pub(crate) fn to_get(&self) -> Vec<ObjectName> {
        self.pending.keys().cloned().collect()
    }

    /// Whether somebody's wishes are not covered by a list.
    pub(crate) fn to_list(&self) -> bool {
        self.lacks_paths || self.among.iter().any(|(among, _)| !self.covers(among))
    }
}
