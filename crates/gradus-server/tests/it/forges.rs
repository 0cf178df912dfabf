//! The webhooks of forges: what each sends, signed as each does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aws_lc_rs::hmac;
use gradus_server::Limits;
use gradus_server::hooks::Taken;
use gradus_server::port::{About, ForgeEvent};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Answer, ask};
use crate::world::{Setup, World};

const KEY: &str = "s3cret";
const KEYS: &[(&str, &str)] = &[("token", "s3cret\n"), ("forge.bitbucket", "of bitbucket\n")];

/// What a forge sends, with all that is not looked at left out.
#[derive(Deserialize)]
struct Sent {
    forge: String,
    name: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

async fn world() -> World {
    World::new(Setup { hook_files: KEYS, ..Setup::default() }).await
}

/// What the forge proves with that it has the key.
fn signed(forge: &str, key: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    match forge {
        "github" => format!("X-Hub-Signature-256: sha256={hex}"),
        "gitea" | "forgejo" => format!("X-Gitea-Signature: {hex}"),
        "gitlab" => format!("X-Gitlab-Token: {key}"),
        "bitbucket" | "bitbucket-server" => format!("X-Hub-Signature: sha256={hex}"),
        // anybody:s3cret
        _ => "Authorization: Basic YW55Ym9keTpzM2NyZXQ=".to_owned(),
    }
}

fn key_of(forge: &str) -> &'static str {
    if forge == "bitbucket" { "of bitbucket" } else { KEY }
}

async fn send(world: &World, forge: &str, headers: &str, body: &[u8]) -> Answer {
    let head =
        format!("POST /hooks/forge/{forge}\nHost: gradus.acme.io\nContent-Type: application/json\n{headers}");
    ask(world.hooks_at.unwrap(), head.trim(), body).await
}

fn headers(sent: &Sent) -> String {
    sent.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

/// A line about what was understood.
fn told(event: Option<ForgeEvent>) -> String {
    let Some(event) = event else { return String::new() };
    let about = match event.about {
        About::Branches(names) => format!("branches {names:?}"),
        About::Proposal { number, branch } => format!("proposal {number:?} of {branch:?}"),
        About::Commit(id) => format!("commit {id}"),
    };
    let ForgeEvent { forge, urls, name, default_branch, .. } = event;
    format!("\n  {about}\n  {forge} {name:?}, {default_branch:?} {urls:#?}")
}

#[tokio::test]
async fn what_each_forge_sends_is_understood() {
    let world = world().await;
    let all: Vec<Sent> = serde_json::from_str(include_str!("../vectors/forges.json")).unwrap();
    let mut text = String::new();
    for sent in &all {
        let body = sent.body.to_string().into_bytes();
        let headers = headers(sent) + &signed(&sent.forge, key_of(&sent.forge), &body);
        let answer = send(&world, &sent.forge, &headers, &body).await;
        let words = match answer.status {
            200 | 202 => {
                let taken = answer.json::<Taken>();
                format!("{:?}: {}", taken.understood, taken.words)
            }
            _ => answer.pretty(),
        };
        let event = world.heard.0.lock().unwrap().pop();
        writeln!(text, "{}, {}: {} {words}{}", sent.forge, sent.name, answer.status, told(event)).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn what_is_not_signed_with_the_right_key_learns_nothing() {
    let world = world().await;
    let all: Vec<Sent> = serde_json::from_str(include_str!("../vectors/forges.json")).unwrap();
    for sent in &all {
        let body = sent.body.to_string().into_bytes();
        let other = if sent.forge == "bitbucket" { KEY } else { "of bitbucket" };
        let wrong = signed(&sent.forge, other, &body).replace("YW55Ym9keTpzM2NyZXQ=", "YW55Ym9keTo=");
        for signature in [String::new(), wrong] {
            let answer = send(&world, &sent.forge, &(headers(sent) + &signature), &body).await;
            // Bitbucket Data Center signs everything but this.
            let unsigned_ping =
                sent.forge == "bitbucket-server" && sent.name == "ping" && signature.is_empty();
            if unsigned_ping {
                assert_eq!(answer.status, 200);
            } else {
                assert_eq!(
                    (answer.status, answer.code().as_str()),
                    (401, "not-signed"),
                    "{} {}",
                    sent.forge,
                    sent.name
                );
            }
        }
    }
    assert!(world.heard.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_event_is_refused() {
    let world = world().await;
    let check = async |forge: &str, more: &str, body: &[u8], expected: (u16, &str)| {
        let headers = format!("{more}{}", signed(forge, key_of(forge), body));
        let answer = send(&world, forge, &headers, body).await;
        assert_eq!((answer.status, answer.code().as_str()), expected, "{forge} {}", answer.body);
    };
    check("github", "X-GitHub-Event: push\n", b"{", (400, "malformed-json")).await;
    check("github", "X-GitHub-Event: push\n", b"[]", (400, "malformed")).await;
    check("github", "X-GitHub-Event: push\n", b"\xff\xfe", (400, "malformed-json")).await;
    check("gitlab", "", b"", (400, "malformed-json")).await;
    check("gitlab", "", &[b"[".repeat(100_000), b"]".repeat(100_000)].concat(), (400, "malformed-json"))
        .await;
    check("gitbucket", "", b"{}", (404, "unknown-forge")).await;
    let long = vec![b' '; Limits::default().hook_bytes + 1];
    check("gitea", "X-Gitea-Event: push\n", &long, (413, "too-large")).await;
    let form = "POST /hooks/forge/github\nHost: gradus.acme.io\nX-GitHub-Event: push\nContent-Type: application/x-www-form-urlencoded\n";
    let answer = ask(
        world.hooks_at.unwrap(),
        &format!("{form}{}", signed("github", KEY, b"payload=%7B%7D")),
        b"payload=%7B%7D",
    )
    .await;
    insta::assert_snapshot!(answer.pretty(), @r#"
    {
      "error": {
        "code": "malformed",
        "help": "choose application/json as the content type of the webhook",
        "message": "the event is sent as a form"
      }
    }
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_body_is_answered(bodies in proptest::collection::vec(anything(), 8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = world().await;
            for (at, body) in bodies.iter().enumerate() {
                let forge = ["github", "gitlab", "gitea", "bitbucket", "bitbucket-server", "azure-devops"][at % 6];
                let more = "X-GitHub-Event: pull_request\nX-Gitea-Event: push\nX-Event-Key: repo:push\n";
                let headers = format!("{more}{}", signed(forge, key_of(forge), body));
                let answer = send(&world, forge, &headers, body).await;
                assert!([202, 400].contains(&answer.status), "{} {}", answer.status, answer.body);
            }
        });
    }
}

/// Bytes, and JSON that has the fields of events with anything in them.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("refs/heads/main")),
    ];
    let names = proptest::sample::select(vec![
        "ref",
        "repository",
        "project",
        "pull_request",
        "pullrequest",
        "pullRequest",
        "push",
        "changes",
        "resource",
        "refUpdates",
        "object_kind",
        "eventType",
        "number",
        "id",
        "iid",
        "links",
        "clone",
        "new",
        "name",
        "head",
    ]);
    let json = leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..200),
        3 => json.prop_map(|json| json.to_string().into_bytes()),
    ]
}
