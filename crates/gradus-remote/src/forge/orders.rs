//! What forges were told to merge by themselves.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gradus_core::names::{CommitId, ProposalNumber};
use gradus_engine::port::forge::ProposalPlace;
use jiff::{SignedDuration, Timestamp};

use super::proposals::{Which, which};

/// So long a forge that was told to merge by itself is taken at its word.
const QUEUED_FOR: SignedDuration = SignedDuration::from_hours(1);
/// So many orders to merge are remembered.
const MOST: usize = 20_000;

/// What forges were told to merge by themselves: which proposal, at which commit, and when.
#[derive(Default)]
pub(super) struct Orders(Mutex<HashMap<Which, (ProposalNumber, CommitId, Timestamp)>>);

impl Orders {
    /// Since when the forge is to merge this head by itself. It is told again after a while: it may have given up.
    pub(super) fn since(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let orders = self.lock();
        let (of, at_head, since) = orders.get(&which(place))?;
        let is_this = *of == number && at_head == head;
        (is_this && now.duration_since(*since) < QUEUED_FOR).then_some(*since)
    }

    /// It was told to.
    pub(super) fn put(&self, place: &ProposalPlace, number: ProposalNumber, head: &CommitId, now: Timestamp) {
        let mut orders = self.lock();
        if orders.len() >= MOST {
            orders.clear();
        }
        orders.insert(which(place), (number, head.clone(), now));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Which, (ProposalNumber, CommitId, Timestamp)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
