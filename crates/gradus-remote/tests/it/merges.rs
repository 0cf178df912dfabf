//! Merging by trees, beside what Git itself makes of the same commits.

use std::collections::BTreeMap;
use std::process::Command;

use gradus_core::names::{CommitId, RepoPath};
use gradus_engine::merge_text;
use gradus_engine::port::repo::{Becomes, CommitOrder, EntryMode, FileChange, Side, TreeMerge, Written};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::place::{Place, Via, git};
use crate::port::{at, branch, open};

/// What git makes of a merge, without looking for files that were renamed: the tree, or the files in conflict.
fn by_git(place: &Place, ours: &str, theirs: &str) -> Result<String, Vec<String>> {
    let output = Command::new("git")
        .args(["-C", "repo.git", "-c", "merge.renames=false", "merge-tree", "--write-tree", "--name-only"])
        .args(["--no-messages", ours, theirs])
        .current_dir(place.dir.path())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    let tree = lines.next().unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    if output.status.success() {
        return Ok(tree);
    }
    // What is a file on one side and a link on the other is told under two names.
    let told = lines.take_while(|line| !line.is_empty());
    let mut files: Vec<String> = told.map(|line| line.split('~').next().unwrap().to_owned()).collect();
    files.sort();
    files.dedup();
    Err(files)
}

/// The order that writes a merge of `theirs` into `ours`, where only one side has changed each file.
fn order(ours: &CommitId, theirs: &CommitId, changes: BTreeMap<RepoPath, FileChange>) -> CommitOrder {
    CommitOrder {
        branch: branch("merged"),
        expect: None,
        parents: vec![ours.clone(), theirs.clone()],
        tree_of: ours.clone(),
        files: changes,
        message: "merge".to_owned(),
        at: Timestamp::from_second(1_760_000_000).unwrap(),
    }
}

fn is_of_two(base: &Side, ours: &Side, theirs: &Side) -> bool {
    let is_file = |side: &Side| matches!(side.mode, EntryMode::File | EntryMode::Executable);
    [base, ours, theirs].into_iter().all(is_file)
        && (base.blob == ours.blob || base.blob == theirs.blob || ours.blob == theirs.blob)
}

type Files = BTreeMap<&'static str, (&'static str, u8)>;

fn side() -> impl Strategy<Value = Vec<(&'static str, Option<(&'static str, u8)>)>> {
    // No name is that of a folder and of a file.
    let file = prop::sample::select(vec![
        "a", "b.yaml", "c/a", "c/b", "c/d/a", "c/d/b", "c/e/f/a", "c/e/f/b", "c.d", "g/h/i", "g-h", "z/a",
    ]);
    let mode = prop::sample::select(vec!["100644", "100644", "100644", "100755", "120000"]);
    prop::collection::vec((file, prop::option::weighted(0.75, (mode, 0..3_u8))), 0..8)
}

fn commit(place: &Place, name: &str, from: Option<&str>, files: &Files) {
    let mut stream =
        format!("commit refs/heads/{name}\ncommitter Ada <ada@acme.test> 1700000000 +0100\ndata 1\nm\n");
    if let Some(from) = from {
        stream += &format!("from refs/heads/{from}^0\n");
    }
    stream += "deleteall\n";
    for (path, (mode, content)) in files {
        // No file is like another: Git would take one that goes and one that comes for one that was renamed.
        let text = format!("{content} {path}");
        stream += &format!("M {mode} inline {path}\ndata {}\n{text}\n", text.len());
    }
    place.import(stream.as_bytes());
}

fn applied(files: &Files, changes: &[(&'static str, Option<(&'static str, u8)>)]) -> Files {
    let mut files = files.clone();
    for (path, what) in changes {
        match what {
            Some(what) => drop(files.insert(path, *what)),
            None => drop(files.remove(path)),
        }
    }
    files
}

#[test]
fn a_merge_of_random_trees_equals_gits() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 24, failure_persistence: None, ..Config::default() };
    let counts = std::cell::Cell::new((0, 0));
    TestRunner::new(config)
        .run(&(side(), side(), side()), |(base, ours, theirs)| {
            runtime.block_on(async {
                let place = Place::empty(Via::Http).await;
                let base = applied(&Files::from([("a", ("100644", 0)), ("c/d/a", ("100644", 0))]), &base);
                commit(&place, "base", None, &base);
                commit(&place, "ours", Some("base"), &applied(&base, &ours));
                commit(&place, "theirs", Some("base"), &applied(&base, &theirs));
                let said = format!("{base:?} {ours:?} {theirs:?}");
                let (ours, theirs) = (at(&place, "ours"), at(&place, "theirs"));
                if ours == theirs {
                    // Both have done the same, in one and the same commit.
                    return place.done();
                }
                let repo = open(&place);
                let merge = repo.merge(&ours, &theirs).await.unwrap();
                let TreeMerge::Apart { mut changes, both } = merge else { panic!("{merge:?}") };
                let mut files = Vec::new();
                // Where one side has changed only what may be executed, and the other what is in it.
                for both in both {
                    match (&both.base, &both.ours, &both.theirs) {
                        (Some(base), Some(ours), Some(theirs)) if is_of_two(base, ours, theirs) => {
                            let mode = if base.mode == ours.mode { theirs.mode } else { ours.mode };
                            let blob = if base.blob == ours.blob { &theirs.blob } else { &ours.blob };
                            let (expect, becomes) =
                                (Some(ours.blob.clone()), Becomes::Entry(mode, blob.clone()));
                            changes.insert(both.path, FileChange { expect, becomes });
                        }
                        _ => files.push(both.path.to_string()),
                    }
                }
                let (clean, conflicts) = counts.get();
                match by_git(&place, "ours", "theirs") {
                    // One line is one file here, so that nothing can be merged within it.
                    Err(told) => {
                        assert_eq!(files, told, "{said}");
                        counts.set((clean, conflicts + 1));
                    }
                    Ok(tree) => {
                        if !files.is_empty() {
                            // Where a file became a link, or a link a file, more is told of than Git does.
                            assert!(said.contains("120000"), "{files:?}: {said}");
                            return place.done();
                        }
                        let written = repo.commit(&order(&ours, &theirs, changes)).await.unwrap();
                        assert!(matches!(written, Written::Done(_)), "{written:?}");
                        let made = place.git(&["-C", "repo.git", "rev-parse", "merged^{tree}"]);
                        assert_eq!(made, tree);
                        counts.set((clean + 1, conflicts));
                    }
                }
                place.done();
            });
            Ok(())
        })
        .unwrap();
    let (clean, conflicts) = counts.get();
    assert!(clean > 2 && conflicts > 2, "{clean} clean, {conflicts} in conflict");
}

/// What is merged within a file is what git makes of it, or nothing.
#[test]
fn a_merge_of_random_texts_equals_gits() {
    let dir = tempfile::TempDir::new().unwrap();
    let line = prop::sample::select(vec!["a\n", "b\n", "c\n", "d\n", "\n", "  x: 1\n"]);
    let base = prop::collection::vec(line.clone(), 3..14);
    let edit = || prop::collection::vec((0..14_usize, 0..3_u8, line.clone()), 1..3);
    let clean = std::cell::Cell::new(0);
    let edited = |base: &[&'static str], edits: &[(usize, u8, &'static str)]| {
        let mut lines = base.to_vec();
        for (place, what, line) in edits {
            let place = place % (lines.len() + 1);
            match what {
                0 => lines.insert(place, line),
                1 if place < lines.len() => drop(lines.remove(place)),
                _ if place < lines.len() => lines[place] = line,
                _ => {}
            }
        }
        lines.concat()
    };
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(base, edit(), edit()), |(base, ours, theirs)| {
            let (ours, theirs, base) = (edited(&base, &ours), edited(&base, &theirs), base.concat());
            for (name, text) in [("base", &base), ("ours", &ours), ("theirs", &theirs)] {
                std::fs::write(dir.path().join(name), text).unwrap();
            }
            let by_git = Command::new("git")
                .args(["merge-file", "-p", "-q", "ours", "base", "theirs"])
                .current_dir(dir.path())
                .output()
                .unwrap();
            let merged = merge_text(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
            match (merged, by_git.status.success()) {
                (Some(merged), true) => {
                    assert_eq!(merged, by_git.stdout, "{base:?} {ours:?} {theirs:?}");
                    clean.set(clean.get() + 1);
                }
                (Some(merged), false) => panic!(
                    "git finds a conflict: {base:?} {ours:?} {theirs:?} {:?}",
                    String::from_utf8_lossy(&merged)
                ),
                (None, _) => {}
            }
            Ok(())
        })
        .unwrap();
    assert!(clean.get() > 50, "{} are clean", clean.get());
}

/// What was merged is within; what was merged both ways, or has nothing in common, is not merged.
#[tokio::test]
async fn where_two_branches_parted() {
    for via in [Via::Http, Via::FileNoFilter, Via::FileOld] {
        let place = Place::new(via, &[("a", "1\n"), ("b", "1\n")]).await;
        let tip = |name: &str| at(&place, name);
        let make = |name: &str, parents: &[&str], content: &str| {
            let blob = git(&place.repo(), &["hash-object", "-w", "--stdin"], content.as_bytes());
            let tree = git(&place.repo(), &["mktree"], format!("100644 blob {blob}\ta\n").as_bytes());
            let parents: Vec<&str> = parents.iter().flat_map(|parent| ["-p", *parent]).collect();
            let args = [
                &["-c", "user.name=Ada", "-c", "user.email=a@b", "commit-tree", &tree, "-m", "m"][..],
                &parents,
            ]
            .concat();
            let id = git(&place.repo(), &args, b"");
            git(&place.repo(), &["update-ref", &format!("refs/heads/{name}"), &id], b"");
        };
        // Many commits, so that they do not come all at once.
        for n in 0..90 {
            place.commit("main", &[("a", &format!("{n}\n"))], "more");
        }
        place.git(&["-C", "repo.git", "update-ref", "refs/heads/old", "main~80"]);
        place.git(&["-C", "repo.git", "update-ref", "refs/heads/side", "main~80"]);
        place.commit("side", &[("b", "2\n")], "side");
        let merge =
            async |ours: &str, theirs: &str| open(&place).merge(&tip(ours), &tip(theirs)).await.unwrap();
        assert_eq!(merge("main", "old").await, TreeMerge::Within);
        assert_eq!(merge("main", "main").await, TreeMerge::Within);
        for (ours, theirs) in [("main", "side"), ("side", "main"), ("old", "main")] {
            let merge = merge(ours, theirs).await;
            let TreeMerge::Apart { changes, both } = merge else { panic!("{merge:?}") };
            assert_eq!((changes.len(), both), (1, Vec::new()), "{ours} {theirs}");
        }
        make("one", &["main", "side"], "one\n");
        make("two", &["side", "main"], "two\n");
        let crossed = merge("one", "two").await;
        let why = "they were merged into each other, so that they parted at 2 commits";
        assert_eq!(crossed, TreeMerge::Impossible(why.to_owned()));
        make("alone", &[], "alone\n");
        let unrelated = merge("main", "alone").await;
        assert_eq!(unrelated, TreeMerge::Impossible("they have no commit in common".to_owned()));
    }
}

/// What is the same on two sides is not read, however much it is.
#[tokio::test]
async fn equal_folders_are_never_read() {
    let files: Vec<_> =
        (0..2000).map(|n| (format!("apps/{}/{n}/release.yaml", n % 20), format!("{n}\n"))).collect();
    let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let place = Place::new(Via::Http, &files).await;
    place.git(&["-C", "repo.git", "update-ref", "refs/heads/stage", "main"]);
    place.commit("main", &[("apps/3/3/release.yaml", "x\n")], "dev");
    place.commit("stage", &[("apps/4/4/release.yaml", "y\n")], "stage");
    let remote = place.remote();
    let (ours, theirs) = (place.at("stage"), place.at("main"));
    let merged = remote.merge(ours, theirs).await.unwrap();
    let gradus_remote::git::Merged::Apart { changes, both } = merged else { panic!("{merged:?}") };
    let paths: Vec<_> = changes.keys().map(|path| path.as_str()).collect();
    assert_eq!((paths, both), (vec!["apps/3"], Vec::new()));
    let traffic = remote.traffic();
    // The capabilities, two commits with those before them, the roots, one folder.
    assert!(traffic.requests <= 7, "{traffic:?}");
    assert!(traffic.bytes_received < 20_000, "{traffic:?}");
}

/// A folder that is like one inside of another folder is read, too: a host may send it once, for the inner one.
#[tokio::test]
async fn folders_that_are_alike_at_two_depths() {
    let place = Place::empty(Via::Http).await;
    let made = |name: &str, from: Option<&str>, files: &[&str]| {
        let mut stream =
            format!("commit refs/heads/{name}\ncommitter Ada <ada@acme.test> 1700000000 +0100\ndata 1\nm\n");
        if let Some(from) = from {
            stream += &format!("from refs/heads/{from}^0\n");
        }
        for file in files {
            stream += &format!("M 100644 inline {file}\ndata 1\n0\n");
        }
        place.import(stream.as_bytes());
    };
    made("base", None, &["c/d/a", "c/d/e/a", "d/a", "d/e/a", "e/a", "z/a", "z/c/d/a"]);
    made("ours", Some("base"), &["c/d/ours", "c/ours", "d/ours", "e/ours", "z/ours", "z/c/ours"]);
    made(
        "theirs",
        Some("base"),
        &["c/d/theirs", "c/theirs", "d/theirs", "e/theirs", "z/theirs", "z/c/theirs"],
    );
    let merge = open(&place).merge(&at(&place, "ours"), &at(&place, "theirs")).await.unwrap();
    let TreeMerge::Apart { changes, both } = merge else { panic!("{merge:?}") };
    let changed: Vec<String> = changes.keys().map(ToString::to_string).collect();
    assert_eq!(changed, ["c/d/theirs", "c/theirs", "d/theirs", "e/theirs", "z/c/theirs", "z/theirs"]);
    assert_eq!(both, []);
    place.done();
}
