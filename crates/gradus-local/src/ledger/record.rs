//! Adding entries.

use std::collections::BTreeSet;

use gradus_core::names::{EnvironmentName, PipelineKey, TargetName};
use gradus_core::observation::{Proof, TargetState};
use gradus_core::release::Release;
use gradus_engine::port::ledger::{Entry, Reported, Wrote, after_report};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::identity::{Key, key, kind};
use super::plain::Plain;
use super::wire::Wire;
use crate::store::Failure;

/// An entry does not grow beyond this.
const ENTRY_BYTES: usize = 256 << 10;

/// An entry that is ready to be written.
pub(super) struct Ready {
    entry: Entry,
    kind: &'static str,
    key: Key,
    body: String,
}

impl Ready {
    /// Prepares an entry, away from the thread that everybody waits for.
    pub(super) fn new(entry: &Entry) -> Result<Self, Failure> {
        let body = entry.to_json()?;
        if body.len() > ENTRY_BYTES {
            return Err(Failure::TooLarge { what: kind(entry), size: body.len(), limit: ENTRY_BYTES });
        }
        Ok(Self { entry: entry.clone(), kind: kind(entry), key: key(entry)?, body })
    }
}

/// Adds entries, in the transaction of the caller.
pub(super) fn record(
    connection: &Connection,
    pipeline: &PipelineKey,
    entries: &[Ready],
    now: Timestamp,
) -> Result<(), Failure> {
    let mut hand = Hand { connection, pipeline: pipeline_id(connection, pipeline)?, now };
    // What comes again must change nothing. Of verdicts that follow each other in
    // one call some were not news when they came and would be the second time.
    let mut superseded = BTreeSet::new();
    let mut kept: Vec<&Ready> = entries
        .iter()
        .rev()
        .filter(|ready| match &ready.entry {
            Entry::Verdict { environment, .. } => superseded.insert(environment),
            Entry::Report { .. }
            | Entry::Approval { .. }
            | Entry::Request { .. }
            | Entry::Check { .. }
            | Entry::Healthy { .. }
            | Entry::Seen { .. }
            | Entry::Wrote(_) => true,
        })
        .collect();
    kept.reverse();
    kept.into_iter().try_for_each(|ready| hand.add(ready))
}

/// The number of a pipeline; a new one where it has none yet.
pub(crate) fn pipeline_id(connection: &Connection, pipeline: &PipelineKey) -> Result<i64, Failure> {
    let names = params![pipeline.namespace.as_str(), pipeline.name.as_str()];
    let found = connection
        .prepare_cached("SELECT id FROM pipelines WHERE namespace = ? AND name = ?")?
        .query_row(names, |row| row.get(0))
        .optional()?;
    match found {
        Some(id) => Ok(id),
        None => Ok(connection
            .prepare_cached("INSERT INTO pipelines (namespace, name) VALUES (?, ?)")?
            .insert(names)?),
    }
}

/// Writes for one pipeline.
struct Hand<'a> {
    connection: &'a Connection,
    pipeline: i64,
    now: Timestamp,
}

impl Hand<'_> {
    fn add(&mut self, ready: &Ready) -> Result<(), Failure> {
        match &ready.entry {
            Entry::Report { environment, target, reported, by: _, at } => {
                let subject = self.environment(environment)?;
                if self.insert(ready, subject, None)? {
                    self.report(subject, target, reported, *at)?;
                }
            }
            Entry::Approval { environment, .. }
            | Entry::Request { environment, .. }
            | Entry::Check { environment, .. } => {
                let subject = self.environment(environment)?;
                self.insert(ready, subject, None)?;
            }
            Entry::Healthy { environment, proof } => {
                let subject = self.environment(environment)?;
                if !self.insert(ready, subject, Some(proof.until))? {
                    self.extend(ready, proof)?;
                }
            }
            Entry::Verdict { environment, .. } => {
                let subject = self.environment(environment)?;
                if self.is_news(subject, &ready.entry)? {
                    self.insert(ready, subject, None)?;
                }
            }
            Entry::Seen { artifact, .. } => {
                let subject = self.subject("artifact", artifact.as_str())?;
                self.insert(ready, subject, None)?;
            }
            Entry::Wrote(wrote) => {
                let subject = self.environment(&wrote.environment)?;
                if self.insert(ready, subject, None)? {
                    self.wrote(subject, wrote)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the entry unless it is there; says whether it was added.
    fn insert(&self, ready: &Ready, subject: i64, until: Option<Timestamp>) -> Result<bool, Failure> {
        let added = self
            .connection
            .prepare_cached(
                "INSERT INTO entries (pipeline, subject, kind, key, recorded, until, body)
                 VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pipeline, key) DO NOTHING",
            )?
            .execute(params![
                self.pipeline,
                subject,
                ready.kind,
                ready.key,
                self.now.plain(),
                until.plain(),
                ready.body
            ])?;
        Ok(added > 0)
    }

    /// What follows from what was written. The entry was inserted just now.
    fn wrote(&self, subject: i64, wrote: &Wrote) -> Result<(), Failure> {
        if wrote.dispatched().is_some() {
            let entry = self.connection.last_insert_rowid();
            self.connection
                .prepare_cached("INSERT INTO dispatched (subject, entry) VALUES (?, ?)")?
                .execute(params![subject, entry])?;
        }
        if wrote.action.promotes()
            && let Some(to) = &wrote.to
        {
            self.connection
                .prepare_cached("UPDATE subjects SET promoted = ? WHERE id = ?")?
                .execute(params![to.to_json()?, subject])?;
        }
        Ok(())
    }

    /// What a report makes of its target, unless a newer one was there first.
    fn report(
        &self,
        subject: i64,
        target: &TargetName,
        reported: &Reported,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let before: Option<(String, String)> = self
            .connection
            .prepare_cached("SELECT state, at FROM targets WHERE subject = ? AND name = ?")?
            .query_row(params![subject, target.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let before = match before {
            Some((_, newest)) if time(&newest)? > at => return Ok(()),
            Some((state, _)) => {
                Some(TargetState::of_json(&state, || format!("the state of the target {target}"))?)
            }
            None => None,
        };
        let state = after_report(before.as_ref(), reported, at).to_json()?;
        self.connection
            .prepare_cached(
                "INSERT INTO targets (subject, name, state, at) VALUES (?, ?, ?, ?)
                 ON CONFLICT (subject, name) DO UPDATE SET state = excluded.state, at = excluded.at",
            )?
            .execute(params![subject, target.as_str(), state, at.plain()])?;
        Ok(())
    }

    /// Moves the end of a span, never back.
    fn extend(&self, ready: &Ready, proof: &Proof) -> Result<(), Failure> {
        let (id, until): (i64, String) = self
            .connection
            .prepare_cached("SELECT id, until FROM entries WHERE pipeline = ? AND key = ?")?
            .query_row(params![self.pipeline, ready.key], |row| Ok((row.get(0)?, row.get(1)?)))?;
        if time(&until)? < proof.until {
            self.connection
                .prepare_cached("UPDATE entries SET until = ? WHERE id = ?")?
                .execute(params![proof.until.plain(), id])?;
        }
        Ok(())
    }

    /// Whether a verdict differs from the newest one in more than its time, and is not older.
    fn is_news(&self, subject: i64, entry: &Entry) -> Result<bool, Failure> {
        let newest: Option<(i64, String)> = self
            .connection
            .prepare_cached(
                "SELECT id, body FROM entries WHERE subject = ? AND kind = 'verdict' ORDER BY id DESC LIMIT 1",
            )?
            .query_row([subject], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((id, body)) = newest else { return Ok(true) };
        let newest = Entry::of_json(&body, || format!("entry {id}"))?;
        let (Some((was, then)), Some((is, now))) = (verdict(&newest), verdict(entry)) else {
            return Ok(true);
        };
        Ok(was != is && then <= now)
    }

    fn environment(&self, name: &EnvironmentName) -> Result<i64, Failure> {
        self.subject("environment", name.as_str())
    }

    fn subject(&self, kind: &str, name: &str) -> Result<i64, Failure> {
        let found = self
            .connection
            .prepare_cached("SELECT id FROM subjects WHERE pipeline = ? AND kind = ? AND name = ?")?
            .query_row(params![self.pipeline, kind, name], |row| row.get(0))
            .optional()?;
        match found {
            Some(id) => Ok(id),
            None => Ok(self
                .connection
                .prepare_cached("INSERT INTO subjects (pipeline, kind, name) VALUES (?, ?, ?)")?
                .insert(params![self.pipeline, kind, name])?),
        }
    }
}

fn time(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::checked(text.to_owned())
        .map_err(|why| Failure::Unreadable { what: format!("the time {text:?}"), why })
}

/// What a verdict says.
#[derive(PartialEq, Eq)]
struct Words<'a> {
    verdict: &'a str,
    release: Option<&'a Release>,
    detail: &'a str,
}

fn verdict(entry: &Entry) -> Option<(Words<'_>, Timestamp)> {
    if let Entry::Verdict { environment: _, verdict, release, detail, at } = entry {
        Some((Words { verdict, release: release.as_ref(), detail }, *at))
    } else {
        None
    }
}
