//! Every mistake has words for people.

use gradus_template::Part;

use crate::table::{change, made};

#[test]
fn mistakes_are_told_with_what_may_be_written() {
    let change = change("prod", Some("app 1.0.0"), "app 1.1.0");
    let all = [
        (Part::Title, "{{ versoin }}"),
        (Part::Title, "{{ report }}"),
        (Part::Title, "{{ pipeline.nmae }}"),
        (Part::Title, "{{ to.chart }}"),
        (Part::Title, "one\n{{ version"),
        (Part::Title, "{{ version|shout }}"),
        (Part::Title, "{{ version|replace }}"),
        (Part::Title, "one\ntwo"),
        (Part::Title, "{{ reason }}"),
        (Part::Title, "{% set a = 1 %}"),
        (Part::Body, "a\n{% macro a() %}{% endmacro %}"),
        (Part::Body, "{% for a in artifacts recursive %}{% endfor %}"),
        (Part::Body, "{{ 'a' * 100000 }}"),
        (Part::Body, "{{ range(3) }}"),
        (Part::Body, "{{ version is defined }}"),
        (Part::Body, "{{ version.upper() }}"),
        (Part::Body, "{{ '\\u0007' }}"),
        (Part::Body, "{% include 'secret' %}"),
        (Part::Branch, "promote-{{ version }}"),
    ];
    let mut told = String::new();
    for (part, template) in all {
        let error = made("apps/web", part, template, &change).unwrap_err();
        told += &format!("{template:?}\n  {:?}: {error}\n", error.kind);
        if let Some(hint) = error.hint {
            told += &format!("  {hint}\n");
        }
    }
    insta::assert_snapshot!(told);
}
