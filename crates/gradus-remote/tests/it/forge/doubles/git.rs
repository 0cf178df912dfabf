//! A bare repository, by the git program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(super) struct Git {
    root: tempfile::TempDir,
}

/// How a proposal comes into its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Merge,
    Squash,
    Rebase,
    FastForward,
}

/// What Git says to a merge.
pub(super) enum Brought {
    By(String),
    Conflict,
    /// The head is not on top of the base.
    Behind,
}

impl Git {
    pub(super) fn new() -> Self {
        let git = Self { root: tempfile::tempdir().unwrap() };
        std::fs::create_dir(git.repository()).unwrap();
        git.done(&["init", "-q", "--bare", "-b", "main"]);
        git.done(&["config", "http.receivepack", "true"]);
        git
    }

    /// The folder that repositories are served from.
    pub(super) fn root(&self) -> &Path {
        self.root.path()
    }

    fn repository(&self) -> PathBuf {
        self.root.path().join("fleet.git")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.repository()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.root.path());
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Forge")
                .env(format!("GIT_{role}_EMAIL"), "forge@acme.io");
        }
        command.stderr(Stdio::null());
        command
    }

    fn asked(&self, arguments: &[&str]) -> Option<String> {
        let output = self.command(arguments).stdin(Stdio::null()).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    fn done(&self, arguments: &[&str]) -> String {
        self.asked(arguments).unwrap_or_else(|| panic!("git {arguments:?}"))
    }

    pub(super) fn tip(&self, branch: &str) -> Option<String> {
        self.asked(&["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}^{{commit}}")])
    }

    /// Every branch whose name begins so, and where it is.
    pub(super) fn tips(&self, start: &str) -> Vec<(String, String)> {
        let listed =
            self.done(&["for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads/"]);
        let all = listed.lines().map(|line| line.split_once(' ').unwrap());
        all.filter(|(name, _)| name.starts_with(start)).map(|(name, tip)| (name.into(), tip.into())).collect()
    }

    /// The whole id of a commit of which the beginning is given.
    pub(super) fn whole(&self, start: &str) -> Option<String> {
        self.asked(&["rev-parse", "-q", "--verify", &format!("{start}^{{commit}}")])
    }

    /// A commit with this file on top of another, as the new tip of a branch.
    pub(super) fn write(&self, branch: &str, parent: Option<&str>, file: &str, text: &str) -> String {
        let mut input = format!("commit refs/heads/{branch}\ncommitter Ann <ann@acme.io> 1800000000 +0000\n");
        input.push_str(&format!("data {}\nwrite {file}\n", "write ".len() + file.len()));
        if let Some(parent) = parent {
            input.push_str(&format!("from {parent}\n"));
        }
        input.push_str(&format!("M 100644 inline {file}\ndata {}\n{text}\n", text.len()));
        let mut import = self.command(&["fast-import", "--quiet", "--force"]);
        let mut import = import.stdin(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut import.stdin.take().unwrap(), input.as_bytes()).unwrap();
        assert!(import.wait().unwrap().success());
        self.tip(branch).unwrap()
    }

    pub(super) fn file(&self, branch: &str, file: &str) -> Option<String> {
        self.asked(&["show", &format!("{branch}:{file}")])
    }

    pub(super) fn parents(&self, commit: &str) -> usize {
        self.done(&["rev-list", "--parents", "-n1", commit]).split(' ').count() - 1
    }

    pub(super) fn message(&self, commit: &str) -> String {
        self.done(&["log", "-1", "--format=%B", commit])
    }

    pub(super) fn delete(&self, branch: &str) -> bool {
        self.tip(branch).is_some()
            && self.asked(&["update-ref", "-d", &format!("refs/heads/{branch}")]).is_some()
    }

    pub(super) fn contains(&self, commit: &str, ancestor: &str) -> bool {
        self.asked(&["merge-base", "--is-ancestor", ancestor, commit]).is_some()
    }

    /// Whether the two could be merged.
    pub(super) fn conflicts(&self, head: &str, base: &str) -> bool {
        self.asked(&["merge-tree", "--write-tree", base, head]).is_none()
    }

    /// The commit that a merge would make, which no branch has. The same each time.
    pub(super) fn trial(&self, head: &str, base: &str) -> Option<String> {
        let tip = self.tip(base)?;
        let tree = self.asked(&["merge-tree", "--write-tree", &tip, head])?;
        let mut command = self.command(&["commit-tree", &tree, "-p", &tip, "-p", head, "-m", "trial"]);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_DATE"), "1800000000 +0000");
        }
        let output = command.stdin(Stdio::null()).output().unwrap();
        Some(String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    pub(super) fn merge(&self, head: &str, base: &str, how: How, message: &str) -> Brought {
        let tip = self.tip(base).unwrap();
        let Some(tree) = self.asked(&["merge-tree", "--write-tree", &tip, head]) else {
            return Brought::Conflict;
        };
        let made = match how {
            How::FastForward if !self.contains(head, &tip) => return Brought::Behind,
            How::FastForward => head.to_owned(),
            How::Merge => self.done(&["commit-tree", &tree, "-p", &tip, "-p", head, "-m", message]),
            // The branches of these tests have one commit.
            How::Squash | How::Rebase => self.done(&["commit-tree", &tree, "-p", &tip, "-m", message]),
        };
        self.done(&["update-ref", &format!("refs/heads/{base}"), &made, &tip]);
        Brought::By(made)
    }
}
