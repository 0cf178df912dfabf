//! A host that is reached over SSH.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::guard::Guard;
use crate::part::Part;
use crate::tools::{Tool, find_tool};
use crate::{TestbedError, TestbedErrorKind, port};

const PATIENCE: Duration = Duration::from_secs(60);

/// OpenSSH's server on the loopback address, which lets in whoever runs the tests, with one key. It is killed when
/// this is dropped, and when the program that started it ends.
#[derive(Debug)]
pub struct Sshd {
    part: Part,
    port: u16,
    user: String,
    folder: TempDir,
    _guard: Arc<Guard>,
}

impl Sshd {
    /// Starts it, with more lines for its configuration, and waits until it answers. The program is fetched if it is
    /// nowhere.
    pub async fn start(settings: &[&str]) -> Result<Self, TestbedError> {
        let tool = find_tool(Tool::Sshd).await?;
        let program = if tool.is_dir() { tool.join("start") } else { tool };
        let mut tries = 0;
        loop {
            match Self::with(&program, settings).await {
                Err(error) if error.kind == TestbedErrorKind::PortTaken && tries < 3 => tries += 1,
                done => return done,
            }
        }
    }

    async fn with(program: &Path, settings: &[&str]) -> Result<Self, TestbedError> {
        let folder = TempDir::with_prefix("gradus-sshd-")
            .map_err(TestbedError::machine("could not make a folder for sshd"))?;
        let guard = Arc::new(Guard::start(folder.path())?);
        let (user, number) = (who("-un").await?, who("-u").await?);
        if number == "0" {
            // Where it goes before it knows who asks. Only root is made to go there.
            std::fs::create_dir_all("/run/sshd")
                .map_err(TestbedError::machine("could not make /run/sshd"))?;
        }
        for name in ["host", "identity", "stranger"] {
            keygen(folder.path(), name).await?;
        }
        let port = port::free()?;
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text)
                .map_err(TestbedError::machine(format!("could not write {name} of sshd")))
        };
        let home = folder.path().display();
        let users = format!(
            "{user}:x:{number}:0::{home}:/bin/sh\nsshd:x:65533:65534::/run/sshd:/bin/false\nnobody:x:65534:65534::/:/bin/false\n"
        );
        write("passwd", &users)?;
        write("group", "root:x:0:\nnogroup:x:65534:\n")?;
        let settings: String = settings.iter().map(|line| format!("{line}\n")).collect();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {home}/host\nAuthorizedKeysFile {home}/identity.pub\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nMaxStartups 100\nLogLevel VERBOSE\n{settings}"
        );
        write("sshd_config", &config)?;
        let arguments = ["-D", "-e", "-f", &format!("{home}/sshd_config")].map(str::to_owned);
        let (passwd, group) = (format!("{home}/passwd"), format!("{home}/group"));
        let users = [("NSS_WRAPPER_PASSWD", passwd.as_str()), ("NSS_WRAPPER_GROUP", group.as_str())];
        let part = Part::start_with("sshd", program, &arguments, &users, folder.path(), &guard)?;
        let mut sshd = Self { part, port, user, folder, _guard: guard };
        sshd.ready().await?;
        Ok(sshd)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who may come in.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The address of a folder on it.
    pub fn url(&self, folder: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, folder.display())
    }

    /// The private key that is let in.
    pub fn identity(&self) -> String {
        self.read("identity")
    }

    /// A private key that is not.
    pub fn stranger(&self) -> String {
        self.read("stranger")
    }

    /// Which key it has, as a line of `known_hosts`.
    pub fn known_hosts(&self) -> String {
        self.known_as("host")
    }

    /// A line of `known_hosts` that says that it has another key.
    pub fn wrong_hosts(&self) -> String {
        self.known_as("stranger")
    }

    /// How many came in so far.
    pub fn accepted(&self) -> usize {
        self.read("sshd.log").lines().filter(|line| line.starts_with("Accepted publickey for")).count()
    }

    fn known_as(&self, key: &str) -> String {
        let public = self.read(&format!("{key}.pub"));
        let mut words = public.split(' ');
        let (kind, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        format!("[127.0.0.1]:{} {kind} {key}\n", self.port)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    async fn ready(&mut self) -> Result<(), TestbedError> {
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
            self.part.check()?;
            if begun.elapsed() > PATIENCE {
                let message = format!("waited {PATIENCE:?} for sshd; it said:\n{}", self.part.last_words());
                return Err(TestbedError::new(TestbedErrorKind::NotReady, message));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

async fn who(option: &str) -> Result<String, TestbedError> {
    let output = tokio::process::Command::new("id").arg(option).output().await;
    let output = output.map_err(TestbedError::machine("could not learn who this is"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A new key of Ed25519, its public half beside it.
async fn keygen(folder: &Path, name: &str) -> Result<(), TestbedError> {
    let file: PathBuf = folder.join(name);
    let output = tokio::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(TestbedError::machine("could not run ssh-keygen, which is of OpenSSH's client"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = format!("ssh-keygen failed: {}", String::from_utf8_lossy(&output.stderr));
    Err(TestbedError::new(TestbedErrorKind::Machine, message))
}
