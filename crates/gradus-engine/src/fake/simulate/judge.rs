//! What must not be, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::gate::Gate;
use gradus_core::names::{CommitId, EnvironmentName};
use gradus_core::observation::{Proof, RequestKind};
use gradus_core::pipeline::{Emergency, Pipeline, Queue, TargetKind};
use gradus_core::window::WindowState;
use jiff::{SignedDuration, Timestamp};

use super::scene;
use super::world::{Asked, World};
use crate::fake::repo::{Move, StoredCommit};
use crate::fake::sketch;

/// Follows every branch and says what must not be.
#[derive(Default)]
pub(super) struct Judge {
    moves: usize,
    histories: BTreeMap<usize, Vec<Had>>,
    /// Proposals that were opened: where, in which state, of what.
    opened: BTreeSet<(usize, CommitId, u32)>,
    pub(super) promotions: u64,
}

/// What an environment had on the branch, from a commit on.
#[derive(Debug, Clone)]
pub(super) struct Had {
    pub(super) commit: CommitId,
    /// Nothing where its file could not be read.
    pub(super) version: Option<u32>,
    /// When the engine looked that wrote it; nothing where a person did.
    looked: Option<Timestamp>,
}

/// Who has moved what is judged.
pub(super) struct Mover {
    /// When it looked.
    pub(super) began: Timestamp,
    /// What it knew people to want.
    pub(super) pipeline: Arc<Pipeline>,
    /// The spans of health that were recorded then.
    pub(super) proofs: BTreeMap<EnvironmentName, Vec<Proof>>,
}

/// One version into one environment.
struct Promotion<'a> {
    world: &'a World,
    mover: &'a Mover,
    place: usize,
    to: u32,
    /// The request that stands for exactly this, if there is one.
    asked: Option<&'a Asked>,
    /// What every environment had.
    all: &'a BTreeMap<usize, Vec<Had>>,
}

impl Judge {
    /// What an environment had on the branch, oldest first.
    pub(super) fn history(&self, place: usize) -> &[Had] {
        self.histories.get(&place).map(Vec::as_slice).unwrap_or_default()
    }

    /// Judges everything that has moved since the last time.
    pub(super) fn absorb(&mut self, world: &mut World, mover: Option<&Mover>) -> Result<(), String> {
        let moves = world.fakes.repo.moves(self.moves);
        self.moves += moves.len();
        for moved in &moves {
            world.tell(|| format!("{} goes from {:?} to {:?}", moved.branch, moved.before, moved.after));
            if moved.through_port {
                let mover = mover.ok_or("an engine wrote that was not running")?;
                self.judge(world, moved, mover).map_err(|why| format!("{}: {why}", moved.branch))?;
            }
            if moved.branch.as_str() == "main" {
                self.note(world, moved, mover.filter(|_| moved.through_port));
            }
        }
        Ok(())
    }

    fn judge(&mut self, world: &World, moved: &Move, mover: &Mover) -> Result<(), String> {
        let commit = |id: &Option<CommitId>| id.as_ref().and_then(|id| world.fakes.repo.stored(id));
        let (before, after) = (commit(&moved.before), commit(&moved.after));
        let is_ours = |commit: &StoredCommit| commit.author == "gradus";
        match (&before, &after) {
            (Some(_), Some(after)) if after.parents.first() != moved.before.as_ref() => {
                Err("its first parent is not where the branch was".to_owned())
            }
            (Some(before), Some(after)) if moved.branch.as_str() == "main" => {
                self.base(world, mover, before, after)
            }
            (Some(before), _) if !is_ours(before) => {
                Err("other people's commits were built upon or lost".to_owned())
            }
            (None, Some(after)) => self.proposed(world, moved, after),
            (Some(_), Some(_) | None) | (None, None) => Ok(()),
        }
    }

    fn proposed(&mut self, world: &World, moved: &Move, after: &StoredCommit) -> Result<(), String> {
        let name = moved.branch.as_str().rsplit('/').next().unwrap_or_default();
        let place = world.place_of(&sketch::environment_name(name));
        if after.parents.len() != 1 {
            return Err("a new proposal does not begin at the branch".to_owned());
        }
        let blob_text = moved.after.as_ref().and_then(|id| world.fakes.repo.text_at(id, &sketch::path(name)));
        let to = blob_text.and_then(|text| scene::number(sketch::version_in(&text)?));
        let Some((to, here)) = to.zip(self.history(place).last().cloned()) else {
            return Err("it proposes nothing".to_owned());
        };
        let is_again = !self.opened.insert((place, here.commit.clone(), to));
        if is_again && !world.disturbed.contains(&place) {
            return Err(format!("{} was proposed twice in the same state", scene::text(to)));
        }
        Ok(())
    }

    /// A commit of an engine on the branch that is deployed.
    fn base(
        &mut self,
        world: &World,
        mover: &Mover,
        before: &StoredCommit,
        after: &StoredCommit,
    ) -> Result<(), String> {
        let paths: BTreeSet<_> = before.tree.keys().chain(after.tree.keys()).collect();
        let changed: Vec<_> =
            paths.into_iter().filter(|path| before.tree.get(*path) != after.tree.get(*path)).collect();
        let [path] = changed.as_slice() else { return Err(format!("it changes {changed:?}")) };
        let place =
            (0..world.environments().len()).find(|place| sketch::path(&world.name(*place)) == path.as_str());
        let place = place.ok_or_else(|| format!("it changes {path}"))?;
        let texts = |commit: &StoredCommit| {
            commit.tree.get(*path).and_then(|blob| world.fakes.repo.blob_text(blob)).unwrap_or_default()
        };
        let (old, new) = (texts(before), texts(after));
        let version = |text: &str| sketch::version_in(text).and_then(scene::number);
        let (Some(from), Some(to)) = (version(&old), version(&new)) else {
            return Err("it writes no version".to_owned());
        };
        if old.replace(&format!(" {} ", scene::text(from)), &format!(" {} ", scene::text(to))) != new {
            return Err(format!("it changes more of {path} than the version"));
        }
        self.promotions += 1;
        let here = self.history(place);
        let state = here.last().map(|had| &had.commit);
        let fits = |asked: &&Asked| {
            asked.environment == place
                && asked.version == to
                && asked.from == Some(from)
                && asked.from_commit.as_ref() == state
        };
        // Any request that stands for exactly this may be the reason, or none.
        let asked = world.asked.iter().filter(fits).map(Some).chain([None]);
        let (all, mut failed) = (&self.histories, Vec::new());
        for asked in asked {
            match (Promotion { world, mover, place, to, asked, all }).judge(from, here) {
                Ok(()) => return Ok(()),
                Err(why) => failed.push(why),
            }
        }
        let (to, from, name) = (scene::text(to), scene::text(from), world.name(place));
        Err(format!("{to} into {name}, which had {from}: {}", failed.join("; ")))
    }

    /// Remembers what the branch has now.
    fn note(&mut self, world: &mut World, moved: &Move, mover: Option<&Mover>) {
        let Some(commit) = &moved.after else { return };
        for place in 0..world.environments().len() {
            let name = world.name(place);
            let text = world.fakes.repo.text_at(commit, &sketch::path(&name)).unwrap_or_default();
            // A file that cannot be parsed names nothing.
            let version =
                if text.contains("{{") { None } else { sketch::version_in(&text).and_then(scene::number) };
            let history = self.histories.entry(place).or_default();
            if history.last().is_some_and(|had| had.version == version) {
                continue;
            }
            history.push(Had { commit: commit.clone(), version, looked: mover.map(|mover| mover.began) });
            if !moved.through_port {
                world.disturbed.insert(place);
            }
            world.arrives(place, version);
        }
    }
}

impl Promotion<'_> {
    fn judge(&self, from: u32, history: &[Had]) -> Result<(), String> {
        let environment = self.world.environment(self.place);
        let kind = self.asked.map(|asked| asked.kind);
        let skips_proof = matches!(kind, Some(RequestKind::Override | RequestKind::Emergency));
        let skips_gates = matches!(kind, Some(RequestKind::Emergency));
        if environment.is_first() && self.asked.is_none() {
            return Err("the first environment follows Git".to_owned());
        }
        if skips_gates && environment.emergency == Emergency::Forbidden {
            return Err("emergencies are not allowed here".to_owned());
        }
        if self.to == from {
            return Err("it has it already".to_owned());
        }
        if self.to < from && !matches!(kind, Some(RequestKind::Rollback | RequestKind::Emergency)) {
            return Err("it is older and nobody asked for it".to_owned());
        }
        if kind.is_none() {
            self.not_moved_back(history)?;
            self.in_line(from, history)?;
        }
        if !skips_proof {
            self.proven(kind)?;
        }
        self.not_held()?;
        if self.mover.pipeline.blocks(environment, &sketch::release(&scene::text(self.to))) {
            return Err("it is blocked".to_owned());
        }
        if skips_gates { Ok(()) } else { self.gates(history) }
    }

    /// What was moved back from comes again only if somebody asks.
    fn not_moved_back(&self, history: &[Had]) -> Result<(), String> {
        let [.., before, here] = history else { return Ok(()) };
        match (before.version, here.version) {
            (Some(before), Some(here)) if before > here && self.to <= before => {
                Err(format!("it was moved back from {}", scene::text(before)))
            }
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Where every version comes in order, none is passed over that was proven before it.
    fn in_line(&self, from: u32, history: &[Had]) -> Result<(), String> {
        let environment = self.world.environment(self.place);
        if environment.queue != Queue::Every {
            return Ok(());
        }
        let newest = history.iter().filter_map(|had| had.version).max().unwrap_or(from);
        let overtaken = |version: &u32| {
            let release = sketch::release(&scene::text(*version));
            !self.mover.pipeline.blocks(environment, &release)
                && environment.after.iter().all(|name| self.was_proven(name, *version))
        };
        match (newest.max(from) + 1..self.to).find(overtaken) {
            Some(version) => Err(format!("{} comes before it", scene::text(version))),
            None => Ok(()),
        }
    }

    /// Whether an environment has a version behind it, and it was healthy there for as long as it takes.
    fn was_proven(&self, name: &EnvironmentName, version: u32) -> bool {
        let place = self.world.place_of(name);
        let newer = self.all.get(&place).and_then(|all| all.last()).and_then(|had| had.version);
        let before = self.world.environment(place);
        let soak =
            self.world.environment(self.place).gates.iter().chain(&before.verify).filter_map(
                |gate| match gate {
                    Gate::Soak(soak) => Some(soak.time),
                    Gate::Approval(_) | Gate::Window(_) | Gate::Freeze(_) | Gate::Check(_) | Gate::Manual => {
                        None
                    }
                },
            );
        let soak = soak.max().unwrap_or(SignedDuration::ZERO);
        let release = sketch::release(&scene::text(version));
        let proofs = self.mover.proofs.get(name).into_iter().flatten();
        newer.is_some_and(|newer| newer > version)
            && proofs
                .filter(|proof| proof.release == release)
                .any(|proof| proof.until.duration_since(proof.since) >= soak)
    }

    fn proven(&self, kind: Option<RequestKind>) -> Result<(), String> {
        let now = self.world.now();
        let was_here = self.world.proven_at(self.place, self.to).is_some();
        if matches!(kind, Some(RequestKind::Rollback)) && was_here {
            return Ok(());
        }
        for name in &self.world.environment(self.place).after {
            match self.world.proven_at(self.world.place_of(name), self.to) {
                Some(at) if at <= now => {}
                Some(_) | None => return Err(format!("it was never healthy in {name}")),
            }
        }
        Ok(())
    }

    fn not_held(&self) -> Result<(), String> {
        let began = self.mover.began;
        let environment = &self.world.environment(self.place).name;
        let holds = |until: Option<Timestamp>| until.is_none_or(|until| until > began);
        if self.mover.pipeline.holds_on(environment).any(|hold| holds(hold.until)) {
            return Err("it is held".to_owned());
        }
        Ok(())
    }

    fn gates(&self, history: &[Had]) -> Result<(), String> {
        let environment = self.world.environment(self.place);
        for gate in &environment.gates {
            match gate {
                Gate::Approval(gate) => {
                    let people = self.agreed(history, gate.not_author);
                    if people.len() < usize::try_from(gate.min.get()).unwrap_or(usize::MAX) {
                        return Err(format!("only {people:?} agreed"));
                    }
                }
                // A person who names a release may rest on a soak from before, which is not followed here.
                Gate::Soak(gate) if self.asked.is_none() => {
                    for name in &environment.after {
                        self.soaked(self.world.place_of(name), gate.time)?;
                    }
                }
                Gate::Window(window) => match window.at(self.mover.began) {
                    WindowState::Open { .. } => {}
                    WindowState::Closed { .. } => return Err("the window was closed".to_owned()),
                },
                Gate::Soak(_) | Gate::Freeze(_) | Gate::Check(_) => {}
                Gate::Manual => {
                    if self.asked.is_none() && self.agreed(history, false).is_empty() {
                        return Err("nobody asked for it".to_owned());
                    }
                }
            }
        }
        if self.asked.is_none() {
            for name in &environment.after {
                let place = self.world.place_of(name);
                for gate in &self.world.environment(place).verify {
                    if let Gate::Soak(gate) = gate {
                        self.soaked(place, gate.time)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn soaked(&self, place: usize, time: SignedDuration) -> Result<(), String> {
        let mut since = self.world.proven_at(place, self.to);
        // Where Git is the target, nobody sees the moment in which a release comes, but only
        // that it was not there yet at the look before.
        let is_git =
            self.world.environment(place).targets.iter().any(|target| target.kind == TargetKind::Git);
        if is_git && let Some(looked) = self.came(place).and_then(|had| had.looked) {
            since = since.map(|since| since.min(looked));
        }
        let slack = if is_git { SignedDuration::from_mins(12) } else { SignedDuration::ZERO };
        if since.is_some_and(|since| since + time <= self.mover.began + slack) || (is_git && self.world.wiped)
        {
            return Ok(());
        }
        Err(format!("it did not soak for {time:#} in {}, only since {since:?}", self.world.name(place)))
    }

    /// How the release came into an environment for the first time.
    fn came(&self, place: usize) -> Option<&Had> {
        self.all.get(&place)?.iter().find(|had| had.version == Some(self.to))
    }

    /// Whether a person set the release by hand in an environment before. Then that person
    /// brought it, whoever developed it.
    fn was_set_by_hand(&self) -> bool {
        let before = self.world.environment(self.place).after.iter().map(|name| self.world.place_of(name));
        before.filter(|place| !self.world.environment(*place).is_first()).any(|place| {
            let all = self.all.get(&place).into_iter().flatten();
            all.filter(|had| had.version == Some(self.to) && had.looked.is_none()).any(|had| {
                self.world.fakes.repo.stored(&had.commit).is_some_and(|commit| commit.parents.len() < 2)
            })
        })
    }

    /// Who agreed to this release since it was here last.
    fn agreed(&self, history: &[Had], not_author: bool) -> BTreeSet<&'static str> {
        let left = history.windows(2).rev().find_map(|two| match two {
            [had, next] if had.version == Some(self.to) => self.world.fakes.repo.landed(&next.commit),
            _other => None,
        });
        // Going back needs no author: the release was let in here once before.
        let back = self.asked.is_some_and(|asked| asked.kind == RequestKind::Rollback);
        let author = self.world.authors.get(&self.to).filter(|_| !back && !self.was_set_by_hand());
        let asker = self.asked.map(|asked| asked.by);
        self.world
            .agreed
            .iter()
            .filter(|agreed| agreed.environment == self.place && agreed.version == self.to)
            .filter(|agreed| left.is_none_or(|left| agreed.at >= left))
            .map(|agreed| agreed.by)
            .filter(|by| !not_author || (Some(by) != author && Some(*by) != asker))
            .collect()
    }
}
