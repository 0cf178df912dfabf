//! Telling people: what sends a message, and what remembers that it was sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::names::PipelineKey;
use gradus_core::news::{News, NewsKind};
use gradus_core::notification::{Notification, NotificationKey};
use jiff::Timestamp;

use super::PortError;

/// Sends messages.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Tells something once. `thread` is what an earlier message of the same promotion was answered with.
    async fn send(&self, to: &Notification, news: &News, thread: Option<&str>) -> Result<Receipt, SendError>;
}

/// A message was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What later messages of the same promotion are to be given, where there are threads.
    pub thread: Option<Arc<str>>,
    /// What the other side said, for people.
    pub answer: String,
}

/// A message was not taken.
#[derive(Debug)]
pub struct SendError {
    /// Why.
    pub error: PortError,
    /// Whether it is worth trying again.
    pub again: Again,
}

/// Whether a message that was not taken is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is; not before this time, if the other side named one.
    After(Option<Duration>),
    /// It would be refused for ever.
    Never,
}

/// Remembers what was told.
#[async_trait]
pub trait Told: Send + Sync {
    /// All that is remembered of a notification.
    async fn memory(&self, of: &NotificationKey) -> Result<Memory, PortError>;

    /// Remembers more, all or nothing.
    async fn remember(&self, of: &NotificationKey, changes: &[Remember]) -> Result<(), PortError>;
}

/// All that is remembered of a notification.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// What is not told again, by a short name of it.
    pub marks: BTreeMap<Arc<str>, Mark>,
    /// Where what belongs together is shown, by a short name of it.
    pub threads: BTreeMap<Arc<str>, Arc<str>>,
}

impl Memory {
    /// Takes up a change.
    pub fn apply(&mut self, change: &Remember) {
        match change {
            Remember::Mark(id, mark) => drop(self.marks.insert(id.clone(), mark.clone())),
            Remember::Forget(id) => drop(self.marks.remove(id)),
            Remember::Thread { of, thread, .. } => drop(self.threads.insert(of.clone(), thread.clone())),
        }
    }
}

/// Something that is not told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// What has to be looked at to know whether it still is so, by a short name of it.
    pub scope: Option<Arc<str>>,
    /// What kind of news, where that is known.
    pub kind: Option<NewsKind>,
    /// Since when.
    pub at: Timestamp,
    /// What it is, in one line.
    pub title: String,
    /// How far it is.
    pub state: MarkState,
}

/// How far something is that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkState {
    /// From here on something is news.
    Begun,
    /// It was so before, and is not told.
    Past,
    /// It is to be told.
    Pending(Box<News>),
    /// It was told.
    Sent,
    /// Nobody took it, for this reason.
    Undelivered(String),
}

impl MarkState {
    /// The one word that people read.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Past => "past",
            Self::Pending(_) => "pending",
            Self::Sent => "sent",
            Self::Undelivered(_) => "undelivered",
        }
    }
}

/// A change of what is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remember {
    /// This is not told again.
    Mark(Arc<str>, Mark),
    /// This may be told again.
    Forget(Arc<str>),
    /// Here is shown what belongs together.
    Thread {
        /// A short name of what belongs together.
        of: Arc<str>,
        /// Of which pipeline.
        pipeline: PipelineKey,
        /// What the receiver calls it.
        thread: Arc<str>,
        /// Since when.
        at: Timestamp,
    },
}
