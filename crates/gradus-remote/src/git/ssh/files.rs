//! What `ssh` reads its key from: it takes none but from a file.
//!
//! The folder is in memory where the system has such a place, is nobody else's, and is there only while a connection is
//! made. A process that is killed in that moment leaves it; the next one that needs such a folder removes it, which it
//! may because nobody holds the lock on it any more.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Once,
    time::Duration,
};

use tempfile::TempDir;

use crate::git::options::SshKey;

const PREFIX: &str = "gradus-ssh-";
const LOCK: &str = "lock";
/// A folder without a lock that is younger is just being made.
const YOUNG: Duration = Duration::from_secs(60);

pub(super) struct KeyFiles {
    folder: TempDir,
    /// Locked while this is here, and unlocked by the system when the process ends.
    _lock: File,
}

impl KeyFiles {
    pub(super) fn write(key: &SshKey) -> io::Result<Self> {
        let mut refused = io::Error::from(io::ErrorKind::NotFound);
        for place in places() {
            match Self::write_below(&place, key) {
                Ok(files) => {
                    static SWEPT: Once = Once::new();
                    SWEPT.call_once(|| sweep(&place));
                    return Ok(files);
                }
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn write_below(place: &Path, key: &SshKey) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place)?;
        let lock = private(&folder.path().join(LOCK))?;
        lock.lock()?;
        let files = Self { folder, _lock: lock };
        // ssh wants a line feed at the end of a key, and no others than that.
        let text = |text: &str| format!("{}\n", text.replace("\r\n", "\n").trim_end());
        private(&files.identity())?.write_all(text(key.identity.expose()).as_bytes())?;
        private(&files.known_hosts())?.write_all(text(&key.known_hosts).as_bytes())?;
        Ok(files)
    }

    pub(super) fn identity(&self) -> PathBuf {
        self.folder.path().join("identity")
    }

    pub(super) fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }
}

/// A file that only this user may read.
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Where such a folder may be: in memory first.
fn places() -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|place| place.is_absolute());
    own.into_iter().chain([PathBuf::from("/dev/shm"), std::env::temp_dir()]).collect()
}

/// Removes what processes left that were killed.
fn sweep(place: &Path) {
    let Ok(entries) = fs::read_dir(place) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_left(&path) {
            // Somebody else's cannot be removed, and is theirs to remove.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_left(folder: &Path) -> bool {
    match OpenOptions::new().write(true).open(folder.join(LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let age = fs::metadata(folder).and_then(|data| data.modified()).map(|made| made.elapsed());
            matches!(age, Ok(Ok(age)) if age > YOUNG)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{KeyFiles, SshKey, sweep};
    use crate::Secret;

    fn key() -> SshKey {
        SshKey { identity: Secret::new("one\r\ntwo"), known_hosts: "host key\n\n".to_owned() }
    }

    #[test]
    fn only_this_user_reads_them_and_they_go_with_their_value() {
        let place = tempfile::tempdir().unwrap();
        let files = KeyFiles::write_below(place.path(), &key()).unwrap();
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(files.folder.path()), 0o700);
        assert_eq!((mode(&files.identity()), mode(&files.known_hosts())), (0o600, 0o600));
        assert_eq!(fs::read_to_string(files.identity()).unwrap(), "one\ntwo\n");
        assert_eq!(fs::read_to_string(files.known_hosts()).unwrap(), "host key\n");
        drop(files);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let used = KeyFiles::write_below(place.path(), &key()).unwrap();
        let left = KeyFiles::write_below(place.path(), &key()).unwrap();
        // As if its process had been killed: the lock is gone, the folder is not.
        let KeyFiles { folder, _lock: lock } = left;
        let left = folder.keep();
        drop(lock);
        let others = place.path().join("gradus-other");
        let fresh = place.path().join("gradus-ssh-fresh");
        fs::create_dir(&others).unwrap();
        fs::create_dir(&fresh).unwrap();
        sweep(place.path());
        assert!(!left.exists());
        assert!(used.identity().exists() && others.exists() && fresh.exists());
    }
}
