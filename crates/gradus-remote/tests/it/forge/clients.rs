//! Clients that others wrote, each of which plays the same story on its forge: what the doubles answer is read by more
//! than gradus, and what gradus does is seen by others, and the other way round.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_remote::forge::{CheckState, ForgeApi, NewCheck, NewPull, PullState};
use gradus_testbed::{Tool, find_tool};
use serde_json::json;

use super::doubles::{AZURE_DEVOPS, BITBUCKET, BITBUCKET_SERVER, Double, GITLAB, Kind, Who, coverage};
use super::scene::Scene;
use super::story::Place as _;

/// The branches, of which gradus opens the first.
pub(super) const BRANCHES: [&str; 4] = ["first", "second", "third", "fourth"];

/// It takes a second; a real forge takes its time.
const PATIENCE: Duration = Duration::from_secs(300);

/// A forge, and with what it is reached.
pub(super) struct Stage<'a> {
    pub(super) kind: &'a str,
    pub(super) url: &'a str,
    pub(super) repository: &'a str,
    pub(super) token: &'a str,
    pub(super) reader: &'a str,
}

impl Stage<'_> {
    /// What the client saw.
    pub(super) async fn played(&self) -> String {
        let program = find_tool(Tool::ForgeClients).await.unwrap();
        let mut command = tokio::process::Command::new(program);
        command.args([self.kind, self.url, self.repository]).env_clear().kill_on_drop(true);
        command.env("FORGE_TOKEN", self.token).env("FORGE_READER", self.reader);
        let output = tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stderr));
        said
    }
}

/// What is there before the client comes: gradus has opened the first and says how it stands.
pub(super) async fn opened(api: &dyn ForgeApi) {
    let branch = |name: &str| BranchName::parse(name).unwrap();
    let new = NewPull {
        head: branch("first"),
        base: branch("main"),
        title: "web 1 to prod".to_owned(),
        body: "0 -> 1\n".to_owned(),
        draft: false,
    };
    let pull = api.create(&new).await.unwrap();
    assert_eq!(pull.number, ProposalNumber(1));
    let check = NewCheck {
        name: "gradus/web/prod".to_owned(),
        state: CheckState::Pending,
        summary: "1: waiting for approval".to_owned(),
        url: Some("https://gradus.acme.io/web/prod".into()),
    };
    api.set_check(&pull.head.unwrap(), &check).await.unwrap();
}

/// What gradus sees of what the client did.
pub(super) async fn seen(api: &dyn ForgeApi) -> String {
    let mut text = String::new();
    for number in 1..=4 {
        let pull = api.get(ProposalNumber(number)).await.unwrap();
        let state = match &pull.state {
            PullState::Open => "open".to_owned(),
            PullState::Merged { commit, by } => {
                assert!(commit.is_some());
                format!("merged by {:?}", by.as_ref().map(|by| &*by.0))
            }
            PullState::Closed { by, .. } => format!("closed by {:?}", by.as_ref().map(|by| &*by.0)),
        };
        let labels: Vec<&str> = pull.labels.iter().map(|label| &*label.0).collect();
        text.push_str(&format!("{number} {state}: {:?} {:?} {labels:?}\n", pull.title, pull.body));
    }
    for comment in api.comments(ProposalNumber(2)).await.unwrap() {
        text.push_str(&format!("2 {}: {}\n", comment.by.0, comment.body));
    }
    text
}

/// The checks of a commit, as gradus sees them.
async fn checks(api: &dyn ForgeApi, head: &CommitId) -> String {
    let line = |check: gradus_remote::forge::Check| format!("{} {:?}\n", check.name, check.state);
    api.checks(head).await.unwrap().into_iter().map(line).collect()
}

/// The story on a double, with what gradus sees of it, and which calls it takes.
async fn played(kind: &'static Kind, repository: &str, token: &str, reader: &str) -> String {
    let double = Double::start(kind).await;
    for name in BRANCHES {
        double.commit(name, "main", &format!("{name}.txt"), name);
    }
    let api = double.api(Who::Gradus);
    opened(&*api).await;
    double.approved(1);
    double.seen();
    let stage = Stage { kind: kind.name, url: double.url(), repository, token, reader };
    let saw = stage.played().await;
    let calls: BTreeSet<&str> =
        double.seen().into_iter().filter(|(_, status)| *status < 400).map(|(name, _)| name).collect();
    assert_eq!(double.file_of("main", "second.txt").as_deref(), Some("second"));
    let head = CommitId::parse(&double.tip_of("second").unwrap()).unwrap();
    let (covered, missed) = coverage(kind, &calls);
    format!(
        "{saw}\n# gradus\n{}{}\n# calls\n{}\nnot made: {}\n",
        seen(&*api).await,
        checks(&*api, &head).await,
        covered.lines().next().unwrap_or_default(),
        missed.join(", ")
    )
}

#[tokio::test]
async fn gitlab() {
    insta::assert_snapshot!(played(&GITLAB, "shop/apps/fleet", "glpat-gradus", "glpat-reader").await);
}

#[tokio::test]
async fn bitbucket() {
    insta::assert_snapshot!(played(&BITBUCKET, "acme/fleet", "gradus:app", "reader").await);
}

#[tokio::test]
async fn bitbucket_data_center() {
    insta::assert_snapshot!(played(&BITBUCKET_SERVER, "SHOP/fleet", "gradus", "ann:secret").await);
}

#[tokio::test]
async fn azure_devops() {
    insta::assert_snapshot!(played(&AZURE_DEVOPS, "acme/Web Shop/fleet", "pat", "old").await);
}

/// One that is no double: what the story expects is so in reality.
#[tokio::test]
async fn gitea() {
    let scene = Scene::new().await;
    for name in BRANCHES {
        // The name of the branch.
        let file = json!({"branch": "main", "new_branch": name, "content": "bmFtZQo=", "message": name});
        scene.ann("POST", &format!("/contents/{name}.txt"), file).await;
    }
    let api: Arc<dyn ForgeApi> = scene.api(&scene.bot.token);
    opened(&*api).await;
    scene.ann("POST", "/pulls/1/reviews", json!({"event": "APPROVED"})).await;
    let scopes = ["read:repository", "read:issue"];
    let reader = scene.gitea.token(&scene.bot.name, &scene.bot.password, &scopes).await.unwrap();
    let (url, repository) = (scene.gitea.url(), format!("{}/{}", scene.ann.name, scene.name));
    let (token, repository) = (&*scene.bot.token, &*repository);
    let stage = Stage { kind: "gitea", url: &url, repository, token, reader: &reader };
    let text = format!("{}\n# gradus\n{}", stage.played().await, seen(&*api).await);
    let text = text.replace(&scene.ann.name, "ann").replace(&scene.bot.name, "gradus");
    insta::assert_snapshot!(text.replace(&scene.name, "fleet"));
}
