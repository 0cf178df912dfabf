//! Merging the branch of the environment before, without writing anything.
//!
//! The trees are merged by the repository; what both sides have changed is merged here, line by line. The version is
//! not left to chance: where both branches have changed it, or the merge does not bring it, it is set as an edit would.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::{BlobId, CommitId, RepoPath};
use gradus_core::release::Release;

use crate::places::{self, Files, Place};
use crate::port::repo::{Becomes, BothChanged, EntryMode, FileChange, FileSeen, Side, TreeMerge};
use crate::port::{PortError, Repo};

pub use text::merge_text;

/// How many files that both sides have changed are read. Beyond that a person has to see to it.
const MOST_BOTH: usize = 500;

/// What a merge comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// There is nothing to merge: it was merged before.
    Within,
    /// The files that it changes, compared with where it is merged into. Afterwards the version is what it should be.
    Ready(BTreeMap<RepoPath, FileChange>),
    /// Both sides have changed the same lines of these files.
    Conflicts(Vec<RepoPath>),
    /// It cannot be merged; why.
    Impossible(String),
}

/// What is merged, into what, for which release.
pub(crate) struct Wish<'a> {
    pub(crate) ours: &'a CommitId,
    pub(crate) theirs: &'a CommitId,
    pub(crate) places: &'a [Place],
    pub(crate) to: &'a Release,
}

/// Merges two commits. The same commits give the same files.
pub(crate) async fn merging(repo: &dyn Repo, wish: &Wish<'_>) -> Result<Merged, PortError> {
    let (mut changes, both) = match repo.merge(wish.ours, wish.theirs).await? {
        TreeMerge::Within => return Ok(Merged::Within),
        TreeMerge::Impossible(why) => return Ok(Merged::Impossible(why)),
        TreeMerge::Apart { changes, both } => (changes, both),
    };
    if both.len() > MOST_BOTH {
        return Ok(Merged::Conflicts(both.into_iter().map(|both| both.path).collect()));
    }
    let contents = contents(repo, &both).await?;
    let mut conflicts = Vec::new();
    for both in both {
        match merged(&both, &contents, wish) {
            Some(change) => drop(changes.insert(both.path, change)),
            None => conflicts.push(both.path),
        }
    }
    if !conflicts.is_empty() {
        return Ok(Merged::Conflicts(conflicts));
    }
    with_version(repo, wish, changes).await
}

/// The contents of what both sides have changed.
async fn contents(repo: &dyn Repo, both: &[BothChanged]) -> Result<BTreeMap<BlobId, Arc<[u8]>>, PortError> {
    let sides =
        both.iter().filter(|both| can_be_text(both)).flat_map(|both| [&both.base, &both.ours, &both.theirs]);
    let blobs: BTreeSet<BlobId> = sides.flatten().map(|side| side.blob.clone()).collect();
    if blobs.is_empty() {
        return Ok(BTreeMap::new());
    }
    repo.contents(&blobs.into_iter().collect::<Vec<_>>()).await
}

/// Whether there is a file on both sides, and was before. What one of them deleted, or both made, a person decides.
fn can_be_text(both: &BothChanged) -> bool {
    let is_file = |side: &Option<Side>| {
        side.as_ref().is_some_and(|side| matches!(side.mode, EntryMode::File | EntryMode::Executable))
    };
    is_file(&both.base) && is_file(&both.ours) && is_file(&both.theirs)
}

/// One file, merged line by line.
fn merged(both: &BothChanged, contents: &BTreeMap<BlobId, Arc<[u8]>>, wish: &Wish<'_>) -> Option<FileChange> {
    if !can_be_text(both) {
        return None;
    }
    let [base, ours, theirs] = [both.base.as_ref()?, both.ours.as_ref()?, both.theirs.as_ref()?];
    let mode = if base.mode == ours.mode { theirs.mode } else { ours.mode };
    let text = |side: &Side| contents.get(&side.blob).cloned();
    let [old, here, there] = [text(base)?, text(ours)?, text(theirs)?];
    let bytes = merge_text(&old, &here, &there).map(Arc::from).or_else(|| {
        // Where the version itself is what both have changed, it is known what it becomes.
        let [old, here, there] = [old, here, there].map(|bytes| with_release(&both.path, bytes, wish));
        merge_text(&old?, &here?, &there?).map(Arc::from)
    })?;
    Some(FileChange { expect: Some(ours.blob.clone()), becomes: Becomes::BytesAs(mode, bytes) })
}

/// A file with the version set that is wished for; nothing where it is not one of the places.
fn with_release(path: &RepoPath, bytes: Arc<[u8]>, wish: &Wish<'_>) -> Option<Arc<[u8]>> {
    let its: Vec<Place> = wish.places.iter().filter(|place| place.file == *path).cloned().collect();
    let blob = BlobId::parse(&"0".repeat(40)).ok()?;
    let files = Files::from([(path.clone(), FileSeen { blob, bytes: bytes.clone() })]);
    let edits = places::edits(&its, &files, None, wish.to).ok()??;
    let is_place = !its.is_empty();
    is_place.then(|| edits.into_iter().next().map_or(bytes, |edit| edit.after))
}

/// Sees to it that the files say what they should after the merge.
async fn with_version(
    repo: &dyn Repo,
    wish: &Wish<'_>,
    mut changes: BTreeMap<RepoPath, FileChange>,
) -> Result<Merged, PortError> {
    let after = after(repo, wish, &changes).await?;
    let edits = match places::edits(wish.places, &after, None, wish.to) {
        Ok(edits) => edits.unwrap_or_default(),
        Err(why) => return Ok(Merged::Impossible(format!("after the merge {why}"))),
    };
    let ours: Vec<RepoPath> = edits.iter().map(|edit| edit.path.clone()).collect();
    let ours = if ours.is_empty() { Files::new() } else { repo.read(wish.ours, &ours).await? };
    for edit in edits {
        let above = above(&edit.path).find(|folder| changes.contains_key(folder));
        let mode = match changes.get(&edit.path).map(|change| &change.becomes) {
            Some(Becomes::BytesAs(mode, _) | Becomes::Entry(mode, _)) => Some(*mode),
            Some(Becomes::Bytes(_) | Becomes::Gone) | None => None,
        };
        if let Some(folder) = above {
            let path = edit.path;
            return Ok(Merged::Impossible(format!(
                "it brings the folder {folder}, where {path} does not say {}",
                wish.to
            )));
        }
        let becomes = match mode {
            Some(mode) => Becomes::BytesAs(mode, edit.after),
            None => Becomes::Bytes(edit.after),
        };
        let expect = ours.get(&edit.path).map(|file| file.blob.clone());
        changes.insert(edit.path, FileChange { expect, becomes });
    }
    Ok(Merged::Ready(changes))
}

/// The files of the places as they are after the merge.
async fn after(
    repo: &dyn Repo,
    wish: &Wish<'_>,
    changes: &BTreeMap<RepoPath, FileChange>,
) -> Result<Files, PortError> {
    let (mut from_ours, mut from_theirs, mut files) = (Vec::new(), Vec::new(), Files::new());
    let paths: BTreeSet<&RepoPath> = wish.places.iter().map(|place| &place.file).collect();
    for path in paths {
        let is_theirs = above(path).any(|folder| changes.contains_key(&folder));
        match changes.get(path).map(|change| &change.becomes) {
            Some(Becomes::Bytes(bytes) | Becomes::BytesAs(_, bytes)) => {
                // Nobody asks for it by its id.
                let Ok(blob) = BlobId::parse(&"0".repeat(40)) else { continue };
                files.insert(path.clone(), FileSeen { blob, bytes: bytes.clone() });
            }
            Some(Becomes::Entry(..)) => from_theirs.push(path.clone()),
            Some(Becomes::Gone) => {}
            None if is_theirs => from_theirs.push(path.clone()),
            None => from_ours.push(path.clone()),
        }
    }
    for (commit, paths) in [(wish.ours, from_ours), (wish.theirs, from_theirs)] {
        if !paths.is_empty() {
            files.extend(repo.read(commit, &paths).await?);
        }
    }
    Ok(files)
}

/// The folders that a path is in.
fn above(path: &RepoPath) -> impl Iterator<Item = RepoPath> {
    let text = path.as_str();
    text.match_indices('/').filter_map(|(end, _)| RepoPath::parse(text.get(..end)?).ok())
}
