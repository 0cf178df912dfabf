//! Automation that is asked for a promotion: in GitLab by a run with variables, in the others not at all.

use gradus_core::names::{
    ArtifactName, BranchName, EnvironmentName, EventType, Person, PipelineKey, RepoPath, TargetName,
};
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::Repository;
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::dispatch::DispatchOrder;
use gradus_remote::forge::ForgeErrorKind;

use super::doubles::{Double, GITLAB, Who};
use super::story::Place as _;

/// What is asked for.
pub(super) fn order() -> DispatchOrder {
    let release =
        |text: &str| Release::single(ArtifactName::parse("app").unwrap(), Version::parse(text).unwrap());
    DispatchOrder {
        repository: Repository {
            url: "https://git.example.com/acme/fleet.git".into(),
            branch: None,
            paths: Vec::new(),
            secret: None,
            forge: None,
            commit: Default::default(),
        },
        event: EventType::promotion(),
        on: BranchName::parse("main").unwrap(),
        promotion: "5f0c1d9e8b7a6f5e4d3c2b1a09f8e7d6c5b4a392".into(),
        pipeline: PipelineKey::parse("apps/web").unwrap(),
        environment: EnvironmentName::parse("prod").unwrap(),
        from: Some(release("1.0.0")),
        to: release("1.1.0"),
        base: BranchName::parse("main").unwrap(),
        files: vec![RepoPath::parse("prod/web.yaml").unwrap()],
        targets: vec![TargetName::parse("eu").unwrap(), TargetName::parse("us").unwrap()],
        asked: Some((RequestKind::Promote, Person::parse("ann").unwrap())),
        approved_by: vec![Person::parse("rita").unwrap()],
        because: "ann asked for it.".to_owned(),
    }
}

/// What each forge does when it is asked.
pub(super) async fn asks(place: &Double) {
    let asked = place.api(Who::Gradus).dispatch(&order()).await;
    if place.kind().name == "gitlab" {
        assert!(asked.unwrap().unwrap().ends_with("/shop/apps/fleet/-/pipelines/1"));
        return;
    }
    let error = asked.unwrap_err();
    assert!(matches!(error.kind(), ForgeErrorKind::Unsupported(_)), "{error:?}");
}

#[tokio::test]
async fn gitlab_runs_with_all_that_is_known() {
    let place = Double::start(&GITLAB).await;
    asks(&place).await;
    assert_eq!(place.seen(), [("create a pipeline", 201)]);
    let runs = place.runs();
    let [(on, variables)] = runs.as_slice() else { panic!("{runs:?}") };
    assert_eq!(on, "main");
    let lines: Vec<String> = variables.iter().map(|(key, value)| format!("{key}={value}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
    // Where nothing is yet, and for several artifacts, there is nothing to put into some of them.
    let pair =
        ["app", "chart"].map(|name| (ArtifactName::parse(name).unwrap(), Version::parse("2.0.0").unwrap()));
    let first = DispatchOrder { from: None, to: Release::new(pair).unwrap(), ..order() };
    place.api(Who::Gradus).dispatch(&first).await.unwrap();
    let names: Vec<String> = place.runs()[1].1.iter().map(|(key, _)| key.clone()).collect();
    assert!(!names.iter().any(|name| name == "GRADUS_FROM" || name == "GRADUS_VERSION"), "{names:?}");
}

#[tokio::test]
async fn gitlab_says_why_it_does_not_run() {
    let place = Double::start(&GITLAB).await;
    let mut told = Vec::new();
    for who in [Who::Nobody, Who::Reader] {
        let error = place.api(who).dispatch(&order()).await.unwrap_err();
        told.push(format!("{error}\n  {}", error.hint()));
    }
    let error = place.at("shop/apps/gone").dispatch(&order()).await.unwrap_err();
    assert_eq!(*error.kind(), ForgeErrorKind::NotFound);
    told.push(format!("{error}\n  {}", error.hint()));
    let nowhere = DispatchOrder { on: BranchName::parse("automation").unwrap(), ..order() };
    let error = place.api(Who::Gradus).dispatch(&nowhere).await.unwrap_err();
    told.push(format!("{error}\n  {}", error.hint()));
    place.without_variables();
    let error = place.api(Who::Gradus).dispatch(&order()).await.unwrap_err();
    told.push(format!("{error}\n  {}", error.hint()));
    assert!(place.runs().is_empty());
    let url = place.repository();
    let host = url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    insta::assert_snapshot!(told.join("\n").replace(&host, "HOST"));
    place.seen();
}
