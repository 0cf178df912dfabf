//! Requests that a Receiver of Flux is sent, to the hooks here.
//!
//! Each is answered, and where the answer is another than a Receiver's, the vector
//! says why. What a Receiver answers about itself (it is suspended, not ready, its
//! Secret or its resources are missing, its expressions fail, its address is a
//! hash) has no like here, as there are no such objects.

use std::collections::BTreeMap;

use gradus_server::hooks::Taken;
use serde::Deserialize;

use crate::client::{Answer, raw};
use crate::world::{Setup, World};

#[derive(Deserialize)]
struct Vectors {
    key: String,
    wakes: Vec<Vector>,
    event: Event,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// What a Receiver answers.
    receiver: u16,
    answer: u16,
    /// Why it is another answer.
    because: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    key: String,
    headers: BTreeMap<String, String>,
    body: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/flux-receiver.json")).unwrap()
}

async fn world(key: &str) -> World {
    World::new(Setup { hook_key: Some(key.to_owned().leak()), ..Setup::default() }).await
}

async fn send(world: &World, path: &str, headers: &BTreeMap<String, String>, body: &str) -> Answer {
    let headers: String = headers.iter().map(|(name, value)| format!("\n{name}: {value}")).collect();
    world.ask(&format!("POST {path}{headers}"), body).await
}

#[tokio::test]
async fn every_request_to_a_receiver_is_answered_so() {
    let vectors = vectors();
    let world = world(&vectors.key).await;
    let (mut alike, mut other) = (0, 0);
    for vector in &vectors.wakes {
        let answer = send(&world, "/hooks/wake/apps/web", &vector.headers, &vector.body).await;
        assert_eq!(answer.status, vector.answer, "{}: {}", vector.name, answer.body);
        // A refusal is a refusal, whatever its number.
        let agrees = (answer.status < 300) == (vector.receiver < 300);
        assert!(agrees || vector.because.is_some(), "{}: nobody says why", vector.name);
        if agrees { alike += 1 } else { other += 1 }
    }
    println!(
        "receiver vectors: {}/{}, {alike} alike, {other} otherwise with the reason",
        alike + other,
        vectors.wakes.len()
    );
    assert_eq!((alike, other), (13, 11));
}

#[tokio::test]
async fn an_event_that_flux_signed_is_believed() {
    let Event { key, headers, body } = vectors().event;
    let world = world(&key).await;
    let answer = send(&world, "/hooks/flux/apps/web/staging", &headers, &body).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(
        answer.json::<Taken>().words,
        "GitRepository gitops-system/webapp says what was applied, not what works"
    );
    let changed = body.replace("webapp", "webapq");
    assert_eq!(send(&world, "/hooks/flux/apps/web/staging", &headers, &changed).await.status, 401);
}

/// What forges sign with wakes; it reports nothing.
#[tokio::test]
async fn what_a_forge_signs_is_a_wake_and_no_report() {
    let vectors = vectors();
    let world = world(&vectors.key).await;
    for name in ["github 256", "gitlab"] {
        let vector = vectors.wakes.iter().find(|vector| vector.name == name).unwrap();
        let answer = send(&world, "/hooks/flux/apps/web/staging", &vector.headers, &vector.body).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "not-signed"), "{name}");
    }
    for token in ["", "toke", "token\\0", "tokens"] {
        let answer = world.ask(&format!("POST /hooks/wake/apps/web\nX-Gitlab-Token: {token}"), "{}").await;
        assert_eq!(answer.status, 401, "{token:?}");
    }
    // A signature that is wrong is not made good by another header.
    let both = "POST /hooks/wake/apps/web\nX-Signature: sha256=00\nX-Gitlab-Token: token";
    assert_eq!(world.ask(both, "{}").await.status, 401);
}

#[tokio::test]
async fn a_receivers_bounds_and_unknown_addresses_are_here_too() {
    let world = world("token").await;
    let head = "POST /hooks/wake/apps/web HTTP/1.1\r\nHost: localhost\r\nX-Gitlab-Token: token\r\nContent-Length: 3145729\r\n\r\n";
    assert_eq!(raw(world.at, head.as_bytes()).await.status, 413);
    let exact = " ".repeat(3 * 1024 * 1024);
    let answer = world.ask("POST /hooks/wake/apps/web\nX-Gitlab-Token: token", &exact).await;
    assert_eq!(answer.status, 202);
    for path in
        ["/hooks/wake/apps/wev", "/hook/8cc3207cffc97dc881eed557d9eb9348edf632357f3132b4f4d30188c54fc63d"]
    {
        let answer = world.ask(&format!("POST {path}\nX-Gitlab-Token: token"), "{}").await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
