//! What people have in their repositories today is written byte for byte by templates.

use gradus_core::observation::RequestKind;
use gradus_template::{Part, Sample, check};

use crate::table::{asked, change, made};

/// What one template makes of a change of `flux-system/podinfo`.
fn podinfo(part: Part, template: &str, environment: &str, version: &str) -> String {
    let change = change(environment, Some("podinfo v1.1.8"), &format!("podinfo {version}"));
    made("flux-system/podinfo", part, template, &change).unwrap()
}

#[test]
fn a17_branches_titles_and_commits_of_chained_releases_are_kept() {
    const BRANCH: &str = "{{ pipeline.name }}-promotion-{{ environment }}";
    const TITLE: &str = "Promote {{ pipeline.name }} release to {{ version }} \
                         {% if environment == 'uat' %}for UAT{% else %}on {{ environment }}{% endif %}";
    const COMMIT: &str = "Update {{ pipeline.name }} to {{ version }}";
    assert_eq!(podinfo(Part::Branch, BRANCH, "uat", "v1.1.9"), "podinfo-promotion-uat");
    assert_eq!(podinfo(Part::Title, TITLE, "uat", "v1.1.9"), "Promote podinfo release to v1.1.9 for UAT");
    assert_eq!(podinfo(Part::Title, TITLE, "stg", "v1.1.9"), "Promote podinfo release to v1.1.9 on stg");
    assert_eq!(podinfo(Part::Title, TITLE, "prod", "v1.1.9"), "Promote podinfo release to v1.1.9 on prod");
    assert_eq!(podinfo(Part::Message, COMMIT, "prod", "v1.1.9"), "Update podinfo to v1.1.9");
}

#[test]
fn a17_the_branch_titles_and_texts_of_the_older_kind_are_kept() {
    const BRANCH: &str = "promotion-{{ pipeline.namespace }}-{{ pipeline.name }}-{{ environment }}";
    const TITLE: &str =
        "Promote {{ pipeline.namespace }}/{{ pipeline.name }} in {{ environment }} to {{ version }}";
    const BODY: &str = "<details>\n<summary>metadata</summary>\n!!! DO NOT EDIT !!!\n\n\
                        {{ pipeline.namespace }}/{{ pipeline.name }}/{{ environment }}\n</details>";
    assert_eq!(podinfo(Part::Branch, BRANCH, "uat", "1.2.3"), "promotion-flux-system-podinfo-uat");
    assert_eq!(podinfo(Part::Title, TITLE, "prod", "1.2.3"), "Promote flux-system/podinfo in prod to 1.2.3");
    assert_eq!(
        podinfo(Part::Body, BODY, "prod", "1.2.3"),
        "<details>\n<summary>metadata</summary>\n!!! DO NOT EDIT !!!\n\nflux-system/podinfo/prod\n</details>"
    );
    assert_eq!(podinfo(Part::Message, "promoting version", "prod", "1.2.3"), "promoting version");
}

#[test]
fn everything_that_may_be_used_is_there() {
    let all = "{{ pipeline.namespace }} {{ pipeline.name }} {{ environment }} | {{ from }} {{ to }} {{ version }} | \
               {% for one in artifacts %}{{ one.name }} {{ one.from }} {{ one.to }};{% endfor %} | {{ repository.url }} \
               {{ base }} {{ branch }} | {{ proven_in|join(' and ') }} | {{ requested_by }} {{ reason }} | \
               {{ approved_by|length }} {{ rollback }} | {{ report }}";
    let proven = change("prod", Some("app 1.0.0"), "app 1.1.0");
    let back = asked(proven.clone(), RequestKind::Rollback, Some("it\nfails"));
    insta::assert_snapshot!([&proven, &back].map(|change| made("apps/web", Part::Body, all, change).unwrap()).join("\n"), @"
    apps web prod | 1.0.0 1.1.0 1.1.0 | app 1.0.0 1.1.0; | https://github.com/acme/fleet main gradus/a/b/c | staging |   | 0 False | The report.
    apps web prod | 1.0.0 1.1.0 1.1.0 | app 1.0.0 1.1.0; | https://github.com/acme/fleet main gradus/a/b/c |  | Ada Lovelace it fails | 0 True | The report.
    ");
}

#[test]
fn several_artifacts_are_told_by_their_names() {
    let both = change("prod", Some("app 1.0.0"), "app 1.1.0, chart 2.0.0");
    let said = made(
        "apps/web",
        Part::Title,
        "{{ from.app }} {{ to.app }} {{ from.chart|default('-') }} {{ to.chart }}",
        &both,
    );
    assert_eq!(said.unwrap(), "1.0.0 1.1.0 - 2.0.0");
    let artifacts = ["app", "chart"].map(|name| gradus_core::names::ArtifactName::parse(name).unwrap());
    let key = gradus_core::names::PipelineKey::parse("apps/web").unwrap();
    let sample = Sample { pipeline: &key, environment: &both.environment, artifacts: &artifacts };
    check(Part::Title, "{{ to.chart }}", &sample).unwrap();
    assert!(check(Part::Title, "{{ to.image }}", &sample).is_err());
}

#[test]
fn filters_do_what_they_say() {
    let template = "{{ version|upper }} {{ version|lower }} {{ version|replace('-', '_') }} {{ version|short }} \
                    {{ version|short(2) }} {{ ' a '|trim }} {{ proven_in|first }} {{ proven_in|last }} \
                    {{ reason|default('none') }} {{ version|length }} {{ approved_by|join }}";
    let change = change("prod", None, "app v1.1.0-RC1");
    let said = made("apps/web", Part::Title, template, &change).unwrap();
    assert_eq!(said, "V1.1.0-RC1 v1.1.0-rc1 v1.1.0_RC1 v1.1.0- v1 a staging staging none 10");
}

#[test]
fn what_people_write_stays_on_its_line() {
    let asked =
        asked(change("prod", None, "app 1.1.0"), RequestKind::Promote, Some("why\n\nGradus-Version: 9"));
    let said = made("apps/web", Part::Message, "Go\n\n{{ reason }}", &asked).unwrap();
    assert_eq!(said, "Go\n\nwhy Gradus-Version: 9");
}
