//! The requests to Gitea. The name in each comment is the `operationId` in `/swagger.v1.json`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::model::{
    Account, CheckState, CommentId, Label, MergeMethod, MergeOrder, NewCheck, NewPull, PullChange, Reviewers,
};
use crate::forge::request::{Method, Request};

/// The most that a server gives in one page, as it is set up by default.
const PAGE: &str = "50";

fn of(address: &RepoAddress, method: Method, doing: impl Into<String>, parts: &[&str]) -> Request {
    let owner = address.owner();
    let mut path = vec!["repos", owner.as_str(), address.name.as_str()];
    path.extend(parts);
    Request::new(method, doing, &path)
}

/// `repoListPullRequests`.
pub(super) fn open_pulls(address: &RepoAddress, base: &BranchName) -> Request {
    of(address, Method::Get, format!("look for open pull requests of {address}"), &["pulls"])
        .with("state", "open")
        .with("base_branch", base.as_str())
        .with("sort", "recentupdate")
        .with("limit", PAGE)
}

/// `repoListPullRequests`.
pub(super) fn ended_pulls(address: &RepoAddress, base: &BranchName) -> Request {
    of(address, Method::Get, format!("look for closed pull requests of {address}"), &["pulls"])
        .with("state", "closed")
        .with("base_branch", base.as_str())
        .with("sort", "recentclose")
        .with("limit", PAGE)
}

/// `repoGetPullRequest`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("look at pull request {number} of {address}");
    of(address, Method::Get, doing, &["pulls", &number.0.to_string()])
}

/// `issueGetIssue`: a pull request is an issue, and only there is said who closed it.
pub(super) fn issue(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("see who closed pull request {number} of {address}");
    of(address, Method::Get, doing, &["issues", &number.0.to_string()])
}

/// `repoCreatePullRequest`. A title that begins so makes a draft.
pub(super) fn create_pull(address: &RepoAddress, new: &NewPull) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        head: &'a str,
        base: &'a str,
        title: String,
        body: &'a str,
    }
    let draft = if new.draft { "WIP: " } else { "" };
    let doing = format!("open a pull request of {} in {address}", new.head);
    of(address, Method::Post, doing, &["pulls"]).json(&Body {
        head: new.head.as_str(),
        base: new.base.as_str(),
        title: format!("{draft}{}", new.title),
        body: &new.body,
    })
}

/// `repoEditPullRequest`.
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

/// `repoEditPullRequest`.
pub(super) fn close_pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    #[derive(Serialize)]
    struct Body {
        state: &'static str,
    }
    let doing = format!("close pull request {number} of {address}");
    of(address, Method::Patch, doing, &["pulls", &number.0.to_string()]).json(&Body { state: "closed" })
}

/// `repoMergePullRequest`.
pub(super) fn merge_pull(address: &RepoAddress, number: ProposalNumber, order: &MergeOrder) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "Do")]
        how: &'static str,
        #[serde(rename = "MergeTitleField")]
        title: &'a str,
        #[serde(rename = "MergeMessageField")]
        message: &'a str,
        head_commit_id: &'a str,
        delete_branch_after_merge: bool,
    }
    let how = match order.method {
        MergeMethod::Merge => "merge",
        MergeMethod::Squash => "squash",
        MergeMethod::Rebase => "rebase",
        MergeMethod::FastForward => "fast-forward-only",
    };
    let doing = format!("merge pull request {number} of {address}");
    of(address, Method::Post, doing, &["pulls", &number.0.to_string(), "merge"]).json(&Body {
        how,
        title: &order.title,
        message: &order.message,
        head_commit_id: order.head.as_str(),
        delete_branch_after_merge: order.delete_branch,
    })
}

/// `repoDeleteBranch`. Slashes of the name are parts of the path here.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let mut parts = vec!["branches"];
    parts.extend(branch.as_str().split('/'));
    of(address, Method::Delete, format!("delete the branch {branch} of {address}"), &parts)
}

/// `repoListPullReviews`.
pub(super) fn reviews(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("read the reviews of pull request {number} of {address}");
    of(address, Method::Get, doing, &["pulls", &number.0.to_string(), "reviews"]).with("limit", PAGE)
}

/// `repoListStatuses`.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address, Method::Get, doing, &["statuses", commit.as_str()]).with("limit", PAGE)
}

/// `repoCreateStatus`.
pub(super) fn create_status(address: &RepoAddress, commit: &CommitId, check: &NewCheck) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        state: &'static str,
        context: &'a str,
        description: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_url: Option<&'a str>,
    }
    let state = match check.state {
        CheckState::Pending => "pending",
        CheckState::Passed => "success",
        CheckState::Failed => "failure",
        CheckState::Broken => "error",
        CheckState::Neutral => "skipped",
    };
    let doing = format!("give {} of {address} a status", commit.short());
    of(address, Method::Post, doing, &["statuses", commit.as_str()]).json(&Body {
        state,
        context: &check.name,
        description: &check.summary,
        target_url: check.url.as_deref(),
    })
}

/// `issueGetComments`.
pub(super) fn comments(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("read the comments of pull request {number} of {address}");
    of(address, Method::Get, doing, &["issues", &number.0.to_string(), "comments"])
}

#[derive(Serialize)]
struct CommentBody<'a> {
    body: &'a str,
}

/// `issueCreateComment`.
pub(super) fn create_comment(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    let doing = format!("comment on pull request {number} of {address}");
    of(address, Method::Post, doing, &["issues", &number.0.to_string(), "comments"])
        .json(&CommentBody { body })
}

/// `issueEditComment`.
pub(super) fn edit_comment(address: &RepoAddress, comment: &CommentId, body: &str) -> Request {
    let doing = format!("change a comment of {address}");
    of(address, Method::Patch, doing, &["issues", "comments", &comment.0]).json(&CommentBody { body })
}

/// `issueListLabels`.
pub(super) fn labels(address: &RepoAddress) -> Request {
    of(address, Method::Get, format!("read the labels of {address}"), &["labels"]).with("limit", PAGE)
}

/// `issueCreateLabel`.
pub(super) fn create_label(address: &RepoAddress, label: &Label, colour: &str) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        name: &'a str,
        color: &'a str,
    }
    of(address, Method::Post, format!("make the label {label} in {address}"), &["labels"])
        .json(&Body { name: &label.0, color: colour })
}

/// `issueReplaceLabels`.
pub(super) fn replace_labels(address: &RepoAddress, number: ProposalNumber, labels: &[u64]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        labels: &'a [u64],
    }
    let doing = format!("label pull request {number} of {address}");
    of(address, Method::Put, doing, &["issues", &number.0.to_string(), "labels"]).json(&Body { labels })
}

/// `repoCreatePullReviewRequests`.
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

/// `repoEditPullRequest`.
pub(super) fn assign(address: &RepoAddress, number: ProposalNumber, people: &[Account]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        assignees: Vec<&'a str>,
    }
    let doing = format!("assign pull request {number} of {address}");
    of(address, Method::Patch, doing, &["pulls", &number.0.to_string()])
        .json(&Body { assignees: people.iter().map(|person| &*person.0).collect() })
}

/// `userGetCurrent`.
pub(super) fn user() -> Request {
    Request::new(Method::Get, "ask the forge whose credentials these are", &["user"])
}

/// `repoGet`.
pub(super) fn repository(address: &RepoAddress) -> Request {
    of(address, Method::Get, format!("look at {address}"), &[])
}

#[cfg(test)]
mod tests {
    use gradus_core::names::{BranchName, CommitId, ProposalNumber};

    use crate::forge::address::{ForgeKind, RepoAddress};
    use crate::forge::model::{
        Account, CheckState, CommentId, Label, MergeMethod, MergeOrder, NewCheck, NewPull, PullChange,
        Reviewers,
    };

    #[test]
    fn every_request_is_as_the_description_says() {
        let at = RepoAddress::parse(ForgeKind::Gitea, "https://git.acme.io/acme/fleet.git", None).unwrap();
        let (head, base) =
            (BranchName::parse("gradus/apps/web/prod").unwrap(), BranchName::parse("main").unwrap());
        let commit = CommitId::parse("8f0c1a9bd7c0d1f5e6a7b8c9d0e1f2a3b4c5d6e7").unwrap();
        let number = ProposalNumber(7);
        let new = NewPull {
            head: head.clone(),
            base: base.clone(),
            title: "web 1.2.3 to prod".to_owned(),
            body: "old -> \"new\"\n".to_owned(),
            draft: false,
        };
        let order = MergeOrder {
            head: commit.clone(),
            method: MergeMethod::Squash,
            title: "web 1.2.3".to_owned(),
            message: "Why: it is time".to_owned(),
            delete_branch: false,
        };
        let check = NewCheck {
            name: "gradus/prod".to_owned(),
            state: CheckState::Pending,
            summary: "waits for an approval".to_owned(),
            url: None,
        };
        let reviewers = Reviewers { people: vec![Account("ann".into())], teams: vec!["release".to_owned()] };
        let title = PullChange { title: Some("web 1.2.4".to_owned()), ..PullChange::default() };
        let requests = [
            super::open_pulls(&at, &base),
            super::ended_pulls(&at, &base),
            super::pull(&at, number),
            super::issue(&at, number),
            super::create_pull(&at, &new),
            super::create_pull(&at, &NewPull { draft: true, ..new }),
            super::edit_pull(&at, number, &title),
            super::close_pull(&at, number),
            super::merge_pull(&at, number, &order),
            super::delete_branch(&at, &head),
            super::reviews(&at, number),
            super::statuses(&at, &commit),
            super::create_status(&at, &commit, &check),
            super::comments(&at, number),
            super::create_comment(&at, number, "Closed: overtaken"),
            super::edit_comment(&at, &CommentId("12".to_owned()), "Closed: overtaken"),
            super::labels(&at),
            super::create_label(&at, &Label("env/prod".into()), "#3b7dd8"),
            super::replace_labels(&at, number, &[3, 4]),
            super::request_reviews(&at, number, &reviewers),
            super::assign(&at, number, &[Account("ann".into())]),
            super::user(),
            super::repository(&at),
        ];
        let text: Vec<String> =
            requests.iter().map(|request| format!("# {}\n{request}", request.doing)).collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
