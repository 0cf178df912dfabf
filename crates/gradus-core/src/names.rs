//! The names people give to things, each with a type of its own.
//!
//! A value of one of these types has been checked. Past the parser nothing in
//! the project passes a name as a bare string.

use std::fmt;
use std::sync::Arc;

/// Why a text is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {text:?} {problem}")]
pub struct NameError {
    /// The kind of name, such as "environment name".
    pub what: &'static str,
    /// The text as it was given, cut to a readable length.
    pub text: String,
    /// What is wrong with it and what would be right.
    pub problem: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks the text and makes the name.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                match $check(text) {
                    Ok(()) => Ok(Self(Arc::from(text))),
                    Err(problem) => Err(NameError { what: $what, text: text.chars().take(80).collect(), problem }),
                }
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($type), "({:?})"), &*self.0)
            }
        }
    };
}

name!(
    /// The namespace a pipeline lives in.
    Namespace, "namespace", label
);
name!(
    /// The name of a pipeline inside its namespace.
    PipelineName, "pipeline name", subdomain
);
name!(
    /// The name of a notification inside its namespace.
    NotificationName, "notification name", subdomain
);
name!(
    /// The name of an environment inside its pipeline.
    EnvironmentName, "environment name", label
);
name!(
    /// The name of a target inside its environment.
    TargetName, "target name", subdomain
);
name!(
    /// The name of an artifact inside its pipeline.
    ArtifactName, "artifact name", label
);
name!(
    /// The name of an outside check.
    CheckName, "check name", subdomain
);
name!(
    /// A person or a machine that asks, approves, authors or reports.
    Person, "person", printable
);
name!(
    /// A group of people.
    Group, "group", printable
);
name!(
    /// A branch, without `refs/heads/`.
    BranchName, "branch", branch
);
name!(
    /// A file or folder in a repository: relative, with `/` between its parts.
    RepoPath, "path", repo_path
);
name!(
    /// The id of a commit.
    CommitId, "commit id", object_id
);
name!(
    /// The id of a file's content in Git.
    BlobId, "blob id", object_id
);
name!(
    /// The id of a request that a person made.
    RequestId, "request id", subdomain
);
name!(
    /// The event by which somebody else's automation is begun.
    EventType, "event type", event_type
);

impl EventType {
    /// The event that a promotion is, where nobody says another one.
    pub fn promotion() -> Self {
        Self(Arc::from("gradus-promotion"))
    }
}

impl Person {
    /// Somebody whose name is not known.
    pub fn unknown() -> Self {
        Self(Arc::from("unknown"))
    }

    /// gradus itself.
    pub fn gradus() -> Self {
        Self(Arc::from("gradus"))
    }
}

impl CommitId {
    /// The first seven digits, as people read them.
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

/// Which pipeline: its namespace and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineKey {
    /// Where it lives.
    pub namespace: Namespace,
    /// What it is called there.
    pub name: PipelineName,
}

impl PipelineKey {
    /// Reads `namespace/name`; a bare name is in the namespace `default`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let (namespace, name) = text.split_once('/').unwrap_or(("default", text));
        Ok(Self { namespace: Namespace::parse(namespace)?, name: PipelineName::parse(name)? })
    }
}

impl fmt::Display for PipelineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The number of a proposal in its forge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProposalNumber(pub u64);

impl fmt::Display for ProposalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn label_chars(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    edge(text.chars().next())
        && edge(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// A DNS label, as Kubernetes asks of a namespace (RFC 1123).
fn label(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > 63 {
        Err("is longer than 63 characters")
    } else if !label_chars(text) {
        Err("must be lower case letters, digits and '-', and begin and end with a letter or digit")
    } else {
        Ok(())
    }
}

/// A DNS subdomain, as Kubernetes asks of most object names (RFC 1123).
fn subdomain(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > 253 {
        Err("is longer than 253 characters")
    } else if !text.split('.').all(label_chars) {
        Err(
            "must be lower case letters, digits, '-' and '.', and each part must begin and end with a letter or digit",
        )
    } else {
        Ok(())
    }
}

fn printable(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        Err("is empty")
    } else if text.len() > 256 {
        Err("is longer than 256 bytes")
    } else if text.chars().any(char::is_control) {
        Err("has a control character")
    } else if text.trim() != text {
        Err("begins or ends with a space")
    } else {
        Ok(())
    }
}

/// The rules of `git check-ref-format` for a branch.
fn branch(text: &str) -> Result<(), &'static str> {
    let bad_char = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > 244 {
        Err("is longer than 244 bytes")
    } else if text.chars().any(bad_char) || text.contains("..") || text.contains("@{") || text == "@" {
        Err("has a character or sequence that Git does not allow in a branch")
    } else if text.starts_with('-') || text.starts_with("refs/") {
        Err("must be the branch alone, without refs/heads/ and without a leading '-'")
    } else if text
        .split('/')
        .any(|p| p.is_empty() || p.starts_with('.') || p.ends_with(".lock") || p.ends_with('.'))
    {
        Err("has an empty part, or a part that begins or ends with '.' or ends with .lock")
    } else {
        Ok(())
    }
}

fn repo_path(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > 4096 {
        Err("is longer than 4096 bytes")
    } else if text.starts_with('/') {
        Err("must be relative to the repository's top")
    } else if text.chars().any(|c| c.is_control() || c == '\\') {
        Err("has a control character or a backslash")
    } else if text.split('/').any(|p| p == "..") {
        Err("leads out of the repository")
    } else if text.split('/').any(|p| p.is_empty() || p == ".") {
        Err("has an empty part or '.'")
    } else if text.split('/').any(|p| p.eq_ignore_ascii_case(".git")) {
        Err("leads into .git")
    } else {
        Ok(())
    }
}

fn event_type(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > 100 {
        Err("is longer than 100 characters")
    } else if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/".contains(c)) {
        Err("must be letters, digits, '-', '_', '.', ':' and '/'")
    } else {
        Ok(())
    }
}

fn object_id(text: &str) -> Result<(), &'static str> {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && (text.len() == 40 || text.len() == 64) {
        Ok(())
    } else {
        Err("is not 40 or 64 lower case hex digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_when_made() {
        for good in ["dev", "prod-eu", "a", "0"] {
            assert!(EnvironmentName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "ü", &"a".repeat(64)] {
            assert!(EnvironmentName::parse(bad).is_err(), "{bad}");
        }
        assert!(PipelineName::parse("a.b").is_ok());
        assert!(PipelineName::parse("a..b").is_err());
    }

    #[test]
    fn paths_stay_in_the_repository() {
        for good in ["a", "a/b c/ü.yaml", "a/..b", "apps/.github/x"] {
            assert!(RepoPath::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "/a", "a//b", "../a", "a/../b", "a/.", ".git/config", "a/.GIT/b", "a\\b", "a\nb"] {
            assert!(RepoPath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn branches_follow_gits_rules() {
        for good in ["main", "gradus/apps/web/prod", "feature/ü"] {
            assert!(BranchName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a..b", "-a", "refs/heads/a", "a/", "/a", "a.lock", "a/.b", "@", "a@{b", "a~1"]
        {
            assert!(BranchName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn event_types_are_one_word() {
        for good in ["gradus-promotion", "Deploy.prod:eu/1"] {
            assert!(EventType::parse(good).is_ok(), "{good}");
        }
        assert_eq!(EventType::parse("gradus-promotion"), Ok(EventType::promotion()));
        for bad in ["", "a b", "a\nb", "é", &"a".repeat(101)] {
            assert!(EventType::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_names_what_and_why() {
        let error = EnvironmentName::parse("Prod").unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment name \"Prod\" must be lower case letters, digits and '-', and begin and end with a letter or digit"
        );
    }
}
