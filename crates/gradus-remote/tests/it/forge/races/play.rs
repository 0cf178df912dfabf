//! One seed: what happens, in an order that follows from it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;
use std::sync::Arc;

use gradus_core::names::{BranchName, CommitId, RepoPath};
use gradus_core::pipeline::{Merge, Pipeline, Strategy};
use gradus_engine::Engine;
use gradus_engine::fake::{Fakes, Faults, sketch};
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_engine::port::repo::{CommitOrder, FileChange, Written};
use gradus_engine::port::{Clock as _, Ports, Repo, Repos as _};
use gradus_remote::forge::{ForgeApi, MergeMethod, MergeOrder, Pull, PullChange, PullState, RemoteForge};
use jiff::SignedDuration;

use super::arena::{Arena, PROD, STAGING};
use super::judge::Judge;

/// How many things happen before everybody lets it come to rest.
const HAPPENINGS: u64 = 12;

/// What was played.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) kills: u64,
    pub(super) proposals: u64,
    pub(super) merges: u64,
    pub(super) people: u64,
}

impl AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.proposals += other.proposals;
        self.merges += other.merges;
        self.people += other.people;
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, proposals, merges, people } = self;
        write!(f, "{kills} kills, {proposals} proposals, {merges} merged, {people} deeds of people")
    }
}

/// The numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

pub(super) struct Play {
    arena: Arena,
    dice: Dice,
    pipeline: Arc<Pipeline>,
    fakes: Fakes,
    /// Two processes that look after the same pipeline.
    engines: [Arc<Engine>; 2],
    /// What people look with.
    repo: Arc<dyn Repo>,
    api: Arc<dyn ForgeApi>,
    judge: Judge,
    told: Told,
    /// What happened, for who has to find out why it ended so.
    story: Vec<String>,
}

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

impl Play {
    pub(super) fn new(arena: Arena, seed: u64) -> Self {
        let mut dice = Dice(seed);
        let merge = if dice.below(3) == 0 { Merge::Auto } else { Merge::Person };
        let staging = sketch::environment(STAGING, &[]);
        let mut prod = sketch::environment(PROD, &[STAGING]);
        (prod.strategy, prod.merge) = (Strategy::PullRequest, merge);
        let mut pipeline = sketch::pipeline(vec![staging, prod]);
        pipeline.repository = arena.repository.clone();
        let (pipeline, fakes) = (Arc::new(pipeline), Fakes::default());
        let engines = [(); 2].map(|()| engine(&arena, &fakes));
        let (repo, api) = (arena.repos().open(&arena.repository).unwrap(), arena.api());
        let judge = Judge::new(merge);
        let play = Self {
            arena,
            dice,
            pipeline,
            fakes,
            engines,
            repo,
            api,
            judge,
            told: Told::default(),
            story: Vec::new(),
        };
        play.reports(STAGING, "1.0.0");
        play.reports(PROD, "1.0.0");
        play
    }

    /// Everything that happens, and what became of it.
    pub(super) async fn through(mut self) -> Result<Told, String> {
        match self.plays().await {
            Ok(()) => Ok(self.told),
            Err(why) => Err(format!("{why}\n{}", self.story.join("\n"))),
        }
    }

    async fn plays(&mut self) -> Result<(), String> {
        for _ in 0..HAPPENINGS {
            let seconds = self.dice.below(20);
            self.fakes.clock.advance(SignedDuration::from_secs(i64::try_from(seconds).unwrap()));
            match self.dice.below(12) {
                0 | 1 => self.brings().await,
                2..=4 => self.kills_one().await,
                5 => self.looks_twice_at_once().await,
                6 | 7 => self.looks().await,
                _ => self.person().await,
            }
            let main = self.main().await;
            self.judge.looks(&main)?;
        }
        self.comes_to_rest().await?;
        let pulls = self.pulls().await;
        self.told.proposals = pulls.len() as u64;
        self.told.merges =
            pulls.iter().filter(|pull| matches!(pull.state, PullState::Merged { .. })).count() as u64;
        let (main, head) = (self.main().await, self.version_on(&self.head_branch()).await);
        let shown = pulls.iter().map(|pull| format!("{} {:?} at {:?}", pull.number, pull.state, pull.head));
        self.story.extend(shown);
        self.judge.ends(&main, head.as_deref(), &pulls)
    }

    fn head_branch(&self) -> BranchName {
        branch(&format!("gradus/apps/web/{PROD}"))
    }

    fn reports(&self, environment: &str, version: &str) {
        let (environment, target) = (sketch::environment_name(environment), sketch::target_name("main"));
        let (reported, by) =
            (Reported::Healthy { release: sketch::release(version) }, sketch::person("flux"));
        let entry = Entry::Report { environment, target, reported, by, at: self.fakes.clock.now() };
        self.fakes.ledger.put(&self.pipeline.key, entry);
    }

    /// Somebody brings the next version into staging, and it works there.
    async fn brings(&mut self) {
        let version = self.judge.brings();
        self.story.push(format!("{version} is brought"));
        self.writes(&branch("main"), &sketch::path(STAGING), &sketch::file(STAGING, &version)).await;
        self.reports(STAGING, &version);
    }

    /// A person's commit on top of a branch.
    async fn writes(&self, to: &BranchName, file: &str, text: &str) -> Option<CommitId> {
        let path = RepoPath::parse(file).unwrap();
        for _ in 0..5 {
            let tip = self.repo.tips(std::slice::from_ref(to)).await.unwrap().remove(to)?;
            let before = self.repo.read(&tip, std::slice::from_ref(&path)).await.unwrap();
            let expect = before.get(&path)?.blob.clone();
            let order = CommitOrder {
                branch: to.clone(),
                expect: Some(tip.clone()),
                parents: vec![tip.clone()],
                tree_of: tip,
                files: BTreeMap::from([(path.clone(), FileChange::write(expect, text.as_bytes().into()))]),
                message: "by hand".to_owned(),
                at: self.fakes.clock.now(),
            };
            match self.repo.commit(&order).await.unwrap() {
                Written::Done(commit) | Written::AlreadyTrue(commit) => return Some(commit),
                Written::Stale(_) | Written::Refused(_) => {}
            }
        }
        None
    }

    async fn looks(&mut self) {
        let done = self.engines[0].reconcile(&self.pipeline).await;
        self.story.push(format!(
            "a look: {:?}",
            done.outcomes.iter().map(|(_, outcome)| outcome).collect::<Vec<_>>()
        ));
    }

    /// A process ends at some request, before the other side does it or before it hears of it; another begins.
    async fn kills_one(&mut self) {
        let stops = self.dice.below(24);
        self.arena.trip.after(stops);
        let dying = self.engines[1].clone();
        let killed = tokio::select! {
            _ = dying.reconcile(&self.pipeline) => false,
            () = self.arena.trip.fired() => true,
        };
        self.arena.trip.off();
        self.told.kills += u64::from(killed);
        self.story.push(format!("a look is killed at stop {stops}: {killed}"));
        self.engines[1] = engine(&self.arena, &self.fakes);
    }

    async fn looks_twice_at_once(&mut self) {
        let [one, two] = &self.engines;
        tokio::join!(one.reconcile(&self.pipeline), two.reconcile(&self.pipeline));
        self.judge.raced();
        self.story.push("two looks at once".to_owned());
    }

    /// What people do to the proposal that is open, if one is.
    async fn person(&mut self) {
        let (head, base) = (self.head_branch(), branch("main"));
        let Ok(Some(pull)) = self.api.find_open(&head, &base).await else { return };
        self.told.people += 1;
        match self.dice.below(6) {
            0 => {
                let Some(head) = pull.head.clone() else { return };
                let (title, message) = (pull.title.clone(), String::new());
                let order = MergeOrder {
                    head,
                    method: MergeMethod::Merge,
                    title,
                    message,
                    delete_branch: false,
                    queue: false,
                };
                if self.api.merge(pull.number, &order).await.is_ok() {
                    self.judge.person_merged();
                    self.story.push(format!("a person merges {}", pull.number));
                }
            }
            1 | 2 => {
                // Also where its branch is gone: the no is to what it was opened for.
                let version = match &pull.head {
                    Some(head) => self.version_at(head).await,
                    None => None,
                };
                if self.api.close(pull.number).await.is_ok() {
                    self.story.push(format!("a person closes {} at {version:?}", pull.number));
                    self.judge.person_closed(version);
                }
            }
            3 => {
                let change = PullChange { title: Some("my own words".to_owned()), ..PullChange::default() };
                self.api.update(pull.number, &change).await.ok();
            }
            4 => {
                // On top of what gradus proposes: it is theirs from then on.
                let file = sketch::path(PROD);
                let Some(version) = self.version_on(&head).await else { return };
                let text = format!("# mine\n{}", sketch::file(PROD, &version));
                if self.writes(&head, &file, &text).await.is_some() {
                    self.judge.person_pushed();
                    self.story.push(format!("a person pushes to {}", pull.number));
                }
            }
            _ => {
                if self.api.delete_branch(&head).await.is_ok() {
                    self.judge.person_deleted();
                    self.story.push(format!("a person deletes the branch of {}", pull.number));
                }
            }
        }
    }

    /// What prod's file says on a branch.
    async fn version_on(&self, of: &BranchName) -> Option<String> {
        let tip = self.repo.tips(std::slice::from_ref(of)).await.unwrap().remove(of)?;
        self.version_at(&tip).await
    }

    async fn version_at(&self, commit: &CommitId) -> Option<String> {
        let text = self.text_at(commit, PROD).await?;
        sketch::version_in(&text).map(str::to_owned)
    }

    async fn text_on(&self, of: &BranchName, environment: &str) -> Option<String> {
        let tip = self.repo.tips(std::slice::from_ref(of)).await.unwrap().remove(of)?;
        self.text_at(&tip, environment).await
    }

    async fn text_at(&self, commit: &CommitId, environment: &str) -> Option<String> {
        let path = RepoPath::parse(&sketch::path(environment)).unwrap();
        let files = self.repo.read(commit, std::slice::from_ref(&path)).await.unwrap();
        Some(String::from_utf8(files.get(&path)?.bytes.to_vec()).unwrap())
    }

    /// What main says of prod.
    async fn main(&self) -> String {
        self.text_on(&branch("main"), PROD).await.unwrap()
    }

    /// Nothing goes wrong any more: looks, until several in a row have nothing to do.
    async fn comes_to_rest(&mut self) -> Result<(), String> {
        self.engines = [(); 2].map(|()| engine(&self.arena, &self.fakes));
        let mut quiet = 0;
        for _ in 0..30 {
            self.fakes.clock.advance(SignedDuration::from_secs(90));
            let done = self.engines[0].reconcile(&self.pipeline).await;
            let main = self.main().await;
            self.judge.looks(&main)?;
            if let Some(version) = sketch::version_in(&main) {
                self.reports(PROD, version);
            }
            quiet = if done.did_something() || done.errors().next().is_some() { 0 } else { quiet + 1 };
            if quiet == 3 {
                return Ok(());
            }
        }
        let looked = self.engines[0].reconcile(&self.pipeline).await;
        let errors: Vec<String> = looked.errors().map(gradus_engine::port::PortError::in_full).collect();
        Err(format!("it does not come to rest: {:?} {errors:?}", looked.outcomes))
    }

    /// All proposals there ever were.
    async fn pulls(&self) -> Vec<Pull> {
        let mut pulls = Vec::new();
        for number in 1.. {
            match self.api.get(gradus_core::names::ProposalNumber(number)).await {
                Ok(pull) => pulls.push(pull),
                Err(_) => break,
            }
        }
        pulls
    }
}

/// A process that begins with nothing but what Git, the forge and the record keep.
fn engine(arena: &Arena, fakes: &Fakes) -> Arc<Engine> {
    let repos = arena.repos();
    let clock = Arc::new(fakes.clock.clone());
    let forge = RemoteForge::new(arena.apis(), repos.clone(), clock);
    let ports = fakes.ports(&Faults::none());
    Arc::new(Engine::new(Ports { repos, forge: Arc::new(forge), ..ports }))
}
