//! What the engine does, as the server's figures.

use std::sync::Arc;
use std::time::Duration;

use gradus_core::plan::Step;
use gradus_engine::port::ledger::Action;
use gradus_engine::{Outcome, Reconciled, Watcher};
use gradus_server::Metrics;

/// Counts into the server's metrics.
pub(crate) struct Figures(pub(crate) Arc<Metrics>);

impl Watcher for Figures {
    fn looked_after(&self, done: &Reconciled, took: Duration, waiting: usize) {
        self.0.looked(took);
        self.0.queued(waiting);
        self.0.spans_lost(crate::traces::lost());
        for (step, outcome) in &done.outcomes {
            match outcome {
                Ok(Outcome::Done(_)) => self.0.wrote(action(step)),
                Ok(Outcome::AlreadyTrue | Outcome::Stale(_) | Outcome::Refused(_)) => {}
                Err(error) => self.0.failed(error.kind),
            }
        }
        if let Some(error) = &done.unrecorded {
            self.0.failed(error.kind);
        }
    }
}

fn action(step: &Step) -> Action {
    match step {
        Step::Push(_) => Action::Pushed,
        Step::Propose(_) => Action::Proposed,
        Step::Update { .. } => Action::Updated,
        Step::Merge { .. } => Action::Merged,
        Step::Close { .. } => Action::Closed,
        Step::Dispatch(_) => Action::Dispatched,
    }
}
