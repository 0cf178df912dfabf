//! The people at the forge of the demo, and the rules they have given themselves.

use std::sync::Arc;

use gradus_core::names::ProposalNumber;
use gradus_engine::port::clock::SystemClock;
use gradus_remote::Secret;
use gradus_remote::forge::client::{Budget, ForgeAccess, ForgeClient};
use gradus_remote::forge::request::{Method, Request};
use gradus_remote::forge::{
    ForgeApi, ForgeError, ForgeKind, MergeMethod, MergeOrder, PullState, RepoAddress, Verdict, open,
};
use gradus_remote::http::Tls;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ADMIN, Gitea, basic, secret};
use crate::error::CliError;

const ORGANISATION: &str = "acme";
const REPOSITORY: &str = "fleet";
/// Who writes the releases.
const DEVELOPER: &str = "ada";
/// Who reviews what is for prod.
const MANAGER: &str = "demo";
/// The account of gradus.
const BOT: &str = "gradus-bot";

/// An organisation with a repository, and three accounts: a developer, a release manager, and gradus.
pub(crate) struct Town {
    /// The password of everybody.
    pub(crate) password: String,
    /// The token of gradus.
    pub(crate) token: String,
}

#[derive(Deserialize)]
struct Team {
    id: u64,
}

#[derive(Deserialize)]
struct Token {
    sha1: String,
}

impl Town {
    /// Makes all of it.
    pub(crate) async fn build(gitea: &Gitea) -> Result<Self, CliError> {
        let admin = client(gitea, ADMIN, &gitea.password)?;
        let password = secret();
        for (name, full) in [(DEVELOPER, "Ada Lovelace"), (MANAGER, "Release manager"), (BOT, "gradus")] {
            let account = json!({
                "username": name, "full_name": full, "email": format!("{name}@example.com"),
                "password": password, "must_change_password": false,
            });
            done(&admin, post("make an account", &["admin", "users"], &account)).await?;
        }
        done(&admin, post("make an organisation", &["orgs"], &json!({"username": ORGANISATION}))).await?;
        let repository = json!({"name": REPOSITORY, "private": true, "default_branch": "main"});
        done(&admin, post("make a repository", &["orgs", ORGANISATION, "repos"], &repository)).await?;
        for (team, member) in [("developers", DEVELOPER), ("release-managers", MANAGER), ("gradus", BOT)] {
            let units = json!({"repo.code": "write", "repo.pulls": "write", "repo.issues": "write"});
            let wanted = json!({
                "name": team, "permission": "write", "includes_all_repositories": true, "units_map": units,
            });
            let made = done(&admin, post("make a team", &["orgs", ORGANISATION, "teams"], &wanted)).await?;
            let team: Team = serde_json::from_value(made).map_err(understanding)?;
            let id = team.id.to_string();
            let join = Request::new(Method::Put, "add to a team", &["teams", &id, "members", member]);
            done(&admin, join).await?;
        }
        let scopes = json!({"name": "gradus", "scopes": ["write:repository", "write:issue"]});
        let bot = client(gitea, BOT, &password)?;
        let made = done(&bot, post("make a token", &["users", BOT, "tokens"], &scopes)).await?;
        let token: Token = serde_json::from_value(made).map_err(understanding)?;
        Ok(Self { password, token: token.sha1 })
    }

    /// The rules of main: developers and gradus push, everything else is reviewed and merged by release managers or
    /// by gradus.
    pub(crate) async fn protect(&self, gitea: &Gitea) -> Result<(), CliError> {
        let rule = json!({
            "rule_name": "main",
            "enable_push": true, "enable_push_whitelist": true, "push_whitelist_usernames": [DEVELOPER, BOT],
            "enable_merge_whitelist": true, "merge_whitelist_usernames": [BOT],
            "merge_whitelist_teams": ["release-managers"],
            "required_approvals": 1, "enable_approvals_whitelist": true,
            "approvals_whitelist_teams": ["release-managers"], "dismiss_stale_approvals": true,
        });
        let parts = ["repos", ORGANISATION, REPOSITORY, "branch_protections"];
        done(&client(gitea, ADMIN, &gitea.password)?, post("protect main", &parts, &rule)).await.map(drop)
    }

    /// Where the repository is, for the developer.
    pub(crate) fn fleet(&self, gitea: &Gitea) -> super::Place {
        gitea.place(ORGANISATION, REPOSITORY, DEVELOPER, &self.password)
    }

    /// The one who reviews.
    pub(crate) fn manager(&self, gitea: &Gitea) -> Result<Manager, CliError> {
        let client = Arc::new(client(gitea, MANAGER, &self.password)?);
        let api = open(client.clone(), address(gitea)?);
        Ok(Manager { client, api })
    }

    /// The names with which people sign in, as one looks around afterwards.
    pub(crate) fn manager_name(&self) -> &'static str {
        MANAGER
    }

    /// The name of the account of gradus.
    pub(crate) fn bot(&self) -> &'static str {
        BOT
    }
}

/// Somebody who reviews what is proposed, and merges it.
pub(crate) struct Manager {
    client: Arc<ForgeClient>,
    api: Arc<dyn ForgeApi>,
}

impl Manager {
    /// Approves a proposal and merges it, unless that is done. Safe to repeat.
    pub(crate) async fn let_in(&self, number: u64) -> Result<(), ForgeError> {
        let pull = self.api.get(ProposalNumber(number)).await?;
        let (PullState::Open, Some(head)) = (&pull.state, pull.head) else { return Ok(()) };
        let reviews = self.api.reviews(pull.number).await?;
        let is_given = |on: &Option<_>, verdict| *on == Some(head.clone()) && verdict == Verdict::Approved;
        if !reviews.iter().any(|review| is_given(&review.on, review.verdict)) {
            let review = json!({"event": "APPROVED", "body": "Looks good.", "commit_id": head.as_str()});
            let number = number.to_string();
            let parts = ["repos", ORGANISATION, REPOSITORY, "pulls", &number, "reviews"];
            self.client.send(&post("review a pull request", &parts, &review)).await?;
        }
        let order = MergeOrder {
            head,
            method: MergeMethod::Merge,
            title: pull.title,
            message: String::new(),
            delete_branch: false,
            queue: false,
        };
        self.api.merge(pull.number, &order).await.map(drop)
    }
}

fn address(gitea: &Gitea) -> Result<RepoAddress, CliError> {
    let url = format!("{}/{ORGANISATION}/{REPOSITORY}.git", gitea.url());
    RepoAddress::parse(ForgeKind::Gitea, &url, None).map_err(reaching)
}

fn client(gitea: &Gitea, user: &str, password: &str) -> Result<ForgeClient, CliError> {
    let access = ForgeAccess { authorization: Some(Secret::new(basic(user, password))), tls: Tls::default() };
    let api = format!("{}/api/v1", gitea.url());
    ForgeClient::new(api, access, &[], Budget::default(), Arc::new(SystemClock)).map_err(reaching)
}

fn post(doing: &str, parts: &[&str], body: &Value) -> Request {
    Request::new(Method::Post, doing, parts).json(body)
}

/// What it answers; null where that is nothing.
async fn done(client: &ForgeClient, request: Request) -> Result<Value, CliError> {
    let answer = client.send(&request).await.map_err(reaching)?;
    Ok(serde_json::from_slice(&answer.bytes).unwrap_or(Value::Null))
}

fn reaching(error: ForgeError) -> CliError {
    CliError::because("setting up the demo's Gitea", error)
}

fn understanding(error: serde_json::Error) -> CliError {
    CliError::because("reading an answer of the demo's Gitea", error)
}
