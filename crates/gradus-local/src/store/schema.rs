//! The format of the file, and how an older one is brought up to date.

use rusqlite::Connection;

use super::failure::Failure;

/// What each version adds to the one before.
const STEPS: &[&str] =
    &[include_str!("schema.sql"), include_str!("told.sql"), include_str!("dispatched.sql")];

/// The mark in the file's header that says whose it is: "grad".
const APPLICATION: i64 = 0x6772_6164;

fn known() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Refuses a file of a newer format.
pub(super) fn check_version(connection: &Connection) -> Result<(), Failure> {
    let found = version(connection)?;
    if found > known() { Err(Failure::Newer { found, known: known() }) } else { Ok(()) }
}

/// Refuses a file that another program made.
pub(super) fn check_owner(connection: &Connection) -> Result<(), Failure> {
    let owner: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && owner != APPLICATION { Err(Failure::Foreign) } else { Ok(()) }
}

/// Refuses a file that is not whole.
pub(super) fn check_pages(connection: &Connection) -> Result<(), Failure> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match found.lines().last() {
        Some("ok") => Ok(()),
        Some(line) => Err(Failure::Damaged(line.to_owned())),
        None => Err(Failure::Damaged("it could not be looked at".to_owned())),
    }
}

/// Refuses a file without tables, which cannot be read.
pub(super) fn check_made(connection: &Connection) -> Result<(), Failure> {
    if version(connection)? == 0 { Err(Failure::Missing) } else { Ok(()) }
}

/// Makes the tables, or brings older ones up to date, in one transaction.
pub(super) fn bring_up_to_date(connection: &Connection) -> Result<(), Failure> {
    if version(connection)? == known() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let outcome = steps(connection).and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    outcome
}

fn steps(connection: &Connection) -> Result<(), Failure> {
    // Another process may have been faster.
    check_version(connection)?;
    let done = usize::try_from(version(connection)?).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", known())?;
    Ok(())
}

fn version(connection: &Connection) -> Result<i64, Failure> {
    Ok(connection.prepare_cached("PRAGMA user_version")?.query_row([], |row| row.get(0))?)
}
