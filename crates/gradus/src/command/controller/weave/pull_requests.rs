//! Pull requests for pipelines of `pipelines.weave.works`.
//!
//! The branch, the commit and the words are those that others find them by. A branch
//! that is proposed gets one more commit; one that is left over takes up the base branch.

mod edits;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId};
use gradus_core::pipeline::{Forge, ForgeKind, Repository};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{Clock, PortError, PortErrorKind, Repo, Repos};
use gradus_kube::Secrets;
use gradus_kube::weave::{NoPullRequests, PullRequests};
use gradus_remote::forge::{
    ForgeApi, ForgeApis, Forges, NewPull, Pull, PullChange, RepoAddress, from_forge, open_once,
};
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Access, Committer, WireRepos, with_secret};
use gradus_weave::kind::PullRequest;
use gradus_weave::proposal::{AUTHOR, COMMIT_MESSAGE, body, branch, marker, title};
use gradus_weave::{Promotion, Strategy};

use edits::{Edits, edits};

/// How often a promotion is begun anew because somebody else wrote.
const TRIES: usize = 4;
/// So many commits of a branch are looked at for where it left the base branch.
const BACK: usize = 100;
/// The branch that is meant where none is named.
const BASE: &str = "master";
/// What is read of a Secret.
const KEYS: [&str; 4] = ["username", "password", "token", "caFile"];

/// Makes pull requests where gradus can.
pub(crate) struct InForges {
    secrets: Box<dyn ReadSecret>,
    given: Given,
    repos: WireRepos,
    forges: Forges,
    clock: Arc<dyn Clock>,
}

/// Reads the texts of a Secret.
#[async_trait]
pub(crate) trait ReadSecret: Send + Sync {
    /// Those of [`KEYS`] that it has.
    async fn read(&self, namespace: &str, name: &str) -> Result<Texts, PortError>;
}

/// What a Secret says, by its keys.
pub(crate) type Texts = HashMap<&'static str, String>;

#[async_trait]
impl ReadSecret for Secrets {
    async fn read(&self, namespace: &str, name: &str) -> Result<Texts, PortError> {
        let secret = Self::read(self, namespace, name).await?;
        Ok(KEYS.into_iter().filter_map(|key| Some((key, secret.text(key)?))).collect())
    }
}

impl InForges {
    /// With the Secrets that the pipelines name, and for the rest these options.
    pub(crate) fn new(secrets: Box<dyn ReadSecret>, otherwise: RemoteOptions, clock: Arc<dyn Clock>) -> Self {
        let given = Given::default();
        let access =
            |for_what| Arc::new(OfPromotion { given: given.clone(), otherwise: otherwise.clone(), for_what });
        let committer = Committer { name: AUTHOR.to_owned(), email: String::new() };
        let repos = WireRepos::new(access(For::Git), committer);
        let forges = Forges::new(access(For::Api), clock.clone());
        Self { secrets, given, repos, forges, clock }
    }

    async fn place(&self, promotion: &Promotion, there: &PullRequest) -> Result<Place, PortError> {
        let kind = kind(&there.provider).map_err(|why| unable(promotion, why))?;
        let Some(secret) = &there.secret_ref else {
            return Err(unable(promotion, "the pull request names no Secret".to_owned()));
        };
        let namespace = &promotion.namespace;
        let texts = self.secrets.read(namespace, &secret.name).await?;
        let secret: Arc<str> = format!("{namespace}/{}", secret.name).into();
        self.given.lock().insert(secret.clone(), texts);
        let base = if there.base_branch.is_empty() { BASE } else { &there.base_branch };
        let named =
            |name: &str| BranchName::parse(name).map_err(|error| unable(promotion, error.to_string()));
        let (base, branch) = (named(base)?, named(&branch(promotion))?);
        let repository = Repository {
            url: there.url.as_str().into(),
            branch: Some(base.clone()),
            paths: Vec::new(),
            secret: Some(secret),
            forge: Some(Forge { kind, url: None }),
            commit: Default::default(),
        };
        let (repo, api) = (self.repos.open(&repository)?, self.forges.open(&repository)?);
        Ok(Place { repo, api, base, branch, url: repository.url })
    }

    /// One try: `Err` in what is answered where somebody else wrote in between.
    async fn try_once(
        &self,
        place: &Place,
        promotion: &Promotion,
    ) -> Result<Result<Option<Pull>, String>, PortError> {
        let Place { repo, api, base, branch, url } = place;
        let tips = repo.tips(&[base.clone(), branch.clone()]).await?;
        let Some(base_tip) = tips.get(base) else {
            let doing = format!("looking for the branch {base} of {url}");
            return Err(PortError::new(PortErrorKind::Missing, doing));
        };
        let (marker, revision) = (marker(promotion), promotion.revision.as_str());
        let on_base = edits(&**repo, base_tip, &marker, revision).await?;
        if on_base.is_empty() {
            return Ok(Ok(None));
        }
        let open = api.find_open(branch, base).await.map_err(from_forge)?;
        let head = tips.get(branch);
        let (parents, files) = match head {
            None => (vec![base_tip], on_base),
            Some(head) if open.is_none() && is_left_over(&**repo, head, base_tip).await? => {
                (vec![head, base_tip], on_base)
            }
            Some(head) => (vec![head], edits(&**repo, head, &marker, revision).await?),
        };
        if let Err(moved) = self.commit(place, promotion, head, &parents, files).await? {
            return Ok(Err(moved));
        }
        let title = title(promotion);
        let pull = match open {
            Some(pull) => pull,
            None => {
                let (head, base) = (branch.clone(), base.clone());
                let new = NewPull { head, base, title: title.clone(), body: body(promotion), draft: false };
                let made = open_once(&**api, &new).await.map_err(from_forge)?;
                tracing::info!(
                    promotion.pipelineNamespace = promotion.namespace,
                    promotion.pipelineName = promotion.pipeline,
                    promotion.environment.name = promotion.environment.name,
                    promotion.version = revision,
                    url = &*made.url,
                    "created PR"
                );
                made
            }
        };
        if pull.title == title {
            return Ok(Ok(Some(pull)));
        }
        let change = PullChange { title: Some(title), ..PullChange::default() };
        Ok(Ok(Some(api.update(pull.number, &change).await.map_err(from_forge)?)))
    }

    async fn commit(
        &self,
        place: &Place,
        promotion: &Promotion,
        head: Option<&CommitId>,
        parents: &[&CommitId],
        files: Edits,
    ) -> Result<Result<(), String>, PortError> {
        let Some(tree_of) = parents.last().filter(|_| !files.is_empty()) else { return Ok(Ok(())) };
        let order = CommitOrder {
            branch: place.branch.clone(),
            expect: head.cloned(),
            parents: parents.iter().copied().cloned().collect(),
            tree_of: CommitId::clone(tree_of),
            files,
            message: COMMIT_MESSAGE.to_owned(),
            at: self.clock.now(),
        };
        match place.repo.commit(&order).await? {
            Written::Done(_) | Written::AlreadyTrue(_) => Ok(Ok(())),
            Written::Stale(why) => Ok(Err(why)),
            Written::Refused(why) => Err(unable(promotion, why)),
        }
    }
}

#[async_trait]
impl PullRequests for InForges {
    fn refuses(&self, there: &PullRequest) -> Option<String> {
        let Ok(kind) = kind(&there.provider) else { return NoPullRequests.refuses(there) };
        if !there.url.starts_with("https://") && !there.url.starts_with("http://") {
            return Some("the repository has to be named by an address that begins with https://".to_owned());
        }
        RepoAddress::parse(kind, &there.url, None).err().map(|error| error.to_string())
    }

    async fn promote(&self, promotion: &Promotion) -> Result<Option<String>, PortError> {
        let there = match &promotion.strategy {
            Strategy::PullRequest(there) => there,
            Strategy::Notification => {
                return Err(unable(promotion, "a notification is no pull request".to_owned()));
            }
        };
        if let Some(why) = self.refuses(there) {
            return Err(unable(promotion, why));
        }
        let place = self.place(promotion, there).await?;
        let mut why = String::new();
        for _ in 0..TRIES {
            match self.try_once(&place, promotion).await? {
                Ok(pull) => return Ok(pull.map(|pull| pull.url.to_string())),
                Err(moved) => why = moved,
            }
        }
        Err(PortError::because(PortErrorKind::Unreachable, doing(promotion), why))
    }
}

/// Where a promotion goes.
struct Place {
    repo: Arc<dyn Repo>,
    api: Arc<dyn ForgeApi>,
    base: BranchName,
    branch: BranchName,
    url: Arc<str>,
}

/// Whether a branch that nobody proposes has nothing but our commits on an older base
/// branch: what they say may be in the way by now. What people added is no such thing.
async fn is_left_over(repo: &dyn Repo, head: &CommitId, base_tip: &CommitId) -> Result<bool, PortError> {
    let commits = repo.history(head, &[], BACK).await?.commits;
    let ours = commits
        .iter()
        .take_while(|commit| commit.author == AUTHOR && commit.message.trim_end() == COMMIT_MESSAGE)
        .count();
    let Some(left) = commits.get(ours) else { return Ok(false) };
    if left.id == *base_tip || repo.parents(head).await?.contains(base_tip) {
        return Ok(false);
    }
    let of_base = repo.history(base_tip, &[], BACK).await?.commits;
    Ok(of_base.iter().any(|commit| commit.id == left.id))
}

/// The forges there are, by the words of the older kind.
fn kind(provider: &str) -> Result<ForgeKind, String> {
    match provider {
        "github" => Ok(ForgeKind::GitHub),
        "gitlab" => Ok(ForgeKind::GitLab),
        "gitea" => Ok(ForgeKind::Gitea),
        "bitbucket-server" => Ok(ForgeKind::BitbucketServer),
        "azure-devops" => Ok(ForgeKind::AzureDevOps),
        other => Err(format!("pull requests on {other:?} are not there yet")),
    }
}

fn doing(promotion: &Promotion) -> String {
    let Promotion { namespace, pipeline, environment, .. } = promotion;
    format!("promoting {namespace}/{pipeline} to {}", environment.name)
}

fn unable(promotion: &Promotion, why: String) -> PortError {
    PortError::because(PortErrorKind::Unusable, doing(promotion), why)
}

/// The Secrets as they were read for the last promotion, by `namespace/name`.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<HashMap<Arc<str>, Texts>>>);

impl Given {
    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Texts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a Secret is used for: a password is Git's, and a token the forge's. Either does
/// for both.
#[derive(Clone, Copy)]
enum For {
    Git,
    Api,
}

struct OfPromotion {
    given: Given,
    otherwise: RemoteOptions,
    for_what: For,
}

impl Access for OfPromotion {
    fn options(&self, repository: &Repository) -> Result<RemoteOptions, PortError> {
        let name = repository.secret.clone().unwrap_or_default();
        let texts = self.given.lock().get(&name).cloned().unwrap_or_default();
        let has_token = texts.contains_key("token");
        let kind = repository.forge.as_ref().map(|forge| forge.kind);
        let value = |key: &str| {
            let text = texts.get(key).cloned();
            match (self.for_what, key) {
                // Azure DevOps takes a token as the password of nobody.
                (For::Api, "username") if has_token && kind == Some(ForgeKind::AzureDevOps) => {
                    Some(String::new())
                }
                (For::Api, "username" | "password") => text.filter(|_| !has_token),
                // Hosts take a token as a password, whatever the name.
                (For::Git, "username") => text.or_else(|| has_token.then(|| "git".to_owned())),
                (For::Git | For::Api, _) => text,
            }
        };
        with_secret(&self.otherwise, |key| Ok(value(key)))?.ok_or_else(|| {
            let why = "it has neither password nor token";
            PortError::because(PortErrorKind::Missing, format!("reading Secret {name}"), why)
                .with_hint("put `username` and `password`, and the forge's `token`, into it")
        })
    }
}

#[cfg(test)]
mod tests;
