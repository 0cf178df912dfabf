use super::*;

#[track_caller]
fn check(text: &str, want: &str) {
    assert_eq!(Span::parse(text).unwrap_err().to_string(), format!("time span {text:?}, column {want}"));
}

#[test]
fn refusals() {
    const ACROSS: &str = r#"write it such as "Fri 16:00-Mon 08:00""#;
    const DAILY: &str = r#"write it such as "Mon-Thu 08:00-16:00""#;
    const DATES: &str = r#"write it such as "2026-12-20..2027-01-06""#;
    const DATE_TIMES: &str = r#"write it such as "2026-12-24 18:00..2027-01-02 08:00""#;
    const NOTHING: &str = r#"the span ends when it begins and holds nothing; for whole days write "00:00-24:00", for the whole week "Mon-Sun""#;
    check("", &format!("1: expected a day, a time or a date, found the end; {ACROSS}"));
    check("  -", &format!("3: expected a day, a time or a date, found \"-\"; {ACROSS}"));
    check("Mo 08:00-16:00", r#"1: "Mo" is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"#);
    check("Mon–Thu", r#"4: the character '–' has no place here; write a span such as "Fri 16:00-Mon 08:00""#);
    check("Mon-Dö 08:00", r#"5: "Dö" is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun"#);
    for (time, column) in
        [("8:00", 1), ("25:00", 1), ("24:01", 1), ("08:60", 1), ("08:00:00", 1), ("0800", 1)]
    {
        check(
            &format!("{time} - 16:00"),
            &format!(
                r#"{column}: {time:?} is not a time; write hours and minutes such as "08:00", from 00:00 to 24:00"#
            ),
        );
    }
    check("08:00-08:00", &format!("7: {NOTHING}"));
    check("Mon 00:00-Mon 00:00", &format!("15: {NOTHING}"));
    check(
        "Fri 24:00-Sat 08:00",
        r#"5: a span cannot begin at 24:00; begin it at 00:00 of the day after, such as "Sat 00:00-08:00""#,
    );
    check(
        "Mon-Mon 08:00-16:00",
        r#"5: a range from a day to the same day could mean one day or seven; write "Mon" or "Mon-Sun""#,
    );
    check("Mon, 08:00-16:00", r#"6: expected a day, found "08:00"; write it such as "Mon,Wed,Fri""#);
    check("Mon 08:00", &format!("10: expected '-' and the end, found the end; {ACROSS}"));
    check(
        "Fri 16:00-",
        &format!("11: expected the end, a time or a day and a time, found the end; {ACROSS}"),
    );
    check("Fri 16:00-Mon", &format!("14: expected a time, found the end; {ACROSS}"));
    check("Mon,Tue 16:00-Wed 08:00", &format!("15: expected the end as a time, found \"Wed\"; {DAILY}"));
    check("Mon Tue", &format!("5: expected a time or the end, found \"Tue\"; {DAILY}"));
    check("08:00-16:00 Mon", &format!("13: expected the end, found \"Mon\"; {DAILY}"));
    check(
        "Mon 08:00-16:00, Tue",
        &format!(
            "16: expected the end of this one span; further spans are entries of their own, found \",\"; {DAILY}"
        ),
    );
    check("2026-02-30", r#"1: "2026-02-30" is not a date; write year, month and day such as "2026-12-24""#);
    check("2026-1-2", r#"1: "2026-1-2" is not a date; write year, month and day such as "2026-12-24""#);
    check("2026-12-24-2026-12-26", &format!("11: expected '..' between dates, found \"-\"; {DATES}"));
    check("2026-12-24..Mon", &format!("13: expected a date, found \"Mon\"; {DATES}"));
    check(
        "2026-12-24..2026-12-26 08:00",
        &format!("24: expected no time, as the begin has none, found \"08:00\"; {DATES}"),
    );
    check("2026-12-24 08:00-16:00", &format!("17: expected '..' and the end, found \"-\"; {DATE_TIMES}"));
    check(
        "2026-12-24 08:00..2026-12-25",
        &format!("29: expected a time, as the begin has one, found the end; {DATE_TIMES}"),
    );
    const BACKWARDS: &str = r#"the span ends before it begins or holds nothing; write the earlier end first, such as "2026-12-20..2027-01-06""#;
    check("2026-12-24..2026-12-23", &format!("13: {BACKWARDS}"));
    check("2026-12-24 08:00..2026-12-24 08:00", &format!("19: {BACKWARDS}"));
    let long = Span::parse(&" ".repeat(257)).unwrap_err();
    assert_eq!((long.kind, long.text.len()), (SpanErrorKind::TooLong { bytes: 257 }, 80));
}

#[test]
fn shows_as_its_text() {
    let span = Span::parse("fri 16:00 - Mon 08:00").unwrap();
    assert_eq!(format!("{span} {span:>22}"), "fri 16:00 - Mon 08:00  fri 16:00 - Mon 08:00");
}
