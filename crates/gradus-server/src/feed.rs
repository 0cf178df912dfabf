//! The feed of changes: every change gets a number, and everybody who listens hears of it.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::response::sse::Event;
use futures::Stream;
use gradus_core::names::PipelineKey;
use gradus_engine::Engine;
use jiff::Timestamp;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::api::v1::Changed;
use crate::app::App;

/// How many changes a listener may be behind.
const KEPT: usize = 256;

/// Numbers the engine's changes. The numbers of another run of the server begin
/// with another word, so that none is taken for one of this run.
pub(crate) struct Feed {
    run: i64,
    newest: AtomicU64,
    news: broadcast::Sender<Arc<News>>,
}

/// Something to tell.
struct News {
    number: u64,
    /// What happened; some changes were missed when absent.
    changed: Option<(PipelineKey, String)>,
}

impl Feed {
    pub(crate) fn new(started: Timestamp) -> Self {
        Self { run: started.as_millisecond(), newest: AtomicU64::new(0), news: broadcast::channel(KEPT).0 }
    }

    /// Passes on what the engine tells, until it tells nothing any more.
    pub(crate) async fn run(&self, engine: &Engine, mut changes: broadcast::Receiver<PipelineKey>) {
        loop {
            match changes.recv().await {
                Ok(key) => {
                    let changed = match engine.latest(&key) {
                        Some(looked) => Changed::of(&looked),
                        None => Changed::gone(&key),
                    };
                    match serde_json::to_string(&changed) {
                        Ok(json) => self.tell(Some((key, json))),
                        Err(_) => self.tell(None),
                    }
                }
                Err(RecvError::Lagged(_)) => self.tell(None),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn tell(&self, changed: Option<(PipelineKey, String)>) {
        let number = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        let _nobody_listens = self.news.send(Arc::new(News { number, changed }));
    }

    fn id(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }
}

/// Somebody who listens.
pub(crate) struct Listener {
    app: Arc<App>,
    news: broadcast::Receiver<Arc<News>>,
    only: Option<PipelineKey>,
    stop: watch::Receiver<bool>,
    /// Whether something was missed before the first event.
    missed: bool,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// Listens from now on, to changes of `only` this pipeline if it is given.
    pub(crate) fn new(
        app: &Arc<App>,
        only: Option<PipelineKey>,
        last_seen: Option<&str>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let news = app.feed.news.subscribe();
        let newest = app.feed.id(app.feed.newest.load(Ordering::Relaxed));
        let missed = last_seen.is_some_and(|id| id != newest);
        let (stop, until) = (app.stop.clone(), Instant::now() + app.limits.age);
        Self { app: app.clone(), news, only, stop, missed, until, _place: place }
    }

    /// The events, until the server stops or the stream is too old.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        futures::stream::unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.missed) {
            let newest = self.app.feed.newest.load(Ordering::Relaxed);
            return Some(self.missed_event(newest));
        }
        loop {
            let news = tokio::select! {
                news = self.news.recv() => news,
                _stopped = self.stop.wait_for(|stop| *stop) => return None,
                () = tokio::time::sleep_until(self.until) => return None,
            };
            match news {
                Ok(news) => match &news.changed {
                    Some((key, _)) if self.only.as_ref().is_some_and(|only| only != key) => {}
                    Some((_, json)) => {
                        let event = Event::default().event("changed").id(self.app.feed.id(news.number));
                        return Some(event.data(json));
                    }
                    None => return Some(self.missed_event(news.number)),
                },
                Err(RecvError::Lagged(_)) => {
                    self.news = self.news.resubscribe();
                    let newest = self.app.feed.newest.load(Ordering::Relaxed);
                    return Some(self.missed_event(newest));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn missed_event(&self, number: u64) -> Event {
        Event::default().event("missed").id(self.app.feed.id(number)).data("{}")
    }
}
