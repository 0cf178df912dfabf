//! Keys in a folder, as a mounted Secret is one: they change without a restart.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::ForgeKind;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::keys::{HookKey, HookKeys, Owner};

/// How old what was read may be.
const FRESH: Duration = Duration::from_secs(2);
/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;
/// The names of the file for all that have none of their own.
const GLOBAL: [&str; 2] = ["hmac-key", "token"];

/// Where the keys of webhooks come from.
#[derive(Debug, Clone)]
pub struct HookKeySource(Source);

#[derive(Debug, Clone)]
enum Source {
    Fixed(Arc<HookKeys>),
    Folder(Arc<Folder>),
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    read: Mutex<Option<(Instant, Arc<HookKeys>)>>,
}

impl From<HookKeys> for HookKeySource {
    fn from(keys: HookKeys) -> Self {
        Self(Source::Fixed(Arc::new(keys)))
    }
}

impl HookKeySource {
    /// The files of a folder, one key a line: `token` or `hmac-key` for everybody, and
    /// `cluster.NAMESPACE.NAME`, `pipeline.NAMESPACE.NAME` or `forge.KIND` for who takes no other. They are
    /// read again when they change. As long as there are none, nothing is believed.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Source::Folder(Arc::new(Folder { path: path.into(), read: Mutex::default() })))
    }

    /// The keys as they are now.
    pub(super) async fn now(&self) -> Arc<HookKeys> {
        match &self.0 {
            Source::Fixed(keys) => keys.clone(),
            Source::Folder(folder) => folder.now().await,
        }
    }

    /// Whether what is not signed may be believed where there is no key: a folder is named so that there are some.
    pub(super) fn may_be_none(&self) -> bool {
        match &self.0 {
            Source::Fixed(_) => true,
            Source::Folder(_) => false,
        }
    }
}

impl Folder {
    async fn now(&self) -> Arc<HookKeys> {
        let mut read = self.read.lock().await;
        let before = match &*read {
            Some((at, keys)) if at.elapsed() < FRESH => return keys.clone(),
            Some((_, keys)) => Some(keys.clone()),
            None => None,
        };
        let path = self.path.clone();
        let keys = match tokio::task::spawn_blocking(move || keys_in(&path)).await {
            Ok(Ok(keys)) => Arc::new(keys),
            Ok(Err(error)) => {
                tracing::warn!(%error, folder = %self.path.display(), "the keys of webhooks cannot be read");
                // What was good a moment ago is good until it can be read that it is not.
                before.unwrap_or_default()
            }
            Err(_ended) => before.unwrap_or_default(),
        };
        *read = Some((Instant::now(), keys.clone()));
        keys
    }
}

fn keys_in(folder: &Path) -> io::Result<HookKeys> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HookKeys::none()),
        Err(error) => return Err(error),
    };
    let mut keys = HookKeys::none();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(owner) = name.to_str().and_then(owner) else { continue };
        let mut text = Vec::new();
        fs::File::open(entry.path())?.take(LONGEST).read_to_end(&mut text)?;
        let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        for key in lines.filter_map(HookKey::new) {
            keys = match &owner {
                None => keys.with_global(key),
                Some(owner) => keys.with_own(owner.clone(), key),
            };
        }
    }
    Ok(keys)
}

/// Whose keys are in a file of this name: everybody's, or one's. `None` for other files.
fn owner(file: &str) -> Option<Option<Owner>> {
    if GLOBAL.contains(&file) {
        return Some(None);
    }
    let (kind, rest) = file.split_once('.')?;
    if kind == "forge" {
        return ForgeKind::of_word(rest).map(Owner::Forge).map(Some);
    }
    // A namespace has no dot in it.
    let (namespace, name) = rest.split_once('.')?;
    match kind {
        "cluster" => Some(Some(Owner::cluster(namespace, name))),
        "pipeline" => PipelineKey::parse(&format!("{namespace}/{name}")).ok().map(Owner::Pipeline).map(Some),
        _ => None,
    }
}
