//! Files that are not what Git holds of them, and those that are.

use std::collections::BTreeMap;

use gradus_remote::git::{Change, GitErrorKind, ObjectId, Preparation, Remote};

use crate::place::{Place, Via, branch, meta, path};

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n";

async fn write(
    remote: &Remote,
    at: ObjectId,
    file: &str,
    from: &str,
    to: &str,
) -> Result<Preparation, String> {
    let expect = Some(ObjectId::of_blob(from.as_bytes()));
    let change = Change::Write { expect, bytes: to.to_owned().into() };
    let changes = BTreeMap::from([(path(file), change)]);
    let prepared = remote.prepare(at, &changes, &meta("promote", &[at])).await;
    prepared.map_err(|error| {
        let GitErrorKind::PathRefused { path, why } = error.kind() else { panic!("{error}") };
        format!("{path} {why}")
    })
}

/// The reason is told before a commit is made, and what is beside is written as ever.
#[tokio::test]
async fn files_behind_a_filter_are_refused() {
    for via in [Via::Http, Via::HttpNoFilter, Via::FileOld] {
        let files = [
            (".gitattributes", "* text=auto eol=lf\n*.bin filter=lfs diff=lfs merge=lfs -text\n"),
            ("apps/.gitattributes", "sealed/** filter=git-crypt\nwide.yaml working-tree-encoding=UTF-16\n"),
            ("apps/a.yaml", "1\n"),
            ("apps/b.bin", "1\n"),
            ("apps/sealed/deep/c.yaml", "1\n"),
            ("apps/wide.yaml", "1\n"),
        ];
        let place = Place::new(via, &files).await;
        let remote = place.remote();
        let at = place.at("main");
        let stored = "what Git holds is not the file";
        for (file, why) in [
            ("apps/b.bin", "is stored through the filter \"lfs\""),
            ("apps/sealed/deep/c.yaml", "is stored through the filter \"git-crypt\""),
            ("apps/wide.yaml", "is checked out as \"UTF-16\""),
        ] {
            let refused = write(&remote, at, file, "1\n", "2\n").await.unwrap_err();
            assert_eq!(refused, format!("{file} {why} (.gitattributes): {stored}"));
        }
        let Ok(Preparation::Ready(prepared)) = write(&remote, at, "apps/a.yaml", "1\n", "2\n").await else {
            panic!("a file without a filter was refused");
        };
        remote.push(&branch("main"), Some(at), &prepared).await.unwrap();
        assert_eq!(place.numstat(&at.to_string(), "main"), "1\t1\tapps/a.yaml");
        place.done();
    }
}

/// Where nothing describes files, nothing is asked for; where something does, it is asked for once.
#[tokio::test]
async fn what_describes_files_is_asked_for_once() {
    for (described, more) in [(false, 0), (true, 1)] {
        let mut files = vec![("a/b/c.yaml", "1\n"), ("a/d.yaml", "1\n")];
        if described {
            files.extend([(".gitattributes", "*.md text\n"), ("a/.gitattributes", "*.txt text\n")]);
        }
        let place = Place::new(Via::Http, &files).await;
        let remote = place.remote();
        let at = place.at("main");
        remote.read(at, &[path("a/b/c.yaml"), path("a/d.yaml")]).await.unwrap();
        let before = remote.traffic().requests;
        for file in ["a/b/c.yaml", "a/d.yaml"] {
            assert!(write(&remote, at, file, "1\n", "2\n").await.is_ok());
        }
        assert_eq!(remote.traffic().requests - before, more);
    }
}

/// Git keeps in a repository whatever ends of lines are committed; `text` and `eol` change files in checkouts alone.
#[tokio::test]
async fn ends_of_lines_stay_as_they_are_stored() {
    let files = [(".gitattributes", "* text=auto eol=crlf\n"), ("a.yaml", "tag: 1\r\nname: x\r\n")];
    let place = Place::new(Via::Http, &files).await;
    let remote = place.remote();
    let at = place.at("main");
    let read = remote.read(at, &[path("a.yaml")]).await.unwrap();
    assert_eq!(&read[&path("a.yaml")].as_ref().unwrap().bytes[..], b"tag: 1\r\nname: x\r\n");
    let new = "tag: 2\r\nname: x\r\n";
    let Ok(Preparation::Ready(prepared)) = write(&remote, at, "a.yaml", files[1].1, new).await else {
        panic!("it was refused");
    };
    remote.push(&branch("main"), Some(at), &prepared).await.unwrap();
    let id = place.git(&["-C", "repo.git", "rev-parse", "main:a.yaml"]);
    assert_eq!(id, ObjectId::of_blob(new.as_bytes()).to_string());
    assert_eq!(place.numstat(&at.to_string(), "main"), "1\t1\ta.yaml");
    place.done();
}

#[tokio::test]
async fn a_pointer_of_lfs_is_no_file_to_read() {
    let place = Place::new(Via::File, &[("values.yaml", POINTER), ("a.yaml", "1\n")]).await;
    let remote = place.remote();
    let error = remote.read(place.at("main"), &[path("values.yaml")]).await.unwrap_err();
    let why = "is a pointer of Git LFS: its content is elsewhere".to_owned();
    assert_eq!(*error.kind(), GitErrorKind::PathRefused { path: path("values.yaml"), why });
    assert!(remote.read(place.at("main"), &[path("a.yaml")]).await.is_ok());
}
