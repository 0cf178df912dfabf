//! The engine's port on each of the forges that are doubles.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, EnvironmentName, PipelineKey, ProposalNumber};
use gradus_core::pipeline::Repository;
use gradus_core::plan::CloseReason;
use gradus_engine::fake::FakeClock;
use gradus_engine::port::Forge as _;
use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::forge::{Extras, MergeWay, ProposalPlace, ProposalText};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_remote::forge::{ForgeApi, ForgeApis, PullState, RemoteForge, Verdict};
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use jiff::{SignedDuration, Timestamp};

use super::doubles::{AZURE_DEVOPS, BITBUCKET, BITBUCKET_SERVER, Double, Fault, GITLAB, Kind, Who};
use super::scene::at_once;
use super::story::{BRANCH, FILE, Place};
use crate::server::{Server, Settings};

struct One(Arc<dyn ForgeApi>);

impl ForgeApis for One {
    fn open(&self, _repository: &Repository) -> Result<Arc<dyn ForgeApi>, PortError> {
        Ok(self.0.clone())
    }
}

/// A forge, and the Git server of its repository.
struct Scene {
    double: Double,
    _git: Server,
    place: ProposalPlace,
    repos: Arc<WireRepos>,
    forge: RemoteForge,
}

impl Scene {
    async fn new(kind: &'static Kind) -> Self {
        let double = Double::start(kind).await;
        let git = Server::start(&double.git_root(), Settings::default()).await;
        let folder = SecretFolder { folder: None, otherwise: RemoteOptions::default() };
        let repos = Arc::new(WireRepos::new(Arc::new(folder), Committer::default()));
        let url = format!("{}/fleet.git", git.url()).into();
        let place = ProposalPlace {
            repository: Repository {
                url,
                branch: None,
                paths: Vec::new(),
                secret: None,
                forge: None,
                commit: Default::default(),
            },
            base: BranchName::parse("main").unwrap(),
            branch: BranchName::parse(BRANCH).unwrap(),
            pipeline: PipelineKey::parse("apps/web").unwrap(),
            environment: EnvironmentName::parse("prod").unwrap(),
        };
        let forge = Self::forge(&double, &repos);
        Self { double, _git: git, place, repos, forge }
    }

    /// A gradus that was started just now.
    fn forge(double: &Double, repos: &Arc<WireRepos>) -> RemoteForge {
        RemoteForge::new(Arc::new(One(double.api(Who::Gradus))), repos.clone(), Arc::new(SystemClock))
    }

    async fn merge(&self, number: ProposalNumber, head: &CommitId) -> Result<Written, PortError> {
        let main = self.double.tip("main").await.unwrap();
        let order = CommitOrder {
            branch: self.place.base.clone(),
            expect: Some(main.clone()),
            parents: vec![head.clone(), main],
            tree_of: head.clone(),
            files: BTreeMap::new(),
            message: "web: prod gets 3\n\nProven in staging.\n".to_owned(),
            at: Timestamp::from_second(1_800_000_000).unwrap(),
        };
        self.forge.merge(&self.place, number, head, &order, MergeWay::default()).await.map(at_once)
    }

    /// How many calls changed something, since the last look.
    fn writes(&self) -> Vec<&'static str> {
        let is_write = |name: &str| {
            self.double.kind().calls.iter().any(|call| call.name == name && call.method() != "GET")
        };
        self.double.seen().into_iter().map(|(name, _)| name).filter(|name| is_write(name)).collect()
    }
}

fn text(head: &CommitId, version: u32, body: &str) -> ProposalText {
    let title = format!("web {version} to prod");
    ProposalText {
        head: head.clone(),
        title,
        body: body.to_owned(),
        at: Timestamp::now(),
        extras: Extras::default(),
    }
}

async fn goes_from_open_to_merged(kind: &'static Kind) {
    let scene = Scene::new(kind).await;
    let name = kind.name;
    let head = scene.double.write(BRANCH, "main", "version: 2").await;
    let record = scene.forge.ensure(&scene.place, &text(&head, 2, "1 -> 2\n")).await.unwrap();
    assert_eq!(
        scene.writes(),
        ["create a pull request".replace("pull", if name == "gitlab" { "merge" } else { "pull" })]
    );
    // Nothing to do makes no write, also for who knows of nothing.
    scene.forge.ensure(&scene.place, &text(&head, 2, "1 -> 2\n")).await.unwrap();
    let fresh = Scene::forge(&scene.double, &scene.repos);
    assert_eq!(fresh.find(&scene.place, &head).await.unwrap(), Some(record.clone()), "{name}");
    assert!(scene.writes().is_empty(), "{name}");
    // A newer version changes the same one, and what is too long is cut to what the forge keeps.
    let head = scene.double.write(BRANCH, BRANCH, "version: 3").await;
    let long = "a line of the text that nobody reads to its end\n".repeat(800);
    for _ in 0..2 {
        let again = scene.forge.ensure(&scene.place, &text(&head, 3, &long)).await.unwrap();
        assert_eq!(again.number, record.number, "{name}");
    }
    assert_eq!(scene.writes().len(), 1, "{name}");
    let Written::Done(commit) = scene.merge(record.number, &head).await.unwrap() else { panic!("{name}") };
    assert_eq!(scene.double.tip("main").await, Some(commit), "{name}");
    assert_eq!(scene.double.file("main").await, "version: 3");
    assert_eq!(scene.double.tip(BRANCH).await, None, "{name}");
}

async fn a_lost_answer_does_nothing_twice(kind: &'static Kind) {
    let scene = Scene::new(kind).await;
    let name = kind.name;
    let head = scene.double.write(BRANCH, "main", "version: 2").await;
    let end = kind.list_end;
    scene.double.fault("POST", end, Fault::LoseRequest);
    let error = scene.forge.ensure(&scene.place, &text(&head, 2, "1 -> 2\n")).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown, "{name}: {}", error.in_full());
    scene.double.fault("POST", end, Fault::LoseAnswer);
    scene.double.lists_lag(1);
    let lost = scene.forge.ensure(&scene.place, &text(&head, 2, "1 -> 2\n")).await;
    assert!(lost.is_err(), "{name}: not in the list yet");
    let record = scene.forge.ensure(&scene.place, &text(&head, 2, "1 -> 2\n")).await.unwrap();
    assert_eq!(record.number, ProposalNumber(1), "{name}");
    let (method, path) = match name {
        "gitlab" => ("PUT", "/merge"),
        "azure-devops" => ("PATCH", "/pullrequests/1"),
        _ => ("POST", "/merge"),
    };
    scene.double.fault(method, path, Fault::LoseRequest);
    let error = scene.merge(record.number, &head).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown, "{name}: {}", error.in_full());
    scene.double.fault(method, path, Fault::LoseAnswer);
    let merged = scene.merge(record.number, &head).await.unwrap();
    assert_eq!(Some(merged), scene.double.tip("main").await.map(Written::Done), "{name}");
    assert_eq!(scene.double.file("main").await, "version: 2");
}

async fn closes_with_a_reason(kind: &'static Kind) {
    let scene = Scene::new(kind).await;
    let name = kind.name;
    let head = scene.double.write(BRANCH, "main", "version: 2").await;
    let record = scene.forge.ensure(&scene.place, &text(&head, 2, "1 -> 2\n")).await.unwrap();
    for _ in 0..2 {
        scene.forge.close(&scene.place, record.number, &head, &CloseReason::Overtaken).await.unwrap();
    }
    let api = scene.double.api(Who::Gradus);
    let said: Vec<String> =
        api.comments(record.number).await.unwrap().into_iter().map(|comment| comment.body).collect();
    assert_eq!(said, ["Closed: the environment has moved past it.\n\n<!-- gradus: closed -->"], "{name}");
    assert!(matches!(api.get(record.number).await.unwrap().state, PullState::Closed { .. }), "{name}");
    assert_eq!(scene.double.tip(BRANCH).await, None, "{name}");
    assert_eq!(scene.double.file_of("main", FILE).as_deref(), Some("version: 1"));
}

/// Ten open proposals, each with its branch's commit, and a gradus whose clock is ours.
async fn ten_open(scene: &Scene) -> (RemoteForge, FakeClock, Vec<(ProposalPlace, CommitId, ProposalNumber)>) {
    let clock = FakeClock::default();
    let apis = Arc::new(One(scene.double.api(Who::Gradus)));
    let forge = RemoteForge::new(apis, scene.repos.clone(), Arc::new(clock.clone()));
    let mut open = Vec::new();
    for number in 0..10 {
        let name = format!("gradus/apps/web-{number}/prod");
        let head = scene.double.write(&name, "main", "version: 2").await;
        let place = ProposalPlace { branch: BranchName::parse(&name).unwrap(), ..scene.place.clone() };
        let record = forge.ensure(&place, &text(&head, 2, "1 -> 2\n")).await.unwrap();
        open.push((place, head, record.number));
    }
    scene.double.seen();
    (forge, clock, open)
}

/// Many open proposals share the calls of an hour, and each is asked as before; of one that the forge tells of, it
/// is heard at once.
#[tokio::test]
async fn open_proposals_share_the_calls_of_an_hour() {
    let scene = Scene::new(&GITLAB).await;
    let (forge, clock, open) = ten_open(&scene).await;
    let looks = async |minutes: u32| {
        for _ in 0..2 * minutes {
            clock.advance(SignedDuration::from_secs(30));
            for (place, head, _) in &open {
                assert!(forge.find(place, head).await.unwrap().is_some());
            }
        }
        scene.double.seen()
    };
    // The answers to the first looks are the ones that are compared later.
    looks(2).await;
    let calls = looks(10).await;
    // Three seconds apart would be 200.
    assert!((100..=200).contains(&calls.len()), "{} calls", calls.len());
    assert!(calls.iter().all(|(_, status)| *status == 304), "{calls:?}");
    forge.heard(&scene.place.repository.url);
    let told = looks(9).await;
    assert_eq!(told.len(), open.len(), "once each, and not again for a while");
    forge.heard_of(&scene.place.repository.url, &open[7].0.branch);
    assert_eq!(looks(0).await.len() + looks(1).await.len(), 1);
}

/// What people say there is asked for within the same share. What would let a version in is asked for each time.
#[tokio::test]
async fn what_is_said_shares_the_calls_of_an_hour() {
    let scene = Scene::new(&GITLAB).await;
    let (forge, clock, open) = ten_open(&scene).await;
    let look = async |(place, head, number): &(ProposalPlace, CommitId, ProposalNumber)| {
        assert!(forge.find(place, head).await.unwrap().is_some());
        let said = forge.comments(place, *number).await.unwrap();
        (said.len(), forge.reviews(place, *number).await.unwrap().len())
    };
    let looks = async |minutes: u32| {
        for _ in 0..2 * minutes {
            clock.advance(SignedDuration::from_secs(30));
            for one in &open {
                look(one).await;
            }
        }
        scene.double.seen()
    };
    looks(4).await;
    let calls = looks(10).await;
    assert!((100..=200).contains(&calls.len()), "{} calls", calls.len());
    assert!(calls.iter().all(|(_, status)| *status == 304), "{calls:?}");
    // What gradus said is heard at the next look, what others said once their turn came.
    let (seven, three) = (&open[7], &open[3]);
    forge.say(&seven.0, seven.2, "as asked", None).await.unwrap();
    assert_eq!(look(seven).await, (1, 0));
    scene.double.approved(three.2.0);
    scene.double.api(Who::Gradus).comment(three.2, "looks good").await.unwrap();
    scene.double.seen();
    looks(2).await;
    assert_eq!(look(three).await, (1, 1));
    scene.double.seen();
    look(three).await;
    look(three).await;
    let calls: Vec<_> = scene.double.seen().into_iter().map(|(name, _)| name).collect();
    let asked = ["approvals", "list versions", "reviewers"];
    assert_eq!(calls, [asked, asked].concat(), "a yes may have been taken back");
    // Told, it is asked at once.
    scene.double.api(Who::Gradus).comment(seven.2, "why?").await.unwrap();
    forge.heard_of(&scene.place.repository.url, &seven.0.branch);
    // The first page of comments is as before; there is a second one now.
    assert_eq!(look(seven).await, (2, 0));
}

/// GitLab's approvals name no commit; when they were given tells.
#[tokio::test]
async fn an_approval_in_gitlab_is_of_what_was_there() {
    let scene = Scene::new(&GITLAB).await;
    let first = scene.double.write(BRANCH, "main", "version: 2").await;
    let record = scene.forge.ensure(&scene.place, &text(&first, 2, "1 -> 2\n")).await.unwrap();
    let api = scene.double.api(Who::Gradus);
    let on = async || {
        let reviews = api.reviews(record.number).await.unwrap();
        reviews.into_iter().map(|review| review.on).collect::<Vec<_>>()
    };
    assert_eq!(on().await, []);
    scene.double.approved(record.number.0);
    assert_eq!(on().await, [Some(first.clone())]);
    // More than a page of versions later it is of the first one still.
    for version in 3..8 {
        scene.double.write(BRANCH, BRANCH, &format!("version: {version}")).await;
        api.get(record.number).await.unwrap();
    }
    assert_eq!(on().await, [Some(first)]);
    // Whoever asked for changes has not approved, whatever else is told of them.
    scene.double.reviewed(record.number.0, false);
    let said = api.reviews(record.number).await.unwrap();
    assert_eq!(said.iter().map(|review| review.verdict).collect::<Vec<_>>(), [Verdict::Changes]);
}

const KINDS: [&Kind; 4] = [&GITLAB, &BITBUCKET_SERVER, &BITBUCKET, &AZURE_DEVOPS];

#[tokio::test]
async fn every_forge_goes_from_open_to_merged() {
    for kind in KINDS {
        goes_from_open_to_merged(kind).await;
    }
}

#[tokio::test]
async fn a_lost_answer_does_nothing_twice_in_any_forge() {
    for kind in KINDS {
        a_lost_answer_does_nothing_twice(kind).await;
    }
}

#[tokio::test]
async fn every_forge_closes_with_a_reason() {
    for kind in KINDS {
        closes_with_a_reason(kind).await;
    }
}
