//! The spans of a look at a pipeline of the older kind, as traces show them.

use gradus_weave::Promotion;
use tracing::Span;
use tracing::field::Empty;

use crate::watch::ObjectName;

/// A look at a pipeline, with what is done about it.
pub(super) fn look(pipeline: &ObjectName) -> Span {
    tracing::info_span!("look", gradus.pipeline = %pipeline)
}

/// A promotion, by a pull request or by telling others.
pub(super) fn promotion(promotion: &Promotion) -> Span {
    tracing::info_span!(
        "step",
        gradus.step = "promote",
        gradus.pipeline = format_args!("{}/{}", promotion.namespace, promotion.pipeline),
        gradus.environment = promotion.environment.name,
        gradus.outcome = Empty,
        otel.status_code = Empty,
    )
}

/// Says what became of a promotion.
pub(super) fn promoted(span: &Span, done: bool) {
    span.record("gradus.outcome", if done { "done" } else { "failed" });
    if !done {
        span.record("otel.status_code", "ERROR");
    }
}
