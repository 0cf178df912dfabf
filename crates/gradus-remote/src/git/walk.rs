//! From roots down to paths, all of them one level at a time: one request for each level, however many paths.

use std::collections::{BTreeSet, HashMap};

use super::{
    Mode, ObjectId, RepoPath,
    error::{Fault, Outcome},
    fetch::Filter,
    object::{Kind, find_entry},
    session::Session,
};
use crate::git::GitErrorKind;

/// What is at the end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Missing,
    /// A part before the last is a regular file.
    ThroughFile,
    File {
        id: ObjectId,
        mode: Mode,
    },
    Folder(ObjectId),
    /// A symbolic link or a submodule is at the end.
    Link {
        id: ObjectId,
        mode: Mode,
    },
    /// A symbolic link or a submodule is in the way.
    Refused(&'static str),
}

impl Found {
    /// Why a link at the end of a path is not taken for a file.
    pub(super) fn link(path: &RepoPath, mode: Mode) -> Fault {
        Self::refusal(path, if mode == Mode::Submodule { "is a submodule" } else { "is a symbolic link" })
    }

    pub(super) fn refusal(path: &RepoPath, why: &str) -> Fault {
        GitErrorKind::PathRefused { path: path.clone(), why: why.to_owned() }.into()
    }
}

/// Follows each path from its root tree. Afterwards every tree on the way is here.
pub(super) async fn walk(session: &mut Session<'_>, starts: &[(ObjectId, &RepoPath)]) -> Outcome<Vec<Found>> {
    let mut ways: Vec<Way<'_>> = starts
        .iter()
        .map(|(root, path)| Way {
            at: Found::Folder(*root),
            rest: path.parts().collect::<Vec<_>>().into_iter(),
        })
        .collect();
    // Commits that follow each other have most of their folders in common.
    let mut looked_up = HashMap::new();
    loop {
        let level: BTreeSet<_> = ways.iter().filter_map(Way::next_tree).collect();
        if level.is_empty() {
            return Ok(ways.into_iter().map(|way| way.at).collect());
        }
        session.ensure(&level, Filter::NoTrees).await?;
        for way in &mut ways {
            way.step(session, &mut looked_up)?;
        }
    }
}

struct Way<'a> {
    at: Found,
    rest: std::vec::IntoIter<&'a str>,
}

impl<'a> Way<'a> {
    fn next_tree(&self) -> Option<ObjectId> {
        match self.at {
            Found::Folder(tree) if self.rest.len() > 0 => Some(tree),
            Found::Folder(_)
            | Found::Missing
            | Found::ThroughFile
            | Found::File { .. }
            | Found::Link { .. }
            | Found::Refused(_) => None,
        }
    }

    fn step(
        &mut self,
        session: &mut Session<'_>,
        looked_up: &mut HashMap<(ObjectId, &'a str), Option<(Mode, ObjectId)>>,
    ) -> Outcome<()> {
        let Some(tree) = self.next_tree() else { return Ok(()) };
        let Some(name) = self.rest.next() else { return Ok(()) };
        let last = self.rest.len() == 0;
        let entry = match looked_up.get(&(tree, name)) {
            Some(known) => *known,
            None => {
                let data = session.need(tree, Kind::Tree)?;
                let entry = find_entry(&data, name)?.map(|entry| (entry.mode, entry.id));
                looked_up.insert((tree, name), entry);
                entry
            }
        };
        self.at = match entry {
            None => Found::Missing,
            Some((mode, id)) => match mode {
                Mode::Folder => Found::Folder(id),
                Mode::File | Mode::Executable if last => Found::File { id, mode },
                Mode::File | Mode::Executable => Found::ThroughFile,
                Mode::Symlink | Mode::Submodule if last => Found::Link { id, mode },
                Mode::Symlink => Found::Refused("leads through a symbolic link"),
                Mode::Submodule => Found::Refused("leads into a submodule"),
            },
        };
        Ok(())
    }
}
