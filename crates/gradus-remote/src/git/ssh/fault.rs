//! What `ssh` says when it does not come through, in our words.

use std::{fmt, process::ExitStatus};

use crate::git::{
    GitErrorKind,
    error::{Fault, Outcome},
};

/// What can be wrong before a host answers over `ssh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshFault {
    /// No key was given.
    NoKey,
    /// A key was given that only `ssh` can use, and the address is another one.
    OnlyKey,
    /// There is no `ssh` program of this name.
    NoProgram(String),
    /// The private key cannot be used.
    KeyUnusable(String),
    /// The host does not take the key.
    KeyRefused,
    /// `known_hosts` does not say which key the host has.
    HostUnknown,
    /// The host shows another key than `known_hosts` says.
    HostChanged,
}

impl SshFault {
    pub(in crate::git) fn hint(&self) -> &'static str {
        match self {
            Self::NoKey => "name a Secret with `identity`, a private key, and `known_hosts`",
            Self::OnlyKey => {
                "put `username` and `password`, or `token`, into the Secret, or use the address for ssh"
            }
            Self::NoProgram(_) => {
                "install the client of OpenSSH, or use an address that begins with https://"
            }
            Self::KeyUnusable(_) => {
                "put a private key without a passphrase into `identity`, such as `ssh-keygen -t ed25519 -N ''` makes"
            }
            Self::KeyRefused => {
                "give the host the public half as a deploy key of this repository, and check the user in the address"
            }
            Self::HostUnknown => {
                "put the host's lines into `known_hosts`: what `ssh-keyscan -p PORT HOST` prints, compared with what the host publishes"
            }
            Self::HostChanged => {
                "compare with what the host publishes; correct `known_hosts` only if it has a new key there"
            }
        }
    }
}

impl fmt::Display for SshFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str("an address for ssh needs a key, and none is given"),
            Self::OnlyKey => f.write_str("only a key for ssh is given, and the address is not for ssh"),
            Self::NoProgram(program) => write!(f, "{program}, needed for ssh://, does not start"),
            Self::KeyUnusable(why) => write!(f, "the private key in `identity` cannot be used: {why}"),
            Self::KeyRefused => f.write_str("the host does not take the private key in `identity`"),
            Self::HostUnknown => f.write_str("`known_hosts` does not say which key the host has"),
            Self::HostChanged => {
                f.write_str("the host shows another key than `known_hosts` says: somebody may be in between")
            }
        }
    }
}

impl From<SshFault> for Fault {
    fn from(fault: SshFault) -> Self {
        GitErrorKind::Ssh(fault).into()
    }
}

/// Why a connection ended that nobody ended here.
pub(super) fn verdict(status: ExitStatus, said: &[u8]) -> Outcome<()> {
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(said);
    let said: String = said.chars().filter(|&c| c == '\n' || !c.is_control()).collect();
    Err(of_words(said.trim(), status).into())
}

fn of_words(said: &str, status: ExitStatus) -> GitErrorKind {
    let low = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| low.contains(word));
    if has(&["remote host identification has changed", "host key for"]) && has(&["changed"]) {
        return SshFault::HostChanged.into_kind();
    }
    if has(&["host key verification failed", "host key is known for"]) {
        return SshFault::HostUnknown.into_kind();
    }
    if has(&["permission denied (", "too many authentication failures"]) {
        // What ssh could not read it did not show to the host.
        return match said.lines().find(|line| line.starts_with("Load key ")) {
            Some(line) => SshFault::KeyUnusable(line.rsplit(": ").next().unwrap_or(line).to_owned()),
            None => SshFault::KeyRefused,
        }
        .into_kind();
    }
    if has(&[
        "could not resolve hostname",
        "connection refused",
        "no route to host",
        "network is unreachable",
    ]) || has(&["connection timed out", "operation timed out"])
    {
        return GitErrorKind::Unreachable;
    }
    if has(&["does not appear to be a git repository", "not a git repository", "repository not found"])
        || has(&["could not be found", "cannot find repository", "repository does not exist"])
    {
        return GitErrorKind::RepositoryMissing;
    }
    if has(&["read only", "read-only", "not allowed", "permission", "access denied", "unauthorized"]) {
        return GitErrorKind::Forbidden(said.to_owned());
    }
    if status.code() == Some(255)
        && (said.is_empty()
            || has(&[
                "connection closed",
                "connection reset",
                "broken pipe",
                "kex_exchange",
                "not responding",
            ]))
    {
        return GitErrorKind::Interrupted;
    }
    GitErrorKind::HostFailed(if said.is_empty() {
        format!("ssh ended with {status}")
    } else {
        said.to_owned()
    })
}

impl SshFault {
    fn into_kind(self) -> GitErrorKind {
        GitErrorKind::Ssh(self)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::ExitStatus;

    use super::{SshFault, of_words};
    use crate::git::GitErrorKind;

    /// As OpenSSH, Git and the forges say it.
    #[test]
    fn what_is_said_becomes_what_it_means() {
        let check = |code: i32, said: &str, kind: GitErrorKind| {
            assert_eq!(of_words(said, ExitStatus::from_raw(code << 8)), kind, "{said}");
        };
        let ssh = |fault: SshFault| fault.into_kind();
        check(
            255,
            "No ED25519 host key is known for [127.0.0.1]:22222 and you have requested strict checking.\nHost key verification failed.",
            ssh(SshFault::HostUnknown),
        );
        check(
            255,
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key for git.acme.io has changed and you have requested strict checking.\nHost key verification failed.",
            ssh(SshFault::HostChanged),
        );
        check(255, "git@github.com: Permission denied (publickey).", ssh(SshFault::KeyRefused));
        check(
            255,
            "Load key \"/dev/shm/x/identity\": error in libcrypto\ngit@github.com: Permission denied (publickey).",
            ssh(SshFault::KeyUnusable("error in libcrypto".to_owned())),
        );
        check(
            255,
            "ssh: Could not resolve hostname git.acme.io: Name or service not known",
            GitErrorKind::Unreachable,
        );
        check(255, "ssh: connect to host 127.0.0.1 port 1: Connection refused", GitErrorKind::Unreachable);
        check(128, "fatal: '/srv/x' does not appear to be a git repository", GitErrorKind::RepositoryMissing);
        check(1, "ERROR: Repository not found.", GitErrorKind::RepositoryMissing);
        let read_only = "ERROR: The key you are authenticating with has been marked as read only.";
        check(1, read_only, GitErrorKind::Forbidden(read_only.to_owned()));
        check(
            255,
            "kex_exchange_identification: Connection closed by remote host",
            GitErrorKind::Interrupted,
        );
        check(255, "Timeout, server git.acme.io not responding.", GitErrorKind::Interrupted);
        let shell = "sh: 1: git-upload-pack: not found";
        check(127, shell, GitErrorKind::HostFailed(shell.to_owned()));
    }
}
