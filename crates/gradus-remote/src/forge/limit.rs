//! What a forge takes in a time, and what is left of it.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::survey::Left;
use crate::http::Answer;

/// What gradus takes for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The most answers in an hour that are not "as before".
    pub per_hour: u32,
    /// The part of the forge's own limit, in percent, that is left to people: reading stops there, writing goes on.
    pub for_people: u32,
    /// The most requests at the same time.
    pub at_once: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { per_hour: 20_000, for_people: 20, at_once: 8 }
    }
}

/// What was learned of the limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Nothing is taken before this time.
    closed_until: Option<Timestamp>,
    /// Reading waits until then, to leave the rest to people.
    reads_until: Option<Timestamp>,
    /// The hour that is counted, and how much was used in it.
    hour: Option<(Timestamp, u32)>,
    /// What the forge said of its own limit.
    left: Option<Left>,
}

impl Limits {
    /// Until when a request has to wait, if it has to.
    pub(super) fn wait(&self, budget: &Budget, is_read: bool, now: Timestamp) -> Option<Timestamp> {
        let later = |until: Option<Timestamp>| until.filter(|until| *until > now);
        let spent = self.hour.filter(|(_, used)| is_read && *used >= budget.per_hour);
        let spent = spent.and_then(|(begun, _)| begun.checked_add(SignedDuration::from_hours(1)).ok());
        let reads = if is_read { later(self.reads_until) } else { None };
        [later(self.closed_until), reads, later(spent)].into_iter().flatten().max()
    }

    /// What the forge said of its own limit, if it has.
    pub(super) fn left(&self) -> Option<Left> {
        self.left
    }

    /// Takes note of what an answer says.
    pub(super) fn learn(&mut self, budget: &Budget, answer: &Answer, now: Timestamp) {
        // An answer without news costs nothing.
        if answer.status != 304 {
            self.hour = Some(match self.hour {
                Some((begun, used)) if now.duration_since(begun) < SignedDuration::from_hours(1) => {
                    (begun, used.saturating_add(1))
                }
                Some(_) | None => (now, 1),
            });
        }
        let figure =
            |names: [&str; 2]| names.iter().find_map(|name| answer.header(name)?.trim().parse::<i64>().ok());
        let remaining = figure(["x-ratelimit-remaining", "ratelimit-remaining"]);
        let limit = figure(["x-ratelimit-limit", "ratelimit-limit"]);
        let reset = figure(["x-ratelimit-reset", "ratelimit-reset"]).and_then(|reset| point(reset, now));
        if let (Some(remaining), Some(limit), Some(reset)) = (remaining, limit, reset) {
            self.left = Some(Left { limit, remaining, reset });
            let for_people = limit.saturating_mul(budget.for_people.into()) / 100;
            self.reads_until = (remaining <= for_people).then_some(reset);
            if remaining <= 0 {
                self.closed_until = self.closed_until.max(Some(reset));
            }
        }
    }

    /// The forge refused for having been asked too much. Says until when.
    pub(super) fn refused(&mut self, answer: &Answer, now: Timestamp) -> Timestamp {
        let told = retry_after(answer, now).or_else(|| {
            // Where there is room, it was for another reason, and ends sooner.
            let left =
                answer.header("x-ratelimit-remaining").or_else(|| answer.header("ratelimit-remaining"));
            if left.and_then(|left| left.trim().parse::<i64>().ok()).is_some_and(|left| left > 0) {
                return None;
            }
            let reset = answer.header("x-ratelimit-reset").or_else(|| answer.header("ratelimit-reset"))?;
            point(reset.trim().parse().ok()?, now)
        });
        // Who does not say how long gets a minute of rest, and nobody makes gradus wait for a day.
        let usual = now + SignedDuration::from_mins(1);
        let until = told.unwrap_or(usual).min(now + SignedDuration::from_hours(2));
        self.closed_until = self.closed_until.max(Some(until));
        until
    }
}

/// Whether an answer says that too much was asked.
pub(super) fn is_refusal(answer: &Answer, words: &str) -> bool {
    match answer.status {
        429 => true,
        // GitHub's secondary limits, and its first one.
        403 => {
            answer.header("x-ratelimit-remaining") == Some("0")
                || answer.header("retry-after").is_some()
                || words.to_ascii_lowercase().contains("rate limit")
        }
        _ => false,
    }
}

/// When a host that said so may be asked again.
pub(super) fn retry_after(answer: &Answer, now: Timestamp) -> Option<Timestamp> {
    let told = answer.header("retry-after")?.trim();
    match told.parse::<i64>() {
        Ok(seconds) => now.checked_add(SignedDuration::from_secs(seconds.clamp(0, 86_400))).ok(),
        Err(_) => jiff::fmt::rfc2822::parse(told).ok().map(|at| at.timestamp()),
    }
}

/// A time that is told in seconds: since 1970, or from now on where that would be long ago.
fn point(seconds: i64, now: Timestamp) -> Option<Timestamp> {
    const LONG_AGO: i64 = 1_000_000_000;
    if seconds >= LONG_AGO {
        Timestamp::from_second(seconds).ok()
    } else {
        now.checked_add(SignedDuration::from_secs(seconds.max(0))).ok()
    }
}

/// Answers that the forge may say are as before, up to a number of bytes.
#[derive(Debug, Default)]
pub(super) struct Before {
    used: usize,
    clock: u64,
    known: HashMap<String, Known>,
    order: BTreeMap<u64, String>,
}

#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) tag: String,
    pub(super) bytes: Bytes,
    pub(super) link: Option<String>,
    at: u64,
}

impl Before {
    const ROOM: usize = 16 * 1024 * 1024;

    pub(super) fn get(&mut self, target: &str) -> Option<Known> {
        self.clock += 1;
        let known = self.known.get_mut(target)?;
        self.order.remove(&known.at);
        known.at = self.clock;
        self.order.insert(self.clock, target.to_owned());
        Some(known.clone())
    }

    pub(super) fn put(&mut self, target: &str, tag: &str, bytes: &Bytes, link: Option<&str>) {
        self.forget(target);
        let size = weight(target, tag, bytes, link);
        if size > Self::ROOM / 4 {
            return;
        }
        self.clock += 1;
        self.used += size;
        let link = link.map(str::to_owned);
        let known = Known { tag: tag.to_owned(), bytes: bytes.clone(), link, at: self.clock };
        self.known.insert(target.to_owned(), known);
        self.order.insert(self.clock, target.to_owned());
        while self.used > Self::ROOM {
            let Some(oldest) = self.order.first_entry().map(|entry| entry.get().clone()) else { return };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, target: &str) {
        if let Some(known) = self.known.remove(target) {
            self.order.remove(&known.at);
            self.used -= weight(target, &known.tag, &known.bytes, known.link.as_deref());
        }
    }
}

fn weight(target: &str, tag: &str, bytes: &Bytes, link: Option<&str>) -> usize {
    2 * target.len() + tag.len() + bytes.len() + link.map_or(0, str::len) + 200
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::{SignedDuration, Timestamp};

    use super::{Before, Budget, Limits, is_refusal};
    use crate::http::Answer;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status, headers, bytes: Bytes::new() }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    #[test]
    fn reading_leaves_room_for_people_and_writing_goes_on() {
        let (budget, mut limits) = (Budget::default(), Limits::default());
        let told = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "1000"),
            ("x-ratelimit-reset", "1800000600"),
        ];
        limits.learn(&budget, &answer(200, &told), now());
        let reset = now() + SignedDuration::from_mins(10);
        assert_eq!(limits.wait(&budget, true, now()), Some(reset));
        assert_eq!(limits.wait(&budget, false, now()), None);
        assert_eq!(limits.wait(&budget, true, reset), None);
    }

    #[test]
    fn an_hour_has_its_budget_and_no_news_is_free() {
        let budget = Budget { per_hour: 2, ..Budget::default() };
        let mut limits = Limits::default();
        for status in [200, 304, 304, 304] {
            limits.learn(&budget, &answer(status, &[]), now());
        }
        assert_eq!(limits.wait(&budget, true, now()), None);
        limits.learn(&budget, &answer(200, &[]), now());
        assert_eq!(limits.wait(&budget, true, now()), Some(now() + SignedDuration::from_hours(1)));
        assert_eq!(limits.wait(&budget, false, now()), None);
    }

    #[test]
    fn a_refusal_is_obeyed_by_everything() {
        let mut limits = Limits::default();
        let until = limits.refused(&answer(429, &[("retry-after", "30")]), now());
        assert_eq!(until, now() + SignedDuration::from_secs(30));
        assert_eq!(limits.wait(&Budget::default(), false, now()), Some(until));
        let dated = [("retry-after", "Fri, 15 Jan 2027 08:02:00 GMT")];
        assert_eq!(
            Limits::default().refused(&answer(429, &dated), now()),
            now() + SignedDuration::from_mins(2)
        );
        assert_eq!(Limits::default().refused(&answer(429, &[]), now()), now() + SignedDuration::from_mins(1));
        assert!(is_refusal(&answer(403, &[]), "You have exceeded a secondary rate limit"));
        assert!(!is_refusal(&answer(403, &[]), "Resource not accessible by integration"));
    }

    #[test]
    fn the_limits_of_github_are_understood() {
        // The first limit: 5,000 in an hour, told by every answer.
        let spent = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-used", "5000"),
            ("x-ratelimit-reset", "1800000900"),
            ("x-ratelimit-resource", "core"),
        ];
        let words = "API rate limit exceeded for user ID 1.";
        assert!(is_refusal(&answer(403, &spent), words));
        let reset = now() + SignedDuration::from_mins(15);
        assert_eq!(Limits::default().refused(&answer(403, &spent), now()), reset);
        // The second: too much in a short time, while the first has room. It says how long, or nothing.
        let room = [
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-remaining", "4000"),
            ("x-ratelimit-reset", "1800003600"),
            ("retry-after", "60"),
        ];
        let words =
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
        for (status, headers) in [(403, &room[..]), (429, &room[..]), (403, &room[..3])] {
            assert!(is_refusal(&answer(status, headers), words));
            let mut limits = Limits::default();
            let until = limits.refused(&answer(status, headers), now());
            assert_eq!(until, now() + SignedDuration::from_mins(1));
            assert_eq!(limits.wait(&Budget::default(), false, now()), Some(until));
        }
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut before = Before::default();
        let page = Bytes::from(vec![0; 3 * 1024 * 1024]);
        for number in 0..8 {
            before.put(&format!("/{number}"), "tag", &page, None);
        }
        assert!(before.get("/0").is_none());
        assert_eq!(before.get("/7").unwrap().bytes, page);
        assert!(before.used <= Before::ROOM);
    }
}
