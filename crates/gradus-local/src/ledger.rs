//! The ledger: what was said and done.

mod history;
mod identity;
pub(crate) mod plain;
pub(crate) mod record;
mod told;
pub(crate) mod view;
mod wire;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::PipelineKey;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::ledger::{Entry, HistoryQuery, Recorded, View};
use gradus_engine::port::{Clock, Ledger, PortError};

use crate::store::{Failure, Settings, Store};
use record::Ready;
pub use told::Message;

/// The ledger in an SQLite file. Cheap to clone; the file is closed with the
/// last clone.
///
/// Several processes may have the same file open. One thread writes, and a
/// write has reached the disk when the call returns. A caller that stops waiting
/// for a write does not stop it.
#[derive(Clone)]
pub struct SqliteLedger {
    pub(crate) store: Arc<Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl SqliteLedger {
    /// Opens a file, and makes it and its folder where they are missing.
    pub fn open(path: &Path) -> Result<Self, PortError> {
        Self::open_with(path, &Settings::default())
    }

    /// Opens a file that must be there already.
    pub fn open_existing(path: &Path) -> Result<Self, PortError> {
        Self::open_with(path, &Settings { create: false, ..Settings::default() })
    }

    /// Opens a file with other settings than the usual ones.
    pub fn open_with(path: &Path, settings: &Settings) -> Result<Self, PortError> {
        Ok(Self::on(Store::open(path, settings)?))
    }

    /// Opens a file that must be there, to read only; whoever writes to it is not disturbed.
    pub fn open_read_only(path: &Path) -> Result<Self, PortError> {
        Ok(Self::on(Store::open_read_only(path)?))
    }

    /// A ledger that is gone with the process.
    pub fn open_in_memory() -> Result<Self, PortError> {
        Ok(Self::on(Store::open_in_memory()?))
    }

    /// The same with another clock, which says when an entry was recorded.
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Copies the ledger as it is at this moment into a new file, while it is in
    /// use. The copy is one file without a journal. An existing file is not overwritten.
    pub async fn backup(&self, to: &Path) -> Result<(), PortError> {
        self.store.backup(to).await
    }

    fn on(store: Store) -> Self {
        Self { store: Arc::new(store), clock: Arc::new(SystemClock) }
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn view(&self, pipeline: &PipelineKey) -> Result<View, PortError> {
        let key = pipeline.clone();
        self.store
            .read(&format!("looking {pipeline} up in"), move |connection| view::view(connection, &key))
            .await
    }

    async fn record(&self, pipeline: &PipelineKey, entries: &[Entry]) -> Result<(), PortError> {
        let doing = match entries {
            [] => return Ok(()),
            [one] => format!("recording one {} of {pipeline} in", identity::kind(one)),
            more => format!("recording {} entries of {pipeline} in", more.len()),
        };
        let ready: Result<Vec<Ready>, Failure> = entries.iter().map(Ready::new).collect();
        let (key, now) = (pipeline.clone(), self.clock.now());
        match ready {
            Ok(ready) => self.store.write(&doing, move |link| record::record(link, &key, &ready, now)).await,
            Err(failure) => Err(self.store.fail(&doing, failure)),
        }
    }

    async fn history(
        &self,
        pipeline: &PipelineKey,
        query: &HistoryQuery,
    ) -> Result<Vec<Recorded>, PortError> {
        let (key, query) = (pipeline.clone(), query.clone());
        let doing = format!("reading the history of {pipeline} in");
        self.store.read(&doing, move |connection| history::history(connection, &key, &query)).await
    }
}
