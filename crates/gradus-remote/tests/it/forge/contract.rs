//! The same story of each forge.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_engine::port::clock::SystemClock;
use gradus_remote::Secret;
use gradus_remote::forge::client::{Budget, ForgeAccess, ForgeClient};
use gradus_remote::forge::{
    Account, CheckState, ForgeApi, ForgeErrorKind, ForgeKind, MergeMethod, Merged, NewDeployment, NewPull,
    RepoAddress, open,
};
use gradus_remote::http::Tls;

use super::doubles::{AZURE_DEVOPS, BITBUCKET, BITBUCKET_SERVER, Double, Fault, GITLAB, Kind, Who, coverage};
use super::story::{self, BRANCH, FILE, Has, Place};

impl Double {
    fn reached(&self, address: RepoAddress, who: Who) -> Arc<dyn ForgeApi> {
        let authorization = Some(Secret::new((self.kind().authorization)(who)));
        let access = ForgeAccess { authorization, tls: Tls::default() };
        let client = ForgeClient::new(address.api(), access, &[], Budget::default(), Arc::new(SystemClock));
        let client = Arc::new(client.unwrap());
        open(client, address)
    }

    fn address(&self) -> RepoAddress {
        let kind = match self.kind().name {
            "gitlab" => ForgeKind::GitLab,
            "bitbucket-server" => ForgeKind::BitbucketServer,
            "bitbucket" => ForgeKind::Bitbucket,
            "azure-devops" => ForgeKind::AzureDevOps,
            other => panic!("{other}"),
        };
        RepoAddress::parse(kind, &self.repository(), None).unwrap()
    }

    /// Another repository in it.
    pub(super) fn at(&self, path: &str) -> Arc<dyn ForgeApi> {
        let mut owner: Vec<String> = path.split('/').map(str::to_owned).collect();
        let name = owner.pop().unwrap();
        self.reached(RepoAddress { owner, name, ..self.address() }, Who::Gradus)
    }

    /// The same, as if it were below a path.
    pub(super) fn at_path(&self, path: &str) -> Arc<dyn ForgeApi> {
        let own = self.address();
        self.reached(RepoAddress { web: format!("{}{path}", own.web), ..own }, Who::Gradus)
    }
}

#[async_trait]
impl Place for Double {
    fn api(&self, who: Who) -> Arc<dyn ForgeApi> {
        self.reached(self.address(), who)
    }

    fn ann(&self) -> Account {
        Account((self.kind().account)("ann").into())
    }

    fn gradus(&self) -> Account {
        Account((self.kind().account)("gradus").into())
    }

    async fn write(&self, branch: &str, on: &str, text: &str) -> CommitId {
        CommitId::parse(&self.commit(branch, on, FILE, text)).unwrap()
    }

    async fn tip(&self, branch: &str) -> Option<CommitId> {
        self.tip_of(branch).map(|tip| CommitId::parse(&tip).unwrap())
    }

    async fn file(&self, branch: &str) -> String {
        self.file_of(branch, FILE).unwrap()
    }

    async fn parents(&self, commit: &CommitId) -> usize {
        self.parents_of(commit.as_str())
    }

    async fn message(&self, commit: &CommitId) -> String {
        self.message_of(commit.as_str())
    }

    async fn retitle(&self, number: ProposalNumber, title: &str) {
        self.retitled(number.0, title);
    }

    async fn approve(&self, number: ProposalNumber) {
        self.approved(number.0);
    }

    async fn need_approval(&self) {
        self.approvals(1);
    }

    async fn open_from_fork(&self) -> ProposalNumber {
        ProposalNumber(self.forked(BRANCH, "main"))
    }

    async fn archive(&self) {
        self.archived();
    }
}

/// Everything of the story, each part in a repository of its own; then what only a double can do.
async fn whole(kind: &'static Kind, has: &Has) -> String {
    let mut seen = BTreeSet::new();
    macro_rules! part {
        ($place:ident => $story:expr) => {{
            let $place = Double::start(kind).await;
            $story.await;
            let calls = $place.seen();
            seen.extend(calls.iter().filter(|(_, status)| *status < 400).map(|(name, _)| *name));
        }};
    }
    part!(place => story::opens_and_changes(&place, has));
    part!(place => story::merges_what_was_seen(&place, has));
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::FastForward] {
        part!(place => story::merges_as_it_is_said(&place, has, method));
    }
    part!(place => story::says_that_branches_conflict(&place, has));
    part!(place => story::closes(&place));
    part!(place => story::ignores_forks(&place));
    part!(place => story::gives_statuses(&place));
    part!(place => story::talks(&place));
    part!(place => story::marks(&place, has));
    part!(place => deploys(&place, has));
    part!(place => super::dispatch::asks(&place));
    part!(place => story::knows_who_asks(&place, has));
    part!(place => story::tells_of_itself(&place));
    part!(place => guarded(&place));
    part!(place => pages(&place));
    part!(place => faults(&place, has));
    let (text, missed) = coverage(kind, &seen);
    assert!(missed.is_empty(), "{}: never called: {missed:?}", kind.name);
    text
}

/// Rules that name who may.
async fn guarded(place: &Double) {
    place.guarded();
    place.api(Who::Gradus).protection(&branch("main")).await.unwrap();
}

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

/// Where the forge shows which commit is where, it is told; elsewhere it says that it cannot.
async fn deploys(place: &Double, has: &Has) {
    let api = place.api(Who::Gradus);
    let head = place.tip("main").await.unwrap();
    if has.deployments {
        return story::deploys(&*api, &head).await;
    }
    let (environment, summary) = ("web/prod".to_owned(), "2 is healthy".to_owned());
    let (branch, state) = (branch("main"), CheckState::Passed);
    let new = NewDeployment { environment, commit: head, branch, state, summary };
    let error = api.deploy(&new, None).await.unwrap_err();
    assert!(matches!(error.kind(), ForgeErrorKind::Unsupported(_)), "{error:?}");
}

/// What is looked for is on a later page, among others that are not it.
async fn pages(place: &Double) {
    let api = place.api(Who::Gradus);
    // Azure DevOps has no small pages.
    let others = if place.kind().name == "azure-devops" { 101 } else { 5 };
    for _ in 0..others {
        place.forked(BRANCH, "main");
    }
    place.write(BRANCH, "main", "version: 2").await;
    let new = |title: &str| NewPull {
        head: branch(BRANCH),
        base: branch("main"),
        title: title.to_owned(),
        body: String::new(),
        draft: true,
    };
    let ours = api.create(&new("web 2 to prod")).await.unwrap();
    assert!(ours.draft, "{ours:?}");
    assert_eq!(ours.title, "web 2 to prod");
    assert_eq!(ours.number, ProposalNumber(others + 1));
    let found = api.find_open(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    assert_eq!(found.number, ours.number);
    api.close(ours.number).await.unwrap();
    let ended = api.find_ended(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    assert_eq!(ended.number, ours.number);
}

/// A forge that fails, limits, forgets to answer, and takes its time.
async fn faults(place: &Double, has: &Has) {
    let api = place.api(Who::Gradus);
    let head = place.write(BRANCH, "main", "version: 2").await;
    let new = NewPull {
        head: branch(BRANCH),
        base: branch("main"),
        title: "web 2 to prod".to_owned(),
        body: "1 -> 2\n".to_owned(),
        draft: false,
    };
    let end = place.kind().list_end;
    // It is surely not done, so it is tried again.
    place.fault("POST", end, Fault::Status(503));
    place.fault("POST", end, Fault::Limited);
    place.lists_lag(2);
    place.fault("POST", end, Fault::LoseAnswer);
    let error = api.create(&new).await.unwrap_err();
    assert_eq!(*error.kind(), ForgeErrorKind::OutcomeUnknown, "{error}");
    // What was opened is not in the lists yet.
    assert_eq!(api.find_open(&branch(BRANCH), &branch("main")).await.unwrap(), None);
    if has.refuses_duplicates {
        let error = api.create(&new).await.unwrap_err();
        assert_eq!(*error.kind(), ForgeErrorKind::AlreadyExists, "{error}");
    }
    assert_eq!(api.find_open(&branch(BRANCH), &branch("main")).await.unwrap(), None);
    place.fault("GET", end, Fault::Status(500));
    place.fault("GET", end, Fault::LoseRequest);
    let found = api.find_open(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    assert_eq!((found.number, found.head), (ProposalNumber(1), Some(head.clone())));
    place.seen();
    // What is as before costs nothing.
    api.get(found.number).await.unwrap();
    place.seen();
    api.get(found.number).await.unwrap();
    let statuses: Vec<u16> = place.seen().into_iter().map(|(_, status)| status).collect();
    assert!(!statuses.is_empty() && statuses.iter().all(|status| *status == 304), "{statuses:?}");
    place.thinks(3);
    let order = story::order(&head, MergeMethod::Merge);
    assert!(matches!(story::merged(&*api, found.number, &order).await, Ok(Merged::Done(_))));
}

#[tokio::test]
async fn gitlab_does_it_all() {
    let has = Has {
        refuses_duplicates: true,
        methods: &[MergeMethod::Merge, MergeMethod::Squash],
        labels: true,
        assignees: true,
        milestones: true,
        deployments: true,
        review_commits: true,
        scopes: Some("api"),
        needs_approval: "it needs more approvals",
        may_only_read: "the credentials lack the scope api",
        archives: true,
        tells_conflicts: true,
    };
    println!("{}", whole(&GITLAB, &has).await);
}

#[tokio::test]
async fn bitbucket_server_does_it_all() {
    let has = Has {
        refuses_duplicates: true,
        methods: &[MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::FastForward],
        labels: false,
        assignees: false,
        milestones: false,
        deployments: false,
        review_commits: true,
        scopes: None,
        needs_approval: "You still need 1 approval before this pull request can be merged.",
        may_only_read: "the credentials do not allow it",
        archives: true,
        tells_conflicts: true,
    };
    println!("{}", whole(&BITBUCKET_SERVER, &has).await);
}

#[tokio::test]
async fn bitbucket_does_it_all() {
    let has = Has {
        refuses_duplicates: false,
        methods: &[MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::FastForward],
        labels: false,
        assignees: false,
        milestones: false,
        deployments: false,
        review_commits: false,
        scopes: Some("pullrequest:write"),
        needs_approval: "At least 1 approval is required",
        may_only_read: "the credentials lack the scope pullrequest:write",
        archives: false,
        tells_conflicts: true,
    };
    println!("{}", whole(&BITBUCKET, &has).await);
}

#[tokio::test]
async fn azure_devops_does_it_all() {
    let has = Has {
        refuses_duplicates: true,
        methods: &[MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase],
        labels: true,
        assignees: false,
        milestones: false,
        deployments: false,
        review_commits: false,
        scopes: None,
        needs_approval: "Minimum number of reviewers (1) waits",
        may_only_read: "the credentials lack the permission PullRequestContribute",
        archives: true,
        tells_conflicts: true,
    };
    println!("{}", whole(&AZURE_DEVOPS, &has).await);
}
