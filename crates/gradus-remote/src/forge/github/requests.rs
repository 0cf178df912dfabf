//! The requests to GitHub. The comment of each names the operation, and its page below
//! `https://docs.github.com/rest`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_engine::port::dispatch::DispatchOrder;
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::dispatch::Payload;
use crate::forge::github_shape::{self, of};
pub(super) use crate::forge::github_shape::{
    close_pull, create_comment, create_label, edit_comment, edit_pull, issue, repository, request_reviews,
    user,
};
use crate::forge::model::{
    Account, CheckState, DeploymentId, Label, MergeMethod, MergeOrder, NewCheck, NewDeployment, NewPull,
};
use crate::forge::request::{Method, Request};

/// The most that GitHub gives in one page.
const PAGE: &str = "100";
/// The most characters that GitHub takes for the line of a status.
const SUMMARY: usize = 140;

/// What goes with every request.
pub(super) const HEADERS: &[(&str, &str)] =
    &[("Accept", "application/vnd.github+json"), ("X-GitHub-Api-Version", "2022-11-28")];

fn list(address: &RepoAddress, which: &'static str, head: &BranchName, base: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look for {which} pull requests of {address}"), &["pulls"])
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
    of(address).pull(Method::Get, number, "look at", &[])
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
    of(address).at(Method::Post, doing, &["pulls"]).json(&Body {
        title: &new.title,
        head: new.head.as_str(),
        base: new.base.as_str(),
        body: &new.body,
        draft: new.draft,
    })
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
    let request = of(address).pull(Method::Put, number, "merge", &["merge"]);
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
    of(address).at(Method::Delete, format!("delete the branch {branch} of {address}"), &parts)
}

/// `repos/get-combined-status-for-ref`:
/// `/commits/statuses#get-the-combined-status-for-a-specific-reference`. The newest of each name.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address).at(Method::Get, doing, &["commits", commit.as_str(), "status"]).with("per_page", PAGE)
}

/// `checks/list-for-ref`: `/checks/runs#list-check-runs-for-a-git-reference`.
pub(super) fn check_runs(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the check runs of {} of {address}", commit.short());
    of(address)
        .at(Method::Get, doing, &["commits", commit.as_str(), "check-runs"])
        .with("filter", "latest")
        .with("per_page", PAGE)
}

/// A text as long as GitHub takes it.
fn line(text: &str) -> String {
    let mut line: String = text.chars().take(SUMMARY).collect();
    if line.len() < text.len() {
        line.pop();
        line.push('…');
    }
    line
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
    let description = line(&check.summary);
    let doing = format!("give {} of {address} a status", commit.short());
    of(address).at(Method::Post, doing, &["statuses", commit.as_str()]).json(&Body {
        state,
        context: &check.name,
        description,
        target_url: check.url.as_deref(),
    })
}

/// `pulls/list-reviews`: `/pulls/reviews#list-reviews-for-a-pull-request`.
pub(super) fn reviews(address: &RepoAddress, number: ProposalNumber) -> Request {
    github_shape::reviews(address, number).with("per_page", PAGE)
}

/// `issues/list-comments`: `/issues/comments#list-issue-comments`.
pub(super) fn comments(address: &RepoAddress, number: ProposalNumber) -> Request {
    github_shape::comments(address, number).with("per_page", PAGE)
}

/// `issues/list-labels-for-repo`: `/issues/labels#list-labels-for-a-repository`.
pub(super) fn labels(address: &RepoAddress) -> Request {
    github_shape::labels(address).with("per_page", PAGE)
}

/// `issues/set-labels`: `/issues/labels#set-labels-for-an-issue`.
pub(super) fn replace_labels(address: &RepoAddress, number: ProposalNumber, labels: &[Label]) -> Request {
    let names: Vec<&str> = labels.iter().map(|label| &*label.0).collect();
    github_shape::replace_labels(address, number, &names)
}

/// `issues/update`: `/issues/issues#update-an-issue`.
pub(super) fn assign(address: &RepoAddress, number: ProposalNumber, people: &[Account]) -> Request {
    github_shape::assign(address, "issues", number, people)
}

/// `issues/list-milestones`: `/issues/milestones#list-milestones`.
pub(super) fn milestones(address: &RepoAddress) -> Request {
    github_shape::milestones(address).with("per_page", PAGE)
}

/// `issues/update`: `/issues/issues#update-an-issue`.
pub(super) fn set_milestone(address: &RepoAddress, number: ProposalNumber, milestone: u64) -> Request {
    github_shape::set_milestone(address, "issues", number, milestone)
}

/// `repos/list-deployments`: `/deployments/deployments#list-deployments`. The newest first.
pub(super) fn deployments(address: &RepoAddress, environment: &str, commit: &CommitId) -> Request {
    let doing = format!("look for deployments of {} of {address}", commit.short());
    of(address)
        .at(Method::Get, doing, &["deployments"])
        .with("sha", commit.as_str())
        .with("environment", environment)
        .with("per_page", "1")
}

/// `repos/list-deployment-statuses`: `/deployments/statuses#list-deployment-statuses`. The newest first.
pub(super) fn deployment_statuses(address: &RepoAddress, deployment: &DeploymentId) -> Request {
    let doing = format!("see how a deployment of {address} went");
    of(address).at(Method::Get, doing, &["deployments", &deployment.0, "statuses"]).with("per_page", "1")
}

/// `repos/create-deployment`: `/deployments/deployments#create-a-deployment`. It is there already, whatever the
/// checks of the commit say.
pub(super) fn create_deployment(address: &RepoAddress, new: &NewDeployment) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "ref")]
        commit: &'a str,
        environment: &'a str,
        description: String,
        auto_merge: bool,
        required_contexts: [&'a str; 0],
    }
    let doing = format!("tell of a deployment of {} of {address}", new.commit.short());
    of(address).at(Method::Post, doing, &["deployments"]).json(&Body {
        commit: new.commit.as_str(),
        environment: &new.environment,
        description: line(&new.summary),
        auto_merge: false,
        required_contexts: [],
    })
}

/// `repos/create-dispatch-event`: `/repos/repos#create-a-repository-dispatch-event`.
pub(super) fn dispatch(address: &RepoAddress, order: &DispatchOrder) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        event_type: &'a str,
        client_payload: Payload<'a>,
    }
    let doing = format!("ask automation of {address} for {} in {}", order.to, order.environment);
    of(address)
        .at(Method::Post, doing, &["dispatches"])
        .json(&Body { event_type: order.event.as_str(), client_payload: Payload::of(order) })
}

/// `repos/create-deployment-status`: `/deployments/statuses#create-a-deployment-status`.
pub(super) fn create_deployment_status(
    address: &RepoAddress,
    deployment: &DeploymentId,
    new: &NewDeployment,
) -> Request {
    #[derive(Serialize)]
    struct Body {
        state: &'static str,
        description: String,
    }
    let state = match new.state {
        CheckState::Pending => "in_progress",
        CheckState::Passed => "success",
        CheckState::Failed => "failure",
        CheckState::Broken => "error",
        CheckState::Neutral => "inactive",
    };
    let doing = format!("say how a deployment of {address} goes");
    of(address)
        .at(Method::Post, doing, &["deployments", &deployment.0, "statuses"])
        .json(&Body { state, description: line(&new.summary) })
}

/// `apps/get-repo-installation`: `/apps/apps#get-a-repository-installation-for-the-authenticated-app`.
pub(super) fn installation_of(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("find the app's installation for {address}"), &["installation"])
}

/// `apps/create-installation-access-token`: `/apps/apps#create-an-installation-access-token-for-an-app`.
pub(super) fn installation_token(installation: u64) -> Request {
    let parts = ["app", "installations", &installation.to_string(), "access_tokens"];
    Request::new(Method::Post, format!("get a token for the app's installation {installation}"), &parts)
}

/// `teams/get-membership-for-user-in-org`: `/teams/members#get-team-membership-for-a-user`.
pub(super) fn team_member(organisation: &str, team: &str, account: &Account) -> Request {
    let doing = format!("ask whether {account} is in the team {organisation}/{team}");
    Request::new(Method::Get, doing, &["orgs", organisation, "teams", team, "memberships", &account.0])
}

#[cfg(test)]
mod tests;
