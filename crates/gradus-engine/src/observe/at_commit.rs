//! What a commit means: some objects do not tell which version runs, but which
//! commit of the repository was applied. Then what Git declared there runs.

use std::collections::BTreeSet;

use gradus_core::names::{CommitId, RepoPath};
use gradus_core::observation::{Seen, TargetState, Why};
use gradus_core::pipeline::{Environment, Pipeline};
use gradus_core::release::Release;

use super::git::{GitSight, Ground};
use crate::places::{self, Place};
use crate::port::{Ports, Repo};

/// The state, with the release that was declared where it tells a commit.
pub(crate) async fn in_releases(
    ports: &Ports,
    pipeline: &Pipeline,
    environment: &Environment,
    git: &GitSight,
    state: TargetState,
) -> Seen<TargetState> {
    if !releases(&state).any(|release| commit_of(release).is_some()) {
        return Seen::Known(state);
    }
    let name = &environment.name;
    let declared = match git.declared.get(name) {
        Some(Seen::Known(declared)) => declared.release.as_ref(),
        Some(Seen::Unknown(why)) => return Seen::Unknown(why.clone()),
        None => return Seen::unknown("Git was not read"),
    };
    // Where commits are what is promoted, a commit is a version like others.
    if declared.is_none_or(|declared| commit_of(declared).is_some()) {
        return Seen::Known(state);
    }
    let places = match git.places.get(name) {
        Some(Ok(places)) => places.as_slice(),
        Some(Err(why)) => return Seen::Unknown(why.clone()),
        None => return Seen::unknown("Git was not read"),
    };
    let ground = match git.grounds.get(name) {
        Some(Ok(ground)) => ground,
        Some(Err(why)) => return Seen::Unknown(why.clone()),
        None => return Seen::unknown("Git was not read"),
    };
    let at = At { ports, pipeline, ground, places };
    match at.map(state).await {
        Ok(state) => Seen::Known(state),
        Err(why) => Seen::Unknown(why),
    }
}

fn releases(state: &TargetState) -> impl Iterator<Item = &Release> {
    state.about().into_iter().chain(state.running())
}

/// The one commit that a release names in place of versions.
fn commit_of(release: &Release) -> Option<CommitId> {
    let mut commits = release.versions().map(|(_, version)| CommitId::parse(&version.to_string()).ok());
    let first = commits.next()??;
    commits.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

struct At<'a> {
    ports: &'a Ports,
    pipeline: &'a Pipeline,
    ground: &'a Ground,
    places: &'a [Place],
}

impl At<'_> {
    async fn map(&self, state: TargetState) -> Result<TargetState, Why> {
        Ok(match state {
            TargetState::NotDeployed => TargetState::NotDeployed,
            TargetState::Deploying { release, since } => {
                TargetState::Deploying { release: self.some(release).await?, since }
            }
            TargetState::Healthy { release, since } => match self.some(Some(release)).await? {
                Some(release) => TargetState::Healthy { release, since },
                None => return Err(Why::new("what was applied names no version")),
            },
            TargetState::Failed { release, why, since, running } => TargetState::Failed {
                release: self.some(release).await?,
                why,
                since,
                running: self.some(running).await?,
            },
        })
    }

    /// What was declared at the commit that stands for a release.
    async fn some(&self, release: Option<Release>) -> Result<Option<Release>, Why> {
        let Some(release) = release else { return Ok(None) };
        let Some(commit) = commit_of(&release) else { return Ok(Some(release)) };
        if self.ground.tip == commit {
            return places::release_at(self.places, &self.ground.files);
        }
        let unreadable =
            |why: String| Why::new(format!("what Git declared at commit {}: {why}", commit.short()));
        let paths: BTreeSet<RepoPath> = self.places.iter().map(|place| place.file.clone()).collect();
        let repo = self.ports.repos.open(&self.pipeline.repository);
        let repo: std::sync::Arc<dyn Repo> = repo.map_err(|error| unreadable(error.in_full()))?;
        let paths: Vec<RepoPath> = paths.into_iter().collect();
        let files = repo.read(&commit, &paths).await.map_err(|error| unreadable(error.in_full()))?;
        places::release_at(self.places, &files).map_err(|why| unreadable(why.to_string()))
    }
}
