//! Files of a commit, read and written over the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use gradus_core::pipeline::Repository;
use gradus_engine::port::repo::{CommitOrder, Entry, EntryMode, FileChange, Repo, Repos, Written};
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use jiff::Timestamp;

use super::{Changed, File, Wrote};
use crate::config::file_url;
use crate::error::CliError;
use crate::wiring::{AccessArgs, options};

/// How many files are asked for at once.
const BATCH: usize = 1000;

/// A repository that is not looked at yet.
pub(super) struct Opened {
    repo: Arc<dyn Repo>,
    url: String,
    branch: Option<BranchName>,
}

/// A place in the commit at which a branch is.
pub(crate) struct Remote {
    repo: Arc<dyn Repo>,
    branch: BranchName,
    tip: CommitId,
    /// The whole tree where there is none.
    place: Option<RepoPath>,
}

impl Remote {
    pub(super) fn open(
        url: &str,
        branch: Option<&str>,
        secret: Option<&str>,
        access: &AccessArgs,
    ) -> Result<Opened, CliError> {
        let address = file_url(url);
        let folder = SecretFolder { folder: access.secrets.clone(), otherwise: options(access)? };
        let repos = WireRepos::new(Arc::new(folder), Committer::default());
        let repository = Repository {
            url: address.clone().into(),
            branch: None,
            paths: Vec::new(),
            secret: secret.map(Arc::from),
            forge: None,
            commit: Default::default(),
        };
        let branch = branch.map(BranchName::parse).transpose();
        let branch = branch.map_err(|error| CliError::usage(format!("--branch: {error}")))?;
        Ok(Opened { repo: repos.open(&repository)?, url: address, branch })
    }

    pub(super) async fn one(&self) -> Result<File, CliError> {
        let Some(path) = &self.place else {
            return Err(CliError::failed(". is a folder, and a path is of one file"));
        };
        let mut seen = self.repo.read(&self.tip, std::slice::from_ref(path)).await?;
        match seen.remove(path) {
            Some(seen) => Ok(File { name: path.to_string(), bytes: seen.bytes, blob: Some(seen.blob) }),
            None => Err(CliError::failed(format!("{path} is no file of the branch {}", self.branch))),
        }
    }

    pub(super) async fn all(&self, wanted: fn(&str) -> bool) -> Result<Vec<File>, CliError> {
        let below: Vec<RepoPath> = self.place.iter().cloned().collect();
        let entries = self.repo.files_below(&self.tip, &below).await?;
        if entries.is_empty() {
            let place = self.place.as_ref().map_or(".", RepoPath::as_str);
            return Err(CliError::failed(format!("there is no {place} in the branch {}", self.branch)));
        }
        let is_place = |entry: &Entry| Some(&entry.path) == self.place.as_ref();
        let entries: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| matches!(entry.mode, EntryMode::File | EntryMode::Executable))
            .filter(|entry| is_place(entry) || wanted(entry.path.as_str()))
            .collect();
        let mut files = Vec::new();
        for batch in entries.chunks(BATCH) {
            let mut blobs: Vec<BlobId> = batch.iter().map(|entry| entry.blob.clone()).collect();
            blobs.sort();
            blobs.dedup();
            let contents = self.repo.contents(&blobs).await?;
            for Entry { path, blob, .. } in batch {
                let Some(bytes) = contents.get(blob) else {
                    return Err(CliError::failed(format!("the host did not send {path}")));
                };
                files.push(File { name: path.to_string(), bytes: bytes.clone(), blob: Some(blob.clone()) });
            }
        }
        Ok(files)
    }

    pub(super) async fn write(&self, changed: &[Changed], message: &str) -> Result<Wrote, CliError> {
        let mut files = BTreeMap::new();
        for Changed { file, after } in changed {
            let path = RepoPath::parse(&file.name).map_err(|error| CliError::failed(error.to_string()))?;
            let Some(blob) = file.blob.clone() else { continue };
            files.insert(path, FileChange::write(blob, Arc::from(after.as_slice())));
        }
        let order = CommitOrder {
            branch: self.branch.clone(),
            expect: Some(self.tip.clone()),
            parents: vec![self.tip.clone()],
            tree_of: self.tip.clone(),
            files,
            message: message.to_owned(),
            at: Timestamp::now(),
        };
        match self.repo.commit(&order).await? {
            Written::Done(commit) => Ok(Wrote::Done(Some(format!("{} on {}", short(&commit), self.branch)))),
            Written::AlreadyTrue(_) => Ok(Wrote::Done(None)),
            Written::Stale(_) => Ok(Wrote::Stale),
            Written::Refused(why) => {
                Err(CliError::failed(format!("the host refuses a push to {}: {why}", self.branch)))
            }
        }
    }
}

impl Opened {
    /// Looks where the branch is.
    pub(super) async fn at(self, place: &str) -> Result<Remote, CliError> {
        let Self { repo, url, branch } = self;
        let place = place.trim_start_matches("./").trim_end_matches('/');
        let place =
            match place {
                "" | "." => None,
                place => Some(RepoPath::parse(place).map_err(|error| {
                    CliError::usage(format!("{place} is no path in a repository: {error}"))
                })?),
            };
        let branch = match branch {
            Some(branch) => branch,
            None => repo.default_branch().await?,
        };
        let tip = repo.tips(std::slice::from_ref(&branch)).await?.remove(&branch);
        let Some(tip) = tip else {
            return Err(CliError::failed(format!("{url} has no branch {branch}")));
        };
        Ok(Remote { repo, branch, tip, place })
    }
}

fn short(commit: &CommitId) -> &str {
    commit.as_str().get(..7).unwrap_or(commit.as_str())
}
