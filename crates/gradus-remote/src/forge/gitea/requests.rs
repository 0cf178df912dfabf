//! The requests to Gitea. The name in each comment is the `operationId` in `/swagger.v1.json`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::Serialize;

use super::wire::DRAFT;
use crate::forge::address::RepoAddress;
use crate::forge::github_shape::{self, of};
pub(super) use crate::forge::github_shape::{
    close_pull, comments, create_comment, create_label, edit_comment, issue, replace_labels, repository,
    request_reviews, user,
};
use crate::forge::model::{Account, CheckState, MergeMethod, MergeOrder, NewCheck, NewPull, PullChange};
use crate::forge::request::{Method, Request};

/// The most that a server gives in one page, as it is set up by default.
const PAGE: &str = "50";

/// `repoListPullRequests`.
pub(super) fn open_pulls(address: &RepoAddress, base: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look for open pull requests of {address}"), &["pulls"])
        .with("state", "open")
        .with("base_branch", base.as_str())
        .with("sort", "recentupdate")
        .with("limit", PAGE)
}

/// `repoListPullRequests`.
pub(super) fn ended_pulls(address: &RepoAddress, base: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look for closed pull requests of {address}"), &["pulls"])
        .with("state", "closed")
        .with("base_branch", base.as_str())
        .with("sort", "recentclose")
        .with("limit", PAGE)
}

/// `repoGetPullRequest`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "look at", &[])
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
    let draft = if new.draft { DRAFT } else { "" };
    let doing = format!("open a pull request of {} in {address}", new.head);
    of(address).at(Method::Post, doing, &["pulls"]).json(&Body {
        head: new.head.as_str(),
        base: new.base.as_str(),
        title: format!("{draft}{}", new.title),
        body: &new.body,
    })
}

/// `repoEditPullRequest`. What is a draft stays one.
pub(super) fn edit_pull(address: &RepoAddress, number: ProposalNumber, change: &PullChange) -> Request {
    let draft = if change.draft { DRAFT } else { "" };
    let title = change.title.as_ref().map(|title| format!("{draft}{title}"));
    github_shape::edit_pull(address, number, &PullChange { title, ..change.clone() })
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
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        merge_when_checks_succeed: bool,
    }
    let how = match order.method {
        MergeMethod::Merge => "merge",
        MergeMethod::Squash => "squash",
        MergeMethod::Rebase => "rebase",
        MergeMethod::FastForward => "fast-forward-only",
    };
    of(address).pull(Method::Post, number, "merge", &["merge"]).json(&Body {
        how,
        title: &order.title,
        message: &order.message,
        head_commit_id: order.head.as_str(),
        delete_branch_after_merge: order.delete_branch,
        merge_when_checks_succeed: order.queue,
    })
}

/// `repoDeleteBranch`. Slashes of the name are parts of the path here.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let mut parts = vec!["branches"];
    parts.extend(branch.as_str().split('/'));
    of(address).at(Method::Delete, format!("delete the branch {branch} of {address}"), &parts)
}

/// `repoListStatuses`.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address).at(Method::Get, doing, &["statuses", commit.as_str()]).with("limit", PAGE)
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
    of(address).at(Method::Post, doing, &["statuses", commit.as_str()]).json(&Body {
        state,
        context: &check.name,
        description: &check.summary,
        target_url: check.url.as_deref(),
    })
}

/// `repoListPullReviews`.
pub(super) fn reviews(address: &RepoAddress, number: ProposalNumber) -> Request {
    github_shape::reviews(address, number).with("limit", PAGE)
}

/// `issueListLabels`.
pub(super) fn labels(address: &RepoAddress) -> Request {
    github_shape::labels(address).with("limit", PAGE)
}

/// `repoEditPullRequest`.
pub(super) fn assign(address: &RepoAddress, number: ProposalNumber, people: &[Account]) -> Request {
    github_shape::assign(address, "pulls", number, people)
}

/// `repoGetAssignees`. Those who may write.
pub(super) fn assignees(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("ask who may write to {address}"), &["assignees"])
}

/// `teamSearch`.
pub(super) fn teams(organisation: &str, team: &str) -> Request {
    Request::new(
        Method::Get,
        format!("look for the team {organisation}/{team}"),
        &["orgs", organisation, "teams", "search"],
    )
    .with("q", team)
    .with("limit", PAGE)
}

/// `orgListTeamMember`.
pub(super) fn team_member(team: u64, account: &Account) -> Request {
    let doing = format!("ask whether {account} is in a team");
    Request::new(Method::Get, doing, &["teams", &team.to_string(), "members", &account.0])
}

/// `issueGetMilestonesList`.
pub(super) fn milestones(address: &RepoAddress, title: &str) -> Request {
    github_shape::milestones(address).with("name", title).with("limit", PAGE)
}

/// `repoEditPullRequest`.
pub(super) fn set_milestone(address: &RepoAddress, number: ProposalNumber, milestone: u64) -> Request {
    github_shape::set_milestone(address, "pulls", number, milestone)
}

#[cfg(test)]
mod tests {
    use crate::forge::address::{ForgeKind, RepoAddress};
    use crate::forge::model::{Account, CommentId, Label, MergeMethod, Reviewers};
    use crate::forge::sample;

    #[test]
    fn every_request_is_as_the_description_says() {
        let at = RepoAddress::parse(ForgeKind::Gitea, "https://git.acme.io/acme/fleet.git", None).unwrap();
        let (head, base, commit, number) = (sample::head(), sample::base(), sample::commit(), sample::NUMBER);
        let reviewers = Reviewers { people: vec![Account("ann".into())], teams: vec!["release".to_owned()] };
        let requests = [
            super::open_pulls(&at, &base),
            super::ended_pulls(&at, &base),
            super::pull(&at, number),
            super::issue(&at, number),
            super::create_pull(&at, &sample::new(false)),
            super::create_pull(&at, &sample::new(true)),
            super::edit_pull(&at, number, &sample::change()),
            super::close_pull(&at, number),
            super::merge_pull(&at, number, &sample::order(MergeMethod::Squash)),
            super::delete_branch(&at, &head),
            super::reviews(&at, number),
            super::statuses(&at, &commit),
            super::create_status(&at, &commit, &sample::check()),
            super::comments(&at, number),
            super::create_comment(&at, number, "Closed: overtaken"),
            super::edit_comment(&at, &CommentId("12".to_owned()), "Closed: overtaken"),
            super::labels(&at),
            super::create_label(&at, &Label("env/prod".into()), "#3b7dd8"),
            super::replace_labels(&at, number, &[3, 4]),
            super::request_reviews(&at, number, &reviewers),
            super::assign(&at, number, &[Account("ann".into())]),
            super::milestones(&at, "1.2"),
            super::set_milestone(&at, number, 3),
            super::merge_pull(&at, number, &sample::queued(MergeMethod::Merge)),
            super::user(),
            super::repository(&at),
            super::assignees(&at),
            super::teams("acme", "release"),
            super::team_member(3, &Account("ann".into())),
            crate::forge::people::permission(&at, &Account("ann".into())),
            crate::forge::people::profile(&Account("ann".into())),
            crate::forge::people::organisation(&at),
            crate::forge::people::membership(&at, &Account("ann".into())),
            crate::forge::people::react(&at, number, &CommentId("12".to_owned()), true),
        ];
        insta::assert_snapshot!(sample::shown(&requests));
    }
}
