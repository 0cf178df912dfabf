//! Sends what waits for one notification, one after the other, again and again until it is taken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gradus_core::news::News;
use gradus_core::notification::{Notification, NotificationKey};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::Parts;
use super::decide::short;
use super::desk::{lock, mark};
use crate::port::notify::{Again, MarkState, Memory, Receipt, Remember, SendError};
use crate::port::{PortError, PortErrorKind};

/// How often recording is tried.
const RECORDINGS: u32 = 5;

/// Something to tell.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: Arc<str>,
    pub(super) news: News,
}

pub(super) struct Worker {
    pub(super) parts: Parts,
    pub(super) notification: watch::Receiver<Arc<Notification>>,
    pub(super) memory: Arc<Mutex<Memory>>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Worker {
    pub(super) async fn work(mut self, mut jobs: mpsc::Receiver<Job>) {
        loop {
            let mut stop = self.stop.clone();
            let job = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                job = jobs.recv() => job,
            };
            let Some(job) = job else { return };
            if !self.tell(&job).await {
                return;
            }
        }
    }

    /// Tells something until it is taken or given up; `false` when told to stop meanwhile.
    async fn tell(&mut self, job: &Job) -> bool {
        let options = self.parts.options;
        let mut pause = options.first_pause;
        for tried in 1.. {
            let mut stop = self.stop.clone();
            let waking = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return false,
                waking = self.notification.wait_for(|notification| !notification.suspend) => waking,
            };
            let Ok(notification) = waking.map(|notification| notification.clone()) else { return false };
            let thread = lock(&self.memory).threads.get(&short(&job.news.thread)).cloned();
            let sent = self.parts.messenger.send(&notification, &job.news, thread.as_deref());
            let failed = match timeout(options.patience, sent).await {
                Ok(Ok(receipt)) => {
                    self.taken(&notification.key, job, receipt).await;
                    return true;
                }
                Ok(Err(failed)) => failed,
                Err(_) => SendError {
                    error: PortError::because(
                        PortErrorKind::Unreachable,
                        format!("telling notification {}", notification.key),
                        "it took too long",
                    ),
                    again: Again::After(None),
                },
            };
            let wanted = match failed.again {
                Again::After(wanted) if tried < options.tries => wanted.unwrap_or_default(),
                Again::After(_) | Again::Never => {
                    let why = failed.error.in_full();
                    give_up(&self.parts, &notification.key, &self.memory, job, why).await;
                    return true;
                }
            };
            let error = failed.error.in_full();
            tracing::warn!(notification = %notification.key, error, tried, "a message was not taken; it is tried again");
            let wait = pause.max(wanted).min(options.longest_pause);
            pause = (pause * 2).min(options.longest_pause);
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return false,
                () = sleep(wait) => {}
            }
        }
        true
    }

    async fn taken(&self, of: &NotificationKey, job: &Job, receipt: Receipt) {
        let now = self.parts.clock.now();
        let mut changes = vec![mark(&self.memory, job, now, MarkState::Sent)];
        let thread = short(&job.news.thread);
        if let Some(called) = receipt.thread
            && !lock(&self.memory).threads.contains_key(&thread)
        {
            let pipeline = job.news.pipeline.clone();
            changes.push(Remember::Thread { of: thread, pipeline, thread: called, at: now });
        }
        tracing::info!(notification = %of, title = job.news.title, answer = receipt.answer, "told");
        record(&self.parts, of, &self.memory, changes).await;
    }
}

/// Nobody took it: that is recorded and said.
pub(super) async fn give_up(
    parts: &Parts,
    of: &NotificationKey,
    memory: &Mutex<Memory>,
    job: &Job,
    why: String,
) {
    tracing::error!(notification = %of, title = job.news.title, error = why, "a message was not delivered");
    let change = mark(memory, job, parts.clock.now(), MarkState::Undelivered(why));
    record(parts, of, memory, vec![change]).await;
}

/// Records what became of a message. As long as this process runs it knows it anyway.
async fn record(parts: &Parts, of: &NotificationKey, memory: &Mutex<Memory>, changes: Vec<Remember>) {
    changes.iter().for_each(|change| lock(memory).apply(change));
    let mut pause = Duration::from_millis(200);
    for tried in 1..=RECORDINGS {
        let Err(error) = parts.told.remember(of, &changes).await else { return };
        let error = error.in_full();
        if tried == RECORDINGS {
            tracing::error!(notification = %of, error, "that a message was sent cannot be recorded; it may be sent again after a restart");
            return;
        }
        sleep(pause).await;
        pause *= 4;
    }
}
