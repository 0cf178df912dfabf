//! The engine's port for version endpoints, against a small server.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gradus_core::pipeline::HttpTarget;
use gradus_engine::port::targets::{Answered, Targets};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_remote::targets::HttpTargets;
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

use crate::tls::certificate;

/// An application that gives every request the same answer; an empty one never comes.
struct App {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl App {
    async fn start(answer: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answer, seen) = (answer.to_owned(), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen) = (answer.clone(), Arc::clone(&seen));
                let tls = tls.clone();
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &answer, &seen).await,
                        Some(tls) => {
                            if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                                serve(stream, &answer, &seen).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, asked }
    }

    fn target(&self) -> HttpTarget {
        self.target_by("http")
    }

    fn target_by(&self, scheme: &str) -> HttpTarget {
        HttpTarget {
            url: format!("{scheme}://localhost:{}/version?key=hunter2", self.port).into(),
            pointer: None,
            status: 200,
            timeout: SignedDuration::from_secs(60),
            secret: None,
        }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str, seen: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    seen.lock().unwrap().push(String::from_utf8(head).unwrap().to_lowercase());
    if answer.is_empty() {
        std::future::pending::<()>().await;
    }
    // The client goes away when it has had enough; that is no failure here.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn with(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn targets(secrets: Option<&Path>) -> HttpTargets {
    HttpTargets::new(secrets.map(Path::to_owned)).unwrap()
}

async fn ask(target: &HttpTarget) -> Result<Answered, PortError> {
    targets(None).ask(target).await
}

/// Everything an error may show holds no secret.
fn shown(error: &PortError) -> String {
    let shown = format!("{error:?} {} {:?}", error.in_full(), error.hint);
    assert!(!shown.contains("hunter2"), "{shown}");
    error.in_full()
}

#[tokio::test]
async fn an_application_tells_its_version() {
    for (body, pointer, version) in [
        ("6.5.1\n", None, "6.5.1"),
        ("\"6.5.1\"", Some(""), "6.5.1"),
        (r#"{"build": {"version": "1.10"}, "x": 1}"#, Some("/build/version"), "1.10"),
        (r#"{"a/b": [{"~": "2.0.0"}]}"#, Some("/a~1b/0/~0"), "2.0.0"),
    ] {
        let app = App::start(&with("200 OK", body), None).await;
        let target = HttpTarget { pointer: pointer.map(Into::into), ..app.target() };
        let Answered::Healthy(told) = ask(&target).await.unwrap() else { panic!("not healthy: {body}") };
        assert_eq!(told.to_string(), version);
        let [asked] = app.asked().try_into().unwrap();
        assert!(
            asked.starts_with("get /version?key=hunter2 http/1.1\r\n") && !asked.contains("authorization"),
            "{asked}"
        );
    }
}

#[tokio::test]
async fn another_status_than_expected_is_not_healthy() {
    for (status, expected, why) in [
        ("503 Service Unavailable", 200, Some("it answered 503, not 200")),
        ("200 OK", 204, Some("it answered 200, not 204")),
        ("418 I'm a teapot", 418, None),
    ] {
        let app = App::start(&with(status, "6.5.1"), None).await;
        let answered = ask(&HttpTarget { status: expected, ..app.target() }).await.unwrap();
        match (answered, why) {
            (Answered::Unhealthy(told), Some(why)) => assert_eq!(told, why),
            (Answered::Healthy(version), None) => assert_eq!(version.to_string(), "6.5.1"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let there = App::start(&with("200 OK", "6.5.1"), None).await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: http://localhost:{}/\r\nContent-Length: 0\r\n\r\n",
            there.port
        );
        let app = App::start(&answer, None).await;
        let answered = ask(&app.target()).await.unwrap();
        assert_eq!(answered, Answered::Unhealthy(format!("it answered {status}, not 200")));
    }
    assert!(there.asked().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_no_version() {
    for (body, pointer, cause) in [
        ("<html>", Some("/v"), "the answer is not JSON: expected value at line 1 column 1"),
        (
            "two words",
            None,
            "version \"two words\" has the character ' ' at column 4; spaces and control characters are not allowed",
        ),
        ("", None, "version \"\" is empty"),
    ] {
        let app = App::start(&with("200 OK", body), None).await;
        let target = HttpTarget { pointer: pointer.map(Into::into), ..app.target() };
        let error = ask(&target).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Broken, "{body}");
        let doing = format!("reading the version at http://localhost:{}/version", app.port);
        assert_eq!(shown(&error), format!("{doing}: {cause}"));
        assert!(error.hint.unwrap().contains("`pointer`"));
    }
}

#[tokio::test]
async fn an_application_that_does_not_answer_as_it_should() {
    let huge = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "6.5.1 ".repeat(100_000));
    let lying = "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n6.5.1";
    let short = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n6.5.1";
    for (answer, kind, text, hint) in [
        (
            huge.as_str(),
            PortErrorKind::Broken,
            "the answer is larger than 262144 bytes",
            "little more than the version",
        ),
        (
            lying,
            PortErrorKind::Broken,
            "the answer is larger than 262144 bytes",
            "little more than the version",
        ),
        (short, PortErrorKind::Unreachable, "the connection broke", "check that the application runs"),
        ("no http", PortErrorKind::Unreachable, "the connection broke", "check that the application runs"),
        ("", PortErrorKind::Unreachable, "it took too long", "a longer `timeout`"),
    ] {
        let app = App::start(answer, None).await;
        let timeout = if answer.is_empty() { Duration::from_millis(100) } else { Duration::from_secs(60) };
        let target = HttpTarget { timeout: timeout.try_into().unwrap(), ..app.target() };
        let error = ask(&target).await.unwrap_err();
        assert_eq!(error.kind, kind, "{text}");
        let start = format!("cannot get http://localhost:{}/version: {text}", app.port);
        assert!(shown(&error).starts_with(&start), "{}", shown(&error));
        assert!(error.hint.as_deref().unwrap().contains(hint), "{:?}", error.hint);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = App { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
    drop(listener);
    let error = ask(&nobody.target()).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(shown(&error).contains("the host cannot be reached"), "{}", shown(&error));
}

/// The Secret `apps/web` with these keys.
fn secret(keys: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir_all(folder.path().join("apps/web")).unwrap();
    for (key, value) in keys {
        std::fs::write(folder.path().join("apps/web").join(key), value).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_token_is_sent_and_never_shown() {
    let app = App::start(&with("200 OK", "you sent hunter2"), None).await;
    let folder = secret(&[("token", "hunter2\n")]);
    let target = HttpTarget { secret: Some("apps/web".into()), ..app.target() };
    let error = targets(Some(folder.path())).ask(&target).await.unwrap_err();
    assert!(shown(&error).ends_with("the answer repeats the token that was sent"), "{}", shown(&error));
    assert!(app.asked()[0].contains("\r\nauthorization: bearer hunter2\r\n"));
}

#[tokio::test]
async fn only_a_trusted_certificate_is_taken() {
    let (tls, pem) = certificate();
    let app = App::start(&with("200 OK", "6.5.1"), Some(tls)).await;
    let error = ask(&app.target_by("https")).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(shown(&error).contains("certificate"), "{}", shown(&error));
    assert!(app.asked().is_empty(), "nothing is asked of somebody else");

    let target = HttpTarget { secret: Some("apps/web".into()), ..app.target_by("https") };
    let folder = secret(&[("caFile", &pem)]);
    let answered = targets(Some(folder.path())).ask(&target).await.unwrap();
    assert!(matches!(answered, Answered::Healthy(_)), "{answered:?}");
    let folder = secret(&[("caFile", "no certificate")]);
    let error = targets(Some(folder.path())).ask(&target).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unusable);
    assert!(shown(&error).contains("the certificates cannot be used"), "{}", shown(&error));
}

/// A target that names a Secret is not asked without it.
#[tokio::test]
async fn a_secret_that_cannot_be_used() {
    let app = App::start(&with("200 OK", "6.5.1"), None).await;
    let target = HttpTarget { secret: Some("apps/web".into()), ..app.target() };
    let empty = TempDir::new().unwrap();
    let useless = secret(&[("username", "hunter2"), ("token", "\n")]);
    let large = secret(&[("token", &"hunter2 ".repeat(200_000))]);
    let at = |folder: &TempDir| folder.path().join("apps/web").display().to_string();
    for (folder, kind, cause) in [
        (None, PortErrorKind::Missing, "no folder of Secrets was given".to_owned()),
        (Some(&empty), PortErrorKind::Missing, format!("there is no folder {}", at(&empty))),
        (Some(&useless), PortErrorKind::Missing, format!("{} has neither token nor caFile", at(&useless))),
        (Some(&large), PortErrorKind::Local, format!("{}/token: it is larger than 1 MiB", at(&large))),
    ] {
        let error = targets(folder.map(TempDir::path)).ask(&target).await.unwrap_err();
        assert_eq!(error.kind, kind, "{cause}");
        let doing = format!("reading the Secret apps/web of http://localhost:{}/version", app.port);
        assert_eq!(shown(&error), format!("{doing}: {cause}"));
        assert!(error.hint.is_some());
    }
    assert!(app.asked().is_empty());
}
