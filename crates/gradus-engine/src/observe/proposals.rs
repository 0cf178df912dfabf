//! Looking at an open proposal: what its files say, and whether it still fits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use gradus_core::names::{BranchName, CommitId, EnvironmentName, PipelineKey, RepoPath};
use gradus_core::observation::{Fit, ProposalSeen, Seen};
use gradus_core::pipeline::{Pipeline, Takes};
use gradus_core::release::Release;
use gradus_core::tell::{Trailer, trailers_of};

use super::git::{GitSight, Ground};
use super::{Memory, Missed};
use crate::places::{self, Files, Place};
use crate::port::forge::ProposalPlace;
use crate::port::{PortError, Ports, Repo};

/// Where the proposals of an environment live.
pub(crate) fn place(
    pipeline: &Pipeline,
    environment: &EnvironmentName,
    base: &BranchName,
    branch: &BranchName,
) -> ProposalPlace {
    ProposalPlace {
        repository: pipeline.repository.clone(),
        base: base.clone(),
        branch: branch.clone(),
        pipeline: pipeline.key.clone(),
        environment: environment.clone(),
    }
}

/// Who wrote the heads of proposals, as it was found for the last one of each branch.
#[derive(Default)]
pub(crate) struct Heads(Mutex<BTreeMap<(PipelineKey, EnvironmentName), (CommitId, bool)>>);

impl Heads {
    /// Whether gradus wrote this commit, as its trailers say.
    pub(crate) async fn is_ours(
        &self,
        repo: &dyn Repo,
        place: &ProposalPlace,
        head: &CommitId,
    ) -> Result<bool, PortError> {
        let key = (place.pipeline.clone(), place.environment.clone());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, ours)) = known.filter(|(commit, _)| commit == head) {
            return Ok(ours);
        }
        let commits = repo.history(head, &[], 1).await?.commits;
        let ours = commits.first().is_some_and(|commit| {
            trailers_of(&commit.message, Trailer::Environment).any(|name| name == place.environment.as_str())
                && trailers_of(&commit.message, Trailer::Pipeline)
                    .any(|key| key == place.pipeline.to_string())
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (head.clone(), ours));
        Ok(ours)
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(key, _), _| keep(key));
    }
}

/// Looks at the proposal whose branch is at `head`, of an environment that takes this.
pub(super) async fn look(
    ports: &Ports,
    memory: &Memory,
    repo: &dyn Repo,
    place: &ProposalPlace,
    (head, takes): (&CommitId, Takes),
    sight: &GitSight,
    missed: &Missed,
) -> Seen<Option<ProposalSeen>> {
    let record = match ports.forge.find(place, head).await {
        Ok(Some(record)) => record,
        Ok(None) => return Seen::Known(None),
        Err(error) => return Seen::Unknown(missed.why(error)),
    };
    let places: &[Place] = match sight.places.get(&place.environment) {
        Some(Ok(places)) => places,
        Some(Err(why)) => return Seen::Unknown(why.clone()),
        None => return Seen::unknown("Git was not read"),
    };
    let ground = match sight.grounds.get(&place.environment) {
        Some(Ok(ground)) => ground,
        Some(Err(why)) => return Seen::Unknown(why.clone()),
        None => return Seen::unknown("Git was not read"),
    };
    match compare(memory, repo, place, head, places, ground, takes).await {
        Ok((release, fit)) => Seen::Known(Some(ProposalSeen {
            // What a person added and then closed is theirs all the same.
            fit: match (fit, record.declined, record.queued) {
                (Fit::Current | Fit::Behind, Some(at), _) => Fit::Declined(at),
                (Fit::Current, None, Some(at)) => Fit::Queued(at),
                (fit, _, _) => fit,
            },
            number: record.number,
            url: record.url,
            head: head.clone(),
            release,
            since: record.since,
        })),
        Err(error) => Seen::Unknown(missed.why(error)),
    }
}

async fn compare(
    memory: &Memory,
    repo: &dyn Repo,
    place: &ProposalPlace,
    head: &CommitId,
    places: &[Place],
    ground: &Ground,
    takes: Takes,
) -> Result<(Seen<Release>, Fit), PortError> {
    let paths: BTreeSet<RepoPath> = places.iter().map(|place| place.file.clone()).collect();
    let paths: Vec<RepoPath> = paths.into_iter().collect();
    let proposed = repo.read(head, &paths).await?;
    let release = match places::release_at(places, &proposed) {
        Ok(Some(release)) => Seen::Known(release),
        Ok(None) => Seen::unknown("no file on its branch names a version"),
        Err(why) => Seen::Unknown(why),
    };
    // Whatever the files say: on top of other people's commits nothing is ours to change or to merge.
    let fit = if !memory.heads.is_ours(repo, place, head).await? {
        Fit::Foreign
    } else if is_current(repo, head, places, ground, takes, &release, &proposed).await? {
        Fit::Current
    } else {
        Fit::Behind
    };
    Ok((release, fit))
}

/// Whether the head is what would be made of the base branch now.
async fn is_current(
    repo: &dyn Repo,
    head: &CommitId,
    places: &[Place],
    ground: &Ground,
    takes: Takes,
    release: &Seen<Release>,
    proposed: &Files,
) -> Result<bool, PortError> {
    let Seen::Known(release) = release else { return Ok(false) };
    match takes {
        Takes::Version => Ok(fits(places, ground, release, proposed)),
        // What a merge makes follows from what is merged, and only the tip is ever merged into.
        Takes::Branch => Ok(repo.parents(head).await?.contains(&ground.tip)),
    }
}

/// Whether the files on the branch are exactly what the change makes of the base branch now.
fn fits(places: &[Place], ground: &Ground, release: &Release, proposed: &Files) -> bool {
    let Ok(Some(edits)) = places::edits(places, &ground.files, None, release) else { return false };
    places.iter().all(|place| {
        let Some(there) = proposed.get(&place.file) else { return false };
        match edits.iter().find(|edit| edit.path == place.file) {
            Some(edit) => edit.after == there.bytes,
            None => ground.files.get(&place.file).is_some_and(|base| base.blob == there.blob),
        }
    })
}
