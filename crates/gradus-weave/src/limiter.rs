//! How often somebody may ask: so many times in a window that opens with the first.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How often somebody may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many times.
    pub count: u32,
    /// In so long a time.
    pub within: SignedDuration,
}

impl Default for Rate {
    fn default() -> Self {
        Self { count: 20, within: SignedDuration::from_secs(30) }
    }
}

/// Counts who asked how often.
#[derive(Debug)]
pub struct Limiter {
    rate: Rate,
    windows: BTreeMap<IpAddr, Window>,
    swept: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    opened: Timestamp,
    hits: u32,
}

/// Whether somebody may ask now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Go,
    /// No; from then on.
    Refused(Timestamp),
}

/// So many are counted one by one. More at the same time is an attack.
const MOST: usize = 100_000;
/// While there are so many, those that have closed are looked for no more often.
const BETWEEN_SWEEPS: SignedDuration = SignedDuration::from_secs(1);

impl Limiter {
    /// A limiter that nobody has asked yet.
    pub fn new(rate: Rate) -> Self {
        Self { rate, windows: BTreeMap::new(), swept: Timestamp::MIN }
    }

    /// Somebody asks now. What is refused counts too.
    pub fn hit(&mut self, who: IpAddr, now: Timestamp) -> Verdict {
        let who = who.to_canonical();
        let within = self.rate.within;
        // A window from the future is one from before the clock was set back.
        let is_open = |window: &Window| {
            let age = now.duration_since(window.opened);
            age < within && !age.is_negative()
        };
        if self.windows.len() >= MOST && !self.windows.contains_key(&who) {
            if now.duration_since(self.swept).abs() >= BETWEEN_SWEEPS {
                self.swept = now;
                self.windows.retain(|_, window| is_open(window));
            }
            if self.windows.len() >= MOST {
                return Verdict::Refused(end(now, within));
            }
        }
        let window = self.windows.entry(who).or_insert(Window { opened: now, hits: 0 });
        if !is_open(window) {
            *window = Window { opened: now, hits: 0 };
        }
        window.hits = window.hits.saturating_add(1);
        if window.hits > self.rate.count { Verdict::Refused(end(window.opened, within)) } else { Verdict::Go }
    }

    /// Forgets the windows that have closed.
    pub fn sweep(&mut self, now: Timestamp) {
        let within = self.rate.within;
        self.windows.retain(|_, window| now.duration_since(window.opened) < within);
    }
}

fn end(opened: Timestamp, within: SignedDuration) -> Timestamp {
    opened.checked_add(within).unwrap_or(opened)
}

/// The time as `Retry-After` has it: a date with the zone's name at its end.
///
/// Always in GMT, which those who read the header as a date of HTTP and those who
/// read it as RFC 1123 understand alike.
pub fn retry_after(until: Timestamp) -> String {
    // A fraction of a second would be cut off, and the window still be open then.
    let whole = if until.subsec_nanosecond() > 0 {
        until.checked_add(SignedDuration::from_secs(1)).unwrap_or(until)
    } else {
        until
    };
    whole.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
