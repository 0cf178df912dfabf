//! What is read: every endpoint, whole.

use gradus_server::api::v1;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::world::{Setup, World};

/// Asks, compares the whole answer, and reads it back into the shape it was written from.
async fn check<T: Serialize + DeserializeOwned>(name: &str, path: &str) {
    let world = World::plain().await;
    let answer = world.get(path).await;
    insta::assert_snapshot!(name, format!("GET {path}\n{}\n{}", answer.status, answer.pretty()));
    let read: T = answer.json();
    let again: serde_json::Value = serde_json::to_value(&read).unwrap();
    assert_eq!(again, answer.json::<serde_json::Value>(), "what is read is what was written");
}

#[tokio::test]
async fn pipelines() {
    check::<v1::PipelineList>("pipelines", "/api/v1/pipelines").await;
}

#[tokio::test]
async fn pipelines_by_page() {
    let world = World::plain().await;
    let first: v1::PipelineList = world.get("/api/v1/pipelines?limit=1").await.json();
    let names = |list: &v1::PipelineList| list.items.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&first), ["other"]);
    let next = first.next.expect("there are more");
    let second: v1::PipelineList = world.get(&format!("/api/v1/pipelines?limit=1&after={next}")).await.json();
    assert_eq!(names(&second), ["web"]);
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn pipeline() {
    check::<v1::Pipeline>("pipeline", "/api/v1/pipelines/apps/web").await;
}

#[tokio::test]
async fn explain() {
    check::<v1::Explanation>("explain", "/api/v1/pipelines/apps/web/explain?environment=prod").await;
    let world = World::plain().await;
    let told: v1::Explanation = world.get("/api/v1/pipelines/apps/web/explain?environment=prod").await.json();
    insta::assert_snapshot!("explain_text", told.text);
}

#[tokio::test]
async fn history() {
    check::<v1::History>("history", "/api/v1/pipelines/apps/web/history").await;
    check::<v1::History>("history_all", "/api/v1/pipelines/apps/web/history?all=true&environment=staging")
        .await;
}

#[tokio::test]
async fn history_by_page() {
    let world = World::plain().await;
    let whole: v1::History = world.get("/api/v1/pipelines/apps/web/history?all=true").await.json();
    let mut paged = Vec::new();
    let mut query = String::new();
    loop {
        let path = format!("/api/v1/pipelines/apps/web/history?all=true&limit=3{query}");
        let page: v1::History = world.get(&path).await.json();
        assert!(page.items.len() <= 3);
        paged.extend(page.items);
        let Some(next) = page.next else { break };
        query = format!("&before={next}");
    }
    assert!(paged.len() > 3, "there is more than a page");
    assert_eq!(paged, whole.items);
}

#[tokio::test]
async fn proposals() {
    check::<v1::ProposalList>("proposals", "/api/v1/pipelines/apps/web/proposals").await;
}

#[tokio::test]
async fn problems() {
    check::<v1::ProblemList>("problems", "/api/v1/problems").await;
}

#[tokio::test]
async fn holds() {
    check::<v1::HoldList>("no_holds", "/api/v1/holds").await;
}

#[tokio::test]
async fn version() {
    check::<v1::ServerVersion>("version", "/api/v1/version").await;
}

#[tokio::test]
async fn alive_and_ready() {
    let world = World::plain().await;
    assert_eq!(world.get("/healthz").await.body, "ok\n");
    check::<gradus_server::Readiness>("ready", "/readyz").await;
}

#[tokio::test]
async fn not_ready_says_what_is_missing() {
    let world = World::new(Setup { unread: true, ..Setup::default() }).await;
    let answer = world.get("/readyz").await;
    insta::assert_snapshot!("not_ready", format!("{}\n{}", answer.status, answer.pretty()));
}

#[tokio::test]
async fn metrics() {
    let world = World::plain().await;
    world.ask("POST /hooks/wake/apps/web", "").await;
    world.ask("POST /hooks/wake/apps/wrong", "").await;
    insta::assert_snapshot!("metrics", world.get("/metrics").await.body);
}
