//! Merging, as a real repository does it, on files that are all in one list.

use std::collections::{BTreeMap, BTreeSet};

use gradus_core::names::{CommitId, RepoPath};

use super::{State, StoredCommit};
use crate::port::PortError;
use crate::port::repo::{Becomes, BothChanged, EntryMode, FileChange, Side, TreeMerge};

impl State {
    /// What merging `theirs` into `ours` comes to.
    pub(super) fn merge_of(&self, ours: &CommitId, theirs: &CommitId) -> Result<TreeMerge, PortError> {
        let (of_ours, of_theirs) = (self.reached(ours)?, self.reached(theirs)?);
        if of_ours.contains(theirs) {
            return Ok(TreeMerge::Within);
        }
        let common: BTreeSet<&CommitId> = of_ours.intersection(&of_theirs).collect();
        let mut best = Vec::new();
        for &one in &common {
            let mut is_before_another = false;
            for &other in common.iter().filter(|other| **other != one) {
                is_before_another |= self.reached(other)?.contains(one);
            }
            if !is_before_another {
                best.push(one);
            }
        }
        let base = match best[..] {
            [] => return Ok(TreeMerge::Impossible("they have no commit in common".to_owned())),
            [base] => base,
            [..] => {
                let bases = best.len();
                let why = format!("they were merged into each other, so that they parted at {bases} commits");
                return Ok(TreeMerge::Impossible(why));
            }
        };
        Ok(apart(self.commit(base)?, self.commit(ours)?, self.commit(theirs)?))
    }

    fn reached(&self, from: &CommitId) -> Result<BTreeSet<CommitId>, PortError> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from.clone()];
        while let Some(id) = open.pop() {
            open.extend(self.commit(&id)?.parents.iter().filter(|id| !reached.contains(*id)).cloned());
            reached.insert(id);
        }
        Ok(reached)
    }
}

fn apart(base: &StoredCommit, ours: &StoredCommit, theirs: &StoredCommit) -> TreeMerge {
    let (mut changes, mut both) = (BTreeMap::new(), Vec::new());
    let paths: BTreeSet<&RepoPath> =
        [base, ours, theirs].iter().flat_map(|commit| commit.tree.keys()).collect();
    for path in paths {
        let [base, ours, theirs] = [base, ours, theirs].map(|commit| side(commit, path));
        if ours == theirs || base == theirs {
            continue;
        }
        if base == ours {
            let becomes = theirs.map_or(Becomes::Gone, |side| Becomes::Entry(side.mode, side.blob));
            changes.insert(path.clone(), FileChange { expect: ours.map(|side| side.blob), becomes });
        } else {
            both.push(BothChanged { path: path.clone(), base, ours, theirs });
        }
    }
    TreeMerge::Apart { changes, both }
}

fn side(commit: &StoredCommit, path: &RepoPath) -> Option<Side> {
    let blob = commit.tree.get(path)?.clone();
    Some(Side { mode: commit.modes.get(path).copied().unwrap_or(EntryMode::File), blob })
}
