//! What GitHub tells of people, and what is made of it.

use gradus_remote::forge::Account;
use serde_json::{Value, json};

use super::Scene;
use super::hub::user;
use super::serve::Reply;

/// What is told of people: Ann is a member who may write and is in the team `release`, Tom may write and is none,
/// Eve may read. Of everybody else nothing is known.
pub(super) fn answer(method: &str, parts: &[&str]) -> Option<Reply> {
    let reply = match (method, parts) {
        ("GET", ["repos", "acme", "fleet", "collaborators", who, "permission"]) => {
            let permission = match *who {
                "ann" | "tom" | "deployer" => "write",
                "eve" => "read",
                _ => return Some(Reply::says(404, &format!("{who} is not a user"))),
            };
            Reply::of(200, json!({"permission": permission, "role_name": permission, "user": user(who)}))
        }
        ("GET", ["users", "ann"]) => {
            Reply::of(200, json!({"login": "ann", "type": "User", "name": "Ann Lee", "email": null}))
        }
        ("GET", ["users", "deployer"]) => {
            Reply::of(200, json!({"login": "deployer", "type": "Bot", "name": ""}))
        }
        ("GET", ["users", who]) => Reply::of(200, json!({"login": who, "type": "User"})),
        ("GET", ["orgs", "acme"]) => Reply::of(200, json!({"login": "acme"})),
        ("GET", ["orgs", "acme", "members", "ann"]) => Reply::of(204, Value::Null),
        ("GET", ["orgs", "acme", "teams", "release", "memberships", "ann"]) => {
            Reply::of(200, json!({"state": "active", "role": "member"}))
        }
        ("GET", ["orgs", "acme", "teams", "release", "memberships", "tom"]) => {
            Reply::of(200, json!({"state": "pending", "role": "member"}))
        }
        ("GET", ["orgs", ..]) => Reply::says(404, "Not Found"),
        ("POST", ["repos", "acme", "fleet", "issues", "comments", _, "reactions"]) => {
            Reply::of(201, json!({"id": 1, "content": "+1"}))
        }
        _ => return None,
    };
    Some(reply)
}

#[tokio::test]
async fn who_may_decide_is_asked() {
    let scene = Scene::new().await;
    let check = async |who: &str, expected: Result<(), &str>, names: &[&str]| {
        let account = Account(who.into());
        let standing = scene.api("ghp_gradus").standing(&account).await.unwrap();
        assert_eq!(standing.may_decide(), expected, "{who}");
        assert_eq!(standing.names, names, "{who}");
    };
    check("ann", Ok(()), &["Ann Lee"]).await;
    check("tom", Err("is no member of the organisation"), &[]).await;
    check("eve", Err("may not write to the repository"), &[]).await;
    check("nobody", Err("may not write to the repository"), &[]).await;
    check("deployer", Err("is a program"), &[]).await;
    check("renovate[bot]", Err("is a program"), &[]).await;
    let is_in = async |who: &str, team: &str| {
        scene.api("ghp_gradus").is_member(&Account(who.into()), team).await.unwrap()
    };
    assert!(is_in("ann", "release").await && is_in("ann", "acme/release").await);
    assert!(!is_in("tom", "release").await, "who was invited is not in it yet");
    assert!(!is_in("eve", "release").await && !is_in("ann", "other/release").await);
    scene.server.calls();
}
