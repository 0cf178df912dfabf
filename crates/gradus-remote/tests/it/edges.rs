//! What can happen on the way to a host: credentials, redirects, certificates, connections that break.

use std::time::Duration;

use gradus_remote::{
    Secret,
    git::{Credentials, GitError, GitErrorKind, Limits, Pushed, Remote, RemoteOptions, RemoteUrl, Way},
    http::Tls,
};

use crate::{
    place::{Place, Via, branch, edit, path},
    server::{Fault, Server, Settings},
    tls::certificate,
};

const ADVERTISEMENT: &str = "info/refs?service=git-upload-pack";
const RECEIVE: &str = "/git-receive-pack";

/// The text of an error and of its causes, as a log would show it; it must not hold a secret.
fn shown(error: &GitError) -> String {
    let mut text = format!("{error:?} {error} {}", error.hint());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(" {error}");
        cause = error.source();
    }
    text
}

async fn guarded(authorization: &str) -> Place {
    let mut place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let settings = Settings { authorization: Some(authorization.to_owned()), ..Settings::default() };
    place.server = Some(Server::start(place.dir.path(), settings).await);
    place
}

fn with(place: &Place, credentials: Credentials) -> Remote {
    Remote::open(place.url(), RemoteOptions { credentials, ..place.options() }).unwrap()
}

fn basic(password: &str) -> Credentials {
    Credentials::Basic { user: "ada".to_owned(), password: Secret::new(password) }
}

#[tokio::test]
async fn credentials_are_taken_or_refused() {
    let basic_place = guarded("Basic YWRhOmh1bnRlcjI=").await;
    let bearer_place = guarded("Bearer hunter2").await;
    let bearer = |token: &str| Credentials::Bearer(Secret::new(token));
    for (place, good, bad) in [
        (&basic_place, basic("hunter2"), basic("hunter3")),
        (&bearer_place, bearer("hunter2"), bearer("hunter3")),
    ] {
        let remote = with(place, good);
        let tip = remote.tip(&branch("main")).await.unwrap();
        let prepared = edit(&remote, tip, "a", "2\n").await;
        assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);
        for credentials in [bad, Credentials::None] {
            let error = with(place, credentials).tip(&branch("main")).await.unwrap_err();
            assert_eq!(*error.kind(), GitErrorKind::Unauthorized);
            assert!(!shown(&error).contains("hunter"), "{}", shown(&error));
        }
        place.done();
    }
}

#[tokio::test]
async fn a_token_that_expires_before_a_push_changes_nothing() {
    let place = guarded("Bearer hunter2").await;
    let remote = with(&place, Credentials::Bearer(Secret::new("hunter2")));
    let tip = remote.tip(&branch("main")).await.unwrap();
    let prepared = edit(&remote, tip, "a", "2\n").await;
    for (status, kind) in [
        (401, GitErrorKind::Unauthorized),
        (403, GitErrorKind::Forbidden("*** may not write".to_owned())),
        (404, GitErrorKind::RepositoryMissing),
        (429, GitErrorKind::Refused("429 Too Many Requests: *** may not write".to_owned())),
        (307, GitErrorKind::Redirected("nowhere".to_owned())),
        (502, GitErrorKind::OutcomeUnknown),
    ] {
        let server = place.server.as_ref().unwrap();
        server.fault(RECEIVE, Fault::Status(status, "hunter2 may not write"));
        let error = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap_err();
        assert_eq!(*error.kind(), kind);
        assert!(!shown(&error).contains("hunter"), "{}", shown(&error));
    }
    assert_eq!(place.at("main"), tip);
}

/// A proxy that answers with what it was sent must not bring the token into a log.
#[tokio::test]
async fn what_a_host_repeats_of_our_credentials_is_blotted() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let server = place.server.as_ref().unwrap();
    let echo = "you sent Basic YWRhOmh1bnRlcjI= or hunter2";
    let remote = with(&place, basic("hunter2"));
    server.fault(ADVERTISEMENT, Fault::Status(403, echo));
    let error = remote.tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Forbidden("you sent *** or ***".to_owned()));
    server.fault(
        ADVERTISEMENT,
        Fault::Redirect(302, "http://hunter2.test:1/YWRhOmh1bnRlcjI=/hunter2".to_owned()),
    );
    let error = remote.tip(&branch("main")).await.unwrap_err();
    assert!(!shown(&error).contains("hunter2"), "{}", shown(&error));

    // A token that cannot be sent is found before anything is.
    let unusable =
        RemoteOptions { credentials: Credentials::Bearer(Secret::new("hunter2\n")), ..place.options() };
    let error = Remote::open(place.url(), unusable).err().unwrap();
    assert!(!shown(&error).contains("hunter2"), "{}", shown(&error));
    let why = "the credentials cannot be put into a header";
    assert_eq!(*error.kind(), GitErrorKind::Input(why.to_owned()));
}

#[tokio::test]
async fn redirects_stay_on_the_host() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let server = place.server.as_ref().unwrap();
    let other = Server::start(place.dir.path(), Settings::default()).await;
    let credentials = basic("hunter2");

    for status in [301, 302, 303, 307, 308] {
        server.fault(ADVERTISEMENT, Fault::Redirect(status, other.url()));
        let error = with(&place, credentials.clone()).tip(&branch("main")).await.unwrap_err();
        let to = format!("{}/repo.git/info/refs", other.url());
        assert_eq!(*error.kind(), GitErrorKind::Redirected(to.clone()));
        assert_eq!(
            error.to_string(),
            format!(
                "cannot look at the branches of {}: the host redirects to {to}, which is not followed",
                place.url()
            )
        );
    }
    assert!(other.seen().is_empty(), "nothing goes to another host");

    // Round and round on the same host.
    for _ in 0..20 {
        server.fault(ADVERTISEMENT, Fault::Redirect(302, String::new()));
    }
    let error = with(&place, credentials).tip(&branch("main")).await.unwrap_err();
    assert!(matches!(error.kind(), GitErrorKind::Redirected(_)), "{error}");
    assert!(server.seen().len() < 20);
}

#[tokio::test]
async fn a_repository_that_moved_on_its_host_is_used_where_it_is() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let server = place.server.as_ref().unwrap();
    std::fs::create_dir(place.dir.path().join("new")).unwrap();
    std::fs::rename(place.repo(), place.dir.path().join("new/repo.git")).unwrap();
    server.fault(ADVERTISEMENT, Fault::Redirect(301, "/new".to_owned()));
    let remote = place.remote();
    let tip = remote.tip(&branch("main")).await.unwrap();
    remote.read(tip, &[path("a")]).await.unwrap();
    let asked: Vec<_> = server.seen().into_iter().map(|seen| (seen.method, seen.path)).collect();
    assert_eq!(asked[0].1, "/repo.git/info/refs?service=git-upload-pack");
    assert!(asked[1..].iter().all(|(_, path)| path.starts_with("/new/repo.git/")), "{asked:?}");
}

#[tokio::test]
async fn what_is_known_of_a_host_is_not_asked_again() {
    let place = Place::new(Via::Http, &[("a/b", "1\n")]).await;
    let remote = place.remote();
    let mut tip = remote.tip(&branch("main")).await.unwrap();
    for content in ["2\n", "3\n"] {
        let prepared = edit(&remote, tip, "a/b", content).await;
        remote.push(&branch("main"), Some(tip), &prepared).await.unwrap();
        tip = prepared.id();
    }
    let asked: Vec<_> = place.server.as_ref().unwrap().seen().into_iter().map(|seen| seen.path).collect();
    let fetch = "/repo.git/git-upload-pack";
    let push = "/repo.git/git-receive-pack";
    let receive = "/repo.git/info/refs?service=git-receive-pack";
    let upload = "/repo.git/info/refs?service=git-upload-pack";
    // Look, commit, two trees, one file, push; what was pushed is known, but for the file read after it.
    assert_eq!(asked, [upload, fetch, fetch, fetch, fetch, fetch, receive, push, push]);
}

/// The connection ends after the request: whether it had an effect, only the branch says.
#[tokio::test]
async fn a_push_without_an_answer_is_looked_at() {
    for (fault, landed) in [(Fault::DropBefore, false), (Fault::DropAfter, true), (Fault::Cut(30), true)] {
        let place = Place::new(Via::Http, &[("a", "1\n")]).await;
        let remote = place.remote();
        let tip = remote.tip(&branch("main")).await.unwrap();
        let prepared = edit(&remote, tip, "a", "2\n").await;
        place.server.as_ref().unwrap().fault(RECEIVE, fault.clone());
        let error = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap_err();
        assert_eq!(*error.kind(), GitErrorKind::OutcomeUnknown, "{fault:?}: {error}");
        assert!(std::error::Error::source(&error).is_some());
        let now = remote.tip(&branch("main")).await.unwrap();
        assert_eq!(now, if landed { prepared.id() } else { tip }, "{fault:?}");
        // The same push again is safe in both cases.
        let again = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap();
        assert_eq!(again, if landed { Pushed::AlreadyTrue } else { Pushed::Done }, "{fault:?}");
        place.done();
    }
}

/// `git receive-pack` over a pipe that dies before, or after, it has moved the branch.
#[tokio::test]
async fn a_push_to_a_file_without_an_answer_is_looked_at() {
    for (script, landed) in [
        (
            "#!/bin/sh\ncase \"$*\" in *receive-pack*advertise*) exec git \"$@\";; *receive-pack*) exit 1;; esac\nexec git \"$@\"\n",
            false,
        ),
        (
            "#!/bin/sh\ncase \"$*\" in *receive-pack*advertise*) exec git \"$@\";; *receive-pack*) git \"$@\" >/dev/null; exit 1;; esac\nexec git \"$@\"\n",
            true,
        ),
    ] {
        let place = Place::new(Via::File, &[("a", "1\n")]).await;
        place.script("dying-git", script);
        let options = RemoteOptions { git_program: place.dir.path().join("dying-git"), ..place.options() };
        let remote = Remote::open(place.url(), options).unwrap();
        let tip = remote.tip(&branch("main")).await.unwrap();
        let prepared = edit(&remote, tip, "a", "2\n").await;
        let error = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap_err();
        assert_eq!(*error.kind(), GitErrorKind::OutcomeUnknown, "{error}");
        assert_eq!(remote.tip(&branch("main")).await.unwrap(), if landed { prepared.id() } else { tip });
        place.done();
    }
}

#[tokio::test]
async fn a_host_that_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}/x.git", listener.local_addr().unwrap().port());
    drop(listener);
    let remote = Remote::open(RemoteUrl::new(&url).unwrap(), RemoteOptions::default()).unwrap();
    let error = remote.tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Unreachable);
    assert_eq!(
        error.to_string(),
        format!("cannot look at the branches of {url}: the host cannot be reached")
    );

    let options = RemoteOptions { git_program: "/nonexistent/git".into(), ..RemoteOptions::default() };
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    let error = Remote::open(place.url(), options).unwrap().tip(&branch("main")).await.unwrap_err();
    assert!(matches!(error.kind(), GitErrorKind::Local(_)), "{error}");
}

#[tokio::test]
async fn only_a_trusted_certificate_is_taken() {
    let mut place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let (tls, pem) = certificate();
    let settings = Settings { tls: Some(tls), ..Settings::default() };
    place.server = Some(Server::start(place.dir.path(), settings).await);

    let error = place.remote().tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Unreachable);
    assert!(shown(&error).contains("certificate"), "{}", shown(&error));

    let trusting =
        |pem: Vec<u8>| RemoteOptions { tls: Tls { ca_pem: Some(pem) }, ..RemoteOptions::default() };
    let remote = Remote::open(place.url(), trusting(pem.into_bytes())).unwrap();
    let tip = remote.tip(&branch("main")).await.unwrap();
    let prepared = edit(&remote, tip, "a", "2\n").await;
    assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);

    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(Remote::open(place.url(), trusting(pem.into())).is_err(), "{pem:?} was taken");
    }
    place.done();
}

#[tokio::test]
async fn the_host_says_what_it_can_do() {
    for (via, way, protocol, reason) in [
        (Via::Http, Way::Wire, 2, "the host speaks protocol version 2 with filters"),
        (Via::FileNoFilter, Way::Mirror, 2, "the host does not offer filters (uploadpack.allowFilter)"),
        (
            Via::HttpOld,
            Way::Mirror,
            0,
            "the host speaks only the first protocol, which cannot ask for single objects",
        ),
    ] {
        let place = Place::new(via, &[("a", "1\n")]).await;
        let seen = place.remote().probe().await.unwrap();
        assert_eq!((seen.way, seen.protocol, seen.reason.as_str()), (way, protocol, reason));
        assert_eq!((seen.object_format.as_str(), seen.agent.unwrap().starts_with("git/")), ("sha1", true));
        let receiving = seen.receiving.unwrap();
        assert!(
            receiving.report_status && receiving.delete_refs && receiving.atomic && !receiving.push_options
        );
    }
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    place.config("http.receivepack", "false");
    let seen = place.remote().probe().await.unwrap();
    assert_eq!(seen.receiving, Err("the host forbids it".to_owned()));
}

/// Some hosts offer filters and refuse the one that leaves trees out.
#[tokio::test]
async fn a_filter_that_is_refused_after_all() {
    for via in [Via::Http, Via::File] {
        let place = Place::new(via, &[("a/b", "1\n")]).await;
        place.config("uploadpackfilter.tree.allow", "false");
        let remote = place.remote();
        let tip = remote.tip(&branch("main")).await.unwrap();
        let prepared = edit(&remote, tip, "a/b", "2\n").await;
        assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);
        let seen = remote.probe().await.unwrap();
        assert_eq!(seen.way, Way::Mirror);
        assert!(seen.reason.contains("filter 'tree' not supported"), "{}", seen.reason);
        place.done();
    }
}

/// Some hosts give commits and nothing else by itself.
#[tokio::test]
async fn a_tree_that_is_refused() {
    for said in ["ERR want not valid", "ERR upload-pack: not our ref "] {
        let place = Place::new(Via::Http, &[("a/b", "1\n")]).await;
        let remote = place.remote();
        let tip = remote.tip(&branch("main")).await.unwrap();
        let root = place.git(&["-C", "repo.git", "rev-parse", "main^{tree}"]);
        let said = if said.ends_with(' ') { format!("{said}{root}") } else { said.to_owned() };
        let said: &'static str = format!("{:04x}{said}", said.len() + 4).leak();
        let server = place.server.as_ref().unwrap();
        server.fault("/git-upload-pack", Fault::Pass);
        server.fault("/git-upload-pack", Fault::Says(said));
        let read = remote.read(tip, &[path("a/b")]).await.unwrap();
        assert_eq!(&read[&path("a/b")].as_ref().unwrap().bytes[..], b"1\n");
        let seen = remote.probe().await.unwrap();
        assert_eq!(seen.way, Way::Mirror);
        assert!(seen.reason.starts_with("the host refused a part of a commit: "), "{}", seen.reason);
    }
}

/// To ask again is safe, so that a connection that ends costs nothing.
#[tokio::test]
async fn a_question_without_an_answer_is_asked_again() {
    let place = Place::new(Via::Http, &[("a/b", "1\n")]).await;
    let server = place.server.as_ref().unwrap();
    for end in [ADVERTISEMENT, "/git-upload-pack"] {
        server.fault(end, Fault::DropBefore);
        let remote = place.remote();
        let tip = remote.tip(&branch("main")).await.unwrap();
        remote.read(tip, &[path("a/b")]).await.unwrap();
    }
    server.fault("/git-upload-pack", Fault::DropBefore);
    server.fault("/git-upload-pack", Fault::DropBefore);
    let error = place.remote().tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::Interrupted);
}

/// A mirror asks only for what has changed.
#[tokio::test]
async fn a_mirror_is_brought_up_to_date() {
    for via in [Via::HttpNoFilter, Via::FileNoFilter, Via::HttpOld, Via::FileOld] {
        let files: Vec<_> =
            (0..3000).map(|n| (format!("d{}/f{n}", n % 50), format!("{}\n", n * 7919))).collect();
        let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
        let place = Place::new(via, &files).await;
        let remote = place.remote();
        let tip = place.at("main");
        remote.read(tip, &[path("d0/f0")]).await.unwrap();
        let whole = remote.traffic().bytes_received;
        for content in ["one\n", "two\n"] {
            let before = remote.traffic();
            let tip = place.commit("main", &[("d1/f1", content)], "next");
            let read = remote.read(tip, &[path("d0/f0"), path("d1/f1")]).await.unwrap();
            assert_eq!(&read[&path("d1/f1")].as_ref().unwrap().bytes[..], content.as_bytes());
            let more = remote.traffic().bytes_received - before.bytes_received;
            assert!(more * 20 < whole, "{via:?}: {more} bytes after {whole}");
            assert_eq!(remote.traffic().requests - before.requests, 1);
        }
        place.done();
    }
}

/// It is found out before anything is sent, by whatever way, and whether it is read or written.
#[tokio::test]
async fn a_repository_with_other_ids_is_refused() {
    for via in [Via::Http, Via::HttpOld, Via::File, Via::FileOld, Via::Ssh, Via::SshOld] {
        for filled in [false, true] {
            let place = Place::new(via, &[("a", "1\n")]).await;
            let prepared = edit(&place.remote(), place.at("main"), "a", "2\n").await;
            place.git(&["init", "-q", "--bare", "-b", "main", "--object-format=sha256", "other.git"]);
            place.git(&["-C", "other.git", "config", "http.receivepack", "true"]);
            if filled {
                let who = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.test", "-C", "other.git"];
                let tree = place.git(&["-C", "other.git", "mktree"]);
                let commit = place.git(&[&who[..], &["commit-tree", &tree, "-m", "first"]].concat());
                place.git(&["-C", "other.git", "update-ref", "refs/heads/main", &commit]);
            }
            let url = RemoteUrl::new(&place.url().as_str().replace("repo.git", "other.git")).unwrap();
            let remote = Remote::open(url, place.options()).unwrap();
            let why = "the repository names objects by sha256, only sha1 is read";
            let expected = GitErrorKind::Unsupported(why.to_owned());
            let error = remote.tip(&branch("main")).await.unwrap_err();
            // Of what is empty an old host tells nothing to whoever reads.
            let nothing = GitErrorKind::BranchMissing(branch("main"));
            let told = if via.old() && !filled { nothing } else { expected.clone() };
            assert_eq!(*error.kind(), told, "{via:?}");
            let error = remote.push(&branch("new"), None, &prepared).await.unwrap_err();
            assert_eq!(*error.kind(), expected, "{via:?}");
            assert_eq!(place.git(&["-C", "other.git", "for-each-ref", "refs/heads/new"]), "");
        }
    }
}

#[tokio::test]
async fn an_operation_ends_in_its_time() {
    let place = Place::new(Via::File, &[("a", "1\n")]).await;
    place.script("slow-git", "#!/bin/sh\nsleep 60\n");
    for (operation, stall, what) in
        [(100, 60_000, "the whole operation"), (60_000, 100, "waiting for the next bytes")]
    {
        let limits = Limits {
            operation: Duration::from_millis(operation),
            stall: Duration::from_millis(stall),
            ..Limits::default()
        };
        let git_program = place.dir.path().join("slow-git");
        let options = RemoteOptions { limits, git_program, ..place.options() };
        let error = Remote::open(place.url(), options).unwrap().tip(&branch("main")).await.unwrap_err();
        assert_eq!(*error.kind(), GitErrorKind::Timeout(what));
    }
}
