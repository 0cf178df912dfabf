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
    /// Measures the shortest time among the environments.
    pub fn answer(&self, ask: &Ask<'_>) -> Answer {
        let mut latest: Option<Timestamp> = None;
        for (environment, proving) in ask.proofs {
            match proving {
                Proving::Now { since } => {
                    let until = end(*since, self.time);
                    if until > ask.now {
                        return Answer::Hold(Reason::WaitingForSoak {
                            environment: environment.clone(),
                            time: self.time,
                            since: *since,
                            until: Some(until),
                        });
                    }
                    latest = latest.max(Some(*since));
                }
                Proving::Before { since, until } => {
                    if end(*since, self.time) > *until {
                        return Answer::Hold(Reason::WaitingForSoak {
                            environment: environment.clone(),
                            time: self.time,
                            since: *since,
                            until: None,
                        });
                    }
                    latest = latest.max(Some(*since));
                }
                Proving::Not(reason) => return Answer::Hold(reason.clone()),
            }
        }
        Answer::Pass(Passed::Soaked(latest.unwrap_or(ask.now)))
    }

    /// The gate in words.
    pub fn words(&self) -> String {
        format!("soak {}", duration(self.time))
    }
}

fn end(since: Timestamp, time: SignedDuration) -> Timestamp {
    since.checked_add(time).unwrap_or(Timestamp::MAX)
}
