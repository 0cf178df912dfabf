//! `freeze`: nothing goes in a span of time.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Answer, Ask, Passed};
use crate::reason::Reason;

/// Nothing goes from one time to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreezeGate {
    /// When it begins; it is on from the start when absent.
    pub from: Option<Timestamp>,
    /// When it ends; never by itself when absent.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Option<Arc<str>>,
}

impl FreezeGate {
    /// Whether the freeze is on.
    pub fn answer(&self, ask: &Ask<'_>) -> Answer {
        let begun = self.from.is_none_or(|from| from <= ask.now);
        let ended = self.until.is_some_and(|until| until <= ask.now);
        if !begun || ended {
            return Answer::Pass(Passed::NotFrozen);
        }
        Answer::Hold(Reason::Frozen { since: self.from, until: self.until, why: self.reason.clone() })
    }

    /// The gate in words.
    pub fn words(&self) -> String {
        self.reason.as_ref().map_or_else(|| "freeze".to_owned(), |why| format!("freeze ({why})"))
    }
}
