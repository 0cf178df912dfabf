//! What Gitea's API has in the shape of GitHub's. The comment of each names the operation
//! in both descriptions, GitHub's page below `https://docs.github.com/rest`.

use gradus_core::names::{BranchName, ProposalNumber};
use serde::{Deserialize, Serialize};

use super::address::RepoAddress;
use super::below::Below;
use super::error::{ForgeError, ForgeErrorKind};
use super::model::{Account, CommentId, Label, MergeMethod, PullChange, Reviewers, Rights};
use super::request::{Method, Request};
use super::survey::{Deed, Hook};

/// `/repos/OWNER/NAME`.
pub(super) fn of(address: &RepoAddress) -> Below<'_> {
    let path = vec!["repos".to_owned(), address.owner(), address.name.clone()];
    Below { address, path, pulls: "pulls", pull: "pull request", query: None }
}

/// GitHub: `issues/get`: `/issues/issues#get-an-issue`. Gitea: `issueGetIssue`.
/// A pull request is an issue, and only there is said who closed it.
pub(super) fn issue(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("see who closed pull request {number} of {address}");
    of(address).at(Method::Get, doing, &["issues", &number.0.to_string()])
}

/// GitHub: `pulls/update`: `/pulls/pulls#update-a-pull-request`. Gitea: `repoEditPullRequest`.
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
    of(address).pull(Method::Patch, number, "change", &[]).json(&Body {
        title: change.title.as_deref(),
        body: change.body.as_deref(),
        base: change.base.as_ref().map(BranchName::as_str),
    })
}

/// GitHub: `pulls/update`: `/pulls/pulls#update-a-pull-request`. Gitea: `repoEditPullRequest`.
pub(super) fn close_pull(address: &RepoAddress, number: ProposalNumber) -> Request {
    #[derive(Serialize)]
    struct Body {
        state: &'static str,
    }
    of(address).pull(Method::Patch, number, "close", &[]).json(&Body { state: "closed" })
}

/// GitHub: `pulls/list-reviews`: `/pulls/reviews#list-reviews-for-a-pull-request`. Gitea: `repoListPullReviews`.
pub(super) fn reviews(address: &RepoAddress, number: ProposalNumber) -> Request {
    of(address).pull(Method::Get, number, "read the reviews of", &["reviews"])
}

/// GitHub: `issues/list-comments`: `/issues/comments#list-issue-comments`. Gitea: `issueGetComments`.
pub(super) fn comments(address: &RepoAddress, number: ProposalNumber) -> Request {
    let doing = format!("read the comments of pull request {number} of {address}");
    of(address).at(Method::Get, doing, &["issues", &number.0.to_string(), "comments"])
}

#[derive(Serialize)]
struct CommentBody<'a> {
    body: &'a str,
}

/// GitHub: `issues/create-comment`: `/issues/comments#create-an-issue-comment`. Gitea: `issueCreateComment`.
pub(super) fn create_comment(address: &RepoAddress, number: ProposalNumber, body: &str) -> Request {
    let doing = format!("comment on pull request {number} of {address}");
    of(address)
        .at(Method::Post, doing, &["issues", &number.0.to_string(), "comments"])
        .json(&CommentBody { body })
}

/// GitHub: `issues/update-comment`: `/issues/comments#update-an-issue-comment`. Gitea: `issueEditComment`.
pub(super) fn edit_comment(address: &RepoAddress, comment: &CommentId, body: &str) -> Request {
    let doing = format!("change a comment of {address}");
    of(address).at(Method::Patch, doing, &["issues", "comments", &comment.0]).json(&CommentBody { body })
}

/// GitHub: `issues/list-labels-for-repo`: `/issues/labels#list-labels-for-a-repository`. Gitea: `issueListLabels`.
pub(super) fn labels(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("read the labels of {address}"), &["labels"])
}

/// GitHub: `issues/create-label`: `/issues/labels#create-a-label`. Gitea: `issueCreateLabel`.
pub(super) fn create_label(address: &RepoAddress, label: &Label, colour: &str) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        name: &'a str,
        color: &'a str,
    }
    of(address)
        .at(Method::Post, format!("make the label {label} in {address}"), &["labels"])
        .json(&Body { name: &label.0, color: colour })
}

/// GitHub: `issues/set-labels`: `/issues/labels#set-labels-for-an-issue`. Gitea: `issueReplaceLabels`.
/// By their names, or by their numbers.
pub(super) fn replace_labels<L: Serialize>(
    address: &RepoAddress,
    number: ProposalNumber,
    labels: &[L],
) -> Request {
    #[derive(Serialize)]
    struct Body<'a, L> {
        labels: &'a [L],
    }
    let doing = format!("label pull request {number} of {address}");
    of(address).at(Method::Put, doing, &["issues", &number.0.to_string(), "labels"]).json(&Body { labels })
}

/// GitHub: `pulls/request-reviewers`: `/pulls/review-requests#request-reviewers-for-a-pull-request`. Gitea: `repoCreatePullReviewRequests`.
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
    of(address).pull(Method::Post, number, "ask for reviews of", &["requested_reviewers"]).json(&Body {
        reviewers: reviewers.people.iter().map(|person| &*person.0).collect(),
        team_reviewers: &reviewers.teams,
    })
}

/// GitHub: `issues/update`: `/issues/issues#update-an-issue`. Gitea: `repoEditPullRequest`.
/// At one of the two places where a pull request is.
pub(super) fn assign(
    address: &RepoAddress,
    place: &'static str,
    number: ProposalNumber,
    people: &[Account],
) -> Request {
    #[derive(Serialize)]
    struct Body<'a> {
        assignees: Vec<&'a str>,
    }
    let doing = format!("assign pull request {number} of {address}");
    of(address)
        .at(Method::Patch, doing, &[place, &number.0.to_string()])
        .json(&Body { assignees: people.iter().map(|person| &*person.0).collect() })
}

/// GitHub: `issues/list-milestones`: `/issues/milestones#list-milestones`. Gitea: `issueGetMilestonesList`.
pub(super) fn milestones(address: &RepoAddress) -> Request {
    of(address)
        .at(Method::Get, format!("read the milestones of {address}"), &["milestones"])
        .with("state", "open")
}

/// GitHub: `issues/update`: `/issues/issues#update-an-issue`. Gitea: `repoEditPullRequest`.
/// At one of the two places where a pull request is. GitHub wants the number of the milestone, Gitea its id.
pub(super) fn set_milestone(
    address: &RepoAddress,
    place: &'static str,
    number: ProposalNumber,
    milestone: u64,
) -> Request {
    #[derive(Serialize)]
    struct Body {
        milestone: u64,
    }
    let doing = format!("put pull request {number} of {address} into a milestone");
    of(address).at(Method::Patch, doing, &[place, &number.0.to_string()]).json(&Body { milestone })
}

/// A milestone. GitHub counts them in each repository, Gitea in all.
#[derive(Deserialize)]
pub(super) struct Milestone {
    /// In all repositories.
    pub(super) id: u64,
    /// In this repository, where it is counted so.
    pub(super) number: Option<u64>,
    title: String,
}

impl Milestone {
    /// The one of this title.
    pub(super) fn find<'m>(all: &'m [Self], title: &str, request: &Request) -> Result<&'m Self, ForgeError> {
        let found = all.iter().find(|milestone| milestone.title == title);
        found.ok_or_else(|| no_milestone(title, request))
    }
}

/// That a milestone is not there.
pub(super) fn no_milestone(title: &str, request: &Request) -> ForgeError {
    let why = format!("there is no open milestone {title:?}");
    ForgeError::new(&request.doing, ForgeErrorKind::Input(why))
}

/// GitHub: `users/get-authenticated`: `/users/users#get-the-authenticated-user`. Gitea: `userGetCurrent`.
pub(super) fn user() -> Request {
    Request::new(Method::Get, "ask the forge whose credentials these are", &["user"])
}

/// GitHub: `repos/get`: `/repos/repos#get-a-repository`. Gitea: `repoGet`.
pub(super) fn repository(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("look at {address}"), &[])
}

/// What somebody may do in a repository.
#[derive(Deserialize)]
pub(super) struct Permissions {
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    push: bool,
    #[serde(default)]
    pull: bool,
}

impl Permissions {
    pub(super) fn read(self) -> Option<Rights> {
        match self {
            Self { admin: true, .. } => Some(Rights::Admin),
            Self { push: true, .. } => Some(Rights::Write),
            Self { pull: true, .. } => Some(Rights::Read),
            Self { .. } => None,
        }
    }
}

/// The ways to merge that are allowed; absent where none is told.
pub(super) fn methods(told: &[(Option<bool>, MergeMethod)]) -> Option<Vec<MergeMethod>> {
    let allowed = told.iter().filter(|(allowed, _)| *allowed == Some(true)).map(|(_, method)| *method);
    told.iter().any(|(allowed, _)| allowed.is_some()).then(|| allowed.collect())
}

/// An order without what it needs, to learn whether it could be given. GitHub: `pulls/create` and
/// `issues/create-label`. Gitea: `repoCreatePullRequest` and `issueCreateLabel`.
pub(super) fn nothing(address: &RepoAddress, deed: Deed) -> Request {
    #[derive(Serialize)]
    struct Empty {}
    let (doing, part) = match deed {
        Deed::Propose => ("open pull requests in", "pulls"),
        Deed::Discuss => ("label and comment in", "labels"),
    };
    of(address).at(Method::Post, format!("{doing} {address}"), &[part]).json(&Empty {})
}

/// GitHub: `repos/list-webhooks`: `/repos/webhooks#list-repository-webhooks`. Gitea: `repoListHooks`.
pub(super) fn hooks(address: &RepoAddress) -> Request {
    of(address).at(Method::Get, format!("read the webhooks of {address}"), &["hooks"])
}

#[derive(Deserialize)]
pub(super) struct Webhook {
    active: bool,
    #[serde(default)]
    events: Option<Vec<String>>,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    url: String,
}

impl Webhook {
    pub(super) fn read(self) -> Hook {
        Hook { url: self.config.url, active: self.active, events: self.events.unwrap_or_default() }
    }
}
