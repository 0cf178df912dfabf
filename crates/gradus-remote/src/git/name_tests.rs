use super::{BranchName, RemoteUrl, RepoPath};

fn check<T: std::fmt::Display>(
    make: fn(&str) -> Result<T, crate::git::GitError>,
    good: &[&str],
    bad: &[&str],
) {
    for text in good {
        assert_eq!(make(text).unwrap().to_string(), *text);
    }
    for text in bad {
        assert!(make(text).is_err(), "{text:?} was taken");
    }
}

#[test]
fn branches() {
    check(
        BranchName::new,
        &["main", "gradus/podinfo-prod", "größe", "a.b", "v1@x"],
        &[
            "",
            "-x",
            "@",
            "HEAD",
            "refs/heads/x",
            "a b",
            "a..b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "a.lock",
            "a.lock/b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a@{1}",
            "a.",
            "a\n",
            "a\u{7f}",
        ],
    );
}

#[test]
fn paths() {
    check(
        RepoPath::new,
        &["a", "apps/a b/ü.yaml", ".github/x", ".gitignore", "a/.gitmodules", "git", "x.git/y", "...", "-x"],
        &[
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/./b",
            ".git",
            "a/.git/config",
            ".GIT/x",
            ".git /x",
            ".git./x",
            ".g\u{200c}it/x",
            "git~1/x",
            "GIT~1",
            "a\\.git\\x",
            ".git::$INDEX_ALLOCATION/x",
            "a\0b",
            "a\nb",
            "a\u{1b}[2J",
        ],
    );
}

#[test]
fn addresses() {
    check(
        RemoteUrl::new,
        &[
            "https://github.com/acme/fleet",
            "http://git.local:3000/acme/fleet.git",
            "file:///srv/fleet.git",
            "ssh://git@git.local:2222/acme/fleet.git",
            "git@github.com:acme/fleet.git",
        ],
        &[
            "",
            "/srv/fleet.git",
            "github.com/acme/fleet",
            "ssh://host/x",
            "ssh://git:pw@host/x",
            "git+ssh://git@host/x",
            "host:x",
            "git://host/x",
            "ftp://h/x",
            "https://user@host/x",
            "https://user:pw@host/x",
            "https://host/x?a=b",
            "https://host/x#y",
            "https://host/",
            "file://host/x",
            "file:///",
        ],
    );
    assert_eq!(RemoteUrl::new("https://host/a/").unwrap().as_str(), "https://host/a");
}

#[test]
fn a_refused_address_is_not_repeated() {
    for (address, why) in [
        ("https://user:hunter2@host/x", "it holds credentials; give them apart from the address"),
        ("ssh://git:hunter2@host/x", "it holds credentials; give them apart from the address"),
        ("git:hunter2@host:x/y", "it names no user; most hosts want git@HOST"),
        ("git://hunter2/x", "git:// and git+ssh:// are not spoken; use https:// or ssh://"),
        ("hunter2/fleet", "it is not an address such as https://host/path"),
        ("ftp://hunter2/x", "only https://, http://, ssh:// and file:// are spoken"),
    ] {
        let error = RemoteUrl::new(address).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot take the address of the repository: {why}"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
