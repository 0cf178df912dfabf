//! Who may do what.

use gradus_core::observation::Approval;
use gradus_server::auth::Role;

use crate::tokens::token;
use crate::world::{Setup, World};

const REQUESTS: [(&str, &str); 11] = [
    ("GET /api/v1/pipelines", ""),
    ("GET /api/v1/pipelines/apps/web/history", ""),
    ("GET /api/v1/holds", ""),
    ("GET /api/v1/problems", ""),
    (
        "POST /api/v1/pipelines/apps/web/report",
        r#"{"environment": "staging", "state": "healthy", "version": "1.1.0"}"#,
    ),
    (
        "POST /api/v1/pipelines/apps/web/check",
        r#"{"environment": "prod", "check": "e2e", "version": "1.1.0", "result": "passed"}"#,
    ),
    ("POST /api/v1/pipelines/apps/web/approve", r#"{"environment": "prod"}"#),
    ("POST /api/v1/pipelines/apps/web/promote", r#"{"environment": "prod", "dryRun": true}"#),
    ("POST /api/v1/pipelines/apps/web/rollback", r#"{"environment": "staging", "dryRun": true}"#),
    ("POST /api/v1/holds", r#"{"namespace": "apps", "pipeline": "web", "reason": "x"}"#),
    ("DELETE /api/v1/holds/web", ""),
];

#[tokio::test]
async fn each_role_may_what_the_table_says() {
    let mut table = String::new();
    for role in Role::ALL {
        let world = World::new(Setup { tokens: true, ..Setup::default() }).await;
        let now = gradus_engine::port::Clock::now(&world.fakes.clock);
        let secret = world.tokens.create(token("mia", &[role]), now).unwrap();
        for (head, body) in REQUESTS {
            let asked = format!("{head}\nAuthorization: Bearer {}", secret.reveal());
            let answer = world.ask(&asked, body).await;
            table.push_str(&format!("{:<9} {head}: {}\n", role.word(), answer.status));
        }
        table.push('\n');
    }
    insta::assert_snapshot!("roles", table);
}

#[tokio::test]
async fn without_a_good_token_only_what_tells_nothing_is_answered() {
    let world = World::new(Setup { tokens: true, ..Setup::default() }).await;
    let mut text = String::new();
    for head in [
        "",
        "\nAuthorization: Basic bWlhOm1pYQ==",
        "\nAuthorization: Bearer gradus_0",
        "\nX-Gradus-User: mia",
    ] {
        for (request, body) in REQUESTS {
            let answer = world.ask(&format!("{request}{head}"), body).await;
            assert_eq!(answer.status, 401, "{request}{head}");
        }
        let answer = world.ask(&format!("GET /api/v1/events{head}"), "").await;
        text.push_str(&format!("{}{}\n", head.trim(), answer.body));
    }
    insta::assert_snapshot!("not_let_in", text);
    for path in ["/healthz", "/readyz", "/metrics", "/api/v1/version", "/api/v1/openapi.json"] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_approval_carries_the_holder_of_the_token_and_nobody_else() {
    let world = World::new(Setup { tokens: true, ..Setup::default() }).await;
    let now = gradus_engine::port::Clock::now(&world.fakes.clock);
    let secret = world.tokens.create(token("mia", &[Role::Approver]), now).unwrap();
    let head = format!(
        "POST /api/v1/pipelines/apps/web/approve\nAuthorization: bearer {}\nX-Gradus-User: eve\nX-Gradus-Groups: all",
        secret.reveal()
    );
    assert_eq!(world.ask(&head, r#"{"environment": "prod"}"#).await.status, 200);
    let view = world.fakes.ledger.view_of(&world.pipeline.key);
    let Approval { by, groups, aliases, .. } = view.approvals.into_values().flatten().next().unwrap();
    assert_eq!(by.as_str(), "mia");
    assert_eq!(groups.iter().map(|group| group.as_str()).collect::<Vec<_>>(), ["release-managers"]);
    assert_eq!(aliases.iter().map(|alias| alias.as_str()).collect::<Vec<_>>(), ["mia@example.com"]);
}
