//! Proposals as they were last seen, so that not every look asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::BranchName;
use gradus_engine::port::forge::ProposalPlace;
use jiff::{SignedDuration, Timestamp};

use super::model::Pull;
use super::proposals::{Which, which};

/// So many proposals are remembered.
const MOST: usize = 20_000;

/// Proposals as they were last seen.
#[derive(Default)]
pub(super) struct KnownPulls(Mutex<Table>);

#[derive(Default)]
struct Table {
    pulls: HashMap<Which, Known>,
    /// When something was last heard of a repository, and of single branches.
    heard: HashMap<(Arc<str>, Option<BranchName>), Timestamp>,
}

/// A proposal, and since when it is so at the least; never where something has happened since.
struct Known {
    pull: Pull,
    at: Option<Timestamp>,
}

impl KnownPulls {
    /// What is remembered, and whether it was seen within this time.
    pub(super) fn get(
        &self,
        place: &ProposalPlace,
        within: SignedDuration,
        now: Timestamp,
    ) -> Option<(Pull, bool)> {
        let table = self.table();
        let Known { pull, at } = table.pulls.get(&which(place))?;
        Some((pull.clone(), at.is_some_and(|at| now.duration_since(at) <= within)))
    }

    /// It was seen so by asking at this time. What was heard since may not be in it.
    pub(super) fn put(&self, place: &ProposalPlace, pull: &Pull, asked: Timestamp) {
        let mut table = self.table();
        // All of them are found again when they are needed.
        if table.pulls.len() >= MOST {
            *table = Table::default();
        }
        let url = &place.repository.url;
        let of = [(url.clone(), None), (url.clone(), Some(place.branch.clone()))];
        let is_overtaken = of.iter().any(|of| table.heard.get(of).is_some_and(|heard| *heard >= asked));
        let at = (!is_overtaken).then_some(asked);
        table.pulls.insert(which(place), Known { pull: pull.clone(), at });
    }

    pub(super) fn forget(&self, place: &ProposalPlace) {
        self.table().pulls.remove(&which(place));
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
        for (_, known) in table.pulls.iter_mut().filter(|(which, _)| is_it(which)) {
            known.at = None;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.table().pulls.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gradus_core::names::{BranchName, EnvironmentName, PipelineKey, ProposalNumber};
    use gradus_core::pipeline::Repository;
    use gradus_engine::port::forge::ProposalPlace;
    use jiff::{SignedDuration, Timestamp};

    use super::KnownPulls;
    use crate::forge::model::{Mergeable, Pull, PullState};
    use crate::forge::sample;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn place(environment: &str) -> ProposalPlace {
        let url = "https://git.acme.io/acme/fleet".into();
        ProposalPlace {
            repository: Repository { url, branch: None, paths: Vec::new(), secret: None, forge: None },
            base: sample::base(),
            branch: BranchName::parse(&format!("gradus/apps/web/{environment}")).unwrap(),
            pipeline: PipelineKey::parse("apps/web").unwrap(),
            environment: EnvironmentName::parse(environment).unwrap(),
        }
    }

    fn pull() -> Pull {
        Pull {
            number: ProposalNumber(7),
            url: "https://git.acme.io/acme/fleet/pulls/7".into(),
            title: String::new(),
            body: String::new(),
            state: PullState::Open,
            draft: false,
            head: Some(sample::commit()),
            head_branch: sample::head(),
            base: sample::base(),
            from_fork: false,
            mergeable: Mergeable::Unknown,
            labels: BTreeSet::new(),
            created: at(0),
        }
    }

    #[test]
    fn what_was_heard_while_the_forge_was_asked_is_asked_for_again() {
        let known = KnownPulls::default();
        let (prod, other) = (place("prod"), place("staging"));
        let is_believed = |place, now| known.get(place, SignedDuration::from_mins(10), at(now)).unwrap().1;
        known.put(&other, &pull(), at(8));
        known.heard(&prod.repository.url, Some(&prod.branch), at(10));
        known.put(&prod, &pull(), at(9));
        assert!(!is_believed(&prod, 11), "asked before it was heard");
        assert!(is_believed(&other, 11), "it was not heard of");
        known.put(&prod, &pull(), at(11));
        assert!(is_believed(&prod, 12));
        assert!(!is_believed(&prod, 612), "that was long ago");
        known.heard(&prod.repository.url, None, at(13));
        assert!(!is_believed(&prod, 14) && !is_believed(&other, 14));
        known.put(&other, &pull(), at(12));
        assert!(!is_believed(&other, 14), "asked before it was heard of all");
    }
}
