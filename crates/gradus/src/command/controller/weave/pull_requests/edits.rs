//! What changes where a marker stands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::{BlobId, CommitId, RepoPath};
use gradus_edit::{Edit, Locator, Outcome};
use gradus_engine::places::MARKER;
use gradus_engine::port::repo::FileChange;
use gradus_engine::port::{PortError, PortErrorKind, Repo};

/// So many files are asked for at once.
const AT_ONCE: usize = 500;

/// Files, and what becomes of them.
pub(super) type Edits = BTreeMap<RepoPath, FileChange>;

/// The changes that make every value with this marker say this, in all YAML files of a
/// commit; none where they say so, or where there are none.
pub(super) async fn edits(
    repo: &dyn Repo,
    at: &CommitId,
    marker: &str,
    revision: &str,
) -> Result<Edits, PortError> {
    let change = [Edit::new(Locator::marker(MARKER, marker), revision)];
    let listed = repo.list(at, &[]).await?;
    let mut edits = Edits::new();
    for some in listed.chunks(AT_ONCE) {
        let blobs: BTreeSet<&BlobId> = some.iter().map(|file| &file.blob).collect();
        let blobs: Vec<BlobId> = blobs.into_iter().cloned().collect();
        let contents = repo.contents(&blobs).await?;
        for file in some {
            let Some(bytes) = contents.get(&file.blob).filter(|bytes| has(bytes, marker)) else { continue };
            let refused = |error| {
                PortError::because(
                    PortErrorKind::Unusable,
                    format!("setting {marker} in {}", file.path),
                    error,
                )
            };
            match gradus_edit::edit(bytes, &change).map_err(refused)? {
                Outcome::Edited(edited) => {
                    let change = FileChange::write(file.blob.clone(), Arc::from(edited.bytes));
                    edits.insert(file.path.clone(), change);
                }
                Outcome::Unchanged | Outcome::Stale(_) => {}
            }
        }
    }
    Ok(edits)
}

/// Whether a file is worth being parsed.
fn has(bytes: &[u8], marker: &str) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains(marker) && text.contains(MARKER))
}
