//! Connections, opened with care.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::Settings;
use super::failure::Failure;
use super::schema;

/// A write-ahead log that has grown beyond this is cut when it is next emptied.
const LOG_BYTES: i64 = 64 << 20;

/// A connection that writes, to a file that is whole and up to date.
pub(super) fn writer(path: &Path, settings: &Settings) -> Result<Connection, Failure> {
    if !settings.create && !path.try_exists()? {
        return Err(Failure::Missing);
    }
    if settings.create
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder)?;
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, settings.create);
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, settings.busy)?;
    check(&connection, settings.check)?;
    write_ahead(&connection, settings.busy)?;
    own(&connection, settings)?;
    Ok(connection)
}

/// A connection that only reads. Its file must be there.
pub(super) fn reader(path: &Path, settings: &Settings) -> Result<Connection, Failure> {
    if !path.try_exists()? {
        return Err(Failure::Missing);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, settings.busy)?;
    check(&connection, settings.check)?;
    schema::check_made(&connection)?;
    Ok(connection)
}

/// A connection to a store that lives as long as it.
pub(super) fn memory(settings: &Settings) -> Result<Connection, Failure> {
    let connection = Connection::open_in_memory()?;
    prepare(&connection, settings.busy)?;
    own(&connection, settings)?;
    Ok(connection)
}

fn prepare(connection: &Connection, busy: Duration) -> Result<(), Failure> {
    connection.busy_timeout(busy)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

fn check(connection: &Connection, pages: bool) -> Result<(), Failure> {
    schema::check_version(connection)?;
    schema::check_owner(connection)?;
    if pages { schema::check_pages(connection) } else { Ok(()) }
}

/// SQLite does not wait by itself for the moment that this change needs.
fn write_ahead(connection: &Connection, busy: Duration) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        let set = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match set.map_err(Failure::from) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => return Err(Failure::Journal(mode)),
            Err(failure) if failure.is_busy() && begun.elapsed() < busy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(failure) => return Err(failure),
        }
    }
}

fn own(connection: &Connection, settings: &Settings) -> Result<(), Failure> {
    // An approval that was answered with "recorded" must survive a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    if let Some(bytes) = settings.max_bytes {
        let page: i64 = connection.query_row("PRAGMA page_size", [], |row| row.get(0))?;
        let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
        connection.pragma_update(None, "max_page_count", pages.max(1))?;
    }
    schema::bring_up_to_date(connection)
}
