//! What people see on GitHub of how an environment stands, and what it costs.

use std::sync::Arc;

use gradus_core::names::{CommitId, ProposalNumber};
use gradus_core::pipeline::Reviewer;
use gradus_core::tell::Light;
use gradus_engine::port::Forge as _;
use gradus_engine::port::forge::{
    Deployed, Extras, MergeWay, Merging, ProposalText, Standing, Status, Sticky,
};
use gradus_engine::port::repo::Written;
use gradus_remote::forge::{Label, RemoteForge};

use super::{BRANCH, Scene, at};

const NAME: &str = "gradus/web/prod";

fn status(commit: &CommitId, light: Light, summary: &str) -> Status {
    let (commit, summary) = (commit.clone(), summary.to_owned());
    Status { commit, name: NAME.to_owned(), light, summary, url: None }
}

fn sticky(mark: &str, text: &str) -> Option<Sticky> {
    Some(Sticky { number: ProposalNumber(1), mark: mark.to_owned(), text: text.to_owned() })
}

fn deployed(commit: &CommitId, light: Light) -> Option<Deployed> {
    let (environment, commit) = ("web/prod".to_owned(), commit.clone());
    Some(Deployed { environment, commit, light, summary: "2 is healthy in prod".to_owned() })
}

/// Tells twice: what is so already costs nothing.
async fn told(scene: &Scene, forge: &RemoteForge, standing: &Standing) -> Vec<String> {
    forge.tell(&scene.place, standing).await.unwrap();
    let calls = scene.server.calls();
    forge.tell(&scene.place, standing).await.unwrap();
    assert_eq!(scene.server.calls(), Vec::<String>::new(), "it was told again");
    calls
}

/// The statuses of a commit, the newest last.
fn marks(scene: &Scene, commit: &CommitId) -> Vec<String> {
    let hub = scene.server.hub();
    let statuses = hub.statuses.get(commit.as_str()).map(Vec::as_slice).unwrap_or_default();
    let shown = |status: &serde_json::Value| {
        let of = |member: &str| status[member].as_str().unwrap().to_owned();
        format!("{} {}: {}", of("context"), of("state"), of("description"))
    };
    statuses.iter().map(shown).collect()
}

#[tokio::test]
async fn a21_a_status_for_each_environment_is_on_the_commit_that_is_deployed_there() {
    let scene = Scene::new().await;
    let main = at(&scene.git, "main");
    let mut standing = Standing::default();
    for (environment, light) in [("staging", Light::Good), ("prod", Light::Pending)] {
        let mut of = status(&main, light, &format!("1 in {environment}"));
        of.name = format!("gradus/web/{environment}");
        standing.statuses.push(of);
    }
    // Who was started just now looks once whether they are there.
    let reads = ["GET commits/{}/status 200", "GET commits/{}/check-runs 200"];
    let calls: Vec<String> = told(&scene, &scene.forge, &standing)
        .await
        .iter()
        .map(|call| call.replace(main.as_str(), "{}"))
        .collect();
    assert_eq!(calls.iter().filter(|call| reads.contains(&call.as_str())).count(), 2, "{calls:?}");
    assert_eq!(calls.iter().filter(|call| call.starts_with("POST statuses/")).count(), 2, "{calls:?}");
    assert_eq!(
        marks(&scene, &main),
        ["gradus/web/staging success: 1 in staging", "gradus/web/prod pending: 1 in prod"]
    );
    standing.statuses[1].light = Light::Bad;
    assert_eq!(told(&scene, &scene.forge, &standing).await.len(), 1);
    assert_eq!(marks(&scene, &main).len(), 3);
    // Another one finds them, and marks nothing anew.
    let calls = told(&scene, &scene.another("ghp_gradus"), &standing).await;
    assert!(calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");
    assert_eq!(marks(&scene, &main).last().unwrap(), "gradus/web/prod failure: 1 in prod");
}

#[tokio::test]
async fn a_promotion_with_everything_on_costs_four_calls_more() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let mut calls = scene.server.calls();
    let waits = Standing {
        statuses: vec![status(&head, Light::Pending, "2: waiting for approval")],
        comment: sticky("a", "waits"),
        deployed: None,
    };
    let mut more = told(&scene, &scene.forge, &waits).await;
    let goes = Standing {
        statuses: vec![status(&head, Light::Good, "2: its gates have passed")],
        comment: sticky("b", "goes in"),
        deployed: None,
    };
    more.extend(told(&scene, &scene.forge, &goes).await);
    let Written::Done(merged) = scene.merge(&head).await else { panic!("not merged") };
    calls.extend(scene.server.calls());
    assert_eq!(more.len(), 4, "{more:?}");
    assert_eq!(calls.len(), 5, "GitHub asks for one look more before it merges: {calls:?}");
    assert_eq!(
        marks(&scene, &head),
        [
            "gradus/web/prod pending: 2: waiting for approval",
            "gradus/web/prod success: 2: its gates have passed"
        ]
    );
    let said: Vec<String> = scene
        .api("ghp_gradus")
        .comments(ProposalNumber(1))
        .await
        .unwrap()
        .into_iter()
        .map(|said| said.body)
        .collect();
    assert_eq!(said, ["goes in\n<!-- gradus: standing b -->\n"]);
    // Once it runs: the commit is marked, and GitHub's own page of environments shows it.
    scene.server.calls();
    let works = Standing {
        statuses: vec![status(&merged, Light::Good, "2 is healthy in prod")],
        comment: None,
        deployed: deployed(&merged, Light::Good),
    };
    let calls = told(&scene, &scene.forge, &works).await;
    assert_eq!(calls.len(), 3, "{calls:?}");
    let fails = Standing { deployed: deployed(&merged, Light::Bad), ..works.clone() };
    assert_eq!(told(&scene, &scene.forge, &fails).await, ["POST deployments/1/statuses 201"]);
    let shown =
        vec![(merged.to_string(), "web/prod".to_owned(), vec!["success".to_owned(), "failure".to_owned()])];
    assert_eq!(scene.server.hub().deployments, shown);
    // Who is started anew finds the deployment, the status and the comment.
    let calls = told(&scene, &scene.another("ghp_gradus"), &fails).await;
    assert!(calls.iter().all(|call| call.starts_with("GET ")), "{calls:?}");
}

#[tokio::test]
async fn the_one_comment_is_found_again_and_made_again_if_somebody_deletes_it() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let says = |mark: &str, text: &str| Standing { comment: sticky(mark, text), ..Standing::default() };
    told(&scene, &scene.forge, &says("a", "one")).await;
    let another = scene.another("ghp_gradus");
    assert_eq!(
        told(&scene, &another, &says("a", "one, a day later")).await,
        ["GET issues/1/comments 200", "GET user 200"]
    );
    assert_eq!(told(&scene, &another, &says("b", "two")).await.len(), 1);
    scene.server.hub().pulls[0].comments.clear();
    assert_eq!(
        told(&scene, &another, &says("c", "three")).await.last().map(String::as_str),
        Some("POST issues/1/comments 201")
    );
    assert_eq!(scene.server.hub().pulls[0].comments.len(), 1);
}

#[tokio::test]
async fn what_else_is_wanted_is_asked_for_once_and_what_people_add_stays() {
    let scene = Scene::new().await;
    let head = scene.branch(2);
    let extras = |labels: &[&str]| Extras {
        labels: labels.iter().map(|label| Arc::from(*label)).collect(),
        reviewers: vec![Reviewer::parse("ann").unwrap(), Reviewer::parse("acme/release").unwrap()],
        assignees: vec!["ann".into()],
        draft: false,
        milestone: Some("1.2".into()),
    };
    let text = |head: &CommitId, version, labels: &[&str]| ProposalText {
        extras: extras(labels),
        ..scene.text(head, version)
    };
    let first = text(&head, 2, &["promotion", "v2"]);
    scene.forge.ensure(&scene.place, &first).await.unwrap();
    let calls = scene.server.calls();
    assert_eq!(calls.iter().filter(|call| !call.starts_with("GET ")).count(), 7, "{calls:?}");
    {
        let mut hub = scene.server.hub();
        let pull = &mut hub.pulls[0];
        assert_eq!((&pull.reviewers, &pull.teams), (&vec!["ann".to_owned()], &vec!["release".to_owned()]));
        assert_eq!((&pull.assignees, pull.milestone), (&vec!["ann".to_owned()], Some(3)));
        assert_eq!(pull.labels, ["promotion", "v2"]);
        pull.labels.push("bug".to_owned());
    }
    scene.forge.ensure(&scene.place, &first).await.unwrap();
    assert_eq!(scene.server.calls(), Vec::<String>::new(), "nothing has changed");
    // A newer release: its label takes the place of the other, and nobody is asked anew.
    scene.forge.heard(&scene.place.repository.url);
    scene.forge.find(&scene.place, &head).await.unwrap();
    let head = scene.branch(3);
    scene.server.calls();
    scene.forge.ensure(&scene.place, &text(&head, 3, &["promotion", "v3"])).await.unwrap();
    let writes: Vec<String> =
        scene.server.calls().into_iter().filter(|call| !call.starts_with("GET ")).collect();
    assert_eq!(writes, ["PATCH pulls/1 200", "POST labels 201", "PUT issues/1/labels 200"]);
    let api = scene.api("ghp_gradus");
    let labels = api.get(ProposalNumber(1)).await.unwrap().labels;
    assert_eq!(labels, ["bug", "promotion", "v3"].map(|label| Label(label.into())).into());
    // Merged as it is said.
    let order = scene.order(&head);
    let way = MergeWay { method: Some(gradus_core::pipeline::MergeMethod::Squash), queue: false };
    let merged = scene.forge.merge(&scene.place, ProposalNumber(1), &head, &order, way).await.unwrap();
    let Merging::Now(Written::Done(commit)) = merged else { panic!("{merged:?}") };
    let parents = scene.git.git(&["-C", "repo.git", "log", "-1", "--format=%P", commit.as_str()]);
    assert_eq!(parents.split(' ').count(), 1);
    assert_eq!(scene.tip(BRANCH), None);
}

#[tokio::test]
async fn github_merges_later_what_it_was_told_to() {
    let scene = Scene::new().await;
    scene.server.hub().required = Some("ci/test");
    let head = scene.branch(2);
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let (order, way) = (scene.order(&head), MergeWay { method: None, queue: true });
    let told = || scene.forge.merge(&scene.place, ProposalNumber(1), &head, &order, way);
    scene.server.calls();
    assert_eq!(told().await.unwrap(), Merging::Later);
    assert_eq!(scene.server.calls(), ["GET pulls/1 200", "POST /api/graphql 200"]);
    let ordered = scene.server.hub().pulls[0].ordered.take().unwrap();
    assert_eq!(
        (&ordered["mergeMethod"], &ordered["expectedHeadOid"]),
        (&"MERGE".into(), &head.as_str().into())
    );
    let record = scene.forge.find(&scene.place, &head).await.unwrap().unwrap();
    assert!(record.queued.is_some());
    // What could be merged at once goes into the queue where the branch has one, and is merged where it has none.
    scene.server.hub().required = None;
    scene.server.hub().has_queue = true;
    assert_eq!(told().await.unwrap(), Merging::Later);
    let ordered = scene.server.hub().pulls[0].ordered.take().unwrap();
    assert_eq!(ordered.get("mergeMethod"), None, "it was not put into the queue");
    scene.server.hub().has_queue = false;
    assert!(matches!(told().await.unwrap(), Merging::Now(Written::Done(_))));
}
