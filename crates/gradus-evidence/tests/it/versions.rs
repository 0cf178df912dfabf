//! Names of images and revisions, taken apart.

use std::fmt::Write as _;

use gradus_evidence::{Image, Revision, Wanted};

#[test]
fn images() {
    let mut table = String::new();
    for text in [
        "nginx",
        "nginx:1.22.0",
        "nginx@sha256:aa",
        "nginx:1.22.0@sha256:aa",
        "acme/web:v1",
        "ghcr.io/acme/web:2026.01.02",
        "registry:5000/a/b",
        "registry:5000/a/b:1.2",
        "registry:5000/a/b:1.2@sha256:aa",
        "registry:5000/a/b@sha256:aa",
        "localhost/web:dev",
        "[::1]:5000/web:1",
        "web:",
        "web@",
        ":1",
        "",
    ] {
        let image = Image::parse(text);
        let or = |it: Option<&str>| it.unwrap_or("-").to_owned();
        let (tag, digest) = (or(image.tag), or(image.digest));
        writeln!(table, "{text:<34}{:<24}{tag:<12}{digest:<12}{}", image.repository, image.version(None))
            .unwrap();
    }
    insta::assert_snapshot!("images", table);
}

#[test]
fn digest_where_one_is_asked_for() {
    let by_digest = Wanted { version: Some("sha256:bb".into()), digest: None };
    assert_eq!(Image::parse("a/b:1.2@sha256:aa").version(Some(&by_digest)), "sha256:aa");
    assert_eq!(Image::parse("a/b:1.2").version(Some(&by_digest)), "1.2");
    let by_tag = Wanted { version: Some("1.2".into()), digest: None };
    assert_eq!(Image::parse("a/b:1.2@sha256:aa").version(Some(&by_tag)), "1.2");
}

#[test]
fn repositories() {
    let same = [
        ("nginx", "docker.io/library/nginx"),
        ("acme/web", "docker.io/acme/web"),
        ("docker.io/nginx", "index.docker.io/library/nginx"),
        ("ghcr.io/acme/web", "ghcr.io/acme/web"),
        ("registry:5000/web", "registry:5000/web"),
    ];
    for (one, other) in same {
        assert!(Image::parse(one).is_of(other), "{one} {other}");
    }
    for (one, other) in [("acme/web", "ghcr.io/acme/web"), ("web", "acme/web"), ("acme/web2", "acme/web")] {
        assert!(!Image::parse(one).is_of(other), "{one} {other}");
    }
}

#[test]
fn revisions() {
    let commit = "1111111111111111111111111111111111111111";
    let digest = "4444444444444444444444444444444444444444444444444444444444444444";
    let mut table = String::new();
    for text in [
        format!("main@sha1:{commit}"),
        format!("v1.0.1@sha1:{commit}"),
        format!("feature/x@sha1:{commit}"),
        format!("420/head@sha1:{commit}"),
        format!("sha1:{commit}"),
        format!("main/{commit}"),
        format!("HEAD/{commit}"),
        commit.to_owned(),
        format!("6.1.8@sha256:{digest}"),
        format!("latest@sha256:{digest}"),
        format!("sha256:{digest}"),
        "6.5.4".to_owned(),
        "6.6.1+0cc9a8446c95".to_owned(),
        "6.5.4+0cc9a8446c95.3".to_owned(),
        "@".to_owned(),
        String::new(),
    ] {
        let revision = Revision::parse(&text);
        let short = |it: Option<&str>| it.map_or_else(|| "-".to_owned(), |it| it.chars().take(12).collect());
        let version = revision.version();
        writeln!(
            table,
            "{:<28}{:<12}{:<8}{:<14}{:<14}{}",
            text.chars().take(26).collect::<String>(),
            revision.name.unwrap_or("-"),
            revision.algorithm.unwrap_or("-"),
            short(revision.hash),
            short(revision.commit()),
            version.as_deref().map_or_else(|| "-".to_owned(), |it| it.chars().take(19).collect()),
        )
        .unwrap();
    }
    insta::assert_snapshot!("revisions", table);
}
