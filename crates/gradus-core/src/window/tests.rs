use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::*;

mod refusals;
mod walk;

#[expect(clippy::disallowed_methods, reason = "tests read the zones of this machine")]
fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn window(zone_name: &str, allow: &[&str], deny: &[&str]) -> Window {
    let spans = |texts: &[&str]| texts.iter().map(|text| Span::parse(text).unwrap()).collect();
    Window { allow: spans(allow), deny: spans(deny), zone: zone(zone_name), zone_name: Arc::from(zone_name) }
}

/// The state in short, with the instant in the zone of the window.
fn shown(window: &Window, now: &str) -> String {
    let now: Timestamp = now.parse().unwrap();
    let until = |until: Option<Timestamp>| {
        until.map_or("ever".to_owned(), |t| t.to_zoned(window.zone.clone()).strftime("%F %R %:z").to_string())
    };
    match window.at(now) {
        WindowState::Open { until: end } => format!("open until {}", until(end)),
        WindowState::Closed { until: end, because: ClosedBecause::Denied(span) } => {
            format!("denied by {span} until {}", until(end))
        }
        WindowState::Closed { until: end, because: ClosedBecause::NotAllowed } => {
            format!("not allowed until {}", until(end))
        }
    }
}

#[track_caller]
fn check(zone: &str, allow: &[&str], deny: &[&str], now: &str, want: &str) {
    assert_eq!(shown(&window(zone, allow, deny), now), want);
}

const BERLIN: &str = "Europe/Berlin";

#[test]
fn days_and_times() {
    // 2026-06-15 is a Monday.
    let allow = |spans: &[&str], now: &str, want: &str| check(BERLIN, spans, &[], now, want);
    let office = ["Mon-Thu 08:00-16:00"];
    allow(&office, "2026-06-15T07:59:59+02", "not allowed until 2026-06-15 08:00 +02:00");
    allow(&office, "2026-06-15T08:00+02", "open until 2026-06-15 16:00 +02:00");
    allow(&office, "2026-06-15T15:59:59.999+02", "open until 2026-06-15 16:00 +02:00");
    allow(&office, "2026-06-15T16:00+02", "not allowed until 2026-06-16 08:00 +02:00");
    allow(&office, "2026-06-18T16:00+02", "not allowed until 2026-06-22 08:00 +02:00");

    let night = ["Mon,WEDNESDAY 22:00-06:00"];
    allow(&night, "2026-06-15T05:00+02", "not allowed until 2026-06-15 22:00 +02:00");
    allow(&night, "2026-06-16T05:00+02", "open until 2026-06-16 06:00 +02:00");
    allow(&["sun 22:00-06:00"], "2026-06-15T05:00+02", "open until 2026-06-15 06:00 +02:00");

    allow(&["Fri 16:00 - Mon 08:00"], "2026-06-14T12:00+02", "open until 2026-06-15 08:00 +02:00");
    allow(&["Fri 16:00-Mon 08:00"], "2026-06-15T08:00+02", "not allowed until 2026-06-19 16:00 +02:00");
    allow(&["Mon 08:00-Mon 06:00"], "2026-06-15T07:00+02", "not allowed until 2026-06-15 08:00 +02:00");
    allow(&["Mon 08:00-Mon 06:00"], "2026-06-15T08:00+02", "open until 2026-06-22 06:00 +02:00");
    allow(&["Mon 08:00-18:00"], "2026-06-15T08:00+02", "open until 2026-06-15 18:00 +02:00");

    allow(&["20:00-24:00"], "2026-06-15T21:00+02", "open until 2026-06-16 00:00 +02:00");
    allow(&["22:00-00:00"], "2026-06-15T22:00+02", "open until 2026-06-16 00:00 +02:00");
    allow(&["Sat"], "2026-06-15T21:00+02", "not allowed until 2026-06-20 00:00 +02:00");
    allow(&["Sat-Mon"], "2026-06-14T21:00+02", "open until 2026-06-16 00:00 +02:00");
    allow(&["Mon,Fri-Sat"], "2026-06-15T21:00+02", "open until 2026-06-16 00:00 +02:00");
}

#[test]
fn dates() {
    let deny = |span: &str, now: &str, want: &str| check(BERLIN, &[], &[span], now, want);
    deny("2026-12-24", "2026-12-23T10:00Z", "open until 2026-12-24 00:00 +01:00");
    deny("2026-12-24", "2026-12-24T10:00Z", "denied by 2026-12-24 until 2026-12-25 00:00 +01:00");
    deny("2026-12-24", "2026-12-25T10:00Z", "open until ever");
    deny(
        "2026-12-20..2027-01-06",
        "2026-12-24T10:00Z",
        "denied by 2026-12-20..2027-01-06 until 2027-01-07 00:00 +01:00",
    );
    deny("2026-12-24 18:00..2027-01-02 08:00", "2026-12-24T16:59Z", "open until 2026-12-24 18:00 +01:00");
    deny(
        "2026-12-24 18:00..2026-12-31 24:00",
        "2026-12-24T17:00Z",
        "denied by 2026-12-24 18:00..2026-12-31 24:00 until 2027-01-01 00:00 +01:00",
    );
    // Further ahead than is looked.
    deny("2032-12-24", "2026-12-23T10:00Z", "open until ever");
    check(BERLIN, &["2032-12-24"], &[], "2026-12-23T10:00Z", "not allowed until ever");
}

#[test]
fn allow_and_deny_together() {
    let now = "2026-06-15T10:00+02";
    check(BERLIN, &[], &[], now, "open until ever");
    check(BERLIN, &["Mon-Sun"], &[], now, "open until ever");
    check(BERLIN, &["00:00-12:00", "12:00-24:00"], &[], now, "open until ever");
    check(BERLIN, &["Mon 12:00-Sun 12:00", "Sun 11:00-Mon 12:00"], &[], now, "open until ever");
    check(BERLIN, &[], &["Mon-Sun"], now, "denied by Mon-Sun until ever");
    check(BERLIN, &["Sat"], &["Fri 16:00-Mon 08:00"], now, "not allowed until ever");
    check(
        BERLIN,
        &["Mon-Thu"],
        &["Mon 09:00-11:00"],
        now,
        "denied by Mon 09:00-11:00 until 2026-06-15 11:00 +02:00",
    );
    check(BERLIN, &["Mon-Thu"], &["Tue 09:00-11:00"], now, "open until 2026-06-16 09:00 +02:00");
    // The first span of the list is named, the last end counts.
    check(
        BERLIN,
        &[],
        &["09:30-10:30", "Mon 10:15-11:00", "2026-06-15"],
        now,
        "denied by 09:30-10:30 until 2026-06-16 00:00 +02:00",
    );
    // What is denied each week leaves only the date to wait for.
    check(
        BERLIN,
        &["Sat", "2027-06-12..2027-06-14"],
        &["Fri 16:00-Mon 08:00"],
        now,
        "not allowed until 2027-06-14 08:00 +02:00",
    );
    check(
        BERLIN,
        &["Tue 10:00-12:00"],
        &["2026-06-01..2028-12-31"],
        now,
        "denied by 2026-06-01..2028-12-31 until 2029-01-02 10:00 +01:00",
    );
}

#[test]
fn contiguous_spans_merge() {
    let days = ["Mon 00:00-24:00", "Tue"];
    check(BERLIN, &days, &[], "2026-06-15T10:00+02", "open until 2026-06-17 00:00 +02:00");
    check(
        BERLIN,
        &[],
        &days,
        "2026-06-15T10:00+02",
        "denied by Mon 00:00-24:00 until 2026-06-17 00:00 +02:00",
    );
    let weekend_and_date = ["Sat-Sun", "2026-06-22", "Tue 00:00-08:00"];
    check(BERLIN, &weekend_and_date, &[], "2026-06-20T10:00+02", "open until 2026-06-23 08:00 +02:00");
    // They also merge where the border is a skipped or a repeated time.
    for day in ["2026-03-29T00:30Z", "2026-10-25T00:10Z"] {
        let short = &["Sun 00:00-02:30", "Sun 02:30-05:00"];
        let end = shown(&window(BERLIN, short, &[]), day);
        assert!(end.starts_with("open until") && end.contains(" 05:00 "), "{end}");
    }
}

#[test]
fn clocks_go_forward() {
    // Berlin skips from 02:00 to 03:00 on 2026-03-29, which is 01:00 UTC.
    let allow = |span: &str, now: &str, want: &str| check(BERLIN, &[span], &[], now, want);
    allow("02:30-05:00", "2026-03-29T00:59Z", "not allowed until 2026-03-29 03:00 +02:00");
    allow("02:30-05:00", "2026-03-29T01:00Z", "open until 2026-03-29 05:00 +02:00");
    allow("01:00-02:30", "2026-03-29T00:59Z", "open until 2026-03-29 03:00 +02:00");
    allow("02:00-02:30", "2026-03-29T00:59Z", "not allowed until 2026-03-30 02:00 +02:00");
    allow("Sun 02:10-02:50", "2026-03-28T12:00Z", "not allowed until 2026-04-05 02:10 +02:00");
    // A whole day has 23 hours.
    allow("Sun", "2026-03-28T23:00Z", "open until 2026-03-30 00:00 +02:00");
    allow("Sat 12:00-Sun 12:00", "2026-03-28T12:00Z", "open until 2026-03-29 12:00 +02:00");
    // New York at 02:00 on 2026-03-08; Lord Howe by half an hour at 02:00 on 2026-10-04.
    let night = &["02:15-04:00"];
    check("America/New_York", night, &[], "2026-03-08T06:00Z", "not allowed until 2026-03-08 03:00 -04:00");
    check(
        "Australia/Lord_Howe",
        night,
        &[],
        "2026-10-03T15:00Z",
        "not allowed until 2026-10-04 02:30 +11:00",
    );
}

#[test]
fn clocks_go_back() {
    // Berlin has 02:00-03:00 twice on 2026-10-25; the second begins at 01:00 UTC.
    let allow = |span: &str, now: &str, want: &str| check(BERLIN, &[span], &[], now, want);
    allow("02:30-05:00", "2026-10-25T00:29Z", "not allowed until 2026-10-25 02:30 +02:00");
    allow("02:30-05:00", "2026-10-25T01:10Z", "open until 2026-10-25 05:00 +01:00");
    allow("01:00-02:30", "2026-10-25T00:45Z", "open until 2026-10-25 02:30 +01:00");
    allow("01:00-02:30", "2026-10-25T01:30Z", "not allowed until 2026-10-26 01:00 +01:00");
    // A whole day has 25 hours.
    allow("Sun", "2026-10-24T22:00Z", "open until 2026-10-26 00:00 +01:00");
    allow("Sat 12:00-Sun 12:00", "2026-10-24T10:00Z", "open until 2026-10-25 12:00 +01:00");
    let night = &["00:30-01:45"];
    check("America/New_York", night, &[], "2026-11-01T05:00Z", "open until 2026-11-01 01:45 -05:00");
    check("Australia/Lord_Howe", night, &[], "2026-04-04T14:30Z", "open until 2026-04-05 01:45 +10:30");
}

#[test]
fn clocks_go_back_over_midnight() {
    // Saint John's went from Sunday 00:01 (02:31 UTC) back to Saturday 23:01, so that
    // Sunday had begun before Saturday ended.
    let zone = "America/St_Johns";
    check(zone, &["Sun"], &[], "2010-11-07T02:29Z", "not allowed until 2010-11-07 00:00 -02:30");
    check(zone, &["Sun"], &[], "2010-11-07T02:45Z", "open until 2010-11-08 00:00 -03:30");
    check(zone, &["Sat 10:00-23:30"], &[], "2010-11-07T02:30:30Z", "open until 2010-11-06 23:30 -03:30");
    // Apia went over the date line and had no 2011-12-30, a Friday.
    check("Pacific/Apia", &["Fri"], &[], "2011-12-30T09:00Z", "not allowed until 2012-01-06 00:00 +14:00");
    check(
        "Pacific/Apia",
        &["Thu 12:00-Fri 12:00"],
        &[],
        "2011-12-30T09:00Z",
        "open until 2011-12-31 00:00 +14:00",
    );
}

#[test]
fn extremes_of_time() {
    let window = window(BERLIN, &["Mon 08:00-16:00", "9998-12-31"], &["Tue", "1970-01-01..9998-12-30"]);
    for now in [Timestamp::MIN, Timestamp::MAX] {
        assert!(matches!(window.at(now), WindowState::Closed { because: ClosedBecause::NotAllowed, .. }));
    }
}
