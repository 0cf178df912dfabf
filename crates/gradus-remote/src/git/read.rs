//! Files of a commit.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{
    GitError, Mode, ObjectId, Remote, RepoPath,
    error::Outcome,
    fetch::Filter,
    object::Kind,
    remote::Inner,
    session::Session,
    walk::{Found, walk},
};

/// A file of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The id of its content.
    pub id: ObjectId,
    /// Whether it may be executed.
    pub mode: Mode,
    /// Its content.
    pub bytes: Bytes,
}

impl Remote {
    /// The files at these paths of a commit, `None` where there is nothing.
    ///
    /// A path that is a folder, a symbolic link or a submodule, or leads through one of the latter, is refused.
    pub async fn read(
        &self,
        commit: ObjectId,
        paths: &[RepoPath],
    ) -> Result<BTreeMap<RepoPath, Option<File>>, GitError> {
        self.within("read files", self.inner.read(commit, paths)).await
    }
}

/// How a file begins that stands for a large one.
const LFS: &[u8] = b"version https://git-lfs";

impl Inner {
    async fn read(&self, commit: ObjectId, paths: &[RepoPath]) -> Outcome<BTreeMap<RepoPath, Option<File>>> {
        let mut session = Session::new(self);
        let root = session.ensure_commit(commit).await?.tree;
        let paths: Vec<_> = paths.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let starts: Vec<_> = paths.iter().map(|&path| (root, path)).collect();
        let found = walk(&mut session, &starts).await?;
        let mut wanted = BTreeMap::new();
        for (&path, found) in paths.iter().zip(found) {
            let file = match found {
                Found::Missing | Found::ThroughFile => None,
                Found::File { id, mode } => Some((id, mode)),
                Found::Folder(_) => return Err(Found::refusal(path, "is a folder")),
                Found::Link { mode, .. } => return Err(Found::link(path, mode)),
                Found::Refused(why) => return Err(Found::refusal(path, why)),
            };
            wanted.insert(path, file);
        }
        let ids = wanted.values().flatten().map(|(id, _)| *id).collect();
        session.ensure(&ids, Filter::Whole).await?;
        let mut files = BTreeMap::new();
        for (path, file) in wanted {
            let file = match file {
                Some((id, mode)) => {
                    let bytes = session.need(id, Kind::Blob)?;
                    if bytes.starts_with(LFS) {
                        return Err(Found::refusal(
                            path,
                            "is a pointer of Git LFS: its content is elsewhere",
                        ));
                    }
                    Some(File { id, mode, bytes })
                }
                None => None,
            };
            files.insert(path.clone(), file);
        }
        Ok(files)
    }
}
