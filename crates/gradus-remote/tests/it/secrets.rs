//! Secrets in a folder: how they are read, rotated and refused, for repositories as for targets.

use std::path::Path;
use std::sync::Arc;

use gradus_core::pipeline::Repository;
use gradus_engine::port::repo::{CommitOrder, Repos, Written};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use tempfile::TempDir;

use crate::place::{Place, Via};
use crate::port::{at, branch, commit, order, repository};
use crate::server::{Server, Settings};
use crate::tls::certificate;

/// Makes the Secret `apps/fleet` what these keys say.
fn put(folder: &Path, keys: &[(&str, &[u8])]) {
    let secret = folder.join("apps/fleet");
    if secret.exists() {
        std::fs::remove_dir_all(&secret).unwrap();
    }
    std::fs::create_dir_all(&secret).unwrap();
    for (key, value) in keys {
        std::fs::write(secret.join(key), value).unwrap();
    }
}

fn with_secret(url: &str) -> Repository {
    Repository { secret: Some("apps/fleet".into()), ..repository(url) }
}

fn repos(folder: Option<&Path>) -> WireRepos {
    let access = SecretFolder { folder: folder.map(Path::to_owned), otherwise: RemoteOptions::default() };
    WireRepos::new(Arc::new(access), Committer::default())
}

async fn guarded(settings: Settings) -> Place {
    let mut place = Place::new(Via::Http, &[("a", "1\n")]).await;
    place.server = Some(Server::start(place.dir.path(), settings).await);
    place
}

fn asking(authorization: &str) -> Settings {
    Settings { authorization: Some(authorization.to_owned()), ..Settings::default() }
}

#[tokio::test]
async fn each_form_of_a_secret_is_sent_as_it_is_meant() {
    // The base64 of ada:hunter2, and of git:hunter2.
    let (ada, git) = ("Basic YWRhOmh1bnRlcjI=", "Basic Z2l0Omh1bnRlcjI=");
    for (keys, sent) in [
        (&[("username", "ada"), ("password", "hunter2")][..], ada),
        (&[("username", "ada\n"), ("password", "hunter2\r\n")], ada),
        (&[("username", "ada"), ("token", "hunter2")], ada),
        (&[("username", "ada"), ("password", "hunter2"), ("token", "other")], ada),
        (&[("password", "hunter2")], git),
        (&[("token", "hunter2\n")], "Bearer hunter2"),
    ] {
        let place = guarded(asking(sent)).await;
        let folder = TempDir::new().unwrap();
        let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        put(folder.path(), &keys);
        let repo = repos(Some(folder.path())).open(&with_secret(place.url().as_str())).unwrap();
        assert_eq!(repo.tips(&[branch("main")]).await.unwrap().len(), 1, "{keys:?}");
    }
}

#[tokio::test]
async fn a_rotated_secret_makes_another_client() {
    let place = guarded(asking("Bearer hunter2")).await;
    let folder = TempDir::new().unwrap();
    let repos = repos(Some(folder.path()));
    let repository = with_secret(place.url().as_str());
    put(folder.path(), &[("token", b"hunter1")]);
    let old = repos.open(&repository).unwrap();
    let error = old.tips(&[branch("main")]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(!shown(&error).contains("hunter"), "{}", shown(&error));
    assert!(Arc::ptr_eq(&old, &repos.open(&repository).unwrap()));

    put(folder.path(), &[("token", b"hunter2")]);
    let new = repos.open(&repository).unwrap();
    assert!(!Arc::ptr_eq(&old, &new));
    assert_eq!(new.tips(&[branch("main")]).await.unwrap().len(), 1);
    assert!(Arc::ptr_eq(&new, &repos.open(&repository).unwrap()));
}

#[tokio::test]
async fn authorities_in_a_secret_are_trusted_and_can_be_rotated() {
    let (tls, pem) = certificate();
    let (_, other) = certificate();
    let place = guarded(Settings { tls: Some(tls), ..asking("Bearer hunter2") }).await;
    let folder = TempDir::new().unwrap();
    let repos = repos(Some(folder.path()));
    let repository = with_secret(place.url().as_str());
    put(folder.path(), &[("token", b"hunter2"), ("caFile", other.as_bytes())]);
    let error = repos.open(&repository).unwrap().tips(&[branch("main")]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(error.in_full().contains("certificate"), "{}", error.in_full());
    put(folder.path(), &[("token", b"hunter2"), ("caFile", pem.as_bytes())]);
    assert_eq!(repos.open(&repository).unwrap().tips(&[branch("main")]).await.unwrap().len(), 1);
    put(folder.path(), &[("token", b"hunter2"), ("caFile", b"no certificate")]);
    let error = repos.open(&repository).err().unwrap();
    assert!(error.in_full().contains("TLS cannot be set up: cannot "), "{}", error.in_full());
}

/// The branch of a proposal that is there already is fetched and gone on with under the same authorities as
/// everything else, so that the push is a fast-forward.
#[tokio::test]
async fn b29_a_branch_that_is_there_is_gone_on_with_under_the_secrets_authorities() {
    let (tls, pem) = certificate();
    let place = guarded(Settings { tls: Some(tls), ..asking("Bearer hunter2") }).await;
    let folder = TempDir::new().unwrap();
    put(folder.path(), &[("token", b"hunter2"), ("caFile", pem.as_bytes())]);
    let proposed = branch("promotion");
    let left_over = commit(place.commit("promotion", &[("a", "2\n")], "somebody's"));
    let base = at(&place, "main");
    // A client of its own: nothing of the branch is known to it.
    let repo = repos(Some(folder.path())).open(&with_secret(place.url().as_str())).unwrap();
    let tips = repo.tips(std::slice::from_ref(&proposed)).await.unwrap();
    assert_eq!(tips.get(&proposed), Some(&left_over));
    let order = CommitOrder {
        branch: proposed.clone(),
        expect: Some(left_over.clone()),
        parents: vec![left_over.clone(), base.clone()],
        ..order(&place, "a", "1\n", "3\n")
    };
    let Written::Done(head) = repo.commit(&order).await.unwrap() else { panic!("not done") };
    assert_eq!(at(&place, "promotion"), head);
    let parents = place.git(&["-C", "repo.git", "log", "-1", "--format=%P", head.as_str()]);
    assert_eq!(parents, format!("{left_over} {base}"));
    assert_eq!(place.show("promotion", "a"), "3");
    place.done();
}

/// Everything an error may show.
fn shown(error: &PortError) -> String {
    format!("{error:?} {} {:?}", error.in_full(), error.hint)
}

#[tokio::test]
async fn a_secret_that_cannot_be_used() {
    let folder = TempDir::new().unwrap();
    let url = "https://git.example.com/fleet";
    let secret = folder.path().join("apps/fleet");
    let check = |given: Option<&Path>, kind, cause: &str, hint: &str| {
        let error = repos(given).open(&with_secret(url)).err().unwrap();
        assert_eq!(error.kind, kind, "{cause}");
        assert_eq!(error.in_full(), format!("reading the Secret apps/fleet of {url}: {cause}"));
        assert!(error.hint.as_deref().unwrap().contains(hint), "{:?}", error.hint);
        assert!(!shown(&error).contains("hunter"), "{}", shown(&error));
    };
    let (missing, local) = (PortErrorKind::Missing, PortErrorKind::Local);
    let at = secret.display().to_string();
    check(None, missing, "no folder of Secrets was given", "--secrets DIR");
    check(Some(folder.path()), missing, &format!("there is no folder {at}"), "correct the name");

    let neither = format!("{at} has neither password, nor token, nor identity");
    for keys in
        [&[][..], &[("username", &b"hunter"[..])], &[("token", b"")], &[("token", b"\n"), ("username", b"a")]]
    {
        put(folder.path(), keys);
        check(Some(folder.path()), missing, &neither, "`username` and `password`, or `token`");
    }
    let is_text = "each key is a file of text";
    put(folder.path(), &[("token", &b"hunter2 ".repeat(200_000))]);
    check(Some(folder.path()), local, &format!("{at}/token: it is larger than 1 MiB"), is_text);
    put(folder.path(), &[("password", b"hunter\xff")]);
    check(Some(folder.path()), local, &format!("{at}/password: stream did not contain valid UTF-8"), is_text);
    put(folder.path(), &[("password", b"hunter2")]);
    std::fs::create_dir(secret.join("token")).unwrap();
    check(Some(folder.path()), local, &format!("{at}/token: it is not a file"), is_text);
}
