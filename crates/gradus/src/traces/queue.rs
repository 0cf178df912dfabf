//! Spans that wait to be sent: so many and no more. Whoever makes a span never waits, whatever the collector does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor,
};

/// Spans that did not arrive, of all that the process made.
static LOST: AtomicU64 = AtomicU64::new(0);

/// So many spans may wait.
const MOST: usize = 2048;

/// How many spans did not arrive.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Sends spans in batches, by a thread of its own, as long as there is room for them.
pub(super) fn bounded(exporter: opentelemetry_otlp::SpanExporter) -> impl SpanProcessor + 'static {
    let fate = Arc::new(Fate::default());
    let told = Told { exporter, fate: fate.clone() };
    // Its own queue is never full: what has no room here does not reach it.
    let config = BatchConfigBuilder::default().with_max_queue_size(2 * MOST).build();
    let batches = BatchSpanProcessor::builder(told).with_batch_config(config).build();
    Bounded { batches, fate }
}

/// What becomes of spans.
#[derive(Debug, Default)]
struct Fate {
    waiting: AtomicUsize,
    /// Whether it was said that spans are lost, and nothing better since.
    is_told: AtomicBool,
}

impl Fate {
    /// Takes a place for a span, if there is one.
    fn enter(&self) -> bool {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < MOST {
            return true;
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.lose(1, "the collector is slower than spans are made");
        false
    }

    fn leave(&self, spans: usize) {
        self.waiting.fetch_sub(spans, Ordering::Relaxed);
    }

    /// Spans are lost. It is said once, not once for each batch.
    fn lose(&self, spans: usize, why: &str) {
        LOST.fetch_add(u64::try_from(spans).unwrap_or(u64::MAX), Ordering::Relaxed);
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(why, "traces do not arrive at the collector; gradus goes on without them");
        }
    }

    fn arrive(&self) {
        if self.is_told.swap(false, Ordering::Relaxed) {
            tracing::info!(lost = lost(), "traces arrive at the collector again");
        }
    }
}

/// Sends, and says what became of it.
#[derive(Debug)]
struct Told {
    exporter: opentelemetry_otlp::SpanExporter,
    fate: Arc<Fate>,
}

impl SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.exporter.export(batch).await;
        self.fate.leave(spans);
        match &sent {
            Ok(()) => self.fate.arrive(),
            Err(error) => self.fate.lose(spans, &error.to_string()),
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    fate: Arc<Fate>,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.fate.enter() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}
