//! The file that holds the tokens: read whole, replaced whole.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::role::Role;
use super::secret::hex;
use crate::api::v1::Time;

/// The longest file that is read.
const LONGEST: u64 = 1024 * 1024;

/// The file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    pub(super) tokens: Vec<Stored>,
}

/// A token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<String>,
    pub(super) hash: String,
    pub(super) created: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires: Option<Time>,
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// The file's stamp; `None` where there is no file.
pub(super) fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match std::fs::metadata(path) {
        Ok(about) => {
            Ok(Some(Stamp { modified: about.modified().ok(), length: about.len(), inode: inode(&about) }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn inode(about: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(about)
}

#[cfg(not(unix))]
fn inode(_about: &std::fs::Metadata) -> u64 {
    0
}

/// The file; `None` where there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Book>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is longer than {LONGEST} bytes"),
        ));
    }
    serde_json::from_slice(&text).map(Some).map_err(io::Error::from)
}

/// Replaces the file: whoever reads it sees the old one or the new one, whole.
pub(super) fn write(path: &Path, book: &Book) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(book)?;
    text.push(b'\n');
    let folder = folder(path);
    let mut random = [0_u8; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
    let beside = folder.join(format!(".tokens-{}", hex(&random)));
    let written = private(&beside).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    });
    if written.is_err() {
        // The first failure is the one to tell; a file that stays behind holds no secret.
        let _left_behind = std::fs::remove_file(&beside);
    }
    written?;
    File::open(&folder)?.sync_all()
}

/// Keeps other processes from changing the file until the answer is dropped.
pub(super) fn lock(path: &Path) -> io::Result<File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    only_for_us(&mut options);
    let file = options.open(folder(path).join(name))?;
    file.lock()?;
    Ok(file)
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    only_for_us(&mut options);
    options.open(path)
}

#[cfg(unix)]
fn only_for_us(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn only_for_us(_options: &mut OpenOptions) {}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    }
}
