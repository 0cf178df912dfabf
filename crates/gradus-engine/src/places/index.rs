//! Where markers are in a repository, for one commit of one branch.
//!
//! What a file and a folder hold is kept by the ids of their contents: what did not change is neither asked for nor
//! looked into a second time. A new commit costs the folders that changed and the files that are new in them.

mod held;
mod kept;
mod known;
mod present;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, MutexGuard, PoisonError};

use gradus_core::names::{BlobId, CommitId, RepoPath};
use gradus_core::observation::Why;
use gradus_core::pipeline::Repository;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, OnceCell};

use crate::observe::Missed;
use crate::port::repo::{ContentId, FolderEntry, Onlooker, Top};
use crate::port::{PortError, Repo, Shelf};

use known::{Fresh, Known};
use present::Present;

/// How many files are asked for in one request.
const BATCH: usize = 2000;

/// How many such requests are under way at the same time.
const AHEAD: usize = 2;

/// What was found of some markers.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    files: BTreeMap<String, Vec<RepoPath>>,
    problems: BTreeMap<String, String>,
    searched: String,
}

impl Index {
    /// The files that have this marker, which was asked for.
    pub(crate) fn files_with(&self, value: &str) -> &[RepoPath] {
        self.files.get(value).map_or(&[], Vec::as_slice)
    }

    /// Why a file that seems to have this marker cannot be read, if there is one.
    pub(crate) fn problem_with(&self, value: &str) -> Option<&str> {
        self.problems.get(value).map(String::as_str)
    }

    /// Where was looked, as the end of a sentence that says what was not found.
    pub(crate) fn searched(&self) -> &str {
        &self.searched
    }
}

/// What is known of the repositories that were searched.
#[derive(Default)]
pub(crate) struct IndexCache {
    /// By address and Secret: what the same contents hold is the same on every branch.
    known: std::sync::Mutex<HashMap<Address, Arc<Shared>>>,
    /// By branch and folders too: where it is.
    present: std::sync::Mutex<HashMap<Repository, Arc<Mutex<Option<Present>>>>>,
    shelf: Option<Arc<dyn Shelf>>,
}

type Address = (Arc<str>, Option<Arc<str>>);

#[derive(Default)]
struct Shared {
    known: std::sync::Mutex<Known>,
    /// Done once it was asked what an earlier process knew.
    recalled: OnceCell<()>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }
}

impl IndexCache {
    /// From now on what is known is kept there too.
    pub(crate) fn keep_on(&mut self, shelf: Arc<dyn Shelf>) {
        self.shelf = Some(shelf);
    }

    /// Where these markers are at this commit.
    pub(crate) async fn at(
        &self,
        repository: &Repository,
        repo: &dyn Repo,
        tip: &CommitId,
        values: &[String],
        missed: &Missed,
    ) -> Result<Index, Why> {
        let shared =
            lock(&self.known).entry((repository.url.clone(), repository.secret.clone())).or_default().clone();
        let present = lock(&self.present).entry(repository.clone()).or_default().clone();
        // Those who look at the same branch wait for the one who looks.
        let mut present = present.lock().await;
        if let Some(present) = present.as_ref().filter(|present| present.at == *tip) {
            return Ok(present.find(values));
        }
        shared.recalled.get_or_init(|| self.recall(repository, &shared)).await;
        shared.lock().make_room();
        let tops = look(repo, &shared, tip, &outermost(&repository.paths), missed).await?;
        let found = {
            let known = shared.lock();
            let updated = match present.take() {
                Some(before) => before.moved_to(&known, tip, &tops),
                None => None,
            };
            let now = match updated {
                Some(now) => now,
                None => Present::of(&known, tip, &tops, &repository.paths)?,
            };
            present.insert(now).find(values)
        };
        self.keep(repository, &shared).await;
        Ok(found)
    }

    async fn recall(&self, repository: &Repository, shared: &Shared) {
        let Some(shelf) = &self.shelf else { return };
        let Some(bytes) = shelf.get(&shelved_as(repository)).await else { return };
        match kept::read(&bytes) {
            Some(known) => *shared.lock() = known,
            None => {
                tracing::debug!(url = %repository.url, "what was kept of its markers is of no use; it is made anew")
            }
        }
    }

    async fn keep(&self, repository: &Repository, shared: &Shared) {
        let Some(shelf) = &self.shelf else { return };
        let bytes = {
            let mut known = shared.lock();
            if !known.is_worth_keeping() {
                return;
            }
            kept::written(&known)
        };
        shelf.put(&shelved_as(repository), bytes).await;
    }
}

/// The name under which it is kept what is known of a repository.
fn shelved_as(repository: &Repository) -> String {
    let hash = Sha256::digest(repository.url.as_bytes());
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("markers-{digits}")
}

/// Looks into whatever is not known of a commit. Afterwards all of it is.
async fn look(
    repo: &dyn Repo,
    shared: &Arc<Shared>,
    tip: &CommitId,
    below: &[RepoPath],
    missed: &Missed,
) -> Result<Vec<Top>, Why> {
    let looking = Arc::new(Looking { shared: shared.clone(), fresh: std::sync::Mutex::default() });
    let tops = repo.look_through(tip, below, looking.clone()).await.map_err(|error| missed.why(error))?;
    let fresh = std::mem::take(&mut *lock(&looking.fresh));
    let unread = shared.lock().unread(&fresh, &tops);
    for batches in unread.chunks(AHEAD * BATCH) {
        let (first, second) = batches.split_at(batches.len().min(BATCH));
        let read = futures::try_join!(read(repo, first, &looking), read(repo, second, &looking));
        read.map_err(|error| missed.why(error))?;
    }
    shared.lock().settle(fresh, &tops)?;
    Ok(tops)
}

async fn read(repo: &dyn Repo, files: &[ContentId], looking: &Looking) -> Result<(), PortError> {
    if files.is_empty() {
        return Ok(());
    }
    let blobs: Vec<BlobId> = files.iter().filter_map(ContentId::blob).collect();
    for (blob, bytes) in repo.contents(&blobs).await? {
        if let Some(id) = ContentId::of(&blob) {
            looking.file(id, &bytes);
        }
    }
    Ok(())
}

/// What is shown of a repository, on its way to what is known of it.
struct Looking {
    shared: Arc<Shared>,
    fresh: std::sync::Mutex<Fresh>,
}

impl Onlooker for Looking {
    fn knows(&self, folder: ContentId) -> bool {
        self.shared.lock().knows(folder)
    }

    fn wants_files(&self) -> bool {
        self.shared.lock().is_empty()
    }

    fn folder(&self, id: ContentId, entries: &[FolderEntry<'_>]) {
        lock(&self.fresh).folder(id, entries);
    }

    fn file(&self, id: ContentId, bytes: &[u8]) {
        // Nobody waits while a file is looked into.
        let held = held::look_into(bytes);
        self.shared.lock().file(id, held);
    }
}

/// Those folders that are in none of the others.
fn outermost(paths: &[RepoPath]) -> Vec<RepoPath> {
    let inside = |path: &RepoPath, other: &RepoPath| {
        path.as_str().strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    let mut outer: Vec<RepoPath> =
        paths.iter().filter(|path| !paths.iter().any(|other| inside(path, other))).cloned().collect();
    outer.sort();
    outer.dedup();
    outer
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_another_one_is_not_looked_through_twice() {
        let paths = |text: &str| -> Vec<RepoPath> {
            text.split_whitespace().map(|path| RepoPath::parse(path).unwrap()).collect()
        };
        assert_eq!(outermost(&paths("b/c a ab a/b b/c a/b/c")), paths("a ab b/c"));
    }
}
