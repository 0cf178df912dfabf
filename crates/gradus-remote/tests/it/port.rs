//! The engine's port for Git, against Git's own server.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{BlobId, BranchName, CommitId, RepoPath};
use gradus_core::pipeline::Repository;
use gradus_engine::port::repo::{CommitOrder, FileChange, Repo, Repos, Written};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_remote::git::{ObjectId, RemoteOptions};
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use jiff::Timestamp;

use crate::place::{Place, Via};
use crate::server::Fault;

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

pub(crate) fn path(path: &str) -> RepoPath {
    RepoPath::parse(path).unwrap()
}

pub(crate) fn commit(id: ObjectId) -> CommitId {
    CommitId::parse(&id.to_string()).unwrap()
}

fn blob(content: &str) -> BlobId {
    BlobId::parse(&ObjectId::of_blob(content.as_bytes()).to_string()).unwrap()
}

/// Where a branch is, by git itself.
pub(crate) fn at(place: &Place, name: &str) -> CommitId {
    commit(place.at(name))
}

pub(crate) fn repository(url: &str) -> Repository {
    Repository {
        url: url.into(),
        branch: None,
        paths: Vec::new(),
        secret: None,
        forge: None,
        commit: Default::default(),
    }
}

/// A client of its own, as another replica has one.
pub(crate) fn open(place: &Place) -> Arc<dyn Repo> {
    let access = SecretFolder { folder: None, otherwise: place.options() };
    let repos = WireRepos::new(Arc::new(access), Committer::default());
    repos.open(&repository(place.url().as_str())).unwrap()
}

/// The order to change `file` on `main` from one text to another.
pub(crate) fn order(place: &Place, file: &str, from: &str, to: &str) -> CommitOrder {
    let tip = at(place, "main");
    CommitOrder {
        branch: branch("main"),
        expect: Some(tip.clone()),
        parents: vec![tip.clone()],
        tree_of: tip,
        files: BTreeMap::from([(path(file), FileChange::write(blob(from), to.as_bytes().into()))]),
        message: "promote web to 2\n\nGradus-Pipeline: apps/web\nGradus-Approved-By: Zoë <zoe@acme.test>"
            .to_owned(),
        at: Timestamp::from_second(1_760_000_000).unwrap(),
    }
}

#[tokio::test]
async fn a_repository_is_looked_at() {
    for via in [Via::Http, Via::FileNoFilter] {
        let files = [("a/x.yaml", "1\n"), ("a/y.yml", "2\n"), ("a/z.json", "{}\n"), ("b/c/x.yaml", "3\n")];
        let place = Place::new(via, &files).await;
        let repo = open(&place);
        assert_eq!(repo.default_branch().await.unwrap(), branch("main"));
        let tips = repo.tips(&[branch("main"), branch("none")]).await.unwrap();
        assert_eq!(tips, BTreeMap::from([(branch("main"), at(&place, "main"))]));
        let tip = &tips[&branch("main")];

        let seen = repo.read(tip, &[path("a/x.yaml"), path("a/none"), path("a/z.json/x")]).await.unwrap();
        assert_eq!(seen.len(), 1);
        let file = &seen[&path("a/x.yaml")];
        assert_eq!((&file.blob, &file.bytes[..]), (&blob("1\n"), &b"1\n"[..]));
        assert!(repo.read(tip, &[]).await.unwrap().is_empty());

        let listed = async |below: &[&str]| {
            let below: Vec<_> = below.iter().map(|text| path(text)).collect();
            let listed = repo.list(tip, &below).await.unwrap();
            listed.into_iter().map(|file| (file.path.to_string(), file.blob)).collect::<Vec<_>>()
        };
        let all = [("a/x.yaml", "1\n"), ("a/y.yml", "2\n"), ("b/c/x.yaml", "3\n")]
            .map(|(path, content)| (path.to_owned(), blob(content)));
        assert_eq!(listed(&[]).await, all);
        assert_eq!(listed(&["b", "none"]).await, all[2..]);

        let contents = repo.contents(&[blob("3\n"), blob("2\n")]).await.unwrap();
        let expected = BTreeMap::from([(blob("2\n"), Arc::from(*b"2\n")), (blob("3\n"), Arc::from(*b"3\n"))]);
        assert_eq!(contents, expected);
        place.done();
    }
}

/// Commits that came in by a merge are not on the way of the branch.
#[tokio::test]
async fn history_follows_first_parents() {
    let place = Place::new(Via::Http, &[("a", "1\n"), ("b", "1\n")]).await;
    let first = at(&place, "main");
    place.commit("topic", &[("a", "0\n")], "not on main");
    let second = commit(place.commit("main", &[("b", "2\n")], "second\n\nGradus-Version: 2"));
    place.git(&["-C", "repo.git", "update-ref", "refs/heads/topic", second.as_str()]);
    place.commit("topic", &[("a", "2\n")], "on a topic");
    let tree = place.git(&["-C", "repo.git", "rev-parse", "topic^{tree}"]);
    let topic = at(&place, "topic");
    let identity = ["-c", "user.name=Bob", "-c", "user.email=bob@acme.test", "-C", "repo.git"];
    let merge =
        [&identity[..], &["commit-tree", &tree, "-p", second.as_str(), "-p", topic.as_str(), "-m", "merge"]]
            .concat();
    let merged = place.git(&merge);
    place.git(&["-C", "repo.git", "update-ref", "refs/heads/main", &merged]);

    let repo = open(&place);
    let tip = at(&place, "main");
    let history = repo.history(&tip, &[path("a"), path("b"), path("none")], 10).await.unwrap();
    assert!(history.complete);
    let told: Vec<_> = history.commits.iter().map(|seen| (&seen.id, seen.message.trim_end())).collect();
    let expected = [(&tip, "merge"), (&second, "second\n\nGradus-Version: 2"), (&first, "first")];
    assert_eq!(told, expected);
    let files: Vec<_> = history.commits.iter().map(|seen| seen.files.clone()).collect();
    let of = |a, b| BTreeMap::from([(path("a"), blob(a)), (path("b"), blob(b))]);
    assert_eq!(files, [of("2\n", "2\n"), of("1\n", "2\n"), of("1\n", "1\n")]);
    let seen = &history.commits[1];
    assert_eq!((seen.author.as_str(), seen.email.as_str()), ("Ada", "ada@acme.test"));
    assert_eq!(seen.at, Timestamp::from_second(1_700_000_000).unwrap());

    let cut = repo.history(&tip, &[path("a")], 2).await.unwrap();
    assert_eq!((cut.commits.len(), cut.complete), (2, false));
}

#[tokio::test]
async fn an_order_is_done() {
    for via in [Via::Http, Via::FileOld] {
        let place = Place::empty(via).await;
        place.commit_modes("main", &[("100755", "run.yaml", "tag: 1\n"), ("100644", "b", "x\n")], "first");
        let before = at(&place, "main");
        let order = order(&place, "run.yaml", "tag: 1\n", "tag: 2\n");
        let Written::Done(id) = open(&place).commit(&order).await.unwrap() else { panic!("not done") };
        assert_eq!(at(&place, "main"), id);
        assert_eq!(
            place.git(&["-C", "repo.git", "diff-tree", "--raw", "--no-abbrev", "main^", "main"]),
            format!(":100755 100755 {} {} M\trun.yaml", blob("tag: 1\n"), blob("tag: 2\n"))
        );
        let tree = place.git(&["-C", "repo.git", "rev-parse", "main^{tree}"]);
        assert_eq!(
            place.git(&["-C", "repo.git", "cat-file", "commit", "main"]),
            format!(
                "tree {tree}\nparent {before}\nauthor gradus <gradus@localhost> 1760000000 +0000\n\
                 committer gradus <gradus@localhost> 1760000000 +0000\n\n{}",
                order.message
            )
        );
        place.done();
    }
}

/// A retry and a second replica make the commit that is there already.
#[tokio::test]
async fn the_same_order_makes_the_same_commit() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let order = order(&place, "a", "1\n", "2\n");
    let (one, two) = (open(&place), open(&place));
    let Written::Done(id) = one.commit(&order).await.unwrap() else { panic!("not done") };
    for again in [one, two] {
        assert_eq!(again.commit(&order).await.unwrap(), Written::AlreadyTrue(id.clone()));
    }
    let elsewhere = CommitOrder { branch: branch("other"), expect: None, ..order };
    assert_eq!(open(&place).commit(&elsewhere).await.unwrap(), Written::Done(id));
    place.done();
}

#[tokio::test]
async fn an_order_that_the_world_has_overtaken() {
    let place = Place::new(Via::Http, &[("a", "1\n"), ("b", "1\n")]).await;
    let repo = open(&place);
    let moved = order(&place, "a", "1\n", "2\n");
    let tip = place.commit("main", &[("b", "2\n")], "meanwhile");
    let written = repo.commit(&moved).await.unwrap();
    assert!(matches!(written, Written::Stale(_)), "{written:?}");
    // Also where it would be a new branch.
    let new = CommitOrder { expect: None, ..moved };
    let written = repo.commit(&new).await.unwrap();
    assert!(matches!(written, Written::Stale(_)), "{written:?}");
    let gone = CommitOrder { branch: branch("gone"), ..order(&place, "a", "1\n", "2\n") };
    let written = repo.commit(&gone).await.unwrap();
    assert!(matches!(written, Written::Stale(_)), "{written:?}");

    let changed = order(&place, "a", "0\n", "2\n");
    assert_eq!(repo.commit(&changed).await.unwrap(), Written::Stale("a has changed".to_owned()));
    let absent = order(&place, "none", "1\n", "2\n");
    assert_eq!(repo.commit(&absent).await.unwrap(), Written::Stale("none has changed".to_owned()));
    let so_already = order(&place, "b", "1\n", "2\n");
    assert_eq!(repo.commit(&so_already).await.unwrap(), Written::AlreadyTrue(commit(tip)));
    assert_eq!(place.at("main"), tip);
    place.done();
}

#[tokio::test]
async fn a_refusal_is_told_with_the_hosts_words() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    place.script(
        "repo.git/hooks/pre-receive",
        "#!/bin/sh\necho 'release freeze until Monday' >&2\necho 'ask ops' >&2\nexit 1\n",
    );
    let before = at(&place, "main");
    let written = open(&place).commit(&order(&place, "a", "1\n", "2\n")).await.unwrap();
    let words = "pre-receive hook declined: release freeze until Monday\nask ops";
    assert_eq!(written, Written::Refused(words.to_owned()));
    let deleted = open(&place).delete(&branch("main"), &before).await.unwrap();
    assert!(matches!(&deleted, Written::Refused(why) if why.contains("ask ops")), "{deleted:?}");
    assert_eq!(at(&place, "main"), before);
    place.done();
}

/// The life of a proposal: made, refreshed, merged, its branch deleted.
#[tokio::test]
async fn a_proposal_is_refreshed_merged_and_deleted() {
    let place = Place::new(Via::Http, &[("tag", "1\n"), ("other", "1\n")]).await;
    let repo = open(&place);
    let proposed = branch("gradus/apps/web/prod");
    let first = CommitOrder { branch: proposed.clone(), expect: None, ..order(&place, "tag", "1\n", "2\n") };
    let Written::Done(head) = repo.commit(&first).await.unwrap() else { panic!("not done") };

    let base = commit(place.commit("main", &[("other", "2\n")], "meanwhile"));
    let refresh = CommitOrder {
        branch: proposed.clone(),
        expect: Some(head.clone()),
        parents: vec![head.clone(), base.clone()],
        ..order(&place, "tag", "1\n", "3\n")
    };
    let Written::Done(refreshed) = repo.commit(&refresh).await.unwrap() else { panic!("not done") };
    assert_eq!(place.numstat("main", proposed.as_str()), "1\t1\ttag");
    let parents = |of: &str| place.git(&["-C", "repo.git", "log", "-1", "--format=%P", of]);
    assert_eq!(parents(refreshed.as_str()), format!("{head} {base}"));

    let merge = CommitOrder {
        parents: vec![base.clone(), refreshed.clone()],
        tree_of: refreshed.clone(),
        files: BTreeMap::new(),
        ..order(&place, "tag", "", "")
    };
    let Written::Done(merged) = repo.commit(&merge).await.unwrap() else { panic!("not done") };
    assert_eq!(parents("main"), format!("{base} {refreshed}"));
    assert_eq!((place.show("main", "tag"), place.show("main", "other")), ("3".to_owned(), "2".to_owned()));
    assert_eq!(at(&place, "main"), merged);

    let stale = repo.delete(&proposed, &head).await.unwrap();
    assert!(matches!(stale, Written::Stale(_)), "{stale:?}");
    assert_eq!(at(&place, proposed.as_str()), refreshed);
    assert_eq!(repo.delete(&proposed, &refreshed).await.unwrap(), Written::Done(refreshed.clone()));
    assert_eq!(repo.delete(&proposed, &refreshed).await.unwrap(), Written::AlreadyTrue(refreshed));
    place.done();
}

/// Checks the kind of a failure, its whole text and its hint.
fn check(error: &PortError, kind: PortErrorKind, text: &str, hint: &str) {
    assert_eq!((error.kind, error.in_full().as_str()), (kind, text));
    let told = error.hint.as_deref().unwrap();
    assert!(told.contains(hint), "{told}");
}

#[tokio::test]
async fn what_a_repository_cannot_give() {
    let place = Place::empty(Via::Http).await;
    let files = [("120000", "link", "a.yaml"), ("100644", "a.yaml", "1\n"), ("100644", "d/b.yaml", "1\n")];
    let module = ("160000", "module", "1234567890123456789012345678901234567890");
    place.commit_modes("main", &[&files[..], &[module]].concat(), "first");
    let (repo, url, tip) = (open(&place), place.url(), at(&place, "main"));
    for (file, why) in [
        ("link", "is a symbolic link"),
        ("link/x", "leads through a symbolic link"),
        ("module/x", "leads into a submodule"),
        ("d", "is a folder"),
    ] {
        let error = repo.read(&tip, &[path("a.yaml"), path(file)]).await.unwrap_err();
        let text = format!("cannot read files of {url}: {file} {why}");
        check(&error, PortErrorKind::Unusable, &text, "point to a regular file");
        let error = repo.commit(&order(&place, file, "1\n", "2\n")).await.unwrap_err();
        let text = format!("cannot build a commit on a branch of {url}: {file} {why}");
        check(&error, PortErrorKind::Unusable, &text, "point to a regular file");
    }
    assert_eq!(at(&place, "main"), tip);
    let nowhere = CommitId::parse(&"12".repeat(20)).unwrap();
    let error = repo.read(&nowhere, &[path("a.yaml")]).await.unwrap_err();
    let text = format!("cannot read files of {url}: the repository has no object {nowhere}");
    check(&error, PortErrorKind::Missing, &text, "may have been rewritten");

    let server = place.server.as_ref().unwrap();
    for (status, kind, text, hint) in [
        (401, PortErrorKind::Denied, "the host did not accept the credentials", "has not expired"),
        (403, PortErrorKind::Denied, "the host forbids it: no", "the right to read"),
        (404, PortErrorKind::Missing, "there is no such repository", "also reported as missing"),
        (429, PortErrorKind::Unusable, "the host says: 429 Too Many Requests: no", "read what the host says"),
        (503, PortErrorKind::Unreachable, "the host failed: 503 Service Unavailable: no", "try again later"),
    ] {
        server.fault("info/refs?service=git-upload-pack", Fault::Status(status, "no"));
        let error = open(&place).tips(&[branch("main")]).await.unwrap_err();
        check(&error, kind, &format!("cannot look at the branches of {url}: {text}"), hint);
    }
    place.git(&["-C", "repo.git", "update-ref", "--no-deref", "HEAD", tip.as_str()]);
    let error = repo.default_branch().await.unwrap_err();
    check(
        &error,
        PortErrorKind::Missing,
        &format!("asking {url} for its default branch (not found)"),
        "repository.branch",
    );
}

#[tokio::test]
async fn an_address_that_leads_nowhere() {
    let repos = WireRepos::new(Arc::new(SecretFolder::default()), Committer::default());
    for (url, why, hint) in [
        ("ssh://host/fleet", "it names no user; most hosts want git@HOST", "correct the value"),
        (
            "https://ada:hunter2@host/fleet",
            "it holds credentials; give them apart from the address",
            "correct",
        ),
    ] {
        let error = repos.open(&repository(url)).err().unwrap();
        let text = format!("cannot take the address of the repository: {why}");
        check(&error, PortErrorKind::Unusable, &text, hint);
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/x.git", listener.local_addr().unwrap().port());
    drop(listener);
    let error = repos.open(&repository(&url)).unwrap().tips(&[branch("main")]).await.unwrap_err();
    let text = format!("cannot look at the branches of {url}: the host cannot be reached");
    assert!(error.in_full().starts_with(&text) && error.in_full().len() > text.len(), "{}", error.in_full());
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert_eq!(error.hint.as_deref(), Some("check the address, the network and the proxy settings"));

    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let otherwise = RemoteOptions { git_program: "/nonexistent/git".into(), ..RemoteOptions::default() };
    let repos = WireRepos::new(Arc::new(SecretFolder { folder: None, otherwise }), Committer::default());
    let error = repos.open(&repository(place.url().as_str())).unwrap().default_branch().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Local);
    assert!(
        error.in_full().contains("/nonexistent/git, needed for file://, does not start: "),
        "{}",
        error.in_full()
    );
}
