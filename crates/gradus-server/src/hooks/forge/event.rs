//! What forges send. Only what says where to look is read, each field where it is there.

use axum::http::HeaderMap;
use gradus_core::pipeline::ForgeKind;
use serde_json::Value;

use crate::api::ApiError;
use crate::port::{About, ForgeEvent};

/// What an event says.
#[derive(Debug)]
pub(super) enum Told {
    /// The forge tries whether it is heard.
    Ping,
    /// Nothing follows from it, for this reason.
    Nothing(String),
    /// Something happened in a repository.
    Event(ForgeEvent),
}

/// So many branches of one event are looked at.
const MOST: usize = 256;
/// The longest text that is kept, in bytes.
const LONGEST: usize = 2048;

/// Understands an event. Those that are not known say nothing.
pub(super) fn read(forge: ForgeKind, headers: &HeaderMap, body: &Value) -> Result<Told, ApiError> {
    if !body.is_object() {
        return Err(ApiError::malformed("an event is an object"));
    }
    let event = name_of(forge, headers, body)?;
    if event == "ping" || event == "diagnostics:ping" {
        return Ok(Told::Ping);
    }
    let about = match forge {
        ForgeKind::GitHub => of_github(&event, body),
        ForgeKind::Gitea => of_gitea(&event, body),
        ForgeKind::GitLab => of_gitlab(&event, body),
        ForgeKind::Bitbucket => of_bitbucket(&event, body),
        ForgeKind::BitbucketServer => of_bitbucket_server(&event, body),
        ForgeKind::AzureDevOps => of_azure_devops(&event, body),
    };
    let Some(about) = about else {
        return Ok(Told::Nothing(format!("nothing follows from {}", shortened(&event))));
    };
    let repository = repository(forge, body);
    let event = ForgeEvent {
        forge,
        urls: addresses(forge, repository),
        name: name(forge, repository),
        default_branch: text(repository, "/default_branch")
            .or_else(|| text(repository, "/defaultBranch"))
            .map(branch),
        about,
    };
    if event.urls.is_empty() && event.name.is_none() {
        return Ok(Told::Nothing("it names no repository".to_owned()));
    }
    Ok(Told::Event(event))
}

/// What kind of event it is.
fn name_of(forge: ForgeKind, headers: &HeaderMap, body: &Value) -> Result<String, ApiError> {
    let (header, pointer) = match forge {
        ForgeKind::GitHub => ("X-GitHub-Event", None),
        ForgeKind::Gitea => ("X-Gitea-Event", None),
        ForgeKind::GitLab => ("X-Gitlab-Event", Some("/object_kind")),
        ForgeKind::Bitbucket | ForgeKind::BitbucketServer => ("X-Event-Key", None),
        ForgeKind::AzureDevOps => ("eventType", Some("/eventType")),
    };
    let told = match pointer {
        Some(pointer) => text(body, pointer),
        None => headers.get(header).and_then(|value| value.to_str().ok()).map(str::to_owned),
    };
    let forgejo = || headers.get("X-Forgejo-Event").and_then(|value| value.to_str().ok()).map(str::to_owned);
    told.or_else(forgejo).ok_or_else(|| {
        ApiError::malformed(format!("it does not say what kind of event it is, in {}", header))
    })
}

fn of_github(event: &str, body: &Value) -> Option<About> {
    match event {
        "push" => pushed(body),
        "issue_comment" => {
            // An issue that is no pull request has no such field.
            body.pointer("/issue/pull_request").filter(|pull| pull.is_object())?;
            proposal(body, "/issue/number", "")
        }
        "pull_request"
        | "pull_request_review"
        | "pull_request_review_comment"
        | "pull_request_review_thread" => proposal(body, "/pull_request/number", "/pull_request/head/ref"),
        "status" => text(body, "/sha").map(About::Commit),
        "check_run" => text(body, "/check_run/head_sha").map(About::Commit),
        "check_suite" => text(body, "/check_suite/head_sha").map(About::Commit),
        _ => None,
    }
}

fn of_gitea(event: &str, body: &Value) -> Option<About> {
    match event {
        "push" => pushed(body),
        // What was pushed is told by `push`; only that a branch is gone is not.
        "delete" => (text(body, "/ref_type")? == "branch").then(|| pushed(body)).flatten(),
        "issue_comment" => (body.pointer("/is_pull")? == &Value::Bool(true))
            .then(|| proposal(body, "/issue/number", ""))
            .flatten(),
        "status" => text(body, "/sha").map(About::Commit),
        event if event.starts_with("pull_request") => {
            proposal(body, "/pull_request/number", "/pull_request/head/ref")
        }
        _ => None,
    }
}

fn of_gitlab(event: &str, body: &Value) -> Option<About> {
    match event {
        "push" => pushed(body),
        "merge_request" => proposal(body, "/object_attributes/iid", "/object_attributes/source_branch"),
        "note" => {
            body.pointer("/merge_request").filter(|request| request.is_object())?;
            proposal(body, "/merge_request/iid", "/merge_request/source_branch")
        }
        "pipeline" => text(body, "/object_attributes/sha").map(About::Commit),
        "build" => text(body, "/sha").map(About::Commit),
        _ => None,
    }
}

fn of_bitbucket(event: &str, body: &Value) -> Option<About> {
    match event {
        "repo:push" => {
            let both = ["/new/name", "/old/name"].iter();
            Some(About::Branches(both.flat_map(|pointer| each(body, "/push/changes", pointer)).collect()))
        }
        "repo:commit_status_created" | "repo:commit_status_updated" => {
            text(body, "/commit_status/refname").map(|name| About::Branches(vec![name]))
        }
        event if event.starts_with("pullrequest:") => {
            proposal(body, "/pullrequest/id", "/pullrequest/source/branch/name")
        }
        _ => None,
    }
}

fn of_bitbucket_server(event: &str, body: &Value) -> Option<About> {
    match event {
        "repo:refs_changed" => Some(About::Branches(each(body, "/changes", "/ref/id"))),
        event if event.starts_with("pr:") => proposal(body, "/pullRequest/id", "/pullRequest/fromRef/id"),
        _ => None,
    }
}

fn of_azure_devops(event: &str, body: &Value) -> Option<About> {
    match event {
        "git.push" => Some(About::Branches(each(body, "/resource/refUpdates", "/name"))),
        "ms.vss-code.git-pullrequest-comment-event" => {
            proposal(body, "/resource/pullRequest/pullRequestId", "/resource/pullRequest/sourceRefName")
        }
        event if event.starts_with("git.pullrequest.") => {
            proposal(body, "/resource/pullRequestId", "/resource/sourceRefName")
        }
        _ => None,
    }
}

fn pushed(body: &Value) -> Option<About> {
    let name = text(body, "/ref")?;
    Some(About::Branches(if name.starts_with("refs/tags/") { Vec::new() } else { vec![branch(name)] }))
}

fn proposal(body: &Value, number: &str, from: &str) -> Option<About> {
    let number = body.pointer(number).and_then(Value::as_u64);
    let branch = (!from.is_empty()).then(|| text(body, from)).flatten().map(branch);
    (number.is_some() || branch.is_some()).then_some(About::Proposal { number, branch })
}

/// The part that describes the repository.
fn repository(forge: ForgeKind, body: &Value) -> &Value {
    let places: &[&str] = match forge {
        ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Bitbucket => &["/repository"],
        // What is a repository there is made for other events; a build has no project.
        ForgeKind::GitLab => &["/project", "/repository"],
        ForgeKind::BitbucketServer => &["/repository", "/pullRequest/toRef/repository"],
        ForgeKind::AzureDevOps => &["/resource/repository", "/resource/pullRequest/repository"],
    };
    places.iter().find_map(|place| body.pointer(place)).unwrap_or(&Value::Null)
}

/// The addresses under which the repository is known.
fn addresses(forge: ForgeKind, repository: &Value) -> Vec<String> {
    let places: &[&str] = match forge {
        ForgeKind::GitHub | ForgeKind::Gitea => &["/clone_url", "/ssh_url", "/html_url"],
        ForgeKind::GitLab => &["/git_http_url", "/git_ssh_url", "/web_url", "/homepage"],
        ForgeKind::Bitbucket => &["/links/html/href"],
        ForgeKind::BitbucketServer => &["/links/clone/0/href", "/links/clone/1/href"],
        ForgeKind::AzureDevOps => &["/remoteUrl", "/sshUrl", "/webUrl"],
    };
    places.iter().filter_map(|place| text(repository, place)).filter(|url| !url.is_empty()).collect()
}

/// What the repository is called below its forge.
fn name(forge: ForgeKind, repository: &Value) -> Option<String> {
    match forge {
        ForgeKind::GitHub | ForgeKind::Gitea | ForgeKind::Bitbucket => text(repository, "/full_name"),
        ForgeKind::GitLab => text(repository, "/path_with_namespace"),
        ForgeKind::BitbucketServer => {
            Some(format!("{}/{}", text(repository, "/project/key")?, text(repository, "/slug")?))
        }
        // The organisation is not told.
        ForgeKind::AzureDevOps => None,
    }
}

/// What it is called without the folder of branches.
fn branch(name: String) -> String {
    name.strip_prefix("refs/heads/").map(str::to_owned).unwrap_or(name)
}

fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().filter(|text| text.len() <= LONGEST).map(str::to_owned)
}

/// The names of branches in a list.
fn each(body: &Value, list: &str, pointer: &str) -> Vec<String> {
    let list = body.pointer(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().take(MOST).filter_map(|one| text(one, pointer)).map(branch).collect()
}

fn shortened(event: &str) -> String {
    event.chars().filter(|letter| !letter.is_control()).take(64).collect()
}
