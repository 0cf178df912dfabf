//! What is slow, greedy or hostile meets a bound.

use std::time::Duration;

use gradus_server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{PATIENCE, raw, read_answer};
use crate::world::{Setup, World};

async fn limited(limits: Limits) -> World {
    World::new(Setup { limits, ..Setup::default() }).await
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_is_not_read() {
    let world = World::plain().await;
    for (path, length) in
        [("/api/v1/pipelines/apps/web/report", 65_537), ("/hooks/flux/apps/web/dev", 100_000_000)]
    {
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        let answer = raw(world.at, head.as_bytes()).await;
        assert_eq!((answer.status, answer.code().as_str()), (413, "too-large"), "{path}");
    }
}

#[tokio::test]
async fn a_body_that_turns_out_to_be_too_long_is_not_read_further() {
    let world = World::plain().await;
    let mut stream = TcpStream::connect(world.at).await.unwrap();
    let head =
        "POST /hooks/flux/apps/web/dev HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let chunk = [format!("{:x}\r\n", 1 << 20).into_bytes(), vec![b' '; 1 << 20], b"\r\n".to_vec()].concat();
    let sending = async {
        let mut sent = 0;
        while sent < 100 && write.write_all(&chunk).await.is_ok() {
            sent += 1;
        }
        sent
    };
    let reading = async {
        let mut text = String::new();
        let mut some = [0; 1024];
        while let Ok(count @ 1..) = read.read(&mut some).await {
            text.push_str(&String::from_utf8_lossy(&some[..count]));
        }
        text
    };
    let both = async { tokio::join!(sending, reading) };
    let (sent, answer) = tokio::time::timeout(PATIENCE, both).await.expect("it ends");
    assert!(sent < 100, "the server stops to read long before the end");
    // The answer may be lost where the connection is torn down while the client still sends.
    assert!(answer.is_empty() || answer.contains("413"), "{answer}");
    assert!(
        world.get("/metrics").await.body.contains(r#"gradus_webhook_requests_total{outcome="too-large"} 1"#)
    );
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let world = limited(Limits { body: Duration::from_millis(50), ..Limits::default() }).await;
    let head = "POST /hooks/wake/apps/web HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1";
    let answer = raw(world.at, head.as_bytes()).await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "too-slow"));
}

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let world = limited(Limits { head: Duration::from_millis(50), ..Limits::default() }).await;
    for sent in ["", "GET /healthz HTTP/1.1\r\nHost: loc"] {
        let mut stream = TcpStream::connect(world.at).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the server ends the connection after {sent:?}");
    }
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let world = World::plain().await;
    let long = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: {}\r\n\r\n", "a".repeat(1 << 20));
    let mut stream = TcpStream::connect(world.at).await.unwrap();
    // The server may hang up before everything was sent.
    let _cut_off = stream.write_all(long.as_bytes()).await;
    let mut some = Vec::new();
    let _cut_off = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut some)).await.expect("it ends");
    assert!(!String::from_utf8_lossy(&some).contains("200 OK"));
    let many: String = (0..100).map(|number| format!("X-{number}: a\r\n")).collect();
    let answer =
        raw(world.at, format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").as_bytes()).await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn so_many_connections_are_open_and_the_next_one_waits() {
    let limits = Limits { connections: 1, age: Duration::from_millis(100), ..Limits::default() };
    let world = limited(limits).await;
    let _idle = TcpStream::connect(world.at).await.unwrap();
    // The idle one is asked to end once it is old, and makes place.
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_under_way_ends_before_the_server_does() {
    let mut world = World::plain().await;
    let mut stream = TcpStream::connect(world.at).await.unwrap();
    let body = r#"{"environment": "staging", "state": "failed"}"#;
    let head = format!(
        "POST /api/v1/pipelines/apps/web/report HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    drop(world.stop.take());
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, read_answer(&mut stream)).await.expect("it answers");
    assert_eq!(answer.status, 202, "{}", answer.body);
    let served = tokio::time::timeout(PATIENCE, world.served.take().unwrap()).await.expect("it ends");
    served.unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_end_is_broken_off() {
    let mut world = limited(Limits { drain: Duration::from_millis(50), ..Limits::default() }).await;
    let mut stream = TcpStream::connect(world.at).await.unwrap();
    let head = "POST /hooks/wake/apps/web HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.read_exact(&mut [0; 25]).await.unwrap();
    drop(world.stop.take());
    let served = tokio::time::timeout(PATIENCE, world.served.take().unwrap()).await.expect("it ends");
    served.unwrap().unwrap();
}

#[tokio::test]
async fn answers_are_not_kept_by_anybody() {
    let world = World::plain().await;
    for path in ["/api/v1/pipelines", "/nothing", "/healthz"] {
        let head = world.get(path).await.head.to_ascii_lowercase();
        assert!(head.contains("cache-control: no-store"), "{head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{head}");
        assert!(!head.contains("access-control-allow"), "{head}");
    }
    assert!(world.folder().exists());
}
