//! A repository with commits, branches and nothing else.

mod folders;
mod merge;
mod port;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{FakeClock, Faults, Sabotage};
use crate::port::repo::{Becomes, CommitOrder, EntryMode, Written};
use crate::port::{Clock, PortError, PortErrorKind};

/// A repository with commits, branches and nothing else. Clones share it; its ids
/// follow from its contents, so that the same commit made twice is one.
#[derive(Clone)]
pub struct FakeRepo {
    state: Arc<Mutex<State>>,
    clock: FakeClock,
    faults: Faults,
}

struct State {
    commits: BTreeMap<CommitId, Arc<StoredCommit>>,
    blobs: BTreeMap<BlobId, Arc<[u8]>>,
    branches: BTreeMap<BranchName, CommitId>,
    default: BranchName,
    moves: Vec<Move>,
    protected: Option<(BranchName, String)>,
    sabotage: Option<Sabotage>,
    /// When each commit came onto a branch for the first time.
    landed: BTreeMap<CommitId, Timestamp>,
}

/// A commit as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCommit {
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// Its files.
    pub tree: BTreeMap<RepoPath, BlobId>,
    /// What those are that are no regular files.
    pub modes: BTreeMap<RepoPath, EntryMode>,
    /// Who wrote it.
    pub author: String,
    /// Its whole message.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// A branch that was moved, made or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub branch: BranchName,
    /// Where it was.
    pub before: Option<CommitId>,
    /// Where it is now.
    pub after: Option<CommitId>,
    /// Whether it came through the port, from an engine.
    pub through_port: bool,
    /// When.
    pub at: Timestamp,
}

/// Whoever writes through the port.
const ENGINE: &str = "gradus";

impl FakeRepo {
    pub(super) fn new(clock: FakeClock) -> Self {
        let state = State {
            commits: BTreeMap::new(),
            blobs: BTreeMap::new(),
            branches: BTreeMap::new(),
            default: name("main"),
            moves: Vec::new(),
            protected: None,
            sabotage: None,
            landed: BTreeMap::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), clock, faults: Faults::none() }
    }

    /// The same repository, with faults of its own.
    pub fn with(&self, faults: &Faults) -> Self {
        Self { faults: faults.clone(), ..self.clone() }
    }

    /// A person commits files to a branch, which is made from the default one if it is not there.
    /// A file without a content is removed.
    pub fn push(
        &self,
        branch: &str,
        author: &str,
        message: &str,
        files: &[(&str, Option<&str>)],
    ) -> CommitId {
        let mut state = self.state();
        let branch = name(branch);
        let before = state.branches.get(&branch).cloned();
        let from = before.clone().or_else(|| state.branches.get(&state.default).cloned());
        let (mut tree, modes) = from
            .as_ref()
            .and_then(|id| state.commits.get(id))
            .map(|from| (from.tree.clone(), from.modes.clone()))
            .unwrap_or_default();
        for (path, text) in files {
            let path = RepoPath::parse(path).expect("a path in the repository");
            match text {
                Some(text) => {
                    let blob = state.store(text.as_bytes());
                    tree.insert(path, blob);
                }
                None => {
                    tree.remove(&path);
                }
            }
        }
        let (at, parents) = (self.clock.now(), from.into_iter().collect());
        let commit =
            StoredCommit { parents, tree, modes, author: author.to_owned(), message: message.to_owned(), at };
        let id = state.keep(commit);
        state.go(branch, Some(id.clone()), false, at);
        id
    }

    /// A person merges a branch into another, as a forge's button does: the files that the
    /// branch has changed since it left are taken over. `None` where one of both is not there.
    pub fn merge(&self, branch: &str, into: &str, author: &str, message: &str) -> Option<CommitId> {
        let mut state = self.state();
        let (branch, into) = (name(branch), name(into));
        let (head, tip) = (state.branches.get(&branch)?.clone(), state.branches.get(&into)?.clone());
        let base = state.common(&head, &tip).and_then(|id| state.commits.get(&id).cloned());
        let (mut tree, modes) = state.commits.get(&tip).map(|tip| (tip.tree.clone(), tip.modes.clone()))?;
        for (path, blob) in &state.commits.get(&head)?.tree {
            if base.as_ref().is_none_or(|base| base.tree.get(path) != Some(blob)) {
                tree.insert(path.clone(), blob.clone());
            }
        }
        let at = self.clock.now();
        let (author, message) = (author.to_owned(), message.to_owned());
        let id = state.keep(StoredCommit { parents: vec![tip, head], tree, modes, author, message, at });
        state.go(into, Some(id.clone()), false, at);
        Some(id)
    }

    /// A person deletes a branch.
    pub fn remove(&self, branch: &str) {
        let at = self.clock.now();
        self.state().go(name(branch), None, false, at);
    }

    /// Where a branch is.
    pub fn tip(&self, branch: &str) -> Option<CommitId> {
        self.state().branches.get(&name(branch)).cloned()
    }

    /// All branches.
    pub fn branches(&self) -> BTreeMap<BranchName, CommitId> {
        self.state().branches.clone()
    }

    /// The text of a file at the tip of a branch.
    pub fn text(&self, branch: &str, path: &str) -> Option<String> {
        self.text_at(&self.tip(branch)?, path)
    }

    /// The text of a file in a commit.
    pub fn text_at(&self, commit: &CommitId, path: &str) -> Option<String> {
        let state = self.state();
        let blob = state.commits.get(commit)?.tree.get(&RepoPath::parse(path).ok()?)?;
        Some(String::from_utf8_lossy(state.blobs.get(blob)?).into_owned())
    }

    /// A commit.
    pub fn stored(&self, commit: &CommitId) -> Option<Arc<StoredCommit>> {
        self.state().commits.get(commit).cloned()
    }

    /// How often branches were moved.
    pub fn moved(&self) -> usize {
        self.state().moves.len()
    }

    /// The moves of branches, from this one on.
    pub fn moves(&self, from: usize) -> Vec<Move> {
        self.state().moves.get(from..).unwrap_or_default().to_vec()
    }

    /// From now on the host refuses commits to this branch, for this reason.
    pub fn protect(&self, branch: &str, why: &str) {
        self.state().protected = Some((name(branch), why.to_owned()));
    }

    /// The text of a file's content.
    pub fn blob_text(&self, blob: &BlobId) -> Option<String> {
        Some(String::from_utf8_lossy(self.state().blobs.get(blob)?).into_owned())
    }

    /// When a commit came onto a branch for the first time.
    pub fn landed(&self, commit: &CommitId) -> Option<Timestamp> {
        self.state().landed.get(commit).copied()
    }

    pub(super) fn sabotage(&self, how: Sabotage) {
        self.state().sabotage = Some(how);
    }

    /// Makes the commit and moves the branch, as the port demands.
    pub(super) fn apply(&self, order: &CommitOrder) -> Result<Written, PortError> {
        let broken =
            |why: &str| Err(PortError::because(PortErrorKind::Local, "making a commit", why.to_owned()));
        let at = self.clock.now();
        let mut state = self.state();
        if let Some((branch, why)) = &state.protected
            && *branch == order.branch
        {
            return Ok(Written::Refused(why.clone()));
        }
        if order.expect.is_some() && order.parents.first() != order.expect.as_ref() {
            return broken("its first parent is not the old tip");
        }
        if order.parents.iter().any(|parent| !state.commits.contains_key(parent)) {
            return broken("a parent does not exist");
        }
        let Some(base) = state.commits.get(&order.tree_of).cloned() else {
            return broken("the commit whose tree is to be changed does not exist");
        };
        let (mut tree, mut modes) = (base.tree.clone(), base.modes.clone());
        for (path, change) in &order.files {
            if tree.get(path) != change.expect.as_ref() {
                return Ok(Written::Stale(format!("{path} has changed")));
            }
            let (blob, mode) = match &change.becomes {
                Becomes::Bytes(bytes) => (Some(state.store(bytes)), modes.get(path).copied()),
                Becomes::BytesAs(mode, bytes) => (Some(state.store(bytes)), Some(*mode)),
                Becomes::Entry(EntryMode::Folder, _) => return broken("folders are not kept apart here"),
                Becomes::Entry(_, blob) if !state.blobs.contains_key(blob) => {
                    return broken("an object that is to be taken over does not exist");
                }
                Becomes::Entry(mode, blob) => (Some(blob.clone()), Some(*mode)),
                Becomes::Gone => (None, None),
            };
            put(&mut tree, path, blob);
            put(&mut modes, path, mode.filter(|mode| *mode != EntryMode::File));
        }
        if let Some(path) = order.files.keys().find(|path| is_file_and_folder(&tree, path)) {
            return broken(&format!("{path} would be a file and a folder at once"));
        }
        let (author, message) = (ENGINE.to_owned(), order.message.clone());
        // Git knows whole seconds.
        let made = Timestamp::from_second(order.at.as_second()).unwrap_or(order.at);
        let commit = StoredCommit { parents: order.parents.clone(), tree, modes, author, message, at: made };
        let id = commit_id(&commit);
        let tip = state.branches.get(&order.branch);
        if tip == Some(&id) {
            return Ok(Written::AlreadyTrue(id));
        }
        if tip != order.expect.as_ref() && state.sabotage != Some(Sabotage::IgnoresExpect) {
            return Ok(Written::Stale(format!("{} is at {tip:?}", order.branch)));
        }
        state.keep(commit);
        state.go(order.branch.clone(), Some(id.clone()), true, at);
        Ok(Written::Done(id))
    }

    /// Deletes the branch, as the port demands.
    pub(super) fn drop_branch(&self, branch: &BranchName, expect: &CommitId) -> Written {
        let at = self.clock.now();
        let mut state = self.state();
        match state.branches.get(branch) {
            None => Written::AlreadyTrue(expect.clone()),
            Some(tip) if tip != expect && state.sabotage != Some(Sabotage::DeletesAnyHead) => {
                Written::Stale(format!("{branch} is at {tip}"))
            }
            Some(_) => {
                state.go(branch.clone(), None, true, at);
                Written::Done(expect.clone())
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn store(&mut self, bytes: &[u8]) -> BlobId {
        let id = blob_id(bytes);
        self.blobs.entry(id.clone()).or_insert_with(|| Arc::from(bytes));
        id
    }

    fn keep(&mut self, commit: StoredCommit) -> CommitId {
        let id = commit_id(&commit);
        self.commits.entry(id.clone()).or_insert_with(|| Arc::new(commit));
        id
    }

    fn go(&mut self, branch: BranchName, to: Option<CommitId>, through_port: bool, at: Timestamp) {
        let before = match &to {
            Some(to) => self.branches.insert(branch.clone(), to.clone()),
            None => self.branches.remove(&branch),
        };
        if let Some(to) = &to {
            self.landed.entry(to.clone()).or_insert(at);
        }
        self.moves.push(Move { branch, before, after: to, through_port, at });
    }

    /// The newest commit of `tip`'s first parents that `head` comes from.
    fn common(&self, head: &CommitId, tip: &CommitId) -> Option<CommitId> {
        let mut reached = std::collections::BTreeSet::new();
        let mut open = vec![head.clone()];
        while let Some(id) = open.pop() {
            if reached.insert(id.clone()) {
                open.extend(self.commits.get(&id)?.parents.iter().cloned());
            }
        }
        let mut at = Some(tip.clone());
        while let Some(id) = at {
            if reached.contains(&id) {
                return Some(id);
            }
            at = self.commits.get(&id)?.parents.first().cloned();
        }
        None
    }

    fn commit(&self, id: &CommitId) -> Result<&Arc<StoredCommit>, PortError> {
        self.commits
            .get(id)
            .ok_or_else(|| PortError::new(PortErrorKind::Missing, format!("reading commit {id}")))
    }
}

fn put<T>(map: &mut BTreeMap<RepoPath, T>, path: &RepoPath, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(path.clone(), value)),
        None => drop(map.remove(path)),
    }
}

/// Whether a path is a file while it has something below it, or something above it is a file.
fn is_file_and_folder(tree: &BTreeMap<RepoPath, BlobId>, path: &RepoPath) -> bool {
    let text = path.as_str();
    let above = text.match_indices('/').filter_map(|(end, _)| RepoPath::parse(text.get(..end)?).ok());
    let below = format!("{text}/");
    tree.contains_key(path)
        && (tree.keys().any(|other| other.as_str().starts_with(&below))
            || above.into_iter().any(|folder| tree.contains_key(&folder)))
}

fn name(branch: &str) -> BranchName {
    BranchName::parse(branch).expect("the name of a branch")
}

fn blob_id(bytes: &[u8]) -> BlobId {
    let mut hash = Sha256::new();
    hash.update(b"blob\n");
    hash.update(bytes);
    id(hash, BlobId::parse)
}

fn commit_id(commit: &StoredCommit) -> CommitId {
    let mut hash = Sha256::new();
    let mut line = |text: &str| {
        hash.update(text.as_bytes());
        hash.update(b"\n");
    };
    commit.parents.iter().for_each(|parent| line(parent.as_str()));
    for (path, blob) in &commit.tree {
        line(path.as_str());
        line(blob.as_str());
        if let Some(mode) = commit.modes.get(path) {
            line(&format!("{mode:?}"));
        }
    }
    line(&commit.author);
    line(&commit.at.as_nanosecond().to_string());
    line(&commit.message);
    id(hash, CommitId::parse)
}

fn id<T, E: std::fmt::Debug>(hash: Sha256, parse: impl Fn(&str) -> Result<T, E>) -> T {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(40);
    for byte in hash.finalize().iter().take(20) {
        for half in [byte >> 4, byte & 15] {
            text.push(DIGITS.get(usize::from(half)).copied().map_or('0', char::from));
        }
    }
    parse(&text).expect("forty digits are an id")
}
