//! Proposals without a forge: what becomes of them, and what a crash does not change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gradus_core::names::{BlobId, BranchName, CommitId, ProposalNumber, RepoPath};
use gradus_core::pipeline::Repository;
use gradus_core::plan::CloseReason;
use gradus_engine::port::forge::{Extras, MergeWay, Merging, ProposalPlace, ProposalRecord, ProposalText};
use gradus_engine::port::repo::{CommitOrder, FileChange, Written};
use gradus_engine::port::{Forge, Repo};
use gradus_local::{LocalForge, ProposalInfo, ProposalState, SqliteLedger};

use crate::git::{Fuse, Git};
use crate::sample::{at, environment, folder, run, web};

fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap()
}

fn version_file() -> RepoPath {
    RepoPath::parse("version").unwrap()
}

fn place() -> ProposalPlace {
    let url = Arc::from("https://git.example/fleet");
    ProposalPlace {
        repository: Repository {
            url,
            branch: None,
            paths: Vec::new(),
            secret: None,
            forge: None,
            commit: Default::default(),
        },
        base: main_branch(),
        branch: BranchName::parse("gradus/apps/web/prod").unwrap(),
        pipeline: web(),
        environment: environment("prod"),
    }
}

/// A commit that says `version`, on top of its first parent, with the tree of its last.
fn order(branch: &BranchName, parents: &[CommitId], version: &str) -> CommitOrder {
    let none = "0".repeat(40);
    let change = FileChange::write(BlobId::parse(&none).unwrap(), Arc::from(version.as_bytes()));
    CommitOrder {
        branch: branch.clone(),
        expect: if parents.len() == 1 && *branch != main_branch() { None } else { parents.first().cloned() },
        parents: parents.to_vec(),
        tree_of: parents.last().cloned().unwrap_or(CommitId::parse(&none).unwrap()),
        files: BTreeMap::from([(version_file(), change)]),
        message: format!("web {version}\n\nto prod\n"),
        at: at(1),
    }
}

fn text(head: &CommitId, version: &str, second: i64) -> ProposalText {
    ProposalText {
        head: head.clone(),
        title: format!("web {version}"),
        body: "to prod".to_owned(),
        at: at(second),
        extras: Extras::default(),
    }
}

/// What is wanted: this version on the base branch, and whether a proposal may be merged.
type Wish = (&'static str, bool);

/// Looks and acts like the engine: from what Git says and from nothing else.
struct Engine {
    git: Git,
    forge: LocalForge,
}

impl Engine {
    fn open(file: &Path, git: &Git) -> Self {
        let forge = LocalForge::new(SqliteLedger::open(file).unwrap(), Arc::new(git.clone()));
        Self { git: git.clone(), forge }
    }

    /// One step towards the wish; false when there is nothing to do.
    async fn step(&self, (wanted, merging): Wish) -> bool {
        let (place, git) = (place(), &self.git);
        let tips = git.tips(&[main_branch(), place.branch.clone()]).await.unwrap();
        let base = &tips[&main_branch()];
        let has = git.file(base, &version_file()).unwrap();
        let Some(head) = tips.get(&place.branch) else {
            if &*has == wanted.as_bytes() {
                return false;
            }
            let written =
                git.commit(&order(&place.branch, std::slice::from_ref(base), wanted)).await.unwrap();
            self.say(&written, wanted).await;
            return true;
        };
        let found = self.forge.find(&place, head).await.unwrap().unwrap();
        let proposed = git.file(head, &version_file()).unwrap();
        if has == proposed {
            self.forge.close(&place, found.number, head, &CloseReason::Merged).await.unwrap();
        } else if &*has == wanted.as_bytes() {
            self.forge.close(&place, found.number, head, &CloseReason::Overtaken).await.unwrap();
        } else if &*proposed != wanted.as_bytes() {
            let written =
                git.commit(&order(&place.branch, &[head.clone(), base.clone()], wanted)).await.unwrap();
            self.say(&written, wanted).await;
        } else if self.forge.ensure(&place, &text(head, wanted, 5)).await.unwrap() != found {
            panic!("{found:?} is no longer the same proposal");
        } else if merging {
            let merge = order(&main_branch(), &[base.clone(), head.clone()], wanted);
            self.forge.merge(&place, found.number, head, &merge, MergeWay::default()).await.unwrap();
        } else {
            return false;
        }
        true
    }

    async fn say(&self, written: &Written, wanted: &str) {
        let (Written::Done(head) | Written::AlreadyTrue(head)) = written else { panic!("{written:?}") };
        self.forge.ensure(&place(), &text(head, wanted, 5)).await.unwrap();
    }

    async fn reach(&self, wish: Wish) {
        for _ in 0..9 {
            if !self.step(wish).await {
                return;
            }
        }
        panic!("{wish:?} is never reached");
    }

    async fn shown(&self) -> Vec<(u64, String, String)> {
        let proposals = self.forge.proposals(&web()).await.unwrap();
        let word = |state: &ProposalState| match state {
            ProposalState::Open => "open".to_owned(),
            ProposalState::Merged { commit } => {
                // Whoever clears up after a crash may not know it; nobody makes one up.
                assert!(commit.as_ref().is_none_or(|commit| self.git.parents(commit).len() == 2));
                "merged".to_owned()
            }
            ProposalState::Closed { why } => format!("closed: {why}"),
        };
        let shown = |info: ProposalInfo| (info.number.0, info.title.clone(), word(&info.state));
        let mut shown: Vec<_> = proposals.into_iter().map(shown).collect();
        shown.sort();
        shown
    }
}

fn start() -> Git {
    let git = Git::default();
    let mut first = order(&main_branch(), &[], "1");
    first.expect = None;
    git.write(&first);
    git
}

/// Opened, changed, merged; opened and closed; opened and merged.
const WISHES: [Wish; 6] = [("2", false), ("3", false), ("3", true), ("4", false), ("3", false), ("5", true)];

/// Goes through all wishes; the process ends where the fuse says, and another takes over.
fn check(fuse: Option<Fuse>) -> usize {
    let (_folder, file) = folder();
    let git = start();
    if let Some(fuse) = fuse {
        git.light(fuse);
    }
    run(async {
        let mut engine = Engine::open(&file, &git);
        for wish in WISHES {
            loop {
                tokio::select! {
                    () = engine.reach(wish) => break,
                    () = git.blown.notified() => engine = Engine::open(&file, &git),
                }
            }
        }
        let calls = git.calls();
        let closed = "closed: the environment has moved past it";
        let expected = [(1, "web 3", "merged"), (2, "web 4", closed), (3, "web 5", "merged")];
        let expected = expected.map(|(number, title, state)| (number, title.to_owned(), state.to_owned()));
        assert_eq!(engine.shown().await, expected, "{fuse:?}");
        let tip = git.tip(&main_branch()).unwrap();
        assert_eq!(git.tip(&place().branch), None, "{fuse:?}");
        // Two merges on top of the first commit, and each happened once.
        let history = git.history(&tip, &[], 9).await.unwrap();
        assert_eq!(history.commits.len(), 3, "{fuse:?}");
        assert_eq!(git.file(&tip, &version_file()).as_deref(), Some(&b"5"[..]));
        calls
    })
}

#[test]
fn a_crash_between_any_two_calls_changes_nothing() {
    let calls = check(None);
    assert!(calls > 20, "{calls}");
    for call in 1..=calls {
        for happens in [false, true] {
            check(Some(Fuse { call, happens }));
        }
    }
}

/// A branch with a proposal on it, ready for what a test does to it.
async fn opened() -> (Git, LocalForge, CommitId, ProposalRecord) {
    let git = start();
    let forge = LocalForge::new(SqliteLedger::open_in_memory().unwrap(), Arc::new(git.clone()));
    let base = git.tip(&main_branch()).unwrap();
    git.write(&order(&place().branch, &[base], "2"));
    let head = git.tip(&place().branch).unwrap();
    let record = forge.ensure(&place(), &text(&head, "2", 5)).await.unwrap();
    (git, forge, head, record)
}

async fn states(forge: &LocalForge) -> Vec<(u64, ProposalState)> {
    let proposals = forge.proposals(&web()).await.unwrap();
    proposals.into_iter().map(|info| (info.number.0, info.state)).collect()
}

#[test]
fn a_proposal_is_opened_once_and_brought_up_to_date() {
    run(async {
        let (_git, forge, head, record) = opened().await;
        assert_eq!(
            record,
            ProposalRecord {
                number: ProposalNumber(1),
                url: None,
                since: at(5),
                declined: None,
                queued: None
            }
        );
        assert_eq!(forge.ensure(&place(), &text(&head, "2", 6)).await.unwrap(), record);
        assert_eq!(forge.find(&place(), &head).await.unwrap(), Some(record.clone()));
        assert_eq!(forge.proposals(&web()).await.unwrap()[0].changed, at(5));
        assert_eq!(forge.ensure(&place(), &text(&head, "other", 7)).await.unwrap(), record);
        let shown = &forge.proposals(&web()).await.unwrap()[..];
        let [info] = shown else { panic!("{shown:?}") };
        assert_eq!((info.title.as_str(), info.opened, info.changed), ("web other", at(5), at(7)));
        assert_eq!((&info.head, &info.branch, &info.base), (&head, &place().branch, &main_branch()));
    });
}

#[test]
fn a_branch_without_a_proposal_is_adopted_with_its_own_words() {
    run(async {
        let (git, _forge, head, _record) = opened().await;
        let empty = LocalForge::new(SqliteLedger::open_in_memory().unwrap(), Arc::new(git.clone()));
        let found = empty.find(&place(), &head).await.unwrap().unwrap();
        assert_eq!(empty.find(&place(), &head).await.unwrap().unwrap(), found);
        let shown = empty.proposals(&web()).await.unwrap();
        assert_eq!((shown[0].number, shown[0].title.as_str()), (ProposalNumber(1), "web 2"));
        assert_eq!((shown[0].body.as_str(), &shown[0].state), ("to prod", &ProposalState::Open));
    });
}

#[test]
fn somebody_pushed_to_the_branch() {
    run(async {
        let (git, forge, head, record) = opened().await;
        git.write(&order(&place().branch, &[head.clone(), head.clone()], "mine"));
        let theirs = git.tip(&place().branch).unwrap();
        let closed = forge.close(&place(), record.number, &head, &CloseReason::Overtaken).await.unwrap();
        assert!(matches!(closed, Written::Stale(_)), "{closed:?}");
        assert_eq!(states(&forge).await, [(1, ProposalState::Open)]);
        assert_eq!(forge.find(&place(), &theirs).await.unwrap(), Some(record.clone()));
        assert_eq!(forge.proposals(&web()).await.unwrap()[0].head, theirs);
        // The merge was of what was seen; what came later stays.
        let base = git.tip(&main_branch()).unwrap();
        let merge = order(&main_branch(), &[base, head.clone()], "2");
        let merged = forge.merge(&place(), record.number, &head, &merge, MergeWay::default()).await.unwrap();
        let commit = git.tip(&main_branch()).unwrap();
        assert_eq!(merged, Merging::Now(Written::Done(commit.clone())));
        assert_eq!(
            forge.merge(&place(), record.number, &head, &merge, MergeWay::default()).await.unwrap(),
            Merging::Now(Written::AlreadyTrue(commit.clone()))
        );
        assert_eq!(git.tip(&place().branch), Some(theirs.clone()));
        assert_eq!(states(&forge).await, [(1, ProposalState::Merged { commit: Some(commit) })]);
        // What they have there now is a proposal of its own.
        assert_eq!(forge.find(&place(), &theirs).await.unwrap().unwrap().number, ProposalNumber(2));
    });
}

#[test]
fn somebody_was_faster_on_the_base_branch() {
    run(async {
        let (git, forge, head, record) = opened().await;
        let base = git.tip(&main_branch()).unwrap();
        git.write(&order(&main_branch(), std::slice::from_ref(&base), "9"));
        let merge = order(&main_branch(), &[base, head.clone()], "2");
        let written = forge.merge(&place(), record.number, &head, &merge, MergeWay::default()).await.unwrap();
        assert!(matches!(written, Merging::Now(Written::Stale(_))), "{written:?}");
        assert_eq!(git.tip(&place().branch), Some(head));
        assert_eq!(states(&forge).await, [(1, ProposalState::Open)]);
    });
}

#[test]
fn a_branch_that_was_deleted_and_made_anew_is_another_proposal() {
    run(async {
        let (git, forge, _head, _record) = opened().await;
        git.drop_branch(&place().branch);
        let base = git.tip(&main_branch()).unwrap();
        git.write(&order(&place().branch, &[base], "3"));
        let head = git.tip(&place().branch).unwrap();
        let record = forge.ensure(&place(), &text(&head, "3", 8)).await.unwrap();
        assert_eq!((record.number, record.since), (ProposalNumber(2), at(8)));
        let why = "its branch was deleted".to_owned();
        assert_eq!(states(&forge).await, [(2, ProposalState::Open), (1, ProposalState::Closed { why })]);
    });
}

#[test]
fn closing_may_be_repeated_and_is_undone_by_a_branch_that_is_there() {
    run(async {
        let (git, forge, head, record) = opened().await;
        for expected in [Written::Done(head.clone()), Written::AlreadyTrue(head.clone())] {
            let closed = forge.close(&place(), record.number, &head, &CloseReason::Overtaken).await.unwrap();
            assert_eq!(closed, expected);
        }
        assert_eq!(git.tip(&place().branch), None);
        let why = "the environment has moved past it".to_owned();
        assert_eq!(states(&forge).await, [(1, ProposalState::Closed { why })]);
        let base = git.tip(&main_branch()).unwrap();
        git.write(&order(&place().branch, &[base], "2"));
        assert_eq!(forge.ensure(&place(), &text(&head, "2", 9)).await.unwrap(), record);
        assert_eq!(states(&forge).await, [(1, ProposalState::Open)]);
        // A number that nobody gave is of no proposal, and the branch goes all the same.
        let unknown = ProposalNumber(u64::MAX);
        let closed = forge.close(&place(), unknown, &head, &CloseReason::Merged).await.unwrap();
        assert_eq!(closed, Written::Done(head));
    });
}

#[test]
fn pipelines_of_one_repository_count_together() {
    run(async {
        let (git, forge, head, _record) = opened().await;
        let other = ProposalPlace { branch: BranchName::parse("gradus/apps/api/prod").unwrap(), ..place() };
        git.write(&order(&other.branch, &[git.tip(&main_branch()).unwrap()], "7"));
        assert_eq!(forge.ensure(&other, &text(&head, "7", 5)).await.unwrap().number, ProposalNumber(2));
    });
}
