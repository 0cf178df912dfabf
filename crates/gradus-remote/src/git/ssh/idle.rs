//! Connections that wait for the next question, for a moment.

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use super::Talk;
use crate::git::remote::lock;

/// How long a connection waits.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many wait.
const MOST: usize = 4;

#[derive(Default)]
pub(super) struct Idle(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    talks: Vec<(u64, Box<Talk>)>,
    put: u64,
}

impl Idle {
    /// The one that was put here last of those that fit. Those that have ended are dropped.
    pub(super) fn take(&self, fits: impl Fn(&Talk) -> bool) -> Option<Box<Talk>> {
        let mut waiting = lock(&self.0);
        waiting.talks.retain_mut(|(_, talk)| talk.goes_on());
        let at = waiting.talks.iter().rposition(|(_, talk)| fits(talk))?;
        Some(waiting.talks.remove(at).1)
    }

    /// Keeps a connection for a moment, and then ends it.
    pub(super) fn put(self: &Arc<Self>, talk: Box<Talk>) {
        let (number, late) = {
            let mut waiting = lock(&self.0);
            let (mut late, kept): (Vec<_>, Vec<_>) =
                std::mem::take(&mut waiting.talks).into_iter().partition(|(_, other)| talk.outdates(other));
            waiting.talks = kept;
            waiting.put += 1;
            let number = waiting.put;
            waiting.talks.push((number, talk));
            if waiting.talks.len() > MOST {
                late.push(waiting.talks.remove(0));
            }
            (number, late)
        };
        let home: Weak<Self> = Arc::downgrade(self);
        tokio::spawn(async move {
            for (_, late) in late {
                late.end().await;
            }
            tokio::time::sleep(PATIENCE).await;
            // Whoever forgot the repository dropped its connections with it.
            let late = home.upgrade().and_then(|home| home.remove(number));
            if let Some(late) = late {
                late.end().await;
            }
        });
    }

    fn remove(&self, number: u64) -> Option<Box<Talk>> {
        let mut waiting = lock(&self.0);
        let at = waiting.talks.iter().position(|(other, _)| *other == number)?;
        Some(waiting.talks.remove(at).1)
    }
}
