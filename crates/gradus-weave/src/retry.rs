//! How often, and after how long, a promotion is tried again.

use std::time::Duration;

/// How often, and after how long, a promotion is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The base of the power that grows with the attempts, in seconds.
    pub delay: u64,
    /// The longest pause, in seconds.
    pub max_delay: u64,
    /// So many attempts in all. None is one.
    pub threshold: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { delay: 2, max_delay: 20, threshold: 3 }
    }
}

impl Retry {
    /// The pause after the attempt of this number, counted from 1; `None` after the last.
    pub fn pause_after(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.threshold.max(1))
            .then(|| Duration::from_secs(self.delay.saturating_pow(attempt).min(self.max_delay)))
    }
}
