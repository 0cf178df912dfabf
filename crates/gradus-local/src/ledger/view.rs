//! What the planner needs of one pipeline.

use gradus_core::names::{EnvironmentName, PipelineKey, TargetName};
use gradus_core::observation::TargetState;
use gradus_core::release::Release;
use gradus_engine::port::ledger::{Entry, View};
use rusqlite::{Connection, OptionalExtension, Rows, params};

use super::history::entry;
use super::plain::Plain;
use super::wire::Wire;
use crate::store::Failure;

/// So many of the newest approvals, requests and checks of an environment are shown.
const SAID: i64 = 500;
/// So many of the newest healthy spans of an environment are shown.
const SPANS: i64 = 200;
/// So much of what automation was asked for in an environment is shown, the newest of it.
const ASKED: i64 = 100;
/// So many of the newest versions of an artifact are shown.
const VERSIONS: i64 = 1000;

/// Reads it in the transaction of the caller.
pub(super) fn view(connection: &Connection, pipeline: &PipelineKey) -> Result<View, Failure> {
    let mut view = View::default();
    let Some(pipeline) = find(connection, pipeline)? else { return Ok(view) };
    for Subject { id, kind, name, promoted } in subjects(connection, pipeline)? {
        if kind == "artifact" {
            newest(connection, id, "seen", VERSIONS, &mut view)?;
            continue;
        }
        for (kind, limit) in [("approval", SAID), ("request", SAID), ("check", SAID), ("healthy", SPANS)] {
            newest(connection, id, kind, limit, &mut view)?;
        }
        dispatched(connection, id, &mut view)?;
        let environment = checked::<EnvironmentName>(name)?;
        targets(connection, id, &environment, &mut view)?;
        if let Some(promoted) = promoted {
            let release = Release::of_json(&promoted, || format!("what was promoted into {environment}"))?;
            view.promoted.insert(environment, release);
        }
    }
    Ok(view)
}

/// The number of a pipeline that has entries.
pub(crate) fn find(connection: &Connection, pipeline: &PipelineKey) -> Result<Option<i64>, Failure> {
    let names = params![pipeline.namespace.as_str(), pipeline.name.as_str()];
    Ok(connection
        .prepare_cached("SELECT id FROM pipelines WHERE namespace = ? AND name = ?")?
        .query_row(names, |row| row.get(0))
        .optional()?)
}

struct Subject {
    id: i64,
    kind: String,
    name: String,
    promoted: Option<String>,
}

fn subjects(connection: &Connection, pipeline: i64) -> Result<Vec<Subject>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT id, kind, name, promoted FROM subjects WHERE pipeline = ?")?;
    let rows = statement.query_map([pipeline], |row| {
        Ok(Subject { id: row.get(0)?, kind: row.get(1)?, name: row.get(2)?, promoted: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn targets(
    connection: &Connection,
    subject: i64,
    environment: &EnvironmentName,
    view: &mut View,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached("SELECT name, state FROM targets WHERE subject = ?")?;
    let mut rows = statement.query([subject])?;
    while let Some(row) = rows.next()? {
        let target = checked::<TargetName>(row.get(0)?)?;
        let state: String = row.get(1)?;
        let state = TargetState::of_json(&state, || format!("the state of {target} in {environment}"))?;
        view.targets.insert((environment.clone(), target), state);
    }
    Ok(())
}

/// Adds the newest entries of one kind, oldest first.
fn newest(
    connection: &Connection,
    subject: i64,
    kind: &str,
    limit: i64,
    view: &mut View,
) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT id, until, body FROM entries WHERE subject = ? AND kind = ? ORDER BY id DESC LIMIT ?",
    )?;
    put_all(statement.query(params![subject, kind, limit])?, view)
}

/// Adds what automation was asked for, oldest first.
fn dispatched(connection: &Connection, subject: i64, view: &mut View) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT entries.id, entries.until, entries.body FROM dispatched
         JOIN entries ON entries.id = dispatched.entry
         WHERE dispatched.subject = ? ORDER BY dispatched.entry DESC LIMIT ?",
    )?;
    put_all(statement.query(params![subject, ASKED])?, view)
}

/// Adds entries that are read newest first, oldest first.
fn put_all(mut rows: Rows<'_>, view: &mut View) -> Result<(), Failure> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        found.push(entry(row.get(0)?, &body, row.get(1)?)?);
    }
    found.into_iter().rev().for_each(|entry| put(view, entry));
    Ok(())
}

fn put(view: &mut View, entry: Entry) {
    match entry {
        Entry::Approval { environment, approval } => {
            view.approvals.entry(environment).or_default().push(approval)
        }
        Entry::Request { environment, request } => {
            view.requests.entry(environment).or_default().push(request)
        }
        Entry::Check { environment, fact } => view.checks.entry(environment).or_default().push(fact),
        Entry::Healthy { environment, proof } => view.proofs.entry(environment).or_default().push(proof),
        Entry::Seen { artifact, version, at: _ } => view.seen.entry(artifact).or_default().push(version),
        Entry::Wrote(wrote) => {
            if let Some(dispatched) = wrote.dispatched() {
                view.dispatched.entry(wrote.environment).or_default().push(dispatched);
            }
        }
        // These are not asked for: what follows from them is kept beside them.
        Entry::Report { .. } | Entry::Verdict { .. } => {}
    }
}

fn checked<T: Plain<Of = String>>(name: String) -> Result<T, Failure> {
    let what = format!("the name {name:?}");
    T::checked(name).map_err(|why| Failure::Unreadable { what, why })
}
