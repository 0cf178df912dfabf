//! The requests to GitHub. The comment of each names the operation, and its page below
//! `https://docs.github.com/rest`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::model::{
    Account, CheckState, CommentId, Label, MergeMethod, MergeOrder, NewCheck, NewPull, PullChange, Reviewers,
};
use crate::forge::request::{Method, Request};

/// The most that GitHub gives in one page.
const PAGE: &str = "100";
/// The most characters that GitHub takes for the line of a status.
const SUMMARY: usize = 140;

/// What goes with every request.
pub(super) const HEADERS: &[(&str, &str)] =
    &[("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28")];

fn of(address: &RepoAddress, method: Method, doing: impl Into<String>, parts: &[&str]) -> Request {
    let owner = address.owner();
    let mut path = vec!["repos", owner.as_str(), address.name.as_str()];
    path.extend(parts);
    Request::new(method, doing, &path)
}

fn list(address: &RepoAddress, which: &'static str, head: &BranchName, base: &BranchName) -> Request {
    of(address, Method::Get, format!("look for {which} pull requests of {address}"), &["pulls"])
        .with("state", which)
        .with("head", format!("{}:{head}", address.owner()))
        .with("base", base.as_str())
        .with("sort", "created")
}

/// `pulls/list`: `/pulls/pulls#list-pull-requests`. The oldest first.
pub(super) fn open_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    list(address, "open", head, base).with("direction", "asc").with("per_page", PAGE)
}

/// `pulls/list`: `/pulls/pulls#list-pull-requests`. The newest first.
pub(super) fn ended_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    list(address, "closed", head, base).with("direction", "desc").with("per_page", PAGE)
}

/// `pulls/get`: `/pulls/pulls#get-a-pull-request`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("look at pull request {number} of {address}");
    of(address, Method::Get, doing, &["pulls", &number.0.to_string()])
}

/// `issues/get`: `/issues/issues#get-an-issue`. A pull request is an issue, and only there is said who closed it.
pub(super) fn issue(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("see who closed pull request {number} of {address}");
    of(address, Method::Get, doing, &["issues", &number.0.to_string()])
}

/// `pulls/create`: `/pulls/pulls#create-a-pull-request`.
pub(super) fn create_pull(address: &RepoAddress, new: &NewPull) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        title: &'a str,
        head: &'a str,
        base: &'a str,
        body: &'a str,
        draft: bool,
    }
    let doing = format!("open a pull request of {} in {address}", new.head);
    of(address, Method::Post, doing, &["pulls"]).json(&Body {
        title: &new.title,
        head: new.head.as_str(),
        base: new.base.as_str(),
        body: &new.body,
        draft: new.draft,
    })
}

/// `pulls/update`: `/pulls/pulls#update-a-pull-request`.
pub(super) fn edit_pull(address: &RepoAddress, number: ProposalNumber, change: &PullChange) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base: Option<&'a str>,
    }
    let doing = format!("change pull request {number} of {address}");
    of(address, Method::Patch, doing, &["pulls", &number.0.to_string()]).json(&Body {
        title: change.title.as_deref(),
        body: change.body.as_deref(),
        base: change.base.as_ref().map(BranchName::as_str),
    })
}

/// `pulls/update`: `/pulls/pulls#update-a-pull-request`.
pub(super) fn close_pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    #[derive(Serialize)]
    struct Body {
        state: &'static str,
    }
    let doing = format!("close pull request {number} of {address}");
    of(address, Method::Patch, doing, &["pulls", &number.0.to_string()]).json(&Body { state: "closed" })
}

/// `pulls/merge`: `/pulls/pulls#merge-a-pull-request`. `None` where GitHub has no such way to merge.
pub(super) fn merge_pull(
    address: &RepoAddress,
    number: ProposalNumber,
    order: &MergeOrder,
) -> Option<Request> {
    #[derive(Serialize)]
    struct Body<'a> {
        sha: &'a str,
        merge_method: &'static str,
        commit_title: &'a str,
        commit_message: &'a str,
    }
    let merge_method = match order.method {
        MergeMethod::Merge => "merge",
        MergeMethod::Squash => "squash",
        MergeMethod::Rebase => "rebase",
        MergeMethod::FastForward => return None,
    };
    let doing = format!("merge pull request {number} of {address}");
    let request = of(address, Method::Put, doing, &["pulls", &number.0.to_string(), "merge"]);
    Some(request.json(&Body {
        sha: order.head.as_str(),
        merge_method,
        commit_title: &order.title,
        commit_message: &order.message,
    }))
}

/// `git/delete-ref`: `/git/refs#delete-a-reference`. Slashes of the name are parts of the path here.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let mut parts = vec!["git", "refs", "heads"];
    parts.extend(branch.as_str().split('/'));
    of(address, Method::Delete, format!("delete the branch {branch} of {address}"), &parts)
}

/// `pulls/list-reviews`: `/pulls/reviews#list-reviews-for-a-pull-request`.
pub(super) fn reviews(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("read the reviews of pull request {number} of {address}");
    of(address, Method::Get, doing, &["pulls", &number.0.to_string(), "reviews"]).with("per_page", PAGE)
}

/// `repos/get-combined-status-for-ref`:
/// `/commits/statuses#get-the-combined-status-for-a-specific-reference`. The newest of each name.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address, Method::Get, doing, &["commits", commit.as_str(), "status"]).with("per_page", PAGE)
}

/// `checks/list-for-ref`: `/checks/runs#list-check-runs-for-a-git-reference`.
pub(super) fn check_runs(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the check runs of {} of {address}", commit.short());
    of(address, Method::Get, doing, &["commits", commit.as_str(), "check-runs"])
        .with("filter", "latest")
        .with("per_page", PAGE)
}

/// `repos/create-commit-status`: `/commits/statuses#create-a-commit-status`.
pub(super) fn create_status(address: &RepoAddress, commit: &CommitId, check: &NewCheck) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        state: &'static str,
        context: &'a str,
        description: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_url: Option<&'a str>,
    }
    let state = match check.state {
        CheckState::Pending => "pending",
        // There is no word for neither yes nor no; it keeps nobody from merging.
        CheckState::Passed | CheckState::Neutral => "success",
        CheckState::Failed => "failure",
        CheckState::Broken => "error",
    };
    let mut description: String = check.summary.chars().take(SUMMARY).collect();
    if description.len() < check.summary.len() {
        description.pop();
        description.push('…');
    }
    let doing = format!("give {} of {address} a status", commit.short());
    of(address, Method::Post, doing, &["statuses", commit.as_str()]).json(&Body {
        state,
        context: &check.name,
        description,
        target_url: check.url.as_deref(),
    })
}

/// `issues/list-comments`: `/issues/comments#list-issue-comments`.
pub(super) fn comments(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("read the comments of pull request {number} of {address}");
    of(address, Method::Get, doing, &["issues", &number.0.to_string(), "comments"]).with("per_page", PAGE)
}

#[derive(Serialize)]
struct CommentBody<'a> {
    body: &'a str,
}

/// `issues/create-comment`: `/issues/comments#create-an-issue-comment`.
pub(super) fn create_comment(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    let doing = format!("comment on pull request {number} of {address}");
    of(address, Method::Post, doing, &["issues", &number.0.to_string(), "comments"])
        .json(&CommentBody { body })
}

/// `issues/update-comment`: `/issues/comments#update-an-issue-comment`.
pub(super) fn edit_comment(address: &RepoAddress, comment: &CommentId, body: &str) -> Request {
    let doing = format!("change a comment of {address}");
    of(address, Method::Patch, doing, &["issues", "comments", &comment.0]).json(&CommentBody { body })
}

/// `issues/list-labels-for-repo`: `/issues/labels#list-labels-for-a-repository`.
pub(super) fn labels(address: &RepoAddress) -> Request {
    of(address, Method::Get, format!("read the labels of {address}"), &["labels"]).with("per_page", PAGE)
}

/// `issues/create-label`: `/issues/labels#create-a-label`.
pub(super) fn create_label(address: &RepoAddress, label: &Label, colour: &str) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        name: &'a str,
        color: &'a str,
    }
    of(address, Method::Post, format!("make the label {label} in {address}"), &["labels"])
        .json(&Body { name: &label.0, color: colour })
}

/// `issues/set-labels`: `/issues/labels#set-labels-for-an-issue`.
pub(super) fn replace_labels(address: &RepoAddress, number: ProposalNumber, labels: &[Label]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        labels: Vec<&'a str>,
    }
    let doing = format!("label pull request {number} of {address}");
    of(address, Method::Put, doing, &["issues", &number.0.to_string(), "labels"])
        .json(&Body { labels: labels.iter().map(|label| &*label.0).collect() })
}

/// `pulls/request-reviewers`: `/pulls/review-requests#request-reviewers-for-a-pull-request`.
pub(super) fn request_reviews(
    address: &RepoAddress,
    number: ProposalNumber,
    reviewers: &Reviewers,
) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        reviewers: Vec<&'a str>,
        team_reviewers: &'a [String],
    }
    let doing = format!("ask for reviews of pull request {number} of {address}");
    of(address, Method::Post, doing, &["pulls", &number.0.to_string(), "requested_reviewers"]).json(&Body {
        reviewers: reviewers.people.iter().map(|person| &*person.0).collect(),
        team_reviewers: &reviewers.teams,
    })
}

/// `issues/update`: `/issues/issues#update-an-issue`.
pub(super) fn assign(address: &RepoAddress, number: ProposalNumber, people: &[Account]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        assignees: Vec<&'a str>,
    }
    let doing = format!("assign pull request {number} of {address}");
    of(address, Method::Patch, doing, &["issues", &number.0.to_string()])
        .json(&Body { assignees: people.iter().map(|person| &*person.0).collect() })
}

/// `users/get-authenticated`: `/users/users#get-the-authenticated-user`.
pub(super) fn user() -> Request {
    Request::new(Method::Get, "ask the forge whose credentials these are", &["user"])
}

/// `repos/get`: `/repos/repos#get-a-repository`.
pub(super) fn repository(address: &RepoAddress) -> Request {
    of(address, Method::Get, format!("look at {address}"), &[])
}

/// `apps/get-repo-installation`: `/apps/apps#get-a-repository-installation-for-the-authenticated-app`.
pub(super) fn installation_of(address: &RepoAddress) -> Request {
    of(address, Method::Get, format!("find the app's installation for {address}"), &["installation"])
}

/// `apps/create-installation-access-token`: `/apps/apps#create-an-installation-access-token-for-an-app`.
pub(super) fn installation_token(installation: u64) -> Request {
    let parts = ["app", "installations", &installation.to_string(), "access_tokens"];
    Request::new(Method::Post, format!("get a token for the app's installation {installation}"), &parts)
}

#[cfg(test)]
mod tests;
