//! Who people are and what they may do, where Gitea's API has the shape of GitHub's.

use gradus_core::names::ProposalNumber;
use serde::{Deserialize, Serialize};

use super::address::RepoAddress;
use super::client::ForgeClient;
use super::error::{ForgeError, ForgeErrorKind};
use super::github_shape::of;
use super::model::{Account, CommentId, Rights, Standing};
use super::request::{Method, Request};

/// GitHub: `repos/get-collaborator-permission-level`: `/collaborators/collaborators#get-repository-permissions-for-a-user`.
/// Gitea: `repoGetRepoPermissions`, which only who may change the repository's rules may ask.
pub(super) fn permission(address: &RepoAddress, account: &Account) -> Request {
    let doing = format!("ask what {account} may do in {address}");
    of(address).at(Method::Get, doing, &["collaborators", &account.0, "permission"])
}

/// GitHub: `users/get-by-username`: `/users/users#get-a-user`. Gitea: `userGet`.
pub(super) fn profile(account: &Account) -> Request {
    Request::new(Method::Get, format!("ask who {account} is"), &["users", &account.0])
}

/// GitHub: `orgs/get`: `/orgs/orgs#get-an-organization`. Gitea: `orgGet`.
pub(super) fn organisation(address: &RepoAddress) -> Request {
    let owner = address.owner();
    Request::new(Method::Get, format!("ask whether {owner} is an organisation"), &["orgs", &owner])
}

/// GitHub: `orgs/check-membership-for-user`: `/orgs/members#check-organization-membership-for-a-user`.
/// Gitea: `orgIsMember`.
pub(super) fn membership(address: &RepoAddress, account: &Account) -> Request {
    let owner = address.owner();
    let doing = format!("ask whether {account} is a member of {owner}");
    Request::new(Method::Get, doing, &["orgs", &owner, "members", &account.0])
}

/// GitHub: `reactions/create-for-issue-comment`: `/reactions/reactions#create-reaction-for-an-issue-comment`.
/// Gitea: `issuePostCommentReaction`.
pub(super) fn react(
    address: &RepoAddress,
    _number: ProposalNumber,
    comment: &CommentId,
    yes: bool,
) -> Request {
    #[derive(Serialize)]
    struct Body {
        content: &'static str,
    }
    let doing = format!("put a sign at a comment of {address}");
    of(address)
        .at(Method::Post, doing, &["issues", "comments", &comment.0, "reactions"])
        .json(&Body { content: if yes { "+1" } else { "confused" } })
}

/// What somebody may do.
#[derive(Deserialize)]
pub(super) struct Permission {
    #[serde(default)]
    permission: String,
}

impl Permission {
    pub(super) fn rights(&self) -> Option<Rights> {
        match self.permission.as_str() {
            "owner" | "admin" => Some(Rights::Admin),
            "maintain" | "write" => Some(Rights::Write),
            "triage" | "read" => Some(Rights::Read),
            _ => None,
        }
    }
}

/// What somebody says of themselves.
#[derive(Deserialize)]
pub(super) struct Profile {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// As GitHub calls it.
    name: Option<String>,
    /// As Gitea does.
    full_name: Option<String>,
    email: Option<String>,
}

/// A member or a page that may not be there.
pub(super) fn absent<T>(asked: Result<T, ForgeError>) -> Result<Option<T>, ForgeError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) if *error.kind() == ForgeErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who somebody is that has these rights.
pub(super) async fn standing(
    client: &ForgeClient,
    address: &RepoAddress,
    account: &Account,
    rights: Option<Rights>,
) -> Result<Standing, ForgeError> {
    let bot = account.0.ends_with("[bot]");
    if bot || rights.is_none_or(|rights| rights < Rights::Write) {
        // Nobody asks further.
        return Ok(Standing { rights, bot, ..Standing::default() });
    }
    let profile = client.ask::<Profile>(&profile(account)).await?;
    let is_organisation = absent(client.send(&organisation(address)).await)?.is_some();
    let outside = is_organisation && absent(client.send(&membership(address, account)).await)?.is_none();
    let bot = profile.kind.as_deref() == Some("Bot");
    let names = [profile.name, profile.full_name, profile.email].into_iter().flatten();
    Ok(Standing { rights, outside, bot, names: names.filter(|name| !name.trim().is_empty()).collect() })
}

/// The organisation and the team that a name means.
pub(super) fn team<'a>(address: &RepoAddress, name: &'a str) -> (String, &'a str) {
    match name.rsplit_once('/') {
        Some((organisation, team)) => (organisation.to_owned(), team),
        None => (address.owner(), name),
    }
}
