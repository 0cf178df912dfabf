//! Merging one commit into another by their trees: what is the same on two sides is never read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Change, Content, GitError, Mode, ObjectId, Remote, RepoPath,
    below::{joined, name_of},
    error::Outcome,
    fetch::Filter,
    merge_base::merge_bases,
    object::{Kind, tree_entries},
    remote::Inner,
    session::Session,
};
use crate::git::GitErrorKind;

/// What merging a commit into another comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// It is in there already.
    Within,
    /// There is something to merge.
    Apart {
        /// What only the one that is merged has changed, as a change of the other.
        changes: BTreeMap<RepoPath, Change>,
        /// What both have changed, and not to the same.
        both: Vec<Both>,
    },
    /// They have nothing in common.
    Unrelated,
    /// They were merged both ways, so that there are several commits at which they parted.
    Crossed(Vec<ObjectId>),
}

/// A path that both sides have changed, and not to the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Both {
    /// Where.
    pub path: RepoPath,
    /// What was there when they parted.
    pub base: Entry,
    /// What is there now, where it is merged into.
    pub ours: Entry,
    /// What is there in the commit that is merged.
    pub theirs: Entry,
}

/// What a side has at a path, if it has anything.
pub type Entry = Option<(Mode, ObjectId)>;

impl Remote {
    /// What merging the commit `theirs` into `ours` comes to. Nothing is written, and no file is read.
    pub async fn merge(&self, ours: ObjectId, theirs: ObjectId) -> Result<Merged, GitError> {
        self.within("merge commits", self.inner.merge(ours, theirs)).await
    }
}

impl Inner {
    async fn merge(&self, ours: ObjectId, theirs: ObjectId) -> Outcome<Merged> {
        let mut session = Session::new(self);
        let base = match merge_bases(&mut session, ours, theirs).await?[..] {
            [] => return Ok(Merged::Unrelated),
            [base] if base == theirs => return Ok(Merged::Within),
            [base] => base,
            ref several => return Ok(Merged::Crossed(several.to_vec())),
        };
        let mut roots = [None; 3];
        for (root, commit) in roots.iter_mut().zip([base, ours, theirs]) {
            let tree = session.ensure_commit(commit).await?.tree;
            // While the operation is about this very commit: a host that gives whole commits only gives this one then.
            session.ensure(&[tree].into(), Filter::NoTrees).await?;
            *root = Some((Mode::Folder, tree));
        }
        let mut merging = Merging::default();
        merging.meet(Spot { path: String::new(), sides: roots })?;
        while !merging.folders.is_empty() {
            merging.level(&mut session).await?;
        }
        merging.both.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Merged::Apart { changes: merging.changes, both: merging.both })
    }
}

/// A place in the three trees: at the parting, ours, theirs.
struct Spot {
    path: String,
    sides: [Entry; 3],
}

#[derive(Default)]
struct Merging {
    changes: BTreeMap<RepoPath, Change>,
    both: Vec<Both>,
    /// The folders of the next level that all three have otherwise.
    folders: Vec<Spot>,
    seen: u64,
}

impl Merging {
    async fn level(&mut self, session: &mut Session<'_>) -> Outcome<()> {
        let folders = std::mem::take(&mut self.folders);
        let trees: BTreeSet<ObjectId> =
            folders.iter().flat_map(|spot| spot.sides).flatten().map(|(_, id)| id).collect();
        session.ensure(&trees, Filter::NoTrees).await?;
        for Spot { path, sides } in folders {
            let mut names: BTreeMap<Vec<u8>, [Entry; 3]> = BTreeMap::new();
            for (at, side) in sides.into_iter().enumerate() {
                let Some((_, tree)) = side else { continue };
                for entry in tree_entries(&session.need(tree, Kind::Tree)?) {
                    let entry = entry?;
                    self.see(session)?;
                    names.entry(entry.name.to_vec()).or_default()[at] = Some((entry.mode, entry.id));
                }
            }
            for (name, sides) in names {
                if decided(sides).is_some_and(|side| side == sides[1]) {
                    continue;
                }
                let path = joined(&path, name_of(&name)?)?.as_str().to_owned();
                self.meet(Spot { path, sides })?;
            }
        }
        Ok(())
    }

    fn meet(&mut self, spot: Spot) -> Outcome<()> {
        let Spot { path, sides: [base, ours, theirs] } = &spot;
        let is_folder = |side: &Entry| side.is_none_or(|(mode, _)| mode == Mode::Folder);
        match decided(spot.sides) {
            Some(side) if side == *ours => {}
            // The root is a folder on every side; it has no path by which it could be put whole.
            Some(Some((mode, id))) if !path.is_empty() => {
                let content = Content::Known(id);
                let change = Change::Put { expect: ours.map(|(_, id)| id), mode, content };
                self.changes.insert(path_of(path)?, change);
            }
            Some(None) => {
                let change = Change::Remove { expect: ours.map(|(_, id)| id) };
                self.changes.insert(path_of(path)?, change);
            }
            Some(Some(_)) | None if spot.sides.iter().all(is_folder) => self.folders.push(spot),
            Some(Some(_)) | None => {
                self.both.push(Both { path: path_of(path)?, base: *base, ours: *ours, theirs: *theirs });
            }
        }
        Ok(())
    }

    /// A few small trees can describe folders without number.
    fn see(&mut self, session: &Session<'_>) -> Outcome<()> {
        self.seen += 1;
        let limit = session.remote.limits.listed;
        if self.seen > limit {
            let what = "the number of files and folders that both branches have changed";
            return Err(GitErrorKind::TooLarge { what, limit }.into());
        }
        Ok(())
    }
}

/// What a merge has where not both sides have changed it, or both to the same.
fn decided([base, ours, theirs]: [Entry; 3]) -> Option<Entry> {
    if ours == theirs || base == theirs {
        Some(ours)
    } else if base == ours {
        Some(theirs)
    } else {
        None
    }
}

fn path_of(path: &str) -> Outcome<RepoPath> {
    joined("", path)
}
