//! Proposals, and what was said of them, as they were last seen, so that not every look asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::BranchName;
use gradus_engine::port::forge::ProposalPlace;
use jiff::{SignedDuration, Timestamp};

use super::proposals::{Which, which};

/// So many proposals are remembered.
const MOST: usize = 20_000;

/// Something of each proposal, as it was last seen.
pub(super) struct Known<T>(Mutex<Table<T>>);

struct Table<T> {
    seen: HashMap<Which, Seen<T>>,
    /// When something was last heard of a repository, and of single branches.
    heard: HashMap<(Arc<str>, Option<BranchName>), Timestamp>,
}

/// What was seen, and since when it is so at the least; never where something has happened since.
struct Seen<T> {
    what: T,
    at: Option<Timestamp>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { seen: HashMap::new(), heard: HashMap::new() }
    }
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Known<T> {
    /// What is remembered, and whether it was seen within this time.
    pub(super) fn get(
        &self,
        place: &ProposalPlace,
        within: SignedDuration,
        now: Timestamp,
    ) -> Option<(T, bool)> {
        let table = self.table();
        let Seen { what, at } = table.seen.get(&which(place))?;
        Some((what.clone(), at.is_some_and(|at| now.duration_since(at) <= within)))
    }

    /// It was seen so by asking at this time. What was heard since may not be in it.
    pub(super) fn put(&self, place: &ProposalPlace, what: T, asked: Timestamp) {
        let mut table = self.table();
        // All of them are found again when they are needed.
        if table.seen.len() >= MOST {
            *table = Table::default();
        }
        let url = &place.repository.url;
        let of = [(url.clone(), None), (url.clone(), Some(place.branch.clone()))];
        let is_overtaken = of.iter().any(|of| table.heard.get(of).is_some_and(|heard| *heard >= asked));
        let at = (!is_overtaken).then_some(asked);
        table.seen.insert(which(place), Seen { what, at });
    }

    pub(super) fn forget(&self, place: &ProposalPlace) {
        self.table().seen.remove(&which(place));
    }

    /// Something happened in a repository, or to one branch of it.
    pub(super) fn heard(&self, url: &str, branch: Option<&BranchName>, now: Timestamp) {
        let mut table = self.table();
        if table.heard.len() >= MOST {
            *table = Table::default();
        }
        table.heard.insert((url.into(), branch.cloned()), now);
        let is_it =
            |(repository, _, its): &Which| &**repository == url && branch.is_none_or(|branch| branch == its);
        for (_, seen) in table.seen.iter_mut().filter(|(which, _)| is_it(which)) {
            seen.at = None;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.table().seen.len()
    }

    fn table(&self) -> MutexGuard<'_, Table<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use gradus_core::names::{BranchName, EnvironmentName, PipelineKey};
    use gradus_core::pipeline::Repository;
    use gradus_engine::port::forge::ProposalPlace;
    use jiff::{SignedDuration, Timestamp};

    use super::Known;
    use crate::forge::sample;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn place(environment: &str) -> ProposalPlace {
        let url = "https://git.acme.io/acme/fleet".into();
        ProposalPlace {
            repository: Repository {
                url,
                branch: None,
                paths: Vec::new(),
                secret: None,
                forge: None,
                commit: Default::default(),
            },
            base: sample::base(),
            branch: BranchName::parse(&format!("gradus/apps/web/{environment}")).unwrap(),
            pipeline: PipelineKey::parse("apps/web").unwrap(),
            environment: EnvironmentName::parse(environment).unwrap(),
        }
    }

    #[test]
    fn what_was_heard_while_the_forge_was_asked_is_asked_for_again() {
        let known = Known::default();
        let (prod, other) = (place("prod"), place("staging"));
        let is_believed = |place, now| known.get(place, SignedDuration::from_mins(10), at(now)).unwrap().1;
        known.put(&other, "it", at(8));
        known.heard(&prod.repository.url, Some(&prod.branch), at(10));
        known.put(&prod, "it", at(9));
        assert!(!is_believed(&prod, 11), "asked before it was heard");
        assert!(is_believed(&other, 11), "it was not heard of");
        known.put(&prod, "it", at(11));
        assert!(is_believed(&prod, 12));
        assert!(!is_believed(&prod, 612), "that was long ago");
        known.heard(&prod.repository.url, None, at(13));
        assert!(!is_believed(&prod, 14) && !is_believed(&other, 14));
        known.put(&other, "it", at(12));
        assert!(!is_believed(&other, 14), "asked before it was heard of all");
    }
}
