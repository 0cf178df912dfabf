//! What Azure DevOps tells of a repository.

use async_trait::async_trait;
use gradus_core::names::BranchName;
use serde::Deserialize;
use serde_json::Value;

use super::{AzureDevOps, requests, wire};
use crate::forge::error::ForgeError;
use crate::forge::survey::{ForgeSurvey, Hook, Left, Protection, if_told};

#[derive(Deserialize)]
struct Listed<T> {
    value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    #[serde(default)]
    is_enabled: bool,
    #[serde(default)]
    is_blocking: bool,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    settings: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    #[serde(default)]
    display_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    #[serde(default)]
    status: String,
    #[serde(default)]
    event_type: String,
    #[serde(default)]
    consumer_inputs: Inputs,
}

#[derive(Default, Deserialize)]
struct Inputs {
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    name: String,
}

impl Policy {
    fn add(self, protection: &mut Protection) {
        protection.is_protected = true;
        let text = |name: &str| self.settings.get(name).and_then(Value::as_str).unwrap_or_default();
        match self.kind.display_name.as_str() {
            "Minimum number of reviewers" => {
                let count = self.settings.get("minimumApproverCount").and_then(Value::as_u64);
                let count = count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
                protection.approvals = protection.approvals.max(count);
            }
            "Build" => protection.need(text("displayName").to_owned()),
            "Status" => protection.need(text("statusName").to_owned()),
            "" => {}
            other => protection.rule(&other.to_lowercase()),
        }
    }
}

#[async_trait]
impl ForgeSurvey for AzureDevOps {
    /// `git/policy-configurations/get`.
    async fn protection(&self, branch: &BranchName) -> Result<Protection, ForgeError> {
        let repository: wire::Repository = self.ask(&requests::repository(&self.address)).await?;
        let request = requests::policies_of(&self.address, &repository.id, branch);
        let mut protection = Protection::default();
        match if_told(self.ask::<Listed<Policy>>(&request).await)? {
            Some(told) => {
                let blocks = |policy: &Policy| policy.is_enabled && policy.is_blocking;
                told.value.into_iter().filter(blocks).for_each(|policy| policy.add(&mut protection));
            }
            None => protection.untold = Some("policies are not told to these credentials"),
        }
        Ok(protection)
    }

    /// `hooks/subscriptions/list`: of the whole organisation.
    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        let hooks: Listed<Subscription> = self.ask(&requests::subscriptions(&self.address)).await?;
        let read = |hook: Subscription| Hook {
            url: hook.consumer_inputs.url,
            active: hook.status == "enabled",
            events: vec![hook.event_type],
        };
        Ok(hooks.value.into_iter().map(read).collect())
    }

    /// `git/repositories/list`.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        let found: Listed<Named> = self.ask(&requests::repositories(&self.address)).await?;
        let organisation = self.address.owner.first().map(String::as_str).unwrap_or_default();
        let path = |found: Named| format!("{organisation}/{}/{}", found.project.name, found.name);
        Ok(found.value.into_iter().map(path).collect())
    }

    fn left(&self) -> Option<Left> {
        self.client.left()
    }

    fn absent(&self) -> &'static [&'static str] {
        &["merge by fast-forward", "assignees of pull requests", "texts longer than 4,000 characters"]
    }
}
