//! Which pipelines are to be looked at: each once, and none by two at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::watch::ObjectName;

/// Keys that wait to be looked at.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    came: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they came.
    line: VecDeque<ObjectName>,
    /// Those in the line.
    waiting: BTreeSet<ObjectName>,
    running: BTreeSet<ObjectName>,
    /// Those that came while they were being looked at.
    again: BTreeSet<ObjectName>,
    later: BTreeMap<ObjectName, Instant>,
}

impl Queue {
    /// This one is to be looked at.
    pub(super) fn add(&self, key: ObjectName) {
        self.state().add(key);
        self.came.notify_one();
    }

    /// This one is to be looked at after this time, if it was not before.
    pub(super) fn later(&self, key: &ObjectName, after: Duration) {
        let at = Instant::now() + after;
        let mut state = self.state();
        let known = state.later.entry(key.clone()).or_insert(at);
        *known = at.min(*known);
        drop(state);
        self.came.notify_one();
    }

    /// The next one, once there is one. Who takes it says when it is [`done`](Self::done).
    pub(super) async fn next(&self) -> ObjectName {
        loop {
            let came = self.came.notified();
            let soonest = {
                let mut state = self.state();
                state.come_due();
                if let Some(key) = state.take() {
                    if !state.line.is_empty() {
                        self.came.notify_one();
                    }
                    return key;
                }
                state.later.values().min().copied()
            };
            match soonest {
                None => came.await,
                Some(at) => tokio::select! {
                    () = came => {}
                    () = sleep_until(at) => {}
                },
            }
        }
    }

    /// This one was looked at.
    pub(super) fn done(&self, key: &ObjectName) {
        let mut state = self.state();
        state.running.remove(key);
        if state.again.remove(key) {
            state.add(key.clone());
            drop(state);
            self.came.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, key: ObjectName) {
        if self.running.contains(&key) {
            self.again.insert(key);
        } else if self.waiting.insert(key.clone()) {
            self.line.push_back(key);
        }
    }

    fn come_due(&mut self) {
        let now = Instant::now();
        let due: Vec<ObjectName> =
            self.later.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            self.later.remove(&key);
            self.add(key);
        }
    }

    fn take(&mut self) -> Option<ObjectName> {
        let key = self.line.pop_front()?;
        self.waiting.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::Queue;
    use crate::watch::ObjectName;

    fn key(name: &str) -> ObjectName {
        ObjectName::new("apps", name)
    }

    async fn next(queue: &Queue) -> Option<ObjectName> {
        timeout(Duration::from_millis(50), queue.next()).await.ok()
    }

    #[tokio::test]
    async fn one_that_came_often_is_looked_at_once_and_again_if_it_came_meanwhile() {
        let queue = Queue::default();
        for name in ["web", "api", "web"] {
            queue.add(key(name));
        }
        assert_eq!(next(&queue).await, Some(key("web")));
        queue.add(key("web"));
        assert_eq!(next(&queue).await, Some(key("api")), "nobody else looks at one that is looked at");
        assert_eq!(next(&queue).await, None);
        queue.done(&key("web"));
        assert_eq!(next(&queue).await, Some(key("web")));
        queue.done(&key("web"));
        assert_eq!(next(&queue).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_for_later_comes_at_the_earliest_time_that_was_named() {
        let queue = Queue::default();
        queue.later(&key("web"), Duration::from_secs(60));
        queue.later(&key("web"), Duration::from_secs(5));
        queue.later(&key("web"), Duration::from_secs(90));
        assert!(timeout(Duration::from_millis(4990), queue.next()).await.is_err());
        assert_eq!(timeout(Duration::from_millis(20), queue.next()).await.unwrap(), key("web"));
        queue.done(&key("web"));
        assert!(timeout(Duration::from_secs(600), queue.next()).await.is_err(), "once is enough");
    }
}
