//! `ssh://`: Git's server programs on the host, through the system's `ssh`.
//!
//! A connection is a conversation: the service announces itself, and with protocol version 2 answers one request after
//! the other. It is kept for a moment after an answer, so that an operation, and mostly the next one too, needs one.
//!
//! Nothing of the machine's own configuration counts, no agent is asked, and the host has to show the key that
//! `known_hosts` names.

mod address;
mod fault;
mod files;
mod idle;
mod talk;

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use tokio::process::Command;

use super::{
    Limits, RemoteOptions,
    error::{Fault, Outcome},
    options::SshKey,
    private_key,
    transport::Service,
};
use crate::git::GitErrorKind;

pub(super) use address::SshAddress;
pub use fault::SshFault;
use files::KeyFiles;
use idle::Idle;
pub(super) use talk::Talk;

/// So often a host is asked whether it is still there, which ends a connection that nobody answers.
const ALIVE: Duration = Duration::from_secs(15);

pub(super) struct SshHost {
    program: PathBuf,
    address: SshAddress,
    key: SshKey,
    connect: Duration,
    idle: Arc<Idle>,
}

impl SshHost {
    pub(super) fn new(address: &SshAddress, options: &RemoteOptions) -> Outcome<Self> {
        let Some(key) = options.ssh.clone() else { return Err(SshFault::NoKey.into()) };
        private_key::look(&key.identity).map_err(|why| SshFault::KeyUnusable(why.to_owned()))?;
        let Limits { connect, .. } = options.limits;
        Ok(Self {
            program: options.ssh_program.clone(),
            address: address.clone(),
            key,
            connect,
            idle: Arc::default(),
        })
    }

    /// A new connection, on which the service will announce itself.
    pub(super) fn start(&self, service: Service, v2: bool) -> Outcome<Box<Talk>> {
        let files = KeyFiles::write(&self.key).map_err(|source| {
            let what = "the files that ssh reads its key from cannot be written".to_owned();
            Fault::caused(GitErrorKind::Local(what), source)
        })?;
        let mut command = self.command(&files, service, v2);
        let child = command.spawn().map_err(|source| {
            let program = self.program.display().to_string();
            Fault::caused(GitErrorKind::Ssh(SshFault::NoProgram(program)), source)
        })?;
        Talk::new(child, files, service, &self.idle).map(Box::new)
    }

    /// A connection on which this can be asked at once.
    pub(super) fn waiting(&self, service: Service, v2: bool, body: &[u8]) -> Option<Box<Talk>> {
        self.idle.take(|talk| talk.may_be_asked(service, v2, body))
    }

    fn command(&self, files: &KeyFiles, service: Service, v2: bool) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().env("LC_ALL", "C");
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        // No configuration of the machine or its user, no agent, no other key, nothing asked, nothing forwarded.
        command.args(["-F", "none", "-T", "-x", "-a"]);
        command.arg("-i").arg(files.identity());
        for (option, value) in [
            ("IdentitiesOnly", "yes"),
            ("IdentityAgent", "none"),
            ("GlobalKnownHostsFile", "none"),
            ("StrictHostKeyChecking", "yes"),
            ("UpdateHostKeys", "no"),
            ("VerifyHostKeyDNS", "no"),
            ("CheckHostIP", "no"),
            ("BatchMode", "yes"),
            ("PreferredAuthentications", "publickey"),
            ("ClearAllForwardings", "yes"),
            ("ControlMaster", "no"),
            ("ControlPath", "none"),
            ("PermitLocalCommand", "no"),
            ("LogLevel", "ERROR"),
        ] {
            command.arg("-o").arg(format!("{option}={value}"));
        }
        let mut known = std::ffi::OsString::from("UserKnownHostsFile=");
        known.push(files.known_hosts());
        command.arg("-o").arg(known);
        command.arg("-o").arg(format!("ConnectTimeout={}", self.connect.as_secs().max(1)));
        command.arg("-o").arg(format!("ServerAliveInterval={}", ALIVE.as_secs()));
        if v2 {
            command.env("GIT_PROTOCOL", "version=2").args(["-o", "SendEnv=GIT_PROTOCOL"]);
        }
        if let Some(port) = self.address.port() {
            command.arg("-p").arg(port.to_string());
        }
        command.arg("-l").arg(self.address.user()).arg("--").arg(self.address.host());
        command.arg(format!("{} {}", service.name(), self.address.quoted_path()));
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        command
    }
}
