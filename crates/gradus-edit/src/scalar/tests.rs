use super::{Type, is_canonical_number, types};

#[test]
fn readers_take_plain_scalars_for_these_types() {
    let check = |text: &str, yaml_1_1: Type, yaml_1_2: Type| {
        let found = types(text);
        assert_eq!((found.yaml_1_1, found.yaml_1_2), (yaml_1_1, yaml_1_2), "{text:?}");
    };
    use Type::{Bool, Date, Null, Number, Special, Text};
    for text in
        ["6.0.0", "v1", "main", "1.2.3-rc.1", "1e", "e3", "0x", "0b2", "_1", ".", "1:", "a:1", "12.30.45"]
    {
        check(text, Text, Text);
    }
    for text in
        ["sha256:aa", "2026-1", "2026-01-31a", "20260131-1", "--", "+", "yess", "1.2:3x", "1h30m", "é"]
    {
        check(text, Text, Text);
    }
    for text in [
        "1", "-1", "+1", "1.10", "1.", ".5", "1e3", "1234e56", "1.5E-3", "0x1F", "0o17", ".inf", "-.INF",
        ".NaN", "007",
    ] {
        check(text, Number, Number);
    }
    for text in ["1_000", "0b11", "-0x1_f", "1:30", "190:20:30.5", "+0o7", "1_0.5e3", "0X1f"] {
        check(text, Number, Text);
    }
    for text in ["true", "False", "TRUE"] {
        check(text, Bool, Bool);
    }
    for text in ["on", "Off", "y", "N", "YES", "no", "tRuE"] {
        check(text, Bool, Text);
    }
    for text in ["2026-01-31", "2026-1-3", "2026-01-31T10:00:00Z", "2026-01-31 10:00"] {
        check(text, Date, Text);
    }
    for text in ["", "~", "null", "NULL"] {
        check(text, Null, Null);
    }
    check("<<", Special, Text);
    check("=", Special, Text);
}

#[test]
fn a_canonical_number_is_read_and_written_the_same() {
    for text in ["0", "4", "-1", "1.5", "0.25", "123456789012345", "-0.5"] {
        assert!(is_canonical_number(text), "{text}");
    }
    for text in
        ["", "-", "007", "1.10", "1.", ".5", "+1", "1e3", "0x1", "-0", "1234567890123456", "1_0", "1.0"]
    {
        assert!(!is_canonical_number(text), "{text}");
    }
}
