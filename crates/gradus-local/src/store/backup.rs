//! A copy of a store that is in use.

use std::fs::File;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::failure::Failure;
use super::schema;

/// Copies what the connection sees into a new file that stands by itself. The
/// file is there as a whole or not at all.
pub(super) fn backup(from: &Connection, to: &Path) -> Result<(), Failure> {
    if to.try_exists()? {
        return Err(Failure::Exists);
    }
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut name = to.file_name().ok_or(Failure::Exists)?.to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = folder.join(name);
    let outcome = copy(from, &partial).and_then(|()| publish(&partial, to)).and_then(|()| {
        // The new name must survive a power cut as the content does.
        Ok(File::open(folder)?.sync_all()?)
    });
    if let Err(error) = std::fs::remove_file(&partial)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, file = %partial.display(), "a left-over of a backup stays");
    }
    outcome
}

fn copy(from: &Connection, partial: &Path) -> Result<(), Failure> {
    File::create_new(partial)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(partial, flags)?;
    // All pages in one step are one moment of the original, whatever others write meanwhile.
    let step = Backup::new(from, &mut copy)?.step(-1)?;
    if step != StepResult::Done {
        return Err(Failure::Damaged(format!("the copy did not come to its end: {step:?}")));
    }
    // Without a log of its own it can be read from a medium that cannot be written.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))?;
    schema::check_pages(&copy)?;
    copy.close().map_err(|(_open, error)| error)?;
    Ok(File::open(partial)?.sync_all()?)
}

/// Gives the copy its name, unless somebody has taken it meanwhile.
fn publish(partial: &Path, to: &Path) -> Result<(), Failure> {
    match std::fs::hard_link(partial, to) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(Failure::Exists),
        // There are file systems without hard links.
        Err(_) if !to.try_exists()? => Ok(std::fs::rename(partial, to)?),
        Err(_) => Err(Failure::Exists),
    }
}
