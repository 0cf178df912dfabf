//! `file://`: the two server programs of Git as child processes, one for each request, speaking as over HTTP.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStderr, ChildStdout, Command},
    task::JoinHandle,
};

use super::{
    error::{Fault, Outcome},
    transport::Service,
};
use crate::git::GitErrorKind;

/// Bytes of the program's complaints that are kept.
const COMPLAINTS: usize = 8192;

pub(super) struct Programs {
    git: PathBuf,
    repository: PathBuf,
}

impl Programs {
    pub(super) fn new(git: PathBuf, repository: PathBuf) -> Self {
        Self { git, repository }
    }

    pub(super) fn start(&self, service: Service, body: Option<Bytes>, v2: bool) -> Outcome<ProcessStream> {
        if !self.repository.is_dir() {
            return Err(GitErrorKind::RepositoryMissing.into());
        }
        let mut command = self.command(service, v2);
        if body.is_none() {
            command.arg("--advertise-refs");
        }
        command.arg(&self.repository);
        let mut child = command.spawn().map_err(|source| {
            let program = self.git.display();
            Fault::caused(
                GitErrorKind::Local(format!("{program}, needed for file://, does not start")),
                source,
            )
        })?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(GitErrorKind::Local("the pipes to git are missing".to_owned()).into());
        };
        // It ends with the child, which dies when the stream is dropped.
        tokio::spawn(async move {
            // A child that ends before it has read everything says why on its own.
            let _ = stdin.write_all(&body.unwrap_or_default()).await;
            let _ = stdin.shutdown().await;
        });
        Ok(ProcessStream { child, stdout, complaints: Some(listen(stderr)) })
    }

    fn command(&self, service: Service, v2: bool) -> Command {
        let mut command = Command::new(&self.git);
        command.env_clear().env("LC_ALL", "C");
        for kept in [
            "PATH",
            "HOME",
            "XDG_CONFIG_HOME",
            "GIT_CONFIG_NOSYSTEM",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_SYSTEM",
        ] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if v2 {
            command.env("GIT_PROTOCOL", "version=2");
        }
        command.arg(service.program()).arg("--stateless-rpc");
        command.current_dir(Path::new("/"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }
}

pub(super) struct ProcessStream {
    child: Child,
    stdout: ChildStdout,
    complaints: Option<JoinHandle<Vec<u8>>>,
}

impl ProcessStream {
    pub(super) async fn chunk(&mut self) -> Outcome<Option<Bytes>> {
        let mut buffer = BytesMut::with_capacity(64 * 1024);
        let read = self.stdout.read_buf(&mut buffer).await.map_err(broken_pipe)?;
        Ok((read > 0).then(|| buffer.freeze()))
    }

    pub(super) async fn verdict(&mut self) -> Outcome<()> {
        let status = self.child.wait().await.map_err(broken_pipe)?;
        if status.success() {
            return Ok(());
        }
        let complaints = match self.complaints.take() {
            Some(task) => task.await.unwrap_or_default(),
            None => Vec::new(),
        };
        let text = String::from_utf8_lossy(&complaints).trim().to_owned();
        if text.contains("not appear to be a git repository") || text.contains("not a git repository") {
            return Err(GitErrorKind::RepositoryMissing.into());
        }
        Err(GitErrorKind::HostFailed(if text.is_empty() { format!("git ended with {status}") } else { text })
            .into())
    }
}

/// Reads what a program complains of, and keeps the start of it. It ends with the program.
pub(super) fn listen(mut stderr: ChildStderr) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let mut kept = Vec::new();
        let mut part = [0; 1024];
        while let Ok(read @ 1..) = stderr.read(&mut part).await {
            let room = COMPLAINTS.saturating_sub(kept.len()).min(read);
            kept.extend_from_slice(&part[..room]);
        }
        kept
    })
}

pub(super) fn broken_pipe(source: std::io::Error) -> Fault {
    Fault::caused(GitErrorKind::Local("the pipe to git broke".to_owned()), source)
}
