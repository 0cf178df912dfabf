//! Which files have which markers, for one commit of one repository.
//!
//! A file that did not change is not read twice: what it holds is kept by the id
//! of its content.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gradus_core::names::{BlobId, CommitId, RepoPath};
use gradus_core::observation::Why;
use gradus_core::pipeline::Repository;
use tokio::sync::Mutex;

use super::MARKER;
use super::declared::in_file;
use crate::observe::Missed;
use crate::port::Repo;
use crate::port::repo::Listed;

/// How many files are asked for in one request.
const BATCH: usize = 500;

/// The markers of one commit.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    by_marker: Arc<BTreeMap<Arc<str>, Vec<RepoPath>>>,
    problems: Arc<[String]>,
    /// Files that cannot be read, by the markers that their text seems to have.
    suspects: Arc<BTreeMap<Arc<str>, Arc<str>>>,
    files: usize,
    below: Arc<str>,
    at: CommitId,
}

/// What one file holds: its markers, or why they could not be read.
#[derive(Debug, Clone)]
enum Held {
    Markers(Arc<[Arc<str>]>),
    /// With the markers that its text seems to have: whatever it is, it must not be passed over.
    Problem(Arc<str>, Arc<[Arc<str>]>),
}

/// The indexes of the repositories that were searched.
#[derive(Default)]
pub(crate) struct IndexCache {
    by_repository: std::sync::Mutex<HashMap<Repository, Arc<Mutex<Cached>>>>,
}

#[derive(Default)]
struct Cached {
    index: Option<Index>,
    held: HashMap<BlobId, Held>,
}

impl Index {
    /// The files that have this marker.
    pub(crate) fn files_with(&self, value: &str) -> &[RepoPath] {
        self.by_marker.get(value).map_or(&[], Vec::as_slice)
    }

    /// Why a file that seems to have this marker cannot be read, if there is one.
    pub(crate) fn problem_with(&self, value: &str) -> Option<&str> {
        self.suspects.get(value).map(|problem| &**problem)
    }

    /// Where was looked, as the end of a sentence that says what was not found.
    pub(crate) fn searched(&self) -> String {
        let mut text = format!("in {} YAML files{} (at {})", self.files, self.below, self.at.short());
        if let Some(problem) = self.problems.first() {
            let more = self.problems.len() - 1;
            let more = if more == 0 { String::new() } else { format!(", and {more} more") };
            text.push_str(&format!("; not readable: {problem}{more}"));
        }
        text
    }
}

impl IndexCache {
    /// The index of this commit.
    pub(crate) async fn at(
        &self,
        repository: &Repository,
        repo: &dyn Repo,
        tip: &CommitId,
        missed: &Missed,
    ) -> Result<Index, Why> {
        let cached = {
            let mut all = self.by_repository.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            all.entry(repository.clone()).or_default().clone()
        };
        let mut cached = cached.lock().await;
        if let Some(index) = cached.index.as_ref().filter(|index| &index.at == tip) {
            return Ok(index.clone());
        }
        let listed = repo.list(tip, &repository.paths).await.map_err(|error| missed.why(error))?;
        let held = held(repo, &listed, &cached.held, missed).await?;
        let index = build(repository, tip, &listed, &held);
        cached.held = held;
        cached.index = Some(index.clone());
        Ok(index)
    }
}

/// What each listed file holds; only new ones are read.
async fn held(
    repo: &dyn Repo,
    listed: &[Listed],
    before: &HashMap<BlobId, Held>,
    missed: &Missed,
) -> Result<HashMap<BlobId, Held>, Why> {
    let mut held: HashMap<BlobId, Held> = HashMap::with_capacity(listed.len());
    let mut wanted: Vec<(BlobId, RepoPath)> = Vec::new();
    for file in listed {
        if held.contains_key(&file.blob) {
            continue;
        }
        match before.get(&file.blob) {
            Some(known) => {
                held.insert(file.blob.clone(), known.clone());
            }
            None => wanted.push((file.blob.clone(), file.path.clone())),
        }
    }
    for batch in wanted.chunks(BATCH) {
        let blobs: Vec<BlobId> = batch.iter().map(|(blob, _)| blob.clone()).collect();
        let contents = repo.contents(&blobs).await.map_err(|error| missed.why(error))?;
        for (blob, path) in batch {
            let Some(bytes) = contents.get(blob) else {
                return Err(Why::new(format!("the host did not send {path}")));
            };
            held.insert(blob.clone(), look_into(path, bytes));
        }
    }
    Ok(held)
}

fn look_into(path: &RepoPath, bytes: &[u8]) -> Held {
    match gradus_edit::find_markers(bytes, MARKER) {
        Ok(markers) => Held::Markers(markers.into_iter().map(|marker| Arc::from(marker.value)).collect()),
        Err(refusal) => Held::Problem(Arc::from(in_file(path, &refusal)), seems_to_have(bytes)),
    }
}

/// The markers that a text seems to have which cannot be parsed.
fn seems_to_have(bytes: &[u8]) -> Arc<[Arc<str>]> {
    let text = String::from_utf8_lossy(bytes);
    let key = format!("\"{MARKER}\"");
    let after_key = text.split(key.as_str()).skip(1);
    after_key
        .filter_map(|rest| rest.trim_start().strip_prefix(':')?.split('"').nth(1))
        .map(Arc::from)
        .collect()
}

fn build(repository: &Repository, tip: &CommitId, listed: &[Listed], held: &HashMap<BlobId, Held>) -> Index {
    let mut by_marker: BTreeMap<Arc<str>, Vec<RepoPath>> = BTreeMap::new();
    let mut problems = Vec::new();
    let mut suspects: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    for file in listed {
        match held.get(&file.blob) {
            Some(Held::Markers(values)) => {
                for value in values.iter() {
                    let files = by_marker.entry(value.clone()).or_default();
                    if files.last() != Some(&file.path) {
                        files.push(file.path.clone());
                    }
                }
            }
            Some(Held::Problem(problem, markers)) => {
                problems.push(problem.to_string());
                suspects.extend(markers.iter().map(|marker| (marker.clone(), problem.clone())));
            }
            None => {}
        }
    }
    let below: Vec<&str> = repository.paths.iter().map(RepoPath::as_str).collect();
    let below = if below.is_empty() { String::new() } else { format!(" below {}", below.join(", ")) };
    Index {
        by_marker: Arc::new(by_marker),
        problems: problems.into(),
        suspects: Arc::new(suspects),
        files: listed.len(),
        below: below.into(),
        at: tip.clone(),
    }
}
