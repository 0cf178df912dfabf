//! What GitLab tells of itself and of a project.

use async_trait::async_trait;
use gradus_core::names::BranchName;
use serde::Deserialize;

use super::{GitLab, requests};
use crate::forge::error::ForgeError;
use crate::forge::model::Identity;
use crate::forge::request::{Method, Request};
use crate::forge::survey::{ForgeSurvey, Hook, Lack, Left, Protection, if_told};

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    protected: bool,
    can_push: Option<bool>,
}

#[derive(Deserialize)]
struct Protected {
    #[serde(default)]
    push_access_levels: Vec<Level>,
    #[serde(default)]
    merge_access_levels: Vec<Level>,
    #[serde(default)]
    code_owner_approval_required: bool,
}

#[derive(Deserialize)]
struct Level {
    access_level: Option<u32>,
    #[serde(default)]
    access_level_description: String,
}

#[derive(Deserialize)]
struct Project {
    #[serde(default)]
    only_allow_merge_if_pipeline_succeeds: bool,
    #[serde(default)]
    only_allow_merge_if_all_discussions_are_resolved: bool,
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Deserialize)]
struct Access {
    access_level: u32,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default)]
    approvals_required: u32,
}

#[derive(Deserialize)]
struct Webhook {
    url: String,
    #[serde(default)]
    push_events: bool,
    #[serde(default)]
    merge_requests_events: bool,
    #[serde(default)]
    note_events: bool,
    #[serde(default)]
    pipeline_events: bool,
}

#[derive(Deserialize)]
struct Named {
    path_with_namespace: String,
}

impl Project {
    fn level(&self) -> Option<u32> {
        let permissions = self.permissions.as_ref()?;
        let levels = [&permissions.project_access, &permissions.group_access];
        levels.into_iter().flatten().map(|access| access.access_level).max()
    }
}

/// Who may, in the words of GitLab; and whether one with this role may, where roles decide.
fn who(levels: &[Level], mine: Option<u32>) -> (String, Option<bool>) {
    let names: Vec<&str> = levels.iter().map(|level| level.access_level_description.as_str()).collect();
    let by_role = levels.iter().filter_map(|level| level.access_level).filter(|level| *level > 0);
    let may = by_role.min().zip(mine).map(|(needed, mine)| mine >= needed);
    let nobody = levels.is_empty() || levels.iter().all(|level| level.access_level == Some(0));
    (names.join(", "), if nobody { Some(false) } else { may })
}

impl GitLab {
    fn read(&self, doing: String, parts: &[&str]) -> Request {
        requests::of(&self.address).at(Method::Get, doing, parts)
    }
}

#[async_trait]
impl ForgeSurvey for GitLab {
    /// `version/`.
    async fn software(&self) -> Result<Option<String>, ForgeError> {
        let request = Request::new(Method::Get, "ask the forge for its version", &["version"]);
        Ok(Some(format!("GitLab {}", self.client.ask::<Version>(&request).await?.version)))
    }

    /// `branches/#get-single-repository-branch`, `protected_branches/`, `merge_request_approvals/` and
    /// `projects/#get-a-single-project`.
    async fn protection(&self, branch: &BranchName) -> Result<Protection, ForgeError> {
        let doing = format!("read the rules of {branch} of {}", self.address);
        let request = self.read(doing.clone(), &["repository", "branches", branch.as_str()]);
        let seen: Branch = self.client.ask(&request).await?;
        let project: Project = self.client.ask(&requests::project(&self.address)).await?;
        let mut protection =
            Protection { is_protected: seen.protected, may_push: seen.can_push, ..Protection::default() };
        if project.only_allow_merge_if_pipeline_succeeds {
            protection.rule("the pipeline succeeds");
        }
        if project.only_allow_merge_if_all_discussions_are_resolved {
            protection.rule("discussions are resolved");
        }
        if seen.protected {
            let request = self.read(doing.clone(), &["protected_branches", branch.as_str()]);
            match if_told(self.client.ask::<Protected>(&request).await)? {
                Some(told) => {
                    let (pushes, _) = who(&told.push_access_levels, None);
                    let (merges, may_merge) = who(&told.merge_access_levels, project.level());
                    protection.may_merge = may_merge;
                    protection.rule(&format!("pushed by: {pushes}; merged by: {merges}"));
                    if told.code_owner_approval_required {
                        protection.rule("code owners approve");
                    }
                }
                None => {
                    protection.untold =
                        Some("who may merge is not told to these credentials, or is set for many branches")
                }
            }
        }
        let request = self.read(doing, &["approval_rules"]);
        // Not every edition has them.
        if let Some(rules) = if_told(self.client.ask::<Vec<Rule>>(&request).await)? {
            protection.approvals = rules.iter().map(|rule| rule.approvals_required).max().unwrap_or(0);
        }
        Ok(protection)
    }

    /// `project_webhooks/#list-webhooks-for-a-project`.
    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        let request = self.read(format!("read the webhooks of {}", self.address), &["hooks"]);
        let hooks = self.client.pages::<Webhook>(&request.with("per_page", "100"), |_| false).await?;
        let read = |hook: Webhook| {
            let events = [
                (hook.push_events, "push"),
                (hook.merge_requests_events, "merge requests"),
                (hook.note_events, "comments"),
                (hook.pipeline_events, "pipelines"),
            ];
            let events = events.into_iter().filter(|(is_sent, _)| *is_sent).map(|(_, name)| name.to_owned());
            Hook { url: hook.url, active: true, events: events.collect() }
        };
        Ok(hooks.into_iter().map(read).collect())
    }

    /// `projects/#list-all-projects`: whose names have what this one begins with.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        let doing = format!("look for projects like {}", self.address);
        let start: String = self.address.name.chars().take(3).collect();
        let request = Request::new(Method::Get, doing, &["projects"])
            .with("membership", "true")
            .with("simple", "true")
            .with("search", start)
            .with("per_page", "100");
        let found: Vec<Named> = self.client.ask(&request).await?;
        Ok(found.into_iter().map(|project| project.path_with_namespace).collect())
    }

    fn lacking(&self, identity: &Identity) -> Vec<Lack> {
        match &identity.scopes {
            Some(scopes) if !scopes.contains("api") => {
                vec![Lack { what: "the scope api", without: "open merge requests", must: true }]
            }
            Some(_) | None => Vec::new(),
        }
    }

    fn left(&self) -> Option<Left> {
        self.client.left()
    }

    fn absent(&self) -> &'static [&'static str] {
        &["review that is asked of a group", "way to merge that is chosen for one merge request"]
    }
}
