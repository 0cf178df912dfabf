//! Counters, in the text format of Prometheus.
//!
//! Labels come from fixed sets, never from names that people choose, so that no
//! request and no manifest can make the number of series grow.

mod text;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use gradus_engine::Engine;
use gradus_engine::port::PortErrorKind;
use gradus_engine::port::ledger::Action;

use crate::api::v1::Health;
use crate::hooks::Outcome;
use text::Text;

/// Counters of what the engine and the server do. The binary hands one to both.
#[derive(Debug, Default)]
pub struct Metrics {
    promotions: [AtomicU64; ACTIONS.len()],
    errors: [AtomicU64; KINDS.len()],
    hooks: [AtomicU64; Outcome::ALL.len()],
    requests: [AtomicU64; CLASSES.len()],
    looks: [AtomicU64; SECONDS.len() + 1],
    look_microseconds: AtomicU64,
    queue: AtomicI64,
    spans_lost: AtomicU64,
}

const ACTIONS: [Action; 6] =
    [Action::Pushed, Action::Proposed, Action::Updated, Action::Merged, Action::Closed, Action::Dispatched];
const KINDS: [(PortErrorKind, &str); 7] = [
    (PortErrorKind::Unreachable, "unreachable"),
    (PortErrorKind::Denied, "denied"),
    (PortErrorKind::Missing, "missing"),
    (PortErrorKind::Unusable, "unusable"),
    (PortErrorKind::OutcomeUnknown, "outcome-unknown"),
    (PortErrorKind::Broken, "broken"),
    (PortErrorKind::Local, "local"),
];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// The upper bounds of a look's duration, in seconds.
const SECONDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

fn count(counter: Option<&AtomicU64>) {
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Something was written to Git or to the forge.
    pub fn wrote(&self, action: Action) {
        count(ACTIONS.iter().position(|one| *one == action).and_then(|at| self.promotions.get(at)));
    }

    /// A port failed.
    pub fn failed(&self, kind: PortErrorKind) {
        count(KINDS.iter().position(|(one, _)| *one == kind).and_then(|at| self.errors.get(at)));
    }

    /// A pipeline was looked at, and it took this long.
    pub fn looked(&self, took: Duration) {
        let at = SECONDS.iter().position(|bound| took.as_secs_f64() <= *bound).unwrap_or(SECONDS.len());
        count(self.looks.get(at));
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.look_microseconds.fetch_add(micros, Ordering::Relaxed);
    }

    /// So many pipelines wait to be looked at, now or later.
    pub fn queued(&self, pipelines: usize) {
        self.queue.store(i64::try_from(pipelines).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// So many spans of traces did not arrive, since the beginning.
    pub fn spans_lost(&self, spans: u64) {
        self.spans_lost.store(spans, Ordering::Relaxed);
    }

    pub(crate) fn hook(&self, outcome: Outcome) {
        count(Outcome::ALL.iter().position(|one| *one == outcome).and_then(|at| self.hooks.get(at)));
    }

    pub(crate) fn answered(&self, status: axum::http::StatusCode) {
        count(usize::from(status.as_u16() / 100).checked_sub(1).and_then(|at| self.requests.get(at)));
    }

    /// The same figures under the names that dashboards of controllers look for.
    pub(crate) fn of_a_controller(&self, leads: bool) -> String {
        let looks: u64 = self.looks.iter().map(|number| number.load(Ordering::Relaxed)).sum();
        let errors: u64 = self.errors.iter().map(|number| number.load(Ordering::Relaxed)).sum();
        let waiting = self.queue.load(Ordering::Relaxed).unsigned_abs();
        let mut text = Text::default();
        let families: [(&str, &str, &str, &str, &str, u64); 4] = [
            (
                "controller_runtime_reconcile_total",
                "counter",
                "Looks at pipelines.",
                "controller",
                "pipeline",
                looks,
            ),
            (
                "controller_runtime_reconcile_errors_total",
                "counter",
                "What failed while pipelines were looked at.",
                "controller",
                "pipeline",
                errors,
            ),
            (
                "workqueue_depth",
                "gauge",
                "Pipelines that wait to be looked at, now or later.",
                "name",
                "pipeline",
                waiting,
            ),
            (
                "leader_election_master_status",
                "gauge",
                "Whether this replica leads.",
                "name",
                "gradus",
                leads.into(),
            ),
        ];
        for (name, kind, help, label, value, number) in families {
            text.family(name, kind, help);
            text.labelled(name, label, value, number);
        }
        text.into()
    }

    /// All of them as text, with what the engine knows now.
    pub(crate) fn text(&self, engine: &Engine, version: &str, listeners: usize) -> String {
        let pipelines = engine.pipelines();
        let mut health = [0_u64; Health::ALL.len()];
        let mut unseen = 0_u64;
        for pipeline in &pipelines {
            let Some(looked) = engine.latest(&pipeline.key) else {
                unseen += 1;
                continue;
            };
            for here in &looked.report.environments {
                let found = Health::from(&here.verdict.verdict);
                if let Some(at) = Health::ALL.iter().position(|one| *one == found)
                    && let Some(number) = health.get_mut(at)
                {
                    *number += 1;
                }
            }
        }
        let mut text = Text::default();
        text.family("gradus_build_info", "gauge", "Which server this is.");
        text.labelled("gradus_build_info", "version", version, 1);
        text.family("gradus_pipelines", "gauge", "Pipelines.");
        text.plain("gradus_pipelines", pipelines.len() as u64);
        text.family("gradus_pipelines_not_looked_at", "gauge", "Pipelines that were not looked at yet.");
        text.plain("gradus_pipelines_not_looked_at", unseen);
        text.family("gradus_environments", "gauge", "Environments by what is thought of them.");
        for (one, number) in Health::ALL.iter().zip(health) {
            text.labelled("gradus_environments", "health", one.word(), number);
        }
        text.family("gradus_promotions_total", "counter", "What was written to Git or to the forge.");
        for (action, number) in ACTIONS.iter().zip(&self.promotions) {
            text.labelled("gradus_promotions_total", "action", action.word(), number.load(Ordering::Relaxed));
        }
        let looks: Vec<u64> = self.looks.iter().map(|number| number.load(Ordering::Relaxed)).collect();
        let micros = self.look_microseconds.load(Ordering::Relaxed);
        text.family("gradus_look_duration_seconds", "histogram", "How long it took to look at a pipeline.");
        text.histogram("gradus_look_duration_seconds", &SECONDS, &looks, Duration::from_micros(micros));
        text.family("gradus_errors_total", "counter", "What could not be reached, read or written.");
        for ((_, kind), number) in KINDS.iter().zip(&self.errors) {
            text.labelled("gradus_errors_total", "kind", kind, number.load(Ordering::Relaxed));
        }
        text.family("gradus_queue_length", "gauge", "Pipelines that wait to be looked at, now or later.");
        text.plain("gradus_queue_length", self.queue.load(Ordering::Relaxed).unsigned_abs());
        text.family(
            "gradus_spans_lost_total",
            "counter",
            "Spans of traces that did not arrive at the collector.",
        );
        text.plain("gradus_spans_lost_total", self.spans_lost.load(Ordering::Relaxed));
        text.family("gradus_webhook_requests_total", "counter", "Webhooks by what became of them.");
        for (outcome, number) in Outcome::ALL.iter().zip(&self.hooks) {
            let number = number.load(Ordering::Relaxed);
            text.labelled("gradus_webhook_requests_total", "outcome", outcome.word(), number);
        }
        text.family("gradus_http_requests_total", "counter", "Requests by the class of their answer.");
        for (class, number) in CLASSES.iter().zip(&self.requests) {
            text.labelled("gradus_http_requests_total", "class", class, number.load(Ordering::Relaxed));
        }
        text.family("gradus_event_listeners", "gauge", "Those who listen to events.");
        text.plain("gradus_event_listeners", listeners as u64);
        text.into()
    }
}
