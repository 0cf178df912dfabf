//! Signed commits, judged by Git itself.

use std::sync::Arc;

use gradus_core::pipeline::{Author, CommitStyle, Repository};
use gradus_engine::port::PortErrorKind;
use gradus_engine::port::repo::{Repo, Repos as _, Written};
use gradus_remote::Secret;
use gradus_remote::git::{RemoteOptions, SigningKey};
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};

use crate::place::{Place, Via};
use crate::port;

const WHO: &str = "release@acme.test";

/// A repository whose commits are made so; the key is in the folder of the test.
fn open(place: &Place, signing: bool, sign_off: bool) -> Arc<dyn Repo> {
    let author = Author { name: "Release Bot".into(), email: WHO.into() };
    let signing = signing.then(|| Arc::from("apps/signing"));
    let commit = CommitStyle { author: Some(author), sign_off, signing };
    let repository = Repository { commit, ..port::repository(place.url().as_str()) };
    let access =
        SecretFolder { folder: Some(place.dir.path().join("secrets")), otherwise: RemoteOptions::default() };
    WireRepos::new(Arc::new(access), Committer::default()).open(&repository).unwrap()
}

fn keygen(place: &Place, name: &str, kind: &[&str]) -> String {
    let args = [&["-q", "-N", "", "-C", "", "-f", name][..], kind].concat();
    place.run("ssh-keygen", &args);
    std::fs::read_to_string(place.dir.path().join(name)).unwrap()
}

fn keep(place: &Place, identity: &str) {
    let folder = place.dir.path().join("secrets/apps/signing");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("identity"), identity).unwrap();
}

fn done(written: Written) -> String {
    match written {
        Written::Done(id) => id.to_string(),
        other @ (Written::AlreadyTrue(_) | Written::Stale(_) | Written::Refused(_)) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn git_takes_a_signed_commit_for_good() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    keep(&place, &keygen(&place, "key", &["-t", "ed25519"]));
    let order = port::order(&place, "a", "1\n", "2\n");
    let id = done(open(&place, true, true).commit(&order).await.unwrap());
    let public = std::fs::read_to_string(place.dir.path().join("key.pub")).unwrap();
    std::fs::write(place.dir.path().join("allowed"), format!("{WHO} namespaces=\"git\" {public}")).unwrap();
    place.config("gpg.ssh.allowedSignersFile", place.dir.path().join("allowed").to_str().unwrap());
    // It ends with a failure where the signature is not good.
    place.git(&["-C", "repo.git", "verify-commit", &id]);
    let said = place.git(&["-C", "repo.git", "log", "-1", "--format=%G?|%GS|%an <%ae>|%cn <%ce>", &id]);
    assert_eq!(said, format!("G|{WHO}|Release Bot <{WHO}>|Release Bot <{WHO}>"));
    let trailers =
        place.git(&["-C", "repo.git", "log", "-1", "--format=%(trailers:key=Signed-off-by,valueonly)", &id]);
    assert_eq!(trailers, format!("Release Bot <{WHO}>"));
    let trailers = place.git(&[
        "-C",
        "repo.git",
        "log",
        "-1",
        "--format=%(trailers:key=Gradus-Pipeline,valueonly)",
        &id,
    ]);
    assert_eq!(trailers, "apps/web");
    // History is read past the signature.
    let history = open(&place, false, false).history(&port::at(&place, "main"), &[], 2).await.unwrap();
    assert_eq!(history.commits[0].email, WHO);
    assert!(history.commits[0].message.starts_with("promote web to 2\n\n"));
    place.done();
}

#[tokio::test]
async fn the_same_order_makes_the_same_signed_commit() {
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let first = port::at(&place, "main");
    keep(&place, &keygen(&place, "key", &["-t", "ed25519"]));
    let order = port::order(&place, "a", "1\n", "2\n");
    let ids = [(true, true), (true, true), (true, false), (false, true), (false, false)].map(
        |(signing, sign_off)| {
            let repo = open(&place, signing, sign_off);
            let (place, order, first) = (&place, &order, &first);
            async move {
                place.git(&["-C", "repo.git", "update-ref", "refs/heads/main", first.as_str()]);
                done(repo.commit(order).await.unwrap())
            }
        },
    );
    let mut made = Vec::new();
    for id in ids {
        made.push(id.await);
    }
    assert_eq!(made[0], made[1]);
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 4, "each way of making it is another commit");
    place.done();
}

#[tokio::test]
async fn keys_that_cannot_sign_the_same_twice_are_refused() {
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let refused = |identity: &str| SigningKey::parse(&Secret::new(identity)).unwrap_err();
    let kind = |kind: &str| {
        format!("it is a key of the kind {kind}: only ssh-ed25519 signs the same commit the same each time")
    };
    assert_eq!(refused(&keygen(&place, "ecdsa", &["-t", "ecdsa"])), kind("ecdsa-sha2-nistp256"));
    assert_eq!(refused(&keygen(&place, "rsa", &["-t", "rsa", "-b", "2048"])), kind("ssh-rsa"));
    place.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "hunter2", "-f", "locked"]);
    let locked = std::fs::read_to_string(place.dir.path().join("locked")).unwrap();
    assert_eq!(refused(&locked), "it is protected by a passphrase");
    let pem = keygen(&place, "pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]);
    assert!(refused(&pem).starts_with("it is not in the form of OpenSSH"), "{}", refused(&pem));
    assert!(refused("ssh-ed25519 AAAA").contains("public key"));
    let good = keygen(&place, "key", &["-t", "ed25519"]);
    let cut: String = good.lines().take(3).collect();
    assert_eq!(refused(&cut), "it is cut off or damaged");
    let shown = format!("{:?}", SigningKey::parse(&Secret::new(&*good)).unwrap());
    let public = std::fs::read_to_string(place.dir.path().join("key.pub")).unwrap();
    assert_eq!(shown, format!("SigningKey({})", public.trim_end()));

    keep(&place, "");
    let style = CommitStyle { signing: Some("apps/signing".into()), ..CommitStyle::default() };
    let repository = Repository { commit: style, ..port::repository(place.url().as_str()) };
    let access =
        SecretFolder { folder: Some(place.dir.path().join("secrets")), otherwise: RemoteOptions::default() };
    let error = WireRepos::new(Arc::new(access), Committer::default()).open(&repository).err().unwrap();
    assert_eq!(error.kind, PortErrorKind::Missing);
    let text = "reading the key that commits are signed with from Secret apps/signing: it has no `identity`";
    assert_eq!(error.in_full(), text);
}
