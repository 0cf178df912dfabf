//! Looking at the repository: one request for the tips, one walk for all files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::names::{BranchName, CommitId, EnvironmentName, RepoPath};
use gradus_core::observation::{Declared, ProposalSeen, Seen, Why};
use gradus_core::pipeline::{Environment, Pipeline, Repository};
use tracing::Instrument;

use super::{Memory, Missed, proposal_branch, proposals};
use crate::moment::Moment;
use crate::places::{self, LookBack, OriginFacts, Place, Sought};
use crate::port::repo::FileSeen;
use crate::port::{PortError, Ports, Repo};
use crate::spans;

/// What was seen of the repository.
pub(crate) struct GitSight {
    pub(crate) base: Seen<(BranchName, CommitId)>,
    pub(crate) places: places::Places,
    pub(crate) files: BTreeMap<RepoPath, FileSeen>,
    pub(crate) declared: BTreeMap<EnvironmentName, Seen<Declared>>,
    pub(crate) origins: BTreeMap<EnvironmentName, Arc<OriginFacts>>,
    pub(crate) proposals: BTreeMap<EnvironmentName, Seen<Option<ProposalSeen>>>,
    /// Where the branches were: the one that is deployed, and those of proposals.
    pub(crate) tips: BTreeMap<BranchName, CommitId>,
    /// When that was asked for.
    pub(crate) asked: Moment,
}

/// The default branches of repositories, asked for once.
#[derive(Default)]
pub(crate) struct DefaultBranches(Mutex<HashMap<Arc<str>, BranchName>>);

impl DefaultBranches {
    /// The branch that is deployed: the one that the manifest names, or the repository's own.
    pub(crate) async fn base(
        &self,
        repository: &Repository,
        repo: &dyn Repo,
    ) -> Result<BranchName, PortError> {
        if let Some(branch) = &repository.branch {
            return Ok(branch.clone());
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&repository.url).cloned();
        if let Some(branch) = known {
            return Ok(branch);
        }
        let branch = repo.default_branch().await?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(repository.url.clone(), branch.clone());
        Ok(branch)
    }

    /// The branch is not there: the default may be another by now.
    fn forget(&self, repository: &Repository) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&repository.url);
    }
}

pub(crate) async fn look(
    ports: &Ports,
    memory: &Memory,
    pipeline: &Pipeline,
    since: Moment,
    missed: &Missed,
) -> GitSight {
    let looked = match ports.repos.open(&pipeline.repository) {
        Ok(repo) => look_at(ports, memory, pipeline, &*repo, since, missed).await,
        Err(error) => Err(missed.why(error)),
    };
    looked.unwrap_or_else(|why| blind(pipeline, &why))
}

async fn look_at(
    ports: &Ports,
    memory: &Memory,
    pipeline: &Pipeline,
    repo: &dyn Repo,
    since: Moment,
    missed: &Missed,
) -> Result<GitSight, Why> {
    let in_words = |error: PortError| missed.why(error);
    let base = memory.branches.base(&pipeline.repository, repo).await.map_err(in_words)?;
    let branches: BTreeMap<&EnvironmentName, BranchName> = pipeline
        .environments()
        .iter()
        .filter_map(|environment| Some((&environment.name, proposal_branch(pipeline, &environment.name)?)))
        .collect();
    let named: Vec<BranchName> = super::tips::named(pipeline).cloned().collect();
    let all = memory.tips.with_others(since, &pipeline.repository, &base, &named, repo);
    let (asked, all) = all.await.map_err(in_words)?;
    let its = std::iter::once(&base).chain(branches.values());
    let tips: BTreeMap<BranchName, CommitId> =
        its.filter_map(|branch| all.get_key_value(branch)).map(|(b, tip)| (b.clone(), tip.clone())).collect();
    let Some(tip) = tips.get(&base).cloned() else {
        memory.branches.forget(&pipeline.repository);
        return Err(Why::new(format!("{} has no branch {base}", pipeline.repository.url)));
    };
    let markers = places::markers(pipeline);
    let index = if markers.is_empty() {
        None
    } else {
        Some(memory.indexes.at(&pipeline.repository, repo, &tip, &markers, missed).await)
    };
    let places: places::Places = pipeline
        .environments()
        .iter()
        .map(|environment| (environment.name.clone(), places::of(pipeline, environment, index.as_ref())))
        .collect();
    let paths: BTreeSet<RepoPath> =
        places.values().flatten().flatten().map(|place| place.file.clone()).collect();
    let paths: Vec<RepoPath> = paths.into_iter().collect();
    let files = repo.read(&tip, &paths).await.map_err(in_words)?;
    let mut sight = GitSight {
        base: Seen::Known((base.clone(), tip.clone())),
        places,
        files,
        declared: BTreeMap::new(),
        origins: BTreeMap::new(),
        proposals: BTreeMap::new(),
        tips,
        asked,
    };
    let mut back = LookBack::new(repo, &tip, paths, &sight.files);
    for environment in pipeline.environments() {
        let name = &environment.name;
        let (declared, facts) = declared(memory, pipeline, environment, &mut back, &sight, missed).await;
        sight.declared.insert(name.clone(), declared);
        if let Some(facts) = facts {
            sight.origins.insert(name.clone(), facts);
        }
        let proposal = match branches.get(name).and_then(|branch| Some((branch, sight.tips.get(branch)?))) {
            None => Seen::Known(None),
            Some((branch, head)) => {
                let place = proposals::place(pipeline, name, &base, branch);
                let looking = proposals::look(ports, memory, repo, &place, head, &sight, missed);
                looking.instrument(spans::proposal(name)).await
            }
        };
        sight.proposals.insert(name.clone(), proposal);
    }
    Ok(sight)
}

async fn declared(
    memory: &Memory,
    pipeline: &Pipeline,
    environment: &Environment,
    back: &mut LookBack<'_>,
    sight: &GitSight,
    missed: &Missed,
) -> (Seen<Declared>, Option<Arc<OriginFacts>>) {
    let places: &[Place] = match sight.places.get(&environment.name) {
        Some(Ok(places)) => places,
        Some(Err(why)) => return (Seen::Unknown(why.clone()), None),
        None => return (Seen::unknown("Git was not read"), None),
    };
    let release = match memory.declared.release_at(&pipeline.key, &environment.name, places, &sight.files) {
        Ok(release) => release,
        Err(why) => return (Seen::Unknown(why), None),
    };
    let Some(release) = release else {
        let origin = Seen::unknown("no file names its version");
        return (Seen::Known(Declared { release: None, origin }), None);
    };
    let sought = Sought { key: &pipeline.key, environment: &environment.name, places, release: &release };
    let (origin, facts) = match places::origin(&memory.origins, back, &sought).await {
        Ok(Seen::Known(facts)) => (Seen::Known(facts.origin.clone()), Some(facts)),
        Ok(Seen::Unknown(why)) => (Seen::Unknown(why), None),
        Err(error) => (Seen::Unknown(missed.why(error)), None),
    };
    (Seen::Known(Declared { release: Some(release), origin }), facts)
}

/// Nothing could be read.
fn blind(pipeline: &Pipeline, why: &Why) -> GitSight {
    let names = || pipeline.environments().iter().map(|environment| environment.name.clone());
    GitSight {
        base: Seen::Unknown(why.clone()),
        places: names().map(|name| (name, Err(why.clone()))).collect(),
        files: BTreeMap::new(),
        declared: names().map(|name| (name, Seen::Unknown(why.clone()))).collect(),
        origins: BTreeMap::new(),
        proposals: names().map(|name| (name, Seen::Unknown(why.clone()))).collect(),
        tips: BTreeMap::new(),
        asked: Moment::now(),
    }
}
