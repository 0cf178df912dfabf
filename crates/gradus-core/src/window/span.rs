//! One span of time, every week or once, and its place on the line of instants.

use std::fmt;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::SpanError;

/// The minutes of a day and of a week by the clock.
pub(super) const DAY: u32 = 24 * 60;
pub(super) const WEEK: u32 = 7 * DAY;

/// A span of time: on days of the week, or once between two dates.
///
/// The begin belongs to it, the end does not. Both are read on the clocks of a
/// zone: a time that is skipped when the clocks go forward is the first instant
/// after; of a time that comes twice when they go back, a span begins with the
/// first and ends with the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    text: Arc<str>,
    extent: Extent,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Extent {
    /// Begins on each of the days (bit 0 is Monday); `end` counts minutes from
    /// the midnight before `begin` and is at most a week after `begin`.
    Weekly {
        days: u8,
        begin: u32,
        end: u32,
    },
    Once {
        begin: DateTime,
        end: DateTime,
    },
}

/// An instant and its date in a zone.
pub(super) struct LocalTime<'z> {
    at: Timestamp,
    date: Date,
    zone: &'z TimeZone,
}

impl<'z> LocalTime<'z> {
    pub(super) fn new(at: Timestamp, zone: &'z TimeZone) -> Self {
        Self { at, date: zone.to_datetime(at).date(), zone }
    }

    pub(super) fn moved_to(&self, at: Timestamp) -> Self {
        Self::new(at, self.zone)
    }
}

impl Span {
    /// Reads a span.
    ///
    /// | text | meaning |
    /// | --- | --- |
    /// | `Mon-Thu 08:00-16:00` | that span on each of the days |
    /// | `Sat,Sun 22:00-06:00` | past midnight; it belongs to the day it begins on |
    /// | `Fri 16:00-Mon 08:00` | one span |
    /// | `08:00-24:00` | every day |
    /// | `Sat` or `Sat-Sun` | whole days |
    /// | `2026-12-24` | a whole day, once |
    /// | `2026-12-20..2027-01-06` | whole days, the last included |
    /// | `2026-12-24 18:00..2027-01-02 08:00` | one span, once |
    ///
    /// Days are written in English, short (`Mon`) or in full, in any case.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        Ok(Self { extent: super::parse::extent(text)?, text: Arc::from(text) })
    }

    /// Where the occurrence ends that contains the instant: the latest such end,
    /// and `None` when there is no such occurrence.
    pub(super) fn end_at(&self, local: &LocalTime<'_>) -> Option<Timestamp> {
        let contains = |(begin, end): &(Timestamp, Timestamp)| *begin <= local.at && local.at < *end;
        match self.extent {
            Extent::Weekly { days, begin, end } => {
                // One day more on either side, for clocks that change around midnight.
                let back = i64::from(end / DAY) + 1;
                (-back..=1)
                    .filter_map(|offset| occurrence(days, begin, end, offset, local))
                    .filter(contains)
                    .map(|(_, end)| end)
                    .max()
            }
            Extent::Once { begin, end } => {
                interval(begin, end, local.zone).filter(contains).map(|(_, end)| end)
            }
        }
    }

    /// Where the next occurrence begins after the instant.
    pub(super) fn next_begin(&self, local: &LocalTime<'_>) -> Option<Timestamp> {
        let ahead = |begin: &Timestamp| *begin > local.at;
        match self.extent {
            // One week is enough, were it not for a week in which the clocks
            // skip the only occurrence.
            Extent::Weekly { days, begin, end } => (0..=22)
                .filter_map(|offset| occurrence(days, begin, end, offset, local))
                .map(|(begin, _)| begin)
                .find(ahead),
            Extent::Once { begin, end } => {
                interval(begin, end, local.zone).map(|(begin, _)| begin).filter(ahead)
            }
        }
    }

    pub(super) fn is_weekly(&self) -> bool {
        match self.extent {
            Extent::Weekly { .. } => true,
            Extent::Once { .. } => false,
        }
    }

    /// The days (0 is Monday) with begin and end in minutes; none for a span of dates.
    pub(super) fn weekly(&self) -> impl Iterator<Item = (u8, u32, u32)> {
        let (days, begin, end) = match self.extent {
            Extent::Weekly { days, begin, end } => (days, begin, end),
            Extent::Once { .. } => (0, 0, 0),
        };
        (0..7).filter(move |day| days & (1 << day) != 0).map(move |day| (day, begin, end))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// The occurrence that begins so many days after the local date, if one does.
fn occurrence(
    days: u8,
    begin: u32,
    end: u32,
    offset: i64,
    local: &LocalTime<'_>,
) -> Option<(Timestamp, Timestamp)> {
    let weekday = (i64::from(local.date.weekday().to_monday_zero_offset()) + offset).rem_euclid(7);
    if days & (1 << weekday) == 0 {
        return None;
    }
    let date = local.date.checked_add(offset.days()).ok()?;
    interval(minutes_after(date, begin)?, minutes_after(date, end)?, local.zone)
}

/// The time of the clock so many minutes after the midnight that begins a date.
pub(super) fn minutes_after(date: Date, minutes: u32) -> Option<DateTime> {
    let date = date.checked_add(i64::from(minutes / DAY).days()).ok()?;
    let in_day = minutes % DAY;
    let time = Time::new(i8::try_from(in_day / 60).ok()?, i8::try_from(in_day % 60).ok()?, 0, 0).ok()?;
    Some(date.to_datetime(time))
}

/// The instants between two times of the clock; `None` when the clocks skip them all.
fn interval(begin: DateTime, end: DateTime, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begin = instant(begin, zone, Side::Begin)?;
    let end = instant(end, zone, Side::End)?;
    (begin < end).then_some((begin, end))
}

enum Side {
    Begin,
    End,
}

fn instant(local: DateTime, zone: &TimeZone, side: Side) -> Option<Timestamp> {
    match (zone.to_ambiguous_timestamp(local).offset(), side) {
        (AmbiguousOffset::Unambiguous { offset }, Side::Begin | Side::End)
        | (AmbiguousOffset::Fold { before: offset, .. }, Side::Begin)
        | (AmbiguousOffset::Fold { after: offset, .. }, Side::End) => offset.to_timestamp(local).ok(),
        (AmbiguousOffset::Gap { after, .. }, Side::Begin | Side::End) => {
            // Read with the later offset, a skipped time falls before the change.
            let before_change = after.to_timestamp(local).ok()?;
            zone.following(before_change).next().map(|change| change.timestamp())
        }
    }
}
