//! The requests to Azure DevOps. The page in each comment is below
//! `https://learn.microsoft.com/rest/api/azure/devops/`, for version 7.0, which its own servers have since 2022.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::below::Below;
use crate::forge::model::{CheckState, Label, MergeMethod, MergeOrder, NewCheck, NewPull, PullChange};
use crate::forge::request::{Method, Request};

/// How many things are asked for in one page.
pub(super) const PAGE: usize = 100;
/// The version of the API, which goes with every request.
const VERSION: (&str, &str) = ("api-version", "7.0");
/// The names of rights in repositories, on the page `security/permissions`.
const GIT: &str = "2e9eb7ed-3c0a-47d4-87c1-0ffdd275fd87";

/// What is below the organisation.
fn of_organisation(
    address: &RepoAddress,
    method: Method,
    doing: impl Into<String>,
    parts: &[&str],
) -> Request {
    let organisation = address.owner.first().map(String::as_str).unwrap_or_default();
    let mut path = vec![organisation];
    path.extend(parts);
    Request::new(method, doing, &path)
}

fn project(address: &RepoAddress) -> &str {
    address.owner.last().map(String::as_str).unwrap_or_default()
}

fn of(address: &RepoAddress) -> Below<'_> {
    let organisation = address.owner.first().cloned().unwrap_or_default();
    let parts = [&organisation, project(address), "_apis", "git", "repositories", &address.name];
    let path = parts.map(str::to_owned).to_vec();
    Below { address, path, pulls: "pullrequests", pull: "pull request", query: Some(VERSION) }
}

trait Version {
    fn version(self) -> Self;
    fn preview(self) -> Self;
}

impl Version for Request {
    fn version(self) -> Self {
        self.with(VERSION.0, VERSION.1)
    }

    fn preview(self) -> Self {
        self.with(VERSION.0, "7.0-preview.1")
    }
}

fn branch_id(branch: &BranchName) -> String {
    format!("refs/heads/{branch}")
}

fn pulls(address: &RepoAddress, what: &str, head: &BranchName, base: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look for {what} pull requests of {address}"), &["pullrequests"])
        .with("searchCriteria.sourceRefName", branch_id(head))
        .with("searchCriteria.targetRefName", branch_id(base))
}

/// `git/pull-requests/get-pull-requests`: newest first.
pub(super) fn open_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    let request = pulls(address, "open", head, base).with("searchCriteria.status", "active");
    request.with("$top", PAGE.to_string())
}

/// `git/pull-requests/get-pull-requests`: newest first.
pub(super) fn ended_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    let request = pulls(address, "closed", head, base).with("searchCriteria.status", "all");
    request.with("$top", PAGE.to_string())
}

/// `git/pull-requests/get-pull-request`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "look at", &[])
}

/// `git/pull-requests/create`.
pub(super) fn create_pull(address: &RepoAddress, new: &NewPull) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        source_ref_name: String,
        target_ref_name: String,
        title: &'a str,
        description: &'a str,
        is_draft: bool,
    }
    let doing = format!("open a pull request of {} in {address}", new.head);
    of(address).at(Method::Post, doing, &["pullrequests"]).json(&Body {
        source_ref_name: branch_id(&new.head),
        target_ref_name: branch_id(&new.base),
        title: &new.title,
        description: &new.body,
        is_draft: new.draft,
    })
}

/// `git/pull-requests/update`.
pub(super) fn edit_pull(address: &RepoAddress, number: ProposalNumber, change: &PullChange) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_ref_name: Option<String>,
    }
    of(address).pull(Method::Patch, number, "change", &[]).json(&Body {
        title: change.title.as_deref(),
        description: change.body.as_deref(),
        target_ref_name: change.base.as_ref().map(branch_id),
    })
}

/// `git/pull-requests/update`.
pub(super) fn abandon_pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    #[derive(Serialize)]
    struct Body {
        status: &'static str,
    }
    of(address).pull(Method::Patch, number, "close", &[]).json(&Body { status: "abandoned" })
}

/// What a way to merge is called, where there is such a way.
pub(super) fn strategy(method: MergeMethod) -> Option<&'static str> {
    match method {
        MergeMethod::Merge => Some("noFastForward"),
        MergeMethod::Squash => Some("squash"),
        MergeMethod::Rebase => Some("rebase"),
        MergeMethod::FastForward => None,
    }
}

/// `git/pull-requests/update`: completes it if the branch is at this commit.
pub(super) fn complete_pull(
    address: &RepoAddress,
    number: ProposalNumber,
    order: &MergeOrder,
    strategy: &'static str,
) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        status: &'static str,
        last_merge_source_commit: Commit<'a>,
        completion_options: Options,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Commit<'a> {
        commit_id: &'a str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Options {
        merge_strategy: &'static str,
        merge_commit_message: String,
        delete_source_branch: bool,
        transition_work_items: bool,
    }
    of(address).pull(Method::Patch, number, "merge", &[]).json(&Body {
        status: "completed",
        last_merge_source_commit: Commit { commit_id: order.head.as_str() },
        completion_options: Options {
            merge_strategy: strategy,
            merge_commit_message: order.text(),
            delete_source_branch: order.delete_branch,
            transition_work_items: false,
        },
    })
}

/// `policy/evaluations/list`: what the policies of the branch say of a pull request.
pub(super) fn policies(address: &RepoAddress, number: ProposalNumber, project_id: &str) -> Request {
    let doing = format!("read the policies of pull request {number} of {address}");
    let artifact = format!("vstfs:///CodeReview/CodeReviewId/{project_id}/{number}");
    let parts = [project(address), "_apis", "policy", "evaluations"];
    of_organisation(address, Method::Get, doing, &parts).with("artifactId", artifact).preview()
}

/// `git/refs/list`: all that begin so.
pub(super) fn branches(address: &RepoAddress, branch: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look at the branch {branch} of {address}"), &["refs"])
        .with("filter", format!("heads/{branch}"))
}

/// `git/refs/update-refs`: takes the branch away, if it is where it was seen.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName, at: &str) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Update<'a> {
        name: String,
        old_object_id: &'a str,
        new_object_id: String,
    }
    let nothing = "0".repeat(40);
    of(address)
        .at(Method::Post, format!("delete the branch {branch} of {address}"), &["refs"])
        .json(&[Update { name: branch_id(branch), old_object_id: at, new_object_id: nothing }])
}

/// `git/pull-request-reviewers/list`.
pub(super) fn reviewers(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the reviewers of", &["reviewers"])
}

/// `git/pull-request-reviewers/create-pull-request-reviewer`: one who has not voted.
pub(super) fn add_reviewer(address: &RepoAddress, number: ProposalNumber, id: &str) -> Request {
    #[derive(Serialize)]
    struct Body {
        vote: i8,
    }
    of(address).pull(Method::Put, number, "ask for reviews of", &["reviewers", id]).json(&Body { vote: 0 })
}

/// `core/teams/get-teams`.
pub(super) fn teams(address: &RepoAddress) -> Request {
    let doing = format!("look for the teams of {}", project(address));
    of_organisation(address, Method::Get, doing, &["_apis", "projects", project(address), "teams"])
        .version()
        .with("$top", PAGE.to_string())
}

/// `core/teams/get-team-members-with-extended-properties`.
pub(super) fn members(address: &RepoAddress, team: &str) -> Request {
    let doing = format!("look for the people of {}", project(address));
    let parts = ["_apis", "projects", project(address), "teams", team, "members"];
    of_organisation(address, Method::Get, doing, &parts).version().with("$top", PAGE.to_string())
}

/// `git/statuses/list`: the newest of each name.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address)
        .at(Method::Get, doing, &["commits", commit.as_str(), "statuses"])
        .with("latestOnly", "true")
        .with("top", PAGE.to_string())
}

/// `git/statuses/create`. A name is told in two parts.
pub(super) fn create_status(address: &RepoAddress, commit: &CommitId, check: &NewCheck) -> Request {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body<'a> {
        state: &'static str,
        description: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_url: Option<&'a str>,
        context: Context<'a>,
    }
    #[derive(Serialize)]
    struct Context<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        genre: Option<&'a str>,
        name: &'a str,
    }
    let state = match check.state {
        CheckState::Pending => "pending",
        CheckState::Passed => "succeeded",
        CheckState::Failed => "failed",
        CheckState::Broken => "error",
        CheckState::Neutral => "notApplicable",
    };
    let context = match check.name.rsplit_once('/') {
        Some((genre, name)) if !genre.is_empty() && !name.is_empty() => Context { genre: Some(genre), name },
        Some(_) | None => Context { genre: None, name: &check.name },
    };
    let doing = format!("give {} of {address} a status", commit.short());
    of(address).at(Method::Post, doing, &["commits", commit.as_str(), "statuses"]).json(&Body {
        state,
        description: &check.summary,
        target_url: check.url.as_deref(),
        context,
    })
}

/// `git/pull-request-threads/list`. This list has no pages.
pub(super) fn threads(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the comments of", &["threads"])
}

/// `git/pull-request-threads/create`. It is closed at once: a policy may forbid to merge what has open ones.
pub(super) fn create_thread(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        comments: [Comment<'a>; 1],
        status: &'static str,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Comment<'a> {
        parent_comment_id: u64,
        content: &'a str,
        comment_type: &'static str,
    }
    let comment = Comment { parent_comment_id: 0, content: body, comment_type: "text" };
    of(address)
        .pull(Method::Post, number, "comment on", &["threads"])
        .json(&Body { comments: [comment], status: "closed" })
}

/// `git/pull-request-thread-comments/update`.
pub(super) fn edit_comment(
    address: &RepoAddress,
    number: ProposalNumber,
    thread: &str,
    comment: &str,
    body: &str,
) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        content: &'a str,
    }
    let parts = ["threads", thread, "comments", comment];
    of(address).pull(Method::Patch, number, "change a comment of", &parts).json(&Body { content: body })
}

/// `git/pull-request-labels/list`.
pub(super) fn labels(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the labels of", &["labels"])
}

/// `git/pull-request-labels/create`. One that is not there is made.
pub(super) fn add_label(address: &RepoAddress, number: ProposalNumber, label: &Label) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        name: &'a str,
    }
    of(address).pull(Method::Post, number, "label", &["labels"]).json(&Body { name: &label.0 })
}

/// `git/pull-request-labels/delete`.
pub(super) fn remove_label(address: &RepoAddress, number: ProposalNumber, id: &str) -> Request {
    of(address).pull(Method::Delete, number, "take a label from", &["labels", id])
}

/// `_apis/connectionData`, as the public clients ask it: it has no page of its own.
pub(super) fn connection(address: &RepoAddress) -> Request {
    let doing = "ask the forge whose credentials these are";
    of_organisation(address, Method::Get, doing, &["_apis", "connectionData"]).preview()
}

/// `git/repositories/get-repository`.
pub(super) fn repository(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("look at {address}"), &[])
}

/// `security/permissions/has-permissions`: whether the account has all of these rights.
pub(super) fn permitted(address: &RepoAddress, project: &str, repository: &str, rights: u32) -> Request {
    let doing = format!("see what the account may do in {address}");
    let rights = rights.to_string();
    of_organisation(address, Method::Get, doing, &["_apis", "permissions", GIT, &rights])
        .with("tokens", format!("repoV2/{project}/{repository}"))
        .version()
}

/// `git/policy-configurations/get`: what is asked of pull requests for a branch.
pub(super) fn policies_of(address: &RepoAddress, repository: &str, branch: &BranchName) -> Request {
    let doing = format!("read the rules of {branch} of {address}");
    let parts = [project(address), "_apis", "git", "policy", "configurations"];
    of_organisation(address, Method::Get, doing, &parts)
        .with("repositoryId", repository)
        .with("refName", format!("refs/heads/{branch}"))
        .version()
}

/// `hooks/subscriptions/list`.
pub(super) fn subscriptions(address: &RepoAddress) -> Request {
    let doing = format!("read the service hooks of {address}");
    of_organisation(address, Method::Get, doing, &["_apis", "hooks", "subscriptions"])
        .with("publisherId", "tfs")
        .version()
}

/// `git/repositories/list`.
pub(super) fn repositories(address: &RepoAddress) -> Request {
    let doing = format!("look for repositories like {address}");
    let parts = [project(address), "_apis", "git", "repositories"];
    of_organisation(address, Method::Get, doing, &parts).version()
}

#[cfg(test)]
mod tests {
    use crate::forge::address::{ForgeKind, RepoAddress};
    use crate::forge::model::MergeMethod;
    use crate::forge::sample;

    #[test]
    fn every_request_is_as_the_description_says() {
        let url = "https://acme@dev.azure.com/acme/Web%20Shop/_git/fleet";
        let at = RepoAddress::parse(ForgeKind::AzureDevOps, url, None).unwrap();
        let (head, base, commit, number) = (sample::head(), sample::base(), sample::commit(), sample::NUMBER);
        let requests = [
            super::open_pulls(&at, &head, &base),
            super::ended_pulls(&at, &head, &base),
            super::pull(&at, number),
            super::create_pull(&at, &sample::new(true)),
            super::edit_pull(&at, number, &sample::change()),
            super::abandon_pull(&at, number),
            super::complete_pull(&at, number, &sample::order(MergeMethod::Squash), "squash"),
            super::policies(&at, number, "p-1"),
            super::branches(&at, &head),
            super::delete_branch(&at, &head, commit.as_str()),
            super::reviewers(&at, number),
            super::add_reviewer(&at, number, "i-1"),
            super::teams(&at),
            super::members(&at, "t-1"),
            super::statuses(&at, &commit),
            super::create_status(&at, &commit, &sample::check()),
            super::threads(&at, number),
            super::create_thread(&at, number, "Closed: overtaken"),
            super::edit_comment(&at, number, "12", "1", "Closed: overtaken"),
            super::labels(&at, number),
            super::add_label(&at, number, &sample::labels()[0]),
            super::remove_label(&at, number, "l-1"),
            super::connection(&at),
            super::repository(&at),
            super::permitted(&at, "p-1", "r-1", 4),
        ];
        insta::assert_snapshot!(sample::shown(&requests));
    }
}
