//! A repository in memory, and a plug that can be pulled.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use gradus_core::pipeline::Repository;
use gradus_engine::port::repo::{
    Becomes, CommitOrder, CommitSeen, Entry, FileSeen, History, Listed, Onlooker, Top, TreeMerge, Written,
};
use gradus_engine::port::{PortError, PortErrorKind, Repo, Repos};
use tokio::sync::Notify;

type Tree = BTreeMap<RepoPath, Arc<[u8]>>;

struct Commit {
    seen: CommitSeen,
    parents: Vec<CommitId>,
    tree: Tree,
}

#[derive(Default)]
struct State {
    commits: BTreeMap<CommitId, Commit>,
    branches: BTreeMap<BranchName, CommitId>,
    calls: usize,
    fuse: Option<Fuse>,
}

/// Where the process ends: at which call, and whether that call still happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fuse {
    pub(crate) call: usize,
    pub(crate) happens: bool,
}

/// One repository. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Git {
    state: Arc<Mutex<State>>,
    /// Told when the fuse has blown. The call in question then never returns.
    pub(crate) blown: Arc<Notify>,
}

impl Git {
    pub(crate) fn light(&self, fuse: Fuse) {
        self.state.lock().unwrap().fuse = Some(fuse);
    }

    pub(crate) fn calls(&self) -> usize {
        self.state.lock().unwrap().calls
    }

    pub(crate) fn tip(&self, branch: &BranchName) -> Option<CommitId> {
        self.state.lock().unwrap().branches.get(branch).cloned()
    }

    pub(crate) fn file(&self, commit: &CommitId, path: &RepoPath) -> Option<Arc<[u8]>> {
        self.state.lock().unwrap().commits[commit].tree.get(path).cloned()
    }

    pub(crate) fn parents(&self, commit: &CommitId) -> Vec<CommitId> {
        self.state.lock().unwrap().commits[commit].parents.clone()
    }

    /// Writes past the fuse, as another client would.
    pub(crate) fn write(&self, order: &CommitOrder) -> Written {
        self.state.lock().unwrap().commit(order)
    }

    /// Deletes past the fuse.
    pub(crate) fn drop_branch(&self, branch: &BranchName) {
        self.state.lock().unwrap().branches.remove(branch);
    }

    async fn call<T>(&self, work: impl FnOnce(&mut State) -> T) -> Result<T, PortError> {
        let fuse = {
            let mut state = self.state.lock().unwrap();
            state.calls += 1;
            let calls = state.calls;
            state.fuse.filter(|fuse| fuse.call == calls)
        };
        match fuse {
            None => Ok(work(&mut self.state.lock().unwrap())),
            Some(fuse) => {
                if fuse.happens {
                    work(&mut self.state.lock().unwrap());
                }
                self.blown.notify_one();
                std::future::pending().await
            }
        }
    }
}

impl State {
    fn commit(&mut self, order: &CommitOrder) -> Written {
        let mut hasher = DefaultHasher::new();
        format!("{order:?}").hash(&mut hasher);
        let id = CommitId::parse(&format!("{:040x}", hasher.finish())).unwrap();
        let tip = self.branches.get(&order.branch);
        if tip == Some(&id) {
            return Written::AlreadyTrue(id);
        }
        if tip != order.expect.as_ref() {
            return Written::Stale(format!("{} is at {tip:?}", order.branch));
        }
        let mut tree = self.commits.get(&order.tree_of).map(|commit| commit.tree.clone()).unwrap_or_default();
        for (path, change) in &order.files {
            let Becomes::Bytes(bytes) = &change.becomes else { panic!("only contents are kept: {change:?}") };
            tree.insert(path.clone(), bytes.clone());
        }
        let (author, email) = ("gradus".to_owned(), "gradus@example.com".to_owned());
        let (message, files) = (order.message.clone(), BTreeMap::new());
        let seen = CommitSeen { id: id.clone(), author, email, at: order.at, message, files };
        self.commits.insert(id.clone(), Commit { seen, parents: order.parents.clone(), tree });
        self.branches.insert(order.branch.clone(), id.clone());
        Written::Done(id)
    }

    fn delete(&mut self, branch: &BranchName, expect: &CommitId) -> Written {
        match self.branches.get(branch) {
            None => Written::AlreadyTrue(expect.clone()),
            Some(tip) if tip == expect => {
                self.branches.remove(branch);
                Written::Done(expect.clone())
            }
            Some(tip) => Written::Stale(format!("{branch} is at {tip}")),
        }
    }

    fn history(&self, tip: &CommitId, limit: usize) -> History {
        let mut commits = Vec::new();
        let mut next = self.commits.get(tip);
        while let Some(commit) = next {
            if commits.len() == limit {
                return History { commits, complete: false };
            }
            commits.push(commit.seen.clone());
            next = commit.parents.first().and_then(|parent| self.commits.get(parent));
        }
        History { commits, complete: true }
    }
}

impl Repos for Git {
    fn open(&self, repository: &Repository) -> Result<Arc<dyn Repo>, PortError> {
        match &*repository.url {
            "https://git.example/fleet" => Ok(Arc::new(self.clone())),
            other => Err(PortError::new(PortErrorKind::Missing, format!("opening {other}"))),
        }
    }
}

#[async_trait]
impl Repo for Git {
    async fn default_branch(&self) -> Result<BranchName, PortError> {
        self.call(|_state| BranchName::parse("main").unwrap()).await
    }

    async fn tips(&self, branches: &[BranchName]) -> Result<BTreeMap<BranchName, CommitId>, PortError> {
        self.call(|state| {
            let tips = branches.iter().filter_map(|branch| state.branches.get_key_value(branch));
            tips.map(|(branch, tip)| (branch.clone(), tip.clone())).collect()
        })
        .await
    }

    async fn tips_with(
        &self,
        branch: &BranchName,
        start: &str,
    ) -> Result<BTreeMap<BranchName, CommitId>, PortError> {
        self.call(|state| {
            let wanted =
                state.branches.iter().filter(|(name, _)| *name == branch || name.as_str().starts_with(start));
            wanted.map(|(name, tip)| (name.clone(), tip.clone())).collect()
        })
        .await
    }

    async fn read(
        &self,
        at: &CommitId,
        paths: &[RepoPath],
    ) -> Result<BTreeMap<RepoPath, FileSeen>, PortError> {
        let blob = BlobId::parse(&"0".repeat(40)).unwrap();
        self.call(|state| {
            let tree = &state.commits[at].tree;
            let files = paths.iter().filter_map(|path| tree.get_key_value(path));
            files
                .map(|(path, bytes)| (path.clone(), FileSeen { blob: blob.clone(), bytes: bytes.clone() }))
                .collect()
        })
        .await
    }

    async fn list(&self, _at: &CommitId, _below: &[RepoPath]) -> Result<Vec<Listed>, PortError> {
        Err(PortError::new(PortErrorKind::Unusable, "listing files, which this repository does not"))
    }

    async fn files_below(&self, _at: &CommitId, _below: &[RepoPath]) -> Result<Vec<Entry>, PortError> {
        Err(PortError::new(PortErrorKind::Unusable, "listing files, which this repository does not"))
    }

    async fn look_through(
        &self,
        _at: &CommitId,
        _below: &[RepoPath],
        _onlooker: Arc<dyn Onlooker>,
    ) -> Result<Vec<Top>, PortError> {
        Err(PortError::new(PortErrorKind::Unusable, "looking for files, which this repository does not"))
    }

    async fn contents(&self, _files: &[BlobId]) -> Result<BTreeMap<BlobId, Arc<[u8]>>, PortError> {
        Err(PortError::new(PortErrorKind::Unusable, "reading blobs, which this repository does not"))
    }

    async fn history(&self, tip: &CommitId, _paths: &[RepoPath], limit: usize) -> Result<History, PortError> {
        self.call(|state| state.history(tip, limit)).await
    }

    async fn merge(&self, _ours: &CommitId, _theirs: &CommitId) -> Result<TreeMerge, PortError> {
        Err(PortError::new(PortErrorKind::Unusable, "merging, which this repository does not"))
    }

    async fn commit(&self, order: &CommitOrder) -> Result<Written, PortError> {
        self.call(|state| state.commit(order)).await
    }

    async fn delete(&self, branch: &BranchName, expect: &CommitId) -> Result<Written, PortError> {
        self.call(|state| state.delete(branch, expect)).await
    }
}
