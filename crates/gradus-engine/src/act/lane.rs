//! Branches to which several pipelines write: one after the other, each on top of what the one before has written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::{BranchName, CommitId};
use gradus_core::pipeline::Repository;

use crate::moment::Moment;

/// Where our own last push left each branch.
#[derive(Default)]
pub(crate) struct Lanes(Mutex<HashMap<Branch, Arc<Lane>>>);

type Branch = (Arc<str>, Option<Arc<str>>, BranchName);

/// Held by the one that writes to a branch: whoever else would write meanwhile would only lose.
pub(super) type Lane = tokio::sync::Mutex<Left>;

/// Where our own last push left a branch, if it was not moved since as far as is known.
#[derive(Default)]
pub(super) struct Left(Option<(CommitId, Moment)>);

impl Lanes {
    pub(super) fn of(&self, repository: &Repository, branch: &BranchName) -> Arc<Lane> {
        let key = (repository.url.clone(), repository.secret.clone(), branch.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }
}

impl Left {
    /// Where the branch is likely to be: where it was seen, if that was asked for after our last push. To be wrong
    /// costs a push that is refused.
    pub(super) fn likely<'a>(&'a self, seen: &'a CommitId, asked: Moment) -> &'a CommitId {
        match &self.0 {
            Some((tip, at)) if *at > asked => tip,
            Some(_) | None => seen,
        }
    }

    /// Our own push left it there.
    pub(super) fn at(&mut self, tip: &CommitId) {
        self.0 = Some((tip.clone(), Moment::now()));
    }

    /// Somebody else moved it.
    pub(super) fn lost(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_later_counts() {
        let [seen, ours] = ["a", "b"].map(|digit| CommitId::parse(&digit.repeat(40)).unwrap());
        let mut left = Left::default();
        let before = Moment::now();
        assert_eq!(left.likely(&seen, before), &seen);
        left.at(&ours);
        assert_eq!(left.likely(&seen, before), &ours);
        assert_eq!(left.likely(&seen, Moment::now()), &seen);
        left.lost();
        assert_eq!(left.likely(&seen, before), &seen);
    }
}
