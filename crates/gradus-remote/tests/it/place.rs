//! A repository of its own for each test, made with plain `git` in a hermetic environment.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use gradus_remote::git::{
    BranchName, Change, CommitMeta, ObjectId, Preparation, Prepared, Remote, RemoteOptions, RemoteUrl,
    RepoPath, Signature,
};
use gradus_testbed::Sshd;
use tempfile::TempDir;

use crate::{
    server::{Server, Settings},
    ssh,
};

/// How the repository is reached, and what its host can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    Http,
    File,
    HttpNoFilter,
    FileNoFilter,
    HttpOld,
    FileOld,
    Ssh,
    SshOld,
}

impl Via {
    fn http(self) -> bool {
        matches!(self, Self::Http | Self::HttpNoFilter | Self::HttpOld)
    }

    fn filters(self) -> bool {
        !matches!(self, Self::HttpNoFilter | Self::FileNoFilter)
    }

    pub(crate) fn old(self) -> bool {
        matches!(self, Self::HttpOld | Self::FileOld | Self::SshOld)
    }

    /// Whether single objects can be asked for.
    pub(crate) fn wire(self) -> bool {
        self.filters() && !self.old()
    }
}

pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) via: Via,
    pub(crate) server: Option<Server>,
    pub(crate) sshd: Option<&'static Sshd>,
}

impl Place {
    /// A repository without a commit.
    pub(crate) async fn empty(via: Via) -> Self {
        let dir = TempDir::new().unwrap();
        let sshd = match via {
            Via::Ssh | Via::SshOld => Some(ssh::shared(via.old()).await),
            Via::Http | Via::File | Via::HttpNoFilter | Via::FileNoFilter | Via::HttpOld | Via::FileOld => {
                None
            }
        };
        let place = Self { dir, via, server: None, sshd };
        place.git(&["init", "-q", "--bare", "-b", "main", "repo.git"]);
        place.config("uploadpack.allowFilter", if via.filters() { "true" } else { "false" });
        place.config("http.receivepack", "true");
        let program = "#!/bin/sh\nunset GIT_PROTOCOL\nexec git \"$@\"\n";
        place.script("old-git", program);
        let settings = Settings { old: via.old(), ..Settings::default() };
        let server = if via.http() { Some(Server::start(place.dir.path(), settings).await) } else { None };
        Self { server, ..place }
    }

    /// A repository with one commit on `main`.
    pub(crate) async fn new(via: Via, files: &[(&str, &str)]) -> Self {
        let place = Self::empty(via).await;
        place.commit("main", files, "first");
        place
    }

    pub(crate) fn url(&self) -> RemoteUrl {
        let url = match (&self.server, self.sshd) {
            (Some(server), _) => format!("{}/repo.git", server.url()),
            (None, Some(sshd)) => sshd.url(&self.repo()),
            (None, None) => format!("file://{}", self.repo().display()),
        };
        RemoteUrl::new(&url).unwrap()
    }

    pub(crate) fn options(&self) -> RemoteOptions {
        let mut options = RemoteOptions::default();
        if self.via == Via::FileOld {
            options.git_program = self.dir.path().join("old-git");
        }
        options.ssh = self.sshd.map(ssh::key);
        options
    }

    pub(crate) fn remote(&self) -> Remote {
        Remote::open(self.url(), self.options()).unwrap()
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.dir.path().join("repo.git")
    }

    pub(crate) fn script(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn config(&self, key: &str, value: &str) {
        self.git(&["-C", "repo.git", "config", key, value]);
    }

    /// Runs git and gives what it prints.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(self.dir.path(), args, b"")
    }

    /// Runs another program in the folder of the test.
    pub(crate) fn run(&self, program: &str, args: &[&str]) {
        let done = Command::new(program).args(args).current_dir(self.dir.path()).status().unwrap();
        assert!(done.success(), "{program} {args:?}");
    }

    /// Adds a commit to a branch, on top of what it holds, and gives its id.
    pub(crate) fn commit(&self, branch: &str, files: &[(&str, &str)], message: &str) -> ObjectId {
        let files: Vec<_> = files.iter().map(|(path, content)| ("100644", *path, *content)).collect();
        self.commit_modes(branch, &files, message)
    }

    pub(crate) fn commit_modes(&self, branch: &str, files: &[(&str, &str, &str)], message: &str) -> ObjectId {
        let reference = format!("refs/heads/{branch}");
        let exists = !self.git(&["-C", "repo.git", "for-each-ref", &reference]).is_empty();
        let mut stream = format!("commit {reference}\ncommitter Ada <ada@acme.test> 1700000000 +0100\n");
        stream += &format!("data {}\n{message}\n", message.len());
        if exists {
            stream += &format!("from {reference}^0\n");
        }
        for (mode, path, content) in files {
            if *mode == "160000" {
                stream += &format!("M {mode} {content} {path}\n");
            } else {
                stream += &format!("M {mode} inline {path}\ndata {}\n{content}\n", content.len());
            }
        }
        self.import(stream.as_bytes());
        self.at(branch)
    }

    pub(crate) fn import(&self, stream: &[u8]) {
        git(&self.repo(), &["fast-import", "--quiet", "--force"], stream);
    }

    /// Where a branch is, by git itself.
    pub(crate) fn at(&self, branch: &str) -> ObjectId {
        self.git(&["-C", "repo.git", "rev-parse", &format!("refs/heads/{branch}")]).parse().unwrap()
    }

    /// A file of a branch, by git itself.
    pub(crate) fn show(&self, branch: &str, path: &str) -> String {
        self.git(&["-C", "repo.git", "show", &format!("{branch}:{path}")])
    }

    /// What one branch changes beside another: added and removed lines of each file.
    pub(crate) fn numstat(&self, from: &str, to: &str) -> String {
        self.git(&["-C", "repo.git", "-c", "core.quotePath=false", "diff", "--numstat", from, to])
    }

    /// The end of every test: the repository on the server is sound.
    pub(crate) fn done(&self) {
        let said = self.git(&["-C", "repo.git", "fsck", "--strict", "--no-dangling", "--no-progress"]);
        assert_eq!(said, "", "git fsck");
    }
}

pub(crate) fn git(dir: &Path, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new("git")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(crate) fn path(path: &str) -> RepoPath {
    RepoPath::new(path).unwrap()
}

pub(crate) fn meta(message: &str, parents: &[ObjectId]) -> CommitMeta {
    let who = Signature {
        name: "gradus".to_owned(),
        email: "gradus@acme.test".to_owned(),
        seconds: 1_760_000_000,
        offset_minutes: 330,
    };
    CommitMeta { author: who.clone(), committer: who, message: message.to_owned(), parents: parents.to_vec() }
}

/// A change of one file, from what is at `commit` now.
pub(crate) async fn edit(remote: &Remote, commit: ObjectId, file: &str, to: &str) -> Prepared {
    edit_all(remote, commit, &[(file, to)]).await
}

pub(crate) async fn edit_all(remote: &Remote, commit: ObjectId, files: &[(&str, &str)]) -> Prepared {
    let paths: Vec<_> = files.iter().map(|(file, _)| path(file)).collect();
    let read = remote.read(commit, &paths).await.unwrap();
    let changes = files
        .iter()
        .map(|(file, to)| {
            let expect = read[&path(file)].as_ref().map(|file| file.id);
            (path(file), Change::Write { expect, bytes: to.to_string().into() })
        })
        .collect();
    match remote.prepare(commit, &changes, &meta("promote", &[commit])).await.unwrap() {
        Preparation::Ready(prepared) => prepared,
        other @ (Preparation::AlreadyTrue | Preparation::Stale { .. }) => panic!("{other:?}"),
    }
}
