//! What GitHub tells of itself and of the rules of a repository.

use serde_json::{Value, json};

use super::hub::Hub;
use super::serve::{Call, Reply};

/// The rules of main.
#[derive(Default)]
pub(in crate::forge) struct Rules {
    /// Those of rulesets, which everybody is told.
    pub(super) sets: Vec<Value>,
    /// The protection of before, which only administrators are told.
    pub(super) classic: Option<Value>,
    pub(super) is_admin: bool,
    pub(super) hooks: Vec<Value>,
}

impl Hub {
    pub(super) fn tells(&self, call: &Call, parts: &[&str]) -> Option<Reply> {
        if call.method != "GET" {
            return None;
        }
        let admins = || Reply::says(403, "Must have admin rights to Repository.");
        let rules = &self.rules;
        Some(match parts {
            [""] => Reply::of(200, json!({"current_user_url": format!("{}/api/v3/user", self.url)}))
                .with("x-github-enterprise-version", "3.17.0"),
            ["user", "repos"] | ["installation", "repositories"] => {
                let all = json!([{"full_name": "acme/fleet"}, {"full_name": "acme/web"}]);
                let is_app = parts[0] == "installation";
                Reply::of(200, if is_app { json!({"total_count": 2, "repositories": all}) } else { all })
            }
            ["repos", "acme", "fleet", "branches", "main"] => Reply::of(
                200,
                json!({
                    "name": "main", "commit": {"sha": self.tip("main")}, "protected": rules.classic.is_some(),
                    "protection": {"enabled": true, "required_status_checks": {"enforcement_level": "everyone", "contexts": ["ci/test"]}},
                }),
            ),
            ["repos", "acme", "fleet", "branches", name] => match self.tip(name) {
                Some(tip) => {
                    Reply::of(200, json!({"name": name, "commit": {"sha": tip}, "protected": false}))
                }
                None => Reply::says(404, "Branch not found"),
            },
            ["repos", "acme", "fleet", "rules", "branches", _] => {
                Reply::of(200, Value::Array(rules.sets.clone()))
            }
            ["repos", "acme", "fleet", "branches", "main", "protection"] => match &rules.classic {
                Some(classic) if rules.is_admin => Reply::of(200, classic.clone()),
                Some(_) => admins(),
                None => Reply::says(404, "Branch not protected"),
            },
            ["repos", "acme", "fleet", "hooks"] if rules.is_admin => {
                Reply::of(200, Value::Array(rules.hooks.clone()))
            }
            ["repos", "acme", "fleet", "hooks"] => admins(),
            ["repos", "acme", other] if *other != "fleet" => Reply::says(404, "Not Found"),
            ["repos", owner, _] if *owner != "acme" => Reply::says(404, "Not Found"),
            _ => return None,
        })
    }
}
