use std::cmp::Ordering::{self, Equal, Greater, Less};

use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn versions(texts: &[&str]) -> Vec<Version> {
    texts.iter().map(|t| version(t)).collect()
}

/// Compares both ways round, so that every row of a table is two tests.
#[track_caller]
fn check(order: Order, a: &str, b: &str, seen: &[&str], want: Option<Ordering>) {
    let (a, b, seen) = (version(a), version(b), versions(seen));
    assert_eq!(order.compare(&a, &b, &seen), want, "{order:?} {a} {b}");
    assert_eq!(order.compare(&b, &a, &seen), want.map(Ordering::reverse), "{order:?} {b} {a}");
}

/// Every text of the list is older than every later one.
#[track_caller]
fn check_ascending(order: Order, texts: &[&str]) {
    for (i, a) in texts.iter().enumerate() {
        for b in &texts[i + 1..] {
            check(order, a, b, &[], Some(Less));
        }
    }
}

#[test]
fn semver_precedence() {
    for order in [Order::Semver, Order::Auto] {
        check_ascending(
            order,
            &[
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "v1.2-rc1",
                "1.2",
                "1.9",
                "v1.10",
                "1.10.1",
                "V2",
                "10.0.0-99999999999999999999999",
                "10.0.0-100000000000000000000000",
            ],
        );
    }
}

#[test]
fn semver_that_is_not() {
    for text in ["01.2.3", "1.02", "1.2.3-01", "1.2.3.4", "1.2.", "vv1.0.0", "1.0.0-", "1.0.0+", "2026-01-02"]
    {
        check(Order::Semver, text, "1.0.0", &[text, "1.0.0"], None);
        check(Order::Semver, text, text, &[], Some(Equal));
    }
}

#[test]
fn build_metadata_goes_by_what_was_seen() {
    let seen = ["1.0.0+b", "1.0.0+a"];
    for order in [Order::Semver, Order::Auto] {
        check(order, "1.0.0+a", "1.0.0+b", &seen, Some(Greater));
        check(order, "1.0.0+a", "1.0.0+b", &[], None);
        check(order, "1.0.0+a", "1.0.1+b", &[], Some(Less));
        check(order, "v1+a", "1.0.0+a", &[], Some(Equal));
        check(order, "1.0.0+a", "1.0.0", &seen, Some(Equal));
    }
}

#[test]
fn numeric() {
    check_ascending(
        Order::Numeric,
        &["0", "1.9", "v1.10", "1.10.0.1", "2", "99999999999999999999", "100000000000000000000.0"],
    );
    check(Order::Numeric, "1.2", "v1.02.0.0", &[], Some(Equal));
    for text in ["1.", ".1", "1..2", "1.2-rc1", "v", "1.x", "-1"] {
        check(Order::Numeric, text, "1", &[text, "1"], None);
    }
}

#[test]
fn calendar() {
    check_ascending(
        Order::Calendar,
        &[
            "2025-12-31",
            "2026.01.02-dev",
            "2026.1.2-alpha",
            "2026_01_02-rc1",
            "2026.01.02-rc.10",
            "2026.01.02",
        ],
    );
    check_ascending(
        Order::Calendar,
        &["20260101", "20260101T000001Z-rc1", "20260101T000001Z", "20260101-000002", "20260101.3"],
    );
    check_ascending(Order::Calendar, &["06.10", "25.10", "26.04", "26.04.1"]);
    check_ascending(Order::Calendar, &["20260101120000", "v20260101120001"]);
    check(Order::Calendar, "2026.01.02", "2026-1-2", &[], Some(Equal));
    check(Order::Calendar, "2026.1-RC1", "2026.1-rc01", &[], Some(Equal));
    for (a, b) in [
        ("26.04", "2026.05"),
        ("202601", "20260102"),
        ("2026.1-blue", "2026.1-green"),
        ("2026.1-blue", "2026.1-rc1"),
        ("2026.1-rc1x", "2026.1-rc1"),
    ] {
        check(Order::Calendar, a, b, &[a, b], None);
    }
    for text in
        ["1.2.3", "123", "2026.", "2026.x", "2026.1-rc+1", "2026..1", "2026_rc1", "main", "é2026", "2026Z1"]
    {
        check(Order::Calendar, text, "2026.1", &[text, "2026.1"], None);
    }
}

#[test]
fn seen() {
    let seen = ["sha-b", "sha-a", "sha-c", "sha-b"];
    check(Order::Seen, "sha-a", "sha-c", &seen, Some(Less));
    // The last occurrence counts.
    check(Order::Seen, "sha-b", "sha-c", &seen, Some(Greater));
    check(Order::Seen, "sha-a", "sha-d", &seen, None);
    check(Order::Seen, "sha-d", "sha-d", &seen, Some(Equal));
    check(Order::Seen, "1.0.0", "2.0.0", &["2.0.0", "1.0.0"], Some(Greater));
    check(Order::Auto, "sha-a", "sha-b", &[], None);
    check(Order::Auto, "1.0.0", "sha-b", &["sha-b", "1.0.0"], Some(Greater));
    check(Order::Auto, "2026-01-09", "2026-01-10", &["2026-01-10", "2026-01-09"], Some(Greater));
}

#[test]
fn same() {
    for (a, b, want) in [
        ("v1.2", "1.2.0", true),
        ("V1", "v1.0.0", true),
        ("1.2-rc1", "1.2.0-rc1", true),
        ("1.2.0+x", "1.2.0", true),
        ("1.2.0+x", "v1.2+x", true),
        ("1.2.0+x", "1.2.0+y", false),
        ("1.2.0-rc1", "1.2.0", false),
        ("1.2.0-rc1", "1.2.0-RC1", false),
        ("01.2", "1.2", false),
        ("sha-a", "sha-a", true),
        ("sha-a", "sha-A", false),
        ("2026.01", "2026.1", false),
    ] {
        assert_eq!(version(a).same(&version(b)), want, "{a} {b}");
        assert_eq!(version(b).same(&version(a)), want, "{b} {a}");
    }
}

#[test]
fn refusals() {
    let refusal = |text: &str| Version::parse(text).unwrap_err().to_string();
    assert_eq!(refusal(""), r#"version "" is empty"#);
    assert_eq!(
        refusal("1.0 beta"),
        r#"version "1.0 beta" has the character ' ' at column 4; spaces and control characters are not allowed"#
    );
    assert_eq!(
        refusal("é\u{7}"),
        r#"version "é\u{7}" has the character '\u{7}' at column 2; spaces and control characters are not allowed"#
    );
    assert!(refusal(&"1".repeat(257)).ends_with(r#"1" is 257 bytes long; at most 256 are allowed"#));
    assert!(Version::parse(&"1".repeat(256)).is_ok());
}

#[test]
fn shows_as_its_text() {
    let shown = version("v1.2");
    assert_eq!(format!("{shown} {shown:>5} {shown:?}"), r#"v1.2  v1.2 Version("v1.2")"#);
}

const ORDERS: [Order; 5] = [Order::Auto, Order::Semver, Order::Numeric, Order::Calendar, Order::Seen];

/// Texts of a few shapes and few values, so that ties and near misses are common.
fn any_version() -> impl Strategy<Value = Version> {
    prop_oneof![
        4 => "v?[0-2](\\.[0-2]){0,2}(-(rc|beta|[0-2])(\\.[0-2])?)?(\\+[ab])?",
        2 => "v?0?[0-2](\\.0?[0-2]){0,3}",
        4 => "v?(26|2026|20260102)([.T_-]0?[0-2]){0,2}Z?([-.](rc|dev|blue)\\.?[0-2]?)?",
        1 => "[ab]{1,2}",
        1 => "[0-9A-Za-z.+T_-]{1,6}",
    ]
    .prop_map(|text| version(&text))
}

fn triple_and_seen() -> impl Strategy<Value = ([Version; 3], Vec<Version>)> {
    [any_version(), any_version(), any_version()].prop_flat_map(|triple| {
        let mut pool = triple.to_vec();
        pool.extend(triple.clone());
        let seen = Just(pool).prop_shuffle();
        (Just(triple), seen, 0_usize..=6).prop_map(|(triple, mut seen, len)| {
            seen.truncate(len);
            (triple, seen)
        })
    })
}

/// Two texts for one semantic version.
fn two_ways_to_write() -> impl Strategy<Value = (Version, Version)> {
    let core = "([0-2]|26|2026|20260102)(\\.[0-2]){0,2}";
    let pre = prop_oneof![3 => Just(String::new()), 1 => "-(rc|dev|blue)(\\.?[1-9])?"];
    let build = prop_oneof![3 => Just(String::new()), 1 => Just("+a".to_owned())];
    (core, pre, build.clone(), build, any::<(bool, bool, bool)>()).prop_map(
        |(core, pre, x, y, (v, w, pad))| {
            let longer =
                if pad && core.matches('.').count() < 2 { format!("{core}.0") } else { core.clone() };
            let write = |v: bool, core: &str, build: &str| {
                version(&format!("{}{core}{pre}{build}", if v { "v" } else { "" }))
            };
            (write(v, &core, &x), write(w, &longer, &y))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn compare_is_antisymmetric(((a, b, _), seen) in triple_and_seen().prop_map(|([a, b, c], s)| ((a, b, c), s))) {
        for order in ORDERS {
            prop_assert_eq!(order.compare(&a, &b, &seen), order.compare(&b, &a, &seen).map(Ordering::reverse));
            prop_assert_eq!(order.compare(&a, &a, &seen), Some(Equal));
        }
    }

    #[test]
    fn compare_is_transitive(([a, b, c], seen) in triple_and_seen()) {
        let semver = [&a, &b, &c].map(|v| v.0.semver.is_some());
        let builds = [&a, &b, &c].iter().any(|v| v.0.semver.as_ref().is_some_and(|s| !s.build.is_empty()));
        for order in ORDERS {
            // Auto looks at a mixed history in two ways, which is documented there.
            if order == Order::Auto && semver.contains(&true) && semver.contains(&false) {
                continue;
            }
            let all = (order.compare(&a, &b, &seen), order.compare(&b, &c, &seen), order.compare(&a, &c, &seen));
            if let (Some(ab), Some(bc), Some(ac)) = all {
                if ab == Less && bc == Less {
                    prop_assert_eq!(ac, Less, "{:?}", order);
                }
                // Without build metadata, what is equal is also interchangeable.
                if !builds && (ab == Equal || bc == Equal) {
                    prop_assert_eq!(ac, ab.then(bc), "{:?}", order);
                }
            }
        }
    }

    #[test]
    fn the_same_is_equal((a, b) in two_ways_to_write(), seen in prop::collection::vec(any_version(), 0..4)) {
        prop_assert!(a.same(&b) && b.same(&a));
        for order in [Order::Auto, Order::Semver] {
            prop_assert_eq!(order.compare(&a, &b, &seen), Some(Equal), "{:?}", order);
        }
        // These read fewer texts than SemVer does, but never disagree with it here.
        for order in [Order::Numeric, Order::Calendar] {
            prop_assert!(matches!(order.compare(&a, &b, &seen), None | Some(Equal)), "{:?}", order);
        }
        let plain = |v: &Version| v.as_str().chars().all(|c| c.is_ascii_digit() || c == '.' || c == 'v');
        if plain(&a) && plain(&b) {
            prop_assert_eq!(Order::Numeric.compare(&a, &b, &seen), Some(Equal));
            if a.0.semver.as_ref().is_some_and(|v| v.major > 9) {
                prop_assert_eq!(Order::Calendar.compare(&a, &b, &seen), Some(Equal));
            }
        }
    }

    #[test]
    fn parse_never_panics(text in prop_oneof!["\\PC{0,20}", ".{0,300}", "[v0-9.+TZ_-]{0,20}[-._][a-zé]{0,4}"]) {
        if let Ok(parsed) = Version::parse(&text) {
            prop_assert_eq!(parsed.as_str(), &text);
            let other = version("2026.1.0");
            for order in ORDERS {
                prop_assert_eq!(
                    order.compare(&parsed, &other, &[]),
                    order.compare(&other, &parsed, &[]).map(Ordering::reverse)
                );
            }
        }
    }
}
