//! What was told to whom.

mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::PipelineKey;
use gradus_core::news::{News, NewsKind};
use gradus_core::notification::NotificationKey;
use gradus_engine::port::notify::{Mark, MarkState, Memory, Remember};
use gradus_engine::port::{PortError, Told};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::SqliteLedger;
use super::plain::Plain;
use crate::store::Failure;
use wire::NewsWire;

/// So long it is remembered where a promotion is shown.
const THREADS: SignedDuration = SignedDuration::from_hours(24 * 90);

/// A message, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Of which notification, as `namespace/name`.
    pub notification: String,
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// What it says, in one line.
    pub title: String,
    /// `pending`, `sent` or `undelivered`.
    pub state: String,
    /// Why nobody took it.
    pub why: Option<String>,
    /// Since when it is so.
    pub at: Timestamp,
}

impl SqliteLedger {
    /// The newest messages, newest first; only those in one state, if one is named.
    pub async fn messages(&self, state: Option<&str>, limit: usize) -> Result<Vec<Message>, PortError> {
        let (state, limit) = (state.map(str::to_owned), i64::try_from(limit).unwrap_or(i64::MAX));
        let doing = "reading messages in";
        self.store.read(doing, move |connection| messages(connection, state.as_deref(), limit)).await
    }
}

#[async_trait]
impl Told for SqliteLedger {
    async fn memory(&self, of: &NotificationKey) -> Result<Memory, PortError> {
        let (key, doing) = (of.to_string(), format!("looking up what was told for {of} in"));
        self.store.read(&doing, move |connection| memory(connection, &key)).await
    }

    async fn remember(&self, of: &NotificationKey, changes: &[Remember]) -> Result<(), PortError> {
        let (key, changes, now) = (of.to_string(), changes.to_vec(), self.clock.now());
        let doing = format!("recording what is told for {of} in");
        self.store
            .write(&doing, move |connection| {
                changes.iter().try_for_each(|change| remember(connection, &key, change, now))
            })
            .await
    }
}

fn memory(connection: &Connection, of: &str) -> Result<Memory, Failure> {
    let mut memory = Memory::default();
    let mut statement = connection.prepare_cached(
        "SELECT id, pipeline, scope, kind, at, title, state, body FROM told WHERE notification = ?",
    )?;
    let mut rows = statement.query([of])?;
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let what = || format!("what was told as {id}");
        let mark = Mark {
            pipeline: checked(row.get(1)?, what)?,
            scope: row.get::<_, Option<String>>(2)?.map(Arc::from),
            kind: row.get::<_, Option<String>>(3)?.map(|kind| checked::<NewsKind>(kind, what)).transpose()?,
            at: checked(row.get(4)?, what)?,
            title: row.get(5)?,
            state: state(
                &row.get::<_, String>(6)?,
                row.get::<_, Option<String>>(7)?.unwrap_or_default(),
                what,
            )?,
        };
        memory.marks.insert(Arc::from(id), mark);
    }
    let mut statement = connection.prepare_cached("SELECT id, thread FROM threads WHERE notification = ?")?;
    let mut rows = statement.query([of])?;
    while let Some(row) = rows.next()? {
        memory.threads.insert(Arc::from(row.get::<_, String>(0)?), Arc::from(row.get::<_, String>(1)?));
    }
    Ok(memory)
}

fn remember(connection: &Connection, of: &str, change: &Remember, now: Timestamp) -> Result<(), Failure> {
    match change {
        Remember::Mark(id, mark) => {
            let body = match &mark.state {
                MarkState::Pending(news) => Some(to_json(news)?),
                MarkState::Undelivered(why) => Some(why.clone()),
                MarkState::Begun | MarkState::Past | MarkState::Sent => None,
            };
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO told (notification, id, pipeline, scope, kind, at, title, state, body)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    of,
                    &**id,
                    mark.pipeline.plain(),
                    mark.scope.as_deref(),
                    mark.kind.plain(),
                    mark.at.plain(),
                    mark.title,
                    mark.state.word(),
                    body
                ])?;
        }
        Remember::Forget(id) => {
            connection
                .prepare_cached("DELETE FROM told WHERE notification = ? AND id = ?")?
                .execute(params![of, &**id])?;
        }
        Remember::Thread { of: id, thread, at, pipeline: _ } => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO threads (notification, id, thread, at) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![of, &**id, &**thread, at.plain()])?;
            let old = now.checked_sub(THREADS).unwrap_or(Timestamp::MIN);
            connection.prepare_cached("DELETE FROM threads WHERE at < ?")?.execute([old.plain()])?;
        }
    }
    Ok(())
}

fn messages(connection: &Connection, state: Option<&str>, limit: i64) -> Result<Vec<Message>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT notification, pipeline, title, state, body, at FROM told
         WHERE state IN ('pending', 'sent', 'undelivered') AND (?1 IS NULL OR state = ?1)
         ORDER BY at DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![state, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let what = || "a message".to_owned();
        let (state, body): (String, Option<String>) = (row.get(3)?, row.get(4)?);
        found.push(Message {
            notification: row.get(0)?,
            pipeline: checked(row.get(1)?, what)?,
            title: row.get(2)?,
            why: body.filter(|_| state == "undelivered"),
            state,
            at: checked(row.get(5)?, what)?,
        });
    }
    Ok(found)
}

fn checked<T: Plain<Of = String>>(of: String, what: impl FnOnce() -> String) -> Result<T, Failure> {
    T::checked(of).map_err(|why| Failure::Unreadable { what: what(), why })
}

fn state(word: &str, body: String, what: impl FnOnce() -> String) -> Result<MarkState, Failure> {
    let unreadable = |why: String| Failure::Unreadable { what: what(), why };
    match word {
        "begun" => Ok(MarkState::Begun),
        "past" => Ok(MarkState::Past),
        "sent" => Ok(MarkState::Sent),
        "undelivered" => Ok(MarkState::Undelivered(body)),
        "pending" => {
            let news = NewsWire::deserialize(&mut serde_json::Deserializer::from_str(&body));
            Ok(MarkState::Pending(Box::new(news.map_err(|error| unreadable(error.to_string()))?)))
        }
        other => Err(unreadable(format!("there is no state {other:?}"))),
    }
}

fn to_json(news: &News) -> Result<String, Failure> {
    let mut json = Vec::new();
    let written = NewsWire::serialize(news, &mut serde_json::Serializer::new(&mut json));
    let text = written
        .map_err(|error| error.to_string())
        .and_then(|()| String::from_utf8(json).map_err(|error| error.to_string()));
    text.map_err(|why| Failure::Unreadable { what: "a new message".to_owned(), why })
}
