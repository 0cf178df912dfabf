//! Looking at the repository: one request for the tips, one walk for all files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use gradus_core::gate::Gate;
use gradus_core::names::{BranchName, CommitId, EnvironmentName, RepoPath};
use gradus_core::observation::{Declared, ProposalSeen, Seen, Why};
use gradus_core::pipeline::{Environment, Pipeline, Repository, TargetKind};

use super::{Memory, proposal_branch, proposals};
use crate::places::{self, OriginFacts, Place, Search};
use crate::port::repo::FileSeen;
use crate::port::{PortError, Ports, Repo};

/// What was seen of the repository.
pub(crate) struct GitSight {
    pub(crate) base: Seen<(BranchName, CommitId)>,
    pub(crate) places: places::Places,
    pub(crate) files: BTreeMap<RepoPath, FileSeen>,
    pub(crate) declared: BTreeMap<EnvironmentName, Seen<Declared>>,
    pub(crate) origins: BTreeMap<EnvironmentName, Arc<OriginFacts>>,
    pub(crate) proposals: BTreeMap<EnvironmentName, Seen<Option<ProposalSeen>>>,
}

/// The default branches of repositories, asked for once.
#[derive(Default)]
pub(crate) struct DefaultBranches(Mutex<HashMap<Arc<str>, BranchName>>);

impl DefaultBranches {
    /// The branch that is deployed: the one that the manifest names, or the repository's own.
    pub(crate) async fn base(&self, repository: &Repository, repo: &dyn Repo) -> Result<BranchName, PortError> {
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
}

pub(crate) async fn look(ports: &Ports, memory: &Memory, pipeline: &Pipeline) -> GitSight {
    let repo = match ports.repos.open(&pipeline.repository) {
        Ok(repo) => repo,
        Err(error) => return blind(pipeline, &Why::new(error.in_full())),
    };
    match look_at(ports, memory, pipeline, &*repo).await {
        Ok(sight) => sight,
        Err(why) => blind(pipeline, &why),
    }
}

async fn look_at(ports: &Ports, memory: &Memory, pipeline: &Pipeline, repo: &dyn Repo) -> Result<GitSight, Why> {
    let in_words = |error: PortError| Why::new(error.in_full());
    let base = memory.branches.base(&pipeline.repository, repo).await.map_err(in_words)?;
    let branches: BTreeMap<&EnvironmentName, BranchName> = pipeline
        .environments()
        .iter()
        .filter_map(|environment| Some((&environment.name, proposal_branch(pipeline, &environment.name)?)))
        .collect();
    let asked: Vec<BranchName> = std::iter::once(&base).chain(branches.values()).cloned().collect();
    let tips = repo.tips(&asked).await.map_err(in_words)?;
    let Some(tip) = tips.get(&base).cloned() else {
        return Err(Why::new(format!("{} has no branch {base}", pipeline.repository.url)));
    };
    let index = if pipeline.environments().iter().any(places::needs_markers) {
        Some(memory.indexes.at(&pipeline.repository, repo, &tip).await)
    } else {
        None
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
    };
    for environment in pipeline.environments() {
        let name = &environment.name;
        let (declared, facts) = declared(memory, pipeline, environment, repo, &tip, &sight).await;
        sight.declared.insert(name.clone(), declared);
        if let Some(facts) = facts {
            sight.origins.insert(name.clone(), facts);
        }
        let proposal = match branches.get(name).and_then(|branch| Some((branch, tips.get(branch)?))) {
            None => Seen::Known(None),
            Some((branch, head)) => {
                let place = proposals::place(pipeline, name, &base, branch);
                proposals::look(ports, repo, &place, head, &sight).await
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
    repo: &dyn Repo,
    tip: &CommitId,
    sight: &GitSight,
) -> (Seen<Declared>, Option<Arc<OriginFacts>>) {
    let places: &[Place] = match sight.places.get(&environment.name) {
        Some(Ok(places)) => places,
        Some(Err(why)) => return (Seen::Unknown(why.clone()), None),
        None => return (Seen::unknown("Git was not read"), None),
    };
    let release = match places::release_at(places, &sight.files) {
        Ok(release) => release,
        Err(why) => return (Seen::Unknown(why), None),
    };
    let Some(release) = release else {
        let origin = Seen::unknown("no file names its version");
        return (Seen::Known(Declared { release: None, origin }), None);
    };
    let (cache, key, name) = (&memory.origins, &pipeline.key, &environment.name);
    let search = search(pipeline, environment);
    let origin =
        places::origin(cache, repo, tip, key, name, places, &sight.files, &release, search).await;
    match origin {
        Seen::Known(facts) => {
            let origin = Seen::Known(facts.origin.clone());
            (Seen::Known(Declared { release: Some(release), origin }), Some(facts))
        }
        Seen::Unknown(why) => (Seen::Known(Declared { release: Some(release), origin: Seen::Unknown(why) }), None),
    }
}

/// Whether a rule rests on who brought the release, or since when it is there.
fn search(pipeline: &Pipeline, environment: &Environment) -> Search {
    let by_git = environment.targets.iter().any(|target| target.kind == TargetKind::Git);
    let asks_author = |gate: &Gate| matches!(gate, Gate::Approval(approval) if approval.not_author);
    let author = environment.verify.iter().any(asks_author)
        || pipeline.successors(&environment.name).any(|after| after.gates.iter().any(asks_author));
    if by_git || author { Search::Deep } else { Search::Shallow }
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
    }
}
