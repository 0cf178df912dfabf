//! Bitbucket Cloud, as the pages below `https://developer.atlassian.com/cloud/bitbucket/rest/` say.

use serde_json::{Value, json};

use super::call::{Asked, Call, Reply};
use super::git::{Brought, How};
use super::server::{Kind, Who};
use super::world::{Comment, Pull, State, Status, World, page};

pub(in crate::forge) static BITBUCKET: Kind = Kind {
    name: "bitbucket",
    calls: CALLS,
    authorization: |who| match who {
        // gradus:app
        Who::Gradus => "Basic Z3JhZHVzOmFwcA==",
        Who::Reader => "Bearer reader",
        Who::Nobody => "Bearer nobody",
    },
    account: |name| uuid(name).trim_matches(['{', '}']).to_owned(),
    repository: |url| format!("{url}/acme/fleet.git"),
    list_end: "/pullrequests",
    answer,
    unknown: || failure(401, "Token is invalid, expired, or not supported for this endpoint."),
    denied: || {
        let words = "Your credentials lack one or more required privilege scopes.";
        let detail = json!({"granted": ["repository", "pullrequest"], "required": ["pullrequest:write"]});
        Reply::of(403, json!({"type": "error", "error": {"message": words, "detail": detail}}))
    },
};

static CALLS: &[Call] = &[
    Call {
        name: "list pull requests",
        method: "GET",
        path: "/2.0/repositories/{}/{}/pullrequests",
        query: &["q", "state", "sort", "pagelen", "page"],
        body: &[],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-get",
    },
    Call {
        name: "create a pull request",
        method: "POST",
        path: "/2.0/repositories/{}/{}/pullrequests",
        query: &[],
        body: &["title!", "source.branch.name!", "destination.branch.name", "description", "draft"],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-post",
    },
    Call {
        name: "one pull request",
        method: "GET",
        path: "/2.0/repositories/{}/{}/pullrequests/{}",
        query: &[],
        body: &[],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-get",
    },
    Call {
        name: "update a pull request",
        method: "PUT",
        path: "/2.0/repositories/{}/{}/pullrequests/{}",
        query: &[],
        body: &["title!", "description", "destination.branch.name", "reviewers[]", "reviewers[].uuid"],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-put",
    },
    Call {
        name: "merge",
        method: "POST",
        path: "/2.0/repositories/{}/{}/pullrequests/{}/merge",
        query: &["async"],
        body: &["type!", "message", "close_source_branch", "merge_strategy"],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-merge-post",
    },
    Call {
        name: "decline",
        method: "POST",
        path: "/2.0/repositories/{}/{}/pullrequests/{}/decline",
        query: &[],
        body: &[],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-decline-post",
    },
    Call {
        name: "list comments",
        method: "GET",
        path: "/2.0/repositories/{}/{}/pullrequests/{}/comments",
        query: &["q", "sort", "pagelen", "page"],
        body: &[],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-get",
    },
    Call {
        name: "create a comment",
        method: "POST",
        path: "/2.0/repositories/{}/{}/pullrequests/{}/comments",
        query: &[],
        body: &["content.raw!"],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-post",
    },
    Call {
        name: "change a comment",
        method: "PUT",
        path: "/2.0/repositories/{}/{}/pullrequests/{}/comments/{}",
        query: &[],
        body: &["content.raw!"],
        page: "api-group-pullrequests/#api-repositories-workspace-repo-slug-pullrequests-pull-request-id-comments-comment-id-put",
    },
    Call {
        name: "list commit statuses",
        method: "GET",
        path: "/2.0/repositories/{}/{}/commit/{}/statuses",
        query: &["refname", "q", "sort", "pagelen", "page"],
        body: &[],
        page: "api-group-commit-statuses/#api-repositories-workspace-repo-slug-commit-commit-statuses-get",
    },
    Call {
        name: "set a commit status",
        method: "POST",
        path: "/2.0/repositories/{}/{}/commit/{}/statuses/build",
        query: &[],
        body: &["key!", "state!", "url!", "name", "description"],
        page: "api-group-commit-statuses/#api-repositories-workspace-repo-slug-commit-commit-statuses-build-post",
    },
    Call {
        name: "one commit",
        method: "GET",
        path: "/2.0/repositories/{}/{}/commit/{}",
        query: &[],
        body: &[],
        page: "api-group-commits/#api-repositories-workspace-repo-slug-commit-commit-get",
    },
    Call {
        name: "one branch",
        method: "GET",
        path: "/2.0/repositories/{}/{}/refs/branches/{...}",
        query: &[],
        body: &[],
        page: "api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-get",
    },
    Call {
        name: "delete a branch",
        method: "DELETE",
        path: "/2.0/repositories/{}/{}/refs/branches/{...}",
        query: &[],
        body: &[],
        page: "api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-name-delete",
    },
    Call {
        name: "one repository",
        method: "GET",
        path: "/2.0/repositories/{}/{}",
        query: &[],
        body: &[],
        page: "api-group-repositories/#api-repositories-workspace-repo-slug-get",
    },
    Call {
        name: "the current user",
        method: "GET",
        path: "/2.0/user",
        query: &[],
        body: &[],
        page: "api-group-users/#api-user-get",
    },
    Call {
        name: "permissions",
        method: "GET",
        path: "/2.0/user/permissions/repositories",
        query: &["q", "sort"],
        body: &[],
        page: "api-group-repositories/#api-user-permissions-repositories-get",
    },
];

/// The ways to merge that this repository allows.
const STRATEGIES: [&str; 4] = ["merge_commit", "squash", "fast_forward", "rebase_fast_forward"];

fn failure(status: u16, words: &str) -> Reply {
    Reply::of(status, json!({"type": "error", "error": {"message": words}}))
}

fn uuid(name: &str) -> String {
    let number = match name {
        "ann" => 2,
        "gradus" => 3,
        _ => 4,
    };
    format!("{{11111111-0000-4000-8000-00000000000{number}}}")
}

fn user(name: &str) -> Value {
    json!({"type": "user", "uuid": uuid(name), "display_name": name, "nickname": name, "account_id": format!("557058:{name}")})
}

/// `intro/#pagination`: where it goes on is to be taken as it is.
fn paged(asked: &Asked, path: &str, all: &[Value]) -> Reply {
    let number: usize = asked.query("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let most = super::world::PAGE;
    let (values, next) = page(all, (number - 1) * most, 100);
    let mut json = json!({"pagelen": most, "page": number, "values": values});
    if next.is_some() {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let others = asked.query.iter().filter(|(name, _)| name != "page");
        let others: String =
            others.map(|(name, value)| format!("{}={}&", escaped(name), escaped(value))).collect();
        json["next"] = json!(format!("{}{path}?{others}page={}", asked.url, number + 1));
    }
    Reply::ok(json)
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let at = world.now();
    match asked.name {
        "the current user" => {
            let mut reply = Reply::ok(user("gradus"));
            reply.headers.push(("x-oauth-scopes", "pullrequest:write".to_owned()));
            return reply;
        }
        "permissions" => {
            let is_it = asked.query("q") == Some("repository.full_name = \"acme/fleet\"");
            let one = json!({"type": "repository_permission", "permission": "write"});
            return paged(asked, "", if is_it { std::slice::from_ref(&one) } else { &[] });
        }
        _ => {}
    }
    if asked.parts[..2] != ["acme", "fleet"] {
        return failure(404, "Repository acme/x not found");
    }
    let branch = |name: &str, tip: &str| {
        json!({
            "type": "branch", "name": name, "target": {"type": "commit", "hash": tip},
            "merge_strategies": STRATEGIES, "default_merge_strategy": "merge_commit",
        })
    };
    match asked.name {
        "one repository" => Reply::ok(json!({
            "type": "repository", "full_name": "acme/fleet", "uuid": "{r}", "is_private": true,
            "mainbranch": {"type": "branch", "name": "main"},
        })),
        "one branch" => match world.git.tip(&asked.parts[2]) {
            Some(tip) => Reply::ok(branch(&asked.parts[2], &tip)),
            None => failure(404, "Branch not found"),
        },
        "delete a branch" => match world.git.delete(&asked.parts[2]) {
            true => Reply::of(204, Value::Null),
            false => failure(404, "Branch not found"),
        },
        "one commit" => match world.git.whole(&asked.parts[2]) {
            Some(hash) => Reply::ok(json!({"type": "commit", "hash": hash})),
            None => failure(404, "Commit not found"),
        },
        "list commit statuses" => {
            let shown = |status: &Status| {
                json!({
                    "type": "build", "key": status.name, "name": status.text.split_once('\n').unwrap().0,
                    "state": status.state, "description": status.text.split_once('\n').unwrap().1,
                    "url": status.url, "created_on": status.at.to_string(),
                })
            };
            let all: Vec<Value> =
                world.statuses.get(&asked.parts[2]).into_iter().flatten().map(shown).collect();
            let path = format!("/2.0/repositories/acme/fleet/commit/{}/statuses", asked.parts[2]);
            paged(asked, &path, &all)
        }
        "set a commit status" => {
            let state = asked.text("/state").unwrap().to_owned();
            let name = asked.text("/key").unwrap().to_owned();
            if !["FAILED", "INPROGRESS", "STOPPED", "SUCCESSFUL"].contains(&state.as_str()) || name.len() > 40
            {
                return failure(400, "Bad request");
            }
            let of = |name: &str| asked.text(name).unwrap_or_default().to_owned();
            let (text, url) = (format!("{}\n{}", of("/name"), of("/description")), Some(of("/url")));
            let all = world.statuses.entry(asked.parts[2].clone()).or_default();
            all.retain(|status| status.name != name);
            all.push(Status { id: 0, name, state, text, url, at });
            Reply::of(201, json!({"type": "build"}))
        }
        "list pull requests" => {
            let states: Vec<&str> =
                asked.query.iter().filter(|(name, _)| name == "state").map(|(_, state)| &**state).collect();
            let filter = asked.query("q").unwrap_or_default().to_owned();
            let numbers = world.listed(|pull| {
                let is_of = format!(
                    "source.branch.name = \"{}\" AND destination.branch.name = \"{}\"",
                    pull.source, pull.target
                );
                states.contains(&word(pull)) && filter == is_of
            });
            let mut pulls: Vec<&Pull> =
                world.pulls.iter().filter(|pull| numbers.contains(&pull.number)).collect();
            match asked.query("sort") {
                Some("created_on") => {}
                Some("-updated_on") => pulls.sort_by_key(|pull| std::cmp::Reverse(pull.updated)),
                other => panic!("{other:?}"),
            }
            let all: Vec<Value> = pulls
                .into_iter()
                .map(|pull| {
                    let mut json = shown(pull, &asked.url);
                    // Only one alone has these.
                    json.as_object_mut()
                        .unwrap()
                        .retain(|name, _| name != "participants" && name != "reviewers");
                    json
                })
                .collect();
            paged(asked, "/2.0/repositories/acme/fleet/pullrequests", &all)
        }
        "create a pull request" => {
            let of = |at: &str| asked.text(&format!("/{at}/branch/name")).unwrap().to_owned();
            let (source, target) = (of("source"), of("destination"));
            if world.git.tip(&source).is_none() {
                return failure(400, "source branch not found");
            }
            let (title, body) =
                (asked.text("/title").unwrap(), asked.text("/description").unwrap_or_default());
            // The same again changes the first.
            let known = world.open_one(&source, &target).map(|pull| pull.number);
            if let Some(number) = known {
                let pull = world.pull(number).unwrap();
                (pull.title, pull.body) = (title.to_owned(), body.to_owned());
                return Reply::of(201, shown(pull, &asked.url));
            }
            let pull = world.open(&source, &target, title, body);
            pull.draft = asked.body.get("draft") == Some(&Value::Bool(true));
            Reply::of(201, shown(pull, &asked.url))
        }
        _ => one(world, asked),
    }
}

fn one(world: &mut World, asked: &Asked) -> Reply {
    let number = asked.number(2);
    let Some(pull) = world.pull(number) else { return failure(404, "Pull request not found") };
    let is_open = pull.state == State::Open;
    match asked.name {
        "one pull request" => {}
        "update a pull request" => {
            if !is_open {
                return failure(400, "This pull request is already closed.");
            }
            let of = |name: &str| asked.text(name).map(str::to_owned);
            pull.title = of("/title").unwrap();
            pull.body = of("/description").unwrap_or_default();
            let uuids = asked.body["reviewers"].as_array().into_iter().flatten();
            let uuids: Vec<&str> = uuids.map(|one| one["uuid"].as_str().unwrap()).collect();
            let people = ["ann", "gradus", "eve"].into_iter();
            pull.reviewers =
                people.filter(|name| uuids.contains(&uuid(name).as_str())).map(str::to_owned).collect();
            world.touch(number);
        }
        "merge" => return merge(world, asked, number),
        "decline" => {
            if !is_open {
                return failure(400, "This pull request is already closed.");
            }
            pull.state = State::Closed { by: "gradus" };
            world.touch(number);
        }
        "list comments" => {
            let all: Vec<Value> = pull.comments.iter().map(comment).collect();
            return paged(
                asked,
                &format!("/2.0/repositories/acme/fleet/pullrequests/{number}/comments"),
                &all,
            );
        }
        "create a comment" => {
            world.say(number, "gradus", asked.text("/content/raw").unwrap(), false);
            return Reply::of(201, comment(world.pull(number).unwrap().comments.last().unwrap()));
        }
        "change a comment" => {
            let id = asked.number(3);
            let Some(known) = pull.comments.iter_mut().find(|comment| comment.id == id) else {
                return failure(404, "Comment not found");
            };
            known.text = asked.text("/content/raw").unwrap().to_owned();
            return Reply::ok(comment(known));
        }
        other => panic!("{other}"),
    }
    Reply::ok(shown(world.pull(number).unwrap(), &asked.url))
}

fn comment(comment: &Comment) -> Value {
    json!({
        "type": "pullrequest_comment", "id": comment.id, "user": user(comment.by), "deleted": false,
        "content": {"raw": comment.text, "markup": "markdown"}, "created_on": comment.at.to_string(),
    })
}

/// It merges whatever the branch is at.
fn merge(world: &mut World, asked: &Asked, number: u64) -> Reply {
    let approved = world.approved(number);
    let pull = world.pull(number).unwrap();
    if pull.state != State::Open {
        return failure(400, "This pull request is already closed.");
    }
    if !approved {
        return failure(400, "At least 1 approval is required");
    }
    let (head, target) = (pull.head.clone(), pull.target.clone());
    let how = match asked.text("/merge_strategy") {
        None | Some("merge_commit") => How::Merge,
        Some("squash") => How::Squash,
        Some("rebase_fast_forward") => How::Rebase,
        Some("fast_forward") => How::FastForward,
        Some(_) => return failure(400, "This merge strategy is not allowed."),
    };
    match world.git.merge(&head, &target, how, asked.text("/message").unwrap_or("Merge")) {
        Brought::By(commit) => world.pull(number).unwrap().state = State::Merged { commit, by: "gradus" },
        Brought::Conflict => {
            return failure(400, "You can't merge until you resolve all merge conflicts.");
        }
        Brought::Behind => return failure(400, "The branches cannot be fast-forwarded."),
    }
    world.touch(number);
    Reply::ok(shown(world.pull(number).unwrap(), &asked.url))
}

fn word(pull: &Pull) -> &'static str {
    match pull.state {
        State::Open => "OPEN",
        State::Merged { .. } => "MERGED",
        State::Closed { .. } => "DECLINED",
    }
}

fn shown(pull: &Pull, url: &str) -> Value {
    let side = |branch: &str, commit: Option<&str>, repository: &str| {
        json!({
            "branch": {"name": branch}, "repository": {"type": "repository", "uuid": repository},
            // The first digits only.
            "commit": commit.map(|commit| json!({"type": "commit", "hash": &commit[..12]})),
        })
    };
    let participant = |name: &str, role: &str| {
        let review = pull.reviews.iter().rev().find(|review| review.by == name);
        let state = review.map(|review| if review.approved { "approved" } else { "changes_requested" });
        json!({
            "type": "participant", "user": user(name), "role": role, "approved": state == Some("approved"),
            "state": state, "participated_on": review.map(|review| review.at.to_string()),
        })
    };
    let reviewers = pull.reviewers.iter().map(|name| participant(name, "REVIEWER"));
    let others = pull.reviews.iter().filter(|review| !pull.reviewers.iter().any(|name| name == review.by));
    let others = others.map(|review| participant(review.by, "PARTICIPANT"));
    let (commit, closed_by) = match &pull.state {
        State::Open => (None, None),
        State::Merged { commit, by } => (Some(json!({"hash": &commit[..12]})), Some(user(by))),
        State::Closed { by } => (None, Some(user(by))),
    };
    json!({
        "type": "pullrequest", "id": pull.number, "title": pull.title, "description": pull.body,
        "state": word(pull), "draft": pull.draft, "author": user(pull.by), "merge_commit": commit,
        "source": side(&pull.source, Some(&pull.head), if pull.fork { "{f}" } else { "{r}" }),
        "destination": side(&pull.target, None, "{r}"), "closed_by": closed_by, "reason": "",
        "created_on": pull.created.to_string(), "updated_on": pull.updated.to_string(),
        "reviewers": pull.reviewers.iter().map(|name| user(name)).collect::<Vec<_>>(),
        "participants": reviewers.chain(others).collect::<Vec<_>>(),
        "links": {"html": {"href": format!("{url}/acme/fleet/pull-requests/{}", pull.number)}},
    })
}
