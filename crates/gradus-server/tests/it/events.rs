//! Changes as they happen.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::PATIENCE;
use crate::world::{Setup, World};
use gradus_server::Limits;

/// Somebody who listens.
struct Ear {
    stream: TcpStream,
    heard: String,
}

impl Ear {
    async fn new(world: &World, query: &str, headers: &str) -> Self {
        let mut stream = TcpStream::connect(world.at).await.unwrap();
        let head = format!("GET /api/v1/events{query} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", world.at);
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut ear = Self { stream, heard: String::new() };
        assert!(ear.hears("\r\n\r\n").await, "{}", ear.heard);
        assert!(ear.heard.contains("200 OK") && ear.heard.contains("text/event-stream"), "{}", ear.heard);
        // The first event may have come together with the head.
        ear.heard = ear.heard.split_off(ear.heard.find("\r\n\r\n").unwrap() + 4);
        ear
    }

    /// Reads until this was heard; `false` when the stream ends before.
    async fn hears(&mut self, text: &str) -> bool {
        let listening = async {
            let mut some = [0; 4096];
            while !self.heard.contains(text) {
                match self.stream.read(&mut some).await {
                    Ok(0) | Err(_) => return false,
                    Ok(read) => self.heard.push_str(&String::from_utf8_lossy(&some[..read])),
                }
            }
            true
        };
        match tokio::time::timeout(PATIENCE, listening).await {
            Ok(heard) => heard,
            Err(_) => panic!("{text:?} is not told; heard {:?}", self.heard),
        }
    }
}

async fn change(world: &World, version: &str) {
    let body = format!(r#"{{"environment": "staging", "state": "failed", "version": "{version}"}}"#);
    assert_eq!(world.ask("POST /api/v1/pipelines/apps/web/report", &body).await.status, 202);
    world.settle().await;
}

#[tokio::test]
async fn a_change_is_told_to_those_who_listen_to_it() {
    let world = World::plain().await;
    let mut all = Ear::new(&world, "", "").await;
    let mut other = Ear::new(&world, "?pipeline=apps/other", "").await;
    change(&world, "1.1.0").await;
    assert!(all.hears("\n\n").await);
    let data = all.heard.split("data: ").nth(1).and_then(|rest| rest.split('\n').next()).expect("data");
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    insta::assert_snapshot!("changed", serde_json::to_string_pretty(&data).unwrap());
    assert!(all.heard.contains("event: changed\n") && all.heard.contains("\nid: "), "{}", all.heard);
    // The other pipeline goes away: that is all that those who listen to it hear.
    let mut pipelines = std::collections::BTreeMap::new();
    pipelines.insert(world.pipeline.key.clone(), world.pipeline.clone());
    world.engine.set_pipelines(pipelines);
    assert!(other.hears("\n\n").await);
    assert!(other.heard.contains(r#""name":"other","gone":true"#), "{}", other.heard);
    assert!(!other.heard.contains("web"), "{}", other.heard);
}

#[tokio::test]
async fn who_comes_back_is_told_whether_something_was_missed() {
    let world = World::plain().await;
    let mut ear = Ear::new(&world, "", "").await;
    change(&world, "1.1.0").await;
    assert!(ear.hears("\n\n").await);
    let id =
        ear.heard.split("id: ").nth(1).and_then(|rest| rest.split('\n').next()).unwrap().trim().to_owned();
    drop(ear);
    let mut back = Ear::new(&world, "", "Last-Event-ID: another-run\r\n").await;
    assert!(back.hears("event: missed").await);
    let newest = {
        assert!(back.hears("\n\n").await);
        back.heard.split("id: ").nth(1).and_then(|rest| rest.split('\n').next()).unwrap().trim().to_owned()
    };
    assert!(newest.starts_with(id.split('-').next().unwrap()));
    let mut same = Ear::new(&world, "", &format!("Last-Event-ID: {newest}\r\n")).await;
    change(&world, "1.0.0").await;
    assert!(same.hears("event: ").await);
    assert!(!same.heard.contains("missed"), "{}", same.heard);
}

#[tokio::test]
async fn so_many_may_listen_and_no_more() {
    let limits = Limits { listeners: 1, ..Limits::default() };
    let world = World::new(Setup { limits, ..Setup::default() }).await;
    let first = Ear::new(&world, "", "").await;
    let answer = world.get("/api/v1/events").await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "too-many-listeners"));
    drop(first);
}

#[tokio::test]
async fn streams_end_when_the_server_does() {
    let mut world = World::plain().await;
    let mut ear = Ear::new(&world, "", "").await;
    drop(world.stop.take());
    assert!(!ear.hears("never").await);
    let served = tokio::time::timeout(PATIENCE, world.served.take().unwrap()).await.expect("it ends");
    served.unwrap().unwrap();
    assert!(TcpStream::connect(world.at).await.is_err(), "nobody new is let in");
}
