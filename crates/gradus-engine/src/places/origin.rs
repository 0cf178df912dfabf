//! The commit that brought a release into an environment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::{BlobId, CommitId, EnvironmentName, Person, PipelineKey, RepoPath};
use gradus_core::observation::{Brought, Origin, Seen};
use gradus_core::release::Release;
use gradus_core::tell::{Trailer, trailers_of};
use gradus_core::version::Version;
use jiff::Timestamp;

use super::declared::{Files, release_at};
use super::each::Each;
use super::shared::Shared;
use super::{Mark, Place};
use crate::port::repo::{CommitSeen, FileSeen, History};
use crate::port::{PortError, Repo};

/// How far back is looked at first.
const FIRST: usize = 64;
/// How many of the commits that came since are kept.
const SINCE: usize = 256;
/// How far back is looked at the most.
const MOST: usize = 32_768;
/// Of how many of the newest releases it is kept who brought them.
const TOLD: usize = 200;

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
    /// Who brought each release that was declared, newest first, as far as was looked.
    pub(crate) brought: Arc<[Brought]>,
}

/// Origins that were found. One holds for the commit at which it was found; from
/// there on only what has been added since is looked at. That the files have the
/// same content again is not enough: they may have been changed and changed back.
#[derive(Default)]
pub(crate) struct OriginCache {
    found: Mutex<Each<Kept>>,
    people: Shared<Person>,
    /// Of those who brought a release together.
    groups: Shared<Arc<BTreeSet<Person>>>,
    releases: Shared<Release>,
}

#[derive(Clone)]
struct Kept {
    tip: CommitId,
    places: Mark,
    /// Unknown where the release is older than what was looked at. It stays so until another
    /// one comes: what was looked at once is not looked at again.
    facts: Seen<Arc<OriginFacts>>,
}

impl OriginCache {
    fn get(&self, sought: &Sought<'_>, places: Mark) -> Option<Kept> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(sought.key, sought.environment).filter(|kept| kept.places == places).cloned()
    }

    fn put(&self, sought: &Sought<'_>, kept: Kept) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.put(sought.key, sought.environment, kept);
    }

    /// The same facts, with people and releases that other environments have too.
    fn shared(&self, facts: Arc<OriginFacts>) -> Arc<OriginFacts> {
        // Those that are kept already are shared.
        let mut facts = match Arc::try_unwrap(facts) {
            Ok(made) => made,
            Err(kept) => return kept,
        };
        let people = |people: &mut Vec<Person>| {
            people.iter_mut().for_each(|person| *person = self.people.one(person));
            people.shrink_to_fit();
        };
        facts.origin.author = self.people.one(&facts.origin.author);
        people(&mut facts.origin.brought_by);
        people(&mut facts.approved_by);
        let releases = facts.before.iter_mut().chain(&mut facts.origin.replaced);
        releases.for_each(|release| *release = self.releases.one(release));
        facts.before.shrink_to_fit();
        let shared = facts.brought.iter().map(|brought| Brought {
            release: self.releases.one(&brought.release),
            by: self.groups.one(&brought.by),
            commit: brought.commit.clone(),
        });
        facts.brought = shared.collect();
        Arc::new(facts)
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).retain(keep);
    }
}

/// Looks back from one commit, for all environments of a pipeline together.
pub(crate) struct LookBack<'a> {
    repo: &'a dyn Repo,
    tip: &'a CommitId,
    paths: Vec<RepoPath>,
    history: Option<(usize, History)>,
    known: BTreeMap<BlobId, Arc<[u8]>>,
}

impl<'a> LookBack<'a> {
    /// Looks back from `tip`, where these files are.
    pub(crate) fn new(repo: &'a dyn Repo, tip: &'a CommitId, paths: Vec<RepoPath>, files: &Files) -> Self {
        let known = files.values().map(|file| (file.blob.clone(), file.bytes.clone())).collect();
        Self { repo, tip, paths, history: None, known }
    }

    /// So many commits, or as many as there are up to one for which it is known how things were.
    async fn at_least(&mut self, limit: usize, known: Option<&CommitId>) -> Result<(), PortError> {
        let met =
            |history: &History| known.is_some_and(|id| history.commits.iter().any(|seen| seen.id == *id));
        let enough =
            |(fetched, history): &(usize, History)| *fetched >= limit || history.complete || met(history);
        if self.history.as_ref().is_some_and(enough) {
            return Ok(());
        }
        let history = match known {
            Some(known) => self.repo.history_since(self.tip, &self.paths, limit, known).await?,
            None => self.repo.history(self.tip, &self.paths, limit).await?,
        };
        let fetched = if met(&history) { history.commits.len() } else { limit };
        self.history = Some((fetched, history));
        Ok(())
    }

    /// The head of gradus's own proposal that a person merged with this commit, if that
    /// is how the release came.
    async fn merged(
        &mut self,
        sought: &Sought<'_>,
        commit: &CommitSeen,
        release: &Release,
    ) -> Result<Option<CommitSeen>, PortError> {
        if is_by_gradus(sought, commit) {
            return Ok(None);
        }
        for parent in self.repo.parents(&commit.id).await?.iter().skip(1) {
            let Some(head) = self.repo.history(parent, &self.paths, 1).await?.commits.into_iter().next()
            else {
                continue;
            };
            if is_by_gradus(sought, &head)
                && self
                    .release(sought.places, &head.files)
                    .await?
                    .is_some_and(|proposed| proposed.same(release))
            {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// What the places named in these files; `None` where they named nothing, or nothing readable.
    async fn release(
        &mut self,
        places: &[Place],
        files: &BTreeMap<RepoPath, BlobId>,
    ) -> Result<Option<Release>, PortError> {
        let wanted = || files.iter().filter(|(path, _)| places.iter().any(|place| place.file == **path));
        let missing: Vec<BlobId> =
            wanted().map(|(_, blob)| blob).filter(|blob| !self.known.contains_key(*blob)).cloned().collect();
        if !missing.is_empty() {
            let contents = self.repo.contents(&missing).await?;
            self.known.extend(contents);
        }
        let then: Files = wanted()
            .filter_map(|(path, blob)| {
                let bytes = self.known.get(blob)?.clone();
                Some((path.clone(), FileSeen { blob: blob.clone(), bytes }))
            })
            .collect();
        Ok(release_at(places, &then).ok().flatten())
    }
}

/// Whose origin is looked for.
pub(crate) struct Sought<'a> {
    pub(crate) key: &'a PipelineKey,
    pub(crate) environment: &'a EnvironmentName,
    pub(crate) places: &'a [Place],
    /// What the places name now.
    pub(crate) release: &'a Release,
    /// Whether its branch may be merged, so that commits have to be known.
    pub(crate) is_merged: bool,
}

/// Finds the commit that brought the release which the places name.
pub(crate) async fn origin(
    cache: &OriginCache,
    back: &mut LookBack<'_>,
    sought: &Sought<'_>,
) -> Result<Seen<Arc<OriginFacts>>, PortError> {
    let places = Mark::of(&(sought.places, sought.is_merged));
    let kept = cache.get(sought, places);
    if let Some(kept) = kept.as_ref().filter(|kept| kept.tip == *back.tip) {
        return Ok(kept.facts.clone());
    }
    let mut limit = FIRST;
    let facts = loop {
        // A failure is not remembered: the next look tries again.
        back.at_least(limit, kept.as_ref().map(|kept| &kept.tip)).await?;
        match walk(back, sought, kept.as_ref()).await? {
            Some(Seen::Known(facts)) => break Seen::Known(cache.shared(facts)),
            Some(unknown @ Seen::Unknown(_)) => break unknown,
            None if limit < MOST => limit *= 8,
            None => {
                let release = sought.release;
                break Seen::unknown(format!(
                    "the commit that brought {release} is older than the last {limit} commits"
                ));
            }
        }
    };
    let kept = Kept { tip: back.tip.clone(), places, facts: facts.clone() };
    cache.put(sought, kept);
    Ok(facts)
}

/// Walks back through what was fetched, to the commit that brought the release or
/// to the one for which it is known already.
async fn walk(
    back: &mut LookBack<'_>,
    sought: &Sought<'_>,
    kept: Option<&Kept>,
) -> Result<Option<Seen<Arc<OriginFacts>>>, PortError> {
    let Some((fetched, history)) = back.history.take() else { return Ok(None) };
    let outcome = walk_through(back, &history, sought, kept).await;
    back.history = Some((fetched, history));
    outcome
}

async fn walk_through(
    back: &mut LookBack<'_>,
    history: &History,
    sought: &Sought<'_>,
    kept: Option<&Kept>,
) -> Result<Option<Seen<Arc<OriginFacts>>>, PortError> {
    let mut origin: Option<(&CommitSeen, Option<Release>)> = None;
    // Newest first, as they are met.
    let mut met: Vec<Release> = Vec::new();
    let mut brought: Vec<Brought> = Vec::new();
    let mut newer: Option<(&CommitSeen, Option<Release>)> = None;
    // The commits that came since, newest first.
    let mut since: Vec<(CommitId, Timestamp)> = Vec::new();
    for commit in &history.commits {
        let mut release = Some(sought.release.clone());
        if let Some((newer, declared)) = newer.take() {
            release.clone_from(&declared);
            if sought.places.iter().any(|place| newer.files.get(&place.file) != commit.files.get(&place.file))
            {
                let then = back.release(sought.places, &commit.files).await?;
                let same = then.as_ref().is_some_and(|then| then.same(sought.release));
                if origin.is_none() && !same {
                    since.pop();
                    origin = Some((newer, then.clone()));
                }
                if then != declared {
                    if let Some(release) = declared {
                        let merged = back.merged(sought, newer, &release).await?;
                        let by = people(sought, newer, merged.as_ref()).into();
                        brought.push(Brought { release, by, commit: of_merged(sought, newer) });
                    }
                    met.extend(then.clone());
                }
                release = then;
            }
        }
        if let Some(Kept { facts, .. }) = kept.filter(|kept| kept.tip == commit.id) {
            let Some((commit, replaced)) = origin else { return Ok(Some(with_since(sought, facts, since))) };
            let known = facts.known();
            let before = known.iter().flat_map(|facts| facts.before.iter().cloned());
            let before = before.chain(met.into_iter().rev()).collect();
            brought.extend(known.iter().flat_map(|facts| facts.brought.iter().cloned()));
            let merged = back.merged(sought, commit, sought.release).await?;
            let facts = facts_of(sought, commit, merged, replaced, before, brought, since);
            return Ok(Some(Seen::Known(Arc::new(facts))));
        }
        if sought.is_merged && origin.is_none() {
            since.push((commit.id.clone(), commit.at));
        }
        newer = Some((commit, release));
    }
    if let (true, Some((root, Some(release)))) = (history.complete, newer) {
        let by = people(sought, root, None).into();
        brought.push(Brought { release, by, commit: of_merged(sought, root) });
    }
    met.reverse();
    if origin.is_none() {
        since.pop();
    }
    let Some((commit, replaced)) = origin.or_else(|| at_the_root(history).map(|commit| (commit, None)))
    else {
        return Ok(None);
    };
    let merged = back.merged(sought, commit, sought.release).await?;
    Ok(Some(Seen::Known(Arc::new(facts_of(sought, commit, merged, replaced, met, brought, since)))))
}

fn of_merged(sought: &Sought<'_>, commit: &CommitSeen) -> Option<CommitId> {
    sought.is_merged.then(|| commit.id.clone())
}

/// The same facts, with the commits that came since.
fn with_since(
    sought: &Sought<'_>,
    facts: &Seen<Arc<OriginFacts>>,
    mut since: Vec<(CommitId, Timestamp)>,
) -> Seen<Arc<OriginFacts>> {
    let Seen::Known(known) = facts else { return facts.clone() };
    if !sought.is_merged || since.is_empty() {
        return facts.clone();
    }
    since.extend(known.origin.since.iter().cloned());
    since.truncate(SINCE);
    let mut more = (**known).clone();
    more.origin.since = since.into();
    Seen::Known(Arc::new(more))
}

fn at_the_root(history: &History) -> Option<&CommitSeen> {
    if history.complete { history.commits.last() } else { None }
}

fn facts_of(
    sought: &Sought<'_>,
    commit: &CommitSeen,
    merged: Option<CommitSeen>,
    replaced: Option<Release>,
    before: Vec<Release>,
    mut brought: Vec<Brought>,
    mut since: Vec<(CommitId, Timestamp)>,
) -> OriginFacts {
    since.truncate(SINCE);
    // One that came back has those who brought it first and those who brought it again.
    let same = brought.iter().filter(|brought| brought.release.same(sought.release));
    let brought_by: BTreeSet<Person> = same.flat_map(|brought| &*brought.by).cloned().collect();
    brought.truncate(TOLD);
    // What a proposal says of itself is in its own commit, also where a person merged it.
    let says = merged.as_ref().unwrap_or(commit);
    let title = commit.message.lines().next().unwrap_or_default();
    let origin = Origin {
        commit: commit.id.clone(),
        title: Arc::from(title),
        author: authors(commit).next().unwrap_or_else(Person::unknown),
        at: commit.at,
        by_gradus: is_by_gradus(sought, says),
        brought_by: brought_by.into_iter().collect(),
        replaced,
        since: since.into(),
    };
    OriginFacts {
        origin,
        promotion: trailers_of(&says.message, Trailer::Promotion).next().map(str::to_owned),
        approved_by: named(says, Trailer::ApprovedBy).collect(),
        before,
        brought: brought.into(),
    }
}

/// Whoever brought a release on its way with this commit: those that gradus
/// names, or the author. A person who merged a proposal of gradus is among them,
/// because anybody can write what a commit says of itself.
fn people(sought: &Sought<'_>, commit: &CommitSeen, merged: Option<&CommitSeen>) -> BTreeSet<Person> {
    let says = merged.unwrap_or(commit);
    let mut people: BTreeSet<Person> =
        named(says, Trailer::BroughtBy).chain(named(says, Trailer::AskedBy)).collect();
    if !is_by_gradus(sought, commit) {
        people.extend(authors(commit));
    }
    people
}

fn is_by_gradus(sought: &Sought<'_>, commit: &CommitSeen) -> bool {
    let says = |trailer, wanted: &str| trailers_of(&commit.message, trailer).any(|value| value == wanted);
    says(Trailer::Pipeline, &sought.key.to_string())
        && says(Trailer::Environment, sought.environment.as_str())
}

fn named(commit: &CommitSeen, trailer: Trailer) -> impl Iterator<Item = Person> {
    trailers_of(&commit.message, trailer).filter_map(|name| Person::parse(name).ok())
}

/// The author, by name and by address.
fn authors(commit: &CommitSeen) -> impl Iterator<Item = Person> {
    [&commit.author, &commit.email].into_iter().filter_map(|name| Person::parse(name.trim()).ok())
}

/// The sequence of one artifact's versions, oldest first, from releases in that
/// order. One that came back counts where it was first: going back makes nothing newer.
pub(crate) fn sequence<'a>(
    releases: impl Iterator<Item = &'a Release>,
    artifact: &gradus_core::names::ArtifactName,
) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::new();
    for version in releases.filter_map(|release| release.get(artifact)) {
        if !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    versions
}
