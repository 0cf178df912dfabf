//! The repository as the engine sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use gradus_core::pipeline::Repository;

use super::{FakeRepo, folders};
use crate::fake::Sabotage;
use crate::port::repo::{
    CommitOrder, CommitSeen, Entry, EntryMode, FileSeen, History, Listed, Onlooker, Top, TreeMerge, Written,
};
use crate::port::{PortError, Repo, Repos};

impl Repos for FakeRepo {
    fn open(&self, _repository: &Repository) -> Result<Arc<dyn Repo>, PortError> {
        self.faults.call("repos.open", false).at_once()?;
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Repo for FakeRepo {
    async fn default_branch(&self) -> Result<BranchName, PortError> {
        let call = self.faults.call("repo.default_branch", false);
        call.before().await?;
        let branch = self.state().default.clone();
        call.after().await?;
        Ok(branch)
    }

    async fn tips(&self, branches: &[BranchName]) -> Result<BTreeMap<BranchName, CommitId>, PortError> {
        let call = self.faults.call("repo.tips", false);
        call.before().await?;
        let tips = {
            let state = self.state();
            let hides = state.sabotage == Some(Sabotage::HidesProposals);
            let told = branches.iter().filter(|name| !hides || **name == state.default);
            told.filter_map(|name| Some((name.clone(), state.branches.get(name)?.clone()))).collect()
        };
        call.after().await?;
        Ok(tips)
    }

    async fn tips_with(
        &self,
        branch: &BranchName,
        start: &str,
    ) -> Result<BTreeMap<BranchName, CommitId>, PortError> {
        let names: Vec<BranchName> = self.branches().into_keys().collect();
        let wanted = names.into_iter().filter(|name| name == branch || name.as_str().starts_with(start));
        self.tips(&wanted.collect::<Vec<_>>()).await
    }

    async fn read(
        &self,
        at: &CommitId,
        paths: &[RepoPath],
    ) -> Result<BTreeMap<RepoPath, FileSeen>, PortError> {
        let call = self.faults.call("repo.read", false);
        call.before().await?;
        let files = {
            let state = self.state();
            let tree = &state.commit(at)?.tree;
            let file = |path: &RepoPath| {
                let blob = tree.get(path)?.clone();
                let bytes = state.blobs.get(&blob)?.clone();
                Some((path.clone(), FileSeen { blob, bytes }))
            };
            paths.iter().filter_map(file).collect()
        };
        call.after().await?;
        Ok(files)
    }

    async fn list(&self, at: &CommitId, below: &[RepoPath]) -> Result<Vec<Listed>, PortError> {
        let call = self.faults.call("repo.list", false);
        call.before().await?;
        let listed = {
            let state = self.state();
            let is_yaml =
                |path: &RepoPath| path.as_str().ends_with(".yaml") || path.as_str().ends_with(".yml");
            let tree = &state.commit(at)?.tree;
            let wanted = tree.iter().filter(|(path, _)| is_yaml(path) && is_below(path, below));
            wanted.map(|(path, blob)| Listed { path: path.clone(), blob: blob.clone() }).collect()
        };
        call.after().await?;
        Ok(listed)
    }

    async fn files_below(&self, at: &CommitId, below: &[RepoPath]) -> Result<Vec<Entry>, PortError> {
        let call = self.faults.call("repo.files_below", false);
        call.before().await?;
        let entries = {
            let state = self.state();
            let commit = state.commit(at)?;
            let entry = |(path, blob): (&RepoPath, &BlobId)| {
                let mode = commit.modes.get(path).copied().unwrap_or(EntryMode::File);
                Entry { path: path.clone(), mode, blob: blob.clone() }
            };
            commit.tree.iter().filter(|(path, _)| is_below(path, below)).map(entry).collect()
        };
        call.after().await?;
        Ok(entries)
    }

    async fn look_through(
        &self,
        at: &CommitId,
        below: &[RepoPath],
        onlooker: Arc<dyn Onlooker>,
    ) -> Result<Vec<Top>, PortError> {
        let call = self.faults.call("repo.look_through", false);
        call.before().await?;
        let tops = {
            let state = self.state();
            folders::show(&state.commit(at)?.tree, below, &*onlooker)
        };
        call.after().await?;
        Ok(tops)
    }

    async fn contents(&self, files: &[BlobId]) -> Result<BTreeMap<BlobId, Arc<[u8]>>, PortError> {
        let call = self.faults.call("repo.contents", false);
        call.before().await?;
        let contents = {
            let state = self.state();
            files.iter().filter_map(|blob| Some((blob.clone(), state.blobs.get(blob)?.clone()))).collect()
        };
        call.after().await?;
        Ok(contents)
    }

    async fn history(&self, tip: &CommitId, paths: &[RepoPath], limit: usize) -> Result<History, PortError> {
        let call = self.faults.call("repo.history", false);
        call.before().await?;
        let history = {
            let state = self.state();
            let mut commits = Vec::new();
            let mut next = Some(tip.clone());
            let flat = state.sabotage == Some(Sabotage::FlatHistory);
            while let Some(id) = next.clone()
                && commits.len() < limit
            {
                let commit = state.commit(&id)?;
                let tree = if flat { &state.commit(tip)?.tree } else { &commit.tree };
                let files = paths.iter().filter_map(|path| Some((path.clone(), tree.get(path)?.clone())));
                commits.push(CommitSeen {
                    id,
                    author: commit.author.clone(),
                    email: format!("{}@example.com", commit.author),
                    at: commit.at,
                    message: commit.message.clone(),
                    files: files.collect(),
                });
                next = commit.parents.first().cloned();
            }
            History { commits, complete: next.is_none() }
        };
        call.after().await?;
        Ok(history)
    }

    async fn parents(&self, commit: &CommitId) -> Result<Vec<CommitId>, PortError> {
        let call = self.faults.call("repo.parents", false);
        call.before().await?;
        let parents = self.state().commit(commit)?.parents.clone();
        call.after().await?;
        Ok(parents)
    }

    async fn merge(&self, ours: &CommitId, theirs: &CommitId) -> Result<TreeMerge, PortError> {
        let call = self.faults.call("repo.merge", false);
        call.before().await?;
        let merge = self.state().merge_of(ours, theirs)?;
        call.after().await?;
        Ok(merge)
    }

    async fn commit(&self, order: &CommitOrder) -> Result<Written, PortError> {
        let call = self.faults.call("repo.commit", true);
        call.before().await?;
        let written = self.apply(order)?;
        call.after().await?;
        Ok(written)
    }

    async fn delete(&self, branch: &BranchName, expect: &CommitId) -> Result<Written, PortError> {
        let call = self.faults.call("repo.delete", true);
        call.before().await?;
        let written = self.drop_branch(branch, expect);
        call.after().await?;
        Ok(written)
    }
}

fn is_below(path: &RepoPath, folders: &[RepoPath]) -> bool {
    let inside = |folder: &RepoPath| {
        path == folder
            || path.as_str().strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    folders.is_empty() || folders.iter().any(inside)
}
