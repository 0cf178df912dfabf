//! How often, and how soon again.

use std::net::IpAddr;
use std::time::Duration;

use gradus_weave::limiter::{Limiter, Rate, Verdict, retry_after};
use gradus_weave::retry::Retry;
use jiff::{SignedDuration, Timestamp};

fn at(milliseconds: i64) -> Timestamp {
    "2026-01-05T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_millis(milliseconds)
}

fn limiter(count: u32, milliseconds: i64) -> Limiter {
    Limiter::new(Rate { count, within: SignedDuration::from_millis(milliseconds) })
}

fn who(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_window_opens_with_the_first_and_closes_for_all() {
    let mut limiter = limiter(3, 500);
    let one = who("10.0.0.1");
    for now in [0, 100, 200] {
        assert_eq!(limiter.hit(one, at(now)), Verdict::Go);
    }
    assert_eq!(limiter.hit(one, at(300)), Verdict::Refused(at(500)));
    assert_eq!(limiter.hit(one, at(499)), Verdict::Refused(at(500)), "it does not slide");
    assert_eq!(limiter.hit(who("10.0.0.2"), at(300)), Verdict::Go);
    assert_eq!(limiter.hit(one, at(500)), Verdict::Go);
    let before = at(-1_000_000);
    assert_eq!(limiter.hit(one, before), Verdict::Go, "a clock that was set back locks nobody out");
}

/// B15: peers are told apart by their whole address.
#[test]
fn b15_peers_of_ipv6_are_told_apart() {
    let mut limiter = limiter(1, 1000);
    assert_eq!(limiter.hit(who("2001:db8::1"), at(0)), Verdict::Go);
    assert_eq!(limiter.hit(who("2001:db8::2"), at(0)), Verdict::Go);
    assert_ne!(limiter.hit(who("2001:db8::1"), at(0)), Verdict::Go);
    assert_eq!(limiter.hit(who("10.0.0.1"), at(0)), Verdict::Go);
    assert_ne!(limiter.hit(who("::ffff:10.0.0.1"), at(0)), Verdict::Go, "the same peer, otherwise written");
}

#[test]
fn so_many_are_counted_and_more_are_refused() {
    let mut limiter = limiter(1, 1000);
    for number in 0..100_000_u32 {
        assert_eq!(limiter.hit(IpAddr::from(number.to_be_bytes()), at(0)), Verdict::Go);
    }
    assert_eq!(limiter.hit(who("2001:db8::1"), at(10)), Verdict::Refused(at(1010)));
    assert_eq!(limiter.hit(who("10.0.0.1"), at(10)), Verdict::Refused(at(1010)));
    assert_eq!(limiter.hit(who("2001:db8::1"), at(1010)), Verdict::Go, "closed windows make place");
}

#[test]
fn the_header_is_a_date() {
    assert_eq!(retry_after(at(0)), "Mon, 05 Jan 2026 09:00:00 GMT");
    assert_eq!(retry_after(at(1)), "Mon, 05 Jan 2026 09:00:01 GMT", "never before the window closes");
}

fn check(delay: u64, max_delay: u64, threshold: u32, pauses: &[u64]) {
    let retry = Retry { delay, max_delay, threshold };
    let found: Vec<u64> =
        (1..).map_while(|attempt| retry.pause_after(attempt)).map(|pause| pause.as_secs()).collect();
    assert_eq!(found, pauses, "{retry:?}");
}

#[test]
fn pauses_are_powers_up_to_the_longest() {
    assert_eq!(Retry::default().pause_after(1), Some(Duration::from_secs(2)));
    check(2, 20, 3, &[2, 4]);
    check(2, 15, 7, &[2, 4, 8, 15, 15, 15]);
    check(1, 20, 4, &[1, 1, 1]);
    check(2, 20, 0, &[]);
    check(2, 20, 1, &[]);
    check(u64::MAX, 20, 3, &[20, 20]);
}
