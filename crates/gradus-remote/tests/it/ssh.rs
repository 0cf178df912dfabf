//! A repository on a real server of OpenSSH.

use std::sync::Arc;

use gradus_core::pipeline::Repository;
use gradus_engine::port::PortErrorKind;
use gradus_engine::port::repo::{Repos as _, Written};
use gradus_remote::Secret;
use gradus_remote::git::{GitErrorKind, Pushed, Remote, RemoteOptions, RemoteUrl, SshFault, SshKey, Way};
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use gradus_testbed::Sshd;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::place::{Place, Via, branch, edit, path};
use crate::port;

/// A host that lets clients choose the protocol, as forges do.
async fn modern() -> Sshd {
    Sshd::start(&["AcceptEnv GIT_PROTOCOL"]).await.unwrap()
}

/// The hosts that all tests of the program share, with and without the second protocol.
pub(crate) async fn shared(old: bool) -> &'static Sshd {
    static MODERN: OnceCell<Sshd> = OnceCell::const_new();
    static OLD: OnceCell<Sshd> = OnceCell::const_new();
    if old {
        OLD.get_or_init(async || Sshd::start(&[]).await.unwrap()).await
    } else {
        MODERN.get_or_init(modern).await
    }
}

pub(crate) fn key(sshd: &Sshd) -> SshKey {
    SshKey { identity: Secret::new(sshd.identity()), known_hosts: sshd.known_hosts() }
}

fn url(sshd: &Sshd, place: &Place) -> RemoteUrl {
    RemoteUrl::new(&sshd.url(&place.repo())).unwrap()
}

fn with(sshd: &Sshd, place: &Place, key: SshKey) -> Remote {
    let options = RemoteOptions { ssh: Some(key), ..place.options() };
    Remote::open(url(sshd, place), options).unwrap()
}

fn put(folder: &TempDir, keys: &[(&str, &str)]) {
    let secret = folder.path().join("apps/fleet");
    std::fs::create_dir_all(&secret).unwrap();
    for (key, value) in keys {
        std::fs::write(secret.join(key), value).unwrap();
    }
}

fn repos(folder: &TempDir) -> WireRepos {
    let access = SecretFolder { folder: Some(folder.path().to_owned()), otherwise: RemoteOptions::default() };
    WireRepos::new(Arc::new(access), Committer::default())
}

/// With the Secret that Flux would take: read, commit, push; and whoever comes second is told.
#[tokio::test]
async fn k9_a_deploy_key_reads_and_pushes() {
    for settings in [&["AcceptEnv GIT_PROTOCOL"][..], &[]] {
        let sshd = Sshd::start(settings).await.unwrap();
        let place = Place::new(Via::File, &[("apps/web/a.yaml", "1\n"), ("b", "1\n")]).await;
        let folder = TempDir::new().unwrap();
        put(
            &folder,
            &[
                ("identity", &sshd.identity()),
                ("identity.pub", "ignored"),
                ("known_hosts", &sshd.known_hosts()),
            ],
        );
        let at = sshd.url(&place.repo());
        let repository = Repository { secret: Some("apps/fleet".into()), ..port::repository(&at) };
        let (one, two) = (repos(&folder), repos(&folder));
        let (one, two) = (one.open(&repository).unwrap(), two.open(&repository).unwrap());
        let seen = one.read(&port::at(&place, "main"), &[port::path("apps/web/a.yaml")]).await.unwrap();
        assert_eq!(&*seen[&port::path("apps/web/a.yaml")].bytes, b"1\n");
        two.read(&port::at(&place, "main"), &[port::path("b")]).await.unwrap();
        let first = port::order(&place, "apps/web/a.yaml", "1\n", "2\n");
        let second = port::order(&place, "b", "1\n", "2\n");
        assert!(matches!(one.commit(&first).await.unwrap(), Written::Done(_)));
        let late = two.commit(&second).await.unwrap();
        assert!(matches!(late, Written::Stale(_)), "{late:?}");
        assert_eq!(place.show("main", "apps/web/a.yaml"), "2");
        assert_eq!(place.show("main", "b"), "1");
        place.done();
    }
}

/// To look, to read and to push takes two connections: one for each of Git's two services.
#[tokio::test]
async fn connections_are_used_again() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a/b/c", "1\n"), ("a/d", "1\n")]).await;
    let remote = with(&sshd, &place, key(&sshd));
    let tip = remote.tip(&branch("main")).await.unwrap();
    let prepared = edit(&remote, tip, "a/b/c", "2\n").await;
    assert_eq!(remote.push(&branch("main"), Some(tip), &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(remote.traffic().connections, 2);
    assert_eq!(sshd.accepted(), 2);

    // What a connection was told of branches stays what it was; so the next look takes another one.
    let moved = place.commit("main", &[("a/d", "2\n")], "next");
    assert_eq!(remote.tip(&branch("main")).await.unwrap(), moved);
    assert_eq!(remote.traffic().connections, 3);
    let read = remote.read(moved, &[path("a/d")]).await.unwrap();
    assert_eq!(&read[&path("a/d")].as_ref().unwrap().bytes[..], b"2\n");
    assert_eq!(remote.traffic().connections, 3);

    // A history is not cut where an earlier look had cut it.
    for n in 0..40 {
        place.commit("main", &[("a/d", &format!("{n}x\n"))], "more");
    }
    let tip = remote.tip(&branch("main")).await.unwrap();
    remote.read(tip, &[path("a/d")]).await.unwrap();
    let history = remote.history(tip, &[path("a/d")], 100).await.unwrap();
    assert_eq!(history.entries.len(), 43);
    place.done();
}

/// A host whose sshd does not let the protocol be chosen gives whole commits.
#[tokio::test]
async fn without_the_second_protocol_whole_commits_are_read() {
    for (settings, protocol, way) in [(&["AcceptEnv GIT_PROTOCOL"][..], 2, Way::Wire), (&[], 0, Way::Mirror)]
    {
        let sshd = Sshd::start(settings).await.unwrap();
        let place = Place::new(Via::File, &[("a/b", "1\n"), ("c", "1\n")]).await;
        let remote = with(&sshd, &place, key(&sshd));
        let found = remote.probe().await.unwrap();
        assert_eq!((found.protocol, found.way), (protocol, way), "{}", found.reason);
        assert!(found.receiving.unwrap().report_status);
        let mut tip = remote.tip(&branch("main")).await.unwrap();
        for text in ["2\n", "3\n"] {
            let prepared = edit(&remote, tip, "a/b", text).await;
            assert_eq!(remote.push(&branch("main"), Some(tip), &prepared).await.unwrap(), Pushed::Done);
            tip = remote.tip(&branch("main")).await.unwrap();
            assert_eq!(tip, prepared.id());
        }
        let history = remote.history(tip, &[path("a/b")], 10).await.unwrap();
        assert_eq!(history.entries.len(), 3);
        place.done();
    }
}

#[tokio::test]
async fn a_host_that_shows_another_key_is_not_spoken_to() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let known = |known_hosts: String| SshKey { known_hosts, ..key(&sshd) };
    for (known_hosts, fault) in [
        (sshd.wrong_hosts(), SshFault::HostChanged),
        (String::new(), SshFault::HostUnknown),
        (sshd.known_hosts().replace("127.0.0.1", "git.acme.test"), SshFault::HostUnknown),
    ] {
        let error = with(&sshd, &place, known(known_hosts)).tip(&branch("main")).await.unwrap_err();
        assert_eq!(*error.kind(), GitErrorKind::Ssh(fault));
    }
    assert_eq!(sshd.accepted(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let identity = |identity: String| SshKey { identity: Secret::new(identity), ..key(&sshd) };
    let error = with(&sshd, &place, identity(sshd.stranger())).tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Ssh(SshFault::KeyRefused));
    let said = format!(
        "cannot look at the branches of {}: the host does not take the private key in `identity`",
        url(&sshd, &place)
    );
    assert_eq!(error.to_string(), said);

    let open = |ssh: Option<SshKey>| {
        let options = RemoteOptions { ssh, ..place.options() };
        Remote::open(url(&sshd, &place), options).err().unwrap().kind().clone()
    };
    let unusable = |why: &str| GitErrorKind::Ssh(SshFault::KeyUnusable(why.to_owned()));
    assert_eq!(open(None), GitErrorKind::Ssh(SshFault::NoKey));
    assert_eq!(open(Some(identity("ssh-ed25519 AAAA me".to_owned()))), unusable("it is a public key"));
    let cut: String = sshd.identity().lines().take(3).collect();
    assert_eq!(open(Some(identity(cut))), unusable("it is cut off or damaged"));
    place.run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "hunter2", "-f", "locked"]);
    let locked = std::fs::read_to_string(place.dir.path().join("locked")).unwrap();
    assert_eq!(open(Some(identity(locked))), unusable("it is protected by a passphrase"));

    // A key alone does not open what is reached over HTTP.
    let web = RemoteUrl::new("https://git.acme.test/fleet").unwrap();
    let options = RemoteOptions { ssh: Some(key(&sshd)), ..place.options() };
    let error = Remote::open(web, options).err().unwrap();
    assert_eq!(*error.kind(), GitErrorKind::Ssh(SshFault::OnlyKey));
}

#[tokio::test]
async fn what_keeps_ssh_from_coming_through_is_said() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let missing = RemoteUrl::new(&sshd.url(&place.dir.path().join("none.git"))).unwrap();
    let options = || RemoteOptions { ssh: Some(key(&sshd)), ..place.options() };
    let error = Remote::open(missing, options()).unwrap().tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::RepositoryMissing);

    let none = RemoteOptions { ssh_program: "/nowhere/ssh".into(), ..options() };
    let error = Remote::open(url(&sshd, &place), none).unwrap().tip(&branch("main")).await.unwrap_err();
    let fault = SshFault::NoProgram("/nowhere/ssh".to_owned());
    assert_eq!(*error.kind(), GitErrorKind::Ssh(fault));

    let text = url(&sshd, &place).to_string();
    let closed = text.replace(&format!(":{}", sshd.port()), ":1");
    let closed = RemoteUrl::new(&closed).unwrap();
    let error = Remote::open(closed, options()).unwrap().tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Unreachable);
}

/// A user of the host's own is where paths begin that are not absolute.
#[tokio::test]
async fn a_path_below_the_home_is_read_as_git_reads_it() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let options = RemoteOptions { ssh: Some(key(&sshd)), ..place.options() };
    // The host listens on no usual port, which such an address cannot say; a program in between can.
    let program = format!(
        "#!/bin/sh\nexec ssh -p {} -o HostKeyAlias=[127.0.0.1]:{} \"$@\"\n",
        sshd.port(),
        sshd.port()
    );
    place.script("ssh-elsewhere", &program);
    let ssh_program = place.dir.path().join("ssh-elsewhere");
    let options = RemoteOptions { ssh_program, ..options };
    let text = format!("{}@127.0.0.1:{}", sshd.user(), place.repo().display());
    let remote = Remote::open(RemoteUrl::new(&text).unwrap(), options).unwrap();
    assert_eq!(remote.tip(&branch("main")).await.unwrap(), place.at("main"));
}

#[tokio::test]
async fn a_secret_that_lacks_something_says_what() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let at = sshd.url(&place.repo());
    let repository = Repository { secret: Some("apps/fleet".into()), ..port::repository(&at) };
    let refused = |keys: &[(&str, &str)], repository: &Repository| {
        let folder = TempDir::new().unwrap();
        put(&folder, keys);
        let error = repos(&folder).open(repository).err().unwrap();
        (error.kind, error.in_full())
    };
    let identity = sshd.identity();
    let (kind, said) = refused(&[("identity", &identity)], &repository);
    assert_eq!(kind, PortErrorKind::Missing);
    assert_eq!(said, "reading the key for ssh of a Secret: it has `identity` and no `known_hosts`");
    let (kind, said) = refused(&[("token", "hunter2")], &repository);
    assert_eq!(kind, PortErrorKind::Missing);
    assert_eq!(
        said,
        format!("cannot open the repository {at}: an address for ssh needs a key, and none is given")
    );
    let (kind, said) = refused(&[], &port::repository(&at));
    assert_eq!((kind, said.contains("needs a key")), (PortErrorKind::Missing, true), "{said}");
}

/// A hook's words and a host that hangs are told as over other ways.
#[tokio::test]
async fn what_the_host_says_comes_through() {
    let sshd = modern().await;
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let remote = with(&sshd, &place, key(&sshd));
    let tip = remote.tip(&branch("main")).await.unwrap();
    let prepared = edit(&remote, tip, "a", "2\n").await;
    place.script("repo.git/hooks/pre-receive", "#!/bin/sh\necho 'freeze until Monday' >&2\nexit 1\n");
    let expected = Pushed::Refused {
        reason: "pre-receive hook declined".to_owned(),
        remote_text: "freeze until Monday".to_owned(),
    };
    assert_eq!(remote.push(&branch("main"), Some(tip), &prepared).await.unwrap(), expected);
    place.script("repo.git/hooks/pre-receive", "#!/bin/sh\nkill -9 $PPID\n");
    let error = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::OutcomeUnknown, "{error}");
    place.script("slow-ssh", "#!/bin/sh\nexec sleep 60\n");
    let limits = gradus_remote::git::Limits {
        stall: std::time::Duration::from_millis(100),
        ..gradus_remote::git::Limits::default()
    };
    let ssh_program = place.dir.path().join("slow-ssh");
    let options = RemoteOptions { ssh: Some(key(&sshd)), ssh_program, limits, ..place.options() };
    let slow = Remote::open(url(&sshd, &place), options).unwrap();
    let error = slow.tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Timeout("waiting for the next bytes"));
    assert_eq!(place.at("main"), tip);
}
