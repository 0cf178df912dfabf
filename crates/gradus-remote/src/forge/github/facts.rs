//! What GitHub tells of itself and of a repository.

mod wire;

use async_trait::async_trait;
use gradus_core::names::BranchName;

use super::GitHub;
use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::github_shape::{Webhook, hooks, nothing, of};
use crate::forge::model::Identity;
use crate::forge::request::{Method, Request};
use crate::forge::survey::{Deed, ForgeSurvey, Hook, Lack, Left, Protection, empty_order, if_told};

#[async_trait]
impl ForgeSurvey for GitHub {
    /// `meta/root`: `/meta/meta#github-api-root`. GitHub Enterprise Server says in a header which one it is.
    async fn software(&self) -> Result<Option<String>, ForgeError> {
        if let Some(app) = &self.app
            && let Err(error) = app.identity().await
            && *error.kind() == ForgeErrorKind::NotFound
        {
            // It answers: the app is not installed, which whoever asks for the identity is told.
            return Ok(None);
        }
        let request = Request::new(Method::Get, "ask the forge for its version", &[""]);
        let answer = self.send(&request).await?;
        let _is_one: wire::Root = self.client.read(&request, &answer)?;
        let version = answer.header("x-github-enterprise-version");
        Ok(version.map(|version| format!("GitHub Enterprise Server {version}")))
    }

    /// `repos/get-branch-rules`: `/repos/rules#get-rules-for-a-branch`, and `repos/get-branch-protection`:
    /// `/branches/branch-protection#get-branch-protection`, which only administrators are told.
    async fn protection(&self, branch: &BranchName) -> Result<Protection, ForgeError> {
        let doing = format!("read the rules of {branch} of {}", self.address);
        let get = |parts: &[&str]| of(&self.address).at(Method::Get, doing.clone(), parts);
        let seen: wire::Branch = self.ask(&get(&["branches", branch.as_str()])).await?;
        let mut protection = Protection { is_protected: seen.protected, ..Protection::default() };
        let rules = get(&["rules", "branches", branch.as_str()]).with("per_page", "100");
        if let Some(rules) = if_told(self.client.pages::<wire::Rule>(&rules, |_| false).await)? {
            protection.is_protected |= !rules.is_empty();
            rules.into_iter().for_each(|rule| rule.add(&mut protection));
        }
        if seen.protected {
            let classic = get(&["branches", branch.as_str(), "protection"]);
            match if_told(self.ask::<wire::Classic>(&classic).await)? {
                Some(classic) => classic.add(&mut protection),
                None => {
                    seen.checks().into_iter().for_each(|check| protection.need(check));
                    protection.untold = Some("the rest of its protection is only told to administrators");
                }
            }
        }
        Ok(protection)
    }

    async fn hooks(&self) -> Result<Vec<Hook>, ForgeError> {
        let request = hooks(&self.address).with("per_page", "100");
        let hooks = self.client.pages::<Webhook>(&request, |_| false).await?;
        Ok(hooks.into_iter().map(Webhook::read).collect())
    }

    /// `repos/list-for-authenticated-user`: `/repos/repos#list-repositories-for-the-authenticated-user`, and
    /// `apps/list-repos-accessible-to-installation`:
    /// `/apps/installations#list-repositories-accessible-to-the-app-installation`.
    async fn others(&self) -> Result<Vec<String>, ForgeError> {
        let doing = format!("look for repositories like {}", self.address);
        let found = if self.app.is_some() {
            let request = Request::new(Method::Get, doing, &["installation", "repositories"]);
            self.ask::<wire::Installed>(&request.with("per_page", "100")).await?.repositories
        } else {
            let request = Request::new(Method::Get, doing, &["user", "repos"]);
            let request = request.with("sort", "pushed").with("per_page", "100");
            self.ask::<Vec<wire::Named>>(&request).await?
        };
        Ok(found.into_iter().map(|repository| repository.full_name).collect())
    }

    async fn may(&self, deed: Deed) -> Result<(), ForgeError> {
        empty_order(self.send(&nothing(&self.address, deed)).await)
    }

    fn lacking(&self, identity: &Identity) -> Vec<Lack> {
        let Some(scopes) = &identity.scopes else { return Vec::new() };
        let has = |what: &str| scopes.contains(what);
        if self.app.is_none() {
            let lack = Lack { what: "the scope repo", without: "open pull requests", must: true };
            return if has("repo") || has("public_repo") { Vec::new() } else { vec![lack] };
        }
        // What an app cannot do without is asked for with its token.
        let wanted = [
            ("statuses=write", "give commits statuses", "the permission statuses=write"),
            ("issues=write", "label pull requests", "the permission issues=write"),
            ("checks=read", "see check runs", "the permission checks=read"),
        ];
        let has = |what: &str| has(what) || has(&what.replace("=read", "=write"));
        let lacks = wanted.into_iter().filter(|(permission, ..)| !has(permission));
        lacks.map(|(_, without, what)| Lack { what, without, must: false }).collect()
    }

    fn left(&self) -> Option<Left> {
        self.client.left()
    }

    fn absent(&self) -> &'static [&'static str] {
        &["merge by fast-forward"]
    }
}
