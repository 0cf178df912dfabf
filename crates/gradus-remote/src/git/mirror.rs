//! For hosts that give a commit only as a whole: what they gave, kept compressed, and asked for only in part again.

use std::sync::{Arc, Mutex};

use super::{ObjectId, pack::Pack, remote::lock};

/// With more answers than this the next one is asked for whole again: each is searched for every object.
const ANSWERS: usize = 64;

pub(super) struct Mirror {
    held: Mutex<Held>,
    room: u64,
    /// Held while an answer is fetched, so that two operations do not fetch the same.
    pub(super) turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Held {
    packs: Vec<Arc<Pack>>,
    /// Commits that were asked for without their parents.
    tips: Vec<ObjectId>,
    bytes: u64,
}

impl Mirror {
    pub(super) fn new(room: u64) -> Self {
        Self { held: Mutex::default(), room, turn: tokio::sync::Mutex::default() }
    }

    pub(super) fn packs(&self) -> Vec<Arc<Pack>> {
        lock(&self.held).packs.clone()
    }

    /// The commits the host need not send again, with everything in them.
    pub(super) fn tips(&self) -> Vec<ObjectId> {
        lock(&self.held).tips.clone()
    }

    /// Keeps an answer; `tip` is its commit where it came alone.
    pub(super) fn keep(&self, pack: &Arc<Pack>, tip: Option<ObjectId>) {
        let mut held = lock(&self.held);
        held.bytes += pack.len() as u64;
        if held.bytes > self.room || held.packs.len() >= ANSWERS {
            // An answer may rest on older ones, so that none is kept rather than some.
            *held = Held::default();
            return;
        }
        held.packs.push(Arc::clone(pack));
        held.tips.extend(tip);
    }
}
