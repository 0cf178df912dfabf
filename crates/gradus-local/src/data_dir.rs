//! The data directory, and who may use it for long.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use gradus_engine::port::{PortError, PortErrorKind};

use crate::store::hint_at;

/// The ledger's file in a data directory.
pub fn ledger_file(data: &Path) -> PathBuf {
    data.join("ledger.sqlite")
}

/// The right to run for long on a data directory. Whoever plans and acts holds
/// it; commands that only add or read an entry do without. The operating system
/// takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct DataDirLock {
    _held: File,
}

impl DataDirLock {
    /// Takes the lock, and makes the directory where it is missing.
    pub fn take(data: &Path) -> Result<Self, PortError> {
        let path = data.join("lock");
        let failed = |source: std::io::Error| {
            let hint = hint_at(&source, &data.display().to_string());
            PortError::because(PortErrorKind::Local, format!("taking the lock {}", path.display()), source)
                .with_hint(hint)
        };
        std::fs::create_dir_all(data).map_err(failed)?;
        // What another process wrote into the file must survive until the lock is ours.
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(data, &mut file)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { _held: file })
    }
}

fn taken(data: &Path, file: &mut File) -> PortError {
    // Who holds it is told where it can be read; that it is held is certain anyway.
    let mut text = String::new();
    let holder = match file.take(32).read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        Ok(_) | Err(_) => "another process".to_owned(),
    };
    PortError::new(
        PortErrorKind::Unusable,
        format!("taking the data directory {}, which {holder} uses", data.display()),
    )
    .with_hint("stop the other one, or give each a data directory of its own")
}
