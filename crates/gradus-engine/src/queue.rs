//! One queue: a key is in it at most once, is worked on by one at a time, and
//! has the earliest time at which anybody wanted it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::moment::Moment;

/// Keys with the times at which they are due.
pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

struct State<K> {
    due: BTreeSet<(Instant, K)>,
    when: BTreeMap<K, Wish>,
    running: BTreeSet<K>,
    failures: BTreeMap<K, u32>,
    closed: bool,
}

/// When a key is due, and what has to be seen by then.
#[derive(Clone, Copy)]
struct Wish {
    at: Instant,
    /// The latest moment at which somebody wanted it.
    since: Moment,
}

/// The first wait after a failure; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait after a failure.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

impl<K: Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        let state = State {
            due: BTreeSet::new(),
            when: BTreeMap::new(),
            running: BTreeSet::new(),
            failures: BTreeMap::new(),
            closed: false,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }
}

impl<K: Ord + Clone> Queue<K> {
    /// Wants the key at this time, or earlier if it was wanted earlier.
    pub fn want(&self, key: K, at: Instant) {
        let now = Moment::now();
        let since = if at <= Instant::now() { now } else { Moment::due(at) };
        self.wish(key, Wish { at, since });
    }

    /// Wants the key now, because of what was seen at this moment.
    pub(crate) fn want_since(&self, key: K, since: Moment) {
        self.wish(key, Wish { at: Instant::now(), since });
    }

    fn wish(&self, key: K, wish: Wish) {
        let mut state = self.lock();
        match state.when.get_mut(&key) {
            Some(earlier) if earlier.at <= wish.at => {
                // It is due, so that the look to come has to show this too. What is
                // wanted for later is wanted again after the look.
                if wish.at <= Instant::now() {
                    earlier.since = earlier.since.max(wish.since);
                }
                return;
            }
            Some(later) => {
                let entry = (later.at, key.clone());
                state.due.remove(&entry);
            }
            None => {}
        }
        state.when.insert(key.clone(), wish);
        state.due.insert((wish.at, key));
        drop(state);
        self.changed.notify_one();
    }

    /// The next key that is due and not being worked on, and the moment whose past has
    /// to be seen. `None` once the queue is closed.
    pub(crate) async fn next(&self) -> Option<(K, Moment)> {
        loop {
            let changed = self.changed.notified();
            let wait = {
                let mut state = self.lock();
                if state.closed {
                    // Whoever waits beside us has to hear of it too.
                    self.changed.notify_one();
                    return None;
                }
                let now = Instant::now();
                let first = state.due.iter().find(|(_, key)| !state.running.contains(key)).cloned();
                match first {
                    Some((at, key)) if at <= now => {
                        state.due.remove(&(at, key.clone()));
                        let since = state.when.remove(&key).map_or_else(Moment::now, |wish| wish.since);
                        state.running.insert(key.clone());
                        drop(state);
                        self.changed.notify_one();
                        return Some((key, since));
                    }
                    Some((at, _)) => Some(at),
                    None => None,
                }
            };
            match wait {
                Some(at) => {
                    tokio::select! {
                        () = changed => {}
                        () = tokio::time::sleep_until(at) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// The key was worked on.
    pub fn done(&self, key: &K) {
        let mut state = self.lock();
        state.running.remove(key);
        state.failures.remove(key);
        drop(state);
        self.changed.notify_one();
    }

    /// The key could not be worked on: it is wanted again, later with every
    /// further failure. `jitter`, from 0 to 1, spreads keys that failed together.
    pub fn failed(&self, key: &K, jitter: f64) -> Duration {
        let mut state = self.lock();
        state.running.remove(key);
        let failures = state.failures.entry(key.clone()).or_insert(0);
        *failures = failures.saturating_add(1);
        let doubled = FIRST_BACKOFF.saturating_mul(1 << (*failures - 1).min(16));
        drop(state);
        let wait = doubled.min(LONGEST_BACKOFF).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        self.want(key.clone(), Instant::now() + wait);
        self.changed.notify_one();
        wait
    }

    /// Forgets keys that nobody wants any more.
    pub fn retain(&self, keep: impl Fn(&K) -> bool) {
        let mut state = self.lock();
        state.due.retain(|(_, key)| keep(key));
        state.when.retain(|key, _| keep(key));
        state.failures.retain(|key, _| keep(key));
    }

    /// Lets nobody wait any longer.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    /// How many keys are due now or later.
    pub fn len(&self) -> usize {
        self.lock().when.len()
    }

    /// Whether nothing is due, now or later.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn next<K: Ord + Clone>(queue: &Queue<K>) -> Option<K> {
        queue.next().await.map(|(key, _)| key)
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_due_has_to_show_what_made_it_due() {
        let queue = Queue::default();
        let before = Moment::now();
        queue.want("a", Instant::now());
        let between = Moment::now();
        queue.want("a", Instant::now());
        let after = Moment::now();
        let (_, since) = queue.next().await.unwrap();
        assert!(between < since && since < after, "the last to want it counts");
        queue.done(&"a");
        queue.want("a", Instant::now());
        queue.want_since("a", before);
        let (_, since) = queue.next().await.unwrap();
        assert!(after < since, "what was seen before changes nothing");
        queue.done(&"a");
        queue.want("a", Instant::now() + Duration::from_secs(9));
        let (_, since) = queue.next().await.unwrap();
        assert!(after < since && since > Moment::now(), "all that happened until it was due");
        queue.done(&"a");
        queue.want("a", Instant::now() + Duration::from_secs(9));
        queue.want("a", Instant::now());
        let (_, since) = queue.next().await.unwrap();
        assert!(since < Moment::now(), "sooner than it was due");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_worked_on_by_one_at_a_time() {
        let queue = Queue::default();
        queue.want("a", Instant::now());
        assert_eq!(next(&queue).await, Some("a"));
        queue.want("a", Instant::now());
        let waits = tokio::time::timeout(Duration::from_secs(60), queue.next()).await;
        assert!(waits.is_err(), "it is being worked on");
        queue.done(&"a");
        assert_eq!(next(&queue).await, Some("a"), "what was wanted meanwhile comes once more");
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_time_counts() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.want("a", start + Duration::from_secs(50));
        queue.want("a", start + Duration::from_secs(5));
        queue.want("a", start + Duration::from_secs(500));
        assert_eq!(next(&queue).await, Some("a"));
        assert_eq!(start.elapsed().as_secs(), 5);
        assert!(queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn failures_wait_longer_and_success_forgets_them() {
        let queue = Queue::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            queue.want("a", Instant::now());
            queue.next().await;
            waits.push(queue.failed(&"a", 1.0).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        queue.next().await;
        queue.done(&"a");
        queue.want("a", Instant::now());
        queue.next().await;
        assert_eq!(queue.failed(&"a", 0.0), Duration::from_millis(500));
    }

    #[tokio::test(start_paused = true)]
    async fn closing_frees_everyone_who_waits() {
        let queue = std::sync::Arc::new(Queue::<u8>::default());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { next(&queue).await })
            })
            .collect();
        tokio::task::yield_now().await;
        queue.close();
        for one in waiting {
            assert_eq!(one.await.unwrap(), None);
        }
    }
}
