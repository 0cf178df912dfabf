//! What the wire client says of a merge, in the engine's words.

use std::collections::BTreeMap;

use gradus_core::names::RepoPath;
use gradus_engine::port::PortError;
use gradus_engine::port::repo::{Becomes, BothChanged, FileChange, Side, TreeMerge};

use super::{blob_id, entry_mode, named};
use crate::git::{self, Change, Content, Merged};

pub(super) fn tree_merge(merged: Merged) -> Result<TreeMerge, PortError> {
    Ok(match merged {
        Merged::Within => TreeMerge::Within,
        Merged::Apart { changes, both } => {
            let changes = changes
                .iter()
                .map(|(path, change)| Ok((repo_path(path)?, file_change(change)?)))
                .collect::<Result<BTreeMap<_, _>, PortError>>()?;
            TreeMerge::Apart { changes, both: both.iter().map(both_changed).collect::<Result<_, _>>()? }
        }
        Merged::Unrelated => TreeMerge::Impossible("they have no commit in common".to_owned()),
        Merged::Crossed(bases) => TreeMerge::Impossible(format!(
            "they were merged into each other, so that they parted at {} commits",
            bases.len()
        )),
    })
}

fn file_change(change: &Change) -> Result<FileChange, PortError> {
    let (expect, becomes) = match change {
        Change::Put { expect, mode, content: Content::Known(id) } => {
            (expect, Becomes::Entry(entry_mode(*mode), blob_id(*id)?))
        }
        Change::Put { expect, mode, content: Content::Bytes(bytes) } => {
            (expect, Becomes::BytesAs(entry_mode(*mode), (&**bytes).into()))
        }
        Change::Write { expect, bytes } => (expect, Becomes::Bytes((&**bytes).into())),
        Change::Remove { expect } => (expect, Becomes::Gone),
    };
    Ok(FileChange { expect: expect.map(blob_id).transpose()?, becomes })
}

fn both_changed(both: &git::Both) -> Result<BothChanged, PortError> {
    Ok(BothChanged {
        path: repo_path(&both.path)?,
        base: side(both.base)?,
        ours: side(both.ours)?,
        theirs: side(both.theirs)?,
    })
}

fn side(entry: git::Entry) -> Result<Option<Side>, PortError> {
    entry.map(|(mode, id)| Ok(Side { mode: entry_mode(mode), blob: blob_id(id)? })).transpose()
}

fn repo_path(path: &git::RepoPath) -> Result<RepoPath, PortError> {
    RepoPath::parse(path.as_str()).map_err(named)
}
