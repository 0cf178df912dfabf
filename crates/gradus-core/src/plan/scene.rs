//! Everything a decision looks at, in one place.

use jiff::Timestamp;

use crate::names::EnvironmentName;
use crate::observation::{EnvironmentSeen, Observation};
use crate::pipeline::{Environment, Pipeline};
use crate::proof::{Past, Proving, declared_or_running, proving};
use crate::reason::Reason;
use crate::release::{Orders, Release, Standing};
use crate::verdict::EnvironmentVerdict;

/// A pipeline as it was seen.
pub(super) struct Scene<'a> {
    pub(super) pipeline: &'a Pipeline,
    /// One for each environment, in the order in which they were written.
    pub(super) places: Vec<Place<'a>>,
    pub(super) orders: Orders,
    pub(super) now: Timestamp,
}

/// One environment as it was seen.
pub(super) struct Place<'a> {
    pub(super) environment: &'a Environment,
    pub(super) seen: &'a EnvironmentSeen,
    pub(super) verdict: EnvironmentVerdict,
}

impl<'a> Scene<'a> {
    /// Judges every environment. Of one that the observation does not have,
    /// what `blank` says is known.
    pub(super) fn new(
        pipeline: &'a Pipeline,
        seen: &'a Observation,
        blank: &'a EnvironmentSeen,
        now: Timestamp,
    ) -> Self {
        let mut orders = Orders::default();
        for (artifact, order) in &pipeline.artifacts {
            orders.set(artifact.clone(), *order, seen.order.get(artifact).cloned().unwrap_or_default());
        }
        let place = |environment: &'a Environment| {
            let seen = seen.environments.get(&environment.name).unwrap_or(blank);
            Place { environment, seen, verdict: EnvironmentVerdict::of(environment, seen, now) }
        };
        Self { pipeline, places: pipeline.environments().iter().map(place).collect(), orders, now }
    }

    pub(super) fn place(&self, name: &EnvironmentName) -> Option<&Place<'a>> {
        self.places.iter().find(|place| &place.environment.name == name)
    }

    /// The environments right before this one.
    pub(super) fn before<'s>(&'s self, place: &'s Place<'a>) -> impl Iterator<Item = &'s Place<'a>> {
        place.environment.after.iter().filter_map(|name| self.place(name))
    }

    /// All environments before this one that are not right before it, nearest first.
    pub(super) fn further_before<'s>(&'s self, place: &'s Place<'a>) -> Vec<&'s Place<'a>> {
        let near: Vec<&Place<'a>> = self.before(place).collect();
        let mut all = near.clone();
        let mut at = 0;
        while let Some(here) = all.get(at).copied() {
            for before in self.before(here) {
                if !all.iter().any(|known| known.environment.name == before.environment.name) {
                    all.push(before);
                }
            }
            at += 1;
        }
        all.split_off(near.len())
    }

    /// Whether `release` is newer than what is there; it is where nothing is.
    pub(super) fn is_newer(&self, release: &Release, at: Option<&Release>) -> bool {
        at.is_none_or(|at| self.orders.compare(release, at) == Standing::Newer)
    }

    /// Whether an environment has proven a release.
    pub(super) fn prove(&self, place: &Place<'_>, release: &Release, past: Past) -> Proving {
        proving(place.environment, place.seen, &place.verdict, release, past, &self.orders, self.now)
    }

    /// Since when a release has been healthy somewhere, if it is now: for the longest time.
    pub(super) fn runs_somewhere(&self, release: &Release) -> Option<Timestamp> {
        let since = |place| match self.prove(place, release, Past::DoesNotCount) {
            Proving::Now { since } => Some(since),
            Proving::Before { .. } | Proving::Not(_) => None,
        };
        self.places.iter().filter_map(since).min()
    }
}

impl Place<'_> {
    pub(super) fn name(&self) -> &EnvironmentName {
        &self.environment.name
    }

    /// What Git declares.
    pub(super) fn has(&self) -> Option<&Release> {
        self.seen.declared.known()?.release.as_ref()
    }

    /// What Git declares, or what runs where Git names nothing.
    pub(super) fn at(&self) -> Option<&Release> {
        declared_or_running(self.seen, &self.verdict)
    }

    /// That the health of this environment is not known, if it is not.
    pub(super) fn unknown_health(&self) -> Option<Reason> {
        use crate::verdict::Verdict;
        let Verdict::Unknown { why } = &self.verdict.verdict else { return None };
        let target = self.verdict.first(|verdict| matches!(verdict, Verdict::Unknown { .. }));
        Some(Reason::HealthUnknown {
            environment: self.name().clone(),
            target: target.map(|target| target.name.clone()),
            why: why.clone(),
        })
    }
}
