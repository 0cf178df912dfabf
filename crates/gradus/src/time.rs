//! Times, as people write them.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// Reads when something ends: a span from now, a date (the end of that day, here) or a time.
pub(crate) fn until(text: &str) -> Result<Timestamp, String> {
    until_from(text, Timestamp::now(), &TimeZone::system())
}

fn until_from(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, String> {
    let at = if let Ok(date) = text.parse::<Date>()
        && text.len() == "2026-12-20".len()
    {
        let last = Time::constant(23, 59, 59, 0);
        let end = date.to_datetime(last).to_zoned(zone.clone()).map_err(|error| error.to_string())?;
        end.timestamp()
    } else if let Ok(time) = text.parse::<Timestamp>() {
        time
    } else {
        let wrong = |_| "write it like 3d, 12h, 2026-12-20 or 2026-12-20T12:00:00Z".to_owned();
        let span: Span = text.parse().map_err(wrong)?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(wrong)?;
        now.checked_add(length).map_err(|error| error.to_string())?
    };
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    if at <= now { Err("it is in the past".to_owned()) } else { Ok(at) }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::until_from;

    #[test]
    fn an_end_is_a_span_a_date_or_a_time() {
        let now = "2026-11-21T12:00:00Z".parse().expect("a time");
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let check = |text: &str, expected: Result<&str, &str>| {
            let read = until_from(text, now, &zone).map(|at| at.to_string());
            assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        };
        check("90d", Ok("2027-02-19T12:00:00Z"));
        check("12h", Ok("2026-11-22T00:00:00Z"));
        check("2026-12-20", Ok("2026-12-20T21:59:59Z"));
        check("2026-12-20T12:00:00Z", Ok("2026-12-20T12:00:00Z"));
        check("2026-11-20", Err("it is in the past"));
        check("-3d", Err("it is in the past"));
        check("soon", Err("write it like 3d, 12h, 2026-12-20 or 2026-12-20T12:00:00Z"));
        check("3 fortnights", Err("write it like 3d, 12h, 2026-12-20 or 2026-12-20T12:00:00Z"));
    }
}
