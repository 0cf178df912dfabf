//! What was where, back through the first parents of a branch.

use std::collections::BTreeMap;

use super::{
    GitError, ObjectId, Remote, RepoPath, Signature,
    error::Outcome,
    object::ParsedCommit,
    remote::Inner,
    session::{Session, Span},
    walk::{Found, walk},
};
use crate::git::GitErrorKind;

/// Commits asked for at first; each further request asks for four times as many.
const FIRST: u32 = 32;

/// Commits of a branch, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The commits.
    pub entries: Vec<HistoryEntry>,
    /// Why there are no more.
    pub end: HistoryEnd,
}

/// Why a history ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryEnd {
    /// The last entry is the first commit of the branch.
    Root,
    /// There is more; as many as asked for are here.
    Limit,
    /// There was more, but the host has it no longer.
    Unavailable,
}

/// A commit, and what was at the paths asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The id of the commit.
    pub id: ObjectId,
    /// Its parents.
    pub parents: Vec<ObjectId>,
    /// Who made the change, and when.
    pub author: Signature,
    /// Who made the commit, and when.
    pub committer: Signature,
    /// The message.
    pub message: String,
    /// The content of each path, `None` where there was no regular file.
    pub at: BTreeMap<RepoPath, Option<ObjectId>>,
}

impl Remote {
    /// At most `limit` commits from `tip` back along first parents, and what each had at these paths.
    pub async fn history(&self, tip: ObjectId, paths: &[RepoPath], limit: u32) -> Result<History, GitError> {
        self.history_since(tip, paths, limit, None).await
    }

    /// The same, and nothing beyond this commit, where it is met.
    pub async fn history_since(
        &self,
        tip: ObjectId,
        paths: &[RepoPath],
        limit: u32,
        known: Option<ObjectId>,
    ) -> Result<History, GitError> {
        self.within("read the history", self.inner.history(tip, paths, limit, known)).await
    }
}

impl Inner {
    async fn history(
        &self,
        tip: ObjectId,
        paths: &[RepoPath],
        limit: u32,
        known: Option<ObjectId>,
    ) -> Outcome<History> {
        let mut session = Session::new(self);
        let (commits, end) = first_parents(&mut session, tip, limit, known).await?;
        let starts: Vec<_> =
            commits.iter().flat_map(|(_, commit)| paths.iter().map(|path| (commit.tree, path))).collect();
        let mut found = walk(&mut session, &starts).await?.into_iter();
        let mut entries = Vec::with_capacity(commits.len());
        for (id, commit) in commits {
            let at = paths.iter().cloned().zip(found.by_ref().map(file_id)).collect();
            let ParsedCommit { parents, author, committer, message, .. } = commit;
            entries.push(HistoryEntry { id, parents, author, committer, message, at });
        }
        Ok(History { entries, end })
    }
}

async fn first_parents(
    session: &mut Session<'_>,
    tip: ObjectId,
    limit: u32,
    known: Option<ObjectId>,
) -> Outcome<(Vec<(ObjectId, ParsedCommit)>, HistoryEnd)> {
    let mut commits = Vec::new();
    let mut next = Some(tip);
    let mut portion = FIRST;
    let mut left = limit;
    while let Some(id) = next {
        if left == 0 {
            return Ok((commits, HistoryEnd::Limit));
        }
        if !session.missing(&[id].into()).is_empty() {
            let span = Span { tip, more: portion.min(left), limit };
            match session.ensure_ancestor(id, span).await {
                Err(fault) if id != tip && fault.kind == GitErrorKind::ObjectMissing(id) => {
                    return Ok((commits, HistoryEnd::Unavailable));
                }
                outcome => drop(outcome?),
            }
            portion = portion.saturating_mul(4);
        }
        let commit = session.need_commit(id)?;
        next = commit.parents.first().copied();
        commits.push((id, commit));
        if known == Some(id) && next.is_some() {
            return Ok((commits, HistoryEnd::Limit));
        }
        left -= 1;
    }
    Ok((commits, HistoryEnd::Root))
}

fn file_id(found: Found) -> Option<ObjectId> {
    match found {
        Found::File { id, .. } => Some(id),
        Found::Missing | Found::ThroughFile | Found::Folder(_) | Found::Link { .. } | Found::Refused(_) => {
            None
        }
    }
}
