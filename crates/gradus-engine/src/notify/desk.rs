//! One notification: what it remembers, and what waits to be told for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::PipelineKey;
use gradus_core::news::{Found, News};
use gradus_core::notification::Notification;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::decide::{decide, pending};
use super::worker::{Job, Worker};
use super::{NotifyOptions, Parts};
use crate::port::notify::{MarkState, Memory, Remember};

/// One notification, while it is looked after.
pub(super) struct Desk {
    parts: Parts,
    notification: watch::Sender<Arc<Notification>>,
    /// Nothing is known until it was read once.
    memory: Option<Arc<Mutex<Memory>>>,
    jobs: mpsc::Sender<Job>,
    /// Taken by the worker once the memory is there.
    waiting: Option<(mpsc::Receiver<Job>, watch::Receiver<bool>)>,
    worker: Option<JoinHandle<()>>,
}

impl Desk {
    pub(super) fn new(
        parts: Parts,
        notification: Arc<Notification>,
        options: &NotifyOptions,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (jobs, waiting) = mpsc::channel(options.waiting.max(1));
        let notification = watch::Sender::new(notification);
        Self { parts, notification, memory: None, jobs, waiting: Some((waiting, stop)), worker: None }
    }

    /// The notification as it is now; what waits goes where it says now.
    pub(super) fn set(&self, notification: &Arc<Notification>) {
        self.notification.send_if_modified(|now| {
            let is_other = now != notification;
            if is_other {
                *now = notification.clone();
            }
            is_other
        });
    }

    pub(super) fn is_for(&self, pipeline: &PipelineKey) -> bool {
        self.notification.borrow().is_for(pipeline)
    }

    /// Reads what is remembered, and goes on with what was not told. Whether that worked.
    pub(super) async fn open(&mut self) -> bool {
        if self.memory.is_some() {
            return true;
        }
        let of = self.notification.borrow().key.clone();
        let memory = match self.parts.told.memory(&of).await {
            Ok(memory) => memory,
            Err(error) => {
                let error = error.in_full();
                tracing::warn!(notification = %of, error, "what was told before cannot be read; nothing is told until it can");
                return false;
            }
        };
        let left: Vec<(Arc<str>, News)> = pending(memory.marks.iter()).collect();
        let memory = Arc::new(Mutex::new(memory));
        if let Some((jobs, stop)) = self.waiting.take() {
            let worker = Worker {
                parts: self.parts.clone(),
                notification: self.notification.subscribe(),
                memory: memory.clone(),
                stop,
            };
            self.worker = Some(tokio::spawn(worker.work(jobs)));
        }
        self.memory = Some(memory.clone());
        self.hand_over(left, &memory).await;
        true
    }

    /// Decides what of this is news, remembers it and has it told. Whether that worked.
    pub(super) async fn hear(&mut self, pipeline: &PipelineKey, found: &Found) -> bool {
        if !self.open().await {
            return false;
        }
        let Some(memory) = self.memory.clone() else { return false };
        let notification = self.notification.borrow().clone();
        let now = self.parts.clock.now();
        let changes = decide(&notification, pipeline, found, &lock(&memory), now);
        if changes.is_empty() {
            return true;
        }
        if let Err(error) = self.parts.told.remember(&notification.key, &changes).await {
            let error = error.in_full();
            tracing::warn!(notification = %notification.key, error, "what is to be told cannot be recorded; it is tried again");
            return false;
        }
        changes.iter().for_each(|change| lock(&memory).apply(change));
        let marks = changes.iter().filter_map(|change| match change {
            Remember::Mark(id, mark) => Some((id, mark)),
            Remember::Forget(_) | Remember::Thread { .. } => None,
        });
        let news: Vec<(Arc<str>, News)> = pending(marks).collect();
        self.hand_over(news, &memory).await;
        true
    }

    /// Gives news to the worker. What there is no room for is not told, and that is said.
    async fn hand_over(&self, news: Vec<(Arc<str>, News)>, memory: &Arc<Mutex<Memory>>) {
        for (id, news) in news {
            let job = Job { id, news };
            if let Err(error) = self.jobs.try_send(job) {
                let job = error.into_inner();
                let why = "too many messages wait before it".to_owned();
                let of = self.notification.borrow().key.clone();
                super::worker::give_up(&self.parts, &of, memory, &job, why).await;
            }
        }
    }

    /// Lets the message that is being sent end.
    pub(super) async fn close(self) {
        let Self { jobs, worker, .. } = self;
        drop(jobs);
        if let Some(mut worker) = worker
            && tokio::time::timeout(super::LAST_WORDS, &mut worker).await.is_err()
        {
            worker.abort();
        }
    }
}

pub(super) fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Changes how far something is.
pub(super) fn mark(memory: &Mutex<Memory>, job: &Job, now: jiff::Timestamp, state: MarkState) -> Remember {
    let before = lock(memory).marks.get(&job.id).cloned();
    let mark = before.unwrap_or_else(|| crate::port::notify::Mark {
        pipeline: job.news.pipeline.clone(),
        scope: job.news.scope.as_deref().map(super::decide::short),
        kind: Some(job.news.kind),
        at: now,
        title: job.news.title.clone(),
        state: MarkState::Sent,
    });
    Remember::Mark(job.id.clone(), crate::port::notify::Mark { at: now, state, ..mark })
}
