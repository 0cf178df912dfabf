//! What is slow, greedy or hostile meets a bound here too.

use std::time::Duration;

use gradus_server::Limits;
use gradus_server::weave::BindAddress;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::pipelines::Promoter;
use super::world::{Hook, event, notification};
use crate::client::{PATIENCE, raw};

async fn limited(limits: Limits) -> Hook {
    Hook::with(notification(false), |options| options.limits = limits).await
}

/// B16: a body has a longest length.
#[tokio::test]
async fn b16_a_body_that_is_too_long_is_refused() {
    let hook = Hook::plain().await;
    let place = "POST /promotion/default/app/dev HTTP/1.1\r\nHost: localhost\r\n";
    let answer = raw(hook.at, format!("{place}Content-Length: 3145729\r\n\r\n").as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (413, ""));
    let mut long = event("1.0.0").to_string();
    long.push_str(&" ".repeat(3 * 1024 * 1024 - long.len()));
    assert_eq!(
        hook.ask("POST /promotion/default/app/dev", &long).await.status,
        201,
        "3 MiB are not too long"
    );
}

/// B16: what does not come is not waited for.
#[tokio::test]
async fn b16_what_does_not_come_is_not_waited_for() {
    let quick = Duration::from_millis(50);
    let hook = limited(Limits { body: quick, head: quick, ..Limits::default() }).await;
    let head = "POST /promotion/default/app/dev HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1";
    let answer = raw(hook.at, head.as_bytes()).await;
    assert_eq!((answer.status, answer.body.as_str()), (408, ""));
    let mut stream = TcpStream::connect(hook.at).await.unwrap();
    stream.write_all(b"POST /promotion/default/app/dev HTTP/1.1\r\nHost: loc").await.unwrap();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
    assert!(ended.is_ok(), "the connection is ended");
}

#[tokio::test]
async fn a_body_of_an_approval_is_not_read() {
    let hook = Hook::with(notification(true), |_options| {}).await;
    hook.pipelines.wait_in_prod("1.0.0");
    let head = "POST /approval/default/app/prod/1.0.0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100000000\r\n\r\n";
    assert_eq!(raw(hook.at, head.as_bytes()).await.status, 201);
}

#[tokio::test]
async fn a_promotion_that_is_under_way_ends_before_the_process_does() {
    let mut hook = Hook::plain().await;
    hook.pipelines.shut();
    let late = async {
        hook.pipelines.begun(1).await;
        hook.time.asleep(1).await;
        hook.time.advance(Duration::from_secs(10));
    };
    let (answer, ()) = tokio::join!(hook.event("1.0.0"), late);
    assert_eq!(answer.status, 204);
    drop(hook.stop.take());
    let mut served = hook.served.take().unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut served).await.is_err(), "it waits");
    hook.pipelines.open();
    tokio::time::timeout(PATIENCE, served).await.expect("it ends").unwrap().unwrap();
}

#[tokio::test]
async fn so_many_promotions_are_under_way_and_no_more() {
    let hook = Hook::with(notification(false), |options| options.promotions = 1).await;
    hook.pipelines.shut();
    let more = async {
        hook.pipelines.begun(1).await;
        hook.time.asleep(1).await;
        let answer = hook.event("2.0.0").await;
        hook.pipelines.open();
        answer
    };
    let (one, two) = tokio::join!(hook.event("1.0.0"), more);
    assert_eq!((one.status, two.status, two.body.as_str()), (201, 503, ""));
}

/// A bug behind the webhook is an answer like another failure, and blocks nothing after it.
#[tokio::test]
async fn a_bug_fails_one_promotion_and_no_other() {
    let hook = Hook::plain().await;
    hook.pipelines.state.lock().unwrap().promoter = Promoter::Panics;
    let answer = hook.event("1.0.0").await;
    assert_eq!((answer.status, answer.body.as_str()), (500, gradus_weave::answer::FAILED));
    hook.pipelines.state.lock().unwrap().promoter = Promoter::Makes(String::new());
    assert_eq!(hook.event("1.0.0").await.status, 204);
    assert_eq!(hook.pipelines.tried(), ["1.0.0"]);
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let hook = Hook::plain().await;
    let options = gradus_server::weave::WeaveOptions::new(BindAddress::One(hook.at), hook.pipelines.clone());
    let error = gradus_server::weave::WeaveServer::bind(options).await.err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen on {}", hook.at));
}

#[tokio::test]
async fn every_address_of_the_machine_can_be_listened_on() {
    let hook = Hook::with(notification(false), |options| options.listen = ":0".parse().unwrap()).await;
    let at = std::net::SocketAddr::from(([127, 0, 0, 1], hook.at.port()));
    let answer = raw(at, b"DELETE /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    let text = answer.header("Content-Type");
    assert_eq!(text, Some("text/plain; charset=utf-8"));
}
