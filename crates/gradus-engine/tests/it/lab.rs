//! Where scenarios are played: an engine on fakes, with the trouble that a
//! scenario is played through.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use gradus_core::names::{BranchName, Group};
use gradus_core::observation::{Approval, Request, RequestKind};
use gradus_core::pipeline::Pipeline;
use gradus_engine::fake::{Fakes, Faults, Moment, Task, sketch};
use gradus_engine::port::Clock;
use gradus_engine::port::forge::Verdict;
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_engine::{Engine, Outcome, Reconciled};
use jiff::SignedDuration;

/// What a scenario is played through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// None.
    None,
    /// Nothing is ever heard; the engine only looks every ten minutes.
    TicksOnly,
    /// One call fails, before its effect or after it.
    Failure(u64, Moment),
    /// The engine dies at this stop, and another begins with nothing but what the ports keep.
    Crash(usize),
    /// The record is lost after this many things have happened; people and machines say again what they said.
    Wipe(usize),
}

/// An engine on fakes.
pub(crate) struct Lab {
    pub(crate) fakes: Fakes,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) engine: Arc<Engine>,
    faults: Faults,
    trouble: Trouble,
    stops: usize,
    happened: usize,
    said: Vec<Entry>,
    last: Option<Reconciled>,
    /// From when on what happens rests on the record.
    rests: Option<usize>,
}

/// Plays a scenario without trouble, compares what came of it, and plays it again
/// through every trouble there is: the same has to come of it.
pub(crate) fn check(pipeline: &dyn Fn() -> Pipeline, script: &dyn Fn(&mut Lab), expected: &str) {
    let play = |trouble| {
        let mut lab = Lab::new(pipeline(), trouble);
        script(&mut lab);
        lab
    };
    let smooth = play(Trouble::None);
    let came = smooth.came();
    assert_eq!(came.trim(), unindented(expected).trim(), "without trouble");
    let calls = (0..smooth.faults.calls())
        .flat_map(|call| [Moment::Before, Moment::After].map(|moment| Trouble::Failure(call, moment)));
    let crashes = (0..smooth.stops).map(Trouble::Crash);
    let wipes = (0..smooth.rests.unwrap_or(smooth.happened)).map(Trouble::Wipe);
    for trouble in std::iter::once(Trouble::TicksOnly).chain(calls).chain(crashes).chain(wipes) {
        assert_eq!(play(trouble).came(), came, "through {trouble:?}");
    }
}

fn branch_of(environment: &str) -> BranchName {
    BranchName::parse(&format!("gradus/apps/web/{environment}")).expect("a branch")
}

fn unindented(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

impl Lab {
    pub(crate) fn new(pipeline: Pipeline, trouble: Trouble) -> Self {
        let fakes = Fakes::default();
        let branches: Vec<&str> = pipeline
            .environments()
            .iter()
            .filter_map(|here| here.branch.as_ref())
            .map(|b| b.as_str())
            .collect();
        let files: Vec<(String, String)> = pipeline
            .environments()
            .iter()
            .filter(|environment| environment.branch.is_none())
            .map(|environment| environment.name.as_str())
            .map(|name| (sketch::path(name), sketch::file(name, "1.0.0")))
            .collect();
        let files: Vec<(&str, Option<&str>)> =
            files.iter().map(|(p, t)| (p.as_str(), Some(t.as_str()))).collect();
        fakes.repo.push("main", "ada", "Begin", &files);
        for branch in branches {
            fakes.repo.push(branch, "ada", "Begin a branch", &[]);
        }
        let faults = match trouble {
            Trouble::Failure(call, moment) => Faults::failing_once(call, moment),
            Trouble::None | Trouble::TicksOnly | Trouble::Crash(_) | Trouble::Wipe(_) => Faults::none(),
        };
        let engine = Arc::new(Engine::new(fakes.ports(&faults)));
        let pipeline = Arc::new(pipeline);
        let (said, last, rests) = (Vec::new(), None, None);
        let mut lab =
            Self { fakes, pipeline, engine, faults, trouble, stops: 0, happened: 0, said, last, rests };
        let names: Vec<_> = lab.pipeline.environments().iter().map(|e| e.name.to_string()).collect();
        for name in names {
            lab.healthy(&name, "1.0.0");
        }
        lab
    }

    /// A cluster reports that an environment is healthy.
    pub(crate) fn healthy(&mut self, environment: &str, version: &str) {
        self.reports(environment, Reported::Healthy { release: sketch::release(version) });
    }

    /// A cluster reports.
    pub(crate) fn reports(&mut self, environment: &str, reported: Reported) {
        let at = self.fakes.clock.now();
        let (environment, target) = (sketch::environment_name(environment), sketch::target_name("main"));
        self.say(Entry::Report { environment, target, reported, by: sketch::person("flux"), at });
    }

    /// Somebody says yes.
    pub(crate) fn approves(&mut self, person: &str, environment: &str, version: &str) {
        let approval = Approval {
            release: sketch::release(version),
            by: sketch::person(person),
            groups: Vec::new(),
            aliases: Vec::new(),
            at: self.fakes.clock.now(),
        };
        self.say(Entry::Approval { environment: sketch::environment_name(environment), approval });
    }

    /// Somebody asks for a version by name, for the state as it is now.
    pub(crate) fn asks(&mut self, kind: RequestKind, environment: &str, version: &str) {
        let name = sketch::environment_name(environment);
        let (looked, _) = self.look();
        let here = looked.report.environment(&name).expect("the environment");
        let id = format!("r-{}", self.said.len());
        let request = Request {
            id: gradus_core::names::RequestId::parse(&id).expect("an id"),
            release: sketch::release(version),
            kind,
            by: sketch::person("mia"),
            at: self.fakes.clock.now(),
            reason: None,
            from: here.release().cloned(),
            from_commit: here.origin.as_ref().map(|origin| origin.commit.clone()),
        };
        self.say(Entry::Request { environment: name, request });
    }

    /// Somebody says something, past the engine's ports and their trouble.
    fn say(&mut self, entry: Entry) {
        self.said.push(entry.clone());
        self.fakes.ledger.put(&self.pipeline.key, entry);
        self.happens();
    }

    /// What follows rests on what is recorded alone, so that nothing replaces it.
    pub(crate) fn rests_on_the_record(&mut self) {
        self.rests = Some(self.happened);
    }

    /// A person sets the version of an environment.
    pub(crate) fn sets(&mut self, environment: &str, version: &str) {
        let (branch, owner) = self.home(environment);
        let (path, file) = (sketch::path(&owner), sketch::file(&owner, version));
        self.writes_on(&branch, &path, &file);
    }

    /// The branch that declares an environment, and whose file it is in: on a branch of its own it is the one that
    /// came from the first environment.
    fn home(&self, environment: &str) -> (String, String) {
        let name = sketch::environment_name(environment);
        let here = self.pipeline.environment(&name).expect("the environment");
        match &here.branch {
            Some(branch) => (branch.to_string(), self.pipeline.environments()[0].name.to_string()),
            None => ("main".to_owned(), environment.to_owned()),
        }
    }

    /// A person sets the version of an environment and takes it back before anybody looks.
    pub(crate) fn sets_and_takes_back(&mut self, environment: &str, version: &str, back: &str) {
        let path = sketch::path(environment);
        for version in [version, back] {
            let file = sketch::file(environment, version);
            self.fakes.repo.push("main", "ada", &format!("Set {version}"), &[(&path, Some(&file))]);
        }
        self.happens();
    }

    /// A person writes a file on the branch.
    pub(crate) fn writes(&mut self, path: &str, text: &str) {
        self.writes_on("main", path, text);
    }

    /// A person writes a file on a branch.
    pub(crate) fn writes_on(&mut self, branch: &str, path: &str, text: &str) {
        self.fakes.repo.push(branch, "ada", &format!("Write {path}"), &[(path, Some(text))]);
        self.happens();
    }

    /// How often something was merged into the branch of an environment.
    pub(crate) fn merged(&self, environment: &str) -> usize {
        let mut merges = 0;
        let mut at = self.fakes.repo.tip(&self.home(environment).0);
        while let Some(commit) = at.and_then(|id| self.fakes.repo.stored(&id)) {
            merges += usize::from(commit.parents.len() > 1);
            at = commit.parents.first().cloned();
        }
        merges
    }

    /// A person writes a file on the proposal's branch of an environment.
    pub(crate) fn adds_to_proposal(&mut self, environment: &str, path: &str, text: &str) {
        let branch = self.branch_of(environment);
        self.fakes.repo.push(&branch, "bob", "My own change", &[(path, Some(text))]);
        self.happens();
    }

    /// Time passes, and the engine looks when it said that it would.
    pub(crate) fn waits(&mut self, minutes: i64) {
        let end = self.fakes.clock.now() + SignedDuration::from_mins(minutes);
        while self.fakes.clock.now() < end {
            let now = self.fakes.clock.now();
            let tick = now + SignedDuration::from_mins(10);
            let due = self.last.as_ref().and_then(|last| last.looked.report.wake_at).filter(|at| *at > now);
            let due = due.filter(|_| self.trouble != Trouble::TicksOnly);
            self.fakes.clock.advance_to(due.unwrap_or(tick).min(tick).min(end));
            self.settle();
        }
    }

    /// Those who deploy were asked to look, for these environments: once for each commit. Trouble may
    /// keep some from being asked, and has nobody asked twice.
    pub(crate) fn nudged(&self, environments: &[&str]) {
        let nudged = self.fakes.nudge.nudged();
        let mut commits: Vec<_> = nudged.iter().map(|nudged| &nudged.commit).collect();
        commits.sort();
        commits.dedup();
        assert_eq!(commits.len(), nudged.len(), "{nudged:?}");
        let names: Vec<&str> = nudged.iter().map(|nudged| nudged.environment.as_str()).collect();
        match self.trouble {
            Trouble::None | Trouble::TicksOnly => assert_eq!(names, environments),
            Trouble::Failure(..) | Trouble::Crash(_) | Trouble::Wipe(_) => {
                assert!(names.iter().all(|name| environments.contains(name)), "{names:?}");
            }
        }
    }

    /// What an outsider sees now.
    pub(crate) fn look(&self) -> (gradus_engine::Looked, gradus_engine::observe::Sight) {
        let engine = Arc::new(Engine::new(self.fakes.ports(&Faults::none())));
        let pipeline = self.pipeline.clone();
        Task::new(async move { engine.look(&pipeline).await }).finish(10_000).expect("a look ends")
    }

    /// Why an environment is as it is, in words.
    pub(crate) fn reason(&self, environment: &str) -> String {
        let (looked, _) = self.look();
        let here =
            looked.report.environment(&sketch::environment_name(environment)).expect("the environment");
        let clock = gradus_core::tell::Clock::utc(looked.at);
        here.reasons
            .iter()
            .map(|reason| gradus_core::tell::sentence(reason, &clock))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// What else people are told of an environment, without the ids of commits.
    pub(crate) fn notes(&self, environment: &str) -> String {
        let (looked, _) = self.look();
        let here =
            looked.report.environment(&sketch::environment_name(environment)).expect("the environment");
        let clock = gradus_core::tell::Clock::utc(looked.at);
        let notes = here.notes.iter().map(|note| gradus_core::tell::sentence(note, &clock));
        let text = notes.collect::<Vec<_>>().join("; ");
        match here.origin.as_ref() {
            Some(origin) => text.replace(origin.commit.short(), "{}"),
            None => text,
        }
    }

    /// Why the host refuses what is tried, again and again.
    pub(crate) fn refusal(&mut self) -> Option<String> {
        (0..5).find_map(|_| {
            let done = self.reconcile()?;
            done.outcomes.iter().find_map(|(_, outcome)| match outcome {
                Ok(Outcome::Refused(why)) => Some(why.clone()),
                Ok(Outcome::Done(_) | Outcome::AlreadyTrue | Outcome::Stale(_)) | Err(_) => None,
            })
        })
    }

    fn branch_of(&self, environment: &str) -> String {
        let name = sketch::environment_name(environment);
        let here = self.pipeline.environment(&name).expect("the environment");
        here.proposal_branch(&self.pipeline.key).expect("a branch").to_string()
    }

    /// A person merges the proposal of an environment at the forge, which keeps its branch.
    pub(crate) fn merges(&mut self, environment: &str) {
        let branch = self.branch_of(environment);
        let into = self.home(environment).0;
        self.fakes.repo.merge(&branch, &into, "tom", "Merge pull request").expect("a proposal to merge");
        self.happens();
    }

    /// Somebody is known at the forge as one who may decide, in these groups.
    pub(crate) fn knows(&self, person: &str, groups: &[&str]) {
        let groups: Vec<Group> = groups.iter().map(|name| Group::parse(name).expect("a group")).collect();
        self.fakes.forge.knows(&sketch::person(person), &groups);
    }

    /// Somebody reviews the proposal of an environment.
    pub(crate) fn reviews(&mut self, person: &str, environment: &str, verdict: Verdict) {
        self.fakes.forge.review(&branch_of(environment), &sketch::person(person), verdict);
        self.happens();
    }

    /// Somebody says something below the proposal of an environment.
    pub(crate) fn comments(&mut self, person: &str, environment: &str, body: &str) {
        self.fakes.forge.comment(&branch_of(environment), &sketch::person(person), body);
        self.happens();
    }

    /// What gradus answered below the proposals of an environment, each its first line.
    pub(crate) fn answers(&self, environment: &str) -> Vec<String> {
        let said = self.fakes.forge.said(&branch_of(environment));
        let ours = said.into_iter().filter(|(by, body)| by.as_str() == "gradus" && body.starts_with('@'));
        ours.map(|(_, body)| body.lines().next().unwrap_or_default().to_owned()).collect()
    }

    /// The pipeline is deleted, and what is left of it is cleared up until nothing fails.
    pub(crate) fn retires(&mut self) {
        self.engine.set_pipelines(BTreeMap::from([(self.pipeline.key.clone(), self.pipeline.clone())]));
        let gone = self.engine.set_pipelines(BTreeMap::new());
        assert_eq!(gone.len(), 1, "the pipeline is gone");
        for _ in 0..5 {
            let (engine, pipeline) = (self.engine.clone(), self.pipeline.clone());
            let mut task = Task::new(async move { engine.retire(&pipeline).await });
            let errors = loop {
                if let Some(errors) = task.step() {
                    break Some(errors);
                }
                let stop = self.stops;
                self.stops += 1;
                if self.trouble == Trouble::Crash(stop) {
                    self.engine = Arc::new(Engine::new(self.fakes.ports(&self.faults)));
                    break None;
                }
            };
            if errors.is_some_and(|errors| errors.is_empty()) {
                return;
            }
        }
        panic!("it cannot be cleared up");
    }

    /// Automation brings what it was asked for last, as what it was asked for twice once.
    pub(crate) fn obeys(&mut self) {
        if let Some(order) = self.fakes.forge.dispatched().pop() {
            let version = order.to.to_string();
            let name = order.environment.as_str();
            let (path, file) = (sketch::path(name), sketch::file(name, &version));
            self.fakes.repo.push("main", "bot", &format!("Bring {version}"), &[(&path, Some(&file))]);
        }
        self.happens();
    }

    /// Automation was asked for these, one after the other. Trouble may have asked for one twice, under one name.
    pub(crate) fn asked_for(&self, versions: &[&str]) {
        let all = self.fakes.forge.dispatched();
        let mut once: Vec<_> = Vec::new();
        for order in &all {
            if !once.iter().any(|(promotion, _)| *promotion == order.promotion) {
                once.push((order.promotion.clone(), order.to.to_string()));
            }
        }
        let asked: Vec<&str> = once.iter().map(|(_, version)| version.as_str()).collect();
        assert_eq!(asked, versions, "through {:?}", self.trouble);
        let more = all.len() - once.len();
        match self.trouble {
            Trouble::None | Trouble::TicksOnly => assert_eq!(more, 0),
            Trouble::Failure(..) | Trouble::Crash(_) | Trouble::Wipe(_) => {
                assert!(more <= 1, "{more} more through {:?}", self.trouble);
            }
        }
    }

    /// Something has happened. The engine hears of it, unless it hears nothing.
    fn happens(&mut self) {
        let number = self.happened;
        self.happened += 1;
        if self.trouble == Trouble::Wipe(number) {
            self.fakes.ledger.wipe();
            for entry in &self.said {
                self.fakes.ledger.put(&self.pipeline.key, entry.clone());
            }
        }
        let later = if self.trouble == Trouble::TicksOnly { 10 * 60 } else { 1 };
        self.fakes.clock.advance(SignedDuration::from_secs(later));
        self.settle();
    }

    /// The engine looks until there is nothing to do twice in a row.
    fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..40 {
            let Some(done) = self.reconcile() else {
                self.engine = Arc::new(Engine::new(self.fakes.ports(&self.faults)));
                continue;
            };
            let refused = |outcome: &_| matches!(outcome, Ok(Outcome::Refused(_)));
            let acted = done.outcomes.iter().any(|(_, outcome)| !refused(outcome))
                || done.did_something()
                || done.errors().next().is_some();
            quiet = if acted { 0 } else { quiet + 1 };
            self.last = Some(done);
            if quiet == 2 {
                return;
            }
        }
        let steps: Vec<_> = self.last.iter().flat_map(|done| &done.outcomes).collect();
        panic!("it does not come to rest: {steps:#?}");
    }

    /// Looks once and acts; `None` where the engine died of it.
    fn reconcile(&mut self) -> Option<Reconciled> {
        let (engine, pipeline) = (self.engine.clone(), self.pipeline.clone());
        let mut task = Task::new(async move { engine.reconcile(&pipeline).await });
        loop {
            if let Some(done) = task.step() {
                return Some(done);
            }
            let stop = self.stops;
            self.stops += 1;
            if self.trouble == Trouble::Crash(stop) {
                return None;
            }
        }
    }

    /// What came of it: what each environment had, one after the other, and what is proposed.
    fn came(&self) -> String {
        let mut text = String::new();
        for environment in self.pipeline.environments() {
            let name = environment.name.as_str();
            let had = self.had(name).join(" ");
            let _ = write!(text, "{name}: {had}");
            let branch = self.branch_of(name);
            if let Some(file) = self.fakes.repo.text(&branch, &sketch::path(&self.home(name).1)) {
                let _ = write!(text, " (proposed: {})", sketch::version_in(&file).unwrap_or("nothing"));
            }
            text.push('\n');
        }
        text
    }

    /// The versions that an environment had on the branch, one after the other.
    pub(crate) fn had(&self, environment: &str) -> Vec<String> {
        let mut versions: Vec<String> = Vec::new();
        let (branch, owner) = self.home(environment);
        let mut at = self.fakes.repo.tip(&branch);
        while let Some(id) = at {
            let text = self.fakes.repo.text_at(&id, &sketch::path(&owner)).unwrap_or_default();
            let version = sketch::version_in(&text).unwrap_or("nothing").to_owned();
            if versions.last() != Some(&version) {
                versions.push(version);
            }
            at = self.fakes.repo.stored(&id).and_then(|commit| commit.parents.first().cloned());
        }
        versions.reverse();
        versions
    }
}
