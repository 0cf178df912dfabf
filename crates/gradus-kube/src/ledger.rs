//! The record, in a cluster.
//!
//! What people and machines say are objects: an Approval, a Promotion, a Check.
//! What was seen and done is kept in memory, and what has to outlive a restart of
//! it is in the pipeline's status: the spans in which environments were healthy,
//! what was promoted last, and what automation was asked for. Losing the status loses
//! no more than that: the cluster says anew since when something is healthy, Git what
//! was promoted, and automation is asked once more for the same promotion.
//! The deeds of this process are told by its history, all others by Git and by
//! the cluster's events.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::observation::{Approval, CheckFact, Dispatched, Proof, Request};
use gradus_core::release::Release;
use gradus_engine::port::ledger::{Action, Entry, HistoryQuery, Recorded, View, Wrote};
use gradus_engine::port::{Clock, Ledger, PortError, PortErrorKind};
use gradus_manifest::status::MAX_DISPATCHED;

/// So many deeds of a pipeline are kept.
const DEEDS: usize = 20;
/// So many spans of health of an environment are kept.
const SPANS: usize = 10;
/// So many versions of an artifact are kept in the order in which they were seen.
const VERSIONS: usize = 50;

/// What people and machines said of a pipeline, as objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Approvals, oldest first.
    pub approvals: BTreeMap<EnvironmentName, Vec<Approval>>,
    /// Requests, oldest first.
    pub requests: BTreeMap<EnvironmentName, Vec<Request>>,
    /// Check reports, oldest first.
    pub checks: BTreeMap<EnvironmentName, Vec<CheckFact>>,
}

/// What of a pipeline outlives a restart, in its status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Spans of health, oldest first.
    pub proofs: BTreeMap<EnvironmentName, Vec<Proof>>,
    /// What gradus last wrote.
    pub promoted: BTreeMap<EnvironmentName, Release>,
    /// What automation was asked for, oldest first.
    pub dispatched: BTreeMap<EnvironmentName, Vec<Dispatched>>,
}

/// Hears of everything that is recorded for the first time.
pub trait Listener: Send + Sync {
    /// Something was seen or done.
    fn recorded(&self, pipeline: &PipelineKey, entry: &Entry);
}

/// The record of all pipelines.
pub struct KubeLedger {
    clock: Arc<dyn Clock>,
    listener: Arc<dyn Listener>,
    books: Mutex<HashMap<PipelineKey, Book>>,
    /// Why what people say cannot be seen.
    blind: Mutex<Option<Arc<str>>>,
}

#[derive(Default)]
struct Book {
    view: View,
    deeds: VecDeque<Recorded>,
    next: u64,
}

impl KubeLedger {
    /// An empty record.
    pub fn new(clock: Arc<dyn Clock>, listener: Arc<dyn Listener>) -> Self {
        let blind = Mutex::new(Some(Arc::from("the objects are being read for the first time")));
        Self { clock, listener, books: Mutex::default(), blind }
    }

    /// Whether what people say can be seen, and if not, why. While it cannot, nothing is
    /// promoted: somebody may have set a hold, or taken a yes back.
    pub fn set_blind(&self, why: Option<Arc<str>>) {
        *self.blind.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// What was said of a pipeline, all of it; whether that is news.
    pub fn set_said(&self, pipeline: &PipelineKey, said: Said) -> bool {
        let mut books = self.books();
        let view = &mut books.entry(pipeline.clone()).or_default().view;
        let before = (&view.approvals, &view.requests, &view.checks);
        if before == (&said.approvals, &said.requests, &said.checks) {
            return false;
        }
        (view.approvals, view.requests, view.checks) = (said.approvals, said.requests, said.checks);
        true
    }

    /// Takes up what the status has of a pipeline that is not known yet.
    pub fn restore(&self, pipeline: &PipelineKey, kept: Kept) {
        let mut books = self.books();
        let is_known = books.contains_key(pipeline);
        let view = &mut books.entry(pipeline.clone()).or_default().view;
        if !is_known {
            (view.proofs, view.promoted, view.dispatched) = (kept.proofs, kept.promoted, kept.dispatched);
        }
    }

    /// Takes up what the status has besides what is known, since another replica wrote it.
    pub fn take_up(&self, pipeline: &PipelineKey, kept: Kept) {
        let mut books = self.books();
        let view = &mut books.entry(pipeline.clone()).or_default().view;
        for (environment, proofs) in kept.proofs {
            let known = view.proofs.entry(environment).or_default();
            for proof in proofs {
                extend(known, &proof);
            }
            known.sort_by_key(|proof| proof.since);
        }
        view.promoted.extend(kept.promoted);
        for (environment, dispatched) in kept.dispatched {
            let known = view.dispatched.entry(environment).or_default();
            dispatched.into_iter().for_each(|one| asked(known, one));
            known.sort_by_key(|one| one.at);
        }
    }

    /// What is to be kept of a pipeline.
    pub fn kept(&self, pipeline: &PipelineKey) -> Kept {
        let books = self.books();
        let Some(book) = books.get(pipeline) else { return Kept::default() };
        let view = &book.view;
        let (proofs, promoted) = (view.proofs.clone(), view.promoted.clone());
        Kept { proofs, promoted, dispatched: view.dispatched.clone() }
    }

    /// Forgets a pipeline.
    pub fn forget(&self, pipeline: &PipelineKey) {
        self.books().remove(pipeline);
    }

    fn books(&self) -> MutexGuard<'_, HashMap<PipelineKey, Book>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Takes an entry up; whether it was not there before.
    fn add(&mut self, entry: &Entry, now: jiff::Timestamp) -> bool {
        match entry {
            Entry::Healthy { environment, proof } => {
                extend(self.view.proofs.entry(environment.clone()).or_default(), proof)
            }
            Entry::Seen { artifact, version, at: _ } => {
                let seen = self.view.seen.entry(artifact.clone()).or_default();
                if seen.contains(version) {
                    return false;
                }
                seen.push(version.clone());
                let over = seen.len().saturating_sub(VERSIONS);
                seen.drain(..over);
                true
            }
            Entry::Wrote(wrote) => {
                let is_known = self.deeds.iter().any(|known| match &known.entry {
                    Entry::Wrote(known) => is_same(known, wrote),
                    Entry::Report { .. }
                    | Entry::Approval { .. }
                    | Entry::Request { .. }
                    | Entry::Check { .. }
                    | Entry::Healthy { .. }
                    | Entry::Verdict { .. }
                    | Entry::Seen { .. } => false,
                });
                if wrote.action.promotes()
                    && let Some(to) = &wrote.to
                {
                    self.view.promoted.insert(wrote.environment.clone(), to.clone());
                }
                if let Some(dispatched) = wrote.dispatched() {
                    asked(self.view.dispatched.entry(wrote.environment.clone()).or_default(), dispatched);
                }
                if !is_known {
                    let recorded = Recorded { id: self.next, at: now, entry: entry.clone() };
                    self.next = self.next.saturating_add(1);
                    self.deeds.push_back(recorded);
                    let over = self.deeds.len().saturating_sub(DEEDS);
                    self.deeds.drain(..over);
                }
                !is_known
            }
            Entry::Verdict { .. } => true,
            // These are objects that people and machines write; see `saying`.
            Entry::Report { .. } | Entry::Approval { .. } | Entry::Request { .. } | Entry::Check { .. } => {
                false
            }
        }
    }
}

/// Whether both say the same. No commit says which of several promotions was asked for.
fn is_same(known: &Wrote, wrote: &Wrote) -> bool {
    let of_one = |one: &Wrote| (one.environment.clone(), one.action);
    of_one(known) == of_one(wrote)
        && match wrote.action {
            Action::Dispatched => known.promotion == wrote.promotion,
            Action::Pushed | Action::Proposed | Action::Updated | Action::Merged | Action::Closed => {
                known.commit == wrote.commit
            }
        }
}

/// Notes what automation was asked for, once.
fn asked(known: &mut Vec<Dispatched>, one: Dispatched) {
    if !known.iter().any(|other| other.promotion == one.promotion) {
        known.push(one);
        let over = known.len().saturating_sub(MAX_DISPATCHED);
        known.drain(..over);
    }
}

/// Moves the end of a span, never back; begins another where it began at another
/// time. Whether it begins one.
fn extend(proofs: &mut Vec<Proof>, proof: &Proof) -> bool {
    if let Some(known) =
        proofs.iter_mut().find(|known| known.release == proof.release && known.since == proof.since)
    {
        known.until = known.until.max(proof.until);
        return false;
    }
    proofs.push(proof.clone());
    let over = proofs.len().saturating_sub(SPANS);
    proofs.drain(..over);
    true
}

/// What of these entries somebody has to write as an object.
fn saying(entries: &[Entry]) -> Option<&'static str> {
    entries.iter().find_map(|entry| match entry {
        Entry::Approval { .. } => Some("an Approval"),
        Entry::Request { .. } => Some("a Promotion"),
        Entry::Check { .. } => Some("a Check"),
        Entry::Report { .. } => Some("the object that carries the application"),
        Entry::Healthy { .. } | Entry::Verdict { .. } | Entry::Seen { .. } | Entry::Wrote(_) => None,
    })
}

#[async_trait]
impl Ledger for KubeLedger {
    async fn view(&self, pipeline: &PipelineKey) -> Result<View, PortError> {
        if let Some(why) = &*self.blind.lock().unwrap_or_else(PoisonError::into_inner) {
            let doing = format!("reading what was said of {pipeline}");
            return Err(PortError::because(PortErrorKind::Unreachable, doing, why.to_string()));
        }
        Ok(self.books().get(pipeline).map(|book| book.view.clone()).unwrap_or_default())
    }

    async fn record(&self, pipeline: &PipelineKey, entries: &[Entry]) -> Result<(), PortError> {
        if let Some(object) = saying(entries) {
            let doing = format!("recording what was said of {pipeline}");
            let error = PortError::new(PortErrorKind::Unusable, doing);
            return Err(error.with_hint(format!(
                "in a cluster, what is said is {object}: write one with kubectl or gradus"
            )));
        }
        let now = self.clock.now();
        let news: Vec<&Entry> = {
            let mut books = self.books();
            let book = books.entry(pipeline.clone()).or_default();
            entries.iter().filter(|entry| book.add(entry, now)).collect()
        };
        for entry in news {
            self.listener.recorded(pipeline, entry);
        }
        Ok(())
    }

    async fn history(
        &self,
        pipeline: &PipelineKey,
        query: &HistoryQuery,
    ) -> Result<Vec<Recorded>, PortError> {
        let books = self.books();
        let Some(book) = books.get(pipeline) else { return Ok(Vec::new()) };
        let is_wanted = |recorded: &&Recorded| {
            let environment = match &recorded.entry {
                Entry::Wrote(wrote) => Some(&wrote.environment),
                Entry::Report { .. }
                | Entry::Approval { .. }
                | Entry::Request { .. }
                | Entry::Check { .. }
                | Entry::Healthy { .. }
                | Entry::Verdict { .. }
                | Entry::Seen { .. } => None,
            };
            query.environment.as_ref().is_none_or(|only| environment == Some(only))
                && query.before.is_none_or(|before| recorded.id < before)
        };
        Ok(book.deeds.iter().rev().filter(is_wanted).take(query.limit).cloned().collect())
    }
}
