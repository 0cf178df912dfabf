//! Names and releases that are met again and again are kept once.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// How many are remembered. Beyond that it begins anew: sharing saves memory, and nothing rests on it.
const MOST: usize = 65_536;

/// Gives the same value for equal ones, so that what is cheap to clone is also kept once.
pub(crate) struct Shared<T>(Mutex<HashSet<T>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone + Eq + Hash> Shared<T> {
    /// The value that is shared by all who have an equal one.
    pub(crate) fn one(&self, value: &T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(value) {
            return known.clone();
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(value.clone());
        value.clone()
    }
}
