//! Lengths of time, points in time and time zones.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};

use crate::error::Trouble;
use crate::nearest::nearest;

/// Reads a length of time. A day has 24 hours; months and years have no length.
pub(super) fn duration(text: &str) -> Result<SignedDuration, Trouble> {
    const HELP: &str = "write a number and a unit, such as \"10m\", \"1h 30m\" or \"2 days\"";
    let not = || Trouble::value(format!("{} is not a duration", short(text)));
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Trouble::value(format!("the duration {} has no unit", short(text)))
            .help(format!("add a unit: {text}s, {text}m or {text}h")));
    }
    let span: Span = text.parse().map_err(|_| not().help(HELP))?;
    let length = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| not().help("months and years differ in length: write days or hours"))?;
    if length.is_negative() {
        return Err(Trouble::value(format!("the duration {} is negative", short(text))).help(HELP));
    }
    Ok(length)
}

/// Reads a length of time that cannot be zero.
pub(super) fn some_time(text: &str) -> Result<SignedDuration, Trouble> {
    let length = duration(text)?;
    if length.is_zero() {
        return Err(Trouble::value(format!("the duration {} is no time at all", short(text))));
    }
    Ok(length)
}

/// Which end of a span of time a date alone stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// The first instant of the day.
    Begin,
    /// The first instant after the day.
    End,
}

/// Reads a point in time, or a date with a zone.
pub(super) fn instant(text: &str, edge: Edge) -> Result<Timestamp, Trouble> {
    const HELP: &str = "write it such as 2026-12-20T18:00:00Z or \"2026-12-20[Europe/Berlin]\"";
    let not = || Trouble::value(format!("{} is not a point in time", short(text))).help(HELP);
    if let Some((local, name)) = text.strip_suffix(']').and_then(|text| text.split_once('[')) {
        let zone = time_zone(name)?;
        if let Ok(date) = local.parse::<Date>()
            && !local.contains(['T', 't', ' '])
        {
            let date = match edge {
                Edge::Begin => date,
                Edge::End => date.tomorrow().map_err(|_| not())?,
            };
            return date.to_zoned(zone).map(|zoned| zoned.timestamp()).map_err(|_| not());
        }
        return text.parse::<jiff::Zoned>().map(|zoned| zoned.timestamp()).map_err(|_| not());
    }
    text.parse::<Timestamp>().map_err(|_| {
        if text.parse::<DateTime>().is_ok() {
            Trouble::value(format!("{} has no time zone", short(text))).help(HELP)
        } else {
            not()
        }
    })
}

/// Finds a time zone by its name.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, Trouble> {
    TimeZone::get(name).map_err(|_| {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
        let city = |zone: &str| zone.rsplit('/').next().map(ToOwned::to_owned).unwrap_or_default();
        let meant = nearest(name, names.iter().map(String::as_str))
            .map(ToOwned::to_owned)
            .or_else(|| names.iter().filter(|zone| city(zone).eq_ignore_ascii_case(name)).min().cloned())
            .map_or_else(
                || "write a name of the IANA database, such as Europe/Berlin or UTC".to_owned(),
                |meant| format!("did you mean {meant:?}?"),
            );
        Trouble::value(format!("there is no time zone {}", short(name))).help(meant)
    })
}

fn short(text: &str) -> String {
    crate::decode::quoted(text)
}

#[cfg(test)]
mod tests {
    use super::{Edge, duration, instant};

    #[test]
    fn durations_have_units() {
        let check = |text: &str, seconds: i64| {
            assert_eq!(duration(text).map(|length| length.as_secs()), Ok(seconds), "{text}");
        };
        check("10m", 600);
        check("10 minutes", 600);
        check("1h30m", 5400);
        check("1h 30m", 5400);
        check("2d", 172_800);
        check("1 week", 604_800);
        check("PT10M", 600);
        check("0s", 0);
        for bad in ["", "10", "m", "1 month", "-5m", "5m ago", "10 parsecs", "99999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_date_alone_is_its_begin_or_its_end() {
        let check = |text: &str, edge: Edge, expected: &str| {
            assert_eq!(instant(text, edge).map(|at| at.to_string()), Ok(expected.to_owned()), "{text}");
        };
        check("2026-12-20T18:00:00Z", Edge::Begin, "2026-12-20T18:00:00Z");
        check("2026-12-20T18:00:00+01:00", Edge::End, "2026-12-20T17:00:00Z");
        check("2026-12-20T18:00[Europe/Berlin]", Edge::End, "2026-12-20T17:00:00Z");
        check("2026-12-20[Europe/Berlin]", Edge::Begin, "2026-12-19T23:00:00Z");
        check("2026-12-20[Europe/Berlin]", Edge::End, "2026-12-20T23:00:00Z");
        for bad in ["", "2026-12-20", "2026-12-20T18:00:00", "tomorrow", "2026-02-30[UTC]", "9999-12-31[UTC]"]
        {
            assert!(instant(bad, Edge::End).is_err(), "{bad}");
        }
    }
}
