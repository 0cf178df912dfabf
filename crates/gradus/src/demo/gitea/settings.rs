//! What Gitea is told of itself.

use std::path::{Path, PathBuf};

use super::find::Program;
use super::secret;
use crate::error::CliError;

/// How many lines of what it said are repeated.
const LINES: usize = 20;

/// Where they are.
pub(super) fn file(folder: &Path) -> String {
    folder.join("app.ini").display().to_string()
}

/// Where what it says goes.
pub(super) fn log(folder: &Path) -> PathBuf {
    folder.join("gitea.log")
}

/// The last it said.
pub(super) fn last_words(folder: &Path) -> String {
    let said = std::fs::read(log(folder)).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

/// Writes them.
pub(super) fn write(folder: &Path, port: u16, program: &Program) -> Result<(), CliError> {
    let path = file(folder);
    std::fs::write(&path, text(folder, port, program))
        .map_err(|error| CliError::because(format!("writing {path}"), error))
}

fn text(folder: &Path, port: u16, program: &Program) -> String {
    let pages = program.pages.as_ref();
    let pages = pages.map_or_else(String::new, |pages| format!("STATIC_ROOT_PATH = {}\n", pages.display()));
    let (folder, key) = (folder.display(), secret());
    format!(
        "APP_NAME = Gitea of gradus demo
RUN_MODE = prod
WORK_PATH = {folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
{pages}APP_DATA_PATH = {folder}/data
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
DISABLE_SSH = true
OFFLINE_MODE = true

[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
SQLITE_JOURNAL_MODE = WAL

[repository]
ROOT = {folder}/repositories
DEFAULT_BRANCH = main

[security]
INSTALL_LOCK = true
SECRET_KEY = {key}

[service]
DISABLE_REGISTRATION = true
NO_REPLY_ADDRESS = noreply.example.com

[webhook]
ALLOWED_HOST_LIST = loopback

[queue]
TYPE = channel

[log]
MODE = console
LEVEL = Warn

[cron]
ENABLED = false

[actions]
ENABLED = false

[indexer]
ISSUE_INDEXER_TYPE = db
"
    )
}
