//! A release: a named set of artifact versions that moves together.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::names::ArtifactName;
use crate::version::{Order, Version};

/// A named set of artifact versions, sorted by name, never empty. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(Arc<[(ArtifactName, Version)]>);

impl Release {
    /// A release of these versions; `None` when there are none.
    pub fn new(versions: impl IntoIterator<Item = (ArtifactName, Version)>) -> Option<Self> {
        let sorted: BTreeMap<_, _> = versions.into_iter().collect();
        if sorted.is_empty() { None } else { Some(Self(sorted.into_iter().collect())) }
    }

    /// A release of one artifact.
    pub fn single(artifact: ArtifactName, version: Version) -> Self {
        Self(Arc::from([(artifact, version)]))
    }

    /// The versions, by artifact.
    pub fn versions(&self) -> impl Iterator<Item = (&ArtifactName, &Version)> {
        self.0.iter().map(|(name, version)| (name, version))
    }

    /// The version of one artifact.
    pub fn get(&self, artifact: &ArtifactName) -> Option<&Version> {
        self.0.iter().find(|(name, _)| name == artifact).map(|(_, version)| version)
    }

    /// Whether both name the same artifacts at the same versions, as far as
    /// "does it run what is declared" is concerned.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.len() == other.0.len()
                && self.0.iter().zip(other.0.iter()).all(|((a, v), (b, w))| a == b && v.same(w)))
    }

    /// The part of this release that `other` names too, so that an environment
    /// that carries fewer artifacts can be compared; `None` when `other` names
    /// one that is not here.
    pub fn restricted_to(&self, other: &Self) -> Option<Self> {
        if self.0.len() == other.0.len() && self.0.iter().zip(other.0.iter()).all(|((a, _), (b, _))| a == b) {
            return Some(self.clone());
        }
        let picked: Option<Vec<_>> =
            other.versions().map(|(name, _)| self.get(name).map(|v| (name.clone(), v.clone()))).collect();
        picked.map(|versions| Self(versions.into()))
    }

    /// What an environment that has `has` gets when this is asked for: the
    /// artifacts it carries, at the versions that are named here and otherwise
    /// at those it has. `None` when it carries none of those named here.
    pub fn onto(&self, has: &Self) -> Option<Self> {
        if !has.versions().any(|(name, _)| self.get(name).is_some()) {
            return None;
        }
        let versions =
            has.versions().map(|(name, now)| (name.clone(), self.get(name).unwrap_or(now).clone()));
        Some(Self(versions.collect()))
    }

    /// Whether everything that `other` names is here, at the same version.
    pub fn covers(&self, other: &Self) -> bool {
        self.same(other)
            || other
                .versions()
                .all(|(name, wanted)| self.get(name).is_some_and(|version| version.same(wanted)))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(_, only)] = &*self.0 {
            return write!(f, "{only}");
        }
        for (at, (name, version)) in self.0.iter().enumerate() {
            write!(f, "{}{name} {version}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Release({self})")
    }
}

/// How two releases stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No artifact differs.
    Same,
    /// Something is newer and nothing is older.
    Newer,
    /// Something is older and nothing is newer.
    Older,
    /// Something is newer and something else is older.
    Mixed,
    /// The order of some artifact's versions is not known.
    Unknown,
}

/// The order of each artifact's versions: the scheme, and the sequence in which
/// versions were seen for those that have no order of their own.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    by_artifact: BTreeMap<ArtifactName, (Order, Vec<Version>)>,
}

impl Orders {
    /// States the order of one artifact; `seen` is oldest first.
    pub fn set(&mut self, artifact: ArtifactName, order: Order, seen: Vec<Version>) {
        self.by_artifact.insert(artifact, (order, seen));
    }

    /// How `a` stands to `b`: `Newer` means that `a` is newer. Only the
    /// artifacts that `b` names count.
    pub fn compare(&self, a: &Release, b: &Release) -> Standing {
        let (mut newer, mut older) = (false, false);
        for (name, right) in b.versions() {
            let Some(left) = a.get(name) else { return Standing::Unknown };
            if left.same(right) {
                continue;
            }
            let (order, seen) = match self.by_artifact.get(name) {
                Some((order, seen)) => (*order, seen.as_slice()),
                None => (Order::Auto, &[][..]),
            };
            match order.compare(left, right, seen) {
                Some(Ordering::Greater) => newer = true,
                Some(Ordering::Less) => older = true,
                Some(Ordering::Equal) => {}
                None => return Standing::Unknown,
            }
        }
        match (newer, older) {
            (false, false) => Standing::Same,
            (true, false) => Standing::Newer,
            (false, true) => Standing::Older,
            (true, true) => Standing::Mixed,
        }
    }
}
