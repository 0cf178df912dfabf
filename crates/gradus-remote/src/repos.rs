//! The engine's port for Git, on the wire client.

mod access;
mod merges;
mod shows;
mod sign_off;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use gradus_core::pipeline::{CommitStyle, Repository};
use gradus_engine::port::repo::{
    Becomes, CommitOrder, CommitSeen, ContentId, Entry, EntryMode, FileChange, FileSeen, History, Listed,
    Onlooker, Repo, Repos, Top, TreeMerge, Written,
};
use gradus_engine::port::{PortError, PortErrorKind};
use jiff::Timestamp;

use crate::AppCredentials;
use crate::cause::causes;
use crate::git::{
    self, Change, CommitMeta, Content, GitError, GitErrorKind, Mode, Preparation, Pushed, Remote, Signature,
    SshFault,
};
use crate::http::Tls;

use shows::Shows;
use sign_off::signed_off;

pub use access::{Access, NOTHING, PUT, SecretFolder, signing_key, with_secret};

/// How many YAML files of one repository are looked at for markers.
const MOST_FILES: usize = 200_000;

/// Who makes gradus's commits.
#[derive(Debug, Clone)]
pub struct Committer {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

impl Default for Committer {
    fn default() -> Self {
        Self { name: "gradus".to_owned(), email: "gradus@localhost".to_owned() }
    }
}

/// Repositories that are reached over the wire. Each is opened once.
pub struct WireRepos {
    access: Arc<dyn Access>,
    committer: Committer,
    opened: Mutex<HashMap<Address, Arc<WireRepo>>>,
}

/// A repository's URL, the Secret with which it is reached, and how commits are made there.
type Address = (Arc<str>, Option<Arc<str>>, CommitStyle);

impl WireRepos {
    /// Repositories with these credentials; commits are made by `committer`.
    pub fn new(access: Arc<dyn Access>, committer: Committer) -> Self {
        Self { access, committer, opened: Mutex::default() }
    }
}

impl Repos for WireRepos {
    fn open(&self, repository: &Repository) -> Result<Arc<dyn Repo>, PortError> {
        let key = (repository.url.clone(), repository.secret.clone(), repository.commit.clone());
        let options = self.access.options(repository)?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        // A Secret that was rotated makes another client; what the old one remembered goes with it.
        let reached = Reached {
            credentials: options.credentials.clone(),
            app: options.app.clone(),
            ssh: options.ssh.clone(),
            signing: options.signing.clone(),
            tls: options.tls.clone(),
        };
        if let Some(repo) = opened.get(&key).filter(|repo| repo.reached == reached) {
            return Ok(repo.clone());
        }
        let remote = git::RemoteUrl::new(&repository.url)
            .and_then(|url| Remote::open(url, options))
            .map_err(from_git)?;
        let committer = match &repository.commit.author {
            Some(author) => Committer { name: author.name.to_string(), email: author.email.to_string() },
            None => self.committer.clone(),
        };
        let repo = Arc::new(WireRepo { remote, reached, committer, sign_off: repository.commit.sign_off });
        opened.insert(key, repo.clone());
        Ok(repo)
    }
}

/// One repository that is reached over the wire.
struct WireRepo {
    remote: Remote,
    reached: Reached,
    committer: Committer,
    /// Whether each commit says that it is signed off.
    sign_off: bool,
}

/// With what a repository was opened.
#[derive(PartialEq)]
struct Reached {
    credentials: git::Credentials,
    app: Option<AppCredentials>,
    ssh: Option<git::SshKey>,
    signing: Option<git::SigningKey>,
    tls: Tls,
}

#[async_trait]
impl Repo for WireRepo {
    async fn default_branch(&self) -> Result<BranchName, PortError> {
        let branch = self.remote.default_branch().await.map_err(from_git)?;
        let url = self.remote.url();
        let none = || {
            PortError::new(PortErrorKind::Missing, format!("asking {url} for its default branch"))
                .with_hint("say which branch is deployed with `repository.branch`")
        };
        BranchName::parse(branch.ok_or_else(none)?.as_str()).map_err(named)
    }

    async fn tips(&self, branches: &[BranchName]) -> Result<BTreeMap<BranchName, CommitId>, PortError> {
        let wanted = branches.iter().map(wire_branch).collect::<Result<Vec<_>, _>>()?;
        let tips = self.remote.tips(&wanted).await.map_err(from_git)?;
        tips.iter()
            .map(|(name, id)| Ok((BranchName::parse(name.as_str()).map_err(named)?, commit_id(*id)?)))
            .collect()
    }

    async fn tips_with(
        &self,
        branch: &BranchName,
        start: &str,
    ) -> Result<BTreeMap<BranchName, CommitId>, PortError> {
        let tips = self.remote.tips_with(&wire_branch(branch)?, start).await.map_err(from_git)?;
        // A branch whose name is none for us is none of ours.
        let named = tips.iter().filter_map(|(name, id)| Some((BranchName::parse(name.as_str()).ok()?, *id)));
        named.map(|(name, id)| Ok((name, commit_id(id)?))).collect()
    }

    async fn read(
        &self,
        at: &CommitId,
        paths: &[RepoPath],
    ) -> Result<BTreeMap<RepoPath, FileSeen>, PortError> {
        if paths.is_empty() {
            return Ok(BTreeMap::new());
        }
        let wanted = paths.iter().map(wire_path).collect::<Result<Vec<_>, _>>()?;
        let files = self.remote.read(wire_id(at.as_str())?, &wanted).await.map_err(from_git)?;
        let mut seen = BTreeMap::new();
        for (path, file) in files {
            if let Some(file) = file {
                let file = FileSeen { blob: blob_id(file.id)?, bytes: Arc::from(&*file.bytes) };
                seen.insert(RepoPath::parse(path.as_str()).map_err(named)?, file);
            }
        }
        Ok(seen)
    }

    async fn list(&self, at: &CommitId, below: &[RepoPath]) -> Result<Vec<Listed>, PortError> {
        let below = below.iter().map(wire_path).collect::<Result<Vec<_>, _>>()?;
        let is_yaml = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
        let listed =
            self.remote.list(wire_id(at.as_str())?, &below, is_yaml, MOST_FILES).await.map_err(from_git)?;
        // A path that is no name for us, such as one with a backslash, can hold no value either.
        listed
            .into_iter()
            .filter_map(|file| Some((RepoPath::parse(file.path.as_str()).ok()?, file.id)))
            .map(|(path, id)| Ok(Listed { path, blob: blob_id(id)? }))
            .collect()
    }

    async fn files_below(&self, at: &CommitId, below: &[RepoPath]) -> Result<Vec<Entry>, PortError> {
        let below = below.iter().map(wire_path).collect::<Result<Vec<_>, _>>()?;
        let listed = self.remote.below(wire_id(at.as_str())?, &below, MOST_FILES).await.map_err(from_git)?;
        let entry = |file: git::Listed| {
            let path = RepoPath::parse(file.path.as_str()).map_err(named)?;
            Ok(Entry { path, mode: entry_mode(file.mode), blob: blob_id(file.id)? })
        };
        listed.into_iter().map(entry).collect()
    }

    async fn look_through(
        &self,
        at: &CommitId,
        below: &[RepoPath],
        onlooker: Arc<dyn Onlooker>,
    ) -> Result<Vec<Top>, PortError> {
        let below = below.iter().map(wire_path).collect::<Result<Vec<_>, _>>()?;
        let onlooker = Arc::new(Shows(onlooker));
        let looked =
            self.remote.look_through(wire_id(at.as_str())?, &below, onlooker).await.map_err(from_git)?;
        let top = |looked: git::Looked| {
            let path = looked.path.map(|path| RepoPath::parse(path.as_str())).transpose().map_err(named)?;
            Ok(Top { path, id: ContentId::new(*looked.id.as_bytes()), is_folder: looked.is_folder })
        };
        looked.into_iter().map(top).collect()
    }

    async fn contents(&self, files: &[BlobId]) -> Result<BTreeMap<BlobId, Arc<[u8]>>, PortError> {
        let ids = files.iter().map(|id| wire_id(id.as_str())).collect::<Result<Vec<_>, _>>()?;
        let blobs = self.remote.blobs(&ids).await.map_err(from_git)?;
        blobs.into_iter().map(|(id, bytes)| Ok((blob_id(id)?, Arc::from(&*bytes)))).collect()
    }

    async fn history(&self, tip: &CommitId, paths: &[RepoPath], limit: usize) -> Result<History, PortError> {
        self.back_to(tip, paths, limit, None).await
    }

    async fn history_since(
        &self,
        tip: &CommitId,
        paths: &[RepoPath],
        limit: usize,
        known: &CommitId,
    ) -> Result<History, PortError> {
        self.back_to(tip, paths, limit, Some(known)).await
    }

    async fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, PortError> {
        let history = self.remote.history(wire_id(commit.as_str())?, &[], 1).await.map_err(from_git)?;
        let parents = history.entries.into_iter().next().map(|entry| entry.parents).unwrap_or_default();
        parents.into_iter().map(commit_id).collect()
    }

    async fn merge(&self, ours: &CommitId, theirs: &CommitId) -> Result<TreeMerge, PortError> {
        let merged = self.remote.merge(wire_id(ours.as_str())?, wire_id(theirs.as_str())?).await;
        merges::tree_merge(merged.map_err(from_git)?)
    }

    async fn commit(&self, order: &CommitOrder) -> Result<Written, PortError> {
        let mut changes = BTreeMap::new();
        for (path, file) in &order.files {
            changes.insert(wire_path(path)?, wire_change(file)?);
        }
        let who = || Signature {
            name: self.committer.name.clone(),
            email: self.committer.email.clone(),
            seconds: order.at.as_second(),
            offset_minutes: 0,
        };
        let parents = order.parents.iter().map(|id| wire_id(id.as_str())).collect::<Result<Vec<_>, _>>()?;
        let message =
            if self.sign_off { signed_off(&order.message, &self.committer) } else { order.message.clone() };
        let meta = CommitMeta { author: who(), committer: who(), message, parents };
        let base = wire_id(order.tree_of.as_str())?;
        let prepared = match self.remote.prepare(base, &changes, &meta).await.map_err(from_git)? {
            Preparation::Ready(prepared) => prepared,
            Preparation::AlreadyTrue => return Ok(Written::AlreadyTrue(order.tree_of.clone())),
            Preparation::Stale { path, .. } => return Ok(Written::Stale(format!("{path} has changed"))),
        };
        let branch = wire_branch(&order.branch)?;
        let expect = order.expect.as_ref().map(|id| wire_id(id.as_str())).transpose()?;
        let id = commit_id(prepared.id())?;
        match self.remote.push(&branch, expect, &prepared).await {
            Ok(pushed) => Ok(written(pushed, id)),
            Err(error) if *error.kind() == GitErrorKind::OutcomeUnknown => {
                self.look(&order.branch, Some(&id), order.expect.as_ref(), error).await
            }
            Err(error) => Err(from_git(error)),
        }
    }

    async fn delete(&self, branch: &BranchName, expect: &CommitId) -> Result<Written, PortError> {
        match self.remote.delete(&wire_branch(branch)?, wire_id(expect.as_str())?).await {
            Ok(pushed) => Ok(written(pushed, expect.clone())),
            Err(error) if *error.kind() == GitErrorKind::OutcomeUnknown => {
                self.look(branch, None, Some(expect), error).await
            }
            Err(error) => Err(from_git(error)),
        }
    }
}

impl WireRepo {
    async fn back_to(
        &self,
        tip: &CommitId,
        paths: &[RepoPath],
        limit: usize,
        known: Option<&CommitId>,
    ) -> Result<History, PortError> {
        let wanted = paths.iter().map(wire_path).collect::<Result<Vec<_>, _>>()?;
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let known = known.map(|known| wire_id(known.as_str())).transpose()?;
        let history = self.remote.history_since(wire_id(tip.as_str())?, &wanted, limit, known).await;
        let history = history.map_err(from_git)?;
        let complete = match history.end {
            git::HistoryEnd::Root => true,
            git::HistoryEnd::Limit | git::HistoryEnd::Unavailable => false,
        };
        let commits = history.entries.into_iter().map(commit_seen).collect::<Result<Vec<_>, _>>()?;
        Ok(History { commits, complete })
    }

    /// The answer to a write was lost: where the branch is says what became of it.
    async fn look(
        &self,
        branch: &BranchName,
        new: Option<&CommitId>,
        old: Option<&CommitId>,
        lost: GitError,
    ) -> Result<Written, PortError> {
        let Ok(tips) = self.tips(std::slice::from_ref(branch)).await else { return Err(from_git(lost)) };
        match (tips.get(branch), new) {
            (Some(tip), Some(new)) if tip == new => Ok(Written::Done(new.clone())),
            (None, None) => Ok(Written::Done(old.cloned().ok_or_else(|| from_git(lost))?)),
            (tip, _) if tip == old => Err(from_git(lost)),
            (_, _) => Ok(Written::Stale(format!("{branch} has moved"))),
        }
    }
}

fn written(pushed: Pushed, id: CommitId) -> Written {
    match pushed {
        Pushed::Done => Written::Done(id),
        Pushed::AlreadyTrue => Written::AlreadyTrue(id),
        Pushed::Stale { reason } => Written::Stale(reason),
        Pushed::Refused { reason, remote_text } if remote_text.is_empty() => Written::Refused(reason),
        Pushed::Refused { reason, remote_text } => Written::Refused(format!("{reason}: {remote_text}")),
    }
}

fn commit_seen(entry: git::HistoryEntry) -> Result<CommitSeen, PortError> {
    let mut files = BTreeMap::new();
    for (path, blob) in entry.at {
        if let Some(blob) = blob {
            files.insert(RepoPath::parse(path.as_str()).map_err(named)?, blob_id(blob)?);
        }
    }
    Ok(CommitSeen {
        id: commit_id(entry.id)?,
        author: entry.author.name.clone(),
        email: entry.author.email.clone(),
        at: Timestamp::from_second(entry.committer.seconds).unwrap_or(Timestamp::UNIX_EPOCH),
        message: entry.message,
        files,
    })
}

fn wire_branch(branch: &BranchName) -> Result<git::BranchName, PortError> {
    git::BranchName::new(branch.as_str()).map_err(from_git)
}

fn wire_path(path: &RepoPath) -> Result<git::RepoPath, PortError> {
    git::RepoPath::new(path.as_str()).map_err(from_git)
}

fn wire_change(change: &FileChange) -> Result<Change, PortError> {
    let expect = change.expect.as_ref().map(|id| wire_id(id.as_str())).transpose()?;
    let copied = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
    Ok(match &change.becomes {
        Becomes::Bytes(bytes) => Change::Write { expect, bytes: copied(bytes) },
        Becomes::BytesAs(mode, bytes) => {
            Change::Put { expect, mode: wire_mode(*mode), content: Content::Bytes(copied(bytes)) }
        }
        Becomes::Entry(mode, id) => {
            let content = Content::Known(wire_id(id.as_str())?);
            Change::Put { expect, mode: wire_mode(*mode), content }
        }
        Becomes::Gone => Change::Remove { expect },
    })
}

fn wire_mode(mode: EntryMode) -> Mode {
    match mode {
        EntryMode::File => Mode::File,
        EntryMode::Executable => Mode::Executable,
        EntryMode::Symlink => Mode::Symlink,
        EntryMode::Submodule => Mode::Submodule,
        EntryMode::Folder => Mode::Folder,
    }
}

fn entry_mode(mode: Mode) -> EntryMode {
    match mode {
        Mode::File => EntryMode::File,
        Mode::Executable => EntryMode::Executable,
        Mode::Symlink => EntryMode::Symlink,
        Mode::Submodule => EntryMode::Submodule,
        Mode::Folder => EntryMode::Folder,
    }
}

fn wire_id(id: &str) -> Result<git::ObjectId, PortError> {
    id.parse().map_err(from_git)
}

fn commit_id(id: git::ObjectId) -> Result<CommitId, PortError> {
    CommitId::parse(&id.to_string()).map_err(named)
}

fn blob_id(id: git::ObjectId) -> Result<BlobId, PortError> {
    BlobId::parse(&id.to_string()).map_err(named)
}

fn named(error: gradus_core::names::NameError) -> PortError {
    PortError::because(PortErrorKind::Broken, "reading what the repository answered", error)
}

fn from_git(error: GitError) -> PortError {
    let kind = match error.kind() {
        GitErrorKind::Unauthorized
        | GitErrorKind::Forbidden(_)
        | GitErrorKind::Ssh(SshFault::KeyRefused | SshFault::HostUnknown | SshFault::HostChanged) => {
            PortErrorKind::Denied
        }
        GitErrorKind::Ssh(SshFault::NoKey | SshFault::OnlyKey) => PortErrorKind::Missing,
        GitErrorKind::Ssh(SshFault::KeyUnusable(_)) => PortErrorKind::Unusable,
        GitErrorKind::Ssh(SshFault::NoProgram(_)) => PortErrorKind::Local,
        GitErrorKind::RepositoryMissing | GitErrorKind::BranchMissing(_) | GitErrorKind::ObjectMissing(_) => {
            PortErrorKind::Missing
        }
        GitErrorKind::Unreachable
        | GitErrorKind::Interrupted
        | GitErrorKind::HostFailed(_)
        | GitErrorKind::Timeout(_) => PortErrorKind::Unreachable,
        GitErrorKind::OutcomeUnknown => PortErrorKind::OutcomeUnknown,
        GitErrorKind::Input(_)
        | GitErrorKind::PathRefused { .. }
        | GitErrorKind::TooLarge { .. }
        | GitErrorKind::Refused(_)
        | GitErrorKind::Redirected(_)
        | GitErrorKind::Unsupported(_) => PortErrorKind::Unusable,
        GitErrorKind::Protocol(_) => PortErrorKind::Broken,
        GitErrorKind::Local(_) => PortErrorKind::Local,
    };
    PortError::stated(kind, error.to_string(), causes(&error)).with_hint(error.hint())
}
