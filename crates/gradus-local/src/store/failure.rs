//! What can go wrong with the file, and what a person does about it.

use std::path::PathBuf;

use gradus_engine::port::{PortError, PortErrorKind};
use rusqlite::ErrorCode;

/// A failure inside the store, before it is known what it was for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Files(#[from] std::io::Error),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it is an SQLite file of another program")]
    Foreign,
    #[error("it has the format {found}, and this gradus knows formats up to {known}")]
    Newer { found: i64, known: i64 },
    #[error("its journal cannot be a write-ahead log; it is {0:?}")]
    Journal(String),
    #[error("there is no such file")]
    Missing,
    #[error("there is a file of that name already")]
    Exists,
    #[error("{what} cannot be read: {why}")]
    Unreadable { what: String, why: String },
    #[error("{what} has {size} bytes; at most {limit} are kept")]
    TooLarge { what: &'static str, size: usize, limit: usize },
    #[error("it was opened for reading only")]
    ReadOnly,
    #[error("it is kept in memory and has no file")]
    InMemory,
    #[error("the thread that works on it has ended")]
    Stopped,
}

/// Where a store is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Memory,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Memory => f.write_str("in memory"),
        }
    }
}

impl Failure {
    /// Whether another process holds the file just now.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Says what was being done (to the ledger: its words come last) and what can be
    /// done about it.
    pub(crate) fn while_doing(self, doing: &str, place: &Place) -> PortError {
        self.at(place, doing, place)
    }

    /// The same, for a failure at another file than the ledger's.
    pub(crate) fn at(self, failed: &Place, doing: &str, place: &Place) -> PortError {
        let (kind, hint) = self.kind_and_hint(failed);
        let error = PortError::because(kind, format!("{doing} the ledger {place}"), self);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn code(&self) -> Option<ErrorCode> {
        if let Self::Sqlite(error) = self { error.sqlite_error_code() } else { None }
    }

    fn kind_and_hint(&self, place: &Place) -> (PortErrorKind, Option<String>) {
        let (file, folder) = match place {
            Place::File(path) => {
                let folder = path.parent().map(|folder| folder.display().to_string());
                (path.display().to_string(), folder.filter(|text| !text.is_empty()).unwrap_or(".".to_owned()))
            }
            Place::Memory => ("it".to_owned(), "memory".to_owned()),
        };
        let damaged = || {
            format!(
                "stop gradus, move {file}, {file}-wal and {file}-shm away, and copy the newest backup to {file}; \
                 to start anew without one loses the record of approvals, requests and reports, restarts a soak \
                 that rested on them, and loses nothing else"
            )
        };
        match self {
            Self::Sqlite(error) => of_sqlite(error, &folder, &file, damaged),
            Self::Files(error) => (PortErrorKind::Local, Some(hint_at(error, &folder))),
            Self::Damaged(_) | Self::Unreadable { .. } => (PortErrorKind::Unusable, Some(damaged())),
            Self::Foreign => (PortErrorKind::Unusable, Some("name another data directory".to_owned())),
            Self::Newer { .. } => (
                PortErrorKind::Unusable,
                Some(
                    "use the newer gradus that wrote it, or restore a backup from before the upgrade"
                        .to_owned(),
                ),
            ),
            Self::Journal(_) => (
                PortErrorKind::Unusable,
                Some(format!("{folder} must be on a local disk; a network file system will not do")),
            ),
            Self::Missing => {
                (PortErrorKind::Missing, Some(format!("check the data directory; {folder} has none")))
            }
            Self::Exists => (
                PortErrorKind::Unusable,
                Some("name a file that does not exist; none is overwritten".to_owned()),
            ),
            Self::TooLarge { .. } | Self::ReadOnly | Self::InMemory => (PortErrorKind::Unusable, None),
            Self::Stopped => (PortErrorKind::Local, None),
        }
    }
}

/// What can be done about a file below this folder that cannot be made or written.
pub(crate) fn hint_at(error: &std::io::Error, folder: &str) -> String {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if [StorageFull, QuotaExceeded, FileTooLarge].contains(&error.kind()) {
        full(folder)
    } else {
        format!("check that {folder} is a folder that this user may write to")
    }
}

fn full(folder: &str) -> String {
    format!("the folder {folder} is full; nothing of this was written: free some space and try again")
}

fn of_sqlite(
    error: &rusqlite::Error,
    folder: &str,
    file: &str,
    damaged: impl Fn() -> String,
) -> (PortErrorKind, Option<String>) {
    let code = error.sqlite_error_code();
    if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
        let hint = "another process is writing to it; nothing was written here, try again";
        (PortErrorKind::Unreachable, Some(hint.to_owned()))
    } else if code == Some(ErrorCode::DiskFull) {
        (PortErrorKind::Local, Some(full(folder)))
    } else if matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
        (PortErrorKind::Unusable, Some(damaged()))
    } else if matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied))
    {
        let hint = format!("check that {folder} is a folder that this user may write to, and {file} too");
        (PortErrorKind::Local, Some(hint))
    } else if code == Some(ErrorCode::SystemIoFailure) {
        (PortErrorKind::Local, Some(format!("check the disk that {folder} is on, and how much room it has")))
    } else {
        (PortErrorKind::Local, None)
    }
}
