//! Names past the parser: a branch, a path in a repository, the address of a repository.

use std::{fmt, str::FromStr};

use super::{
    error::{Fault, GitError},
    ssh::SshAddress,
};

/// The short name of a branch: `main`, `gradus/podinfo-prod`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchName(String);

impl BranchName {
    /// Takes a name that Git allows for a branch, without `refs/heads/`.
    pub fn new(name: &str) -> Result<Self, GitError> {
        match branch_fault(name) {
            None => Ok(Self(name.to_owned())),
            Some(why) => {
                Err(Fault::input(format!("{name:?} {why}")).doing("take it as the name of a branch"))
            }
        }
    }

    /// The short name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }

    pub(super) fn of_reference(reference: &str) -> Option<Self> {
        let name = reference.strip_prefix("refs/heads/")?;
        branch_fault(name).is_none().then(|| Self(name.to_owned()))
    }
}

/// The rules of `git check-ref-format --branch`.
fn branch_fault(name: &str) -> Option<&'static str> {
    let forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    if name.is_empty() || name.len() > 240 {
        Some("is empty or longer than 240 bytes")
    } else if name.starts_with('-') || name == "@" || name == "HEAD" || name.starts_with("refs/") {
        Some("has a meaning of its own in Git")
    } else if name.contains(forbidden) {
        Some("holds a space, a control character or one of ~^:?*[\\")
    } else if name.contains("..") || name.contains("@{") || name.ends_with('.') {
        Some("holds .. or @{, or ends with a dot")
    } else if name.split('/').any(|part| part.is_empty() || part.starts_with('.') || part.ends_with(".lock"))
    {
        Some("has a part that is empty, starts with a dot or ends with .lock")
    } else {
        None
    }
}

impl fmt::Display for BranchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BranchName {
    type Err = GitError;

    fn from_str(name: &str) -> Result<Self, GitError> {
        Self::new(name)
    }
}

/// A path inside a repository: relative, with `/`, never out of it and never into `.git`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

impl RepoPath {
    /// Takes a path such as `apps/podinfo/release.yaml`.
    pub fn new(path: &str) -> Result<Self, GitError> {
        match path_fault(path) {
            None => Ok(Self(path.to_owned())),
            Some(why) => {
                Err(Fault::input(format!("{path:?} {why}")).doing("take it as a path in a repository"))
            }
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }
}

fn path_fault(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.len() > 4096 {
        Some("is empty or longer than 4096 bytes")
    } else if path.starts_with('/') {
        Some("is not relative")
    } else if path.contains(|c: char| c.is_control()) {
        Some("holds a control character")
    } else if path.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
        Some("has a part that is empty, . or ..")
    } else if path.split('/').count() > 128 {
        Some("has more than 128 parts")
    } else if path.split(['/', '\\']).any(is_dot_git) {
        Some("leads into .git")
    } else {
        None
    }
}

/// Whether some file system would take this name for `.git`: it ignores case, ends of dots and spaces, streams
/// (`.git::$INDEX`), short names (`git~1`) or invisible characters.
fn is_dot_git(part: &str) -> bool {
    let invisible = |c: char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let seen: String = part.chars().filter(|&c| !invisible(c)).collect::<String>().to_ascii_lowercase();
    let name = seen.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    name == ".git" || name == "git~1"
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoPath {
    type Err = GitError;

    fn from_str(path: &str) -> Result<Self, GitError> {
        Self::new(path)
    }
}

/// The address of a repository: `https://`, `http://`, `file://`, `ssh://` or `user@host:path`, without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RemoteUrl(Place);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Url(reqwest::Url),
    Ssh(SshAddress),
}

impl RemoteUrl {
    /// Takes an address; credentials in it are refused, for addresses end up in logs.
    pub fn new(text: &str) -> Result<Self, GitError> {
        // The text itself is not repeated in the error: it may hold a password.
        let refuse = |why: &str| Err(Fault::input(why).doing("take the address of the repository"));
        if SshAddress::is_one(text) {
            return match SshAddress::parse(text) {
                Ok(address) => Ok(Self(Place::Ssh(address))),
                Err(why) => refuse(why),
            };
        }
        let Ok(mut url) = reqwest::Url::parse(text) else {
            return refuse("it is not an address such as https://host/path");
        };
        // First, because such addresses name a user who is no credential.
        if matches!(url.scheme(), "git" | "git+ssh" | "ssh+git") {
            return refuse("git:// and git+ssh:// are not spoken; use https:// or ssh://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it holds credentials; give them apart from the address");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("it holds a query or a fragment");
        }
        match url.scheme() {
            "https" | "http" if url.host_str().is_some_and(|host| !host.is_empty()) => {}
            "file" if url.host_str().is_none() => {}
            _ => return refuse("only https://, http://, ssh:// and file:// are spoken"),
        }
        let path = url.path().trim_end_matches('/').to_owned();
        if path.is_empty() {
            return refuse("it names no repository");
        }
        url.set_path(&path);
        Ok(Self(Place::Url(url)))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Place::Url(url) => url.as_str(),
            Place::Ssh(address) => address.as_str(),
        }
    }

    pub(super) fn place(&self) -> &Place {
        &self.0
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RemoteUrl {
    type Err = GitError;

    fn from_str(text: &str) -> Result<Self, GitError> {
        Self::new(text)
    }
}

#[cfg(test)]
#[path = "name_tests.rs"]
mod tests;
