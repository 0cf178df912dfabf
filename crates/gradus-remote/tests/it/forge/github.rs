//! Proposals on a server that answers as GitHub does, with people who do what people do.

mod apps;
mod clients;
mod dispatch;
mod examined;
mod hub;
mod people;
mod serve;
mod standing;
mod tells;

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, EnvironmentName, PipelineKey, ProposalNumber};
use gradus_core::plan::CloseReason;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::forge::{Extras, MergeWay, ProposalPlace, ProposalText};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{Forge as _, PortError, PortErrorKind};
use gradus_remote::forge::client::{Budget, ForgeAccess, ForgeClient};
use gradus_remote::forge::github::{GitHub, Installation};
use gradus_remote::forge::{
    Account, CheckState, ForgeApi, ForgeApis, ForgeErrorKind, ForgeKind, Label, MergeMethod, MergeOrder,
    Mergeable, Merged, NewCheck, NewPull, PullState, RemoteForge, RepoAddress, Reviewers, Rights, Verdict,
};
use gradus_remote::http::Tls;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use gradus_remote::{AppCredentials, Secret};
use jiff::Timestamp;
use serde_json::json;

use self::serve::Fault;
pub(super) use self::serve::Server;
use crate::place::{Place, Via};
use crate::port::{at, repository};

const FILE: &str = "prod/web.yaml";
const BRANCH: &str = "gradus/apps/web/prod";

struct Scene {
    git: Place,
    server: Server,
    repos: Arc<WireRepos>,
    place: ProposalPlace,
    forge: RemoteForge,
}

/// The one repository there is.
struct One(Arc<dyn ForgeApi>);

impl ForgeApis for One {
    fn open(&self, _: &gradus_core::pipeline::Repository) -> Result<Arc<dyn ForgeApi>, PortError> {
        Ok(self.0.clone())
    }
}

impl Scene {
    async fn new() -> Self {
        let git = Place::new(Via::FileNoFilter, &[(FILE, "version: 1\n")]).await;
        let server = Server::start(git.repo()).await;
        let access = SecretFolder { folder: None, otherwise: git.options() };
        let repos = Arc::new(WireRepos::new(Arc::new(access), Committer::default()));
        let place = ProposalPlace {
            repository: repository(git.url().as_str()),
            base: branch("main"),
            branch: branch(BRANCH),
            pipeline: PipelineKey::parse("apps/web").unwrap(),
            environment: EnvironmentName::parse("prod").unwrap(),
        };
        let forge = engine(api(&server, "ghp_gradus"), &repos);
        Self { git, server, repos, place, forge }
    }

    /// A gradus that was started just now, with this token.
    fn another(&self, token: &str) -> RemoteForge {
        engine(self.api(token), &self.repos)
    }

    fn api(&self, token: &str) -> Arc<dyn ForgeApi> {
        api(&self.server, token)
    }

    /// The same, as an app.
    fn app(&self, key: &str) -> Arc<dyn ForgeApi> {
        let address = address(&self.server);
        let (clock, tls) = (Arc::new(SystemClock), Tls::default());
        let app = AppCredentials { id: "7".into(), installation: None, key: Secret::new(key), api: None };
        let app = Arc::new(Installation::new(&app, &address, tls.clone(), clock.clone()).unwrap());
        let access = ForgeAccess { authorization: None, tls };
        let client = ForgeClient::new(address.api(), access, GitHub::HEADERS, Budget::default(), clock);
        let client = client.unwrap().with_tokens(app.clone());
        Arc::new(GitHub::new(Arc::new(client), address).as_app(app))
    }

    /// A commit on the branch of the proposal, on top of main where there is none.
    fn branch(&self, version: u32) -> CommitId {
        if self.tip(BRANCH).is_none() {
            self.git.git(&[
                "-C",
                "repo.git",
                "update-ref",
                &format!("refs/heads/{BRANCH}"),
                "refs/heads/main",
            ]);
        }
        self.git.commit(BRANCH, &[(FILE, &format!("version: {version}\n"))], "web");
        at(&self.git, BRANCH)
    }

    fn tip(&self, branch: &str) -> Option<String> {
        self.server.hub().tip(branch)
    }

    fn text(&self, head: &CommitId, version: u32) -> ProposalText {
        ProposalText {
            head: head.clone(),
            title: format!("web {version} to prod"),
            body: format!("1 -> {version}\n\n- proven in staging\n"),
            at: Timestamp::now(),
            extras: Extras::default(),
        }
    }

    fn order(&self, head: &CommitId) -> CommitOrder {
        let main = at(&self.git, "main");
        CommitOrder {
            branch: branch("main"),
            expect: Some(main.clone()),
            parents: vec![head.clone(), main.clone()],
            tree_of: main,
            files: BTreeMap::new(),
            message: "web: prod gets 2\n\nProven in staging.\n".to_owned(),
            at: Timestamp::from_second(1_800_000_000).unwrap(),
        }
    }

    async fn merge(&self, head: &CommitId) -> Written {
        let order = self.order(head);
        let merging =
            self.forge.merge(&self.place, ProposalNumber(1), head, &order, MergeWay::default()).await;
        super::scene::at_once(merging.unwrap())
    }

    /// All pull requests: number, state, title.
    fn pulls(&self) -> Vec<String> {
        let state = |open: bool| if open { "open" } else { "closed" };
        let hub = self.server.hub();
        hub.pulls.iter().map(|pull| format!("{} {}: {}", pull.number, state(pull.open), pull.title)).collect()
    }
}

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

fn engine(api: Arc<dyn ForgeApi>, repos: &Arc<WireRepos>) -> RemoteForge {
    RemoteForge::new(Arc::new(One(api)), repos.clone(), Arc::new(SystemClock))
}

fn address(server: &Server) -> RepoAddress {
    RepoAddress::parse(ForgeKind::GitHub, &format!("{}/acme/fleet.git", server.url()), None).unwrap()
}

pub(super) fn api(server: &Server, token: &str) -> Arc<dyn ForgeApi> {
    api_at(address(server), token)
}

fn api_at(address: RepoAddress, token: &str) -> Arc<dyn ForgeApi> {
    let authorization = Some(Secret::new(format!("Bearer {token}")));
    let access = ForgeAccess { authorization, tls: Tls::default() };
    let clock = Arc::new(SystemClock);
    let client = ForgeClient::new(address.api(), access, GitHub::HEADERS, Budget::default(), clock).unwrap();
    Arc::new(GitHub::new(Arc::new(client), address))
}

fn new(title: &str) -> NewPull {
    let (head, base) = (branch(BRANCH), branch("main"));
    NewPull { head, base, title: title.to_owned(), body: "1 -> 2\n".to_owned(), draft: false }
}

#[tokio::test]
async fn from_open_to_merged() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    let text = scene.text(&head, 2);
    let opened = scene.forge.ensure(&scene.place, &text).await.unwrap();
    assert_eq!(opened.url, Some(format!("{}/acme/fleet/pull/1", scene.server.url()).into()));
    assert_eq!(scene.server.calls(), ["POST pulls 201", "GET pulls 200"]);
    // What is so already is not written, and who was started just now opens none beside it.
    assert_eq!(scene.forge.ensure(&scene.place, &text).await.unwrap(), opened);
    assert!(scene.server.calls().is_empty());
    assert_eq!(scene.another("ghp_gradus").ensure(&scene.place, &text).await.unwrap(), opened);
    assert_eq!(scene.server.calls(), ["POST pulls 422", "GET pulls 200"]);
    let head = scene.branch(3);
    scene.forge.ensure(&scene.place, &scene.text(&head, 3)).await.unwrap();
    assert_eq!(scene.server.calls(), ["PATCH pulls/1 200"]);
    assert_eq!(scene.pulls(), ["1 open: web 3 to prod"]);
    // GitHub finds out whether it can be merged when it is looked at.
    let Written::Done(commit) = scene.merge(&head).await else { panic!("not merged") };
    assert_eq!(scene.server.calls(), ["PUT pulls/1/merge 405", "GET pulls/1 200", "PUT pulls/1/merge 200"]);
    assert_eq!((scene.tip("main").as_deref(), scene.tip(BRANCH)), (Some(commit.as_str()), None));
    assert_eq!(scene.git.show("main", FILE), "version: 3");
    let message = scene.git.git(&["-C", "repo.git", "log", "-1", "--format=%B", "main"]);
    assert_eq!(message, "web: prod gets 2\n\nProven in staging.");
    let ended = scene.api("ghp_gradus").find_ended(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    let by = Some(Account("gradus".into()));
    assert_eq!(ended.state, PullState::Merged { commit: Some(commit), by });
    assert_eq!(scene.server.calls(), ["GET pulls 200", "GET pulls/1 200"]);
}

#[tokio::test]
async fn an_answer_that_is_lost_opens_no_second_one() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    let text = scene.text(&head, 2);
    scene.server.fault("POST", "/pulls", Fault::LoseRequest);
    let error = scene.forge.ensure(&scene.place, &text).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown, "{}", error.in_full());
    // What was opened is in no list for a while; as long as that is so, nothing is said of it.
    scene.server.hub().lag = 2;
    scene.server.fault("POST", "/pulls", Fault::LoseAnswer);
    let mut found = None;
    for _ in 0..4 {
        match scene.forge.ensure(&scene.place, &text).await {
            Ok(record) => found = Some(record.number),
            Err(error) => assert!(found.is_none(), "{}", error.in_full()),
        }
    }
    assert_eq!(found, Some(ProposalNumber(1)));
    assert_eq!(scene.pulls(), ["1 open: web 2 to prod"]);
    scene.server.fault("PUT", "/merge", Fault::LoseAnswer);
    scene.api("ghp_gradus").get(ProposalNumber(1)).await.unwrap();
    let merged = scene.merge(&head).await;
    assert_eq!(merged, Written::Done(at(&scene.git, "main")));
}

#[tokio::test]
async fn limits_and_failures_pass() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.server.fault("POST", "/pulls", Fault::Secondary);
    scene.server.fault("POST", "/pulls", Fault::Status(503));
    scene.server.fault("GET", "/pulls", Fault::Status(502));
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let calls = ["POST pulls 403", "POST pulls 503", "POST pulls 201", "GET pulls 502", "GET pulls 200"];
    assert_eq!(scene.server.calls(), calls);
    // What is as before costs nothing.
    let api = scene.api("ghp_gradus");
    for _ in 0..3 {
        api.get(ProposalNumber(1)).await.unwrap();
    }
    assert_eq!(scene.server.calls(), ["GET pulls/1 200", "GET pulls/1 200", "GET pulls/1 304"]);
}

#[tokio::test]
async fn only_the_head_that_was_seen_is_merged() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.branch(3);
    assert_eq!(scene.merge(&head).await, Written::Stale(format!("{BRANCH} has moved")));
    let closed = scene.forge.close(&scene.place, ProposalNumber(1), &head, &CloseReason::Overtaken).await;
    assert_eq!(closed.unwrap(), Written::Stale(format!("{BRANCH} has moved")));
    assert_eq!(scene.git.show("main", FILE), "version: 1");
    assert_eq!(scene.pulls(), ["1 open: web 2 to prod"]);
}

#[tokio::test]
async fn rules_of_the_branch_are_told_in_their_own_words() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    (scene.server.hub().approvals, scene.server.hub().required) = (1, Some("ci/test"));
    let refused = |words: &str| Written::Refused(words.to_owned());
    assert_eq!(scene.merge(&head).await, refused("Required status check \"ci/test\" is expected."));
    let api = scene.api("ghp_gradus");
    let why = Mergeable::No("the rules of the base branch are not met yet".to_owned());
    assert_eq!(api.get(ProposalNumber(1)).await.unwrap().mergeable, why);
    let check = NewCheck {
        name: "ci/test".to_owned(),
        state: CheckState::Passed,
        summary: "ok".to_owned(),
        url: None,
    };
    api.set_check(&head, &check).await.unwrap();
    let words = "At least 1 approving review is required by reviewers with write access.";
    assert_eq!(scene.merge(&head).await, refused(words));
    for state in ["PENDING", "DISMISSED", "CHANGES_REQUESTED", "APPROVED"] {
        scene.server.hub().review(1, state);
    }
    let reviews = api.reviews(ProposalNumber(1)).await.unwrap();
    let verdicts: Vec<Verdict> = reviews.iter().map(|review| review.verdict).collect();
    assert_eq!(verdicts, [Verdict::Dismissed, Verdict::Changes, Verdict::Approved]);
    assert_eq!((&*reviews[2].by.0, reviews[2].on.as_ref()), ("ann", Some(&head)));
    assert!(matches!(scene.merge(&head).await, Written::Done(_)));
    assert_eq!(scene.git.show("main", FILE), "version: 2");
}

#[tokio::test]
async fn what_conflicts_is_looked_at_again() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.git.commit("main", &[(FILE, "version: by hand\n")], "mine");
    assert_eq!(scene.merge(&head).await, Written::Stale("both have changed the same lines".to_owned()));
    assert_eq!(scene.git.show("main", FILE), "version: by hand");
}

#[tokio::test]
async fn closing_says_why_once_and_clears_up() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.server.fault("PATCH", "/pulls/1", Fault::LoseRequest);
    let (number, because) = (ProposalNumber(1), CloseReason::Overtaken);
    scene.forge.close(&scene.place, number, &head, &because).await.unwrap_err();
    let closed = scene.forge.close(&scene.place, number, &head, &because).await.unwrap();
    assert_eq!(closed, Written::Done(head));
    assert_eq!((scene.pulls(), scene.tip(BRANCH)), (vec!["1 closed: web 2 to prod".to_owned()], None));
    let api = scene.api("ghp_gradus");
    let said: Vec<String> =
        api.comments(number).await.unwrap().into_iter().map(|comment| comment.body).collect();
    assert_eq!(said, ["Closed: the environment has moved past it.\n\n<!-- gradus: closed -->"]);
    let ended = api.find_ended(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    let PullState::Closed { by, at: Some(_) } = ended.state else { panic!("{:?}", ended.state) };
    assert_eq!(by, Some(Account("gradus".into())));
}

#[tokio::test]
async fn what_comes_from_a_fork_is_never_ours() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    for _ in 0..3 {
        scene.server.hub().open(BRANCH, "main", "web 2 to prod", "", true);
    }
    assert_eq!(scene.forge.find(&scene.place, &head).await.unwrap(), None);
    let record = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    // It is on the second page.
    assert_eq!(record.number, ProposalNumber(4));
    assert_eq!(scene.another("ghp_gradus").find(&scene.place, &head).await.unwrap(), Some(record));
    assert!(scene.api("ghp_gradus").get(ProposalNumber(1)).await.unwrap().from_fork);
}

#[tokio::test]
async fn credentials_that_do_not_do_are_told_why() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    let mut told = Vec::new();
    for token in ["ghp_wrong", "ghp_gist", "github_pat_read"] {
        let error = scene.another(token).ensure(&scene.place, &scene.text(&head, 2)).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Denied, "{token}");
        told.push(format!("{error}\n  {}", error.hint.as_deref().unwrap_or_default()));
    }
    scene.server.hub().archived = true;
    let error = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap_err();
    told.push(format!("{error}\n  {}", error.hint.as_deref().unwrap_or_default()));
    insta::assert_snapshot!(
        told.join("\n").replace(&scene.server.url(), "").replace(&scene.server.url()[7..], "HOST")
    );
    assert!(scene.api("ghp_gradus").repository().await.unwrap().archived);
    assert!(scene.pulls().is_empty());
    scene.server.calls();
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_why() {
    let scene = Scene::new().await;
    let api = scene.api("ghp_gradus");
    let kind = |error: gradus_remote::forge::ForgeError| error.kind().clone();
    let none = kind(api.create(&new("x")).await.unwrap_err());
    assert_eq!(none, ForgeErrorKind::Refused("Validation Failed; head: invalid".to_owned()));
    scene.git.git(&["-C", "repo.git", "update-ref", &format!("refs/heads/{BRANCH}"), "refs/heads/main"]);
    let words = format!("the base branch has all of the branch: No commits between main and {BRANCH}");
    assert_eq!(kind(api.create(&new("x")).await.unwrap_err()), ForgeErrorKind::Refused(words));
    scene.branch(2);
    let draft = api.create(&NewPull { draft: true, ..new("x") }).await.unwrap();
    assert!(draft.draft);
    assert_eq!(kind(api.create(&new("x")).await.unwrap_err()), ForgeErrorKind::AlreadyExists);
    assert_eq!(kind(api.get(ProposalNumber(9)).await.unwrap_err()), ForgeErrorKind::NotFound);
    scene.server.calls();
}

#[tokio::test]
async fn commits_are_made_as_it_is_said() {
    for (method, parents) in [(MergeMethod::Squash, 1), (MergeMethod::Rebase, 1), (MergeMethod::Merge, 2)] {
        let scene = Scene::new().await;
        let head = scene.branch(2);
        let api = scene.api("ghp_gradus");
        let number = api.create(&new("x")).await.unwrap().number;
        api.get(number).await.unwrap();
        let (title, message) = ("web 2".to_owned(), String::new());
        let order = MergeOrder { head, method, title, message, delete_branch: true, queue: false };
        let fast = MergeOrder { method: MergeMethod::FastForward, ..order.clone() };
        let error = api.merge(number, &fast).await.unwrap_err();
        assert!(matches!(error.kind(), ForgeErrorKind::Unsupported(_)), "{error}");
        assert_eq!(api.merge(number, &order).await.unwrap(), Merged::Done(Some(at(&scene.git, "main"))));
        let commit = scene.git.git(&["-C", "repo.git", "cat-file", "-p", "main"]);
        assert_eq!(commit.matches("parent ").count(), parents, "{method:?}");
        assert_eq!(scene.tip(BRANCH), None);
        // One that is merged is not merged again.
        let error = api.merge(number, &order).await.unwrap_err();
        assert_eq!(*error.kind(), ForgeErrorKind::Refused("it is not open any more".to_owned()));
    }
}

#[tokio::test]
async fn the_rest_of_what_a_forge_can_do() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    let api = scene.api("ghp_gradus");
    let number = api.create(&new("x")).await.unwrap().number;
    let labels = [Label("Docs".into()), Label("env/prod".into())];
    api.set_labels(number, &labels).await.unwrap();
    api.set_labels(number, &labels).await.unwrap();
    assert_eq!(scene.server.hub().labels, ["bug", "chore", "docs", "env/prod"]);
    assert_eq!(api.get(number).await.unwrap().labels, labels.into());
    let ann = Account("ann".into());
    let reviewers = Reviewers { people: vec![ann.clone()], teams: vec!["release".to_owned()] };
    api.request_reviews(number, &reviewers).await.unwrap();
    api.set_assignees(number, &[ann]).await.unwrap();
    {
        let hub = scene.server.hub();
        let pull = &hub.pulls[0];
        assert_eq!(
            (&pull.reviewers, &pull.teams, &pull.assignees),
            (&vec!["ann".to_owned()], &vec!["release".to_owned()], &vec!["ann".to_owned()])
        );
    }
    let stranger = Reviewers { people: vec![Account("eve".into())], teams: Vec::new() };
    let error = api.request_reviews(number, &stranger).await.unwrap_err();
    assert!(error.words().starts_with("Reviews may only be requested from collaborators."), "{error}");
    let check = |name: &str, state| NewCheck {
        name: name.to_owned(),
        state,
        summary: "soaks ".repeat(40),
        url: Some("https://x/1".to_owned()),
    };
    for (name, state) in [
        ("a", CheckState::Pending),
        ("b", CheckState::Passed),
        ("c", CheckState::Neutral),
        ("a", CheckState::Failed),
    ] {
        api.set_check(&head, &check(name, state)).await.unwrap();
    }
    scene.server.hub().runs = ["success", "skipped", "failure"]
        .into_iter()
        .map(|conclusion| json!({"id": 1, "name": format!("ci/{conclusion}"), "status": "completed", "conclusion": conclusion, "html_url": "https://x"}))
        .collect();
    let checks = api.checks(&head).await.unwrap();
    let states: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.state)).collect();
    let expected = [
        ("a", CheckState::Failed),
        ("b", CheckState::Passed),
        ("c", CheckState::Passed),
        ("ci/failure", CheckState::Failed),
        ("ci/skipped", CheckState::Neutral),
        ("ci/success", CheckState::Passed),
    ];
    assert_eq!(states, expected);
    api.set_milestone(number, "1.2").await.unwrap();
    assert_eq!(scene.server.hub().pulls[0].milestone, Some(3));
    let error = api.set_milestone(number, "2.0").await.unwrap_err();
    assert!(error.to_string().contains("no open milestone \"2.0\""), "{error}");
    super::story::deploys(&*api, &head).await;
    let comment = api.comment(number, "one").await.unwrap();
    for (text, all) in [("two", 2), ("three", 3)] {
        api.comment(number, text).await.unwrap();
        // A page that was full and the last one is as before, and not the last one any more.
        assert_eq!(api.comments(number).await.unwrap().len(), all);
    }
    api.edit_comment(number, &comment, "one, but other").await.unwrap();
    let said: Vec<String> = api.comments(number).await.unwrap().into_iter().map(|said| said.body).collect();
    assert_eq!(said, ["one, but other", "two", "three"]);
    let me = api.whoami().await.unwrap();
    assert_eq!(me.account, Some(Account("gradus".into())));
    assert_eq!(me.scopes, Some(["repo".to_owned(), "workflow".to_owned()].into()));
    assert_eq!(scene.api("github_pat_read").whoami().await.unwrap().scopes, None);
    let facts = api.repository().await.unwrap();
    assert_eq!((facts.rights, facts.archived), (Some(Rights::Write), false));
    assert_eq!(facts.methods, Some(vec![MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase]));
    api.delete_branch(&branch(BRANCH)).await.unwrap();
    api.delete_branch(&branch(BRANCH)).await.unwrap();
    assert_eq!(scene.tip(BRANCH), None);
    scene.server.calls();
}
