//! One queue: a key is in it at most once, is worked on by one at a time, and
//! has the earliest time at which anybody wanted it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Keys with the times at which they are due.
pub struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

struct State<K> {
    due: BTreeSet<(Instant, K)>,
    when: BTreeMap<K, Instant>,
    running: BTreeSet<K>,
    failures: BTreeMap<K, u32>,
    closed: bool,
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
        let mut state = self.lock();
        match state.when.get(&key) {
            Some(earlier) if *earlier <= at => return,
            Some(later) => {
                let entry = (*later, key.clone());
                state.due.remove(&entry);
            }
            None => {}
        }
        state.when.insert(key.clone(), at);
        state.due.insert((at, key));
        drop(state);
        self.changed.notify_one();
    }

    /// The next key that is due and not being worked on. `None` once the queue is closed.
    pub async fn next(&self) -> Option<K> {
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
                        state.when.remove(&key);
                        state.running.insert(key.clone());
                        drop(state);
                        self.changed.notify_one();
                        return Some(key);
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

    #[tokio::test(start_paused = true)]
    async fn a_key_is_worked_on_by_one_at_a_time() {
        let queue = Queue::default();
        queue.want("a", Instant::now());
        assert_eq!(queue.next().await, Some("a"));
        queue.want("a", Instant::now());
        let waits = tokio::time::timeout(Duration::from_secs(60), queue.next()).await;
        assert!(waits.is_err(), "it is being worked on");
        queue.done(&"a");
        assert_eq!(queue.next().await, Some("a"), "what was wanted meanwhile comes once more");
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_time_counts() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.want("a", start + Duration::from_secs(50));
        queue.want("a", start + Duration::from_secs(5));
        queue.want("a", start + Duration::from_secs(500));
        assert_eq!(queue.next().await, Some("a"));
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
                tokio::spawn(async move { queue.next().await })
            })
            .collect();
        tokio::task::yield_now().await;
        queue.close();
        for one in waiting {
            assert_eq!(one.await.unwrap(), None);
        }
    }
}
