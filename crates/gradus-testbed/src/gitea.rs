//! A forge.

mod call;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::guard::Guard;
use crate::part::Part;
use crate::tools::{Tool, find_tool};
use crate::{TestbedError, TestbedErrorKind, port};

pub use call::Said;

/// It takes two seconds on two cores that do nothing else.
const PATIENCE: Duration = Duration::from_secs(120);
const ADMIN: &str = "root";
const PASSWORD: &str = "only-for-tests-1";

/// Gitea with SQLite, in a folder of its own, on the loopback address. It is killed
/// and the folder removed when this is dropped, and when the program that started it
/// ends.
///
/// Webhooks reach the loopback address and leave at once.
#[derive(Debug)]
pub struct Gitea {
    part: Mutex<Option<Part>>,
    program: PathBuf,
    port: u16,
    admin: String,
    folder: TempDir,
    guard: Arc<Guard>,
}

/// Somebody who has an account there.
#[derive(Debug, Clone)]
pub struct GiteaUser {
    /// What they are called.
    pub name: String,
    /// With which they sign in.
    pub password: String,
    /// A token that may do everything that they may.
    pub token: String,
}

impl Gitea {
    /// Starts Gitea and waits until it answers. It is built if it is nowhere, which
    /// takes minutes the first time.
    pub async fn start() -> Result<Self, TestbedError> {
        let files = find_tool(Tool::GiteaFiles).await?;
        let program = find_tool(Tool::Gitea).await?;
        let mut tries = 0;
        loop {
            match Self::with(program.clone(), &files).await {
                Err(error) if error.kind == TestbedErrorKind::PortTaken && tries < 3 => tries += 1,
                done => return done,
            }
        }
    }

    /// The one that all tests of a program share. Nobody stops it; a test makes users
    /// and repositories of its own.
    pub async fn shared() -> Result<&'static Self, TestbedError> {
        static SHARED: OnceCell<Gitea> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::start).await
    }

    async fn with(program: PathBuf, files: &Path) -> Result<Self, TestbedError> {
        let folder = TempDir::with_prefix("gradus-gitea-")
            .map_err(TestbedError::machine("could not make a folder for Gitea"))?;
        let guard = Arc::new(Guard::start(folder.path())?);
        let port = port::free()?;
        let who = std::process::Command::new("id").arg("-un").output();
        let who = who.map_err(TestbedError::machine("could not learn the name of this user"))?;
        let who = String::from_utf8_lossy(&who.stdout).trim().to_owned();
        let settings = settings(&who, port, folder.path(), files);
        std::fs::write(folder.path().join("app.ini"), settings)
            .map_err(TestbedError::machine("could not write the settings of Gitea"))?;
        let part = Mutex::new(None);
        let mut gitea = Self { part, program, port, admin: String::new(), folder, guard };
        gitea.run(&["migrate"]).await?;
        let create = ["admin", "user", "create", "--admin", "--username", ADMIN, "--password", PASSWORD];
        let more = ["--email", "root@example.com", "--must-change-password=false"];
        gitea.run(&[&create[..], &more[..]].concat()).await?;
        gitea.go_on().await?;
        gitea.admin = gitea.token(ADMIN, PASSWORD, &["all"]).await?;
        Ok(gitea)
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where files, logs and data are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A token of the one who may do everything.
    pub fn admin(&self) -> &str {
        &self.admin
    }

    /// Kills it, as a machine that fails.
    pub fn stop(&self) {
        drop(self.part.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Starts it where it was, unless it runs, and waits until it answers.
    pub async fn go_on(&self) -> Result<(), TestbedError> {
        {
            let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
            if part.is_none() {
                let arguments = ["web", "--config", &self.settings()].map(str::to_owned);
                *part = Some(Part::start("gitea", &self.program, &arguments, self.folder(), &self.guard)?);
            }
        }
        let begun = Instant::now();
        loop {
            self.check()?;
            if let Ok(said) = self.call("", "GET", "/version", None).await
                && said.status == 200
            {
                return Ok(());
            }
            if begun.elapsed() > PATIENCE {
                let last = self.part.lock().unwrap_or_else(PoisonError::into_inner);
                let last = last.as_ref().map(Part::last_words).unwrap_or_default();
                let message = format!("waited {PATIENCE:?} for Gitea; it said:\n{last}");
                return Err(TestbedError::new(TestbedErrorKind::NotReady, message));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A new account, whose name begins with the hint.
    pub async fn user(&self, hint: &str) -> Result<GiteaUser, TestbedError> {
        let name = another(hint);
        let account = json!({
            "username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
            "must_change_password": false,
        });
        self.done(self.admin(), "POST", "/admin/users", Some(account)).await?;
        let token = self.token(&name, PASSWORD, &["all"]).await?;
        Ok(GiteaUser { name, password: PASSWORD.to_owned(), token })
    }

    /// A new token with these scopes, such as `read:repository`.
    pub async fn token(&self, user: &str, password: &str, scopes: &[&str]) -> Result<String, TestbedError> {
        let wanted = json!({"name": another("token"), "scopes": scopes});
        let path = format!("/users/{user}/tokens");
        let basic = format!("{user}:{password}");
        let said = self.done(&basic, "POST", &path, Some(wanted)).await?;
        Ok(said["sha1"].as_str().unwrap_or_default().to_owned())
    }

    /// A new repository of somebody, with these files on `main`. Says how it is called.
    pub async fn repository(
        &self,
        owner: &GiteaUser,
        hint: &str,
        files: &[(&str, &str)],
    ) -> Result<String, TestbedError> {
        let name = another(hint);
        let wanted = json!({"name": name, "auto_init": true, "default_branch": "main", "private": true});
        self.done(&owner.token, "POST", "/user/repos", Some(wanted)).await?;
        let files: Vec<Value> = files
            .iter()
            .map(|(path, text)| json!({"operation": "create", "path": path, "content": call::base64(text.as_bytes())}))
            .collect();
        let wanted = json!({"branch": "main", "message": "first", "files": files});
        let path = format!("/repos/{}/{name}/contents", owner.name);
        self.done(&owner.token, "POST", &path, Some(wanted)).await?;
        Ok(name)
    }

    /// Calls the API, which has to do it.
    pub async fn done(
        &self,
        who: &str,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, TestbedError> {
        let said = self.call(who, method, path, body).await?;
        if (200..300).contains(&said.status) {
            return Ok(said.body);
        }
        let message = format!("Gitea answered {method} {path} with {}: {}", said.status, said.body);
        Err(TestbedError::new(TestbedErrorKind::Refused, message))
    }

    fn settings(&self) -> String {
        self.folder().join("app.ini").display().to_string()
    }

    fn check(&self) -> Result<(), TestbedError> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner).iter_mut().try_for_each(Part::check)
    }

    /// Runs one of its commands to its end.
    async fn run(&self, arguments: &[&str]) -> Result<(), TestbedError> {
        let words = arguments.iter().take(3).copied().collect::<Vec<_>>().join(" ");
        let mut command = tokio::process::Command::new(&self.program);
        command.arg("--config").arg(self.settings()).args(arguments).env("HOME", self.folder());
        command.current_dir(self.folder()).stdin(Stdio::null()).kill_on_drop(true);
        let output =
            command.output().await.map_err(TestbedError::machine(format!("could not run gitea {words}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let message = format!("gitea {words} failed; it said:\n{}", String::from_utf8_lossy(&said));
        Err(TestbedError::new(TestbedErrorKind::NotReady, message))
    }
}

/// A name that nothing else has.
fn another(hint: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(1);
    format!("{hint}-{}", MADE.fetch_add(1, Ordering::Relaxed))
}

fn settings(user: &str, port: u16, folder: &Path, files: &Path) -> String {
    let (folder, files) = (folder.display(), files.display());
    format!(
        "APP_NAME = Gitea
RUN_MODE = prod
RUN_USER = {user}
WORK_PATH = {folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
STATIC_ROOT_PATH = {files}
APP_DATA_PATH = {folder}/data
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
SECRET_KEY = only-for-tests
PASSWORD_HASH_ALGO = pbkdf2$1000$50
MIN_PASSWORD_LENGTH = 6

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
