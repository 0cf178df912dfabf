//! A forge of the demo's own: Gitea on this machine, for as long as the demo runs.

mod find;
mod keeper;
mod settings;
mod town;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gradus_remote::http::{Ask, HttpClient, Tls};
use tokio::time::Instant;

use super::fleet::Place;
use crate::error::CliError;

use find::Program;
pub(crate) use find::find;
use keeper::Keeper;
pub(crate) use town::{Manager, Town};

/// How long it may take to start, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often a port that somebody else took in between is tried.
const PORTS: u32 = 3;
/// Who may do everything there.
const ADMIN: &str = "root";

/// Gitea with SQLite in a folder, on the loopback address. It ends when this is dropped, and when gradus ends in
/// whatever way.
pub(crate) struct Gitea {
    url: String,
    folder: PathBuf,
    password: String,
    keeper: Keeper,
}

impl Gitea {
    /// Starts it, and waits until it answers.
    pub(crate) async fn start(program: &Program, folder: &Path) -> Result<Self, CliError> {
        std::fs::create_dir_all(folder)
            .map_err(|error| CliError::because(format!("making {}", folder.display()), error))?;
        let password = secret();
        let mut tried = 0;
        loop {
            tried += 1;
            let port = free_port()?;
            settings::write(folder, port, program)?;
            if tried == 1 {
                let settings = settings::file(folder);
                run(program, folder, &["migrate", "--config", &settings]).await?;
                let create =
                    ["admin", "user", "create", "--config", &settings, "--admin", "--username", ADMIN];
                let more =
                    ["--password", &password, "--email", "root@example.com", "--must-change-password=false"];
                run(program, folder, &[&create[..], &more[..]].concat()).await?;
            }
            let keeper = Keeper::start(program, folder)?;
            let url = format!("http://127.0.0.1:{port}");
            let mut gitea = Self { url, folder: folder.to_owned(), password: password.clone(), keeper };
            match gitea.until_it_answers().await {
                Err(_) if tried < PORTS && gitea.says("address already in use") => {}
                done => return done.map(|()| gitea),
            }
        }
    }

    /// Where people see it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Where a repository is: on disk, and for Git, as somebody with this password.
    pub(crate) fn place(&self, owner: &str, name: &str, user: &str, password: &str) -> Place {
        Place {
            bare: self.folder.join("repositories").join(owner).join(format!("{name}.git")),
            url: format!("{}/{owner}/{name}.git", self.url),
            authorization: basic(user, password),
        }
    }

    async fn until_it_answers(&mut self) -> Result<(), CliError> {
        let http = HttpClient::new(&Tls::default())
            .map_err(|error| CliError::because("setting up the HTTP client", error))?;
        let ask = Ask { timeout: Duration::from_secs(5), ..Ask::default() };
        let begun = Instant::now();
        loop {
            if self.keeper.has_ended() || begun.elapsed() > PATIENCE {
                let said = settings::last_words(&self.folder);
                return Err(CliError::failed(format!(
                    "Gitea does not answer at {}; it said:\n{said}",
                    self.url
                )));
            }
            match http.get(&format!("{}/api/v1/version", self.url), &ask).await {
                Ok(answer) if answer.status == 200 => return Ok(()),
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn says(&self, words: &str) -> bool {
        settings::last_words(&self.folder).contains(words)
    }
}

/// A port that nobody listens on just now.
fn free_port() -> Result<u16, CliError> {
    let bound = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|error| CliError::because("looking for a free port", error))
}

/// Something that nobody guesses while the demo runs.
fn secret() -> String {
    use std::hash::{BuildHasher as _, RandomState};
    let part = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", part(), part())
}

/// A name and a password, as HTTP wants them.
fn basic(user: &str, password: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}")))
}

/// Runs one of its commands to its end.
async fn run(program: &Program, folder: &Path, arguments: &[&str]) -> Result<(), CliError> {
    let doing = || format!("running {} {}", program.path.display(), arguments.first().unwrap_or(&""));
    let mut command = tokio::process::Command::new(&program.path);
    command.args(arguments).env_clear().envs(environment(folder)).current_dir(folder);
    command.stdin(std::process::Stdio::null()).kill_on_drop(true);
    let output = command.output().await.map_err(|error| CliError::because(doing(), error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(CliError::because(doing(), String::from_utf8_lossy(&said).trim().to_owned())
        .help("it has to be Gitea, built with SQLite; the demo is tried with 1.26"))
}

/// What it sees of the environment: where Git is, and nothing that is meant for another Gitea.
fn environment(folder: &Path) -> [(&'static str, std::ffi::OsString); 2] {
    [("HOME", folder.into()), ("PATH", std::env::var_os("PATH").unwrap_or_default())]
}

/// Where what it says goes.
fn log(folder: &Path) -> Result<File, CliError> {
    let path = settings::log(folder);
    File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| CliError::because(format!("opening {}", path.display()), error))
}
