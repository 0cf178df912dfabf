//! What is said of GitHub.

use serde_json::json;

use super::hub::App;
use super::{Scene, address, api};
use crate::forge::examined::{of_branch, told};
use gradus_remote::forge::{ForgeKind, RepoAddress};

const GIVEN: Option<&str> = Some("a token");

#[tokio::test]
async fn github_is_told_of() {
    let scene = Scene::new().await;
    let git = scene.git.remote();
    let mut text = String::new();
    let mut say = |title: &str, what: String| text.push_str(&format!("# {title}\n{what}\n"));
    say("all is well", told(&*scene.api("ghp_gradus"), GIVEN, Some(&git)).await);
    say("a wrong token", told(&*scene.api("ghp_wrong"), GIVEN, None).await);
    say("a scope is missing", told(&*scene.api("ghp_gist"), GIVEN, None).await);
    say("a token that may only read", told(&*scene.api("github_pat_read"), GIVEN, None).await);
    let typo = RepoAddress { name: "flete".to_owned(), ..address(&scene.server) };
    say("a typo", told(&*super::api_at(typo, "ghp_gradus"), GIVEN, None).await);
    // That one notes calls that there are none of.
    let other = Scene::new().await;
    let path = format!("{}/git/acme/fleet", other.server.url());
    let wrong = RepoAddress::parse(ForgeKind::GitHub, &path, None).unwrap();
    say("below a path that is none", told(&*super::api_at(wrong, "ghp_gradus"), GIVEN, None).await);
    let nobody = RepoAddress::parse(ForgeKind::GitHub, "http://127.0.0.1:1/acme/fleet", None).unwrap();
    say("a wrong host", told(&*super::api_at(nobody, "ghp_gradus"), GIVEN, None).await);
    say("no such branch", of_branch(&*scene.api("ghp_gradus"), GIVEN, None, Some("production")).await);
    {
        let mut hub = scene.server.hub();
        hub.rules.sets = vec![
            json!({"type": "deletion", "ruleset_id": 1}),
            json!({"type": "pull_request", "ruleset_id": 1, "parameters": {
                "required_approving_review_count": 2, "require_code_owner_review": true,
                "required_review_thread_resolution": false, "allowed_merge_methods": ["merge", "squash"],
            }}),
            json!({"type": "required_status_checks", "ruleset_id": 1, "parameters": {
                "strict_required_status_checks_policy": true, "required_status_checks": [{"context": "ci/lint"}],
            }}),
            json!({"type": "merge_queue", "ruleset_id": 1, "parameters": {}}),
        ];
        hub.rules.classic = Some(json!({
            "required_status_checks": {"strict": false, "contexts": ["ci/test"]},
            "required_pull_request_reviews": {"required_approving_review_count": 1},
            "restrictions": {"users": [{"login": "ann"}], "teams": [{"slug": "release-managers"}], "apps": []},
            "required_linear_history": {"enabled": false},
        }));
    }
    say("rules", told(&*scene.api("ghp_gradus"), GIVEN, None).await);
    {
        let mut hub = scene.server.hub();
        hub.rules.is_admin = true;
        hub.rules.hooks = vec![json!({
            "active": true, "events": ["pull_request", "push"], "config": {"url": "https://gradus.acme.io/hooks/forge/github"},
        })];
    }
    say("rules, told in full", told(&*api(&scene.server, "ghp_gradus"), GIVEN, None).await);
    scene.server.hub().archived = true;
    say("archived", told(&*scene.api("ghp_gradus"), GIVEN, None).await);
    scene.server.calls();
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_app_is_told_of() {
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let mut text = String::new();
    for (title, permissions) in [
        (
            "all is well",
            json!({"contents": "write", "pull_requests": "write", "statuses": "write", "issues": "write", "checks": "read"}),
        ),
        ("something is missing", json!({"contents": "write", "pull_requests": "write"})),
        ("it cannot be used", json!({"contents": "write", "pull_requests": "read"})),
    ] {
        let scene = Scene::new().await;
        let public_key = key.public_key_raw().to_vec();
        scene.server.hub().app = Some(App { public_key, permissions, life: 3600, tokens: Vec::new() });
        let what = told(&*scene.app(&key.serialize_pem()), Some("the GitHub App 7"), None).await;
        text.push_str(&format!("# {title}\n{what}\n"));
    }
    let scene = Scene::new().await;
    let what = told(&*scene.app(&key.serialize_pem()), Some("the GitHub App 7"), None).await;
    text.push_str(&format!("# another's key\n{what}\n"));
    insta::assert_snapshot!(text);
}
