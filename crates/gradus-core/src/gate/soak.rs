//! `soak`: the release has been healthy for a time, without interruption.

use jiff::{SignedDuration, Timestamp};

use super::{Answer, Ask, Passed};
use crate::proof::Proving;
use crate::reason::Reason;
use crate::tell::duration;

/// The release has been healthy for this long in each environment before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoakGate {
    /// How long.
    pub time: SignedDuration,
}

impl SoakGate {
    /// Asks every environment; the one that takes longest speaks.
    pub fn answer(&self, ask: &Ask<'_>) -> Answer {
        let mut passed: Option<Timestamp> = None;
        let mut waits: Option<(Timestamp, Reason)> = None;
        for (environment, proving) in ask.proofs {
            let (since, until) = match proving {
                Proving::Not(reason) => return Answer::Hold(reason.clone()),
                Proving::Now { since } => (*since, None),
                Proving::Before { since, until } => (*since, Some(*until)),
            };
            let end = since.checked_add(self.time).unwrap_or(Timestamp::MAX);
            if end <= until.unwrap_or(ask.now) {
                passed = passed.max(Some(since));
                continue;
            }
            // A soak that broke off never ends.
            let (rank, until) = if until.is_some() { (Timestamp::MAX, None) } else { (end, Some(end)) };
            if waits.as_ref().is_none_or(|(latest, _)| rank > *latest) {
                let environment = environment.clone();
                waits = Some((rank, Reason::WaitingForSoak { environment, time: self.time, since, until }));
            }
        }
        match waits {
            Some((_, reason)) => Answer::Hold(reason),
            None => Answer::Pass(Passed::Soaked(passed.unwrap_or(ask.now))),
        }
    }

    /// The gate in words.
    pub fn words(&self) -> String {
        format!("soak {}", duration(self.time))
    }
}
