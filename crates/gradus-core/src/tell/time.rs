//! Times and durations, as people read them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When it is, and in which zone people read the time.
#[derive(Debug, Clone)]
pub struct Clock {
    /// When it is.
    pub now: Timestamp,
    /// The reader's zone.
    pub zone: TimeZone,
}

impl Clock {
    /// A clock in UTC.
    pub fn utc(now: Timestamp) -> Self {
        Self { now, zone: TimeZone::UTC }
    }

    /// The time of day, with the date where it is another day.
    pub fn at(&self, time: Timestamp) -> String {
        let (here, there) = (self.now.to_zoned(self.zone.clone()), time.to_zoned(self.zone.clone()));
        let format = match (here.date() == there.date(), there.second() == 0) {
            (true, true) => "%H:%M",
            (true, false) => "%H:%M:%S",
            (false, _) => "%Y-%m-%d %H:%M",
        };
        there.strftime(format).to_string()
    }

    /// How long ago, such as "2m ago"; "now" within a second.
    pub fn ago(&self, time: Timestamp) -> String {
        let past = self.now.duration_since(time);
        if past.as_secs() < 1 { "just now".to_owned() } else { format!("{} ago", age(past)) }
    }

    /// How long it has been since then; nothing where that is yet to come.
    pub fn since(&self, time: Timestamp) -> SignedDuration {
        self.now.duration_since(time).max(SignedDuration::ZERO)
    }

    /// How long it takes until then.
    pub fn left(&self, time: Timestamp) -> String {
        let left = time.duration_since(self.now);
        // A span that has begun counts as whole, so that nobody reads "0s left".
        let whole = if left.subsec_nanos() > 0 { left + SignedDuration::from_secs(1) } else { left };
        age(whole)
    }
}

const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];

/// A duration to its largest unit, such as "41m".
pub fn age(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (unit, name) = UNITS.iter().find(|(unit, _)| seconds >= *unit).copied().unwrap_or((1, "s"));
    format!("{}{name}", seconds / unit)
}

/// A duration in full, such as "1h 30m".
pub fn duration(time: SignedDuration) -> String {
    let mut seconds = time.as_secs().max(0);
    let mut parts = Vec::new();
    for (unit, name) in UNITS {
        if seconds >= unit {
            parts.push(format!("{}{name}", seconds / unit));
            seconds %= unit;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}
