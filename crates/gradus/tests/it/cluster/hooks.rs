//! The webhooks of a replica, at an address that others reach.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::stage::Stage;

/// The status of the answer, and its head and body; `None` as long as nobody answers.
fn post(port: u16, path: &str, key: Option<&str>, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
    let signature = key.map_or_else(String::new, |key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let tag = mac.finalize().into_bytes();
        let digits: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("X-Signature: sha256={digits}\r\n")
    });
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: gradus-hooks\r\nConnection: close\r\n{signature}");
    write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

#[tokio::test]
async fn others_wake_it_with_signed_events_alone() {
    let stage = Stage::new("hooks").await;
    stage.set(&stage.three()).await;
    stage.world.write("keys/token", "for all\n");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!(":{port}");
    let arguments = ["--hooks-bind-address", &listen, "--hook-keys-folder", "keys"];
    let replica = stage.replica("hooked", &arguments);
    let event = json!({
        "involvedObject": {
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "dev",
            "namespace": stage.namespace,
        },
        "severity": "info", "reason": "UpgradeSucceeded", "timestamp": jiff::Timestamp::now().to_string(),
    })
    .to_string();
    // One that has just started asks for the event again; it never says that there is no such pipeline.
    let own = format!("/hooks/wake/{}/web", stage.namespace);
    let begun = Instant::now();
    // One pipeline may be known before all of them are.
    for path in [own.as_str(), "/hooks/flux"] {
        loop {
            match post(port, path, Some("for all"), &event) {
                Some((202, _)) => break,
                Some((503, answer)) => {
                    assert!(answer.to_ascii_lowercase().contains("\r\nretry-after: "), "{answer}");
                }
                Some((_, answer)) => panic!("{answer}"),
                None => {}
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not ready: {}", replica.said());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let status = |path: &str, key| post(port, path, key, &event).map(|(status, _)| status);
    let answer = post(port, "/hooks/flux", Some("for all"), &event).unwrap().1;
    assert!(answer.contains(&format!("{}/web is looked at soon", stage.namespace)), "{answer}");
    assert_eq!(status("/hooks/flux", Some("another")), Some(401));
    assert_eq!(status("/hooks/flux", None), Some(401));
    assert_eq!(status(&format!("/hooks/flux/{}/eu", stage.namespace), Some("for all")), Some(404));
    assert_eq!(status("/api/v1/pipelines", Some("for all")), Some(404));
    // A thousand of them are a few looks.
    let before = replica.looks();
    let begun = Instant::now();
    for _ in 0..1000 {
        assert_eq!(status("/hooks/flux", Some("for all")), Some(202));
    }
    let (looks, seconds) = (replica.looks() - before, begun.elapsed().as_secs());
    assert!(looks < 10 + 3 * (seconds + 1), "{looks} looks in {seconds} s");
    assert!(looks > 0, "nobody looked");
    // What it says is still only heard: what runs is looked up.
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
}
