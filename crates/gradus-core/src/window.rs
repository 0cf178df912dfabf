//! Spans of the week and of the calendar in which promotions may or may not go.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

mod parse;
mod span;
#[cfg(test)]
mod tests;
mod week;

pub use parse::{SpanError, SpanErrorKind};
pub use span::Span;

use span::LocalTime;
use week::Week;

/// How far ahead a change of state is looked for.
const HORIZON_HOURS: i64 = 5 * 366 * 24;

/// When promotions may go: inside what is allowed and outside what is denied.
///
/// The window is open when `allow` is empty or one of its spans contains the
/// time, and no span of `deny` contains it.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The spans in which promotions may go; empty means always.
    pub allow: Vec<Span>,
    /// The spans in which they may not, whatever `allow` says.
    pub deny: Vec<Span>,
    /// The zone on whose clocks the spans are read.
    pub zone: TimeZone,
    /// What the zone is called where it was asked for.
    pub zone_name: Arc<str>,
}

/// Whether a window is open, and until when.
///
/// `until` is the first instant at which the state differs. It is `None` when
/// there is no such instant, or none within the next five years.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowState {
    /// Promotions may go.
    Open {
        /// When it closes.
        until: Option<Timestamp>,
    },
    /// Promotions may not go.
    Closed {
        /// When it opens.
        until: Option<Timestamp>,
        /// Why it is closed.
        because: ClosedBecause,
    },
}

/// Why a window is closed.
#[derive(Debug, Clone, PartialEq)]
pub enum ClosedBecause {
    /// This span denies it; the first that does, in the order of `deny`.
    Denied(Span),
    /// No span of `allow` contains the time.
    NotAllowed,
}

impl Window {
    /// The state at an instant, and the next change.
    ///
    /// The work is bounded by the number of spans; only the days around the
    /// time and around the next change are looked at.
    pub fn at(&self, now: Timestamp) -> WindowState {
        let local = LocalTime::new(now, &self.zone);
        let denied = self.deny.iter().find(|span| span.end_at(&local).is_some());
        let because = match denied {
            Some(span) => ClosedBecause::Denied(span.clone()),
            None if self.allows(&local) => {
                return WindowState::Open { until: within_horizon(now, self.closes(&local)) };
            }
            None => ClosedBecause::NotAllowed,
        };
        WindowState::Closed { until: within_horizon(now, self.opens(now)), because }
    }

    fn allows(&self, local: &LocalTime<'_>) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|span| span.end_at(local).is_some())
    }

    /// The end of an open time: what is allowed ends or what is denied begins.
    fn closes(&self, local: &LocalTime<'_>) -> Option<Timestamp> {
        let allow_ends = if self.allow.is_empty() || Week::of(&self.allow).is_full() {
            None
        } else {
            end_of_union(&self.allow, local)
        };
        let deny_begins = next_begin(&self.deny, local);
        earliest(allow_ends, deny_begins)
    }

    /// The end of a closed time: the first instant that is allowed and not denied.
    fn opens(&self, now: Timestamp) -> Option<Timestamp> {
        let denied_week = Week::of(&self.deny);
        if denied_week.is_full() {
            return None;
        }
        // What is denied every week never opens. Leaving it out keeps the
        // search from walking week after week through the same answer.
        let useful_weekly = !Week::of(&self.allow).is_within(&denied_week);
        let useful = |span: &&Span| useful_weekly || !span.is_weekly();
        let mut at = now;
        while within_horizon(now, Some(at)).is_some() {
            let local = LocalTime::new(at, &self.zone);
            at = if let Some(end) = end_of_union(&self.deny, &local) {
                end
            } else if self.allows(&local) {
                return Some(at);
            } else {
                next_begin(self.allow.iter().filter(useful), &local)?
            };
        }
        None
    }
}

/// The end of the unbroken time around `local` that the spans cover together;
/// `None` when they do not contain it. The spans must not cover the whole week.
fn end_of_union(spans: &[Span], local: &LocalTime<'_>) -> Option<Timestamp> {
    let further = |local: &LocalTime<'_>| spans.iter().filter_map(|span| span.end_at(local)).max();
    let mut end = further(local)?;
    while let Some(next) = further(&local.moved_to(end)) {
        end = next;
    }
    Some(end)
}

fn next_begin<'a>(spans: impl IntoIterator<Item = &'a Span>, local: &LocalTime<'_>) -> Option<Timestamp> {
    spans.into_iter().filter_map(|span| span.next_begin(local)).min()
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

fn within_horizon(now: Timestamp, at: Option<Timestamp>) -> Option<Timestamp> {
    let horizon = now.checked_add(HORIZON_HOURS.hours()).unwrap_or(Timestamp::MAX);
    at.filter(|at| *at <= horizon)
}
