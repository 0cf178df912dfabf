//! A model of the world: what is declared and proposed, and what the planner's
//! steps make of it. It refuses a step that expects what is not so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::{CommitId, EnvironmentName, Person, ProposalNumber, TargetName};
use gradus_core::observation::{
    Brought, Declared, Dispatched, EnvironmentSeen, Fit, Observation, Origin, Proof, ProposalSeen, Seen,
    TargetState,
};
use gradus_core::pipeline::{Environment, Pipeline, Target};
use gradus_core::plan::{Change, Plan, Step};
use gradus_core::release::Release;
use gradus_core::verdict::Verdict;
use jiff::Timestamp;

use crate::model::{commit, nothing_seen, person};

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) seen: Observation,
    pub(crate) now: Timestamp,
    targets: BTreeMap<EnvironmentName, Vec<TargetName>>,
    commits: u64,
    proposals: u64,
}

impl World {
    pub(crate) fn new(pipeline: &Pipeline, now: Timestamp) -> Self {
        let nothing_at = |e: &Environment| {
            let state = |target: &Target| (target.name.clone(), Seen::Known(TargetState::NotDeployed));
            EnvironmentSeen { targets: e.targets.iter().map(state).collect(), ..nothing_seen() }
        };
        let environments = pipeline.environments().iter().map(|e| (e.name.clone(), nothing_at(e))).collect();
        let targets = |e: &Environment| e.targets.iter().map(|target| target.name.clone()).collect();
        Self {
            seen: Observation { environments, order: BTreeMap::new() },
            now,
            targets: pipeline.environments().iter().map(|e| (e.name.clone(), targets(e))).collect(),
            commits: 0,
            proposals: 0,
        }
    }

    pub(crate) fn targets(&self, name: &EnvironmentName) -> Vec<TargetName> {
        self.targets.get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn at(&mut self, name: &EnvironmentName) -> &mut EnvironmentSeen {
        self.seen.environments.entry(name.clone()).or_insert_with(nothing_seen)
    }

    /// Numbers that an observation made up elsewhere may use already.
    pub(crate) fn skip_numbers(&mut self) {
        self.commits = 10_000;
        self.proposals = 100;
    }

    pub(crate) fn next_commit(&mut self) -> CommitId {
        self.commits += 1;
        commit(self.commits)
    }

    pub(crate) fn next_proposal(&mut self) -> ProposalNumber {
        self.proposals += 1;
        ProposalNumber(self.proposals)
    }

    /// Somebody commits a release to an environment.
    pub(crate) fn declare(&mut self, name: &EnvironmentName, release: Release, by: Person, at: Timestamp) {
        let commit = self.next_commit();
        let replaced = self.declared(name);
        let origin = Origin {
            commit,
            title: format!("{release} for {name}").into(),
            brought_by: vec![by.clone()],
            author: by,
            at,
            by_gradus: false,
            replaced,
            since: [].into(),
        };
        self.comes(name, release, origin);
    }

    /// Git declares a release from now on.
    fn comes(&mut self, name: &EnvironmentName, release: Release, origin: Origin) {
        let by = origin.brought_by.iter().cloned().collect::<BTreeSet<_>>();
        let now = Brought { release: release.clone(), by: by.into(), commit: Some(origin.commit.clone()) };
        let here = self.at(name);
        here.brought = std::iter::once(now).chain(here.brought.iter().cloned()).collect();
        here.declared = Seen::Known(Declared { release: Some(release), origin: Seen::Known(origin) });
    }

    /// More people brought what Git declares.
    pub(crate) fn brought_too(&mut self, name: &EnvironmentName, people: Vec<Person>) {
        let here = self.at(name);
        let mut brought = here.brought.to_vec();
        Arc::make_mut(&mut brought.first_mut().unwrap().by).extend(people.iter().cloned());
        here.brought = brought.into();
        if let Seen::Known(Declared { origin: Seen::Known(origin), .. }) = &mut here.declared {
            origin.brought_by.extend(people);
        }
    }

    pub(crate) fn declared(&self, name: &EnvironmentName) -> Option<Release> {
        self.seen.environments.get(name)?.declared.known()?.release.clone()
    }

    /// Keeps what was seen healthy, as the engine does.
    pub(crate) fn record(&mut self, plan: &Plan) {
        let now = self.now;
        for report in &plan.report.environments {
            let Verdict::Healthy { release, since } = &report.verdict.verdict else { continue };
            let proof = Proof { release: release.clone(), since: *since, until: now.max(*since) };
            if let Seen::Known(proofs) = &mut self.at(&report.name).proofs {
                proofs.retain(|known| known.release != proof.release || known.since != proof.since);
                proofs.push(proof);
            }
        }
    }

    /// Takes a step; says what it expected where that is not so.
    pub(crate) fn act(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Push(change) => self.land(change),
            Step::Propose(change) => {
                self.expect_declared(change)?;
                if self.open(&change.environment)?.is_some() {
                    return Err(format!("{} has a proposal already", change.environment));
                }
                let (number, head, since) = (self.next_proposal(), self.next_commit(), self.now);
                let release = Seen::Known(change.to.clone());
                let url = None;
                let proposal = ProposalSeen { number, url, head, release, fit: Fit::Current, since };
                self.at(&change.environment).proposal = Seen::Known(Some(proposal));
                Ok(())
            }
            Step::Update { number, head, change } => {
                self.expect_declared(change)?;
                let mut proposal = self.expect_open(&change.environment, *number, head)?;
                if proposal.fit == Fit::Foreign {
                    return Err(format!("proposal {number} has somebody else's commits"));
                }
                proposal.head = self.next_commit();
                proposal.release = Seen::Known(change.to.clone());
                proposal.fit = Fit::Current;
                self.at(&change.environment).proposal = Seen::Known(Some(proposal));
                Ok(())
            }
            Step::Merge { number, head, change } => {
                let proposal = self.expect_open(&change.environment, *number, head)?;
                if proposal.release != Seen::Known(change.to.clone()) || proposal.fit != Fit::Current {
                    return Err(format!("proposal {number} is not what would be merged: {proposal:?}"));
                }
                self.land(change)?;
                self.at(&change.environment).proposal = Seen::Known(None);
                Ok(())
            }
            Step::Dispatch(change) => {
                self.expect_declared(change)?;
                let (at, count) = (self.now, self.next_commit());
                let asked = Dispatched {
                    promotion: count.short().into(),
                    from: change.from.clone(),
                    to: change.to.clone(),
                    request: change.request().map(|request| request.id.clone()),
                    at,
                };
                match &mut self.at(&change.environment).dispatched {
                    Seen::Known(all) => all.push(asked),
                    Seen::Unknown(why) => return Err(format!("what was asked for is not known: {why}")),
                }
                Ok(())
            }
            Step::Close { number, environment, head, because: _ } => {
                let proposal = self.expect_open(environment, *number, head)?;
                if proposal.fit == Fit::Foreign {
                    return Err(format!("proposal {number} has somebody else's commits"));
                }
                self.at(environment).proposal = Seen::Known(None);
                Ok(())
            }
        }
    }

    fn land(&mut self, change: &Change) -> Result<(), String> {
        self.expect_declared(change)?;
        let commit = self.next_commit();
        let mut brought_by = change.brought_by.clone();
        brought_by.push(person("gradus"));
        let origin = Origin {
            commit,
            title: format!("promote {} to {}", change.to, change.environment).into(),
            author: person("gradus"),
            at: change.at,
            by_gradus: true,
            brought_by,
            replaced: change.from.clone(),
            since: [].into(),
        };
        self.comes(&change.environment, change.to.clone(), origin);
        self.at(&change.environment).promoted = Seen::Known(Some(change.to.clone()));
        Ok(())
    }

    fn expect_declared(&self, change: &Change) -> Result<(), String> {
        let has = self.declared(&change.environment);
        if has == change.from {
            Ok(())
        } else {
            Err(format!("{} has {has:?}, not {:?}", change.environment, change.from))
        }
    }

    fn open(&self, name: &EnvironmentName) -> Result<Option<ProposalSeen>, String> {
        let seen = self.seen.environments.get(name).map(|seen| &seen.proposal);
        match seen {
            Some(Seen::Known(proposal)) => Ok(proposal.clone()),
            Some(Seen::Unknown(why)) => Err(format!("whether a proposal is open is not known: {why}")),
            None => Ok(None),
        }
    }

    fn expect_open(
        &self,
        name: &EnvironmentName,
        number: ProposalNumber,
        head: &CommitId,
    ) -> Result<ProposalSeen, String> {
        match self.open(name)? {
            Some(proposal) if proposal.number == number && &proposal.head == head => Ok(proposal),
            other => Err(format!("{name} has the proposal {other:?}, not {number} at {}", head.short())),
        }
    }
}
