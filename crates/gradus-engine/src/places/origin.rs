//! The commit that brought a release into an environment.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::{BlobId, CommitId, EnvironmentName, Person, PipelineKey, RepoPath};
use gradus_core::observation::{Origin, Seen, Why};
use gradus_core::release::Release;
use gradus_core::tell::{Trailer, trailers_of};
use gradus_core::version::Version;

use super::declared::{Files, release_at};
use super::Place;
use crate::port::repo::{CommitSeen, FileSeen, History};
use crate::port::{PortError, Repo};

/// How far back is looked when nothing needs more.
const SHALLOW: usize = 64;
/// How far back is looked where a rule rests on it.
const DEEP: usize = 4096;

/// How far back to look for the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Search {
    /// It is only told to people.
    Shallow,
    /// A rule rests on it: who brought the release, or since when it is there.
    Deep,
}

/// The origin, and what its commit says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OriginFacts {
    pub(crate) origin: Origin,
    /// The promotion that its trailers name.
    pub(crate) promotion: Option<String>,
    /// Who approved, as its trailers say. For the record, never for a gate.
    pub(crate) approved_by: Vec<Person>,
    /// The versions that the files declared before, oldest first, as far as was looked.
    pub(crate) before: Vec<Release>,
}

/// Origins that were found. As long as the files have the same content, the origin is the same.
#[derive(Default)]
pub(crate) struct OriginCache {
    found: Mutex<HashMap<PipelineKey, BTreeMap<EnvironmentName, Kept>>>,
}

#[derive(Clone)]
struct Kept {
    files: Vec<(RepoPath, BlobId)>,
    search: Search,
    facts: Seen<Arc<OriginFacts>>,
}

impl OriginCache {
    fn get(
        &self,
        key: &PipelineKey,
        environment: &EnvironmentName,
        files: &[(RepoPath, BlobId)],
        search: Search,
    ) -> Option<Seen<Arc<OriginFacts>>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = found.get(key)?.get(environment)?;
        let enough = kept.search == search || matches!(kept.facts, Seen::Known(_));
        (kept.files == files && enough).then(|| kept.facts.clone())
    }

    fn put(&self, key: &PipelineKey, environment: &EnvironmentName, kept: Kept) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(key.clone()).or_default().insert(environment.clone(), kept);
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| keep(key));
    }
}

/// Finds the commit that brought `release`, which the places name in `files` at `tip`.
#[expect(clippy::too_many_arguments, reason = "each is a different thing that the search needs")]
pub(crate) async fn origin(
    cache: &OriginCache,
    repo: &dyn Repo,
    tip: &CommitId,
    key: &PipelineKey,
    environment: &EnvironmentName,
    places: &[Place],
    files: &Files,
    release: &Release,
    search: Search,
) -> Seen<Arc<OriginFacts>> {
    let paths: BTreeSet<&RepoPath> = places.iter().map(|place| &place.file).collect();
    let now: Vec<(RepoPath, BlobId)> = paths
        .iter()
        .filter_map(|path| files.get(*path).map(|file| ((*path).clone(), file.blob.clone())))
        .collect();
    if let Some(known) = cache.get(key, environment, &now, search) {
        return known;
    }
    let wanted: Vec<RepoPath> = paths.into_iter().cloned().collect();
    let mut limit = SHALLOW;
    let facts = loop {
        match look_back(repo, tip, key, environment, places, &wanted, release, limit).await {
            Ok(Some(facts)) => break Seen::Known(Arc::new(facts)),
            Ok(None) if search == Search::Deep && limit < DEEP => limit *= 8,
            Ok(None) => {
                break Seen::unknown(format!("the commit that brought {release} is older than the last {limit} commits"));
            }
            // A failure is not remembered: the next look tries again.
            Err(error) => return Seen::Unknown(Why::new(error.in_full())),
        }
    };
    cache.put(key, environment, Kept { files: now, search, facts: facts.clone() });
    facts
}

#[expect(clippy::too_many_arguments, reason = "each is a different thing that the search needs")]
async fn look_back(
    repo: &dyn Repo,
    tip: &CommitId,
    key: &PipelineKey,
    environment: &EnvironmentName,
    places: &[Place],
    paths: &[RepoPath],
    release: &Release,
    limit: usize,
) -> Result<Option<OriginFacts>, PortError> {
    let history = repo.history(tip, paths, limit).await?;
    let mut origin: Option<(&CommitSeen, Option<Release>)> = None;
    let mut before: Vec<Release> = Vec::new();
    let mut contents = Contents { repo, known: BTreeMap::new() };
    let mut newer: Option<&CommitSeen> = None;
    for commit in &history.commits {
        if let Some(newer) = newer
            && newer.files != commit.files
        {
            let then = contents.release(places, &commit.files).await?;
            let same = then.as_ref().is_some_and(|then| then.same(release));
            if origin.is_none() && !same {
                origin = Some((newer, then.clone()));
            }
            if let Some(then) = then
                && before.last().is_none_or(|last| !last.same(&then))
            {
                before.push(then);
            }
        }
        newer = Some(commit);
    }
    before.reverse();
    let found = origin.or_else(|| at_the_root(&history).map(|commit| (commit, None)));
    Ok(found.map(|(commit, replaced)| facts(key, environment, commit, replaced, before)))
}

fn at_the_root(history: &History) -> Option<&CommitSeen> {
    if history.complete { history.commits.last() } else { None }
}

fn facts(
    key: &PipelineKey,
    environment: &EnvironmentName,
    commit: &CommitSeen,
    replaced: Option<Release>,
    before: Vec<Release>,
) -> OriginFacts {
    let says = |trailer, wanted: &str| trailers_of(&commit.message, trailer).any(|value| value == wanted);
    let by_gradus = says(Trailer::Pipeline, &key.to_string()) && says(Trailer::Environment, environment.as_str());
    let people = |trailer| trailers_of(&commit.message, trailer).filter_map(|name| Person::parse(name).ok());
    let mut brought_by: BTreeSet<Person> = people(Trailer::BroughtBy).chain(people(Trailer::AskedBy)).collect();
    let author = [&commit.author, &commit.email].into_iter().filter_map(|name| Person::parse(name.trim()).ok());
    if !by_gradus {
        brought_by.extend(author.clone());
    }
    let title = commit.message.lines().next().unwrap_or_default();
    let origin = Origin {
        commit: commit.id.clone(),
        title: Arc::from(title),
        author: author.clone().next().unwrap_or_else(Person::unknown),
        at: commit.at,
        by_gradus,
        brought_by: brought_by.into_iter().collect(),
        replaced,
    };
    OriginFacts {
        origin,
        promotion: trailers_of(&commit.message, Trailer::Promotion).next().map(str::to_owned),
        approved_by: people(Trailer::ApprovedBy).collect(),
        before,
    }
}

/// Contents of files at earlier commits, each read once.
struct Contents<'a> {
    repo: &'a dyn Repo,
    known: BTreeMap<BlobId, Arc<[u8]>>,
}

impl Contents<'_> {
    /// What the places named then; `None` where they named nothing, or nothing readable.
    async fn release(
        &mut self,
        places: &[Place],
        files: &BTreeMap<RepoPath, BlobId>,
    ) -> Result<Option<Release>, PortError> {
        let missing: Vec<BlobId> =
            files.values().filter(|blob| !self.known.contains_key(*blob)).cloned().collect();
        if !missing.is_empty() {
            self.known.extend(self.repo.contents(&missing).await?);
        }
        let then: Files = files
            .iter()
            .filter_map(|(path, blob)| {
                let bytes = self.known.get(blob)?.clone();
                Some((path.clone(), FileSeen { blob: blob.clone(), bytes }))
            })
            .collect();
        Ok(release_at(places, &then).ok().flatten())
    }
}

/// The sequence of one artifact's versions, oldest first, from releases in that order.
pub(crate) fn sequence<'a>(
    releases: impl Iterator<Item = &'a Release>,
    artifact: &gradus_core::names::ArtifactName,
) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::new();
    for version in releases.filter_map(|release| release.get(artifact)) {
        if versions.last() != Some(version) {
            versions.push(version.clone());
        }
    }
    versions
}
