//! The people of the simulated world.

use std::sync::Arc;

use gradus_core::names::{EnvironmentName, RequestId};
use gradus_core::observation::{Approval, Request, RequestKind};
use gradus_core::pipeline::{Hold, Strategy};

use super::judge::Judge;
use super::scene;
use super::world::{Agreed, Asked, Deed, Event, World};
use crate::fake::sketch;
use crate::port::ledger::Entry;

/// Those who push versions.
const DEVELOPERS: [&str; 2] = ["ada", "bob"];
/// Those who agree.
const APPROVERS: [&str; 3] = ["mia", "tom", "zoe"];
/// The one who asks for things by name.
const ASKS: &str = "rita";

impl World {
    /// Plans what people will do in the next hours.
    pub(super) fn plan_people(&mut self, hours: i64) {
        let end = hours * 3600;
        let count = self.environments().len();
        let at_some_time = |world: &mut Self, deed: Deed| {
            let at = world.chance.between(60, end);
            world.plan(at, Event::Person(deed));
        };
        for _ in 0..self.chance.between(1, 4) {
            at_some_time(self, Deed::Develop);
        }
        for _ in 0..self.chance.between(0, 4) {
            at_some_time(self, Deed::Noise);
        }
        for _ in 0..hours * 2 {
            at_some_time(self, Deed::Approve);
        }
        for place in 0..count {
            for (deed, percent) in [
                (Deed::SetByHand(place), 7),
                (Deed::Touch(place), 10),
                (Deed::Merge(place), 15),
                (Deed::Discard(place), 7),
                (Deed::Meddle(place), 7),
                (Deed::Ask(place, RequestKind::Promote), 7),
                (Deed::Ask(place, RequestKind::Override), 5),
                (Deed::Ask(place, RequestKind::Rollback), 12),
                (Deed::Ask(place, RequestKind::Emergency), 5),
            ] {
                if self.chance.percent(percent) {
                    at_some_time(self, deed);
                }
            }
            if self.chance.percent(7) {
                let at = self.chance.between(60, end);
                let lasts = self.chance.between(300, 7200);
                self.plan(at, Event::Person(Deed::Hold(place, true)));
                self.plan(at + lasts, Event::Person(Deed::Hold(place, false)));
            }
            if self.chance.percent(4) {
                let at = self.chance.between(60, end);
                let lasts = self.chance.between(60, 2400);
                self.plan(at, Event::Person(Deed::Break(place)));
                self.plan(at + lasts, Event::Person(Deed::Mend(place)));
            }
        }
        for (deed, percent) in [(Deed::Revert, 15), (Deed::Wipe, 10)] {
            if self.chance.percent(percent) {
                at_some_time(self, deed);
            }
        }
        for spot in self.spots() {
            if self.chance.percent(20) {
                let at = self.chance.between(60, end);
                self.plan(at, Event::Flap(spot, true));
            }
        }
    }

    /// A person does something.
    pub(super) fn person(&mut self, deed: Deed, judge: &Judge) {
        self.tell(|| format!("people: {deed:?}"));
        match deed {
            Deed::Develop => self.develop(),
            Deed::Revert => {
                let back = judge
                    .history(0)
                    .iter()
                    .rev()
                    .find_map(|had| had.version.filter(|v| Some(*v) != self.declared(0)));
                if let Some(back) = back {
                    self.set(0, back, "ada");
                }
            }
            Deed::SetByHand(place) => {
                let version = u32::try_from(self.chance.between(0, i64::from(self.newest))).unwrap_or(0);
                if self.declared(place).is_some() {
                    self.set(place, version, "bob");
                }
            }
            Deed::Noise => {
                let text = format!("note: {}\n", self.chance.below(1000));
                self.fakes.repo.push("main", "bob", "A note", &[("notes.yaml", Some(&text))]);
            }
            Deed::Touch(place) => {
                self.rewrite(place, |text| format!("# {} lines\n{text}", text.lines().count()))
            }
            Deed::Break(place) => self.rewrite(place, |text| format!("{{{{ broken }}}}: [\n{text}")),
            Deed::Mend(place) => self.rewrite(place, |text| text.replace("{{ broken }}: [\n", "")),
            Deed::Ask(place, kind) => self.ask(place, kind, judge),
            Deed::Approve => self.approve(),
            Deed::Merge(place) | Deed::Discard(place) | Deed::Meddle(place)
                if self.is_too_early(deed, place) => {}
            Deed::Merge(place) => {
                let branch = self.branch(place);
                self.fakes.repo.merge(&branch, "main", "tom", "Merge pull request");
                if self.chance.percent(50) {
                    self.fakes.repo.remove(&branch);
                }
            }
            Deed::Discard(place) => self.fakes.repo.remove(&self.branch(place)),
            Deed::Meddle(place) => {
                let (branch, text) = (self.branch(place), format!("replicas: {}\n", self.chance.below(1000)));
                self.fakes.repo.push(&branch, "bob", "My own change", &[("extra.yaml", Some(&text))]);
            }
            Deed::Hold(place, on) => self.hold(place, on),
            Deed::Wipe => {
                self.wiped = true;
                self.fakes.ledger.wipe();
            }
        }
        self.wake_all();
    }

    /// There is no proposal yet: they come back later, most of the time.
    fn is_too_early(&mut self, deed: Deed, place: usize) -> bool {
        let missing = self.fakes.repo.tip(&self.branch(place)).is_none();
        if missing && self.chaos && self.chance.percent(90) {
            let later = self.chance.between(60, 600);
            self.plan(later, Event::Person(deed));
        }
        missing
    }

    fn develop(&mut self) {
        self.newest += 1;
        let version = self.newest;
        let author = self.chance.pick(&DEVELOPERS).copied().unwrap_or("ada");
        self.authors.insert(version, author);
        if self.chance.percent(20) {
            let place = self.chance.below(self.environments().len());
            self.bad.insert((place, version));
        }
        if self.declared(0).is_some() {
            self.set(0, version, author);
        }
    }

    fn set(&mut self, place: usize, version: u32, author: &str) {
        let (path, name) = (sketch::path(&self.name(place)), self.name(place));
        let file = sketch::file(&name, &scene::text(version));
        let message = format!("Set {name} to {}", scene::text(version));
        self.fakes.repo.push("main", author, &message, &[(&path, Some(&file))]);
    }

    fn rewrite(&mut self, place: usize, change: impl Fn(&str) -> String) {
        let path = sketch::path(&self.name(place));
        let Some(text) = self.fakes.repo.text("main", &path) else { return };
        let new = change(&text);
        if new != text {
            self.fakes.repo.push("main", "bob", "Rewrite", &[(&path, Some(&new))]);
        }
    }

    pub(super) fn branch(&self, place: usize) -> String {
        format!("gradus/apps/web/{}", self.name(place))
    }

    fn ask(&mut self, place: usize, kind: RequestKind, judge: &Judge) {
        let Some(here) = judge.history(place).last().cloned() else { return };
        let version = match kind {
            RequestKind::Rollback => judge
                .history(place)
                .iter()
                .rev()
                .find_map(|had| had.version.filter(|v| Some(*v) < here.version)),
            RequestKind::Promote | RequestKind::Override | RequestKind::Emergency => Some(self.newest),
        };
        let Some(version) =
            version.filter(|version| here.version.is_some() && Some(*version) != here.version)
        else {
            return;
        };
        let asked = Asked {
            environment: place,
            kind,
            version,
            by: ASKS,
            from: here.version,
            from_commit: Some(here.commit.clone()),
        };
        let request = Request {
            id: RequestId::parse(&format!("r-{}", self.asked.len())).expect("an id"),
            release: sketch::release(&scene::text(version)),
            kind,
            by: sketch::person(ASKS),
            at: self.now(),
            reason: None,
            from: here.version.map(|from| sketch::release(&scene::text(from))),
            from_commit: asked.from_commit.clone(),
        };
        let environment = self.environment(place).name.clone();
        self.asked.push(asked);
        self.fakes.ledger.put(&self.pipeline.key, Entry::Request { environment, request });
    }

    /// One of the approvers agrees to what waits somewhere, as far as they can see it.
    fn approve(&mut self) {
        let place = self.chance.below(self.environments().len());
        let proposed = self.fakes.repo.text(&self.branch(place), &sketch::path(&self.name(place)));
        let proposed = proposed.and_then(|text| scene::number(sketch::version_in(&text)?));
        let version = match (&self.environment(place).strategy, proposed) {
            (Strategy::PullRequest, Some(version)) => Some(version),
            (Strategy::Push | Strategy::PullRequest | Strategy::Dispatch(_), _) => {
                self.environment(place).after.first().and_then(|name| self.declared(self.place_of(name)))
            }
        };
        // A developer may say so as well, and it may not count.
        let everyone: Vec<&'static str> = APPROVERS.iter().chain(&DEVELOPERS).copied().collect();
        let by = self.chance.pick(&everyone).copied().unwrap_or("mia");
        if let Some(version) = version {
            self.agree(place, version, by);
        }
    }

    /// All approvers agree to a version.
    pub(super) fn all_agree(&mut self, environment: &EnvironmentName, version: u32) {
        let place = self.place_of(environment);
        for by in APPROVERS {
            self.agree(place, version, by);
        }
    }

    fn agree(&mut self, place: usize, version: u32, by: &'static str) {
        let at = self.now();
        let environment = self.environment(place).name.clone();
        self.tell(|| format!("{by} approves {version} in {environment}"));
        self.agreed.push(Agreed { environment: place, version, by, at });
        let (release, by) = (sketch::release(&scene::text(version)), sketch::person(by));
        let approval = Approval { release, by, groups: Vec::new(), aliases: Vec::new(), at };
        self.fakes.ledger.put(&self.pipeline.key, Entry::Approval { environment, approval });
    }

    fn hold(&mut self, place: usize, on: bool) {
        let mut pipeline = (*self.pipeline).clone();
        let name: Arc<str> = Arc::from(format!("hold-{place}"));
        pipeline.holds.retain(|hold| hold.name != name);
        if on {
            pipeline.holds.push(Hold {
                name,
                environment: Some(self.environment(place).name.clone()),
                pin: None,
                reason: Arc::from("because"),
                owner: sketch::person("tom"),
                since: None,
                until: None,
            });
        }
        self.pipeline = Arc::new(pipeline);
        for engine in 0..super::runner::ENGINES {
            let late = self.chance.between(0, 60);
            self.plan(late, Event::Configure(engine));
        }
    }
}
