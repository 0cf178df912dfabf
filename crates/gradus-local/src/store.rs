//! The SQLite file: one thread writes, others read.

mod backup;
mod failure;
mod open;
mod schema;
mod worker;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gradus_engine::port::PortError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use failure::Place;
pub(crate) use failure::{Failure, hint_at};
use worker::{Duty, Worker};

/// So many threads read.
const READERS: usize = 2;

/// How a ledger is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Whether the file is made where there is none.
    pub create: bool,
    /// Whether every page is looked at first, so that damage is found before it matters.
    pub check: bool,
    /// The file does not grow beyond this.
    pub max_bytes: Option<u64>,
    /// How long to wait for another process that writes.
    pub busy: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { create: true, check: true, max_bytes: None, busy: Duration::from_secs(5) }
    }
}

/// The file and the threads that work on it.
pub(crate) struct Store {
    place: Place,
    settings: Settings,
    /// Empty for a store in memory, which has one connection only. They end before
    /// the writer: the last to close the file must be able to empty its log.
    readers: Vec<Worker>,
    writer: Option<Worker>,
    turn: AtomicUsize,
}

impl Store {
    /// Opens a file to write and read.
    pub(crate) fn open(path: &Path, settings: &Settings) -> Result<Self, PortError> {
        let place = Place::File(path.to_owned());
        let opened = (|| {
            let writer = Worker::start(open::writer(path, settings)?, Duty::Write)?;
            Ok((writer, readers(path, settings, false)?))
        })();
        let (writer, readers) = opened.map_err(|failure: Failure| failure.while_doing("opening", &place))?;
        Ok(Self {
            place,
            settings: settings.clone(),
            writer: Some(writer),
            readers,
            turn: AtomicUsize::new(0),
        })
    }

    /// Opens a file to read only, beside whoever writes.
    pub(crate) fn open_read_only(path: &Path) -> Result<Self, PortError> {
        let place = Place::File(path.to_owned());
        let settings = Settings { create: false, ..Settings::default() };
        let readers = readers(path, &settings, settings.check)
            .map_err(|failure| failure.while_doing("opening", &place))?;
        Ok(Self { place, settings, writer: None, readers, turn: AtomicUsize::new(0) })
    }

    /// A store that is gone with the process.
    pub(crate) fn open_in_memory() -> Result<Self, PortError> {
        let settings = Settings::default();
        let writer = open::memory(&settings)
            .and_then(|connection| Worker::start(connection, Duty::Write))
            .map_err(|failure| failure.while_doing("opening", &Place::Memory))?;
        let (place, readers) = (Place::Memory, Vec::new());
        Ok(Self { place, settings, writer: Some(writer), readers, turn: AtomicUsize::new(0) })
    }

    /// Does work in a transaction that is durable when this returns.
    pub(crate) async fn write<T, W>(&self, doing: &str, work: W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let outcome = match &self.writer {
            Some(writer) => writer.ask(work).await,
            None => Err(Failure::ReadOnly),
        };
        outcome.map_err(|failure| failure.while_doing(doing, &self.place))
    }

    /// Does work that sees one moment of the store.
    pub(crate) async fn read<T, W>(&self, doing: &str, work: W) -> Result<T, PortError>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let reader = self.readers.get(turn % self.readers.len().max(1)).or(self.writer.as_ref());
        let outcome = match reader {
            Some(reader) => reader.ask(work).await,
            None => Err(Failure::Stopped),
        };
        outcome.map_err(|failure| failure.while_doing(doing, &self.place))
    }

    /// A failure that came before the store was asked.
    pub(crate) fn fail(&self, doing: &str, failure: Failure) -> PortError {
        failure.while_doing(doing, &self.place)
    }

    /// Copies the store into a new file while it is in use.
    pub(crate) async fn backup(&self, to: &Path) -> Result<(), PortError> {
        let doing = format!("writing a backup to {} of", to.display());
        let copy = Place::File(to.to_owned());
        let from = match &self.place {
            Place::File(path) => path.clone(),
            Place::Memory => return Err(self.fail(&doing, Failure::InMemory)),
        };
        let settings = Settings { check: false, ..self.settings.clone() };
        let connection = open::reader(&from, &settings).map_err(|failure| self.fail(&doing, failure))?;
        let (answer, answered) = oneshot::channel();
        let to = to.to_owned();
        // A copy takes its time; none of the threads that others wait for may be held up.
        let thread = std::thread::Builder::new().name("ledger-backup".to_owned()).spawn(move || {
            // Nobody waits any more where this fails.
            drop(answer.send(backup::backup(&connection, &to)));
        });
        let copied = match thread {
            Ok(_runs) => answered.await.unwrap_or(Err(Failure::Stopped)),
            Err(error) => Err(Failure::Files(error)),
        };
        copied.map_err(|failure| failure.at(&copy, &doing, &self.place))
    }
}

fn readers(path: &Path, settings: &Settings, check: bool) -> Result<Vec<Worker>, Failure> {
    let mut readers = Vec::with_capacity(READERS);
    while readers.len() < READERS {
        // One look at every page is enough.
        let settings = Settings { check: check && readers.is_empty(), ..settings.clone() };
        readers.push(Worker::start(open::reader(path, &settings)?, Duty::Read)?);
    }
    Ok(readers)
}
