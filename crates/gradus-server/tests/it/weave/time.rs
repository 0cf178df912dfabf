//! A time that stands still until it is moved.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use gradus_server::weave::port::Time;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::client::PATIENCE;

/// A time that stands still until it is moved.
pub(crate) struct FakeTime(watch::Sender<Times>);

struct Times {
    now: Timestamp,
    next: u64,
    sleepers: BTreeMap<u64, Timestamp>,
}

pub(crate) const START: &str = "2026-01-05T09:00:00Z";

impl Default for FakeTime {
    fn default() -> Self {
        let now = START.parse().unwrap();
        Self(watch::Sender::new(Times { now, next: 0, sleepers: BTreeMap::new() }))
    }
}

struct Asleep<'a>(&'a FakeTime, u64);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|times| times.sleepers.retain(|number, _| *number != self.1));
    }
}

#[async_trait]
impl Time for FakeTime {
    fn now(&self) -> Timestamp {
        self.0.borrow().now
    }

    async fn sleep(&self, pause: Duration) {
        let mut times = self.0.subscribe();
        let (mut number, mut until) = (0, Timestamp::UNIX_EPOCH);
        self.0.send_modify(|times| {
            (number, until) = (times.next, times.now + pause);
            times.next += 1;
            times.sleepers.insert(number, until);
        });
        let _asleep = Asleep(self, number);
        times.wait_for(|times| times.now >= until).await.expect("there is time");
    }
}

impl FakeTime {
    /// It is later now.
    pub(crate) fn advance(&self, by: Duration) {
        self.0.send_modify(|times| times.move_to(times.now + by));
    }

    /// How much has passed.
    pub(crate) fn passed(&self) -> Duration {
        let start: Timestamp = START.parse().unwrap();
        self.now().duration_since(start).unsigned_abs()
    }

    /// Waits until so many sleep.
    pub(crate) async fn asleep(&self, count: usize) {
        let mut times = self.0.subscribe();
        let slept =
            tokio::time::timeout(PATIENCE, times.wait_for(|times| times.sleepers.len() >= count)).await;
        drop(slept.expect("so many sleep in the end").expect("there is time"));
    }

    /// Waits until nobody sleeps any more.
    pub(crate) async fn nobody_asleep(&self) {
        let mut times = self.0.subscribe();
        let woken = tokio::time::timeout(PATIENCE, times.wait_for(|times| times.sleepers.is_empty())).await;
        drop(woken.expect("they wake in the end").expect("there is time"));
    }

    /// Wakes the next one whenever so many sleep, for as long as it is polled.
    pub(crate) async fn pass_when_asleep(&self, count: usize) {
        let mut times = self.0.subscribe();
        while times.wait_for(|times| times.sleepers.len() >= count).await.is_ok() {
            self.0.send_modify(|times| {
                if let Some(next) = times.sleepers.values().min().copied() {
                    times.move_to(next);
                }
            });
        }
    }
}

impl Times {
    fn move_to(&mut self, now: Timestamp) {
        self.now = now;
        self.sleepers.retain(|_, until| *until > now);
    }
}
