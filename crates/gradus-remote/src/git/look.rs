//! The folders of a commit, shown to somebody who knows some of them already.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    GitError, Mode, ObjectId, Remote, RepoPath,
    error::Outcome,
    fetch::Filter,
    list::WIDE,
    object::{Kind, tree_entries},
    remote::Inner,
    session::Session,
    walk::{Found, walk},
    way::Way,
};
use crate::git::GitErrorKind;

/// Is shown folders and files by their ids.
pub trait Onlooker: Send + Sync {
    /// Whether a folder need not be shown, nor anything below it.
    fn knows(&self, folder: ObjectId) -> bool;

    /// Whether files may be shown with their folders, because so little is known.
    fn wants_files(&self) -> bool;

    /// A folder, with the names of its files and folders.
    fn folder(&self, id: ObjectId, entries: &[Shown<'_>]);

    /// A file, whatever its name is and wherever it is.
    fn file(&self, id: ObjectId, bytes: &[u8]);
}

/// An entry of a folder that was shown. Symbolic links, submodules and names that are not UTF-8 are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it holds.
    pub id: ObjectId,
    /// A file or a folder.
    pub mode: Mode,
}

/// What was found at a path that was to be looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The path; `None` for the whole commit.
    pub path: Option<RepoPath>,
    /// What it holds.
    pub id: ObjectId,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl Remote {
    /// Shows the folders at these paths of a commit (the whole commit, if there are none) and all below them, except
    /// those that the onlooker knows. Each is shown once. Where nothing is known, files may be shown too, as they come.
    pub async fn look_through(
        &self,
        commit: ObjectId,
        below: &[RepoPath],
        onlooker: Arc<dyn Onlooker>,
    ) -> Result<Vec<Looked>, GitError> {
        self.within("look through the files", self.inner.look_through(commit, below, onlooker)).await
    }
}

impl Inner {
    async fn look_through(
        &self,
        commit: ObjectId,
        below: &[RepoPath],
        onlooker: Arc<dyn Onlooker>,
    ) -> Outcome<Vec<Looked>> {
        let mut session = Session::new(self);
        session.ensure_changed(commit).await?;
        let root = session.ensure_commit(commit).await?.tree;
        let tops = tops(&mut session, root, below).await?;
        let folders = tops.iter().filter(|top| top.is_folder).map(|top| top.id);
        let mut level: BTreeSet<ObjectId> = folders.filter(|id| !onlooker.knows(*id)).collect();
        if !level.is_empty() && onlooker.wants_files() && session.way().await? == Way::Wire {
            session.sweep(&level, &onlooker).await?;
        }
        let (mut shown, mut seen) = (HashSet::new(), 0);
        while !level.is_empty() {
            let unknown = session.missing(&level);
            let filter = if unknown.len() > WIDE { Filter::NoBlobs } else { Filter::NoTrees };
            session.ensure(&unknown, filter).await?;
            let mut next = BTreeSet::new();
            for id in level {
                shown.insert(id);
                let data = session.need(id, Kind::Tree)?;
                let entries = entries(&data)?;
                seen += entries.len() as u64 + 1;
                // A few small trees can describe folders without number.
                let limit = self.limits.listed;
                if seen > limit {
                    let what = "the number of files and folders looked at";
                    return Err(GitErrorKind::TooLarge { what, limit }.into());
                }
                let folders = entries.iter().filter(|entry| entry.mode == Mode::Folder).map(|entry| entry.id);
                next.extend(folders.filter(|id| !shown.contains(id) && !onlooker.knows(*id)));
                onlooker.folder(id, &entries);
            }
            level = next;
        }
        self.has_listed(commit);
        Ok(tops)
    }
}

async fn tops(session: &mut Session<'_>, root: ObjectId, below: &[RepoPath]) -> Outcome<Vec<Looked>> {
    if below.is_empty() {
        return Ok(vec![Looked { path: None, id: root, is_folder: true }]);
    }
    let starts: Vec<_> = below.iter().map(|path| (root, path)).collect();
    let mut tops = Vec::new();
    for (path, found) in below.iter().zip(walk(session, &starts).await?) {
        let (id, is_folder) = match found {
            Found::Missing | Found::ThroughFile => continue,
            Found::File { id, .. } => (id, false),
            Found::Folder(id) => (id, true),
            Found::Link { mode, .. } => return Err(Found::link(path, mode)),
            Found::Refused(why) => return Err(Found::refusal(path, why)),
        };
        tops.push(Looked { path: Some(path.clone()), id, is_folder });
    }
    Ok(tops)
}

fn entries(tree: &[u8]) -> Outcome<Vec<Shown<'_>>> {
    let mut entries = Vec::new();
    for entry in tree_entries(tree) {
        let entry = entry?;
        let Some(name) = std::str::from_utf8(entry.name).ok().filter(|name| !name.contains('/')) else {
            continue;
        };
        match entry.mode {
            // Nothing below such a folder has a path.
            Mode::Folder if RepoPath::new(name).is_err() => {}
            Mode::Folder | Mode::File | Mode::Executable => {
                entries.push(Shown { name, id: entry.id, mode: entry.mode })
            }
            Mode::Symlink | Mode::Submodule => {}
        }
    }
    Ok(entries)
}
