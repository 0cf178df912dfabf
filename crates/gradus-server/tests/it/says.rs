//! What people and machines say: what is answered, and what is recorded of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gradus_engine::fake::{Fault, Faults, Moment};
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_server::api::v1;

use crate::world::{Setup, World};

/// Says one thing after the other and compares the answers.
async fn check(name: &str, said: &[(&str, &str)]) -> World {
    let world = World::plain().await;
    let mut text = String::new();
    for (head, body) in said {
        let answer = world.ask(head, body).await;
        text.push_str(&format!("{head}\n{body}\n\n{}\n{}\n\n", answer.status, answer.pretty()));
    }
    insta::assert_snapshot!(name, text);
    world
}

const APPROVE: &str = "POST /api/v1/pipelines/apps/web/approve";
const PROMOTE: &str = "POST /api/v1/pipelines/apps/web/promote";
const ROLLBACK: &str = "POST /api/v1/pipelines/apps/web/rollback";
const REPORT: &str = "POST /api/v1/pipelines/apps/web/report";
const CHECK: &str = "POST /api/v1/pipelines/apps/web/check";

#[tokio::test]
async fn an_approval_names_who_said_it() {
    let head = format!("{APPROVE}\nX-Gradus-User: Mía\nX-Gradus-Groups: release-managers, eu");
    let world = check("approve", &[(&head, r#"{"environment": "prod", "version": "1.1.0"}"#)]).await;
    let approvals = world.fakes.ledger.view_of(&world.pipeline.key).approvals;
    let approval = approvals.values().flatten().next().expect("it is recorded");
    assert_eq!(approval.by.as_str(), "Mía");
    assert_eq!(
        approval.groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(),
        ["release-managers", "eu"]
    );
}

#[tokio::test]
async fn a_dry_run_records_nothing() {
    let before = World::plain().await.recorded().len();
    let body = r#"{"environment": "prod", "override": "we have to", "dryRun": true}"#;
    let world = check("promote_dry_run", &[(PROMOTE, body)]).await;
    assert_eq!(world.recorded().len(), before);
}

#[tokio::test]
async fn a_promotion_is_recorded_once() {
    let body = r#"{"environment": "prod", "override": "we have to"}"#;
    let world = check("promote", &[(PROMOTE, body)]).await;
    let again = world.ask(PROMOTE, body).await;
    assert_eq!(again.status, 200);
    let requests = world.recorded().iter().filter(|entry| matches!(entry, Entry::Request { .. })).count();
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_way_back_goes_to_what_was_there_before() {
    let world = World::plain().await;
    let answer = world.ask(ROLLBACK, r#"{"environment": "staging", "reason": "it is slow"}"#).await;
    let asked: v1::Asked = answer.json();
    assert!(asked.recorded);
    assert_eq!(asked.release.version.as_deref(), Some("1.0.0"));
    let step = asked.steps.iter().find(|step| step.environment == "staging").expect("a step");
    let request = step.request.as_ref().expect("it is by request");
    assert_eq!((request.kind, request.reason.as_deref()), (v1::RequestKind::Rollback, Some("it is slow")));
}

#[tokio::test]
async fn a_report_is_recorded_as_it_was_told() {
    let world = World::plain().await;
    let said = [
        (
            r#"{"environment": "staging", "state": "healthy", "version": "1.1.0"}"#,
            "Healthy { release: Release(1.1.0) }",
        ),
        (r#"{"environment": "staging", "state": "deploying"}"#, "Deploying { release: None }"),
        (
            r#"{"environment": "staging", "state": "failed", "versions": {"app": "1.1.0"}, "message": "\u001b[1mno\n"}"#,
            r#"Failed { release: Some(Release(1.1.0)), why: "[1mno" }"#,
        ),
        (
            r#"{"environment": "staging", "state": "failed"}"#,
            r#"Failed { release: None, why: "reported as failed" }"#,
        ),
        (
            r#"{"environment": "staging", "state": "rolled-back", "version": "app=1.0.0"}"#,
            "RolledBack { to: Release(1.0.0) }",
        ),
        (r#"{"environment": "prod", "target": "eu", "state": "not-deployed"}"#, "NotDeployed"),
    ];
    for (body, recorded) in said {
        let answer = world.ask(&format!("{REPORT}\nX-Gradus-User: ci"), body).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        let entries = world.recorded();
        let Some(Entry::Report { reported, by, .. }) = entries.last() else { panic!("{entries:?}") };
        assert_eq!((format!("{reported:?}"), by.as_str()), (recorded.to_owned(), "ci"), "{body}");
        world.fakes.clock.advance(jiff::SignedDuration::from_secs(1));
    }
}

#[tokio::test]
async fn a_report_that_is_late_does_not_replace_a_newer_one() {
    let world = World::plain().await;
    let say = async |state: &str, at: &str| {
        let body =
            format!(r#"{{"environment": "staging", "state": "{state}", "version": "1.1.0", "at": "{at}"}}"#);
        assert_eq!(world.ask(REPORT, &body).await.status, 202);
    };
    say("failed", "2026-01-05T09:04:00Z").await;
    say("healthy", "2026-01-05T09:03:00Z").await;
    let view = world.fakes.ledger.view_of(&world.pipeline.key);
    let state =
        view.targets.iter().find(|((environment, _), _)| environment.as_str() == "staging").unwrap().1;
    let failed = matches!(state, gradus_core::observation::TargetState::Failed { .. });
    assert!(failed, "{state:?}");
}

#[tokio::test]
async fn a_check_is_recorded_by_who_reported_it() {
    let world = World::plain().await;
    let body = r#"{"environment": "prod", "check": "e2e", "version": "1.1.0", "result": "passed", "detail": "12 of 12"}"#;
    let answer = world.ask(&format!("{CHECK}\nX-Gradus-User: e2e-runner"), body).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, r#"{"recorded":true}"#));
    let entries = world.recorded();
    let Some(Entry::Check { fact, .. }) = entries.last() else { panic!("{entries:?}") };
    assert_eq!((fact.reporter.as_str(), fact.detail.as_deref()), ("e2e-runner", Some("12 of 12")));
    assert_eq!(fact.release, gradus_engine::fake::sketch::release("1.1.0"));
}

#[tokio::test]
async fn holds_are_set_listed_and_lifted() {
    let freeze = r#"{"namespace": "apps", "pipeline": "web", "environment": "prod", "reason": "audit", "until": "2026-02-01T00:00:00Z"}"#;
    let pin = r#"{"namespace": "apps", "pipeline": "web", "environment": "prod", "version": "1.0.0", "reason": "stay"}"#;
    check(
        "holds",
        &[
            ("POST /api/v1/holds\nX-Gradus-User: mia", freeze),
            ("POST /api/v1/holds", pin),
            (
                "POST /api/v1/holds",
                r#"{"namespace": "apps", "pipeline": "web", "name": "web-prod", "reason": "again"}"#,
            ),
            ("GET /api/v1/holds", ""),
            ("DELETE /api/v1/holds/web-prd", ""),
            ("DELETE /api/v1/holds/web-prod?namespace=apps", ""),
            ("DELETE /api/v1/holds/web-prod", ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_said_to_be() {
    let full = Arc::new(AtomicBool::new(false));
    let is_full = full.clone();
    let faults = Faults::directed(move |point| {
        let fails = point.what == "ledger.record" && point.moment == Moment::Before;
        if fails && is_full.load(Ordering::Relaxed) { Fault::Fail } else { Fault::None }
    });
    let world = World::new(Setup { faults, ..Setup::default() }).await;
    full.store(true, Ordering::Relaxed);
    let answer =
        world.ask(REPORT, r#"{"environment": "staging", "state": "healthy", "version": "9.9.9"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "not-recorded"));
    let reported = world.recorded().into_iter().any(|entry| {
        matches!(entry, Entry::Report { reported: Reported::Healthy { release }, .. } if release.to_string() == "9.9.9")
    });
    assert!(!reported);
}
