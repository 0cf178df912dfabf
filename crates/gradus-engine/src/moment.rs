//! Points in time that can be told apart even where the clock has not moved.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

/// How many moments there were.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// When something was wanted, or asked for. What is asked for later shows
/// whatever happened before the earlier moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Instant, u64);

impl Moment {
    /// Now: later than all that were now before.
    pub(crate) fn now() -> Self {
        // The number first: whoever gets a greater one reads the clock later or at the same time.
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        Self(Instant::now(), number)
    }

    /// A time that was agreed before: later than all that happened at it.
    pub(crate) fn due(at: Instant) -> Self {
        Self(at, u64::MAX)
    }

    /// How long ago it was.
    pub(crate) fn age(self) -> std::time::Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn moments_of_a_clock_that_stands_still_have_an_order() {
        let (first, second) = (Moment::now(), Moment::now());
        assert!(first < second);
        assert!(second < Moment::due(Instant::now()), "what is due now may have happened after both");
    }
}
