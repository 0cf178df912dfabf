//! The bytes of one answer, from whatever carries them, with a limit on their number and on silence.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::time::timeout;

use super::{
    error::{Fault, Outcome},
    process::ProcessStream,
    ssh::Talk,
};
use crate::git::GitErrorKind;

/// How long the end of an answer is awaited once everything of interest was read.
const LINGER: Duration = Duration::from_millis(500);

pub(super) struct Stream {
    source: Source,
    traffic: Arc<Counters>,
    stall: Duration,
    what: &'static str,
    limit: u64,
    taken: u64,
}

pub(super) enum Source {
    Http(reqwest::Response),
    Process(Box<ProcessStream>),
    Ssh(Box<Talk>),
}

impl Stream {
    pub(super) fn new(source: Source, traffic: Arc<Counters>, stall: Duration, bound: Bound) -> Self {
        Self { source, traffic, stall, what: bound.what, limit: bound.bytes, taken: 0 }
    }

    pub(super) async fn chunk(&mut self) -> Outcome<Option<Bytes>> {
        let next = async {
            match &mut self.source {
                Source::Http(response) => response
                    .chunk()
                    .await
                    .map_err(|source| Fault::caused(GitErrorKind::Interrupted, source.without_url())),
                Source::Process(process) => process.chunk().await,
                Source::Ssh(talk) => talk.chunk().await,
            }
        };
        let Ok(chunk) = timeout(self.stall, next).await else {
            return Err(GitErrorKind::Timeout("waiting for the next bytes").into());
        };
        let chunk = chunk?;
        let length = chunk.as_ref().map_or(0, Bytes::len) as u64;
        self.traffic.received.fetch_add(length, Ordering::Relaxed);
        self.taken += length;
        if self.taken > self.limit {
            return Err(GitErrorKind::TooLarge { what: self.what, limit: self.limit }.into());
        }
        Ok(chunk)
    }

    /// After the end: what the other side says of it, where it can say anything.
    pub(super) async fn verdict(&mut self) -> Outcome<()> {
        let verdict = async {
            match &mut self.source {
                Source::Http(_) => Ok(()),
                Source::Process(process) => process.verdict().await,
                Source::Ssh(talk) => talk.verdict().await,
            }
        };
        match timeout(self.stall, verdict).await {
            Ok(verdict) => verdict,
            Err(_) => Err(GitErrorKind::Timeout("waiting for git to end").into()),
        }
    }

    /// Whether the connection goes on after an answer, so that the answer has to be read to its own end.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.source, Source::Ssh(_))
    }

    pub(super) async fn finish(mut self) {
        match &self.source {
            Source::Http(_) => {
                // A failure here concerns bytes nobody needs; the connection is dropped instead of used again.
                let _ = timeout(LINGER, async { while let Ok(Some(_)) = self.chunk().await {} }).await;
            }
            Source::Process(_) | Source::Ssh(_) => {}
        }
        if let Source::Ssh(talk) = self.source {
            talk.rest().await;
        }
    }

    pub(super) fn into_source(self) -> Source {
        self.source
    }
}

/// How much of an answer is taken.
#[derive(Clone, Copy)]
pub(super) struct Bound {
    pub(super) what: &'static str,
    pub(super) bytes: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
}

impl Counters {
    pub(super) fn count_request(&self, sent: usize) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.sent.fetch_add(sent as u64, Ordering::Relaxed);
    }
}
