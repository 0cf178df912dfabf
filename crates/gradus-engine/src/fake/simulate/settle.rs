//! How it ends: nothing goes wrong any more, and all of it has to come to rest.

use gradus_core::observation::Fit;
use gradus_core::pipeline::{Merge, Queue};
use gradus_core::reason::Reason;
use jiff::SignedDuration;

use super::runner::Simulation;
use super::scene;
use super::world::{Deed, Event};
use crate::fake::{Faults, Task, sketch};
use crate::{Engine, Looked};

/// How often something may still be done before it counts as endless.
const ROUNDS: usize = 300;
/// How often the clock alone may bring something before it counts as rest.
const WAKES: usize = 6;

impl Simulation {
    /// Lets everything come to rest and looks at what came of it.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        self.calm();
        self.world.tell(|| "from now on nothing goes wrong".to_owned());
        for place in 0..self.world.environments().len() {
            for deed in [Deed::Mend(place), Deed::Hold(place, false)] {
                self.world.person(deed, &self.judge);
            }
        }
        self.judge.absorb(&mut self.world, None)?;
        self.drain_people();
        let (mut wakes, mut undone) = (0, 0);
        for _ in 0..ROUNDS {
            if wakes == 0 {
                self.everybody_tells();
            }
            let before = self.world.fakes.repo.moved();
            self.until_quiet()?;
            let helped = self.people_help()?;
            if helped || self.world.fakes.repo.moved() != before {
                wakes = 0;
                continue;
            }
            wakes += 1;
            if wakes > WAKES {
                // The clock may have brought something since the engines looked.
                let Some(step) = self.outsider()?.steps.into_iter().next() else {
                    return self.nobody_left_behind();
                };
                undone += 1;
                if undone > WAKES {
                    return Err(format!("it rests, and still there is something to do: {step:?}"));
                }
            }
            self.wait_for_the_clock();
        }
        Err("it does not come to rest".to_owned())
    }

    /// People stop doing new things.
    fn drain_people(&mut self) {
        self.world.queue.retain(|_, event| match event {
            Event::Person(_) | Event::Flap(_, true) => false,
            Event::Follow(_)
            | Event::RolledOut(..)
            | Event::Flap(_, false)
            | Event::Beat(_)
            | Event::Deliver(_)
            | Event::Wake(_)
            | Event::Configure(_) => true,
        });
    }

    /// Every target looks at the branch and says how it is.
    fn everybody_tells(&mut self) {
        for spot in self.world.spots() {
            self.world.flap(spot, false);
            self.world.plan(1, Event::Follow(spot));
            self.world.plan(2, Event::Beat(spot));
        }
    }

    /// Until nothing is under way and both engines have looked at the end of it.
    fn until_quiet(&mut self) -> Result<(), String> {
        let mut quiet = 0;
        while quiet < 2 {
            while self.is_busy() || self.next_event().is_some() {
                self.go_on()?;
            }
            let before = self.world.fakes.repo.moved();
            for engine in 0..self.engines.len() {
                self.look(engine)?;
                while self.is_busy() {
                    self.go_on()?;
                }
            }
            let done = |runner: &super::runner::Runner| {
                runner.last.as_ref().is_none_or(|last| last.should_try_again() || !last.outcomes.is_empty())
            };
            let acted = self.world.fakes.repo.moved() != before || self.engines.iter().any(done);
            quiet = if acted { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    /// People say yes to what waits for them, and merge what is theirs to merge.
    fn people_help(&mut self) -> Result<bool, String> {
        let looked = self.outsider()?;
        let mut helped = false;
        for here in &looked.report.environments {
            let place = self.world.place_of(&here.name);
            for reason in &here.reasons {
                let (Reason::WaitingForApproval { release, .. } | Reason::WaitingForPerson { release, .. }) =
                    reason
                else {
                    continue;
                };
                let Some(version) = scene::number(&release.to_string()) else { continue };
                self.world.all_agree(&here.name, version);
                helped = true;
            }
            let foreign = here.proposal.as_ref().is_some_and(|proposal| proposal.fit == Fit::Foreign);
            if foreign {
                self.world.person(Deed::Discard(place), &self.judge);
                helped = true;
            } else if matches!(here.main_reason(), Some(Reason::WaitingForMerge { .. }))
                && self.world.environment(place).merge == Merge::Person
            {
                self.world.person(Deed::Merge(place), &self.judge);
                helped = true;
            }
        }
        self.judge.absorb(&mut self.world, None)?;
        Ok(helped)
    }

    /// Time passes until somebody said that it may matter.
    fn wait_for_the_clock(&mut self) {
        let now = self.world.now();
        let wakes = self.engines.iter().filter_map(|runner| runner.last.as_ref()?.looked.report.wake_at);
        let next = wakes.filter(|at| *at > now).min().unwrap_or(now + SignedDuration::from_hours(1));
        self.world.fakes.clock.advance_to(next);
        for runner in &mut self.engines {
            runner.due = next;
        }
    }

    /// What somebody sees who has not been here before.
    fn outsider(&self) -> Result<Looked, String> {
        let engine = Engine::new(self.world.fakes.ports(&Faults::none()));
        let pipeline = self.world.pipeline.clone();
        let look = Task::new(async move { engine.look(&pipeline).await });
        look.finish(100_000).map(|(looked, _)| looked).ok_or_else(|| "a look does not end".to_owned())
    }

    /// Everything that may have the newest version has it.
    fn nobody_left_behind(&self) -> Result<(), String> {
        let looked = self.outsider()?;
        for place in 1..self.world.environments().len() {
            let environment = self.world.environment(place);
            let Some(has) = self.world.declared(place) else { continue };
            let before: Vec<usize> = environment.after.iter().map(|name| self.world.place_of(name)).collect();
            let Some(newest) = before.first().and_then(|place| self.world.declared(*place)) else { continue };
            let ready = before.iter().all(|place| {
                self.world.declared(*place) == Some(newest) && self.world.works_at(*place, newest)
            });
            let blocked = self.world.pipeline.blocks(environment, &sketch::release(&scene::text(newest)));
            let had_more =
                self.judge.history(place).iter().any(|had| had.version.is_some_and(|had| had >= newest));
            let here = looked.report.environment(&environment.name);
            // Somebody asked for something else by name, and that is waited for.
            let state = self.judge.history(place).last().map(|had| &had.commit);
            let asked = self
                .world
                .asked
                .iter()
                .any(|asked| asked.environment == place && asked.from_commit.as_ref() == state);
            let waits_in_line = matches!(environment.queue, Queue::Every | Queue::Pinned(_));
            if ready && newest > has && !blocked && !had_more && !asked {
                let reasons = here.map(|here| format!("{:?} {:?}", here.reasons, here.proposal));
                let line = if waits_in_line { " (every version in line)" } else { "" };
                return Err(format!(
                    "{} was left behind at {}{line}, while {} waits: {}",
                    environment.name,
                    scene::text(has),
                    scene::text(newest),
                    reasons.unwrap_or_default()
                ));
            }
        }
        Ok(())
    }
}
