//! How a repository is read is said in the log, once.

use std::io::Write;
use std::sync::{Arc, Mutex};

use gradus_remote::git::RemoteOptions;

use crate::place::{Place, Via, branch, path};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Looks at a repository again and again; gives the lines of the log that say how it is read.
async fn told(via: Via, config: &[(&str, &str)]) -> Vec<String> {
    let place = Place::new(via, &[("a/b", "1\n")]).await;
    for (key, value) in config {
        place.config(key, value);
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let remote = place.remote();
    for n in 0..4 {
        let tip = remote.tip(&branch("main")).await.unwrap();
        remote.read(tip, &[path("a/b")]).await.unwrap();
        remote.probe().await.unwrap();
        place.commit("main", &[("a/b", &format!("{n}\n"))], "next");
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let url = place.url().to_string();
    let lines = text.lines().filter(|line| line.contains("whole commits"));
    lines.map(|line| line.trim().replace(&url, "URL")).collect()
}

#[tokio::test]
async fn the_way_through_a_mirror_is_said_once() {
    let line = |reason: &str| {
        vec![format!(
            "INFO gradus_remote::git::remote: whole commits are read from this repository url=URL reason={reason:?}"
        )]
    };
    assert_eq!(told(Via::Http, &[]).await, Vec::<String>::new());
    assert_eq!(
        told(Via::HttpNoFilter, &[]).await,
        line("the host does not offer filters (uploadpack.allowFilter)")
    );
    assert_eq!(
        told(Via::FileOld, &[]).await,
        line("the host speaks only the first protocol, which cannot ask for single objects")
    );
    assert_eq!(
        told(Via::Http, &[("uploadpackfilter.tree.allow", "false")]).await,
        line("the host refused a part of a commit: filter 'tree' not supported")
    );
}

/// Over http:// anybody on the way can read a token; that is said when the repository is opened.
#[tokio::test]
async fn credentials_without_encryption_are_warned_of() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let open = |url: &str| {
        let credentials = gradus_remote::git::Credentials::Bearer(gradus_remote::Secret::new("hunter2"));
        let url = gradus_remote::git::RemoteUrl::new(url).unwrap();
        gradus_remote::git::Remote::open(url, RemoteOptions { credentials, ..RemoteOptions::default() })
            .unwrap();
        String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap()
    };
    assert!(!open("https://git.example.com/x").contains("WARN"));
    for here in ["http://127.0.0.1:3000/x", "http://[::1]/x", "http://localhost/x"] {
        assert!(!open(here).contains("WARN"), "nobody reads along at {here}");
    }
    let said = open("http://git.example.com/x");
    assert!(
        said.contains("WARN") && said.contains("without encryption") && !said.contains("hunter2"),
        "{said}"
    );
}
