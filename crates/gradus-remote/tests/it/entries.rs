//! Commits that make and delete files: what Git itself makes of the same changes.

use std::collections::{BTreeMap, BTreeSet};

use gradus_core::names::{BlobId, RepoPath};
use gradus_engine::port::PortErrorKind;
use gradus_engine::port::repo::{Becomes, CommitOrder, EntryMode, FileChange, Written};
use gradus_remote::git::ObjectId;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::place::{Place, Via, git};
use crate::port::{at, branch, open, path};

fn blob(content: &str) -> BlobId {
    BlobId::parse(&ObjectId::of_blob(content.as_bytes()).to_string()).unwrap()
}

fn order(place: &Place, files: BTreeMap<RepoPath, FileChange>) -> CommitOrder {
    let tip = at(place, "main");
    CommitOrder {
        branch: branch("main"),
        expect: Some(tip.clone()),
        parents: vec![tip.clone()],
        tree_of: tip,
        files,
        message: "change".to_owned(),
        at: Timestamp::from_second(1_760_000_000).unwrap(),
    }
}

fn change(expect: Option<&str>, becomes: Becomes) -> FileChange {
    FileChange { expect: expect.map(blob), becomes }
}

fn bytes(content: &str) -> Becomes {
    Becomes::Bytes(content.as_bytes().into())
}

async fn write(place: &Place, files: &[(&str, FileChange)]) -> Written {
    let files = files.iter().map(|(file, change)| (path(file), change.clone())).collect();
    open(place).commit(&order(place, files)).await.unwrap()
}

fn tree(place: &Place) -> String {
    place.git(&["-C", "repo.git", "ls-tree", "-r", "--format=%(objectmode) %(path)", "main"])
}

#[tokio::test]
async fn files_come_and_go() {
    for via in [Via::Http, Via::FileOld] {
        let place = Place::empty(via).await;
        place.commit_modes(
            "main",
            &[
                ("100755", "bin/run", "1\n"),
                ("100644", "a/one/x", "1\n"),
                ("100644", "keep", "1\n"),
                ("120000", "link", "keep"),
            ],
            "first",
        );
        let written = write(
            &place,
            &[
                ("a/one/x", change(Some("1\n"), Becomes::Gone)),
                ("a.new/deep/er/y", change(None, bytes("2\n"))),
                ("a-new", change(None, bytes("2\n"))),
                ("bin/run", change(Some("1\n"), bytes("2\n"))),
                ("bin/copy", change(None, Becomes::Entry(EntryMode::Executable, blob("1\n")))),
                (
                    "bin/script",
                    change(None, Becomes::BytesAs(EntryMode::Executable, "3\n".as_bytes().into())),
                ),
                ("keep", change(Some("1\n"), Becomes::Entry(EntryMode::Executable, blob("1\n")))),
                (
                    "link",
                    change(Some("keep"), Becomes::BytesAs(EntryMode::Symlink, "a-new".as_bytes().into())),
                ),
                ("never", change(None, Becomes::Gone)),
            ],
        )
        .await;
        assert!(matches!(written, Written::Done(_)), "{written:?}");
        insta::allow_duplicates! { insta::assert_snapshot!(tree(&place), @r"
        100644 a-new
        100644 a.new/deep/er/y
        100755 bin/copy
        100755 bin/run
        100755 bin/script
        100755 keep
        120000 link
        "); }
        assert_eq!(place.show("main", "bin/run"), "2");
        place.done();
    }
}

/// What is so already is no change, and what is otherwise than expected stops all of them.
#[tokio::test]
async fn a_creation_and_a_deletion_compare_and_set() {
    let place = Place::new(Via::Http, &[("a", "1\n"), ("d/b", "1\n")]).await;
    let tip = at(&place, "main");
    let so = [
        ("a", change(None, bytes("1\n"))),
        ("d/b", change(Some("0\n"), Becomes::Entry(EntryMode::File, blob("1\n")))),
        ("d/none", change(Some("1\n"), Becomes::Gone)),
        ("none/none", change(None, Becomes::Gone)),
    ];
    assert_eq!(write(&place, &so).await, Written::AlreadyTrue(tip.clone()));
    for (file, otherwise) in [
        ("a", change(None, bytes("2\n"))),
        ("a", change(Some("2\n"), Becomes::Gone)),
        ("a", change(None, Becomes::Gone)),
        ("new", change(Some("1\n"), bytes("2\n"))),
        ("d", change(None, Becomes::Entry(EntryMode::File, blob("1\n")))),
    ] {
        let both = [("e", change(None, bytes("1\n"))), (file, otherwise)];
        assert_eq!(write(&place, &both).await, Written::Stale(format!("{file} has changed")));
    }
    assert_eq!(at(&place, "main"), tip);
    place.done();
}

#[tokio::test]
async fn a_file_is_not_made_where_a_folder_is_nor_below_a_file() {
    let place = Place::empty(Via::Http).await;
    let module = "1234567890123456789012345678901234567890";
    let files = [
        ("120000", "link", "a"),
        ("160000", "module", module),
        ("100644", "d/b", "1\n"),
        ("100644", "a", "1\n"),
    ];
    place.commit_modes("main", &files, "first");
    let tip = at(&place, "main");
    for (files, why) in [
        (&["d"][..], "d is a folder"),
        (&["a/x"], "a/x leads through a file"),
        (&["link"], "link is a symbolic link"),
        (&["link/x"], "link/x leads through a symbolic link"),
        (&["module/x"], "module/x leads into a submodule"),
        (&["new", "new/x"], "new is to be a file and a folder at once"),
    ] {
        let files = files.iter().map(|file| (path(file), change(None, bytes("2\n")))).collect();
        let error = open(&place).commit(&order(&place, files)).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unusable);
        assert!(error.in_full().ends_with(why), "{}", error.in_full());
    }
    assert_eq!(at(&place, "main"), tip);
    place.done();
}

#[tokio::test]
async fn everything_below_a_folder_is_told() {
    for via in [Via::Http, Via::FileNoFilter] {
        let place = Place::empty(via).await;
        let module = "1234567890123456789012345678901234567890";
        let files = [
            ("100644", "a/b.txt", "1\n"),
            ("100755", "a/c/run", "2\n"),
            ("120000", "a/link", "b.txt"),
            ("160000", "a/module", module),
            ("100644", "ab", "1\n"),
        ];
        place.commit_modes("main", &files, "first");
        let (repo, tip) = (open(&place), at(&place, "main"));
        let below = async |below: &[&str]| {
            let below: Vec<_> = below.iter().map(|text| path(text)).collect();
            let told = repo.files_below(&tip, &below).await.unwrap();
            told.into_iter().map(|e| format!("{:?} {} {}\n", e.mode, e.blob, e.path)).collect::<String>()
        };
        let (one, two, link) = (blob("1\n"), blob("2\n"), blob("b.txt"));
        let a = format!(
            "File {one} a/b.txt\nExecutable {two} a/c/run\nSymlink {link} a/link\nSubmodule {module} a/module\n"
        );
        assert_eq!(below(&["a"]).await, a);
        assert_eq!(below(&[]).await, format!("{a}File {one} ab\n"));
        assert_eq!(
            below(&["a/c", "ab", "none", "ab/none"]).await,
            format!("Executable {two} a/c/run\nFile {one} ab\n")
        );
        let error = repo.files_below(&tip, &[path("a/link/x")]).await.unwrap_err();
        assert!(error.in_full().ends_with("a/link/x leads through a symbolic link"), "{}", error.in_full());
        place.done();
    }
}

type Model = BTreeMap<String, (&'static str, String)>;

/// A file that may be there, and what becomes of it.
#[derive(Debug, Clone)]
struct Wish {
    file: String,
    what: Option<(&'static str, String)>,
}

fn wish() -> impl Strategy<Value = Wish> {
    let part = prop::sample::select(vec!["a", "a.b", "a-b", "ab", "b", "ä"]);
    let file = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let mode = prop::sample::select(vec!["100644", "100644", "100755", "120000"]);
    let what = prop::option::weighted(0.6, (mode, "[0-3]"));
    (file, what).prop_map(|(file, what)| Wish { file, what })
}

fn clashes(files: &BTreeSet<String>, file: &str) -> bool {
    let one_in_the_other = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    files.iter().any(|other| one_in_the_other(other, file) || one_in_the_other(file, other))
}

fn mode(mode: &str) -> EntryMode {
    match mode {
        "100644" => EntryMode::File,
        "100755" => EntryMode::Executable,
        "120000" => EntryMode::Symlink,
        other => panic!("{other}"),
    }
}

/// The tree that git makes of an index with these entries.
fn written_by_git(place: &Place, model: &Model) -> String {
    let mut lines = String::new();
    for (file, (mode, content)) in model {
        lines += &format!("{mode} {}\t{file}\n", ObjectId::of_blob(content.as_bytes()));
    }
    let index = place.repo().join("index");
    drop(std::fs::remove_file(&index));
    git(&place.repo(), &["-c", "core.bare=false", "update-index", "--index-info"], lines.as_bytes());
    let tree = git(&place.repo(), &["-c", "core.bare=false", "write-tree"], b"");
    std::fs::remove_file(index).unwrap_or_default();
    tree
}

/// The same set of changes, made here and by git, gives the same tree.
#[test]
fn random_changes_equal_what_git_makes() {
    let steps = prop::collection::vec(prop::collection::vec(wish(), 1..10), 1..5);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let check = |steps: Vec<Vec<Wish>>| {
        runtime.block_on(async {
            let place = Place::new(Via::Http, &[("first", "0")]).await;
            let mut model = Model::from([("first".to_owned(), ("100644", "0".to_owned()))]);
            for wishes in steps {
                let mut files = BTreeMap::new();
                let before: BTreeSet<String> = model.keys().cloned().collect();
                for Wish { file, what } in wishes {
                    let all = before.iter().cloned().chain(model.keys().cloned()).collect();
                    if clashes(&all, &file) || files.contains_key(&path(&file)) {
                        continue;
                    }
                    let expect = model.get(&file).map(|(_, content)| blob(content));
                    let becomes = match &what {
                        None => Becomes::Gone,
                        Some((kind, content)) => Becomes::BytesAs(mode(kind), content.as_bytes().into()),
                    };
                    files.insert(path(&file), FileChange { expect, becomes });
                    match what {
                        None => drop(model.remove(&file)),
                        Some(what) => drop(model.insert(file, what)),
                    }
                }
                let written = open(&place).commit(&order(&place, files)).await.unwrap();
                assert!(matches!(written, Written::Done(_) | Written::AlreadyTrue(_)), "{written:?}");
                let made = place.git(&["-C", "repo.git", "rev-parse", "main^{tree}"]);
                assert_eq!(made, written_by_git(&place, &model), "{model:?}");
            }
            place.done();
        });
        Ok(())
    };
    TestRunner::new(config).run(&steps, check).unwrap();
}
