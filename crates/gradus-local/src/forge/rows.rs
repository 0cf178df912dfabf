//! Proposals in the ledger's file.

use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, EnvironmentName, NameError, PipelineKey, ProposalNumber};
use gradus_engine::port::forge::{ProposalPlace, ProposalRecord, ProposalText};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{ProposalInfo, ProposalState};
use crate::ledger::record::pipeline_id;
use crate::ledger::view::find;
use crate::store::Failure;

/// So many of the newest proposals of a pipeline are listed.
const LISTED: i64 = 500;

/// What is known of a branch that was seen at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
    /// Its proposal, at this very commit.
    AsBefore(ProposalRecord),
    /// Its proposal, which was at this other commit.
    Moved(CommitId),
    /// A proposal that was closed at this commit; its branch is still there.
    Reopened,
    /// Nothing.
    New,
}

/// What became of a proposal, and the commit that its branch was at then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) state: ProposalState,
    pub(super) head: CommitId,
}

/// Looks, and changes nothing.
pub(super) fn sight(
    connection: &Connection,
    place: &ProposalPlace,
    head: &CommitId,
) -> Result<Sight, Failure> {
    let Some(row) = newest(connection, place)? else { return Ok(Sight::New) };
    let same = row.head == *head;
    Ok(match (&row.state, same) {
        // The branch of a merged proposal may be there for a while. It is that proposal.
        (ProposalState::Open | ProposalState::Merged { .. }, true) => Sight::AsBefore(record(&row)),
        (ProposalState::Open, false) => Sight::Moved(row.head),
        (ProposalState::Closed { .. }, true) => Sight::Reopened,
        (ProposalState::Merged { .. } | ProposalState::Closed { .. }, false) => Sight::New,
    })
}

/// The proposal of a branch that was seen, under its old number and with its old
/// texts, or with a new number and these texts.
pub(super) fn adopt(
    connection: &Connection,
    place: &ProposalPlace,
    text: &ProposalText,
) -> Result<ProposalRecord, Failure> {
    let row = match sight(connection, place, &text.head)? {
        Sight::AsBefore(record) => return Ok(record),
        Sight::Moved(_) | Sight::Reopened => newest(connection, place)?,
        Sight::New => None,
    };
    let Some(row) = row else { return open(connection, place, text) };
    connection
        .prepare_cached(
            "UPDATE proposals SET head = ?3, changed = ?4, state = 'open', merged = NULL, why = NULL
             WHERE repository = ?1 AND number = ?2",
        )?
        .execute(params![
            &*place.repository.url,
            number(row.number),
            text.head.as_str(),
            text.at.to_string()
        ])?;
    Ok(record(&row))
}

/// Opens a proposal, or brings the open one up to date. `replaced` is the head of
/// one whose branch was deleted before this one was made.
pub(super) fn say(
    connection: &Connection,
    place: &ProposalPlace,
    text: &ProposalText,
    replaced: Option<&CommitId>,
) -> Result<ProposalRecord, Failure> {
    let seen = sight(connection, place, &text.head)?;
    if let (Sight::Moved(before), Some(replaced)) = (&seen, replaced)
        && before == replaced
        && let Some(row) = newest(connection, place)?
    {
        let state = ProposalState::Closed { why: "its branch was deleted".to_owned() };
        end(connection, place, row.number, &Fate { state, head: row.head }, text.at)?;
        return open(connection, place, text);
    }
    if seen == Sight::New {
        return open(connection, place, text);
    }
    let record = adopt(connection, place, text)?;
    connection
        .prepare_cached(
            "UPDATE proposals SET title = ?3, body = ?4, base = ?5, changed = ?6
             WHERE repository = ?1 AND number = ?2 AND (title <> ?3 OR body <> ?4 OR base <> ?5)",
        )?
        .execute(params![
            &*place.repository.url,
            number(record.number),
            text.title,
            text.body,
            place.base.as_str(),
            text.at.to_string()
        ])?;
    Ok(record)
}

/// Notes what becomes of a proposal; says what it was before, if it is there.
pub(super) fn end(
    connection: &Connection,
    place: &ProposalPlace,
    which: ProposalNumber,
    fate: &Fate,
    now: Timestamp,
) -> Result<Option<Fate>, Failure> {
    let key = params![&*place.repository.url, number(which), place.branch.as_str()];
    let found = connection
        .prepare_cached(&format!("{SELECT} WHERE repository = ? AND number = ? AND branch = ?"))?
        .query_row(key, read)
        .optional()?;
    let Some(row) = found.transpose()? else { return Ok(None) };
    let before = Fate { state: row.state, head: row.head };
    // What made the merge commit knows it; whoever clears up later does not.
    let merged_before = matches!(before.state, ProposalState::Merged { commit: Some(_) });
    let knows_less = merged_before && fate.state == ProposalState::Merged { commit: None };
    if before != *fate && !(knows_less && before.head == fate.head) {
        let (state, merged, why) = match &fate.state {
            ProposalState::Open => ("open", None, None),
            ProposalState::Merged { commit } => ("merged", commit.as_ref().map(CommitId::as_str), None),
            ProposalState::Closed { why } => ("closed", None, Some(why.as_str())),
        };
        let (repository, head) = (&*place.repository.url, fate.head.as_str());
        connection
            .prepare_cached(
                "UPDATE proposals SET state = ?3, merged = ?4, why = ?5, head = ?6, changed = ?7
                 WHERE repository = ?1 AND number = ?2",
            )?
            .execute(params![repository, number(which), state, merged, why, head, now.to_string()])?;
    }
    Ok(Some(before))
}

/// The proposals of a pipeline, newest first.
pub(super) fn list(connection: &Connection, pipeline: &PipelineKey) -> Result<Vec<ProposalInfo>, Failure> {
    let Some(pipeline) = find(connection, pipeline)? else { return Ok(Vec::new()) };
    let mut statement = connection
        .prepare_cached(&format!("{SELECT} WHERE pipeline = ? ORDER BY opened DESC, number DESC LIMIT ?"))?;
    let mut rows = statement.query(params![pipeline, LISTED])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)??);
    }
    Ok(found)
}

const SELECT: &str = "SELECT repository, number, environment, base, branch, title, body, head, state, merged, why, \
                      opened, changed FROM proposals";

fn newest(connection: &Connection, place: &ProposalPlace) -> Result<Option<ProposalInfo>, Failure> {
    connection
        .prepare_cached(&format!(
            "{SELECT} WHERE repository = ? AND branch = ? ORDER BY number DESC LIMIT 1"
        ))?
        .query_row(params![&*place.repository.url, place.branch.as_str()], read)
        .optional()?
        .transpose()
}

fn open(
    connection: &Connection,
    place: &ProposalPlace,
    text: &ProposalText,
) -> Result<ProposalRecord, Failure> {
    let pipeline = pipeline_id(connection, &place.pipeline)?;
    let number: i64 = connection
        .prepare_cached("SELECT coalesce(max(number), 0) + 1 FROM proposals WHERE repository = ?")?
        .query_row([&*place.repository.url], |row| row.get(0))?;
    connection
        .prepare_cached(
            "INSERT INTO proposals (repository, number, pipeline, environment, base, branch, title, body, head,
                                    state, opened, changed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open', ?10, ?10)",
        )?
        .execute(params![
            &*place.repository.url,
            number,
            pipeline,
            place.environment.as_str(),
            place.base.as_str(),
            place.branch.as_str(),
            text.title,
            text.body,
            text.head.as_str(),
            text.at.to_string()
        ])?;
    Ok(ProposalRecord {
        number: ProposalNumber(number.unsigned_abs()),
        url: None,
        since: text.at,
        declined: None,
        queued: None,
    })
}

fn record(row: &ProposalInfo) -> ProposalRecord {
    ProposalRecord { number: row.number, url: None, since: row.opened, declined: None, queued: None }
}

/// Numbers are counted from 1 here, so that each one fits; any other is of no proposal.
fn number(number: ProposalNumber) -> i64 {
    i64::try_from(number.0).unwrap_or(0)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<ProposalInfo, Failure>> {
    let (repository, number): (String, i64) = (row.get(0)?, row.get(1)?);
    let (environment, base, branch): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
    let (title, body, head): (String, String, String) = (row.get(5)?, row.get(6)?, row.get(7)?);
    let (state, merged, why): (String, Option<String>, Option<String>) =
        (row.get(8)?, row.get(9)?, row.get(10)?);
    let (opened, changed): (String, String) = (row.get(11)?, row.get(12)?);
    let name = |error: NameError| error.to_string();
    let checked = || -> Result<ProposalInfo, String> {
        Ok(ProposalInfo {
            environment: EnvironmentName::parse(&environment).map_err(name)?,
            base: BranchName::parse(&base).map_err(name)?,
            branch: BranchName::parse(&branch).map_err(name)?,
            head: CommitId::parse(&head).map_err(name)?,
            state: match state.as_str() {
                "open" => ProposalState::Open,
                "merged" => ProposalState::Merged {
                    commit: merged.map(|commit| CommitId::parse(&commit).map_err(name)).transpose()?,
                },
                _closed => ProposalState::Closed { why: why.unwrap_or_default() },
            },
            opened: opened.parse().map_err(|error: jiff::Error| error.to_string())?,
            changed: changed.parse().map_err(|error: jiff::Error| error.to_string())?,
            number: ProposalNumber(number.unsigned_abs()),
            repository: Arc::from(&*repository),
            title,
            body,
        })
    };
    let unreadable = |why| Failure::Unreadable { what: format!("proposal {number} of {repository}"), why };
    Ok(checked().map_err(unreadable))
}
