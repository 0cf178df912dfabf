//! The requests to Bitbucket Cloud. The name in each comment is an anchor below
//! `https://developer.atlassian.com/cloud/bitbucket/rest/`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::below::Below;
use crate::forge::model::{CheckState, CommentId, MergeMethod, MergeOrder, NewCheck, NewPull};
use crate::forge::request::{Method, Request};

/// The most pull requests that a server gives in one page.
const PAGE: &str = "50";
/// The most characters of a status's key.
const KEY: usize = 40;

pub(super) fn of(address: &RepoAddress) -> Below<'_> {
    let path = vec!["repositories".to_owned(), address.owner(), address.name.clone()];
    Below { address, path, pulls: "pullrequests", pull: "pull request", query: None }
}

/// Text in a filter.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn pulls(address: &RepoAddress, what: &str, head: &BranchName, base: &BranchName) -> Request {
    let (head, base) = (quoted(head.as_str()), quoted(base.as_str()));
    of(address)
        .at(Method::Get, format!("look for {what} pull requests of {address}"), &["pullrequests"])
        .with("q", format!("source.branch.name = {head} AND destination.branch.name = {base}"))
        .with("pagelen", PAGE)
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get`.
pub(super) fn open_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    pulls(address, "open", head, base).with("state", "OPEN").with("sort", "created_on")
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get`.
pub(super) fn ended_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    pulls(address, "closed", head, base)
        .with("state", "MERGED")
        .with("state", "DECLINED")
        .with("state", "SUPERSEDED")
        .with("sort", "-updated_on")
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-get`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "look at", &[])
}

#[derive(Serialize)]
struct Side<'a> {
    branch: Branch<'a>,
}

#[derive(Serialize)]
struct Branch<'a> {
    name: &'a str,
}

fn side(branch: &BranchName) -> Side<'_> {
    Side { branch: Branch { name: branch.as_str() } }
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-post`.
pub(super) fn create_pull(address: &RepoAddress, new: &NewPull) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        title: &'a str,
        description: &'a str,
        source: Side<'a>,
        destination: Side<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        draft: Option<bool>,
    }
    let doing = format!("open a pull request of {} in {address}", new.head);
    of(address).at(Method::Post, doing, &["pullrequests"]).json(&Body {
        title: &new.title,
        description: &new.body,
        source: side(&new.head),
        destination: side(&new.base),
        draft: new.draft.then_some(true),
    })
}

/// What a pull request is changed to. What is left out may be taken away, so it is said again.
pub(super) struct Edit<'a> {
    pub(super) title: &'a str,
    pub(super) body: &'a str,
    pub(super) base: Option<&'a BranchName>,
    /// The UUIDs of those who are asked to review.
    pub(super) reviewers: &'a [String],
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-put`.
pub(super) fn edit_pull(address: &RepoAddress, number: ProposalNumber, edit: &Edit<'_>) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        title: &'a str,
        description: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        destination: Option<Side<'a>>,
        reviewers: Vec<Reviewer<'a>>,
    }
    #[derive(Serialize)]
    struct Reviewer<'a> {
        uuid: &'a str,
    }
    of(address).pull(Method::Put, number, "change", &[]).json(&Body {
        title: edit.title,
        description: edit.body,
        destination: edit.base.map(side),
        reviewers: edit.reviewers.iter().map(|uuid| Reviewer { uuid }).collect(),
    })
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-decline-post`.
pub(super) fn decline_pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Post, number, "close", &["decline"])
}

/// What a way to merge is called.
pub(super) fn strategy(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Merge => "merge_commit",
        MergeMethod::Squash => "squash",
        MergeMethod::Rebase => "rebase_fast_forward",
        MergeMethod::FastForward => "fast_forward",
    }
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-merge-post`. It takes
/// no commit that the branch must be at.
pub(super) fn merge_pull(address: &RepoAddress, number: ProposalNumber, order: &MergeOrder) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "type")]
        kind: &'static str,
        message: &'a str,
        close_source_branch: bool,
        merge_strategy: &'static str,
    }
    of(address).pull(Method::Post, number, "merge", &["merge"]).json(&Body {
        kind: "pullrequest_merge_parameters",
        message: &order.text(),
        close_source_branch: order.delete_branch,
        merge_strategy: strategy(order.method),
    })
}

fn of_branch(address: &RepoAddress, method: Method, doing: String, branch: &BranchName) -> Request {
    let mut parts = vec!["refs", "branches"];
    parts.extend(branch.as_str().split('/'));
    of(address).at(method, doing, &parts)
}

/// `api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-get`: with the ways to merge into it.
pub(super) fn branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let doing = format!("look at the branch {branch} of {address}");
    of_branch(address, Method::Get, doing, branch)
}

/// `api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-delete`.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let doing = format!("delete the branch {branch} of {address}");
    of_branch(address, Method::Delete, doing, branch)
}

/// `api-group-commits/#api-repositories-workspace-repo-slug-commit-commit-get`: the whole id of one of which only the
/// beginning is told.
pub(super) fn commit(address: &RepoAddress, start: &str) -> Request {
    of(address).at(Method::Get, format!("look at the commit {start} of {address}"), &["commit", start])
}

/// `api-group-commit-statuses/#api-repositories-workspace-repo-slug-commit-commit-statuses-get`.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address).at(Method::Get, doing, &["commit", commit.as_str(), "statuses"]).with("pagelen", PAGE)
}

/// A status has a key of few characters; a longer name ends in a number made of all of it.
fn key(name: &str) -> String {
    if name.chars().count() <= KEY {
        return name.to_owned();
    }
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let start: String = name.chars().take(KEY - 9).collect();
    format!("{start}-{hash:08x}")
}

/// `api-group-commit-statuses/#api-repositories-workspace-repo-slug-commit-commit-statuses-build-post`. Each must have
/// an address; without one it is where the commit is shown.
pub(super) fn create_status(address: &RepoAddress, commit: &CommitId, check: &NewCheck) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        key: String,
        name: &'a str,
        state: &'static str,
        description: &'a str,
        url: String,
    }
    let state = match check.state {
        CheckState::Pending => "INPROGRESS",
        CheckState::Passed => "SUCCESSFUL",
        CheckState::Failed => "FAILED",
        CheckState::Broken | CheckState::Neutral => "STOPPED",
    };
    let (web, owner, name) = (&address.web, address.owner(), &address.name);
    let doing = format!("give {} of {address} a status", commit.short());
    of(address).at(Method::Post, doing, &["commit", commit.as_str(), "statuses", "build"]).json(&Body {
        key: key(&check.name),
        name: &check.name,
        state,
        description: &check.summary,
        url: check.url.clone().unwrap_or_else(|| format!("{web}/{owner}/{name}/commits/{commit}")),
    })
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-get`.
pub(super) fn comments(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address)
        .pull(Method::Get, number, "read the comments of", &["comments"])
        .with("sort", "created_on")
        .with("pagelen", PAGE)
}

#[derive(Serialize)]
struct CommentBody<'a> {
    content: Content<'a>,
}

#[derive(Serialize)]
struct Content<'a> {
    raw: &'a str,
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-post`.
pub(super) fn create_comment(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    of(address)
        .pull(Method::Post, number, "comment on", &["comments"])
        .json(&CommentBody { content: Content { raw: body } })
}

/// `api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-comment-id-put`.
pub(super) fn edit_comment(
    address: &RepoAddress,
    number: ProposalNumber,
    comment: &CommentId,
    body: &str,
) -> Request {
    of(address)
        .pull(Method::Put, number, "change a comment of", &["comments", &comment.0])
        .json(&CommentBody { content: Content { raw: body } })
}

/// `api-group-users/#api-user-get`.
pub(super) fn user() -> Request {
    Request::new(Method::Get, "ask the forge whose credentials these are", &["user"])
}

/// `api-group-repositories/#api-repositories-workspace-repo-slug-get`.
pub(super) fn repository(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("look at {address}"), &[])
}

/// `api-group-repositories/#api-user-permissions-repositories-get`.
pub(super) fn permissions(address: &RepoAddress) -> Request {
    let name = quoted(&format!("{}/{}", address.owner(), address.name));
    let doing = format!("see what the account may do in {address}");
    Request::new(Method::Get, doing, &["user", "permissions", "repositories"])
        .with("q", format!("repository.full_name = {name}"))
}

#[cfg(test)]
mod tests {
    use crate::forge::address::{ForgeKind, RepoAddress};
    use crate::forge::model::{CommentId, MergeMethod};
    use crate::forge::sample;

    #[test]
    fn every_request_is_as_the_description_says() {
        let at = RepoAddress::parse(ForgeKind::Bitbucket, "git@bitbucket.org:acme/fleet.git", None).unwrap();
        let (head, base, commit, number) = (sample::head(), sample::base(), sample::commit(), sample::NUMBER);
        let reviewers = ["{504c3b62-8120-4f0c-a7bc-87800b9d6f70}".to_owned()];
        let edit = super::Edit { title: "web 1.2.4", body: "new", base: Some(&base), reviewers: &reviewers };
        let requests = [
            super::open_pulls(&at, &head, &base),
            super::ended_pulls(&at, &head, &base),
            super::pull(&at, number),
            super::create_pull(&at, &sample::new(false)),
            super::create_pull(&at, &sample::new(true)),
            super::edit_pull(&at, number, &edit),
            super::decline_pull(&at, number),
            super::merge_pull(&at, number, &sample::order(MergeMethod::Rebase)),
            super::branch(&at, &head),
            super::delete_branch(&at, &head),
            super::commit(&at, "8f0c1a9bd7c0"),
            super::statuses(&at, &commit),
            super::create_status(&at, &commit, &sample::check()),
            super::comments(&at, number),
            super::create_comment(&at, number, "Closed: overtaken"),
            super::edit_comment(&at, number, &CommentId("12".to_owned()), "Closed: overtaken"),
            super::user(),
            super::repository(&at),
            super::permissions(&at),
        ];
        insta::assert_snapshot!(sample::shown(&requests));
    }

    #[test]
    fn a_long_name_has_a_key_of_its_own() {
        assert_eq!(super::key("gradus/apps/web/prod"), "gradus/apps/web/prod");
        let (one, two) = (super::key(&format!("{}1", "x".repeat(60))), super::key(&"x".repeat(61)));
        assert_eq!((one.len(), two.len()), (40, 40));
        assert_ne!(one, two);
    }

    #[test]
    fn a_branch_cannot_end_its_quotes() {
        assert_eq!(super::quoted("a\"b"), "\"a\\\"b\"");
    }
}
