use std::{path::PathBuf, time::Duration};

use super::signing::SigningKey;
use crate::{Secret, app::AppCredentials, http::Tls};

/// How a repository is reached, besides its address.
#[derive(Clone, Debug)]
pub struct RemoteOptions {
    /// Who we are to the host.
    pub credentials: Credentials,
    /// The GitHub App that we are instead, whose tokens take their place.
    pub app: Option<AppCredentials>,
    /// The key with which addresses for `ssh` are reached; nothing else uses it.
    pub ssh: Option<SshKey>,
    /// The key with which commits are signed.
    pub signing: Option<SigningKey>,
    /// How much is taken from the host, and how long is waited for it.
    pub limits: Limits,
    /// Whom to trust.
    pub tls: Tls,
    /// The `git` program that serves `file://` addresses; nothing else needs one.
    pub git_program: PathBuf,
    /// The `ssh` program that addresses for `ssh` are reached with.
    pub ssh_program: PathBuf,
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            credentials: Credentials::None,
            app: None,
            ssh: None,
            signing: None,
            limits: Limits::default(),
            tls: Tls::default(),
            git_program: PathBuf::from("git"),
            ssh_program: PathBuf::from("ssh"),
        }
    }
}

/// Who we are to the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody.
    #[default]
    None,
    /// A user name and a password or token.
    Basic {
        /// The user name; many hosts take any beside a token.
        user: String,
        /// The password or token.
        password: Secret,
    },
    /// A token in an `Authorization: Bearer` header.
    Bearer(Secret),
}

/// A key for `ssh`, and the hosts it may be shown to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    /// The private key, as OpenSSH keeps it in a file.
    pub identity: Secret,
    /// The lines of `known_hosts`: which host has which key.
    pub known_hosts: String,
}

impl Credentials {
    /// What the host says, safe to show: without our secret, without control characters, and short.
    pub(super) fn clean(&self, text: &[u8]) -> String {
        let text = String::from_utf8_lossy(text);
        let text = match self {
            Self::None => text.into_owned(),
            Self::Basic { password: secret, .. } | Self::Bearer(secret) => secret.blot(&text),
        };
        let text: String = text.chars().filter(|&c| c == '\n' || !c.is_control()).take(REMOTE_TEXT).collect();
        text.trim().to_owned()
    }
}

/// How many characters of the host's text are shown.
const REMOTE_TEXT: usize = 4096;

/// How much is taken from a host, and how long is waited for it. Every default is far above what a GitOps repository
/// needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The whole of one operation, with all its requests.
    pub operation: Duration,
    /// No byte arrived for so long.
    pub stall: Duration,
    /// The connection is made.
    pub connect: Duration,
    /// The first byte of an answer's head has arrived.
    pub response: Duration,
    /// Bytes of one answer that carries objects.
    pub pack_bytes: u64,
    /// Objects in one answer.
    pub objects: u32,
    /// Bytes of one object.
    pub object_bytes: u64,
    /// Bytes that one operation may inflate, re-reading included.
    pub inflated_bytes: u64,
    /// Deltas on deltas.
    pub delta_depth: u32,
    /// Branches and tags in one answer.
    pub refs: u32,
    /// Bytes of one answer that lists them.
    pub refs_bytes: u64,
    /// Bytes of messages for people in one answer.
    pub text_bytes: u64,
    /// Files and folders looked at in one listing.
    pub listed: u64,
    /// Redirects on the way to the repository, all on the same host.
    pub redirects: u8,
    /// Bytes of objects kept in memory between operations.
    pub cache_bytes: u64,
    /// Bytes of answers kept in memory where a host can only give whole trees.
    pub mirror_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            operation: Duration::from_secs(120),
            stall: Duration::from_secs(30),
            connect: Duration::from_secs(15),
            response: Duration::from_secs(60),
            pack_bytes: 128 * MIB,
            objects: 1_000_000,
            object_bytes: 32 * MIB,
            inflated_bytes: 1024 * MIB,
            delta_depth: 4096,
            refs: 100_000,
            refs_bytes: 16 * MIB,
            text_bytes: MIB,
            listed: 1_000_000,
            redirects: 3,
            cache_bytes: 64 * MIB,
            mirror_bytes: 256 * MIB,
        }
    }
}
