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
    /// What is being worked on, and whether that is because something was heard of it.
    running: BTreeMap<K, bool>,
    /// When a key that was heard of has used up what it is allowed.
    spent: BTreeMap<K, Instant>,
    failures: BTreeMap<K, u32>,
    closed: bool,
}

/// When a key is due, and what has to be seen by then.
#[derive(Clone, Copy)]
struct Wish {
    at: Instant,
    /// The latest moment at which somebody wanted it.
    since: Moment,
    /// Whether it is wanted only because something was heard of it.
    heard: bool,
}

/// So far are the turns of a key apart that is heard of again and again. What is
/// heard meanwhile comes in the next one.
const APART: Duration = Duration::from_millis(500);
/// So many turns of such a key come at once before that: what tells of one change
/// is often several events, and the last of them counts.
const AT_ONCE: u32 = 4;

/// The first wait after a failure; it doubles with each further one.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
/// The longest wait after a failure.
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);

impl<K: Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        let state = State {
            due: BTreeSet::new(),
            when: BTreeMap::new(),
            running: BTreeMap::new(),
            spent: BTreeMap::new(),
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
        self.wish(key, Wish { at, since, heard: false });
    }

    /// Wants the key because of what was heard at this moment: now, or a little later
    /// where it was heard of again and again.
    pub(crate) fn want_since(&self, key: K, since: Moment) {
        let at = self.lock().allowed(&key, Instant::now());
        self.wish(key, Wish { at, since, heard: true });
    }

    fn wish(&self, key: K, mut wish: Wish) {
        let mut state = self.lock();
        match state.when.get_mut(&key) {
            Some(earlier) if earlier.at <= wish.at => {
                // The look to come has to show this too. What is wanted for later is
                // wanted again after the look.
                if wish.heard || wish.at <= Instant::now() {
                    earlier.since = earlier.since.max(wish.since);
                }
                return;
            }
            Some(later) => {
                if later.heard {
                    wish.since = wish.since.max(later.since);
                }
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
                let first = state.due.iter().find(|(_, key)| !state.running.contains_key(key)).cloned();
                match first {
                    Some((at, key)) if at <= now => {
                        state.due.remove(&(at, key.clone()));
                        let wish = state.when.remove(&key);
                        state.running.insert(key.clone(), wish.is_some_and(|wish| wish.heard));
                        let since = wish.map_or_else(Moment::now, |wish| wish.since);
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
        state.end(key);
        state.failures.remove(key);
        drop(state);
        self.changed.notify_one();
    }

    /// The key could not be worked on: it is wanted again, later with every
    /// further failure. `jitter`, from 0 to 1, spreads keys that failed together.
    pub fn failed(&self, key: &K, jitter: f64) -> Duration {
        let mut state = self.lock();
        state.end(key);
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
        state.spent.retain(|key, _| keep(key));
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

impl<K: Ord + Clone> State<K> {
    /// When a key that was heard of may have its turn.
    fn allowed(&self, key: &K, now: Instant) -> Instant {
        let spent = self.spent.get(key).and_then(|spent| spent.checked_sub(APART * (AT_ONCE - 1)));
        spent.map_or(now, |spent| now.max(spent))
    }

    /// The key is not worked on any more. If that was for what was heard of it, it was
    /// one of the turns it is allowed, and what was heard meanwhile may have to wait.
    fn end(&mut self, key: &K) {
        if self.running.remove(key) != Some(true) {
            return;
        }
        let now = Instant::now();
        let spent = self.spent.get(key).map_or(now, |spent| now.max(*spent)) + APART;
        self.spent.insert(key.clone(), spent);
        let at = self.allowed(key, now);
        let Some(wish) = self.when.get_mut(key).filter(|wish| wish.heard && wish.at < at) else { return };
        self.due.remove(&(wish.at, key.clone()));
        wish.at = at;
        self.due.insert((at, key.clone()));
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

    /// The key that is due already.
    async fn at_once<K: Ord + Clone>(queue: &Queue<K>) -> Option<(K, Moment)> {
        tokio::select! {
            biased;
            turn = queue.next() => turn,
            () = std::future::ready(()) => None,
        }
    }

    /// Has the turns that come within so many milliseconds, each of which takes so long, while
    /// the key is heard of at every one of them; when the turns began.
    async fn storm(queue: &Queue<&str>, millis: u64, takes: u64) -> Vec<u64> {
        let start = Instant::now();
        let (mut turns, mut ends) = (Vec::new(), None);
        for at in 0..millis {
            tokio::time::sleep_until(start + Duration::from_millis(at)).await;
            let heard = Moment::now();
            queue.want_since("a", heard);
            if ends.is_some_and(|ends| ends <= at) {
                ends = None;
                queue.done(&"a");
            }
            if ends.is_none()
                && let Some(turn) = at_once(queue).await
            {
                assert_eq!(turn, ("a", heard), "it has to show the last that was heard");
                turns.push(at);
                ends = Some(at + takes);
            }
        }
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_what_is_heard_has_few_turns() {
        let queue = Queue::default();
        let turns = storm(&queue, 3000, 10).await;
        assert_eq!(turns, [0, 10, 20, 30, 510, 1010, 1510, 2010, 2510]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_heard_now_and_then_never_waits() {
        let queue = Queue::default();
        for _ in 0..20 {
            let heard = Instant::now();
            queue.want_since("a", Moment::now());
            assert_eq!(next(&queue).await, Some("a"));
            assert_eq!(heard.elapsed(), Duration::ZERO);
            queue.done(&"a");
            tokio::time::sleep(APART).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_own_step_and_another_key_do_not_wait_for_a_storm() {
        let queue = Queue::default();
        storm(&queue, 300, 10).await;
        let (begun, heard) = (Instant::now(), Moment::now());
        queue.want_since("a", heard);
        queue.want_since("b", heard);
        assert_eq!(next(&queue).await, Some("b"));
        assert_eq!(at_once(&queue).await, None, "it has to wait");
        queue.want("a", Instant::now());
        let (key, since) = queue.next().await.unwrap();
        assert_eq!((key, begun.elapsed()), ("a", Duration::ZERO));
        assert!(since > heard, "what was heard before is shown too");
        queue.done(&"a");
        assert!(queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_its_turn_has_to_show_what_was_heard_last() {
        let queue = Queue::default();
        storm(&queue, 300, 10).await;
        queue.want("a", Instant::now() + Duration::from_secs(9));
        let last = Moment::now();
        queue.want_since("a", last);
        queue.want("a", Instant::now() + Duration::from_secs(5));
        let (_, since) = queue.next().await.unwrap();
        assert_eq!(since, last);
        queue.done(&"a");
        // What is due anyway before that shows it as well.
        storm(&queue, 10, 1).await;
        let due = Instant::now() + Duration::from_millis(1);
        queue.want("a", due);
        queue.want_since("a", Moment::now());
        let (_, since) = queue.next().await.unwrap();
        assert_eq!((Instant::now(), since), (due, Moment::due(due)));
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
