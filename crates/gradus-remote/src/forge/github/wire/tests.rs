use serde_json::{Value, json};

use super::{CheckRun, PullRequest, Repository, by_name, create_refused, merge_refused, scopes};
use crate::forge::error::{ForgeError, ForgeErrorKind};
use crate::forge::model::{MergeMethod, Mergeable, PullState};
use crate::forge::request::{Method, Request};

/// A pull request as GitHub tells it, with these members instead.
fn pull(members: Value) -> PullRequest {
    let side = |branch: &str, sha: &str| {
        let user = json!({"login": "acme", "id": 1});
        json!({"label": format!("acme:{branch}"), "ref": branch, "sha": sha, "user": user, "repo": {"id": 9}})
    };
    let mut pull = json!({
        "id": 1, "number": 7, "html_url": "https://github.com/acme/fleet/pull/7", "title": "web 2",
        "body": null, "state": "open", "draft": false, "created_at": "2026-05-01T10:00:00Z",
        "merged_at": null, "merge_commit_sha": "8f0c1a9bd7c0d1f5e6a7b8c9d0e1f2a3b4c5d6e7",
        "labels": [{"id": 3, "name": "gradus", "color": "3b7dd8"}], "closed_at": null,
        "head": side("gradus/web", "1f0c1a9bd7c0d1f5e6a7b8c9d0e1f2a3b4c5d6e7"),
        "base": side("main", "2f0c1a9bd7c0d1f5e6a7b8c9d0e1f2a3b4c5d6e7"),
    });
    pull.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    serde_json::from_value(pull).unwrap()
}

fn request() -> Request {
    Request::new(Method::Get, "look", &["x"])
}

#[test]
fn what_became_of_one_is_read() {
    let open = pull(json!({})).read(&request()).unwrap();
    insta::assert_debug_snapshot!(open);
    let state = |members: Value| pull(members).read(&request()).unwrap().state;
    let merged =
        json!({"state": "closed", "merged_at": "2026-05-02T10:00:00Z", "merged_by": {"login": "ann"}});
    assert!(matches!(state(merged), PullState::Merged { commit: Some(_), by: Some(by) } if &*by.0 == "ann"));
    let closed = json!({"state": "closed", "closed_at": "2026-05-02T10:00:00Z"});
    assert!(matches!(state(closed), PullState::Closed { by: None, at: Some(_) }));
    let error = pull(json!({"state": "odd"})).read(&request()).unwrap_err();
    assert_eq!(error.to_string(), "cannot look: the answer cannot be read: it has the unknown state \"odd\"");
}

#[test]
fn a_fork_is_one_also_when_it_is_gone() {
    let side = |repo: Value| json!({"ref": "gradus/web", "sha": "", "repo": repo});
    for repo in [Value::Null, json!({"id": 10})] {
        let pull = pull(json!({"head": side(repo)})).read(&request()).unwrap();
        assert!(pull.from_fork);
        assert_eq!(pull.head, None);
    }
}

#[test]
fn whether_it_can_be_merged_is_told_in_words() {
    let told = |mergeable: Value, state: &str| {
        pull(json!({"mergeable": mergeable, "mergeable_state": state})).mergeable()
    };
    let no = |why: &str| Mergeable::No(why.to_owned());
    assert_eq!(told(Value::Null, "unknown"), Mergeable::Unknown);
    assert_eq!(told(json!(true), "clean"), Mergeable::Yes);
    assert_eq!(told(json!(true), "unstable"), Mergeable::Yes);
    assert_eq!(told(json!(true), "blocked"), no("the rules of the base branch are not met yet"));
    assert_eq!(
        told(json!(true), "behind"),
        no("the rules of the base branch want the branch to have all of the base branch first")
    );
    assert_eq!(told(json!(false), "dirty"), no("the branches conflict"));
    assert_eq!(told(json!(true), "draft"), no("it is a draft"));
    // Lists tell neither.
    assert_eq!(pull(json!({})).mergeable(), Mergeable::Unknown);
}

#[test]
fn why_one_is_not_merged_is_found_out() {
    let why = |members: Value| pull(members).why_not("Pull Request is not mergeable".to_owned());
    assert!(matches!(
        why(json!({"mergeable": null, "mergeable_state": "unknown"})),
        ForgeErrorKind::NotReady(_)
    ));
    assert!(matches!(
        why(json!({"mergeable": false, "mergeable_state": "dirty"})),
        ForgeErrorKind::Conflict(_)
    ));
    assert!(matches!(why(json!({"state": "closed"})), ForgeErrorKind::Refused(_)));
    let blocked = "Pull Request is not mergeable: the rules of the base branch are not met yet";
    assert_eq!(
        why(json!({"mergeable": true, "mergeable_state": "blocked"})),
        ForgeErrorKind::Refused(blocked.to_owned())
    );
}

fn said(status: u16, words: &str) -> ForgeError {
    ForgeError::new("x", ForgeErrorKind::Refused(words.to_owned())).with_status(status)
}

#[test]
fn refusals_are_told_apart() {
    let exists = create_refused(said(422, "Validation Failed; A pull request already exists for acme:web."));
    assert_eq!(*exists.kind(), ForgeErrorKind::AlreadyExists);
    let none = create_refused(said(422, "Validation Failed; No commits between main and web"));
    assert_eq!(none.words(), "the base branch has all of the branch: No commits between main and web");
    let moved = merge_refused(said(409, "Head branch was modified. Review and try the merge again."));
    assert_eq!(*moved.kind(), ForgeErrorKind::HeadMoved);
    let busy = merge_refused(said(405, "Base branch was modified. Review and try the merge again."));
    assert!(matches!(busy.kind(), ForgeErrorKind::NotReady(_)));
    let words = "At least 1 approving review is required by reviewers with write access.";
    assert_eq!(*merge_refused(said(405, words)).kind(), ForgeErrorKind::Refused(words.to_owned()));
}

#[test]
fn of_checks_of_one_name_the_worst_counts() {
    let run = |name: &str, status: &str, conclusion: Value| {
        let run = json!({
            "id": 1, "name": name, "status": status, "conclusion": conclusion, "details_url": "https://ci/1",
            "html_url": null, "output": {"title": "10 tests", "summary": "", "text": null},
        });
        serde_json::from_value::<CheckRun>(run).unwrap().read()
    };
    let checks = by_name([
        run("build", "completed", json!("success")),
        run("build", "completed", json!("failure")),
        run("build", "in_progress", Value::Null),
        run("lint", "completed", json!("skipped")),
        run("slow", "completed", json!("timed_out")),
        run("deploy", "completed", json!("action_required")),
    ]);
    let told: Vec<String> =
        checks.iter().map(|check| format!("{} {:?} {}", check.name, check.state, check.summary)).collect();
    assert_eq!(
        told,
        ["build Failed 10 tests", "deploy Pending 10 tests", "lint Neutral 10 tests", "slow Broken 10 tests"]
    );
}

#[test]
fn ways_to_merge_that_are_not_told_are_not_known() {
    let facts = |members: Value| {
        let mut repository = json!({"archived": false, "default_branch": "main"});
        repository.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        serde_json::from_value::<Repository>(repository).unwrap().read()
    };
    assert_eq!(facts(json!({})).methods, None);
    let some = json!({"allow_merge_commit": false, "allow_squash_merge": true, "allow_rebase_merge": true});
    assert_eq!(facts(some).methods, Some(vec![MergeMethod::Squash, MergeMethod::Rebase]));
}

#[test]
fn scopes_are_those_of_classic_tokens() {
    assert_eq!(scopes(None), None);
    assert_eq!(scopes(Some("")), Some([].into()));
    assert_eq!(scopes(Some("repo, workflow")), Some(["repo".to_owned(), "workflow".to_owned()].into()));
}
