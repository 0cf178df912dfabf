//! What Gitea tells of itself and of a repository.

use async_trait::async_trait;
use gradus_core::names::BranchName;
use serde::Deserialize;

use super::Gitea;
use crate::forge::error::ForgeError;
use crate::forge::github_shape::{Webhook, hooks, nothing, of};
use crate::forge::request::{Method, Request};
use crate::forge::survey::{Deed, ForgeSurvey, Hook, Left, Protection, empty_order};

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Branch {
    protected: bool,
    #[serde(default)]
    required_approvals: u32,
    #[serde(default)]
    enable_status_check: bool,
    #[serde(default)]
    status_check_contexts: Option<Vec<String>>,
    user_can_push: Option<bool>,
    user_can_merge: Option<bool>,
}

#[derive(Deserialize)]
struct Found {
    data: Vec<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: String,
}

#[async_trait]
impl ForgeSurvey for Gitea {
    /// `getVersion`.
    async fn software(&self) -> Result<Option<String>, ForgeError> {
        let request = Request::new(Method::Get, "ask the forge for its version", &["version"]);
        let version = self.client.ask::<Version>(&request).await?.version;
        // Forgejo says of which Gitea it is the like.
        let name = if version.contains("gitea-") { "Forgejo" } else { "Gitea" };
        Ok(Some(format!("{name} {version}")))
    }

    /// `repoGetBranch`. The rules themselves are only told to administrators; these are what matters of them.
    async fn protection(&self, branch: &BranchName) -> Result<Protection, ForgeError> {
        let mut parts = vec!["branches"];
        parts.extend(branch.as_str().split('/'));
        let doing = format!("read the rules of {branch} of {}", self.address);
        let branch: Branch = self.client.ask(&of(&self.address).at(Method::Get, doing, &parts)).await?;
        let checks = branch.status_check_contexts.filter(|_| branch.enable_status_check);
        Ok(Protection {
            is_protected: branch.protected,
            may_push: branch.user_can_push,
            may_merge: branch.user_can_merge,
            approvals: branch.required_approvals,
            checks: checks.unwrap_or_default(),
            rules: Vec::new(),
            untold: branch.protected.then_some("whom the rules name is only told to administrators"),
        })
    }

    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        let request = hooks(&self.address).with("limit", "50");
        let hooks = self.client.pages::<Webhook>(&request, |_| false).await?;
        Ok(hooks.into_iter().map(Webhook::read).collect())
    }

    /// `repoSearch`: whose names have what this one begins with.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        let doing = format!("look for repositories like {}", self.address);
        let start: String = self.address.name.chars().take(3).collect();
        let request = Request::new(Method::Get, doing, &["repos", "search"]);
        let request = request.with("q", start).with("limit", "50");
        let found: Found = self.client.ask(&request).await?;
        Ok(found.data.into_iter().map(|repository| repository.full_name).collect())
    }

    async fn may(&self, deed: Deed) -> Result<(), ForgeError> {
        empty_order(self.client.send(&nothing(&self.address, deed)).await)
    }

    fn left(&self) -> Option<Left> {
        self.client.left()
    }

    fn absent(&self) -> &'static [&'static str] {
        &["merge queue", "deployments and environments", "check runs with a text of their own"]
    }
}
