//! The record, page by page.

use gradus_core::names::PipelineKey;
use gradus_engine::port::ledger::{Entry, HistoryQuery, Recorded};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::plain::Plain;
use super::view::find;
use super::wire::Wire;
use crate::store::Failure;

/// A page does not grow beyond this.
const PAGE: usize = 1000;

/// Reads a page in the transaction of the caller.
pub(super) fn history(
    connection: &Connection,
    pipeline: &PipelineKey,
    query: &HistoryQuery,
) -> Result<Vec<Recorded>, Failure> {
    let Some(pipeline) = find(connection, pipeline)? else { return Ok(Vec::new()) };
    let environment: Option<i64> = match &query.environment {
        None => None,
        Some(name) => {
            let found = connection
                .prepare_cached(
                    "SELECT id FROM subjects WHERE pipeline = ? AND kind = 'environment' AND name = ?",
                )?
                .query_row(params![pipeline, name.as_str()], |row| row.get(0))
                .optional()?;
            match found {
                Some(id) => Some(id),
                None => return Ok(Vec::new()),
            }
        }
    };
    // The first condition names the index to use; the plus keeps SQLite from
    // choosing the other one, which would have to be sorted.
    let mut statement = connection.prepare_cached(match query.deeds_only {
        true => {
            "SELECT id, until, body, recorded FROM entries
             WHERE pipeline = ?1 AND kind IN ('approval', 'request', 'wrote')
               AND (?2 IS NULL OR +subject = ?2) AND id < ?3
             ORDER BY id DESC LIMIT ?4"
        }
        false => {
            "SELECT id, until, body, recorded FROM entries
             WHERE pipeline = ?1 AND (?2 IS NULL OR +subject = ?2) AND id < ?3
             ORDER BY id DESC LIMIT ?4"
        }
    })?;
    let before = query.before.and_then(|id| i64::try_from(id).ok()).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![
        pipeline,
        environment,
        before,
        i64::try_from(query.limit.min(PAGE)).unwrap_or(0)
    ])?;
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let (body, recorded): (String, String) = (row.get(2)?, row.get(3)?);
        let at = Timestamp::checked(recorded).map_err(|why| unreadable(id, why))?;
        page.push(Recorded { id: id.unsigned_abs(), at, entry: entry(id, &body, row.get(1)?)? });
    }
    Ok(page)
}

/// Reads an entry, with how far it has come since.
pub(super) fn entry(id: i64, body: &str, until: Option<String>) -> Result<Entry, Failure> {
    let mut entry = Entry::of_json(body, || format!("entry {id}"))?;
    if let (Entry::Healthy { proof, .. }, Some(until)) = (&mut entry, until) {
        proof.until = Timestamp::checked(until).map_err(|why| unreadable(id, why))?;
    }
    Ok(entry)
}

fn unreadable(id: i64, why: String) -> Failure {
    Failure::Unreadable { what: format!("entry {id}"), why }
}
