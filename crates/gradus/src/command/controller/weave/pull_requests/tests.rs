//! On a real Gitea, as people and programs see it.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, RepoPath};
use gradus_engine::port::PortError;
use gradus_engine::port::clock::SystemClock;
use gradus_kube::weave::PullRequests as _;
use gradus_remote::git::RemoteOptions;
use gradus_testbed::{Gitea, GiteaUser};
use gradus_weave::kind::{Environment, PromotionSpec, PullRequest, SecretRef};
use gradus_weave::{Promotion, Revision, Strategy};
use serde_json::{Value, json};

use super::{InForges, ReadSecret, Texts};

const BRANCH: &str = "promotion-foo-bar-prod";

/// The only Secret there is.
struct Only(Texts);

#[async_trait]
impl ReadSecret for Only {
    async fn read(&self, namespace: &str, name: &str) -> Result<Texts, PortError> {
        assert_eq!((namespace, name), ("foo", "git"));
        Ok(self.0.clone())
    }
}

/// A repository of Ann's, and gradus with a token of hers.
struct Scene {
    gitea: &'static Gitea,
    ann: GiteaUser,
    name: String,
    gradus: InForges,
}

fn release(version: &str) -> String {
    format!("spec:\n  version: \"{version}\" # {{\"$promotion\": \"foo:bar:prod\"}}\n  other:   1\n")
}

impl Scene {
    async fn new() -> Self {
        let gitea = Gitea::shared().await.unwrap();
        let ann = gitea.user("ann").await.unwrap();
        let (text, twin) = (release("5.0.0"), release("5.0.1"));
        let files =
            [("release.yaml", text.as_str()), ("twin/release.yml", &twin), ("dev.yaml", "version: 6.0.0\n")];
        let name = gitea.repository(&ann, "fleet", &files).await.unwrap();
        let texts = Texts::from([("token", ann.token.clone())]);
        let gradus = InForges::new(Box::new(Only(texts)), RemoteOptions::default(), Arc::new(SystemClock));
        Self { gitea, ann, name, gradus }
    }

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}/{}/{rest}", self.ann.name, self.name)
    }

    async fn ask(&self, method: &str, rest: &str, body: Option<Value>) -> Value {
        self.gitea.done(&self.ann.token, method, &self.path(rest), body).await.unwrap()
    }

    fn there(&self, provider: &str) -> PullRequest {
        PullRequest {
            provider: provider.to_owned(),
            url: format!("{}/{}/{}", self.gitea.url(), self.ann.name, self.name),
            base_branch: "main".to_owned(),
            secret_ref: Some(SecretRef { name: "git".to_owned() }),
        }
    }

    fn promotion(&self, environment: &str, version: &str) -> Promotion {
        Promotion {
            namespace: "foo".to_owned(),
            pipeline: "bar".to_owned(),
            environment: Environment { name: environment.to_owned(), ..Environment::default() },
            revision: Revision::parse(version).unwrap(),
            spec: PromotionSpec::default(),
            strategy: Strategy::PullRequest(self.there("gitea")),
        }
    }

    async fn promote(&self, environment: &str, version: &str) -> Result<Option<String>, PortError> {
        self.gradus.promote(&self.promotion(environment, version)).await
    }

    /// The number of the pull request that was answered.
    async fn pull(&self, version: &str) -> u64 {
        let url = self.promote("prod", version).await.unwrap().expect("there is something to do");
        let (start, number) = url.rsplit_once('/').unwrap();
        assert_eq!(start, format!("{}/{}/{}/pulls", self.gitea.url(), self.ann.name, self.name));
        number.parse().unwrap()
    }

    /// Each pull request: its number, what became of it, the branches and the title.
    async fn pulls(&self) -> Vec<String> {
        let pulls = self.ask("GET", "pulls?state=all&sort=oldest", None).await;
        let line = |pull: &Value| {
            let state = if pull["merged"] == true { "merged" } else { pull["state"].as_str().unwrap() };
            let (head, base) = (&pull["head"]["label"], &pull["base"]["label"]);
            let (head, base) = (head.as_str().unwrap(), base.as_str().unwrap());
            format!("{} {state} {head} for {base}: {}", pull["number"], pull["title"].as_str().unwrap())
        };
        let mut lines: Vec<String> = pulls.as_array().unwrap().iter().map(line).collect();
        lines.sort();
        lines
    }

    async fn branches(&self) -> Vec<String> {
        let branches = self.ask("GET", "branches", None).await;
        branches.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Who wrote what on a branch, newest first.
    async fn commits(&self, branch: &str) -> Vec<String> {
        let commits = self.ask("GET", &format!("commits?sha={branch}&stat=false"), None).await;
        let line = |one: &Value| {
            let who = |key: &str| {
                let who = &one["commit"][key];
                format!("{} <{}>", who["name"].as_str().unwrap(), who["email"].as_str().unwrap())
            };
            assert_eq!(who("author"), who("committer"));
            let message = one["commit"]["message"].as_str().unwrap().trim_end().to_owned();
            format!("{message} by {}", who("author"))
        };
        let ours = commits.as_array().unwrap().iter().map(line);
        ours.filter(|line| line.starts_with("promoting") || line.starts_with("by hand")).collect()
    }

    async fn file(&self, branch: &str, path: &str) -> Vec<u8> {
        let place = self.gradus.place(&self.promotion("prod", "0"), &self.there("gitea")).await.unwrap();
        let (branch, path) = (BranchName::parse(branch).unwrap(), RepoPath::parse(path).unwrap());
        let tip = place.repo.tips(std::slice::from_ref(&branch)).await.unwrap().remove(&branch).unwrap();
        place.repo.read(&tip, std::slice::from_ref(&path)).await.unwrap()[&path].bytes.to_vec()
    }

    async fn close(&self, number: u64) {
        self.ask("PATCH", &format!("pulls/{number}"), Some(json!({"state": "closed"}))).await;
    }

    /// Merges as soon as the forge has found out whether it can.
    async fn merge(&self, number: u64, how: &str) {
        let path = self.path(&format!("pulls/{number}/merge"));
        for _ in 0..100 {
            let said =
                self.gitea.call(&self.ann.token, "POST", &path, Some(json!({"Do": how}))).await.unwrap();
            if said.status == 200 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("pull request {number} was not merged");
    }
}

const OURS: &str = "promoting version by Promotion Server <>";

#[tokio::test]
async fn s16_s17_b22_a_version_becomes_one_pull_request_that_newer_ones_take_over() {
    let scene = Scene::new().await;
    let number = scene.pull("6.0.0").await;
    let title =
        |version: &str| format!("{number} open {BRANCH} for main: Promote foo/bar in prod to {version}");
    assert_eq!(scene.pulls().await, [title("6.0.0")]);
    assert_eq!(scene.commits(BRANCH).await, [OURS]);
    for path in ["release.yaml", "twin/release.yml"] {
        assert_eq!(scene.file(BRANCH, path).await, release("6.0.0").into_bytes(), "{path}");
    }
    let body = scene.ask("GET", &format!("pulls/{number}"), None).await["body"].clone();
    let words = "<details>\n<summary>metadata</summary>\n!!! DO NOT EDIT !!!\n\nfoo/bar/prod\n</details>";
    assert_eq!(body.as_str().unwrap().trim_end(), words);

    // Twice is once, and a newer one is a commit more and another title.
    assert_eq!(scene.pull("6.0.0").await, number);
    assert_eq!(scene.commits(BRANCH).await.len(), 1);
    assert_eq!(scene.pull("6.1.0").await, number);
    assert_eq!(scene.pulls().await, [title("6.1.0")]);
    assert_eq!(scene.commits(BRANCH).await, [OURS, OURS]);
}

#[tokio::test]
async fn s19_nothing_to_do_is_no_branch_and_no_pull_request() {
    let scene = Scene::new().await;
    assert_eq!(scene.promote("qa", "6.0.0").await.unwrap(), None, "no value has this marker");
    let number = scene.pull("6.0.0").await;
    scene.merge(number, "merge").await;
    scene.ask("DELETE", &format!("branches/{BRANCH}"), None).await;
    assert_eq!(scene.promote("prod", "6.0.0").await.unwrap(), None, "it is there already");
    assert_eq!(scene.branches().await, ["main"]);
    assert_eq!(scene.pulls().await.len(), 1);
}

#[tokio::test]
async fn s18_b21_a_branch_that_is_left_over_takes_up_the_base_branch() {
    let scene = Scene::new().await;
    let first = scene.pull("6.0.0").await;
    scene.merge(first, "squash").await;
    // Squashed commits would be in the way of the next ones.
    let second = scene.pull("6.1.0").await;
    assert_eq!((second > first, scene.commits(BRANCH).await), (true, vec![OURS.to_owned(); 2]));
    // It failed after the push: what was pushed is proposed as it is.
    let tip = scene.ask("GET", &format!("branches/{BRANCH}"), None).await["commit"]["id"].clone();
    scene.close(second).await;
    let third = scene.pull("6.1.0").await;
    let now = scene.ask("GET", &format!("branches/{BRANCH}"), None).await["commit"]["id"].clone();
    assert_eq!((third > second, now), (true, tip));
    scene.close(third).await;
    let added = json!({"branch": BRANCH, "message": "by hand", "content": "eA=="});
    scene.ask("POST", "contents/notes", Some(added)).await;
    let last = scene.pull("6.2.0").await;
    let commits = scene.commits(BRANCH).await;
    assert_eq!((commits[0].as_str(), commits.len()), (OURS, 4), "{commits:?}");
    assert!(commits[1].starts_with("by hand"), "{commits:?}");
    scene.merge(last, "merge").await;
    assert_eq!(scene.file("main", "notes").await, b"x");
    assert_eq!(scene.file("main", "release.yaml").await, release("6.2.0").into_bytes());
}

#[tokio::test]
async fn b30_where_there_are_none_it_is_said_beforehand() {
    let scene = Scene::new().await;
    assert_eq!(scene.gradus.refuses(&scene.there("gitea")), None);
    for (provider, url) in [
        ("github", "https://github.com/acme/fleet.git"),
        ("gitlab", "https://gitlab.example.com/acme/platform/apps/fleet.git"),
        ("bitbucket-server", "https://bitbucket.example.com/scm/acme/fleet.git"),
        ("azure-devops", "https://dev.azure.com/acme/platform/_git/fleet"),
    ] {
        let there = PullRequest { url: url.to_owned(), ..scene.there(provider) };
        assert_eq!(scene.gradus.refuses(&there), None, "{provider}");
    }
    let said = scene.gradus.refuses(&scene.there("subversion")).unwrap();
    assert!(said.starts_with("pull requests on subversion are not there yet"), "{said}");
    let ssh = PullRequest { url: "git@git.example.com:acme/fleet".to_owned(), ..scene.there("gitea") };
    let said = scene.gradus.refuses(&ssh).unwrap();
    assert_eq!(said, "the repository has to be named by an address that begins with https://");
    let short = PullRequest { url: "https://git.example.com/fleet".to_owned(), ..scene.there("gitea") };
    let said = scene.gradus.refuses(&short).unwrap();
    assert!(said.ends_with("its path is not owner/name"), "{said}");
}
