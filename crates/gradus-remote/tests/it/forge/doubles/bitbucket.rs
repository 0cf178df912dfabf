//! Bitbucket Cloud, as the pages below `https://developer.atlassian.com/cloud/bitbucket/rest/` say.

mod calls;

use serde_json::{Value, json};

use self::calls::CALLS;
use super::call::{Asked, Reply};
use super::git::{Brought, How};
use super::server::{Kind, Who};
use super::world::{Comment, PAGE, Pull, State, Status, World, page};

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
    ignored: &["title", "description", "message", "close_source_branch", "reviewers[]"],
    others: &[],
    answer,
    unknown: || failure(401, "Token is invalid, expired, or not supported for this endpoint."),
    denied: || {
        let words = "Your credentials lack one or more required privilege scopes.";
        let detail = json!({"granted": ["repository", "pullrequest"], "required": ["pullrequest:write"]});
        Reply::of(403, json!({"type": "error", "error": {"message": words, "detail": detail}}))
    },
};

const REPOSITORY: &str = "{33333333-0000-4000-8000-000000000002}";
const FORK: &str = "{33333333-0000-4000-8000-000000000009}";

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
fn paged(asked: &Asked, all: &[Value]) -> Reply {
    let of = |name: &str| asked.query(name).and_then(|value| value.parse::<usize>().ok());
    let (number, each) = (of("page").unwrap_or(1), of("pagelen").unwrap_or(10).clamp(1, PAGE));
    let (values, next) = page(all, (number - 1) * each, each);
    let mut json = json!({"size": all.len(), "pagelen": each, "page": number, "values": values});
    if next.is_some() {
        json["next"] = json!(asked.page(number + 1));
    }
    if number > 1 {
        json["previous"] = json!(asked.page(number - 1));
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
            return paged(asked, if is_it { std::slice::from_ref(&one) } else { &[] });
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
            "type": "repository", "full_name": "acme/fleet", "name": "fleet", "slug": "fleet",
            "uuid": REPOSITORY, "is_private": true,
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
            let all: Vec<Value> =
                world.statuses.get(&asked.parts[2]).into_iter().flatten().map(mark).collect();
            paged(asked, &all)
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
            Reply::of(201, mark(all.last().unwrap()))
        }
        "list pull requests" => {
            let mut states: Vec<&str> =
                asked.query.iter().filter(|(name, _)| name == "state").map(|(_, state)| &**state).collect();
            if states.is_empty() {
                states.push("OPEN");
            }
            let filter = asked.query("q").map(str::to_owned);
            let numbers = world.listed(|pull| {
                let is_of = format!(
                    "source.branch.name = \"{}\" AND destination.branch.name = \"{}\"",
                    pull.source, pull.target
                );
                states.contains(&word(pull)) && filter.as_ref().is_none_or(|filter| *filter == is_of)
            });
            let mut pulls: Vec<&Pull> =
                world.pulls.iter().filter(|pull| numbers.contains(&pull.number)).collect();
            match asked.query("sort") {
                None | Some("created_on") => {}
                Some("-updated_on") => pulls.sort_by_key(|pull| std::cmp::Reverse(pull.updated)),
                other => panic!("{other:?}"),
            }
            let all: Vec<Value> = pulls
                .into_iter()
                .map(|pull| {
                    let mut json = shown(world, pull, &asked.url);
                    // Only one alone has these.
                    json.as_object_mut()
                        .unwrap()
                        .retain(|name, _| name != "participants" && name != "reviewers");
                    json
                })
                .collect();
            paged(asked, &all)
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
                return Reply::of(201, one_of(world, number, &asked.url));
            }
            let pull = world.open(&source, &target, title, body);
            pull.draft = asked.body.get("draft") == Some(&Value::Bool(true));
            let number = pull.number;
            Reply::of(201, one_of(world, number, &asked.url))
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
            return paged(asked, &all);
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
    Reply::ok(one_of(world, number, &asked.url))
}

fn mark(status: &Status) -> Value {
    let (name, text) = status.text.split_once('\n').unwrap();
    json!({
        "type": "build", "key": status.name, "name": name, "state": status.state, "description": text,
        "url": status.url, "created_on": status.at.to_string(), "updated_on": status.at.to_string(),
    })
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
    Reply::ok(one_of(world, number, &asked.url))
}

fn word(pull: &Pull) -> &'static str {
    match pull.state {
        State::Open => "OPEN",
        State::Merged { .. } => "MERGED",
        State::Closed { .. } => "DECLINED",
    }
}

fn one_of(world: &World, number: u64, url: &str) -> Value {
    shown(world, world.pulls.iter().find(|pull| pull.number == number).unwrap(), url)
}

fn shown(world: &World, pull: &Pull, url: &str) -> Value {
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
        "source": side(&pull.source, Some(&pull.head), if pull.fork { FORK } else { REPOSITORY }),
        "destination": side(&pull.target, world.git.tip(&pull.target).as_deref(), REPOSITORY), "closed_by": closed_by, "reason": "",
        "created_on": pull.created.to_string(), "updated_on": pull.updated.to_string(),
        "reviewers": pull.reviewers.iter().map(|name| user(name)).collect::<Vec<_>>(),
        "participants": reviewers.chain(others).collect::<Vec<_>>(),
        "links": {"html": {"href": format!("{url}/acme/fleet/pull-requests/{}", pull.number)}},
    })
}
