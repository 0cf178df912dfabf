//! The file of tokens: made, read, changed and lost.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use gradus_core::names::{Group, Person};
use gradus_server::auth::{NewToken, Role, TokenErrorKind, Tokens};
use jiff::Timestamp;

use crate::world::{Setup, World};

pub(crate) fn token(name: &str, roles: &[Role]) -> NewToken {
    NewToken {
        name: Person::parse(name).unwrap(),
        roles: roles.iter().copied().collect::<BTreeSet<_>>(),
        groups: vec![Group::parse("release-managers").unwrap()],
        aliases: vec![Person::parse("mia@example.com").unwrap()],
        expires: None,
    }
}

fn now() -> Timestamp {
    "2026-01-05T08:00:00Z".parse().unwrap()
}

#[test]
fn a_token_is_kept_as_its_hash_in_a_file_that_only_we_can_read() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("tokens.json");
    let tokens = Tokens::load(&path).unwrap();
    let secret = tokens.create(token("mia", &[Role::Approver, Role::Reporter]), now()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains(secret.reveal()) && !format!("{secret:?} {tokens:?}").contains(secret.reveal()));
    assert_eq!(secret.reveal().len(), "gradus_".len() + 64);
    let hash = text.split('"').find(|word| word.starts_with("sha256:")).expect("a hash");
    insta::assert_snapshot!("tokens_file", text.replace(hash, "sha256:HASH"));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files.len(), 2, "the file and its lock, and nothing half-written: {files:?}");
}

#[test]
fn tokens_are_listed_and_revoked_by_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let tokens = Tokens::load(&folder.path().join("tokens.json")).unwrap();
    assert!(tokens.is_empty() && !tokens.are_asked_for());
    for name in ["mia", "ci"] {
        tokens.create(token(name, &[Role::Viewer]), now()).unwrap();
    }
    let again = tokens.create(token("mia", &[Role::Viewer]), now()).unwrap_err();
    assert_eq!(again.kind, TokenErrorKind::NameTaken(Person::parse("mia").unwrap()));
    let none = tokens.create(token("bob", &[]), now()).unwrap_err();
    assert_eq!(none.kind, TokenErrorKind::NoRole);
    let names = || tokens.list().unwrap().into_iter().map(|token| token.name).collect::<Vec<_>>();
    assert_eq!(names(), ["mia", "ci"]);
    assert!(tokens.revoke("mia").unwrap());
    assert!(!tokens.revoke("mia").unwrap());
    assert_eq!(names(), ["ci"]);
}

#[test]
fn many_who_make_tokens_at_once_lose_none() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("tokens.json");
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
            let path = path.clone();
            scope.spawn(move || {
                Tokens::load(&path).unwrap().create(token(name, &[Role::Viewer]), now()).unwrap()
            });
        }
    });
    assert_eq!(Tokens::load(&path).unwrap().list().unwrap().len(), 8);
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_told_of() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("tokens.json");
    let mut text = String::new();
    for bad in [
        "",
        "[]",
        r#"{"tokens": [{"name": "mia"}]}"#,
        r#"{"tokens": [], "more": 1}"#,
        r#"{"tokens": [{"name": "", "roles": ["viewer"], "hash": "sha256:0", "created": "2026-01-05T08:00:00Z"}]}"#,
        r#"{"tokens": [{"name": "mia", "roles": ["king"], "hash": "sha256:0", "created": "2026-01-05T08:00:00Z"}]}"#,
    ] {
        std::fs::write(&path, bad).unwrap();
        let error = Tokens::load(&path).unwrap_err();
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        text.push_str(&format!("{bad}\n{error}{cause}\n\n"));
    }
    insta::assert_snapshot!("broken_tokens", text.replace(&path.display().to_string(), "tokens.json"));
    std::fs::write(&path, vec![b' '; 2 << 20]).unwrap();
    assert_eq!(Tokens::load(&path).unwrap_err().kind, TokenErrorKind::Unreadable);
}

async fn status(world: &World, token: &str) -> u16 {
    world.ask(&format!("GET /api/v1/pipelines\nAuthorization: Bearer {token}"), "").await.status
}

#[tokio::test]
async fn a_change_of_the_file_counts_at_once() {
    let world = World::plain().await;
    assert_eq!(
        world.get("/api/v1/pipelines").await.status,
        200,
        "nobody is asked as long as there is no file"
    );
    // Another process, such as the command line, makes the first token.
    let other = Tokens::load(&world.tokens_path).unwrap();
    let mia = other.create(token("mia", &[Role::Viewer]), now()).unwrap();
    assert_eq!(world.get("/api/v1/pipelines").await.status, 401);
    assert_eq!(status(&world, mia.reveal()).await, 200);
    let bob = other.create(token("bob", &[Role::Viewer]), now()).unwrap();
    other.revoke("mia").unwrap();
    assert_eq!(status(&world, mia.reveal()).await, 401);
    assert_eq!(status(&world, bob.reveal()).await, 200);
}

#[tokio::test]
async fn a_file_that_is_lost_or_broken_lets_nobody_in_who_was_not() {
    let world = World::new(Setup { tokens: true, ..Setup::default() }).await;
    let mia = world.tokens.create(token("mia", &[Role::Viewer]), now()).unwrap();
    std::fs::write(&world.tokens_path, "{").unwrap();
    assert_eq!(status(&world, mia.reveal()).await, 200, "the last good state counts");
    assert_eq!(status(&world, "gradus_other").await, 401);
    std::fs::remove_file(&world.tokens_path).unwrap();
    assert_eq!(status(&world, mia.reveal()).await, 401);
    assert_eq!(world.get("/api/v1/pipelines").await.status, 401, "it does not open to everybody again");
}

#[tokio::test]
async fn a_token_that_has_expired_is_told_so() {
    let world = World::new(Setup { tokens: true, ..Setup::default() }).await;
    let until: Timestamp = "2026-01-06T08:00:00Z".parse().unwrap();
    let new = NewToken { expires: Some(until), ..token("mia", &[Role::Viewer]) };
    let secret = world.tokens.create(new, now()).unwrap();
    assert_eq!(status(&world, secret.reveal()).await, 200);
    world.fakes.clock.advance_to(until);
    let head = format!("GET /api/v1/pipelines\nAuthorization: Bearer {}", secret.reveal());
    let answer = world.ask(&head, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "expired-token"));
    assert!(answer.head.to_ascii_lowercase().contains("www-authenticate: bearer"), "{}", answer.head);
}

#[tokio::test]
async fn an_address_that_others_can_reach_is_not_taken_without_tokens() {
    for listen in ["0.0.0.0:0", "[::]:0", "[::ffff:0.0.0.0]:0"] {
        let listen: SocketAddr = listen.parse().unwrap();
        let error = crate::world::bind(listen, &[]).await.err().expect("it is refused");
        assert_eq!(error.kind, gradus_server::ServerErrorKind::OpenToOthers, "{listen}");
        assert!(error.help().contains("gradus token create"));
    }
    let bound = crate::world::bind("0.0.0.0:0".parse().unwrap(), &["mia"]).await.expect("it is taken");
    assert_ne!(bound.local_addr().port(), 0);
    assert!(crate::world::bind("127.0.0.1:0".parse().unwrap(), &[]).await.is_ok());
    let taken = crate::world::bind(bound.local_addr(), &["mia"]).await.err().expect("it is taken already");
    assert_eq!(taken.kind, gradus_server::ServerErrorKind::Bind);
}
