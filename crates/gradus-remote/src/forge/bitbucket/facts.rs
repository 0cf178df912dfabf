//! What Bitbucket Cloud tells of itself and of a repository.

use async_trait::async_trait;
use gradus_core::names::BranchName;
use serde::Deserialize;

use super::{Bitbucket, requests};
use crate::forge::error::ForgeError;
use crate::forge::model::Identity;
use crate::forge::request::{Method, Request};
use crate::forge::survey::{ForgeSurvey, Hook, Lack, Left, Protection, if_told};

#[derive(Deserialize)]
struct Page<T> {
    values: Vec<T>,
}

#[derive(Deserialize)]
struct Restriction {
    kind: String,
    #[serde(default)]
    pattern: String,
    value: Option<u32>,
}

#[derive(Deserialize)]
struct Webhook {
    #[serde(default)]
    url: String,
    #[serde(default)]
    active: bool,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
struct Named {
    full_name: String,
}

impl Restriction {
    fn add(self, protection: &mut Protection) {
        protection.is_protected = true;
        let number = self.value.unwrap_or(1);
        match self.kind.as_str() {
            "require_approvals_to_merge" => protection.approvals = protection.approvals.max(number),
            "require_passing_builds_to_merge" => protection.rule(&format!("builds that passed: {number}")),
            "push" => protection.rule("only whom it names may push"),
            "restrict_merges" => protection.rule("only whom it names may merge"),
            // Nothing that gradus would do.
            "force" | "delete" => {}
            other => protection.rule(&other.replace('_', " ")),
        }
    }
}

#[async_trait]
impl ForgeSurvey for Bitbucket {
    /// `api-group-branch-restrictions/#api-repositories-workspace-repo-slug-branch-restrictions-get`.
    async fn protection(&self, branch: &BranchName) -> Result<Protection, ForgeError> {
        let doing = format!("read the rules of {branch} of {}", self.address);
        let request = requests::of(&self.address).at(Method::Get, doing, &["branch-restrictions"]);
        let mut protection = Protection::default();
        match if_told(self.client.ask::<Page<Restriction>>(&request.with("pagelen", "100")).await)? {
            Some(told) => {
                let here = |rule: &Restriction| rule.pattern.contains('*') || rule.pattern == branch.as_str();
                told.values.into_iter().filter(here).for_each(|rule| rule.add(&mut protection));
            }
            None => protection.untold = Some("the rules of branches are only told to administrators"),
        }
        Ok(protection)
    }

    /// `api-group-repositories/#api-repositories-workspace-repo-slug-hooks-get`.
    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        let doing = format!("read the webhooks of {}", self.address);
        let request = requests::of(&self.address).at(Method::Get, doing, &["hooks"]).with("pagelen", "100");
        let hooks = self.client.ask::<Page<Webhook>>(&request).await?.values.into_iter();
        Ok(hooks.map(|hook| Hook { url: hook.url, active: hook.active, events: hook.events }).collect())
    }

    /// `api-group-repositories/#api-repositories-workspace-get`.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        let doing = format!("look for repositories like {}", self.address);
        let request = Request::new(Method::Get, doing, &["repositories", &self.address.owner()]);
        let request = request.with("role", "member").with("pagelen", "100");
        let found = self.client.ask::<Page<Named>>(&request).await?.values;
        Ok(found.into_iter().map(|repository| repository.full_name).collect())
    }

    fn lacking(&self, identity: &Identity) -> Vec<Lack> {
        let Some(scopes) = &identity.scopes else { return Vec::new() };
        let wanted = [
            (
                ["repository:write", "write:repository:bitbucket"],
                "the scope repository:write",
                "push branches",
            ),
            (
                ["pullrequest:write", "write:pullrequest:bitbucket"],
                "the scope pullrequest:write",
                "open pull requests",
            ),
        ];
        // Who may write pull requests may write in the repository.
        let has =
            |names: &[&str]| names.iter().chain(&["pullrequest:write"]).any(|name| scopes.contains(*name));
        let lacks = wanted.into_iter().filter(|(names, ..)| !has(names));
        lacks.map(|(_, what, without)| Lack { what, without, must: true }).collect()
    }

    fn left(&self) -> Option<Left> {
        self.client.left()
    }

    fn absent(&self) -> &'static [&'static str] {
        &[
            "labels on pull requests",
            "assignees of pull requests",
            "review that is asked of a group",
            "merge of a head that is named: gradus looks just before and just after",
        ]
    }
}
