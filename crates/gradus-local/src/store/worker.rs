//! A thread that owns a connection and does what it is sent, in order.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::failure::Failure;
use super::schema;

/// So many jobs at most share one transaction.
const BATCH: usize = 256;

/// What a worker's jobs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duty {
    Read,
    Write,
}

/// A thread with a connection of its own. Dropping it waits for the thread.
pub(crate) struct Worker {
    jobs: Option<Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub(crate) fn start(connection: Connection, duty: Duty) -> Result<Self, Failure> {
        let (jobs, inbox) = channel();
        let name = match duty {
            Duty::Read => "ledger-read",
            Duty::Write => "ledger-write",
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&connection, duty, &inbox))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Has a job done in a transaction and waits for its end. Work that fails
    /// together with that of others is done once more, alone. A caller that
    /// stops waiting does not stop the job.
    pub(crate) async fn ask<T, W>(&self, work: W) -> Result<T, Failure>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Asked { work, value: None, answer });
        let jobs = self.jobs.as_ref().ok_or(Failure::Stopped)?;
        jobs.send(job).map_err(|_gone| Failure::Stopped)?;
        answered.await.map_err(|_gone| Failure::Stopped)?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ledger's thread ended with a panic");
        }
    }
}

trait Job: Send {
    fn run(&mut self, connection: &Connection) -> Result<(), Failure>;
    fn finish(self: Box<Self>, outcome: Result<(), Failure>);
}

struct Asked<T, W> {
    work: W,
    value: Option<T>,
    answer: oneshot::Sender<Result<T, Failure>>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnMut(&Connection) -> Result<T, Failure> + Send,
{
    fn run(&mut self, connection: &Connection) -> Result<(), Failure> {
        self.value = Some((self.work)(connection)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), Failure>) {
        let Self { value, answer, .. } = *self;
        let result = outcome.and_then(|()| value.ok_or(Failure::Stopped));
        // Nobody waits for it any more where this fails; it is done all the same.
        drop(answer.send(result));
    }
}

fn work(connection: &Connection, duty: Duty, inbox: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = inbox.recv() {
        match duty {
            Duty::Read => alone(connection, duty, first),
            Duty::Write => {
                let mut jobs = vec![first];
                jobs.extend(inbox.try_iter().take(BATCH - 1));
                together(connection, jobs);
            }
        }
    }
}

/// One transaction for all that wait, because making it durable takes longer
/// than all the rest. Where one fails, each gets a transaction of its own.
fn together(connection: &Connection, mut jobs: Vec<Box<dyn Job>>) {
    if jobs.len() > 1 {
        let all = |connection: &Connection| jobs.iter_mut().try_for_each(|job| job.run(connection));
        if transaction(connection, Duty::Write, all).is_ok() {
            jobs.into_iter().for_each(|job| job.finish(Ok(())));
            return;
        }
    }
    jobs.into_iter().for_each(|job| alone(connection, Duty::Write, job));
}

fn alone(connection: &Connection, duty: Duty, mut job: Box<dyn Job>) {
    let outcome = transaction(connection, duty, |connection| job.run(connection));
    job.finish(outcome);
}

fn transaction(
    connection: &Connection,
    duty: Duty,
    work: impl FnOnce(&Connection) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let begin = match duty {
        Duty::Read => "BEGIN",
        Duty::Write => "BEGIN IMMEDIATE",
    };
    let outcome = (|| {
        connection.prepare_cached(begin)?.execute([])?;
        // A newer gradus may have changed the file since it was opened.
        schema::check_version(connection)?;
        work(connection)?;
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    })();
    if outcome.is_err()
        && !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a transaction of the ledger could not be taken back");
    }
    outcome
}
