//! Compares with a plain walk: every minute around a change of the clocks is
//! listed with what the clocks show, and spans are looked up in that list.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

/// Two weeks of minutes, and enough around them for the spans that reach in.
const LISTED: usize = 44 * 1440;
const CHECKED: std::ops::Range<usize> = 15 * 1440..29 * 1440;

/// Zones with the UTC day in whose two weeks the clocks change. Apia skips a
/// whole day and Saint John's goes back over midnight.
const CHANGES: [(&str, &str); 9] = [
    (BERLIN, "2026-03-29"),
    (BERLIN, "2026-10-25"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("Australia/Lord_Howe", "2026-10-03"),
    ("America/St_Johns", "2010-11-07"),
    ("Pacific/Apia", "2011-12-30"),
    ("Etc/UTC", "2026-01-01"),
];

static LISTS: LazyLock<Vec<Minutes>> =
    LazyLock::new(|| CHANGES.iter().map(|(name, day)| Minutes::around(day, &zone(name))).collect());

/// The minutes of some weeks, and at which of them the clocks show a time.
struct Minutes {
    start: Timestamp,
    first_date: Date,
    shown: BTreeMap<DateTime, (usize, usize)>,
}

impl Minutes {
    fn around(day: &str, zone: &TimeZone) -> Self {
        let day: Date = day.parse().unwrap();
        let start = day.to_zoned(TimeZone::UTC).unwrap().timestamp() - (22 * 24).hours();
        let mut shown = BTreeMap::new();
        for minute in 0..LISTED {
            let local = zone.to_datetime(start + i64::try_from(minute).unwrap().minutes());
            shown.entry(local).and_modify(|(_, last)| *last = minute).or_insert((minute, minute));
        }
        Self { start, first_date: day - 22.days(), shown }
    }

    fn begin(&self, local: DateTime) -> usize {
        self.shown.get(&local).map_or_else(|| self.after(local), |(first, _)| *first)
    }

    fn end(&self, local: DateTime) -> usize {
        self.shown.get(&local).map_or_else(|| self.after(local), |(_, last)| *last)
    }

    /// The first minute that shows more, for times that are not shown.
    fn after(&self, local: DateTime) -> usize {
        self.shown.range(local..).next().map_or(LISTED, |(_, (first, _))| *first)
    }

    fn instant(&self, minute: usize) -> Timestamp {
        self.start + i64::try_from(minute).unwrap().minutes()
    }
}

/// A span as the test makes it up: its text and its occurrences by the clock.
#[derive(Debug, Clone)]
enum Made {
    Weekly { first: i8, count: i8, begin: i64, length: i64 },
    Across { first: i8, begin: i64, length: i64 },
    Dates { first: i64, begin: i64, length: i64 },
}

const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn name(day: i8) -> &'static str {
    NAMES[usize::try_from(day.rem_euclid(7)).unwrap()]
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

impl Made {
    fn text(&self, first_date: Date) -> String {
        match *self {
            Self::Weekly { first, count, begin, length } => {
                let days: Vec<_> = (0..count).map(|day| name(first + day)).collect();
                format!("{} {}-{}", days.join(","), clock(begin), clock(begin + length))
            }
            Self::Across { first, begin, length } => {
                let end = begin + length;
                let last = name(first + i8::try_from(end / 1440).unwrap());
                format!("{} {}-{} {}", name(first), clock(begin), last, clock(end))
            }
            Self::Dates { first, begin, length } => {
                let (date, end) = (first_date + first.days(), begin + length);
                let last = date + (end / 1440).days();
                format!("{date} {}..{last} {}", clock(begin), clock(end))
            }
        }
    }

    fn cover(&self, minutes: &Minutes, covered: &mut [bool]) {
        let mut add = |date: Date, begin: i64, length: i64| {
            let begin = date.at(0, 0, 0, 0) + begin.minutes();
            let range = minutes.begin(begin)..minutes.end(begin + length.minutes());
            covered.get_mut(range).into_iter().flatten().for_each(|minute| *minute = true);
        };
        let days = (1..43_i64).map(|day| minutes.first_date + day.days());
        match *self {
            Self::Weekly { first, count, begin, length } => days
                .filter(|date| {
                    (0..count)
                        .any(|day| (first + day).rem_euclid(7) == date.weekday().to_monday_zero_offset())
                })
                .for_each(|date| add(date, begin, length)),
            Self::Across { first, begin, length } => days
                .filter(|date| date.weekday().to_monday_zero_offset() == first)
                .for_each(|date| add(date, begin, length)),
            Self::Dates { first, begin, length } => add(minutes.first_date + first.days(), begin, length),
        }
    }
}

/// Times of the clock, most of them near where clocks change.
fn begin() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => (0..20_i64).prop_map(|quarter| quarter * 15),
        1 => Just(0_i64),
        1 => (0..96_i64).prop_map(|quarter| quarter * 15),
        1 => 0..1440_i64
    ]
}

fn length() -> impl Strategy<Value = i64> {
    prop_oneof![(1..16_i64).prop_map(|quarter| quarter * 15), 1..1440_i64]
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        (0..7_i8, 1..8_i8, begin(), length()).prop_map(|(first, count, begin, length)| Made::Weekly {
            first,
            count,
            begin,
            length
        }),
        (0..7_i8, begin(), prop_oneof![length(), 1440..7 * 1440_i64])
            .prop_map(|(first, begin, length)| Made::Across { first, begin, length }),
        (12..30_i64, begin(), prop_oneof![length(), 1..9 * 1440_i64])
            .prop_map(|(first, begin, length)| Made::Dates { first, begin, length }),
    ]
}

/// The state at every listed minute.
fn walk(minutes: &Minutes, allow: &[Made], deny: &[Made]) -> Vec<bool> {
    let covered = |spans: &[Made]| {
        let mut covered = vec![false; LISTED];
        spans.iter().for_each(|span| span.cover(minutes, &mut covered));
        covered
    };
    let (allowed, denied) = (covered(allow), covered(deny));
    allowed.iter().zip(denied).map(|(allowed, denied)| (allow.is_empty() || *allowed) && !denied).collect()
}

fn check_walk(change: usize, allow: &[Made], deny: &[Made]) -> Result<(), TestCaseError> {
    let (zone_name, minutes) = (CHANGES[change].0, &LISTS[change]);
    let open = walk(minutes, allow, deny);
    let text = |spans: &[Made]| spans.iter().map(|span| span.text(minutes.first_date)).collect::<Vec<_>>();
    let (allow, deny) = (text(allow), text(deny));
    let refs = |texts: &[String]| texts.iter().map(|text| Span::parse(text).unwrap()).collect();
    let zone_name = Arc::from(zone_name);
    let window = Window { allow: refs(&allow), deny: refs(&deny), zone: zone(&zone_name), zone_name };

    // The walk behind the list of changes is over what spans reach from before.
    let last = 34 * 1440;
    let mut until = None;
    for minute in (CHECKED.start..last).rev() {
        if open[minute] != open[minute + 1] {
            until = Some(minute + 1);
        }
        let near_change = until == Some(minute + 1) || open[minute] != open[minute - 1];
        if !CHECKED.contains(&minute) || !(near_change || minute % 131 == 0) {
            continue;
        }
        let now = minutes.instant(minute) + 59.seconds();
        let (is_open, end) = match window.at(now) {
            WindowState::Open { until } => (true, until),
            WindowState::Closed { until, .. } => (false, until),
        };
        prop_assert_eq!(is_open, open[minute], "{} {:?} {:?}", now, allow, deny);
        match until {
            Some(until) => {
                prop_assert_eq!(end, Some(minutes.instant(until)), "{} {:?} {:?}", now, allow, deny)
            }
            None => {
                let beyond = end.is_none_or(|end| end > minutes.instant(last));
                prop_assert!(beyond, "{} {:?} {:?} {:?}", now, end, allow, deny);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_a_walk(
        change in 0..CHANGES.len(),
        allow in prop::collection::vec(made(), 0..4),
        deny in prop::collection::vec(made(), 0..3),
    ) {
        check_walk(change, &allow, &deny)?;
    }

    #[test]
    fn parse_never_panics(
        text in prop_oneof!["\\PC{0,30}", "(Mon|Fri|08:00|24:00|2026-12-24|9999-12-31|-|,|\\.\\.|\\.| ){0,8}"]
    ) {
        match Span::parse(&text) {
            Ok(span) => {
                prop_assert_eq!(span.to_string(), &text[..]);
                let spans = Window { allow: vec![span], ..window("Etc/UTC", &[], &["Mon"]) };
                spans.at(Timestamp::MAX);
                spans.at(Timestamp::UNIX_EPOCH);
            }
            Err(error) => prop_assert!(error.column <= text.chars().count() + 1),
        }
    }
}
