//! What Bitbucket Data Center tells of itself and of a repository.

use async_trait::async_trait;
use gradus_core::names::BranchName;
use serde::Deserialize;

use super::{BitbucketServer, requests};
use crate::forge::error::ForgeError;
use crate::forge::request::{Method, Request};
use crate::forge::survey::{ForgeSurvey, Hook, Left, Protection, if_told};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    version: String,
    #[serde(default)]
    display_name: String,
}

#[derive(Deserialize)]
struct Page<T> {
    values: Vec<T>,
}

#[derive(Deserialize)]
struct Restriction {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(default)]
    required_approvers: serde_json::Value,
    #[serde(default)]
    required_successful_builds: serde_json::Value,
    #[serde(default)]
    required_all_tasks_complete: bool,
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
struct Repository {
    slug: String,
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    key: String,
}

/// A number, or since version 7.14 whether it is in use and the number as text.
fn number(value: &serde_json::Value) -> u32 {
    let of = |value: &serde_json::Value| match value.as_str() {
        Some(text) => text.parse().ok(),
        None => value.as_u64(),
    };
    let told = match value.get("enable").and_then(serde_json::Value::as_bool) {
        Some(true) => value.get("count").and_then(of),
        Some(false) => None,
        None => of(value),
    };
    told.and_then(|told| u32::try_from(told).ok()).unwrap_or(0)
}

#[async_trait]
impl ForgeSurvey for BitbucketServer {
    /// `GET /application-properties`.
    async fn software(&self) -> Result<Option<String>, ForgeError> {
        let told: Properties = self.ask(&requests::properties()).await?;
        let name = if told.display_name.is_empty() { "Bitbucket" } else { &told.display_name };
        Ok(Some(format!("{name} {}", told.version)))
    }

    /// `GET /restrictions` of the branch permissions, and `GET /settings/pull-requests`.
    async fn protection(&self, branch: &BranchName) -> Result<Protection, ForgeError> {
        let doing = format!("read the rules of {branch} of {}", self.address);
        let mut parts = vec!["branch-permissions", "2.0", "projects"];
        let owner = self.address.owner();
        parts.extend([owner.as_str(), "repos", self.address.name.as_str(), "restrictions"]);
        let request = Request::new(Method::Get, doing, &parts)
            .with("matcherType", "BRANCH")
            .with("matcherId", format!("refs/heads/{branch}"))
            .with("limit", "100");
        let mut protection = Protection::default();
        match if_told(self.ask::<Page<Restriction>>(&request).await)? {
            Some(told) => {
                protection.is_protected = !told.values.is_empty();
                for restriction in told.values {
                    match restriction.kind.as_str() {
                        "read-only" => protection.rule("only whom it names may push and merge"),
                        "pull-request-only" => protection.rule("changes come by pull request"),
                        // Nothing that gradus would do.
                        "no-deletes" | "fast-forward-only" => {}
                        other => protection.rule(&other.replace('-', " ")),
                    }
                }
            }
            None => protection.untold = Some("the rules of branches are not told to these credentials"),
        }
        let settings: Settings = self.ask(&requests::settings(&self.address)).await?;
        protection.approvals = number(&settings.required_approvers);
        let builds = number(&settings.required_successful_builds);
        if builds > 0 {
            protection.rule(&format!("builds that passed: {builds}"));
        }
        if settings.required_all_tasks_complete {
            protection.rule("tasks are done");
        }
        Ok(protection)
    }

    /// `GET /webhooks`.
    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        let doing = format!("read the webhooks of {}", self.address);
        let request = requests::of(&self.address, "api").at(Method::Get, doing, &["webhooks"]);
        let hooks = self.ask::<Page<Webhook>>(&request.with("limit", "100")).await?.values.into_iter();
        Ok(hooks.map(|hook| Hook { url: hook.url, active: hook.active, events: hook.events }).collect())
    }

    /// `GET /repos`.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        let doing = format!("look for repositories like {}", self.address);
        let start: String = self.address.name.chars().take(3).collect();
        let request = Request::new(Method::Get, doing, &["api", "1.0", "repos"]);
        let found: Page<Repository> = self.ask(&request.with("name", start).with("limit", "100")).await?;
        let path = |found: Repository| format!("{}/{}", found.project.key, found.slug);
        Ok(found.values.into_iter().map(path).collect())
    }

    fn left(&self) -> Option<Left> {
        self.client.left()
    }

    fn absent(&self) -> &'static [&'static str] {
        &["labels on pull requests", "assignees of pull requests", "review that is asked of a group"]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn numbers_are_read_in_both_forms() {
        let read = |value| super::number(&value);
        assert_eq!(read(json!(2)), 2);
        assert_eq!(read(json!({"enable": true, "count": "3"})), 3);
        assert_eq!(read(json!({"enable": true, "count": 4})), 4);
        assert_eq!(read(json!({"enable": false, "count": "3"})), 0);
        assert_eq!(read(json!(null)), 0);
    }
}
