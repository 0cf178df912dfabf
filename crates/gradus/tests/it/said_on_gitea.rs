//! What people say in a real forge, heard by the program: reviews, and commands in comments.

use std::time::Duration;

use gradus_testbed::GiteaUser;
use serde_json::{Value, json};

use crate::on_gitea::{Fleet, until};

const HOOKED: &[&str] = &["--poll", "1h", "--hook-key-file", "hook-key"];

/// Ann brings a version into `dev`.
async fn brings(fleet: &Fleet, version: &str) {
    let there = fleet.call(&fleet.ann, "GET", "/contents/dev.yaml", Value::Null).await;
    let file = format!("version: {version} # {{\"$promotion\": \"apps:web:dev\"}}\n");
    let change = json!({
        "branch": "main", "message": version, "sha": there["sha"], "content": base64(file.as_bytes()),
    });
    fleet.call(&fleet.ann, "PUT", "/contents/dev.yaml", change).await;
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

async fn reviews(fleet: &Fleet, who: &GiteaUser, event: &str) {
    fleet.call(who, "POST", "/pulls/1/reviews", json!({"event": event, "body": "as I see it"})).await;
}

async fn says(fleet: &Fleet, who: &GiteaUser, words: &str) {
    fleet.call(who, "POST", "/issues/1/comments", json!({"body": words})).await;
}

/// What gradus answered, each its first line, and its signs at the comments of people.
async fn answers(fleet: &Fleet) -> Vec<String> {
    let comments = fleet.call(&fleet.ann, "GET", "/issues/1/comments", Value::Null).await;
    let text = |comment: &Value| comment["body"].as_str().unwrap().to_owned();
    let ours = comments.as_array().unwrap().iter().map(text).filter(|body| body.starts_with('@'));
    ours.map(|body| body.lines().next().unwrap().to_owned()).collect()
}

async fn answered(fleet: &Fleet, expected: &[String]) {
    until("the answer", async || {
        let found = answers(fleet).await;
        if found == expected { Ok(()) } else { Err(format!("{found:#?}")) }
    })
    .await;
}

#[tokio::test]
async fn f20_reviews_let_a_version_in() {
    let fleet = Fleet::new(
        "    - {name: dev, targets: [git: {}]}
    - name: prod
      targets: [git: {}]
      gates: [approval: {min: 2, notAuthor: true}]
      promote: {strategy: pull-request, merge: auto, pullRequest: {reviews: true}}
",
        HOOKED,
    )
    .await;
    let (tom, mia) = (fleet.person("tom", "write").await, fleet.person("mia", "write").await);
    let eve = fleet.person("eve", "read").await;
    let open = "1 open gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.1.0";
    fleet.pulls("the proposal", &[open]).await;
    fleet.hook("only for tests").await;

    // Who brought it, and who may only read, may say so; it does not count.
    reviews(&fleet, &fleet.ann, "APPROVED").await;
    reviews(&fleet, &eve, "APPROVED").await;
    reviews(&fleet, &tom, "APPROVED").await;
    let server = ["--server", fleet.answers.as_str()];
    fleet.explained("prod", &server, "1 of 2").await;

    // A new version voids what was said of the one before.
    brings(&fleet, "1.2.0").await;
    let open = "1 open gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.2.0";
    fleet.pulls("the proposal of 1.2.0", &[open]).await;
    reviews(&fleet, &mia, "APPROVED").await;
    fleet.explained("prod", &server, "1 of 2").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    fleet.pulls("that it waits", &[open]).await;

    // What is taken back does not count either.
    reviews(&fleet, &mia, "REQUEST_CHANGES").await;
    fleet.explained("prod", &server, "0 of 2").await;
    reviews(&fleet, &tom, "APPROVED").await;
    fleet.explained("prod", &server, "1 of 2").await;
    reviews(&fleet, &mia, "APPROVED").await;
    let merged = "1 merged gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.2.0";
    fleet.pulls("the merge", &[merged]).await;
}

#[tokio::test]
async fn f17_comments_say_what_becomes_of_a_proposal() {
    let fleet = Fleet::new(
        "    - {name: dev, targets: [git: {}]}
    - name: prod
      targets: [git: {}]
      gates: [approval: {notAuthor: true}]
      promote: {strategy: pull-request, merge: auto, pullRequest: {commands: members}}
",
        HOOKED,
    )
    .await;
    let (tom, eve) = (fleet.person("tom", "write").await, fleet.person("eve", "read").await);
    fleet.hook("only for tests").await;
    let open = "1 open gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.1.0";
    fleet.pulls("the proposal", &[open]).await;
    until("what can be said", async || {
        let comments = fleet.call(&fleet.ann, "GET", "/issues/1/comments", Value::Null).await.to_string();
        if comments.contains("gradus: proposes 1.1.0") { Ok(()) } else { Err(comments) }
    })
    .await;

    // A reader is told so, once.
    says(&fleet, &eve, "/gradus approve").await;
    let mut expected = vec![format!(
        "@{}: nothing is done: who says so may not write to the repository. Commands are taken from members of this \
         repository who may write to it.",
        eve.name
    )];
    answered(&fleet, &expected).await;
    says(&fleet, &eve, "/gradus promote").await;

    says(&fleet, &tom, "/gradus hold the shop is closed").await;
    expected.push(format!("@{}: nothing comes into prod until somebody says `/gradus unhold`.", tom.name));
    answered(&fleet, &expected).await;
    fleet.explained("prod", &["--server", &fleet.answers], "until it is lifted").await;
    says(&fleet, &tom, "Fine by me.\n\n/gradus approve").await;
    expected.push(format!("@{}: your yes to 1.1.0 in prod is recorded.", tom.name));
    answered(&fleet, &expected).await;
    fleet.pulls("that it waits", &[open]).await;
    says(&fleet, &tom, "/gradus explain").await;
    expected.push(format!("@{}: this is how it stands.", tom.name));
    answered(&fleet, &expected).await;
    says(&fleet, &tom, "/gradus unhold").await;
    let merged = "1 merged gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.1.0";
    fleet.pulls("the merge", &[merged]).await;
    expected.push(format!("@{}: what a comment held in prod is not held any more.", tom.name));
    answered(&fleet, &expected).await;
}
