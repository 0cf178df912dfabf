//! A repository in a real Gitea, with gradus and people at it.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, EnvironmentName, PipelineKey, ProposalNumber, RepoPath};
use gradus_core::pipeline::Repository;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::forge::{Extras, MergeWay, Merging, ProposalPlace, ProposalText};
use gradus_engine::port::repo::{CommitOrder, FileChange, Written};
use gradus_engine::port::{PortError, Repo, Repos};
use gradus_remote::Secret;
use gradus_remote::forge::client::{Budget, ForgeAccess, ForgeClient};
use gradus_remote::forge::{ForgeApi, ForgeApis, ForgeKind, MergeMethod, RemoteForge, RepoAddress, gitea};
use gradus_remote::git::{Credentials, RemoteOptions};
use gradus_remote::http::Tls;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use gradus_testbed::{Gitea, GiteaUser};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::proxy::Proxy;
use crate::trip::Trip;

pub(crate) const FILE: &str = "prod/web.yaml";
pub(crate) const BRANCH: &str = "gradus/apps/web/prod";

/// A repository of Ann's in which gradus, with an account of its own, may write.
pub(crate) struct Scene {
    pub(crate) gitea: &'static Gitea,
    pub(crate) ann: GiteaUser,
    pub(crate) bot: GiteaUser,
    pub(crate) name: String,
    pub(crate) proxy: Proxy,
    pub(crate) repos: Arc<WireRepos>,
    pub(crate) repo: Arc<dyn Repo>,
    pub(crate) place: ProposalPlace,
    pub(crate) forge: RemoteForge,
}

/// The one repository there is.
struct One(Arc<dyn ForgeApi>);

impl ForgeApis for One {
    fn open(&self, _: &Repository) -> Result<Arc<dyn ForgeApi>, PortError> {
        Ok(self.0.clone())
    }
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::of(Gitea::shared().await.unwrap()).await
    }

    pub(crate) async fn of(gitea: &'static Gitea) -> Self {
        Self::made(gitea, &[(FILE, "version: 1\n"), ("other", "1\n")], Arc::default()).await
    }

    /// With these files; where whoever asks may be killed.
    pub(crate) async fn with(files: &[(&str, &str)], trip: Arc<Trip>) -> Self {
        Self::made(Gitea::shared().await.unwrap(), files, trip).await
    }

    async fn made(gitea: &'static Gitea, files: &[(&str, &str)], trip: Arc<Trip>) -> Self {
        let (ann, bot) = (gitea.user("ann").await.unwrap(), gitea.user("gradus").await.unwrap());
        let name = gitea.repository(&ann, "fleet", files).await.unwrap();
        let path = format!("/repos/{}/{name}/collaborators/{}", ann.name, bot.name);
        gitea.done(&ann.token, "PUT", &path, Some(json!({"permission": "write"}))).await.unwrap();
        let url: Arc<str> = format!("{}/{}/{name}.git", gitea.url(), ann.name).into();
        let folder = SecretFolder { folder: None, otherwise: options(&bot) };
        let repos = Arc::new(WireRepos::new(Arc::new(folder), Committer::default()));
        let repository = Repository {
            url,
            branch: None,
            paths: Vec::new(),
            secret: None,
            forge: None,
            commit: Default::default(),
        };
        let repo = repos.open(&repository).unwrap();
        let port = gitea.url().rsplit_once(':').unwrap().1.parse().unwrap();
        let proxy = Proxy::tripped(port, trip).await;
        let place = ProposalPlace {
            repository,
            base: BranchName::parse("main").unwrap(),
            branch: BranchName::parse(BRANCH).unwrap(),
            pipeline: PipelineKey::parse("apps/web").unwrap(),
            environment: EnvironmentName::parse("prod").unwrap(),
        };
        let api = api(&proxy, &ann.name, &name, &bot.token);
        let forge = RemoteForge::new(Arc::new(One(api)), repos.clone(), Arc::new(SystemClock));
        Self { gitea, ann, bot, name, proxy, repos, repo, place, forge }
    }

    /// A gradus that was started just now, with this token.
    pub(crate) fn another(&self, token: &str, method: MergeMethod) -> RemoteForge {
        let api = self.api(token);
        RemoteForge::new(Arc::new(One(api)), self.repos.clone(), Arc::new(SystemClock)).merging_by(method)
    }

    pub(crate) fn api(&self, token: &str) -> Arc<dyn ForgeApi> {
        api(&self.proxy, &self.ann.name, &self.name, token)
    }

    /// The repository's address, by way of the proxy.
    pub(crate) fn git_url(&self) -> String {
        format!("{}/{}/{}.git", self.proxy.url(), self.ann.name, self.name)
    }

    /// How gradus reaches it.
    pub(crate) fn options(&self) -> RemoteOptions {
        options(&self.bot)
    }

    pub(crate) async fn tip(&self, branch: &str) -> Option<CommitId> {
        let branch = BranchName::parse(branch).unwrap();
        self.repo.tips(std::slice::from_ref(&branch)).await.unwrap().remove(&branch)
    }

    /// A commit on a branch that makes a file say something else.
    pub(crate) async fn write(
        &self,
        branch: &str,
        parents: Vec<CommitId>,
        file: &str,
        text: &str,
    ) -> CommitId {
        let order = self.order(branch, parents, file, text).await;
        match self.repo.commit(&order).await.unwrap() {
            Written::Done(commit) | Written::AlreadyTrue(commit) => commit,
            not @ (Written::Stale(_) | Written::Refused(_)) => panic!("not written: {not:?}"),
        }
    }

    pub(crate) async fn order(
        &self,
        branch: &str,
        parents: Vec<CommitId>,
        file: &str,
        text: &str,
    ) -> CommitOrder {
        let path = RepoPath::parse(file).unwrap();
        let tree_of = parents.last().unwrap().clone();
        let before = self.repo.read(&tree_of, std::slice::from_ref(&path)).await.unwrap();
        let change = FileChange::write(before[&path].blob.clone(), text.as_bytes().into());
        CommitOrder {
            branch: BranchName::parse(branch).unwrap(),
            expect: self.tip(branch).await,
            parents,
            tree_of,
            files: BTreeMap::from([(path, change)]),
            message: format!(
                "web: prod gets {}\n\nProven in staging.\n\nGradus-Pipeline: apps/web\n",
                text.trim()
            ),
            at: Timestamp::from_second(1_800_000_000).unwrap(),
        }
    }

    /// The branch of a proposal of this version, on top of main.
    pub(crate) async fn branch(&self, version: u32) -> CommitId {
        let main = self.tip("main").await.unwrap();
        let parents = self.tip(BRANCH).await.into_iter().chain([main]).collect();
        self.write(BRANCH, parents, FILE, &format!("version: {version}\n")).await
    }

    pub(crate) fn text(&self, head: &CommitId, version: u32) -> ProposalText {
        ProposalText {
            head: head.clone(),
            title: format!("web {version} to prod"),
            body: format!("1 -> {version}\n\n- proven in staging\n"),
            at: Timestamp::now(),
            extras: Extras::default(),
        }
    }

    /// What Ann calls below her repository.
    pub(crate) async fn ann(&self, method: &str, path: &str, body: Value) -> Value {
        let body = Some(body).filter(|body| !body.is_null());
        self.gitea.done(&self.ann.token, method, &self.path(path), body).await.unwrap()
    }

    pub(crate) fn path(&self, path: &str) -> String {
        format!("/repos/{}/{}{path}", self.ann.name, self.name)
    }

    /// All pull requests: number, state, title, whether merged.
    pub(crate) async fn pulls(&self) -> Vec<String> {
        let pulls = self.ann("GET", "/pulls?state=all&sort=oldest", Value::Null).await;
        let line = |pull: &Value| {
            let state = if pull["merged"] == true { "merged" } else { pull["state"].as_str().unwrap() };
            format!("{} {state}: {}", pull["number"], pull["title"].as_str().unwrap())
        };
        pulls.as_array().unwrap().iter().map(line).collect()
    }

    pub(crate) async fn file(&self) -> String {
        let main = self.tip("main").await.unwrap();
        let path = RepoPath::parse(FILE).unwrap();
        let read = self.repo.read(&main, std::slice::from_ref(&path)).await.unwrap();
        String::from_utf8(read[&path].bytes.to_vec()).unwrap()
    }

    /// Merges as the engine would.
    pub(crate) async fn merge(&self, number: ProposalNumber, head: &CommitId, version: u32) -> Written {
        self.merge_by(&self.forge, number, head, version).await.unwrap()
    }

    pub(crate) async fn merge_by(
        &self,
        forge: &RemoteForge,
        number: ProposalNumber,
        head: &CommitId,
        version: u32,
    ) -> Result<Written, PortError> {
        use gradus_engine::port::Forge as _;
        let main = self.tip("main").await.unwrap();
        let order =
            self.order("main", vec![head.clone(), main], FILE, &format!("version: {version}\n")).await;
        forge.merge(&self.place, number, head, &order, MergeWay::default()).await.map(at_once)
    }
}

fn options(bot: &GiteaUser) -> RemoteOptions {
    let credentials = Credentials::Basic { user: bot.name.clone(), password: Secret::new(bot.token.clone()) };
    RemoteOptions { credentials, ..RemoteOptions::default() }
}

fn api(proxy: &Proxy, owner: &str, name: &str, token: &str) -> Arc<dyn ForgeApi> {
    let url = format!("{}/{owner}/{name}", proxy.url());
    let address = RepoAddress::parse(ForgeKind::Gitea, &url, None).unwrap();
    let access =
        ForgeAccess { authorization: Some(Secret::new(format!("Bearer {token}"))), tls: Tls::default() };
    let clock = Arc::new(SystemClock);
    let client = ForgeClient::new(address.api(), access, &[], Budget::default(), clock).unwrap();
    Arc::new(gitea::Gitea::new(Arc::new(client), address))
}

/// What became of a merge that the forge does not put off.
pub(crate) fn at_once(merging: Merging) -> Written {
    match merging {
        Merging::Now(written) => written,
        Merging::Later => panic!("it waits in the forge"),
    }
}
