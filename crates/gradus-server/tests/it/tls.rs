//! TLS by files: agreed on in time, and never lost to a broken file.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gradus_server::{Limits, ServerTls, TlsErrorKind, TlsFiles};
use rcgen::{CertifiedKey, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::{Answer, PATIENCE, read_answer, request};
use crate::weave::world::{Hook, event, notification};
use crate::world::{Setup, World};

/// A certificate for `localhost` and its key, that nobody trusts unless told to.
fn pair() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// The files of one server.
struct Files {
    folder: TempDir,
}

impl Files {
    fn with(pair: &CertifiedKey<KeyPair>) -> Self {
        let files = Self { folder: TempDir::new().unwrap() };
        files.put(pair);
        files
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, pair: &CertifiedKey<KeyPair>) {
        self.write("tls.crt", &pair.cert.pem());
        self.write("tls.key", &pair.signing_key.serialize_pem());
    }

    /// Whoever reads it finds all of it, as with a Secret in a pod.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    fn read_as(&self) -> TlsFiles {
        let look_every = Duration::from_millis(20);
        TlsFiles { look_every, ..TlsFiles::new(self.path("tls.crt"), self.path("tls.key")) }
    }

    async fn tls(&self) -> Option<ServerTls> {
        Some(ServerTls::read(self.read_as()).await.unwrap())
    }
}

/// Agrees with a server that has this certificate.
async fn connect(to: SocketAddr, trusted: &CertifiedKey<KeyPair>) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(to).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let agreed = TlsConnector::from(Arc::new(config)).connect(name, stream);
    tokio::time::timeout(PATIENCE, agreed).await.expect("it agrees or refuses")
}

async fn ask(
    to: SocketAddr,
    trusted: &CertifiedKey<KeyPair>,
    head: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let mut stream = connect(to, trusted).await?;
    stream.write_all(&request(to, head, body.as_bytes())).await?;
    Ok(tokio::time::timeout(PATIENCE, read_answer(&mut stream)).await.expect("it answers"))
}

async fn secret(files: &Files, limits: Limits) -> World {
    World::new(Setup { tls: files.tls().await, limits, ..Setup::default() }).await
}

#[tokio::test]
async fn the_webhook_and_the_api_answer_over_tls() {
    let pair = pair();
    let files = Files::with(&pair);
    let tls = files.tls().await;
    let hook = Hook::with(notification(false), |options| options.tls = tls).await;
    let told = event("1.0.0").to_string();
    let answer = ask(hook.at, &pair, "POST /promotion/default/app/dev", &told).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.head);
    assert_eq!(hook.pipelines.tried(), ["1.0.0"]);
    let world = secret(&files, Limits::default()).await;
    assert_eq!(ask(world.at, &pair, "GET /api/v1/pipelines", "").await.unwrap().status, 200);
}

#[tokio::test]
async fn who_speaks_no_tls_learns_nothing() {
    let files = Files::with(&pair());
    let world = secret(&files, Limits::default()).await;
    let mut stream = TcpStream::connect(world.at).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _cut_off = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await.expect("it ends");
    assert!(!String::from_utf8_lossy(&said).contains("HTTP"), "{said:?}");
    let error = connect(world.at, &pair()).await.err().unwrap().to_string();
    assert!(error.contains("invalid peer certificate"), "{error}");
}

/// Waits until a client that trusts this certificate alone is answered.
async fn until_it_has(world: &World, pair: &CertifiedKey<KeyPair>) {
    let tried = async {
        while ask(world.at, pair, "GET /healthz", "").await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, tried).await.expect("the new certificate is used");
}

#[tokio::test]
async fn a_certificate_is_rotated_without_a_restart() {
    let (old, new) = (pair(), pair());
    let files = Files::with(&old);
    let world = secret(&files, Limits::default()).await;
    let mut open = connect(world.at, &old).await.unwrap();
    files.put(&new);
    until_it_has(&world, &new).await;
    assert!(connect(world.at, &old).await.is_err(), "the old one is not used any more");
    // Who came before goes on.
    open.write_all(&request(world.at, "GET /healthz", b"")).await.unwrap();
    let answer = tokio::time::timeout(PATIENCE, read_answer(&mut open)).await.expect("it answers");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_broken_certificate_does_not_take_the_place_of_one_that_works() {
    let (old, other, new) = (pair(), pair(), pair());
    let files = Files::with(&old);
    let world = secret(&files, Limits::default()).await;
    let broken = [
        ("tls.crt", String::new()),
        ("tls.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()),
        ("tls.key", "nothing".to_owned()),
        ("tls.key", other.signing_key.serialize_pem()),
    ];
    for (name, text) in broken {
        files.put(&old);
        files.write(name, &text);
        // Several looks are had in this time.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(ServerTls::read(files.read_as()).await.is_err(), "{name} {text:?}");
        assert_eq!(ask(world.at, &old, "GET /healthz", "").await.unwrap().status, 200, "{name} {text:?}");
    }
    std::fs::remove_file(files.path("tls.key")).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ask(world.at, &old, "GET /healthz", "").await.unwrap().status, 200);
    files.put(&new);
    until_it_has(&world, &new).await;
}

async fn refused(certificate: &str, key: &str) -> String {
    let files = Files::with(&pair());
    files.write("tls.crt", certificate);
    files.write("tls.key", key);
    why(&files).await
}

async fn why(files: &Files) -> String {
    let error = ServerTls::read(files.read_as()).await.err().unwrap();
    assert!(!error.help().is_empty());
    let folder = files.folder.path().display().to_string();
    let kind: TlsErrorKind = error.kind;
    format!("{kind:?}: {error}").replace(&folder, "FOLDER")
}

#[tokio::test]
async fn what_cannot_be_used_at_the_start_is_an_error_that_names_the_file() {
    let (one, other) = (pair(), pair());
    let (certificate, key) = (one.cert.pem(), one.signing_key.serialize_pem());
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(refused("", &key).await, "NoCertificate: there is no certificate in FOLDER/tls.crt");
    assert_eq!(refused(&key, &key).await, "NoCertificate: there is no certificate in FOLDER/tls.crt");
    assert_eq!(refused(garbage, &key).await, "Unusable: what is in FOLDER/tls.crt cannot be used");
    assert_eq!(refused(&certificate, &certificate).await, "NoKey: there is no private key in FOLDER/tls.key");
    let foreign = other.signing_key.serialize_pem();
    assert_eq!(
        refused(&certificate, &foreign).await,
        "OtherKey: the key in FOLDER/tls.key is not that of the certificate"
    );
    for name in ["tls.crt", "tls.key"] {
        let files = Files::with(&one);
        std::fs::remove_file(files.path(name)).unwrap();
        assert_eq!(why(&files).await, format!("Read: cannot read FOLDER/{name}"));
        assert!(!Path::new(&files.path(name)).exists());
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for_and_counts_as_a_connection() {
    let pair = pair();
    let files = Files::with(&pair);
    let head = Duration::from_millis(100);
    let world = secret(&files, Limits { head, connections: 1, ..Limits::default() }).await;
    for sent in [&b""[..], &[0x16, 3, 1, 2, 0, 1]] {
        let mut slow = TcpStream::connect(world.at).await.unwrap();
        slow.write_all(sent).await.unwrap();
        let begun = std::time::Instant::now();
        // The only place is taken until the slow one is sent away.
        assert_eq!(ask(world.at, &pair, "GET /healthz", "").await.unwrap().status, 200);
        assert!(begun.elapsed() >= head / 2, "there was a place after {:?}", begun.elapsed());
        let ended = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "the server ends the connection after {sent:?}");
    }
}

#[tokio::test]
async fn bounds_hold_over_tls_too() {
    let pair = pair();
    let files = Files::with(&pair);
    let quick = Duration::from_millis(100);
    let world = secret(&files, Limits { head: quick, body: quick, ..Limits::default() }).await;
    let place = "POST /hooks/flux/apps/web/dev HTTP/1.1\r\nHost: localhost\r\n";
    for (length, status) in [(100_000_000, 413), (10, 408)] {
        let mut stream = connect(world.at, &pair).await.unwrap();
        let head = format!("{place}Content-Length: {length}\r\n\r\n1");
        stream.write_all(head.as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, read_answer(&mut stream)).await.expect("it answers");
        assert_eq!(answer.status, status, "{length}");
    }
    // A head that does not come, after the handshake.
    let mut stream = connect(world.at, &pair).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the server ends the connection");
    let mut world = world;
    drop(world.stop.take());
    let served = tokio::time::timeout(PATIENCE, world.served.take().unwrap()).await.expect("it ends");
    served.unwrap().unwrap();
}
