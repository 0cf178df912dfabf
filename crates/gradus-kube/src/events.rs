//! Kubernetes events: each change is told once, on the object of its pipeline.

use std::sync::{Mutex, PoisonError};

use gradus_core::names::PipelineKey;
use gradus_engine::port::ledger::{Action, Entry, Wrote};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use tokio::sync::mpsc;

use crate::kinds::{API_VERSION, Kind};
use crate::lease::Causes;
use crate::ledger::Listener;

/// How many events may wait to be written; more are dropped, since none is needed.
const WAITING: usize = 1024;
/// The longest note that an event may have.
const NOTE: usize = 1000;

/// Something to tell about a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) pipeline: PipelineKey,
    pub(crate) bad: bool,
    pub(crate) reason: &'static str,
    /// What it is about, so that two changes are not taken for one.
    pub(crate) about: String,
    pub(crate) note: String,
}

/// Hears what is recorded, and passes on what is worth an event.
pub struct EventSink {
    sender: mpsc::Sender<News>,
    receiver: Mutex<Option<mpsc::Receiver<News>>>,
}

impl Default for EventSink {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Listener for EventSink {
    fn recorded(&self, pipeline: &PipelineKey, entry: &Entry) {
        let Entry::Wrote(wrote) = entry else { return };
        // What was found in Git was written before, and told then.
        if wrote.detail == "found in Git" {
            return;
        }
        self.tell(written(pipeline, wrote));
    }
}

impl EventSink {
    pub(crate) fn tell(&self, news: News) {
        if self.sender.try_send(news).is_err() {
            tracing::debug!("an event was dropped: too many wait to be written");
        }
    }

    pub(crate) fn receiver(&self) -> Option<mpsc::Receiver<News>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn written(pipeline: &PipelineKey, wrote: &Wrote) -> News {
    let reason = match wrote.action {
        Action::Pushed => "Promoted",
        Action::Proposed => "Proposed",
        Action::Updated => "ProposalUpdated",
        Action::Merged => "Merged",
        Action::Closed => "ProposalClosed",
        Action::Dispatched => "Dispatched",
    };
    let to = wrote.to.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
    let from = wrote.from.as_ref().map_or_else(String::new, |from| format!(" from {from}"));
    let (environment, word) = (&wrote.environment, wrote.action.word());
    let note = match wrote.dispatched() {
        Some(one) => format!("automation was asked for {to} in {environment}, promotion {}", one.promotion),
        None => format!("{environment} {word}{from} to {to}, commit {}", wrote.commit.short()),
    };
    News {
        pipeline: pipeline.clone(),
        bad: false,
        reason,
        about: format!("{} {to}", wrote.environment),
        note,
    }
}

/// Writes events until nobody tells any more.
pub(crate) async fn publish(
    client: Client,
    identity: String,
    mut news: mpsc::Receiver<News>,
    uid_of: impl Fn(&PipelineKey) -> Option<String>,
) {
    let recorder =
        Recorder::new(client, Reporter { controller: "gradus".to_owned(), instance: Some(identity) });
    while let Some(one) = news.recv().await {
        let reference = ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(Kind::Pipeline.as_str().to_owned()),
            namespace: Some(one.pipeline.namespace.to_string()),
            name: Some(one.pipeline.name.to_string()),
            uid: uid_of(&one.pipeline),
            ..ObjectReference::default()
        };
        let event = Event {
            type_: if one.bad { EventType::Warning } else { EventType::Normal },
            reason: one.reason.to_owned(),
            note: Some(one.note.chars().take(NOTE).collect()),
            action: one.about.chars().take(120).collect(),
            secondary: None,
        };
        if let Err(error) = recorder.publish(&event, &reference).await {
            let error = Causes(&error);
            tracing::warn!(%error, pipeline = %one.pipeline, "an event could not be written");
        }
    }
}
