//! The requests to GitLab. The page in each comment is below `https://docs.gitlab.com/api/`.

use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_engine::port::dispatch::DispatchOrder;
use serde::Serialize;

use crate::forge::address::RepoAddress;
use crate::forge::below::Below;
use crate::forge::dispatch::Payload;
use crate::forge::model::{
    Account, CheckState, CommentId, DeploymentId, Label, MergeMethod, MergeOrder, NewCheck, NewDeployment,
    NewPull, PullChange,
};
use crate::forge::request::{Method, Request};

/// The most that a server gives in one page.
const PAGE: &str = "100";

/// The project is one part of the path, with all its groups.
pub(super) fn of(address: &RepoAddress) -> Below<'_> {
    let path = vec!["projects".to_owned(), format!("{}/{}", address.owner(), address.name)];
    Below { address, path, pulls: "merge_requests", pull: "merge request", query: None }
}

/// `merge_requests/#list-project-merge-requests`.
pub(super) fn open_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look for open merge requests of {address}"), &["merge_requests"])
        .with("state", "opened")
        .with("source_branch", head.as_str())
        .with("target_branch", base.as_str())
        .with("order_by", "created_at")
        .with("sort", "asc")
        .with("per_page", PAGE)
}

/// `merge_requests/#list-project-merge-requests`.
pub(super) fn ended_pulls(address: &RepoAddress, head: &BranchName, base: &BranchName) -> Request {
    of(address)
        .at(Method::Get, format!("look for closed merge requests of {address}"), &["merge_requests"])
        .with("state", "all")
        .with("source_branch", head.as_str())
        .with("target_branch", base.as_str())
        .with("order_by", "updated_at")
        .with("sort", "desc")
        .with("per_page", PAGE)
}

/// `merge_requests/#get-single-mr`.
pub(super) fn pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "look at", &[])
}

/// `merge_requests/#create-mr`. A title that begins so makes a draft.
pub(super) fn create_pull(address: &RepoAddress, new: &NewPull) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        source_branch: &'a str,
        target_branch: &'a str,
        title: String,
        description: &'a str,
    }
    let doing = format!("open a merge request of {} in {address}", new.head);
    of(address).at(Method::Post, doing, &["merge_requests"]).json(&Body {
        source_branch: new.head.as_str(),
        target_branch: new.base.as_str(),
        title: title(&new.title, new.draft),
        description: &new.body,
    })
}

fn title(title: &str, draft: bool) -> String {
    format!("{}{title}", if draft { "Draft: " } else { "" })
}

/// `merge_requests/#update-mr`. The title says whether it is a draft, so that has to be known.
pub(super) fn edit_pull(
    address: &RepoAddress,
    number: ProposalNumber,
    change: &PullChange,
    draft: bool,
) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_branch: Option<&'a str>,
    }
    of(address).pull(Method::Put, number, "change", &[]).json(&Body {
        title: change.title.as_deref().map(|text| title(text, draft)),
        description: change.body.as_deref(),
        target_branch: change.base.as_ref().map(BranchName::as_str),
    })
}

/// `merge_requests/#update-mr`.
pub(super) fn close_pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    #[derive(Serialize)]
    struct Body {
        state_event: &'static str,
    }
    of(address).pull(Method::Put, number, "close", &[]).json(&Body { state_event: "close" })
}

/// `merge_requests/#merge-a-merge-request`. Whether there is a merge commit is a rule of the project.
pub(super) fn merge_pull(address: &RepoAddress, number: ProposalNumber, order: &MergeOrder) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        sha: &'a str,
        squash: bool,
        merge_commit_message: &'a str,
        squash_commit_message: &'a str,
        should_remove_source_branch: bool,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        auto_merge: bool,
        /// As versions before 17.11 call it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        merge_when_pipeline_succeeds: bool,
    }
    let message = order.text();
    of(address).pull(Method::Put, number, "merge", &["merge"]).json(&Body {
        sha: order.head.as_str(),
        squash: order.method == MergeMethod::Squash,
        merge_commit_message: &message,
        squash_commit_message: &message,
        should_remove_source_branch: order.delete_branch,
        auto_merge: order.queue,
        merge_when_pipeline_succeeds: order.queue,
    })
}

/// `branches/#get-single-repository-branch`.
pub(super) fn branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let doing = format!("look at the branch {branch} of {address}");
    of(address).at(Method::Get, doing, &["repository", "branches", branch.as_str()])
}

/// `branches/#delete-repository-branch`.
pub(super) fn delete_branch(address: &RepoAddress, branch: &BranchName) -> Request {
    let doing = format!("delete the branch {branch} of {address}");
    of(address).at(Method::Delete, doing, &["repository", "branches", branch.as_str()])
}

/// `merge_request_approvals/#single-merge-request-approval-state`.
pub(super) fn approvals(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the approvals of", &["approvals"])
}

/// `merge_requests/#get-merge-request-diff-versions`. The newest is first.
pub(super) fn versions(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the versions of", &["versions"]).with("per_page", "100")
}

/// `merge_requests/#get-single-merge-request-reviewers`.
pub(super) fn reviewers(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the reviewers of", &["reviewers"])
}

/// `commits/#list-commit-statuses`. Without `all`, only the newest of each name.
pub(super) fn statuses(address: &RepoAddress, commit: &CommitId) -> Request {
    let doing = format!("read the statuses of {} of {address}", commit.short());
    of(address)
        .at(Method::Get, doing, &["repository", "commits", commit.as_str(), "statuses"])
        .with("per_page", PAGE)
}

/// As GitLab says how a check stands.
pub(super) fn status_word(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "pending",
        CheckState::Passed => "success",
        CheckState::Failed => "failed",
        CheckState::Broken => "canceled",
        CheckState::Neutral => "skipped",
    }
}

/// `commits/#set-commit-pipeline-status`.
pub(super) fn create_status(address: &RepoAddress, commit: &CommitId, check: &NewCheck) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        state: &'static str,
        name: &'a str,
        description: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        target_url: Option<&'a str>,
    }
    let doing = format!("give {} of {address} a status", commit.short());
    of(address).at(Method::Post, doing, &["statuses", commit.as_str()]).json(&Body {
        state: status_word(check.state),
        name: &check.name,
        description: &check.summary,
        target_url: check.url.as_deref(),
    })
}

/// `notes/#list-all-merge-request-notes`.
pub(super) fn comments(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address)
        .pull(Method::Get, number, "read the comments of", &["notes"])
        .with("order_by", "created_at")
        .with("sort", "asc")
        .with("per_page", PAGE)
}

#[derive(Serialize)]
struct NoteBody<'a> {
    body: &'a str,
}

/// `notes/#create-new-merge-request-note`.
pub(super) fn create_comment(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    of(address).pull(Method::Post, number, "comment on", &["notes"]).json(&NoteBody { body })
}

/// `notes/#modify-existing-merge-request-note`.
pub(super) fn edit_comment(
    address: &RepoAddress,
    number: ProposalNumber,
    comment: &CommentId,
    body: &str,
) -> Request {
    of(address)
        .pull(Method::Put, number, "change a comment of", &["notes", &comment.0])
        .json(&NoteBody { body })
}

/// `merge_requests/#update-mr`. Labels that are not there are made; none takes all away.
pub(super) fn replace_labels(address: &RepoAddress, number: ProposalNumber, labels: &[Label]) -> Request {
    #[derive(Serialize)]
    struct Body {
        labels: String,
    }
    let labels: Vec<&str> = labels.iter().map(|label| &*label.0).collect();
    of(address).pull(Method::Put, number, "label", &[]).json(&Body { labels: labels.join(",") })
}

/// `users/#list-users`: the number of an account by its name.
pub(super) fn users(account: &Account) -> Request {
    Request::new(Method::Get, format!("look for the account {account}"), &["users"])
        .with("username", &*account.0)
}

/// `merge_requests/#update-mr`.
pub(super) fn request_reviews(address: &RepoAddress, number: ProposalNumber, people: &[u64]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        reviewer_ids: &'a [u64],
    }
    of(address).pull(Method::Put, number, "ask for reviews of", &[]).json(&Body { reviewer_ids: people })
}

/// `merge_requests/#update-mr`. None takes all away.
pub(super) fn assign(address: &RepoAddress, number: ProposalNumber, people: &[u64]) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        assignee_ids: &'a [u64],
    }
    of(address).pull(Method::Put, number, "assign", &[]).json(&Body { assignee_ids: people })
}

/// `milestones/#list-project-milestones`.
pub(super) fn milestones(address: &RepoAddress, title: &str) -> Request {
    of(address)
        .at(Method::Get, format!("look for the milestone {title:?} of {address}"), &["milestones"])
        .with("title", title)
        .with("state", "active")
        .with("include_ancestors", "true")
}

/// `merge_requests/#update-mr`.
pub(super) fn set_milestone(address: &RepoAddress, number: ProposalNumber, milestone: u64) -> Request {
    #[derive(Serialize)]
    struct Body {
        milestone_id: u64,
    }
    of(address)
        .pull(Method::Put, number, "choose the milestone of", &[])
        .json(&Body { milestone_id: milestone })
}

/// `deployments/#list-project-deployments`. The newest first.
pub(super) fn deployments(address: &RepoAddress, environment: &str) -> Request {
    of(address)
        .at(Method::Get, format!("look for deployments of {address}"), &["deployments"])
        .with("environment", environment)
        .with("order_by", "id")
        .with("sort", "desc")
}

/// How a deployment goes, as GitLab says it.
pub(super) fn deployment_word(state: CheckState) -> &'static str {
    match state {
        CheckState::Pending => "running",
        CheckState::Passed => "success",
        CheckState::Failed => "failed",
        CheckState::Broken | CheckState::Neutral => "canceled",
    }
}

/// `deployments/#create-a-deployment`.
pub(super) fn create_deployment(address: &RepoAddress, new: &NewDeployment) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        environment: &'a str,
        sha: &'a str,
        #[serde(rename = "ref")]
        branch: &'a str,
        tag: bool,
        status: &'static str,
    }
    let doing = format!("tell of a deployment of {} of {address}", new.commit.short());
    of(address).at(Method::Post, doing, &["deployments"]).json(&Body {
        environment: &new.environment,
        sha: new.commit.as_str(),
        branch: new.branch.as_str(),
        tag: false,
        status: deployment_word(new.state),
    })
}

/// `pipelines/#create-a-new-pipeline`. A trigger token would be one more secret, of a kind that can do nothing else;
/// this is done with the token that opens merge requests.
pub(super) fn create_pipeline(address: &RepoAddress, order: &DispatchOrder) -> Request {
    #[derive(Serialize)]
    struct Variable {
        key: &'static str,
        value: String,
    }
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "ref")]
        on: &'a str,
        variables: Vec<Variable>,
    }
    let doing = format!("ask automation of {address} for {} in {}", order.to, order.environment);
    let variables = Payload::of(order).variables(order).into_iter();
    of(address).at(Method::Post, doing, &["pipeline"]).json(&Body {
        on: order.on.as_str(),
        variables: variables.map(|(key, value)| Variable { key, value }).collect(),
    })
}

/// `deployments/#update-a-deployment`.
pub(super) fn update_deployment(
    address: &RepoAddress,
    deployment: &DeploymentId,
    state: CheckState,
) -> Request {
    #[derive(Serialize)]
    struct Body {
        status: &'static str,
    }
    let doing = format!("say how a deployment of {address} goes");
    of(address)
        .at(Method::Put, doing, &["deployments", &deployment.0])
        .json(&Body { status: deployment_word(state) })
}

/// `users/#get-the-current-user`.
pub(super) fn user() -> Request {
    Request::new(Method::Get, "ask the forge whose credentials these are", &["user"])
}

/// `personal_access_tokens/#get-details-on-a-personal-access-token`.
pub(super) fn token() -> Request {
    let doing = "ask the forge what the token was made for";
    Request::new(Method::Get, doing, &["personal_access_tokens", "self"])
}

/// `projects/#get-a-single-project`.
pub(super) fn project(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("look at {address}"), &[])
}

/// `project_members/#retrieve-a-project-member-including-inherited-and-invited-members`.
pub(super) fn member(address: &RepoAddress, user: u64) -> Request {
    let doing = format!("ask what somebody may do in {address}");
    of(address).at(Method::Get, doing, &["members", "all", &user.to_string()])
}

/// `group_members/#retrieve-a-group-member-including-inherited-and-invited-members`.
pub(super) fn group_member(group: &str, user: u64) -> Request {
    let doing = format!("ask whether somebody is in the group {group}");
    Request::new(Method::Get, doing, &["groups", group, "members", "all", &user.to_string()])
}

/// `emoji_reactions/#add-an-emoji-reaction-to-a-comment`.
pub(super) fn award(
    address: &RepoAddress,
    number: ProposalNumber,
    comment: &CommentId,
    yes: bool,
) -> Request {
    let name = if yes { "thumbsup" } else { "confused" };
    let parts = ["notes", comment.0.as_str(), "award_emoji"];
    of(address).pull(Method::Post, number, "put a sign at a comment of", &parts).with("name", name)
}

#[cfg(test)]
mod tests {
    use crate::forge::address::{ForgeKind, RepoAddress};
    use crate::forge::model::{Account, CheckState, CommentId, MergeMethod};
    use crate::forge::sample;

    #[test]
    fn every_request_is_as_the_description_says() {
        let url = "https://gitlab.acme.io/shop/apps/fleet.git";
        let at = RepoAddress::parse(ForgeKind::GitLab, url, None).unwrap();
        let (head, base, commit, number) = (sample::head(), sample::base(), sample::commit(), sample::NUMBER);
        let requests = [
            super::open_pulls(&at, &head, &base),
            super::ended_pulls(&at, &head, &base),
            super::pull(&at, number),
            super::create_pull(&at, &sample::new(false)),
            super::create_pull(&at, &sample::new(true)),
            super::edit_pull(&at, number, &sample::change(), true),
            super::close_pull(&at, number),
            super::merge_pull(&at, number, &sample::order(MergeMethod::Squash)),
            super::branch(&at, &head),
            super::delete_branch(&at, &head),
            super::approvals(&at, number),
            super::reviewers(&at, number),
            super::statuses(&at, &commit),
            super::create_status(&at, &commit, &sample::check()),
            super::comments(&at, number),
            super::create_comment(&at, number, "Closed: overtaken"),
            super::edit_comment(&at, number, &CommentId("12".to_owned()), "Closed: overtaken"),
            super::replace_labels(&at, number, &sample::labels()),
            super::users(&Account("ann".into())),
            super::request_reviews(&at, number, &[3, 4]),
            super::assign(&at, number, &[]),
            super::milestones(&at, "1.2"),
            super::deployments(&at, "web/prod"),
            super::create_deployment(&at, &sample::deployment()),
            super::update_deployment(&at, &sample::deployment_id(), CheckState::Failed),
            super::create_pipeline(&at, &sample::dispatch()),
            super::set_milestone(&at, number, 3),
            super::merge_pull(&at, number, &sample::queued(MergeMethod::Merge)),
            super::user(),
            super::token(),
            super::project(&at),
            super::member(&at, 7),
            super::group_member("acme/release", 7),
            super::award(&at, number, &CommentId("12".to_owned()), true),
        ];
        insta::assert_snapshot!(sample::shown(&requests));
    }
}
