//! The rules of the planner, said again in another way: what must hold of every
//! step, told from the pipeline and the observation alone.

use std::cmp::Ordering;

use gradus_core::gate::Gate;
use gradus_core::names::{EnvironmentName, Person};
use gradus_core::observation::{
    CheckResult, EnvironmentSeen, Observation, Proof, RequestKind, Seen, TargetState,
};
use gradus_core::pipeline::{Emergency, Environment, Mode, Need, Pipeline, Queue, TargetKind};
use gradus_core::plan::{Change, Step};
use gradus_core::release::Release;
use gradus_core::window::WindowState;
use jiff::{SignedDuration, Timestamp};

pub(crate) struct Rule<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) seen: &'a Observation,
    pub(crate) now: Timestamp,
}

impl Rule<'_> {
    /// What is wrong with a step, if anything is.
    pub(crate) fn against(&self, step: &Step) -> Result<(), String> {
        let Some(change) = step.change() else { return Ok(()) };
        let environment = self.pipeline.environment(&change.environment).ok_or("no such environment")?;
        let here = self.seen.environments.get(&change.environment).ok_or("nobody looked at it")?;
        let must =
            |is: bool, what: &str| if is { Ok(()) } else { Err(format!("{}: {what}", change.environment)) };
        let declared = here.declared.known().ok_or("what is declared is not known")?;
        must(self.pipeline.mode == Mode::Active, "nothing is written")?;
        must(declared.release == change.from, "what it expects is not what is there")?;
        must(!self.is_blocked(environment, &change.to), "the version is blocked")?;
        must(!self.is_held(&change.environment, &change.to), "it is held")?;
        must(here.requests.known().is_some(), "what people asked for is not known")?;
        let kind = change.request().map(|request| request.kind);
        match kind {
            None => {
                must(
                    change.from.as_ref().is_none_or(|from| self.is_newer(&change.to, from)),
                    "it is not newer",
                )?;
            }
            Some(RequestKind::Promote | RequestKind::Override) => {
                must(
                    change.from.as_ref().is_none_or(|from| !self.is_newer(from, &change.to)),
                    "it is older",
                )?;
            }
            Some(RequestKind::Rollback) => {
                must(
                    change.from.as_ref().is_none_or(|from| !self.is_newer(&change.to, from)),
                    "it is newer",
                )?;
            }
            Some(RequestKind::Emergency) => {
                must(environment.emergency == Emergency::Allowed, "emergencies are not allowed")?;
            }
        }
        if let Some(request) = change.request() {
            let asked = here.requests.known().is_some_and(|requests| requests.contains(request));
            must(asked && request.from == change.from, "nobody asked for it in this state")?;
        }
        let skips_proof = matches!(kind, Some(RequestKind::Override | RequestKind::Emergency));
        if !skips_proof {
            for name in &environment.after {
                let is = self.is_proven(name, change)
                    || (kind == Some(RequestKind::Rollback)
                        && (was(here, &change.to) || self.names().any(|name| self.is_proven(name, change))));
                must(is, &format!("{name} has not proven it"))?;
            }
        }
        if let Step::Dispatch(_) = step {
            let asked = here.dispatched.known().is_some_and(|all| {
                all.iter().any(|one| {
                    one.from == change.from
                        && one.to == change.to
                        && change.request().is_none_or(|request| one.request.as_ref() == Some(&request.id))
                })
            });
            must(
                here.dispatched.known().is_some() && !asked,
                "it was asked for already, or that is not known",
            )?;
        }
        let lands = matches!(step, Step::Push(_) | Step::Merge { .. } | Step::Dispatch(_));
        if kind != Some(RequestKind::Emergency) {
            for gate in &environment.gates {
                let before_proposal = matches!(gate, Gate::Soak(_) | Gate::Check(_));
                let skips = matches!(gate, Gate::Soak(_)) && skips_proof;
                if (lands || before_proposal) && !skips {
                    let soaked = |time| {
                        environment.after.iter().all(|name| {
                            self.longest(name, change).is_some_and(|is| is >= time)
                                || (kind == Some(RequestKind::Rollback)
                                    && (longest(proofs(here), &change.to, self.now) >= Some(time)
                                        || self.names().any(|name| self.longest(name, change) >= Some(time))))
                        })
                    };
                    let is = self.is_open(gate, here, change, &soaked);
                    must(is, &format!("its gate {} is closed", gate.words()))?;
                }
            }
        }
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &EnvironmentName> {
        self.pipeline.environments().iter().map(|environment| &environment.name)
    }

    fn is_newer(&self, a: &Release, b: &Release) -> bool {
        let order = |artifact, x, y| {
            let seen = self.seen.order.get(artifact).map_or(&[][..], Vec::as_slice);
            self.pipeline.artifacts[artifact].compare(x, y, seen)
        };
        let pairs: Option<Vec<Option<Ordering>>> =
            b.versions().map(|(artifact, y)| Some(order(artifact, a.get(artifact)?, y))).collect();
        pairs.is_some_and(|pairs| {
            pairs.iter().all(|pair| matches!(pair, Some(Ordering::Equal | Ordering::Greater)))
                && pairs.contains(&Some(Ordering::Greater))
        })
    }

    fn is_blocked(&self, environment: &Environment, release: &Release) -> bool {
        release.versions().any(|(_, v)| self.pipeline.block.contains(v) || environment.block.contains(v))
    }

    fn is_held(&self, name: &EnvironmentName, release: &Release) -> bool {
        self.pipeline.holds.iter().any(|hold| {
            hold.environment.as_ref().is_none_or(|held| held == name)
                && hold.until.is_none_or(|until| until > self.now)
                && hold
                    .pin
                    .as_ref()
                    .is_none_or(|pin| pin.versions().any(|(name, v)| release.get(name) != Some(v)))
        })
    }

    /// Healthy there now, or, where the past counts, at some time.
    fn is_proven(&self, name: &EnvironmentName, change: &Change) -> bool {
        self.longest(name, change).is_some() && self.is_verified(name, change)
    }

    /// For how long an environment before was healthy at the release.
    fn longest(&self, name: &EnvironmentName, change: &Change) -> Option<SignedDuration> {
        let before = self.pipeline.environment(name)?;
        let seen = self.seen.environments.get(name)?;
        let declared = seen.declared.known()?;
        let here = declared.release.as_ref();
        if here.is_some_and(|here| carries(here, &change.to)) {
            return self.healthy_for(before, seen, here?);
        }
        if here.is_none() && self.healthy_for(before, seen, &change.to).is_some() {
            return self.healthy_for(before, seen, &change.to);
        }
        let environment = self.pipeline.environment(&change.environment)?;
        let asked = change.request().is_some() || matches!(environment.queue, Queue::Pinned(_));
        let overtaken = here.is_some_and(|here| self.is_newer(here, &change.to)) || here.is_none();
        if asked || overtaken { longest(proofs(seen), &change.to, self.now) } else { None }
    }

    fn healthy_for(
        &self,
        environment: &Environment,
        seen: &EnvironmentSeen,
        at: &Release,
    ) -> Option<SignedDuration> {
        let mut sinces: Vec<Timestamp> = Vec::new();
        for target in &environment.targets {
            let declared = seen.declared.known()?;
            let origin = declared.origin.known().filter(|_| declared.release.is_some());
            match (&target.kind, seen.targets.get(&target.name)) {
                (TargetKind::Git, _) => sinces.extend(origin.map(|origin| origin.at)),
                (_, Some(Seen::Known(TargetState::Healthy { release, since }))) if carries(release, at) => {
                    sinces.push(*since);
                }
                _ => {}
            }
        }
        sinces.sort();
        let need = match environment.healthy {
            Need::All => environment.targets.len(),
            Need::Any => 1,
            Need::Count(count) => count.get() as usize,
        };
        sinces.get(need - 1).map(|since| self.now.duration_since(*since))
    }

    fn is_verified(&self, name: &EnvironmentName, change: &Change) -> bool {
        let (Some(before), Some(seen)) = (self.pipeline.environment(name), self.seen.environments.get(name))
        else {
            return false;
        };
        let soaked = |time| self.longest(name, change).is_some_and(|is| is >= time);
        before.verify.iter().all(|gate| {
            let asked = Change { cause: gradus_core::plan::Cause::ProvenIn(Vec::new()), ..change.clone() };
            self.is_open(gate, seen, &asked, &soaked)
        })
    }

    fn is_open(
        &self,
        gate: &Gate,
        here: &EnvironmentSeen,
        change: &Change,
        soaked: &dyn Fn(SignedDuration) -> bool,
    ) -> bool {
        match gate {
            Gate::Soak(soak) => soaked(soak.time),
            Gate::Window(window) => matches!(window.at(self.now), WindowState::Open { .. }),
            Gate::Freeze(freeze) => {
                freeze.from.is_some_and(|from| from > self.now)
                    || freeze.until.is_some_and(|until| until <= self.now)
            }
            Gate::Check(check) => {
                let facts = here.checks.known().into_iter().flatten();
                let mine: Vec<_> = facts
                    .filter(|f| {
                        f.check == check.name && f.reporter == check.reporter && f.release == change.to
                    })
                    .collect();
                let newest = mine.iter().map(|fact| fact.at).max();
                newest.is_some()
                    && mine.iter().filter(|f| Some(f.at) == newest).all(|f| f.result == CheckResult::Passed)
            }
            Gate::Manual => change.request().is_some() || !self.yes(here, change, |_, _| true).is_empty(),
            Gate::Approval(gate) => {
                let may = |by: &Person, groups: &[gradus_core::names::Group]| {
                    (gate.users.is_empty() && gate.groups.is_empty())
                        || gate.users.contains(by)
                        || groups.iter().any(|group| gate.groups.contains(group))
                };
                let mut people = self.yes(here, change, may);
                if gate.not_author {
                    people.retain(|by| change.request().is_none_or(|request| request.by != *by));
                }
                people.len() >= gate.min.get() as usize
            }
        }
    }

    /// Who said yes to this very release. It counts some who do not count, and none too few.
    fn yes(
        &self,
        here: &EnvironmentSeen,
        change: &Change,
        may: impl Fn(&Person, &[gradus_core::names::Group]) -> bool,
    ) -> Vec<Person> {
        let approvals = here.approvals.known().into_iter().flatten();
        let mut people: Vec<Person> = approvals
            .filter(|approval| approval.release == change.to && may(&approval.by, &approval.groups))
            .map(|approval| approval.by.clone())
            .collect();
        people.sort();
        people.dedup();
        people
    }
}

fn proofs(seen: &EnvironmentSeen) -> &[Proof] {
    seen.proofs.known().map_or(&[], Vec::as_slice)
}

fn was(seen: &EnvironmentSeen, release: &Release) -> bool {
    proofs(seen).iter().any(|proof| carries(&proof.release, release))
}

fn longest(proofs: &[Proof], release: &Release, now: Timestamp) -> Option<SignedDuration> {
    let here = proofs.iter().filter(|proof| carries(&proof.release, release));
    here.map(|proof| proof.until.min(now).duration_since(proof.since).max(SignedDuration::ZERO)).max()
}

fn carries(a: &Release, b: &Release) -> bool {
    b.versions().all(|(artifact, version)| a.get(artifact) == Some(version))
}
