//! No template takes long, fills the memory or panics.

use std::time::{Duration, Instant};

use gradus_template::{Part, TemplateErrorKind};
use proptest::prelude::*;

use crate::table::{change, made};

/// Fails what takes too long, with the kind of the error if there is one.
fn kind_of(template: &str) -> Option<TemplateErrorKind> {
    let change = change("prod", Some("app 1.0.0"), "app 1.1.0, chart 2.0.0");
    let began = Instant::now();
    let kind = made("apps/web", Part::Body, template, &change).err().map(|error| error.kind);
    assert!(began.elapsed() < Duration::from_secs(2), "{:?} of {template:.200}", began.elapsed());
    kind
}

#[test]
fn what_would_grow_without_end_is_refused() {
    let grow = "{% for a in artifacts %}".repeat(30) + "x" + &"{% endfor %}".repeat(30);
    assert_eq!(kind_of(&grow), Some(TemplateErrorKind::TooMuch));
    let replaced = format!("{{{{ 'a'{} }}}}", "|replace('a','aaaaaaaaaa')".repeat(12));
    assert_eq!(kind_of(&replaced), Some(TemplateErrorKind::TooLong));
    let said = "{% for a in artifacts %}".repeat(9) + &"x".repeat(9000) + &"{% endfor %}".repeat(9);
    assert_eq!(kind_of(&said), Some(TemplateErrorKind::TooLong));
    assert_eq!(kind_of(&"x".repeat(20_000)), Some(TemplateErrorKind::TooLong));
    assert_eq!(kind_of("{% set a = 'x' %}{% set a = a ~ a %}"), Some(TemplateErrorKind::NotAllowed));
    assert_eq!(kind_of("{{ 'x' * 100000000 }}"), Some(TemplateErrorKind::NotAllowed));
    assert_eq!(kind_of("{{ [1] * 100000000 }}"), Some(TemplateErrorKind::NotAllowed));
    assert!(kind_of(&format!("{{{{ {}1{} }}}}", "(".repeat(4000), ")".repeat(4000))).is_some());
    assert!(kind_of(&format!("{{{{ {}1{} }}}}", "[".repeat(4000), "]".repeat(4000))).is_some());
    assert!(kind_of(&format!("{{{{ {}version }}}}", "not ".repeat(3000))).is_some());
    assert!(kind_of(&format!("{{{{ {}1 }}}}", "-".repeat(8000))).is_some());
    for chain in ["~version", ".a", "[0]", "|upper", "+1", " and 1", " if 1 else 2", "()", "[1:]", "==1"] {
        let chain = chain.repeat(1000);
        assert_eq!(kind_of(&format!("{{{{ version{chain} }}}}")), Some(TemplateErrorKind::TooMuch));
    }
    let ways = "{% if rollback %}a".to_owned() + &"{% elif rollback %}b".repeat(800) + "{% endif %}";
    assert_eq!(kind_of(&ways), Some(TemplateErrorKind::TooMuch));
    let ways = "{% if rollback %}a".to_owned() + &"{% elif rollback %}b".repeat(62) + "{% endif %}";
    assert_eq!(kind_of(&ways), None);
    let deep = "{% if version %}".repeat(32) + "a" + &"{% endif %}".repeat(32);
    assert_eq!(kind_of(&deep), None);
}

/// Words of the language, so that random texts come near to templates.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "{{-",
            "-%}",
            " if ",
            " for ",
            " in ",
            " else ",
            " endif ",
            " endfor ",
            " set ",
            " raw ",
            " endraw ",
            "version",
            "pipeline",
            ".name",
            "artifacts",
            "report",
            "|",
            "replace",
            "join",
            "upper",
            "first",
            "default",
            "('a','b')",
            "[0]",
            "[1:]",
            "~",
            "+",
            "-",
            "/",
            "%",
            "*",
            "**",
            "==",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "'",
            "\"",
            "\\",
            "1",
            "99999999999",
            ",",
            ":",
            " not ",
            " and ",
            "\n",
        ])
        .prop_map(str::to_owned),
        ".{0,4}",
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_rendered_or_refused(template in words()) {
        kind_of(&template);
    }

    #[test]
    fn any_expression_is_rendered_or_refused(inside in words()) {
        kind_of(&format!("{{{{ version|{inside} }}}}"));
        kind_of(&format!("{{% for a in artifacts %}}{{{{ a.to {inside} }}}}{{% endfor %}}"));
    }

    #[test]
    fn the_same_change_makes_the_same_text(template in words()) {
        let change = change("prod", None, "app 1.1.0");
        let both = [0, 1].map(|_| made("apps/web", Part::Message, &template, &change));
        assert_eq!(both[0], both[1]);
    }
}
