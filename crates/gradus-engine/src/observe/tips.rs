//! Where the branches of repositories are: asked once for all pipelines of one,
//! and asked again by whoever has to know what happened since.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gradus_core::names::{BranchName, CommitId, PipelineKey};
use gradus_core::pipeline::{PROPOSALS, Pipeline, Repository};

use crate::moment::Moment;
use crate::places::Mark;
use crate::port::{PortError, Repo};

/// For how long an answer is used, whoever may do with an older one. A look at a
/// branch that has moved since costs a try, no more: every write names the commit
/// that it is made on.
const FRESH: Duration = Duration::from_secs(5);

/// Where branches are.
pub(crate) type Branches = Arc<BTreeMap<BranchName, CommitId>>;

/// The branches of a pipeline's environments and proposals that have names of their own.
pub(crate) fn named(pipeline: &Pipeline) -> impl Iterator<Item = &BranchName> {
    let named =
        pipeline.environments().iter().flat_map(|here| here.branch.iter().chain(&here.pull_request().branch));
    named.filter(|branch| !branch.as_str().starts_with(PROPOSALS))
}

/// The last answer of each repository.
#[derive(Default)]
pub(crate) struct Tips(Mutex<HashMap<Asked, Answer>>);

/// Whom was asked, and for which branch besides those of proposals.
type Asked = (Arc<str>, Option<Arc<str>>, BranchName);

struct Answer {
    /// When it was asked for.
    asked: Moment,
    branches: Branches,
}

impl Tips {
    /// Where the base branch, those of proposals and these others are, asked for after this moment; and when the base
    /// branch was asked for.
    pub(crate) async fn with_others(
        &self,
        since: Moment,
        repository: &Repository,
        base: &BranchName,
        others: &[BranchName],
        repo: &dyn Repo,
    ) -> Result<(Moment, Branches), PortError> {
        let branches = self.since(since, repository, base, repo);
        if others.is_empty() {
            return branches.await;
        }
        let ((asked, branches), tips) = futures::try_join!(branches, repo.tips(others))?;
        let mut all = (*branches).clone();
        all.extend(tips);
        Ok((asked, Arc::new(all)))
    }

    async fn since(
        &self,
        since: Moment,
        repository: &Repository,
        base: &BranchName,
        repo: &dyn Repo,
    ) -> Result<(Moment, Branches), PortError> {
        let whom = (repository.url.clone(), repository.secret.clone(), base.clone());
        if let Some(answer) = self.lock().get(&whom)
            && answer.asked > since
            && answer.asked.age() < FRESH
        {
            return Ok((answer.asked, answer.branches.clone()));
        }
        let asked = Moment::now();
        let branches = Arc::new(repo.tips_with(base, PROPOSALS).await?);
        let mut answers = self.lock();
        // Those of repositories that nobody asks for any more go with the others.
        answers.retain(|_, answer| answer.asked.age() < FRESH);
        if answers.get(&whom).is_none_or(|answer| answer.asked < asked) {
            answers.insert(whom, Answer { asked, branches: branches.clone() });
        }
        Ok((asked, branches))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Asked, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the branches of each pipeline were when it was last looked at in full.
#[derive(Default)]
pub(crate) struct LookedAt(Mutex<HashMap<PipelineKey, Mark>>);

impl LookedAt {
    pub(super) fn saw(&self, key: &PipelineKey, tips: &BTreeMap<BranchName, CommitId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), Mark::of(tips));
    }

    /// Whether a branch of the pipeline is elsewhere now. Unknown before the first look.
    pub(crate) fn moved(&self, key: &PipelineKey, now: &BTreeMap<BranchName, CommitId>) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).map(|then| *then != Mark::of(now))
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| keep(key));
    }
}
