//! Everything below some folders, whatever it is.

use std::collections::BTreeMap;

use super::{
    GitError, Listed, Mode, ObjectId, Remote, RepoPath,
    error::{Fault, Outcome},
    fetch::Filter,
    object::{Kind, tree_entries},
    remote::Inner,
    session::Session,
    walk::{Found, walk},
};
use crate::git::GitErrorKind;

/// With more unknown folders than this on one level, everything below them is asked for in one request.
const WIDE: usize = 64;

impl Remote {
    /// Everything at and below these paths (in the whole commit, if there are none) besides folders, in the order of
    /// the paths. What does not exist has nothing below it.
    ///
    /// More than `bound` are an error, and so is a name that cannot be a [`RepoPath`]: what is not told could be lost.
    pub async fn below(
        &self,
        commit: ObjectId,
        below: &[RepoPath],
        bound: usize,
    ) -> Result<Vec<Listed>, GitError> {
        self.within("list files", self.inner.below(commit, below, bound)).await
    }
}

impl Inner {
    async fn below(&self, commit: ObjectId, below: &[RepoPath], bound: usize) -> Outcome<Vec<Listed>> {
        let mut session = Session::new(self);
        let root = session.ensure_commit(commit).await?.tree;
        let starts: Vec<_> = below.iter().map(|path| (root, path)).collect();
        let mut seen = BTreeMap::new();
        let mut folders = BTreeMap::new();
        for (path, found) in below.iter().zip(walk(&mut session, &starts).await?) {
            match found {
                Found::Missing | Found::ThroughFile => {}
                Found::File { id, mode } | Found::Link { id, mode } => {
                    seen.insert(path.clone(), Listed { path: path.clone(), id, mode });
                }
                Found::Folder(id) => drop(folders.insert(path.as_str().to_owned(), id)),
                Found::Refused(why) => return Err(Found::refusal(path, why)),
            }
        }
        if below.is_empty() {
            folders.insert(String::new(), root);
        }
        let mut looked_at = 0;
        while !folders.is_empty() {
            let unknown = session.missing(&folders.values().copied().collect());
            let filter = if unknown.len() > WIDE { Filter::NoBlobs } else { Filter::NoTrees };
            session.ensure(&unknown, filter).await?;
            for (folder, id) in std::mem::take(&mut folders) {
                looked_at += 1;
                within("the number of folders looked at", looked_at, bound)?;
                for entry in tree_entries(&session.need(id, Kind::Tree)?) {
                    let entry = entry?;
                    let path = joined(&folder, name_of(entry.name)?)?;
                    match entry.mode {
                        Mode::Folder => drop(folders.insert(path.as_str().to_owned(), entry.id)),
                        Mode::File | Mode::Executable | Mode::Symlink | Mode::Submodule => {
                            seen.insert(path.clone(), Listed { path, id: entry.id, mode: entry.mode });
                            within("the number of files", seen.len(), bound)?;
                        }
                    }
                }
            }
        }
        Ok(seen.into_values().collect())
    }
}

/// The name of an entry of a folder.
pub(super) fn name_of(name: &[u8]) -> Outcome<&str> {
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains('/') => Ok(name),
        Ok(_) | Err(_) => Err(not_carried(&String::from_utf8_lossy(name))),
    }
}

/// The path of something in a folder; the root has no name.
pub(super) fn joined(folder: &str, name: &str) -> Outcome<RepoPath> {
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    RepoPath::new(&path).map_err(|_| not_carried(&path))
}

fn not_carried(name: &str) -> Fault {
    Fault::input(format!("{name:?} is a name that is not carried over"))
}

fn within(what: &'static str, count: usize, bound: usize) -> Outcome<()> {
    if count > bound {
        return Err(GitErrorKind::TooLarge { what, limit: bound as u64 }.into());
    }
    Ok(())
}
