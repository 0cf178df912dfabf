//! A record in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{EnvironmentName, PipelineKey, TargetName};
use gradus_core::observation::{Approval, Proof};
use jiff::Timestamp;

use super::{FakeClock, Faults, Sabotage};
use crate::port::ledger::{Action, Entry, HistoryQuery, Recorded, Reported, View, after_report};
use crate::port::{Clock, Ledger, PortError};

/// A record in memory. Clones share it.
#[derive(Clone)]
pub struct FakeLedger {
    state: Arc<Mutex<State>>,
    clock: FakeClock,
    faults: Faults,
}

#[derive(Default)]
struct State {
    pipelines: BTreeMap<PipelineKey, Book>,
    sabotage: Option<Sabotage>,
}

#[derive(Default)]
struct Book {
    entries: Vec<Recorded>,
    keys: BTreeSet<String>,
    view: View,
    reported: BTreeMap<(EnvironmentName, TargetName), Timestamp>,
}

impl FakeLedger {
    pub(super) fn new(clock: FakeClock) -> Self {
        Self { state: Arc::default(), clock, faults: Faults::none() }
    }

    /// The same record, with faults of its own.
    pub fn with(&self, faults: &Faults) -> Self {
        Self { faults: faults.clone(), ..self.clone() }
    }

    /// Loses everything.
    pub fn wipe(&self) {
        self.state().pipelines.clear();
    }

    /// What is recorded of a pipeline, oldest first.
    pub fn entries(&self, pipeline: &PipelineKey) -> Vec<Entry> {
        let state = self.state();
        let book = state.pipelines.get(pipeline);
        book.map(|book| book.entries.iter().map(|recorded| recorded.entry.clone()).collect())
            .unwrap_or_default()
    }

    /// What the planner is told of a pipeline.
    pub fn view_of(&self, pipeline: &PipelineKey) -> View {
        self.state().pipelines.get(pipeline).map(|book| book.view.clone()).unwrap_or_default()
    }

    /// Somebody adds an entry, past the port.
    pub fn put(&self, pipeline: &PipelineKey, entry: Entry) {
        let at = self.clock.now();
        let mut state = self.state();
        let sabotage = state.sabotage;
        state.pipelines.entry(pipeline.clone()).or_default().add(&entry, at, sabotage);
    }

    pub(super) fn sabotage(&self, how: Sabotage) {
        self.state().sabotage = Some(how);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Adds an entry unless it is there.
    fn add(&mut self, entry: &Entry, now: Timestamp, sabotage: Option<Sabotage>) {
        if !self.keys.insert(key(entry)) {
            if let Entry::Healthy { environment, proof } = entry {
                extend(self.view.proofs.entry(environment.clone()).or_default(), proof);
            }
            return;
        }
        let id = u64::try_from(self.entries.len()).unwrap_or(u64::MAX);
        self.entries.push(Recorded { id, at: now, entry: entry.clone() });
        self.tell(entry, sabotage);
    }

    /// What the entry changes in what the planner is told.
    fn tell(&mut self, entry: &Entry, sabotage: Option<Sabotage>) {
        let view = &mut self.view;
        match entry {
            Entry::Report { environment, target, reported, by: _, at } => {
                let place = (environment.clone(), target.clone());
                // What was reported late does not replace what was reported since.
                if self.reported.get(&place).is_some_and(|newest| newest > at) {
                    return;
                }
                let believed = believed(reported, sabotage);
                let state = after_report(view.targets.get(&place), &believed, *at);
                self.reported.insert(place.clone(), *at);
                view.targets.insert(place, state);
            }
            Entry::Approval { environment, approval } => {
                let approvals = view.approvals.entry(environment.clone()).or_default();
                match sabotage {
                    Some(Sabotage::ForgetsApprovals) => {}
                    Some(Sabotage::SpreadsApprovals) => approvals.extend((0..10).map(|number| {
                        let release = super::sketch::release(&format!("1.{number}.0"));
                        Approval { release, ..approval.clone() }
                    })),
                    Some(_) | None => approvals.push(approval.clone()),
                }
            }
            Entry::Request { environment, request } => {
                view.requests.entry(environment.clone()).or_default().push(request.clone());
            }
            Entry::Check { environment, fact } => {
                view.checks.entry(environment.clone()).or_default().push(fact.clone());
            }
            Entry::Healthy { environment, proof } => {
                extend(view.proofs.entry(environment.clone()).or_default(), proof);
            }
            Entry::Verdict { .. } => {}
            Entry::Seen { artifact, version, at: _ } => {
                view.seen.entry(artifact.clone()).or_default().push(version.clone());
            }
            Entry::Wrote(wrote) => {
                if wrote.action.promotes()
                    && let Some(to) = &wrote.to
                {
                    view.promoted.insert(wrote.environment.clone(), to.clone());
                }
                if let Some(dispatched) = wrote.dispatched() {
                    view.dispatched.entry(wrote.environment.clone()).or_default().push(dispatched);
                }
            }
        }
    }
}

/// What a report is taken for.
fn believed(reported: &Reported, sabotage: Option<Sabotage>) -> Reported {
    let release = match reported {
        Reported::Deploying { release } | Reported::Failed { release, .. } => release.clone(),
        Reported::NotDeployed | Reported::Healthy { .. } | Reported::RolledBack { .. } => None,
    };
    match release {
        Some(release) if sabotage == Some(Sabotage::BelievesAnything) => Reported::Healthy { release },
        Some(_) | None => reported.clone(),
    }
}

/// Moves the end of a span, never back; begins another where it began at another time.
fn extend(proofs: &mut Vec<Proof>, proof: &Proof) {
    match proofs.iter_mut().find(|known| known.release == proof.release && known.since == proof.since) {
        Some(known) => known.until = known.until.max(proof.until),
        None => proofs.push(proof.clone()),
    }
}

/// What makes two entries the same entry: all but what may differ when it is told again.
fn key(entry: &Entry) -> String {
    match entry {
        Entry::Report { environment, target, reported, by: _, at } => {
            format!("report {environment} {target} {reported:?} {at}")
        }
        // Who says yes again later says something new: a yes from before a way back does not count.
        Entry::Approval { environment, approval } => format!(
            "approval {environment} {:?} {} {:?} {:?} {}",
            approval.release, approval.by, approval.groups, approval.aliases, approval.at
        ),
        Entry::Request { environment: _, request } => format!("request {}", request.id),
        Entry::Check { environment, fact } => {
            let (check, reporter, at) = (&fact.check, &fact.reporter, fact.at);
            format!("check {environment} {check} {reporter} {:?} {:?} {at}", fact.release, fact.result)
        }
        Entry::Healthy { environment, proof } => {
            format!("healthy {environment} {:?} {}", proof.release, proof.since)
        }
        Entry::Verdict { .. } => format!("{entry:?}"),
        Entry::Seen { artifact, version, at: _ } => format!("seen {artifact} {version}"),
        // No commit says which of several that were asked for it is.
        Entry::Wrote(wrote) if wrote.action == Action::Dispatched => {
            format!("dispatched {} {}", wrote.environment, wrote.promotion)
        }
        Entry::Wrote(wrote) => {
            format!("wrote {} {} {}", wrote.environment, wrote.action.word(), wrote.commit)
        }
    }
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn view(&self, pipeline: &PipelineKey) -> Result<View, PortError> {
        let call = self.faults.call("ledger.view", false);
        call.before().await?;
        let view = self.state().pipelines.get(pipeline).map(|book| book.view.clone());
        call.after().await?;
        Ok(view.unwrap_or_default())
    }

    async fn record(&self, pipeline: &PipelineKey, entries: &[Entry]) -> Result<(), PortError> {
        let call = self.faults.call("ledger.record", true);
        call.before().await?;
        {
            let now = self.clock.now();
            let mut state = self.state();
            let sabotage = state.sabotage;
            let book = state.pipelines.entry(pipeline.clone()).or_default();
            entries.iter().for_each(|entry| book.add(entry, now, sabotage));
        }
        call.after().await
    }

    async fn history(
        &self,
        pipeline: &PipelineKey,
        query: &HistoryQuery,
    ) -> Result<Vec<Recorded>, PortError> {
        let call = self.faults.call("ledger.history", false);
        call.before().await?;
        let found = {
            let state = self.state();
            let entries =
                state.pipelines.get(pipeline).map(|book| book.entries.as_slice()).unwrap_or_default();
            entries
                .iter()
                .rev()
                .filter(|recorded| wanted(recorded, query))
                .take(query.limit)
                .cloned()
                .collect()
        };
        call.after().await?;
        Ok(found)
    }
}

fn wanted(recorded: &Recorded, query: &HistoryQuery) -> bool {
    let (environment, deed) = match &recorded.entry {
        Entry::Report { environment, .. }
        | Entry::Check { environment, .. }
        | Entry::Healthy { environment, .. }
        | Entry::Verdict { environment, .. } => (Some(environment), false),
        Entry::Approval { environment, .. } | Entry::Request { environment, .. } => (Some(environment), true),
        Entry::Seen { .. } => (None, false),
        Entry::Wrote(wrote) => (Some(&wrote.environment), true),
    };
    query.environment.as_ref().is_none_or(|only| environment == Some(only))
        && (deed || !query.deeds_only)
        && query.before.is_none_or(|before| recorded.id < before)
}
