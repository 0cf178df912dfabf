//! Folders and files that are shown to whoever knows some of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use gradus_remote::git::{GitErrorKind, Limits, Looked, Mode, ObjectId, Onlooker, Remote, Shown};

use crate::place::{Place, Via, branch, path};

const WAYS: [Via; 6] =
    [Via::Http, Via::File, Via::HttpNoFilter, Via::FileNoFilter, Via::HttpOld, Via::FileOld];

/// An entry of a folder.
type Named = (String, ObjectId, Mode);

/// Knows what it was shown.
#[derive(Default)]
struct Eyes {
    folders: Mutex<BTreeMap<ObjectId, Vec<Named>>>,
    files: Mutex<BTreeSet<ObjectId>>,
    /// Every folder that was shown, in the order in which it was.
    shown: Mutex<Vec<ObjectId>>,
}

impl Onlooker for Eyes {
    fn knows(&self, folder: ObjectId) -> bool {
        self.folders.lock().unwrap().contains_key(&folder)
    }

    fn wants_files(&self) -> bool {
        self.folders.lock().unwrap().is_empty()
    }

    fn folder(&self, id: ObjectId, entries: &[Shown<'_>]) {
        let entries = entries.iter().map(|entry| (entry.name.to_owned(), entry.id, entry.mode)).collect();
        self.shown.lock().unwrap().push(id);
        let before = self.folders.lock().unwrap().insert(id, entries);
        assert!(before.is_none(), "{id} is shown twice");
    }

    fn file(&self, id: ObjectId, bytes: &[u8]) {
        assert_eq!(id, ObjectId::of_blob(bytes));
        self.files.lock().unwrap().insert(id);
    }
}

impl Eyes {
    /// The files that it can tell of, as git lists them.
    fn files(&self, tops: &[Looked]) -> Vec<String> {
        let mut lines = Vec::new();
        for top in tops {
            let path = top.path.as_ref().map_or("", |path| path.as_str());
            self.below(path, top.id, top.is_folder, &mut lines);
        }
        lines.sort();
        lines
    }

    fn below(&self, path: &str, id: ObjectId, is_folder: bool, lines: &mut Vec<String>) {
        if !is_folder {
            return lines.push(format!("{id} {path}"));
        }
        let entries = self.folders.lock().unwrap()[&id].clone();
        for (name, id, mode) in &entries {
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            self.below(&path, *id, *mode == Mode::Folder, lines);
        }
    }
}

/// The files of a branch below these paths, by git itself.
fn listed(place: &Place, branch: &str, below: &[&str]) -> Vec<String> {
    let mut args = vec!["-C", "repo.git", "-c", "core.quotePath=false", "ls-tree", "-r", branch];
    args.extend(below);
    let lines = place.git(&args);
    let mut lines: Vec<String> = lines
        .lines()
        .filter(|line| line.starts_with("100"))
        .map(|line| {
            let (head, path) = line.split_once('\t').unwrap();
            format!("{} {path}", head.split(' ').nth(2).unwrap())
        })
        .collect();
    lines.sort();
    lines
}

fn many() -> Vec<(String, String)> {
    let app = |n: usize| {
        ["base", "overlays/dev", "overlays/prod"].map(|below| {
            (
                format!("apps/team-{}/app-{n:03}/{below}/release.yaml", n % 7),
                format!("app: {n}\nin: {below}\n"),
            )
        })
    };
    (0..120).flat_map(app).collect()
}

async fn place(via: Via) -> Place {
    let files = many();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let place = Place::new(via, &files).await;
    place.commit_modes(
        "main",
        &[("120000", "apps/link.yaml", "x"), ("100755", "run \u{fc}.sh", "true\n")],
        "more",
    );
    place
}

async fn look(remote: &Remote, place: &Place, below: &[&str], eyes: &Arc<Eyes>) -> Vec<Looked> {
    let below: Vec<_> = below.iter().map(|below| path(below)).collect();
    remote.look_through(place.at("main"), &below, eyes.clone()).await.unwrap()
}

#[tokio::test]
async fn all_is_shown_and_nothing_twice() {
    for via in WAYS {
        let place = place(via).await;
        let (remote, eyes) = (place.remote(), Arc::new(Eyes::default()));
        let tops = look(&remote, &place, &[], &eyes).await;
        assert_eq!(eyes.files(&tops), listed(&place, "main", &[]), "{via:?}");
        let cold = remote.traffic().requests;
        if via.wire() {
            // What the host can do, the commit, and everything in it.
            assert_eq!(cold, 3, "{via:?}");
            assert_eq!(eyes.files.lock().unwrap().len(), 362, "{via:?}: the link is shown by its id");
        }
        // The same again is nothing new.
        eyes.shown.lock().unwrap().clear();
        look(&remote, &place, &[], &eyes).await;
        assert_eq!(*eyes.shown.lock().unwrap(), []);
        assert_eq!(remote.traffic().requests, cold, "{via:?}");
        // A change in one place is seen with the folders on the way to it, here and by who begins with what is known.
        for n in 0..2 {
            place.commit(
                "main",
                &[("apps/team-3/app-003/overlays/dev/release.yaml", &format!("{n}\n"))],
                "change",
            );
            let remote = if n == 0 { remote.clone() } else { place.remote() };
            let before = remote.traffic().requests;
            eyes.shown.lock().unwrap().clear();
            let tops = look(&remote, &place, &[], &eyes).await;
            assert_eq!(eyes.shown.lock().unwrap().len(), 6, "{via:?}");
            assert_eq!(eyes.files(&tops), listed(&place, "main", &[]), "{via:?}");
            if via.wire() {
                let asked = remote.traffic().requests - before;
                let most = if n == 0 { 1 } else { 8 };
                assert!(asked <= most, "{via:?}: {asked} requests");
            }
        }
        place.done();
    }
}

#[tokio::test]
async fn only_what_is_below_is_shown() {
    for via in [Via::Http, Via::HttpNoFilter, Via::FileOld] {
        let place = place(via).await;
        let eyes = Arc::new(Eyes::default());
        let below = ["apps/team-3", "apps/team-5/app-005/base/release.yaml", "none", "apps/team-4/none/x"];
        let tops = look(&place.remote(), &place, &below, &eyes).await;
        assert_eq!(tops.len(), 2);
        assert_eq!(eyes.files(&tops), listed(&place, "main", &below[..2]), "{via:?}");
        let roots = ["main^{tree}", "main:apps", "main:apps/team-4"];
        for root in roots {
            let id: ObjectId = place.git(&["-C", "repo.git", "rev-parse", root]).parse().unwrap();
            assert!(!eyes.knows(id), "{via:?}: {root} is shown");
        }
    }
}

/// A host that does not want to send all at once is asked for less.
#[tokio::test]
async fn what_is_too_much_at_once_comes_in_parts() {
    let place = place(Via::Http).await;
    let mut options = place.options();
    // The whole answer has more objects than that, and no level of folders.
    options.limits = Limits { objects: 600, ..Limits::default() };
    let remote = Remote::open(place.url(), options.clone()).unwrap();
    let eyes = Arc::new(Eyes::default());
    let tops = look(&remote, &place, &[], &eyes).await;
    assert_eq!(eyes.files(&tops), listed(&place, "main", &[]));
    assert_eq!(*eyes.files.lock().unwrap(), BTreeSet::new());
    // Where even that is too much, it is an error that names the bound.
    options.limits = Limits { listed: 100, ..Limits::default() };
    let remote = Remote::open(place.url(), options).unwrap();
    let tip = remote.tip(&branch("main")).await.unwrap();
    let error = remote.look_through(tip, &[], Arc::new(Eyes::default())).await.unwrap_err();
    let what = "the number of files and folders looked at";
    assert_eq!(*error.kind(), GitErrorKind::TooLarge { what, limit: 100 });
}
