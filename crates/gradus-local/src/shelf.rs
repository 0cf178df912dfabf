//! A folder for what can be found again.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use gradus_engine::port::Shelf;

/// So many bytes are kept when nobody says otherwise.
const MOST: u64 = 512 * 1024 * 1024;
/// What was begun so long ago and not ended is nobody's any more.
const LEFT: Duration = Duration::from_secs(3600);
/// What is being written has a name that ends so.
const UNFINISHED: &str = ".unfinished";

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Keeps files in one folder, which may be deleted at any time and used by several processes. What was used longest ago
/// goes when there is too much.
#[derive(Debug, Clone)]
pub struct FileShelf {
    folder: Arc<Path>,
    most: u64,
}

impl FileShelf {
    /// A shelf in this folder, which is made when there is something to keep.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder: folder.into(), most: MOST }
    }

    /// The same with room for so many bytes.
    #[must_use]
    pub fn with_room(self, most: u64) -> Self {
        Self { most, ..self }
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = fs::File::open(self.folder.join(name))?;
        // What is used is not what goes first. Whether this can be written down does not matter.
        let _time_stays = file.set_modified(SystemTime::now());
        let mut bytes = Vec::new();
        file.take(self.most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() as u64 > self.most {
            return Ok(());
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let beside = self.folder.join(format!("{name}.{process}.{count}{UNFINISHED}"));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        let written = file.write_all(bytes).and_then(|()| fs::rename(&beside, self.folder.join(name)));
        if written.is_err() {
            let _nothing_left = fs::remove_file(&beside);
        }
        written?;
        self.tidy()
    }

    fn tidy(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            // Another process may tidy up at the same time.
            let Ok(about) = entry.metadata() else { continue };
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if !about.is_file() {
                continue;
            }
            if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                if used.elapsed().is_ok_and(|age| age > LEFT) {
                    let _by_another = fs::remove_file(entry.path());
                }
                continue;
            }
            files.push((used, entry.path(), about.len()));
        }
        let mut all: u64 = files.iter().map(|(_, _, size)| size).sum();
        files.sort();
        for (_, path, size) in files {
            if all <= self.most {
                break;
            }
            let _by_another = fs::remove_file(path);
            all -= size;
        }
        Ok(())
    }
}

#[async_trait]
impl Shelf for FileShelf {
    async fn get(&self, name: &str) -> Option<Vec<u8>> {
        let (shelf, name) = (self.clone(), name.to_owned());
        let read = tokio::task::spawn_blocking(move || shelf.read(&name)).await;
        match read.ok()? {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::debug!(folder = %self.folder.display(), %error, "what was kept cannot be read");
                }
                None
            }
        }
    }

    async fn put(&self, name: &str, bytes: Vec<u8>) {
        let (shelf, name) = (self.clone(), name.to_owned());
        let written = tokio::task::spawn_blocking(move || shelf.write(&name, &bytes)).await;
        if let Ok(Err(error)) = written {
            tracing::debug!(folder = %self.folder.display(), %error, "it cannot be kept");
        }
    }
}
