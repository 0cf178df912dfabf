//! Everything that is refused, and in which words.

use crate::world::World;

/// Requests and their answers, one after the other.
async fn check(name: &str, asked: &[(&str, &str)]) {
    let world = World::plain().await;
    let before = world.recorded();
    let mut text = String::new();
    for (head, body) in asked {
        let answer = world.ask(head, body).await;
        assert!(answer.status >= 400, "{head} {body}: {}", answer.body);
        text.push_str(&format!("{head}\n{body}\n{} {}\n\n", answer.status, answer.body));
    }
    insta::assert_snapshot!(name, text);
    assert_eq!(world.recorded(), before, "what is refused leaves nothing behind");
}

#[tokio::test]
async fn names_that_are_not_there() {
    check(
        "unknown_names",
        &[
            ("GET /api/v1/pipelines/apps/wev", ""),
            ("GET /api/v1/pipelines/elsewhere/web", ""),
            ("GET /api/v1/pipelines/APPS/We%20b", ""),
            ("GET /api/v1/pipelines/apps/other", ""),
            ("GET /api/v1/pipelines/apps/web/explain?environment=prd", ""),
            ("GET /api/v1/pipelines/apps/web/history?environment=qa", ""),
            ("GET /api/v1/events?pipeline=apps/wen", ""),
            ("POST /api/v1/pipelines/apps/web/approve", r#"{"environment": "stagng"}"#),
            ("POST /api/v1/pipelines/apps/web/approve", r#"{"environment": "prod", "version": "7.7.7"}"#),
            (
                "POST /api/v1/pipelines/apps/web/report",
                r#"{"environment": "prod", "target": "uk", "state": "failed"}"#,
            ),
            ("POST /api/v1/pipelines/apps/web/report", r#"{"environment": "prod", "state": "failed"}"#),
            ("POST /api/v1/holds", r#"{"namespace": "apps", "pipeline": "wbe", "reason": "x"}"#),
            ("DELETE /api/v1/holds/none", ""),
            ("GET /nothing/here", ""),
            ("PUT /api/v1/pipelines", ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let promote = "POST /api/v1/pipelines/apps/web/promote";
    let report = "POST /api/v1/pipelines/apps/web/report";
    check(
        "malformed_bodies",
        &[
            (promote, ""),
            (promote, r#"{"environment": "prod""#),
            (promote, "{\n  \"environment\": \"prod\",\n  \"dryrun\": true\n}"),
            (promote, r#"{"environment": 7}"#),
            (promote, r#"{"environment": "prod", "version": "a b"}"#),
            (promote, r#"{"environment": "prod", "version": "chart=1.0.0"}"#),
            (promote, r#"{"environment": "prod", "override": " "}"#),
            (promote, r#"{"environment": "prod", "override": "x", "emergency": true}"#),
            (promote, r#"{"environment": "prod", "emergency": true}"#),
            (
                "POST /api/v1/pipelines/apps/web/rollback",
                r#"{"environment": "prod", "emergency": true, "reason": "x"}"#,
            ),
            ("POST /api/v1/pipelines/apps/web/approve", r#"{"environment": "staging"}"#),
            (report, r#"{"environment": "staging", "state": "well"}"#),
            (report, r#"{"environment": "staging", "state": "healthy"}"#),
            (
                report,
                r#"{"environment": "staging", "state": "healthy", "version": "1", "versions": {"app": "1"}}"#,
            ),
            (report, r#"{"environment": "staging", "state": "healthy", "versions": {}}"#),
            (report, r#"{"environment": "staging", "state": "healthy", "versions": {"chart": "1"}}"#),
            (report, r#"{"environment": "staging", "state": "failed", "at": "yesterday"}"#),
            (report, r#"{"environment": "staging", "state": "failed", "at": "2026-01-05T10:00:00Z"}"#),
            (
                "POST /api/v1/pipelines/apps/web/check",
                r#"{"environment": "prod", "check": "E 2 E", "version": "1", "result": "passed"}"#,
            ),
            ("POST /api/v1/holds", r#"{"namespace": "apps", "pipeline": "web", "reason": ""}"#),
            (
                "POST /api/v1/holds",
                r#"{"namespace": "apps", "pipeline": "web", "reason": "x", "name": "../x"}"#,
            ),
            (
                "POST /api/v1/holds",
                r#"{"namespace": "apps", "pipeline": "web", "reason": "x", "until": "2020-01-01T00:00:00Z"}"#,
            ),
            ("GET /api/v1/pipelines?limt=3", ""),
            ("GET /api/v1/pipelines?limit=many", ""),
            ("GET /api/v1/pipelines/apps/web/explain", ""),
            ("GET /api/v1/pipelines\nX-Gradus-User:", ""),
            (&format!("GET /api/v1/pipelines\nX-Gradus-Groups: {}", "g".repeat(300)), ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn web_pages_of_others() {
    let promote = "POST /api/v1/pipelines/apps/web/promote";
    let body = r#"{"environment": "prod"}"#;
    check(
        "foreign_pages",
        &[
            ("GET /api/v1/pipelines\nHost: evil.example", ""),
            ("GET /api/v1/pipelines\nHost: 127.0.0.1.evil.example:80", ""),
            ("GET http://evil.example/api/v1/pipelines\nHost: localhost", ""),
            (&format!("{promote}\nHost: localhost:7070\nOrigin: http://evil.example"), body),
            (&format!("{promote}\nHost: localhost:7070\nOrigin: http://localhost:3000"), body),
            (&format!("{promote}\nHost: localhost:7070\nOrigin: null"), body),
            ("DELETE /api/v1/holds/web\nHost: localhost\nOrigin: http://evil.example", ""),
            ("POST /hooks/wake/apps/web\nHost: evil.example", ""),
            ("POST /hooks/flux/apps/web/dev\nHost: localhost\nOrigin: http://evil.example", "{}"),
        ],
    )
    .await;
}

#[tokio::test]
async fn web_pages_of_our_own() {
    let world = World::plain().await;
    for head in [
        "GET /api/v1/pipelines\nHost: localhost:7070",
        "GET /api/v1/pipelines\nHost: [::1]:7070",
        "GET /api/v1/pipelines\nHost: localhost:7070\nOrigin: http://localhost:7070",
    ] {
        assert_eq!(world.ask(head, "").await.status, 200, "{head}");
    }
    let head = "POST /api/v1/pipelines/apps/web/promote\nHost: localhost:7070\nOrigin: http://localhost:7070";
    assert_eq!(world.ask(head, r#"{"environment": "prod", "dryRun": true}"#).await.status, 200);
}
