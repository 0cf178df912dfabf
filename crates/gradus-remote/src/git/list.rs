//! The files below some folders, and the content of many files at once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{
    GitError, Mode, ObjectId, Remote, RepoPath,
    error::Outcome,
    fetch::Filter,
    object::{Kind, tree_entries},
    remote::Inner,
    session::Session,
    walk::{Found, walk},
};
use crate::git::GitErrorKind;

/// With more unknown folders than this on one level, everything below them is asked for in one request: a request for
/// each level then costs more than the folders that would not have been needed.
pub(super) const WIDE: usize = 64;

/// A file of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub path: RepoPath,
    /// The id of its content.
    pub id: ObjectId,
    /// Whether it may be executed.
    pub mode: Mode,
}

impl Remote {
    /// The files below these folders (of the whole commit, if there are none) whose names `keep` accepts, in the order
    /// of their paths. A folder that does not exist has no files.
    ///
    /// More than `bound` files are an error. Symbolic links and submodules are left out, as are names that are not
    /// UTF-8 or cannot be a [`RepoPath`].
    pub async fn list(
        &self,
        commit: ObjectId,
        below: &[RepoPath],
        keep: impl Fn(&str) -> bool + Send,
        bound: usize,
    ) -> Result<Vec<Listed>, GitError> {
        self.within("list files", self.inner.list(commit, below, keep, bound)).await
    }

    /// The content of these files.
    pub async fn blobs(&self, ids: &[ObjectId]) -> Result<BTreeMap<ObjectId, Bytes>, GitError> {
        self.within("read files", self.inner.blobs(ids)).await
    }
}

impl Inner {
    async fn blobs(&self, ids: &[ObjectId]) -> Outcome<BTreeMap<ObjectId, Bytes>> {
        let mut session = Session::new(self);
        let ids: BTreeSet<_> = ids.iter().copied().collect();
        session.ensure(&ids, Filter::Whole).await?;
        ids.into_iter().map(|id| Ok((id, session.need(id, Kind::Blob)?))).collect()
    }

    async fn list(
        &self,
        commit: ObjectId,
        below: &[RepoPath],
        keep: impl Fn(&str) -> bool + Send,
        bound: usize,
    ) -> Outcome<Vec<Listed>> {
        let mut session = Session::new(self);
        if below.is_empty() {
            session.ensure_changed(commit).await?;
        }
        let root = session.ensure_commit(commit).await?.tree;
        let mut listing = Listing { files: BTreeMap::new(), folders: BTreeMap::new(), seen: 0, bound };
        let starts: Vec<_> = below.iter().map(|path| (root, path)).collect();
        for (path, found) in below.iter().zip(walk(&mut session, &starts).await?) {
            match found {
                Found::Missing | Found::ThroughFile => {}
                Found::File { id, mode } => listing.file(path.as_str(), id, mode)?,
                Found::Folder(id) => drop(listing.folders.insert(path.as_str().to_owned(), id)),
                Found::Link { mode, .. } => return Err(Found::link(path, mode)),
                Found::Refused(why) => return Err(Found::refusal(path, why)),
            }
        }
        if below.is_empty() {
            listing.folders.insert(String::new(), root);
        }
        while !listing.folders.is_empty() {
            listing.level(&mut session, &keep).await?;
        }
        if below.is_empty() {
            self.has_listed(commit);
        }
        Ok(listing.files.into_values().collect())
    }
}

struct Listing {
    files: BTreeMap<String, Listed>,
    /// The folders of the level that is looked at next.
    folders: BTreeMap<String, ObjectId>,
    seen: u64,
    bound: usize,
}

impl Listing {
    async fn level(
        &mut self,
        session: &mut Session<'_>,
        keep: &(impl Fn(&str) -> bool + Send),
    ) -> Outcome<()> {
        let folders = std::mem::take(&mut self.folders);
        let unknown = session.missing(&folders.values().copied().collect());
        let filter = if unknown.len() > WIDE { Filter::NoBlobs } else { Filter::NoTrees };
        session.ensure(&unknown, filter).await?;
        for (folder, id) in folders {
            let data = session.need(id, Kind::Tree)?;
            for entry in tree_entries(&data) {
                let entry = entry?;
                self.see(session)?;
                let Some(name) = std::str::from_utf8(entry.name).ok().filter(|name| !name.contains('/'))
                else {
                    continue;
                };
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                match entry.mode {
                    Mode::Folder if RepoPath::new(&path).is_ok() => drop(self.folders.insert(path, entry.id)),
                    Mode::File | Mode::Executable if keep(name) => self.file(&path, entry.id, entry.mode)?,
                    Mode::Folder | Mode::File | Mode::Executable | Mode::Symlink | Mode::Submodule => {}
                }
            }
        }
        Ok(())
    }

    /// A few small trees can describe folders without number.
    fn see(&mut self, session: &Session<'_>) -> Outcome<()> {
        self.seen += 1;
        let limit = session.remote.limits.listed;
        if self.seen > limit {
            return Err(
                GitErrorKind::TooLarge { what: "the number of files and folders looked at", limit }.into()
            );
        }
        Ok(())
    }

    fn file(&mut self, path: &str, id: ObjectId, mode: Mode) -> Outcome<()> {
        let Ok(path) = RepoPath::new(path) else { return Ok(()) };
        self.files.insert(path.as_str().to_owned(), Listed { path, id, mode });
        if self.files.len() > self.bound {
            let limit = self.bound as u64;
            return Err(GitErrorKind::TooLarge { what: "the number of files", limit }.into());
        }
        Ok(())
    }
}
