//! Looking at the repository: one request for the tips, one walk for all files of a branch.

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

/// A branch that declares environments, as it was seen.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Which branch.
    pub branch: BranchName,
    /// Where it was.
    pub tip: CommitId,
    /// The files that the environments' versions are in.
    pub files: BTreeMap<RepoPath, FileSeen>,
}

/// The branch of each environment, or why it could not be looked at.
pub(crate) type Grounds = BTreeMap<EnvironmentName, Result<Arc<Ground>, Why>>;

/// What was seen of the repository.
pub(crate) struct GitSight {
    pub(crate) base: Seen<(BranchName, CommitId)>,
    pub(crate) grounds: Grounds,
    pub(crate) places: places::Places,
    pub(crate) declared: BTreeMap<EnvironmentName, Seen<Declared>>,
    pub(crate) origins: BTreeMap<EnvironmentName, Arc<OriginFacts>>,
    pub(crate) proposals: BTreeMap<EnvironmentName, Seen<Option<ProposalSeen>>>,
    /// Where the branches were: those that are deployed, and those of proposals.
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
    let deployed: BTreeSet<&BranchName> =
        pipeline.environments().iter().map(|here| here.branch.as_ref().unwrap_or(&base)).collect();
    let its = std::iter::once(&base).chain(deployed.iter().copied()).chain(branches.values());
    let tips: BTreeMap<BranchName, CommitId> =
        its.filter_map(|branch| all.get_key_value(branch)).map(|(b, tip)| (b.clone(), tip.clone())).collect();
    let gone = |branch: &BranchName| Why::new(format!("{} has no branch {branch}", pipeline.repository.url));
    let its_base = tips.get(&base).cloned();
    if its_base.is_none() {
        memory.branches.forget(&pipeline.repository);
    }
    let mut sight = GitSight {
        base: match its_base {
            Some(tip) => Seen::Known((base.clone(), tip)),
            None => Seen::Unknown(gone(&base)),
        },
        grounds: BTreeMap::new(),
        places: BTreeMap::new(),
        declared: BTreeMap::new(),
        origins: BTreeMap::new(),
        proposals: BTreeMap::new(),
        tips,
        asked,
    };
    for branch in deployed {
        let here =
            pipeline.environments().iter().filter(|here| here.branch.as_ref().unwrap_or(&base) == branch);
        let here: Vec<&Environment> = here.collect();
        let Some(tip) = sight.tips.get(branch).cloned() else {
            blind_to(&here, &gone(branch), &mut sight);
            continue;
        };
        match read(memory, pipeline, repo, &here, (branch, tip), missed).await {
            Ok((ground, places)) => {
                let ground = Arc::new(ground);
                sight.grounds.extend(here.iter().map(|here| (here.name.clone(), Ok(ground.clone()))));
                sight.places.extend(places);
            }
            Err(error) => {
                let why = missed.why(error);
                blind_to(&here, &why, &mut sight);
                continue;
            }
        }
        look_back(memory, pipeline, repo, &here, &mut sight, missed).await;
    }
    for environment in pipeline.environments() {
        let name = &environment.name;
        let proposal = match branches.get(name).and_then(|branch| Some((branch, sight.tips.get(branch)?))) {
            None => Seen::Known(None),
            Some((branch, head)) => {
                let base = environment.branch.as_ref().unwrap_or(&base);
                let place = proposals::place(pipeline, name, base, branch);
                let looking =
                    proposals::look(ports, memory, repo, &place, (head, environment.takes), &sight, missed);
                looking.instrument(spans::proposal(name)).await
            }
        };
        sight.proposals.insert(name.clone(), proposal);
    }
    Ok(sight)
}

/// Reads what the environments on one branch need of it.
async fn read(
    memory: &Memory,
    pipeline: &Pipeline,
    repo: &dyn Repo,
    here: &[&Environment],
    (branch, tip): (&BranchName, CommitId),
    missed: &Missed,
) -> Result<(Ground, places::Places), PortError> {
    let markers = places::markers(pipeline, here);
    let index = if markers.is_empty() {
        None
    } else {
        // What was found on one branch is kept apart from what was found on another.
        let apart = here.iter().find_map(|here| here.branch.clone());
        let branch = apart.or_else(|| pipeline.repository.branch.clone());
        let repository = Repository { branch, ..pipeline.repository.clone() };
        Some(memory.indexes.at(&repository, repo, &tip, &markers, missed).await)
    };
    let places: places::Places =
        here.iter().map(|here| (here.name.clone(), places::of(pipeline, here, index.as_ref()))).collect();
    let paths: BTreeSet<RepoPath> =
        places.values().flatten().flatten().map(|place| place.file.clone()).collect();
    let paths: Vec<RepoPath> = paths.into_iter().collect();
    let files = repo.read(&tip, &paths).await?;
    Ok((Ground { branch: branch.clone(), tip, files }, places))
}

/// Finds out what the environments on one branch declare, and who brought it.
async fn look_back(
    memory: &Memory,
    pipeline: &Pipeline,
    repo: &dyn Repo,
    here: &[&Environment],
    sight: &mut GitSight,
    missed: &Missed,
) {
    let Some(Ok(ground)) = here.first().and_then(|here| sight.grounds.get(&here.name)).cloned() else {
        return;
    };
    let named = here.iter().filter_map(|here| sight.places.get(&here.name)?.as_ref().ok()).flatten();
    let paths: BTreeSet<RepoPath> = named.map(|place| place.file.clone()).collect();
    let mut back = LookBack::new(repo, &ground.tip, paths.into_iter().collect(), &ground.files);
    for environment in here {
        let name = &environment.name;
        let (declared, facts) =
            declared(memory, pipeline, environment, &mut back, &ground, sight, missed).await;
        sight.declared.insert(name.clone(), declared);
        if let Some(facts) = facts {
            sight.origins.insert(name.clone(), facts);
        }
    }
}

async fn declared(
    memory: &Memory,
    pipeline: &Pipeline,
    environment: &Environment,
    back: &mut LookBack<'_>,
    ground: &Ground,
    sight: &GitSight,
    missed: &Missed,
) -> (Seen<Declared>, Option<Arc<OriginFacts>>) {
    let places: &[Place] = match sight.places.get(&environment.name) {
        Some(Ok(places)) => places,
        Some(Err(why)) => return (Seen::Unknown(why.clone()), None),
        None => return (Seen::unknown("Git was not read"), None),
    };
    let release = match memory.declared.release_at(&pipeline.key, &environment.name, places, &ground.files) {
        Ok(release) => release,
        Err(why) => return (Seen::Unknown(why), None),
    };
    let Some(release) = release else {
        let origin = Seen::unknown("no file names its version");
        return (Seen::Known(Declared { release: None, origin }), None);
    };
    let (key, environment) = (&pipeline.key, &environment.name);
    let is_merged = pipeline.is_merged(environment);
    let sought = Sought { key, environment, places, release: &release, is_merged };
    let (origin, facts) = match places::origin(&memory.origins, back, &sought).await {
        Ok(Seen::Known(facts)) => (Seen::Known(facts.origin.clone()), Some(facts)),
        Ok(Seen::Unknown(why)) => (Seen::Unknown(why), None),
        Err(error) => (Seen::Unknown(missed.why(error)), None),
    };
    (Seen::Known(Declared { release: Some(release), origin }), facts)
}

/// Nothing could be read.
fn blind(pipeline: &Pipeline, why: &Why) -> GitSight {
    let mut sight = GitSight {
        base: Seen::Unknown(why.clone()),
        grounds: BTreeMap::new(),
        places: BTreeMap::new(),
        declared: BTreeMap::new(),
        origins: BTreeMap::new(),
        proposals: BTreeMap::new(),
        tips: BTreeMap::new(),
        asked: Moment::now(),
    };
    let all: Vec<&Environment> = pipeline.environments().iter().collect();
    blind_to(&all, why, &mut sight);
    sight
}

/// Nothing could be read of these environments.
fn blind_to(environments: &[&Environment], why: &Why, sight: &mut GitSight) {
    for environment in environments {
        let name = &environment.name;
        sight.grounds.insert(name.clone(), Err(why.clone()));
        sight.places.insert(name.clone(), Err(why.clone()));
        sight.declared.insert(name.clone(), Seen::Unknown(why.clone()));
        sight.proposals.insert(name.clone(), Seen::Unknown(why.clone()));
    }
}
