//! What every host must give us, however it is reached.

use std::collections::BTreeMap;

use gradus_remote::git::{
    Change, GitErrorKind, HistoryEnd, Mode, ObjectId, Preparation, Pushed, Remote, RemoteUrl,
};

use crate::place::{Place, Via, branch, edit, edit_all, meta, path};

/// Each scenario, over every way to reach a host.
macro_rules! everywhere {
    ($($name:ident)*) => { $(mod $name {
        use crate::place::Via;
        everywhere!(@ $name http Http);
        everywhere!(@ $name file File);
        everywhere!(@ $name http_without_filters HttpNoFilter);
        everywhere!(@ $name file_without_filters FileNoFilter);
        everywhere!(@ $name http_of_old HttpOld);
        everywhere!(@ $name file_of_old FileOld);
        everywhere!(@ $name ssh Ssh);
        everywhere!(@ $name ssh_of_old SshOld);
    })* };
    (@ $name:ident $way:ident $via:ident) => {
        #[tokio::test]
        async fn $way() {
            super::super::$name(Via::$via).await;
        }
    };
}

mod each {
    everywhere! {
        create_a_branch update_a_branch race delete_a_branch already_there refusing_hook protected_branch
        empty_repository missing_things deep_history unicode_and_spaces modes_are_kept links_are_refused wide_folder
        many_files listing moved_files stale_proposal_and_merge same_input_same_commit nothing_to_do warm_reads
        warm_listing asked_together
    }
}

async fn create_a_branch(via: Via) {
    let place = Place::new(via, &[("a/b/c.yaml", "tag: 1\n"), ("a/b/d.yaml", "x\n"), ("e", "y\n")]).await;
    let remote = place.remote();
    let tips = remote.tips(&[branch("main"), branch("mai"), branch("absent")]).await.unwrap();
    assert_eq!(tips, BTreeMap::from([(branch("main"), place.at("main"))]));
    let tip = tips[&branch("main")];
    let read = remote.read(tip, &[path("a/b/c.yaml"), path("a/x"), path("e/f")]).await.unwrap();
    let file = read[&path("a/b/c.yaml")].clone().unwrap();
    assert_eq!((&file.bytes[..], file.mode), (&b"tag: 1\n"[..], Mode::File));
    assert_eq!(file.id, ObjectId::of_blob(b"tag: 1\n"));
    assert_eq!((&read[&path("a/x")], &read[&path("e/f")]), (&None, &None));

    let prepared = edit(&remote, tip, "a/b/c.yaml", "tag: 2\n").await;
    let pushed = remote.push(&branch("gradus/one"), None, &prepared).await.unwrap();
    assert_eq!(pushed, Pushed::Done);
    assert_eq!(place.at("gradus/one"), prepared.id());
    assert_eq!(place.numstat("main", "gradus/one"), "1\t1\ta/b/c.yaml");
    assert_eq!(place.at("main"), tip);
    let below = remote.tips_below("gradus/").await.unwrap();
    assert_eq!(below, BTreeMap::from([(branch("gradus/one"), prepared.id())]));
    assert_eq!(remote.default_branch().await.unwrap(), Some(branch("main")));
    place.done();
}

async fn update_a_branch(via: Via) {
    let place = Place::new(via, &[("a/tag", "1\n"), ("b", "x\n")]).await;
    let remote = place.remote();
    let mut tip = remote.tip(&branch("main")).await.unwrap();
    for tag in ["2\n", "3\n", "4\n"] {
        let prepared = edit(&remote, tip, "a/tag", tag).await;
        assert_eq!(remote.push(&branch("main"), Some(tip), &prepared).await.unwrap(), Pushed::Done);
        tip = remote.tip(&branch("main")).await.unwrap();
        assert_eq!(tip, prepared.id());
        assert_eq!(place.show("main", "a/tag"), tag.trim_end());
    }
    assert_eq!(place.git(&["-C", "repo.git", "rev-list", "--count", "main"]), "4");
    place.done();
}

async fn race(via: Via) {
    let place = Place::new(via, &[("a", "1\n"), ("b", "1\n")]).await;
    let (one, two) = (place.remote(), place.remote());
    let tip = one.tip(&branch("main")).await.unwrap();
    let (first, second) = (edit(&one, tip, "a", "2\n").await, edit(&two, tip, "b", "2\n").await);
    let main = branch("main");
    let (left, right) = tokio::join!(one.push(&main, Some(tip), &first), two.push(&main, Some(tip), &second));
    let (loser, file) = match (left.unwrap(), right.unwrap()) {
        (Pushed::Done, Pushed::Stale { .. }) => (two, "b"),
        (Pushed::Stale { .. }, Pushed::Done) => (one, "a"),
        other => panic!("{other:?}"),
    };
    let tip = loser.tip(&branch("main")).await.unwrap();
    let again = edit(&loser, tip, file, "2\n").await;
    assert_eq!(loser.push(&branch("main"), Some(tip), &again).await.unwrap(), Pushed::Done);
    assert_eq!((place.show("main", "a"), place.show("main", "b")), ("2".to_owned(), "2".to_owned()));

    // To create a branch is a race as well.
    let first = edit(&loser, again.id(), "a", "3\n").await;
    let second = edit(&loser, again.id(), "a", "4\n").await;
    assert_eq!(loser.push(&branch("new"), None, &first).await.unwrap(), Pushed::Done);
    let pushed = loser.push(&branch("new"), None, &second).await.unwrap();
    assert!(matches!(&pushed, Pushed::Stale { reason } if reason.contains("exists")), "{pushed:?}");
    assert_eq!(place.at("new"), first.id());
    place.done();
}

async fn delete_a_branch(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    let remote = place.remote();
    let old = place.commit("topic", &[("a", "2\n")], "topic");
    let new = place.commit("topic", &[("a", "3\n")], "topic");
    assert!(matches!(remote.delete(&branch("topic"), old).await.unwrap(), Pushed::Stale { .. }));
    assert_eq!(place.at("topic"), new);
    assert_eq!(remote.delete(&branch("topic"), new).await.unwrap(), Pushed::Done);
    assert_eq!(remote.tips(&[branch("topic")]).await.unwrap(), BTreeMap::new());
    assert_eq!(remote.delete(&branch("topic"), new).await.unwrap(), Pushed::AlreadyTrue);
    place.done();
}

async fn already_there(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    let remote = place.remote();
    let tip = place.at("main");
    let prepared = edit(&remote, tip, "a", "2\n").await;
    assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::AlreadyTrue);
    assert_eq!(remote.push(&branch("new"), Some(tip), &prepared).await.unwrap(), Pushed::AlreadyTrue);
    assert_eq!(
        remote.push(&branch("new"), Some(prepared.id()), &prepared).await.unwrap(),
        Pushed::AlreadyTrue
    );
    // Never force: the first parent is what the branch points to.
    let next = edit(&remote, prepared.id(), "a", "3\n").await;
    let error = remote.push(&branch("new"), Some(tip), &next).await.unwrap_err();
    assert!(matches!(error.kind(), GitErrorKind::Input(_)), "{error}");
    place.done();
}

async fn refusing_hook(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    place.script("repo.git/hooks/pre-receive", "#!/bin/sh\necho 'release freeze until Monday' >&2\nexit 1\n");
    let remote = place.remote();
    let tip = place.at("main");
    let prepared = edit(&remote, tip, "a", "2\n").await;
    let pushed = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap();
    let expected = Pushed::Refused {
        reason: "pre-receive hook declined".to_owned(),
        remote_text: "release freeze until Monday".to_owned(),
    };
    assert_eq!(pushed, expected);
    assert_eq!(place.at("main"), tip);
    place.done();
}

async fn protected_branch(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    place.config("receive.denyNonFastForwards", "true");
    let update = "#!/bin/sh\n[ $1 = refs/heads/main ] && echo \"$1 is protected\" >&2 && exit 1\nexit 0\n";
    place.script("repo.git/hooks/update", update);
    let remote = place.remote();
    let tip = place.at("main");
    let prepared = edit(&remote, tip, "a", "2\n").await;
    let pushed = remote.push(&branch("main"), Some(tip), &prepared).await.unwrap();
    let expected = Pushed::Refused {
        reason: "hook declined".to_owned(),
        remote_text: "refs/heads/main is protected\nerror: hook declined to update refs/heads/main"
            .to_owned(),
    };
    assert_eq!(pushed, expected);
    assert_eq!(remote.push(&branch("other"), None, &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(place.at("main"), tip);
    place.done();
}

async fn empty_repository(via: Via) {
    let place = Place::empty(via).await;
    let remote = place.remote();
    assert_eq!(remote.tips(&[branch("main")]).await.unwrap(), BTreeMap::new());
    let named = remote.default_branch().await.unwrap();
    assert_eq!(named, (!via.old()).then(|| branch("main")));
    let error = remote.tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::BranchMissing(branch("main")));
    assert_eq!(
        error.to_string(),
        format!("cannot look at the branches of {}: there is no branch main", place.url())
    );
    place.done();
}

async fn missing_things(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    let remote = place.remote();
    let missing = RemoteUrl::new(&place.url().as_str().replace("repo.git", "none.git")).unwrap();
    let error =
        Remote::open(missing.clone(), place.options()).unwrap().tip(&branch("main")).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::RepositoryMissing);
    assert_eq!(
        error.to_string(),
        format!("cannot look at the branches of {missing}: there is no such repository")
    );
    let nowhere: ObjectId = "12345678901234567890123456789012345678ab".parse().unwrap();
    let error = remote.read(nowhere, &[path("a")]).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::ObjectMissing(nowhere));
    // A file is no commit.
    let blob = ObjectId::of_blob(b"1\n");
    assert!(remote.read(blob, &[path("a")]).await.is_err());
    place.done();
}

async fn deep_history(via: Via) {
    let place = Place::empty(via).await;
    let mut stream = String::new();
    for n in 0..5000 {
        let message = format!("change {n}");
        stream +=
            &format!("commit refs/heads/main\ncommitter Ada <ada@acme.test> {} +0100\n", 1_700_000_000 + n);
        stream += &format!("data {}\n{message}\n", message.len());
        if n >= 10 && n % 10 == 0 {
            stream += &format!("M 100644 inline app/tag\ndata {}\n{n}\n", n.to_string().len());
        }
        stream += &format!("M 100644 inline other\ndata {}\n{n}\n", n.to_string().len());
    }
    place.import(stream.as_bytes());
    let remote = place.remote();
    let tip = place.at("main");
    let paths = [path("app/tag"), path("none/of/it")];
    let history = remote.history(tip, &paths, 100).await.unwrap();
    assert_eq!((history.entries.len(), history.end), (100, HistoryEnd::Limit));
    for (n, entry) in history.entries.iter().enumerate() {
        let n = 4999 - n;
        assert_eq!(entry.message, format!("change {n}"));
        assert_eq!(entry.committer.seconds, 1_700_000_000 + n as i64);
        assert_eq!((entry.author.name.as_str(), entry.author.offset_minutes), ("Ada", 60));
        let tag = ObjectId::of_blob((n / 10 * 10).to_string().as_bytes());
        assert_eq!(entry.at, BTreeMap::from([(path("app/tag"), Some(tag)), (path("none/of/it"), None)]));
    }
    assert_eq!(history.entries[0].id, tip);
    assert_eq!(history.entries[0].parents, [history.entries[1].id]);
    let again = remote.history(tip, &paths, 10).await.unwrap();
    assert_eq!(again.entries[..], history.entries[..10]);
    // To its root, where that costs little.
    if via.wire() {
        let all = remote.history(tip, &[path("app/tag")], 6000).await.unwrap();
        assert_eq!((all.entries.len(), all.end), (5000, HistoryEnd::Root));
        assert_eq!(all.entries[4990].at[&path("app/tag")], None);
    }
    place.done();
}

async fn unicode_and_spaces(via: Via) {
    let file = "größe/a b/日本 ✓.yaml";
    let place = Place::new(via, &[(file, "1\n"), ("größe/z", "1\n")]).await;
    let remote = place.remote();
    let tip = place.at("main");
    let prepared = edit_all(&remote, tip, &[(file, "2\n"), ("größe/neu und/x y", "3\n")]).await;
    assert_eq!(remote.push(&branch("größe-✓"), None, &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(remote.tip(&branch("größe-✓")).await.unwrap(), prepared.id());
    assert_eq!(place.show("größe-✓", file), "2");
    assert_eq!(place.show("größe-✓", "größe/neu und/x y"), "3");
    place.done();
}

async fn modes_are_kept(via: Via) {
    let place = Place::empty(via).await;
    let files = [
        ("100755", "bin/run", "1\n"),
        ("100644", "bin/data", "1\n"),
        ("120000", "bin/link", "run"),
        ("160000", "bin/module", "1234567890123456789012345678901234567890"),
        // Folders sort as if they ended in a slash.
        ("100644", "bin.d", "1\n"),
        ("100644", "bin-d", "1\n"),
    ];
    let tip = place.commit_modes("main", &files, "first");
    let remote = place.remote();
    let read = remote.read(tip, &[path("bin/run")]).await.unwrap();
    assert_eq!(read[&path("bin/run")].as_ref().unwrap().mode, Mode::Executable);
    let prepared =
        edit_all(&remote, tip, &[("bin/run", "2\n"), ("bin/data", "2\n"), ("bi/new", "2\n")]).await;
    assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);
    let raw = place.git(&["-C", "repo.git", "diff", "--raw", "--abbrev=4", "main", "new"]);
    assert_eq!(
        raw,
        ":000000 100644 0000 0cfb A\tbi/new\n:100644 100644 d00491 0cfb M\tbin/data\n:100755 100755 d00491 0cfb M\tbin/run"
            .replace("d00491", "d004")
    );
    place.done();
}

async fn links_are_refused(via: Via) {
    let place = Place::empty(via).await;
    let module = "1234567890123456789012345678901234567890";
    let files = [("120000", "link", "a"), ("160000", "module", module), ("100644", "a/b", "1\n")];
    let tip = place.commit_modes("main", &files, "first");
    let remote = place.remote();
    for (file, why) in [
        ("link", "is a symbolic link"),
        ("link/b", "leads through a symbolic link"),
        ("module", "is a submodule"),
        ("module/b", "leads into a submodule"),
        ("a", "is a folder"),
    ] {
        let refused = GitErrorKind::PathRefused { path: path(file), why: why.to_owned() };
        let error = remote.read(tip, &[path("a/b"), path(file)]).await.unwrap_err();
        assert_eq!(*error.kind(), refused);
        assert_eq!(error.to_string(), format!("cannot read files of {}: {file} {why}", place.url()));
        let change = Change::Write { expect: None, bytes: "x".into() };
        let changes = BTreeMap::from([(path(file), change)]);
        let error = remote.prepare(tip, &changes, &meta("m", &[tip])).await.unwrap_err();
        assert_eq!(*error.kind(), refused);
    }
    let create = |file: &str| (path(file), Change::Write { expect: None, bytes: "x".into() });
    for files in [&["a/b/c"][..], &["n", "n/m"]] {
        let changes = files.iter().map(|file| create(file)).collect();
        let error = remote.prepare(tip, &changes, &meta("m", &[tip])).await.unwrap_err();
        assert!(matches!(error.kind(), GitErrorKind::PathRefused { .. }), "{error}");
    }
    place.done();
}

async fn wide_folder(via: Via) {
    let files: Vec<_> = (0..5000).map(|n| (format!("apps/app-{n:04}.yaml"), format!("tag: {n}\n"))).collect();
    let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let place = Place::new(via, &files).await;
    let remote = place.remote();
    let tip = place.at("main");
    let prepared = edit(&remote, tip, "apps/app-2500.yaml", "tag: next\n").await;
    assert!(prepared.pack_len() < 700, "a pack of {} bytes for one line", prepared.pack_len());
    assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(place.numstat("main", "new"), "1\t1\tapps/app-2500.yaml");
    place.done();
}

async fn many_files(via: Via) {
    let paths: Vec<_> = (0..20).map(|n| format!("apps/team-{}/app-{n}/prod/tag.yaml", n % 3)).collect();
    let old: Vec<_> = paths.iter().map(|path| (path.as_str(), "tag: 1\n")).collect();
    let new: Vec<_> = paths.iter().map(|path| (path.as_str(), "tag: 2\n")).collect();
    let place = Place::new(via, &old).await;
    let remote = place.remote();
    let tip = place.at("main");
    let prepared = edit_all(&remote, tip, &new).await;
    let requests = remote.traffic().requests;
    assert!(requests <= 8, "{requests} requests");
    assert_eq!(remote.push(&branch("new"), None, &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(place.numstat("main", "new").lines().count(), 20);
    place.done();
}

async fn listing(via: Via) {
    let mut files: Vec<(String, String)> = Vec::new();
    for n in 0..200 {
        files.push((format!("apps/app-{n:03}/base/release.yaml"), format!("n: {n}\n")));
        files.push((format!("apps/app-{n:03}/README.md"), "read me\n".to_owned()));
    }
    files.push(("clusters/prod.yml".to_owned(), "p\n".to_owned()));
    files.push(("elsewhere/x.yaml".to_owned(), "x\n".to_owned()));
    let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let place = Place::new(via, &files).await;
    place.commit_modes("main", &[("120000", "apps/link.yaml", "x")], "link");
    let remote = place.remote();
    let tip = place.at("main");
    let yaml = |name: &str| name.ends_with(".yaml") || name.ends_with(".yml");
    let below = [path("apps"), path("clusters"), path("none"), path("apps/app-000")];
    let listed = remote.list(tip, &below, yaml, 1000).await.unwrap();
    let names: Vec<_> = listed.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names.len(), 201);
    assert_eq!((names[0], names[200]), ("apps/app-000/base/release.yaml", "clusters/prod.yml"));
    let ids: Vec<_> = listed.iter().map(|file| file.id).collect();
    let blobs = remote.blobs(&ids).await.unwrap();
    assert_eq!(&blobs[&listed[7].id][..], b"n: 7\n");
    assert_eq!(blobs.len(), 201);
    let requests = remote.traffic().requests;
    assert!(requests <= 8, "{requests} requests");
    assert_eq!(remote.list(tip, &[], yaml, 1000).await.unwrap().len(), 202);
    let error = remote.list(tip, &[], yaml, 201).await.unwrap_err();
    assert_eq!(*error.kind(), GitErrorKind::TooLarge { what: "the number of files", limit: 201 });
    place.done();
}

async fn moved_files(via: Via) {
    let place = Place::new(via, &[("a/old", "1\n"), ("b", "1\n"), ("c/d/e", "1\n")]).await;
    let remote = place.remote();
    let tip = place.at("main");
    let id = ObjectId::of_blob(b"1\n");
    let changes = BTreeMap::from([
        (path("a/old"), Change::Remove { expect: Some(id) }),
        (path("c/d/e"), Change::Remove { expect: Some(id) }),
        (path("a/new"), Change::Write { expect: None, bytes: "1\n".into() }),
    ]);
    let Preparation::Ready(prepared) = remote.prepare(tip, &changes, &meta("move", &[tip])).await.unwrap()
    else {
        panic!("not ready")
    };
    assert_eq!(remote.push(&branch("main"), Some(tip), &prepared).await.unwrap(), Pushed::Done);
    assert_eq!(place.git(&["-C", "repo.git", "ls-tree", "-r", "--name-only", "main"]), "a/new\nb");
    place.done();
}

async fn stale_proposal_and_merge(via: Via) {
    let place = Place::new(via, &[("tag", "1\n"), ("other", "1\n")]).await;
    let remote = place.remote();
    let base = place.at("main");
    let proposal = edit(&remote, base, "tag", "2\n").await;
    remote.push(&branch("gradus/p"), None, &proposal).await.unwrap();
    let base = place.commit("main", &[("other", "2\n")], "meanwhile");

    // The refreshed proposal: the old head and the new base are its parents, its tree is the base with the edit.
    let expect = Some(ObjectId::of_blob(b"1\n"));
    let changes = BTreeMap::from([(path("tag"), Change::Write { expect, bytes: "2\n".into() })]);
    let refreshed = remote.prepare(base, &changes, &meta("refresh", &[proposal.id(), base])).await.unwrap();
    let Preparation::Ready(refreshed) = refreshed else { panic!("{refreshed:?}") };
    assert_eq!(
        remote.push(&branch("gradus/p"), Some(proposal.id()), &refreshed).await.unwrap(),
        Pushed::Done
    );
    assert_eq!(place.numstat("main", "gradus/p"), "1\t1\ttag");

    let merge = meta("merge", &[base, refreshed.id()]);
    let merged = remote.prepare(refreshed.id(), &BTreeMap::new(), &merge).await.unwrap();
    let Preparation::Ready(merged) = merged else { panic!("{merged:?}") };
    assert_eq!(remote.push(&branch("main"), Some(base), &merged).await.unwrap(), Pushed::Done);
    assert_eq!((place.show("main", "tag"), place.show("main", "other")), ("2".to_owned(), "2".to_owned()));
    assert_eq!(place.git(&["-C", "repo.git", "rev-list", "--count", "main"]), "5");
    place.done();
}

async fn same_input_same_commit(via: Via) {
    let place = Place::new(via, &[("a/b", "1\n")]).await;
    let tip = place.at("main");
    let one = edit(&place.remote(), tip, "a/b", "2\n").await;
    let two = edit(&place.remote(), tip, "a/b", "2\n").await;
    assert_eq!((one.id(), one.tree()), (two.id(), two.tree()));
    place.remote().push(&branch("new"), None, &one).await.unwrap();
    assert_eq!(
        place.git(&["-C", "repo.git", "cat-file", "commit", "new"]),
        format!(
            "tree {}\nparent {tip}\nauthor gradus <gradus@acme.test> 1760000000 +0530\n\
             committer gradus <gradus@acme.test> 1760000000 +0530\n\npromote",
            one.tree()
        )
    );
    place.done();
}

async fn nothing_to_do(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    let remote = place.remote();
    let tip = place.at("main");
    let (one, two) = (ObjectId::of_blob(b"1\n"), ObjectId::of_blob(b"2\n"));
    let write = |expect, to: &str| {
        BTreeMap::from([(path("a"), Change::Write { expect, bytes: to.to_owned().into() })])
    };
    let meta = meta("m", &[tip]);
    let outcome = remote.prepare(tip, &write(Some(two), "1\n"), &meta).await.unwrap();
    assert!(matches!(outcome, Preparation::AlreadyTrue), "{outcome:?}");
    for expect in [Some(two), None] {
        let outcome = remote.prepare(tip, &write(expect, "3\n"), &meta).await.unwrap();
        let stale = matches!(&outcome, Preparation::Stale { path: at, found } if *at == path("a") && *found == Some(one));
        assert!(stale, "{outcome:?}");
    }
    let absent = BTreeMap::from([(path("b"), Change::Write { expect: Some(one), bytes: "3\n".into() })]);
    let outcome = remote.prepare(tip, &absent, &meta).await.unwrap();
    assert!(matches!(outcome, Preparation::Stale { found: None, .. }), "{outcome:?}");
    place.done();
}

async fn warm_reads(via: Via) {
    let place = Place::new(via, &[("apps/a/b/c/tag", "1\n"), ("apps/z/tag", "1\n")]).await;
    let remote = place.remote();
    let file = [path("apps/a/b/c/tag")];
    let tip = remote.tip(&branch("main")).await.unwrap();
    remote.read(tip, &file).await.unwrap();
    let before = remote.traffic().requests;
    remote.read(tip, &file).await.unwrap();
    assert_eq!(remote.traffic().requests, before, "nothing has changed, so nothing is asked");
    place.commit("main", &[("apps/z/tag", "2\n")], "elsewhere");
    let tip = remote.tip(&branch("main")).await.unwrap();
    let read = remote.read(tip, &file).await.unwrap();
    assert_eq!(&read[&file[0]].as_ref().unwrap().bytes[..], b"1\n");
    // The branch, the commit, its root tree and the one folder that changed.
    let asked = remote.traffic().requests - before;
    assert!(asked <= 4, "{asked} requests");
    place.done();
}

async fn warm_listing(via: Via) {
    let files: Vec<(String, String)> =
        (0..60).map(|n| (format!("apps/{}/{n}/values.yaml", n % 7), format!("tag: {n}\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let place = Place::new(via, &files).await;
    let remote = place.remote();
    let yaml = |name: &str| name.ends_with(".yaml");
    let tip = remote.tip(&branch("main")).await.unwrap();
    remote.list(tip, &[], yaml, 1000).await.unwrap();
    let changed = [path("apps/3/3/values.yaml"), path("apps/new/folder/values.yaml")];
    // Once, and more often than commits come along.
    for commits in [1, 6] {
        for n in 0..commits {
            let text = format!("tag: {commits}.{n}\n");
            place.commit("main", &[(changed[0].as_str(), &text), (changed[1].as_str(), &text)], "changed");
        }
        let before = remote.traffic().requests;
        let tip = remote.tip(&branch("main")).await.unwrap();
        let listed = remote.list(tip, &[], yaml, 1000).await.unwrap();
        let read = remote.read(tip, &changed).await.unwrap();
        let asked = remote.traffic().requests - before;
        // The branch, the commit with the folders that changed, the file.
        assert!(asked <= 3, "{asked} requests");
        let last = format!("tag: {commits}.{}\n", commits - 1);
        assert_eq!(read[&changed[1]].as_ref().unwrap().bytes, last.as_bytes());
        assert_eq!(listed, place.remote().list(tip, &[], yaml, 1000).await.unwrap());
        let history = remote.history(tip, &changed, 8).await.unwrap();
        assert_eq!(history.entries.len(), if commits == 1 { 2 } else { 8 });
    }
    place.done();
}

async fn asked_together(via: Via) {
    let place = Place::new(via, &[("a", "1\n")]).await;
    let remote = place.remote();
    let main = remote.tip(&branch("main")).await.unwrap();
    let names: Vec<_> = (0..40).map(|n| branch(&format!("gradus/apps/app-{n}/prod"))).collect();
    for name in names.iter().step_by(2) {
        place.commit(name.as_str(), &[("a", "2\n")], name.as_str());
    }
    let before = remote.traffic().requests;
    let asked: Vec<_> = names
        .iter()
        .map(|name| {
            let (remote, name) = (remote.clone(), name.clone());
            tokio::spawn(async move { remote.tips(&[branch("main"), name]).await.unwrap() })
        })
        .collect();
    // One that does not wait for its answer takes nobody else's away.
    asked[0].abort();
    for ((n, name), told) in names.iter().enumerate().zip(asked).skip(1) {
        let mut expected = BTreeMap::from([(branch("main"), main)]);
        if n % 2 == 0 {
            expected.insert(name.clone(), place.at(name.as_str()));
        }
        assert_eq!(told.await.unwrap(), expected);
    }
    let requests = remote.traffic().requests - before;
    assert!(requests < 20, "{requests} requests for what 40 asked at the same time");
    // What is written in the meantime is seen by whoever asks afterwards.
    let moved = place.commit("main", &[("a", "3\n")], "moved");
    assert_eq!(remote.tip(&branch("main")).await.unwrap(), moved);
    place.done();
}
