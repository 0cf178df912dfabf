//! Of which repositories something is heard without asking.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// So long a forge that told something is believed to tell the next thing, too.
const TELLS: SignedDuration = SignedDuration::from_hours(24);

/// When something was last heard of each repository.
#[derive(Default)]
pub(super) struct Told {
    last: Mutex<HashMap<Arc<str>, Timestamp>>,
    /// Whether some of it is told to others.
    shared: bool,
}

impl Told {
    /// The same, where some of it is told to others: then nobody is believed to tell everything.
    pub(super) fn among_others(self) -> Self {
        Self { shared: true, ..self }
    }

    /// Something is heard of a repository.
    pub(super) fn note(&self, url: &str, now: Timestamp) {
        self.last().insert(url.into(), now);
    }

    /// Whether what happens in a repository is told, as far as it can be known: it was so lately.
    pub(super) fn lately(&self, url: &str, now: Timestamp) -> bool {
        !self.shared && self.last().get(url).is_some_and(|at| now.duration_since(*at) <= TELLS)
    }

    fn last(&self) -> MutexGuard<'_, HashMap<Arc<str>, Timestamp>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
