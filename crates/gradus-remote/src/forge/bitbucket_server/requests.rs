//! The requests to Bitbucket Data Center. The name in each comment is the resource in its description, the REST
//! resources at `https://developer.atlassian.com/server/bitbucket/rest/`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::below::Below;
use crate::forge::model::{CheckState, CommentId, MergeMethod, MergeOrder, NewCheck, NewPull, Rights};
use crate::forge::request::{Method, Request};

/// The most that is asked for in one page; a server may give less.
const PAGE: &str = "100";

/// A part of the API, such as `api` or `branch-utils`, for this repository.
pub(super) fn of<'a>(address: &'a RepoAddress, part: &str) -> Below<'a> {
    let (project, name) = (address.owner(), address.name.clone());
    let path =
        vec![part.to_owned(), "1.0".to_owned(), "projects".to_owned(), project, "repos".to_owned(), name];
    Below { address, path, pulls: "pull-requests", pull: "pull request", query: None }
}

fn branch_id(branch: &BranchName) -> String {
    format!("refs/heads/{branch}")
}

fn pulls(address: &RepoAddress, what: &str, head: &BranchName) -> Request {
    let doing = format!("look for {what} pull requests of {address}");
    of(address, "api")
        .at(Method::Get, doing, &["pull-requests"])
        .with("at", branch_id(head))
        .with("direction", "OUTGOING")
}

/// `GET /pull-requests`. It filters by the head branch only.
pub(super) fn open_pulls(address: &RepoAddress, head: &BranchName) -> Request {
    pulls(address, "open", head).with("state", "OPEN").with("order", "OLDEST").with("limit", PAGE)
}

/// `GET /pull-requests`.
pub(super) fn ended_pulls(address: &RepoAddress, head: &BranchName) -> Request {
    pulls(address, "closed", head).with("state", "ALL").with("order", "NEWEST").with("limit", PAGE)
}

/// `GET /pull-requests/{pullRequestId}`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address, "api").pull(Method::Get, number, "look at", &[])
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ref<'a> {
    id: String,
    repository: Repository<'a>,
}

#[derive(Serialize)]
struct Repository<'a> {
    slug: &'a str,
    project: Project,
}

#[derive(Serialize)]
struct Project {
    key: String,
}

fn reference<'a>(address: &'a RepoAddress, branch: &BranchName) -> Ref<'a> {
    let project = Project { key: address.owner() };
    Ref { id: branch_id(branch), repository: Repository { slug: &address.name, project } }
}

/// `POST /pull-requests`.
pub(super) fn create_pull(address: &RepoAddress, new: &NewPull) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        title: &'a str,
        description: &'a str,
        from_ref: Ref<'a>,
        to_ref: Ref<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        draft: Option<bool>,
    }
    let doing = format!("open a pull request of {} in {address}", new.head);
    of(address, "api").at(Method::Post, doing, &["pull-requests"]).json(&Body {
        title: &new.title,
        description: &new.body,
        from_ref: reference(address, &new.head),
        to_ref: reference(address, &new.base),
        // Servers before 8.18 have no drafts.
        draft: new.draft.then_some(true),
    })
}

/// What a pull request is changed to. What is left out is taken away, so everything is said again.
pub(super) struct Edit<'a> {
    pub(super) version: u64,
    pub(super) title: &'a str,
    pub(super) body: &'a str,
    pub(super) base: Option<&'a BranchName>,
    /// The names of those who are asked to review.
    pub(super) reviewers: &'a [String],
}

/// `PUT /pull-requests/{pullRequestId}`: of this version only.
pub(super) fn edit_pull(address: &RepoAddress, number: ProposalNumber, edit: &Edit<'_>) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        version: u64,
        title: &'a str,
        description: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        to_ref: Option<Ref<'a>>,
        reviewers: Vec<Reviewer<'a>>,
    }
    #[derive(Serialize)]
    struct Reviewer<'a> {
        user: User<'a>,
    }
    #[derive(Serialize)]
    struct User<'a> {
        name: &'a str,
    }
    of(address, "api").pull(Method::Put, number, "change", &[]).json(&Body {
        version: edit.version,
        title: edit.title,
        description: edit.body,
        to_ref: edit.base.map(|base| reference(address, base)),
        reviewers: edit.reviewers.iter().map(|name| Reviewer { user: User { name } }).collect(),
    })
}

/// `POST /pull-requests/{pullRequestId}/decline`: of this version only. The header says that no browser was tricked
/// into it, which a body would say too.
pub(super) fn decline_pull(address: &RepoAddress, number: ProposalNumber, version: u64) -> Request {
    of(address, "api")
        .pull(Method::Post, number, "close", &["decline"])
        .with("version", version.to_string())
        .header("X-Atlassian-Token", "no-check")
}

/// `GET /pull-requests/{pullRequestId}/merge`: whether it can be merged, and who forbids it.
pub(super) fn mergeability(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address, "api").pull(Method::Get, number, "see what keeps from merging", &["merge"])
}

/// What a way to merge is called, as `GET /settings/pull-requests` lists them.
pub(super) fn strategy(method: MergeMethod) -> &'static str {
    match method {
        MergeMethod::Merge => "no-ff",
        MergeMethod::Squash => "squash",
        MergeMethod::Rebase => "rebase-ff-only",
        MergeMethod::FastForward => "ff-only",
    }
}

/// `POST /pull-requests/{pullRequestId}/merge`: of this version only. A push makes another version, too.
pub(super) fn merge_pull(
    address: &RepoAddress,
    number: ProposalNumber,
    version: u64,
    order: &MergeOrder,
) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        // Described as text.
        auto_subject: &'static str,
        message: &'a str,
        strategy_id: &'static str,
    }
    of(address, "api")
        .pull(Method::Post, number, "merge", &["merge"])
        .with("version", version.to_string())
        .json(&Body { auto_subject: "false", message: &order.text(), strategy_id: strategy(order.method) })
}

/// `DELETE /branch-utils/latest/projects/{projectKey}/repos/{repositorySlug}/branches`.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        name: String,
        dry_run: bool,
    }
    let doing = format!("delete the branch {branch} of {address}");
    of(address, "branch-utils")
        .at(Method::Delete, doing, &["branches"])
        .json(&Body { name: branch_id(branch), dry_run: false })
}

/// `GET /pull-requests/{pullRequestId}/activities`: newest first. General comments are listed here only.
pub(super) fn activities(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address, "api").pull(Method::Get, number, "read what happened to", &["activities"]).with("limit", PAGE)
}

/// `GET /build-status/latest/commits/{commitId}`.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    Request::new(Method::Get, doing, &["build-status", "1.0", "commits", commit.as_str()]).with("limit", PAGE)
}

/// `POST /commits/{commitId}/builds`. Each must have an address; without one it is where the commit is shown.
pub(super) fn create_status(address: &RepoAddress, commit: &CommitId, check: &NewCheck) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        key: &'a str,
        name: &'a str,
        state: &'static str,
        description: &'a str,
        url: String,
    }
    let state = match check.state {
        CheckState::Pending => "INPROGRESS",
        CheckState::Passed => "SUCCESSFUL",
        CheckState::Failed => "FAILED",
        CheckState::Broken => "CANCELLED",
        CheckState::Neutral => "UNKNOWN",
    };
    let (web, owner, name) = (&address.web, address.owner(), &address.name);
    let shown = || format!("{web}/projects/{owner}/repos/{name}/commits/{commit}");
    let doing = format!("give {} of {address} a status", commit.short());
    of(address, "api").at(Method::Post, doing, &["commits", commit.as_str(), "builds"]).json(&Body {
        key: &check.name,
        name: &check.name,
        state,
        description: &check.summary,
        url: check.url.clone().unwrap_or_else(shown),
    })
}

/// `POST /pull-requests/{pullRequestId}/comments`.
pub(super) fn create_comment(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        text: &'a str,
    }
    of(address, "api").pull(Method::Post, number, "comment on", &["comments"]).json(&Body { text: body })
}

/// `GET /pull-requests/{pullRequestId}/comments/{commentId}`.
pub(super) fn comment(address: &RepoAddress, number: ProposalNumber, comment: &CommentId) -> Request {
    of(address, "api").pull(Method::Get, number, "look at a comment of", &["comments", &comment.0])
}

/// `PUT /pull-requests/{pullRequestId}/comments/{commentId}`: of this version only.
pub(super) fn edit_comment(
    address: &RepoAddress,
    number: ProposalNumber,
    comment: &CommentId,
    version: u64,
    body: &str,
) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        text: &'a str,
        version: u64,
    }
    of(address, "api")
        .pull(Method::Put, number, "change a comment of", &["comments", &comment.0])
        .json(&Body { text: body, version })
}

/// `GET /application-properties`: every answer names the account in a header.
pub(super) fn properties() -> Request {
    let doing = "ask the forge whose credentials these are";
    Request::new(Method::Get, doing, &["api", "1.0", "application-properties"])
}

/// `GET /projects/{projectKey}/repos/{repositorySlug}`.
pub(super) fn repository(address: &RepoAddress) -> Request {
    of(address, "api").at(Method::Get, format!("look at {address}"), &[])
}

/// `GET /default-branch`.
pub(super) fn default_branch(address: &RepoAddress) -> Request {
    let doing = format!("look at the default branch of {address}");
    of(address, "api").at(Method::Get, doing, &["default-branch"])
}

/// `GET /settings/pull-requests`: how pull requests may be merged.
pub(super) fn settings(address: &RepoAddress) -> Request {
    let doing = format!("see how pull requests of {address} are merged");
    of(address, "api").at(Method::Get, doing, &["settings", "pull-requests"])
}

/// `GET /repos`: those of this name in which the account has these rights.
pub(super) fn permitted(address: &RepoAddress, name: &str, rights: Rights) -> Request {
    let permission = match rights {
        Rights::Read => "REPO_READ",
        Rights::Write => "REPO_WRITE",
        Rights::Admin => "REPO_ADMIN",
    };
    let doing = format!("see what the account may do in {address}");
    Request::new(Method::Get, doing, &["api", "1.0", "repos"])
        .with("projectkey", address.owner())
        .with("name", name)
        .with("permission", permission)
        .with("limit", PAGE)
}

#[cfg(test)]
mod tests {
    use crate::forge::address::{ForgeKind, RepoAddress};
    use crate::forge::model::{CommentId, MergeMethod, Rights};
    use crate::forge::sample;

    #[test]
    fn every_request_is_as_the_description_says() {
        let url = "https://bb.acme.io/bb/scm/~ann/fleet.git";
        let at = RepoAddress::parse(ForgeKind::BitbucketServer, url, None).unwrap();
        let (head, base, commit, number) = (sample::head(), sample::base(), sample::commit(), sample::NUMBER);
        let reviewers = ["ann".to_owned()];
        let edit = super::Edit {
            version: 3,
            title: "web 1.2.4",
            body: "new",
            base: Some(&base),
            reviewers: &reviewers,
        };
        let comment = CommentId("12".to_owned());
        let requests = [
            super::open_pulls(&at, &head),
            super::ended_pulls(&at, &head),
            super::pull(&at, number),
            super::create_pull(&at, &sample::new(false)),
            super::create_pull(&at, &sample::new(true)),
            super::edit_pull(&at, number, &edit),
            super::decline_pull(&at, number, 3),
            super::mergeability(&at, number),
            super::merge_pull(&at, number, 3, &sample::order(MergeMethod::Squash)),
            super::delete_branch(&at, &head),
            super::activities(&at, number),
            super::statuses(&at, &commit),
            super::create_status(&at, &commit, &sample::check()),
            super::create_comment(&at, number, "Closed: overtaken"),
            super::comment(&at, number, &comment),
            super::edit_comment(&at, number, &comment, 1, "Closed: overtaken"),
            super::properties(),
            super::repository(&at),
            super::default_branch(&at),
            super::settings(&at),
            super::permitted(&at, "Fleet", Rights::Write),
        ];
        insta::assert_snapshot!(sample::shown(&requests));
    }
}
