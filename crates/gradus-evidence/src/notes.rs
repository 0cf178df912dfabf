//! What is written down during a look.

use jiff::Timestamp;

use crate::state::Evidence;
use crate::target::{ObjectRef, Scope};
use crate::words::tidy;

/// The most pieces of evidence that are handed on.
const MOST: usize = 40;

/// The evidence so far, and the objects that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    evidence: Vec<Evidence>,
    pub(crate) needs: Vec<ObjectRef>,
    pub(crate) lists: Vec<Scope>,
}

/// What an object says.
#[derive(Debug, Default)]
pub(crate) struct Says<'a> {
    pub(crate) words: String,
    pub(crate) revision: Option<&'a str>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) good: Option<bool>,
}

impl Notes {
    pub(crate) fn note(&mut self, object: &ObjectRef, says: Says<'_>) {
        self.evidence.push(Evidence {
            object: tidy(&object.to_string()),
            says: tidy(&says.words),
            revision: says.revision.map(tidy),
            since: says.since,
            good: says.good,
        });
    }

    pub(crate) fn need(&mut self, object: &ObjectRef) {
        if !self.needs.contains(object) {
            self.needs.push(object.clone());
        }
    }

    pub(crate) fn need_all(&mut self, scope: Scope) {
        if !self.lists.contains(&scope) {
            self.lists.push(scope);
        }
    }

    /// The evidence: all of it, or what speaks against the target first where
    /// there is too much of it.
    pub(crate) fn evidence(self) -> Vec<Evidence> {
        let mut evidence = self.evidence;
        let count = evidence.len();
        if count > MOST {
            // The first is the target itself; the order is kept otherwise.
            if let Some(rest) = evidence.get_mut(1..) {
                rest.sort_by_key(|piece| match piece.good {
                    Some(false) => 0,
                    None => 1,
                    Some(true) => 2,
                });
            }
            evidence.truncate(MOST - 1);
            evidence.push(Evidence {
                object: "more".to_owned(),
                says: format!("{} more were looked at", count - (MOST - 1)),
                revision: None,
                since: None,
                good: None,
            });
        }
        evidence
    }
}
