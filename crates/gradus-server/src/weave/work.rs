//! Work that goes on when the one who asked for it has gone.
//!
//! Of one kind of work for one environment only the newest goes on: whoever asks
//! for the same meanwhile waits for what is under way, and what was asked for
//! earlier is not tried again over what was asked for later.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turnstile, OwnedMutexGuard, watch};
use tracing::Instrument as _;

use super::port::PipelineName;

/// What the work is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) errand: Errand,
    pub(super) pipeline: PipelineName,
    pub(super) environment: String,
}

/// What kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Errand {
    /// To promote what an event told.
    Promotion,
    /// To promote what somebody approved.
    Approval,
    /// To write down that something waits.
    Waiting,
}

/// What became of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was done; there may be a pull request.
    Done(Option<String>),
    /// Something newer took its place.
    Superseded,
    /// It failed; why is in the log.
    Failed,
}

/// What becomes of work, for those who wait for it.
pub(super) type Coming = watch::Receiver<Option<Outcome>>;

/// All the work that is under way.
pub(super) struct Work {
    shared: Arc<Shared>,
    most: usize,
}

struct Shared {
    places: Mutex<Places>,
    running: watch::Sender<usize>,
}

#[derive(Default)]
struct Places {
    turns: u64,
    under_way: BTreeMap<Place, UnderWay>,
}

struct UnderWay {
    turn: u64,
    revision: String,
    coming: Coming,
    turnstile: Arc<Turnstile<()>>,
}

/// The turn of one piece of work.
pub(super) struct Turn {
    shared: Arc<Shared>,
    place: Place,
    turn: u64,
    turnstile: Arc<Turnstile<()>>,
    told: watch::Sender<Option<Outcome>>,
}

impl Work {
    /// No work yet, and never more than so much at the same time.
    pub(super) fn new(most: usize) -> Self {
        let shared = Shared { places: Mutex::default(), running: watch::Sender::new(0) };
        Self { shared: Arc::new(shared), most }
    }

    /// Begins work for this place and revision, or joins it; `None` where there is too much already.
    pub(super) fn begin<F>(
        &self,
        place: Place,
        revision: &str,
        work: impl FnOnce(Arc<Turn>) -> F,
    ) -> Option<Coming>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let mut places = self.shared.lock();
        let known = places.under_way.get(&place);
        if let Some(known) = known.filter(|known| known.revision == revision) {
            return Some(known.coming.clone());
        }
        if *self.shared.running.borrow() >= self.most {
            return None;
        }
        let turnstile = known.map(|known| known.turnstile.clone()).unwrap_or_default();
        places.turns += 1;
        let turn = places.turns;
        let (told, coming) = watch::channel(None);
        let mine = Arc::new(Turn {
            shared: self.shared.clone(),
            place: place.clone(),
            turn,
            turnstile: turnstile.clone(),
            told,
        });
        let under_way = UnderWay { turn, revision: revision.to_owned(), coming: coming.clone(), turnstile };
        places.under_way.insert(place, under_way);
        drop(places);
        self.shared.running.send_modify(|running| *running += 1);
        let work = work(mine.clone());
        let working = async move {
            // Its turn ends with it, also where it panics.
            let ends = Ends(mine);
            let outcome = work.await;
            ends.0.told.send_replace(Some(outcome));
        };
        tokio::spawn(working.in_current_span());
        Some(coming)
    }

    /// Waits until nothing is under way, but no longer than that.
    pub(super) async fn drain(&self, within: Duration) {
        let mut running = self.shared.running.subscribe();
        if tokio::time::timeout(within, running.wait_for(|running| *running == 0)).await.is_err() {
            tracing::warn!(
                "some promotions did not end in time, and are broken off; their senders send again"
            );
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The right to one attempt, when the one before has ended; `None` where something newer took its place.
    pub(super) async fn attempt(&self) -> Option<OwnedMutexGuard<()>> {
        let guard = self.turnstile.clone().lock_owned().await;
        let places = self.shared.lock();
        let current = places.under_way.get(&self.place).is_some_and(|newest| newest.turn == self.turn);
        current.then_some(guard)
    }
}

struct Ends(Arc<Turn>);

impl Drop for Ends {
    fn drop(&mut self) {
        let turn = &self.0;
        let mut places = turn.shared.lock();
        if places.under_way.get(&turn.place).is_some_and(|newest| newest.turn == turn.turn) {
            places.under_way.remove(&turn.place);
        }
        drop(places);
        turn.told.send_if_modified(|told| match told {
            Some(_) => false,
            None => {
                *told = Some(Outcome::Failed);
                true
            }
        });
        turn.shared.running.send_modify(|running| *running = running.saturating_sub(1));
    }
}

/// What becomes of work that was begun.
pub(super) async fn outcome(mut coming: Coming) -> Outcome {
    match coming.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or(Outcome::Failed),
        Err(_) => Outcome::Failed,
    }
}
