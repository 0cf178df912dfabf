//! GitLab, as the pages below `https://docs.gitlab.com/api/` say.

mod calls;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::calls::CALLS;
use super::call::{Asked, Reply};
use super::git::{Brought, How};
use super::server::{Kind, Who};
use super::world::{Comment, PAGE, Pull, State, Status, World, page};

pub(in crate::forge) static GITLAB: Kind = Kind {
    name: "gitlab",
    calls: CALLS,
    authorization: |who| match who {
        Who::Gradus => "Bearer glpat-gradus",
        Who::Reader => "Bearer glpat-reader",
        Who::Nobody => "Bearer glpat-nobody",
    },
    account: str::to_owned,
    repository: |url| format!("{url}/shop/apps/fleet.git"),
    list_end: "/merge_requests",
    ignored: &[],
    others: &[],
    answer,
    unknown: || Reply::of(401, json!({"message": "401 Unauthorized"})),
    denied: || {
        let words = "The request requires higher privileges than provided by the access token.";
        Reply::of(403, json!({"error": "insufficient_scope", "error_description": words, "scope": "api"}))
    },
};

const PEOPLE: [(&str, u64); 3] = [("ann", 2), ("gradus", 3), ("eve", 4)];

fn user(name: &str) -> Value {
    let id = PEOPLE.iter().find(|(known, _)| *known == name).map(|(_, id)| *id);
    json!({"id": id, "username": name, "name": name, "state": "active", "web_url": format!("https://x/{name}")})
}

fn missing() -> Reply {
    Reply::of(404, json!({"message": "404 Not found"}))
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    match asked.name {
        "list users" => {
            let name = asked.query("username").unwrap_or_default();
            let is_known = PEOPLE.iter().any(|(known, _)| *known == name);
            return Reply::ok(if is_known { json!([user(name)]) } else { json!([]) });
        }
        "the current user" => return Reply::ok(user("gradus")),
        "the token" => {
            let scopes = if asked.who == Who::Reader { json!(["read_api"]) } else { json!(["api"]) };
            return Reply::ok(json!({"id": 1, "name": "t", "scopes": scopes, "active": true}));
        }
        _ => {}
    }
    if asked.parts[0] != "shop/apps/fleet" {
        return Reply::of(404, json!({"message": "404 Project Not Found"}));
    }
    let (number, at) = (if asked.parts.len() > 1 { asked.number(1) } else { 0 }, world.now());
    let reads = matches!(
        asked.name,
        "list merge requests"
            | "one merge request"
            | "approvals"
            | "list versions"
            | "reviewers"
            | "list notes"
            | "one branch"
            | "list commit statuses"
            | "list milestones"
            | "list deployments"
            | "one project"
    );
    if world.archived && !reads {
        return Reply::of(403, json!({"message": "403 Forbidden"}));
    }
    match asked.name {
        "one project" => Reply::ok(json!({
            "id": 1, "name": "fleet", "path": "fleet", "path_with_namespace": "shop/apps/fleet",
            "web_url": format!("{}/shop/apps/fleet", asked.url), "archived": world.archived,
            "default_branch": "main", "merge_method": "merge", "squash_option": "default_off",
            "permissions": {"project_access": null, "group_access": {"access_level": 30, "notification_level": 3}},
        })),
        "list milestones" => {
            let all = if asked.query("title") == Some("1.2") {
                json!([{"id": 7, "title": "1.2"}])
            } else {
                json!([])
            };
            Reply::ok(all)
        }
        "list deployments" => {
            let environment = asked.query("environment").unwrap_or_default();
            let ours = world.deployments.iter().enumerate().rev().filter(|(_, one)| one.0 == environment);
            let shown = |(at, one): (usize, &(String, String, String))| json!({"id": at + 1, "sha": one.1, "status": one.2, "environment": {"name": one.0}});
            Reply::ok(ours.map(shown).collect())
        }
        "create a deployment" => {
            let of = |name: &str| asked.text(name).unwrap_or_default().to_owned();
            world.deployments.push((of("/environment"), of("/sha"), of("/status")));
            Reply::of(201, json!({"id": world.deployments.len()}))
        }
        "update a deployment" => {
            let at = usize::try_from(number).unwrap() - 1;
            world.deployments[at].2 = asked.text("/status").unwrap().to_owned();
            Reply::ok(json!({"id": number}))
        }
        "create a pipeline" => run(world, asked),
        "list merge requests" => list(world, asked),
        "create a merge request" => create(world, asked),
        "one branch" => match world.git.tip(&asked.parts[1]) {
            Some(tip) => Reply::ok(json!({
                "name": asked.parts[1], "commit": {"id": tip}, "merged": false, "protected": false,
                "default": asked.parts[1] == "main", "can_push": true,
            })),
            None => Reply::of(404, json!({"message": "404 Branch Not Found"})),
        },
        "delete a branch" => match world.git.delete(&asked.parts[1]) {
            true => Reply::of(204, Value::Null),
            false => Reply::of(404, json!({"message": "404 Branch Not Found"})),
        },
        "list commit statuses" => {
            // The newest of each name.
            let mut newest: Vec<Status> = Vec::new();
            for status in world.statuses.get(&asked.parts[1]).into_iter().flatten().rev() {
                if !newest.iter().any(|known| known.name == status.name) {
                    newest.push(status.clone());
                }
            }
            paged(asked, &newest.iter().rev().map(|status| mark(asked, status)).collect::<Vec<_>>())
        }
        "set a commit status" => {
            let state = asked.text("/state").unwrap().to_owned();
            if !["pending", "running", "success", "failed", "canceled", "skipped"].contains(&state.as_str()) {
                return Reply::of(400, json!({"error": "state does not have a valid value"}));
            }
            let name = asked.text("/name").unwrap_or("default").to_owned();
            let (text, id) = (asked.text("/description").unwrap_or_default().to_owned(), world.id());
            let url = asked.text("/target_url").map(str::to_owned);
            let all = world.statuses.entry(asked.parts[1].clone()).or_default();
            match all.iter_mut().rev().find(|status| status.name == name) {
                Some(known) if matches!(known.state.as_str(), "pending" | "running") => {
                    if known.state == state {
                        let why = format!(
                            "Cannot transition status via :enqueue from :{state} (Reason(s): Status cannot transition via \"enqueue\")"
                        );
                        return Reply::of(400, json!({"message": why}));
                    }
                    (known.state, known.text, known.url) = (state, text, url);
                    Reply::of(201, mark(asked, known))
                }
                Some(_) | None => {
                    all.push(Status { id, name, state, text, url, at });
                    Reply::of(201, mark(asked, all.last().unwrap()))
                }
            }
        }
        _ => one(world, asked, number),
    }
}

fn mark(asked: &Asked, status: &Status) -> Value {
    json!({
        "id": status.id, "sha": asked.parts[1], "ref": "main", "status": status.state, "name": status.name,
        "description": status.text, "target_url": status.url, "created_at": status.at.to_string(),
        "started_at": null, "finished_at": null, "allow_failure": false, "coverage": null, "pipeline_id": 5,
        "author": user("gradus"),
    })
}

/// A run on a branch that is there, where the account may set variables.
fn run(world: &mut World, asked: &Asked) -> Reply {
    let refuse = |words: &str| Reply::of(400, json!({"message": {"base": [words]}}));
    let branch = asked.text("/ref").unwrap_or_default().to_owned();
    let Some(sha) = world.git.tip(&branch) else { return refuse("Reference not found") };
    let of = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let all = asked.body["variables"].as_array().into_iter().flatten();
    let variables: Vec<(String, String)> = all.map(|one| (of(one, "key"), of(one, "value"))).collect();
    if world.no_variables && !variables.is_empty() {
        return refuse("Insufficient permissions to set pipeline variables");
    }
    world.runs.push((branch.clone(), variables));
    let id = world.runs.len();
    let url = format!("{}/shop/apps/fleet/-/pipelines/{id}", asked.url);
    Reply::of(
        201,
        json!({"id": id, "iid": id, "project_id": 1, "status": "created", "ref": branch, "sha": sha, "web_url": url}),
    )
}

fn list(world: &mut World, asked: &Asked) -> Reply {
    let of = |name: &str| asked.query(name).map(str::to_owned);
    let (state, source, target) = (of("state"), of("source_branch"), of("target_branch"));
    let is = |wanted: &Option<String>, had: &str| wanted.as_ref().is_none_or(|wanted| wanted == had);
    let numbers = world.listed(|pull| {
        (state.as_deref() == Some("all") || is(&state, word(pull)))
            && is(&source, &pull.source)
            && is(&target, &pull.target)
    });
    let mut pulls: Vec<&Pull> = world.pulls.iter().filter(|pull| numbers.contains(&pull.number)).collect();
    let by_change = of("order_by").as_deref() == Some("updated_at");
    pulls.sort_by_key(|pull| if by_change { pull.updated } else { pull.created });
    if of("sort").as_deref() != Some("asc") {
        pulls.reverse();
    }
    paged(asked, &pulls.into_iter().map(|pull| shown(world, pull, &asked.url)).collect::<Vec<_>>())
}

/// `rest/#offset-based-pagination`: the other pages are in the `Link` header, and their numbers in others.
fn paged(asked: &Asked, all: &[Value]) -> Reply {
    let of = |name: &str| asked.query(name).and_then(|value| value.parse::<usize>().ok());
    let (number, each) = (of("page").unwrap_or(1), of("per_page").unwrap_or(20).clamp(1, PAGE));
    let (listed, next) = page(all, (number - 1) * each, each);
    let last = all.len().div_ceil(each).max(1);
    let (before, after) = ((number > 1).then(|| number - 1), next.map(|_| number + 1));
    let links = [("prev", before), ("next", after), ("first", Some(1)), ("last", Some(last))];
    let links =
        links.into_iter().filter_map(|(rel, to)| Some(format!("<{}>; rel=\"{rel}\"", asked.page(to?))));
    let mut reply = Reply::ok(Value::Array(listed));
    reply.headers.push(("link", links.collect::<Vec<_>>().join(", ")));
    let written = |number: Option<usize>| number.map_or_else(String::new, |number| number.to_string());
    reply.headers.extend([
        ("x-page", number.to_string()),
        ("x-per-page", each.to_string()),
        ("x-prev-page", written(before)),
        ("x-next-page", written(after)),
        ("x-total", all.len().to_string()),
        ("x-total-pages", last.to_string()),
    ]);
    reply
}

fn create(world: &mut World, asked: &Asked) -> Reply {
    let of = |name: &str| asked.text(name).unwrap_or_default().to_owned();
    let (source, target) = (of("/source_branch"), of("/target_branch"));
    if world.git.tip(&source).is_none() {
        return Reply::of(422, json!({"message": ["Source branch \"x\" does not exist"]}));
    }
    if let Some(known) = world.open_one(&source, &target) {
        let words =
            format!("Another open merge request already exists for this source branch: !{}", known.number);
        return Reply::of(409, json!({"message": [words]}));
    }
    let title = of("/title");
    let pull = world.open(&source, &target, &title, &of("/description"));
    pull.draft = title.starts_with("Draft: ");
    let number = pull.number;
    world.say(number, "gradus", "assigned to @ann", true);
    let pull = world.pulls.last().unwrap();
    Reply::of(201, shown(world, pull, &asked.url))
}

fn one(world: &mut World, asked: &Asked, number: u64) -> Reply {
    if world.pull(number).is_none() {
        return missing();
    }
    match asked.name {
        "one merge request" => {
            world.thinking = world.thinking.saturating_sub(1);
        }
        "update a merge request" => {
            let of = |name: &str| asked.text(name).map(str::to_owned);
            let names = |list: &str| -> Option<Vec<String>> {
                let ids = asked.body.get(list)?.as_array()?.iter().filter_map(Value::as_u64);
                let name = |id: u64| PEOPLE.iter().find(|(_, known)| *known == id).unwrap().0.to_owned();
                Some(ids.map(name).collect())
            };
            let pull = world.pull(number).unwrap();
            if let Some(title) = of("/title") {
                pull.draft = title.starts_with("Draft: ");
                pull.title = title;
            }
            pull.body = of("/description").unwrap_or(std::mem::take(&mut pull.body));
            pull.target = of("/target_branch").unwrap_or(std::mem::take(&mut pull.target));
            if let Some(labels) = of("/labels") {
                pull.labels =
                    labels.split(',').filter(|label| !label.is_empty()).map(str::to_owned).collect();
            }
            pull.reviewers = names("reviewer_ids").unwrap_or(std::mem::take(&mut pull.reviewers));
            pull.assignees = names("assignee_ids").unwrap_or(std::mem::take(&mut pull.assignees));
            match of("/state_event").as_deref() {
                None => {}
                Some("close") if pull.state == State::Open => pull.state = State::Closed { by: "gradus" },
                Some(event) => {
                    let words = format!("State cannot transition via \"{event}\"");
                    return Reply::of(422, json!({"message": [words]}));
                }
            }
            world.touch(number);
        }
        "merge" => return merge(world, asked, number),
        "approvals" => {
            let pull = world.pull(number).unwrap();
            let by = |review: &super::world::Review| json!({"user": user(review.by), "approved_at": review.at.to_string()});
            let approved: Vec<Value> = pull.reviews.iter().filter(|review| review.approved).map(by).collect();
            return Reply::ok(json!({"iid": number, "approved": true, "approved_by": approved}));
        }
        "list versions" => {
            let shown = |(id, (head, at)): (usize, &(String, Timestamp))| {
                json!({
                    "id": id + 1, "head_commit_sha": head, "created_at": at.to_string(),
                    "merge_request_id": number, "state": "collected", "real_size": "1",
                })
            };
            let versions = &world.pull(number).unwrap().versions;
            let newest_first: Vec<Value> = versions.iter().enumerate().rev().map(shown).collect();
            return paged(asked, &newest_first);
        }
        "reviewers" => {
            let pull = world.pull(number).unwrap();
            let shown = |review: &super::world::Review| {
                let state = if review.approved { "approved" } else { "requested_changes" };
                json!({"user": user(review.by), "state": state, "created_at": review.at.to_string()})
            };
            let asked =
                pull.reviewers.iter().filter(|name| !pull.reviews.iter().any(|review| review.by == **name));
            let asked = asked.map(|name| json!({"user": user(name), "state": "unreviewed", "created_at": pull.created.to_string()}));
            return Reply::ok(Value::Array(pull.reviews.iter().map(shown).chain(asked).collect()));
        }
        "list notes" => {
            let mut notes: Vec<Value> = world.pull(number).unwrap().comments.iter().map(note).collect();
            if asked.query("sort") != Some("asc") {
                notes.reverse();
            }
            return paged(asked, &notes);
        }
        "create a note" => {
            world.say(number, "gradus", asked.text("/body").unwrap(), false);
            return Reply::of(201, note(world.pull(number).unwrap().comments.last().unwrap()));
        }
        "change a note" => {
            let id = asked.number(2);
            let comments = &mut world.pull(number).unwrap().comments;
            let Some(comment) = comments.iter_mut().find(|comment| comment.id == id) else {
                return missing();
            };
            comment.text = asked.text("/body").unwrap().to_owned();
            return Reply::ok(note(comment));
        }
        other => panic!("{other}"),
    }
    let pull = world.pulls.iter().find(|pull| pull.number == number).unwrap();
    Reply::ok(shown(world, pull, &asked.url))
}

fn note(comment: &Comment) -> Value {
    json!({
        "id": comment.id, "body": comment.text, "author": user(comment.by), "system": comment.system,
        "created_at": comment.at.to_string(), "updated_at": comment.at.to_string(), "noteable_type": "MergeRequest",
    })
}

fn merge(world: &mut World, asked: &Asked, number: u64) -> Reply {
    let pull = world.pulls.iter().find(|pull| pull.number == number).unwrap();
    if pull.state != State::Open || pull.draft || status(world, pull) != "mergeable" {
        return Reply::of(405, json!({"message": "405 Method Not Allowed"}));
    }
    let (head, target) = (pull.head.clone(), pull.target.clone());
    if asked.text("/sha").is_some_and(|sha| sha != head) {
        return Reply::of(409, json!({"message": "SHA does not match HEAD of source branch: x"}));
    }
    let squash = asked.body.get("squash") == Some(&Value::Bool(true));
    let how = if squash { How::Squash } else { How::Merge };
    let message = asked.text(if squash { "/squash_commit_message" } else { "/merge_commit_message" });
    match world.git.merge(&head, &target, how, message.unwrap_or("Merge branch")) {
        Brought::By(commit) => {
            world.pull(number).unwrap().state = State::Merged { commit, by: "gradus" };
            world.touch(number);
        }
        Brought::Conflict | Brought::Behind => {
            return Reply::of(422, json!({"message": "Branch cannot be merged"}));
        }
    }
    let pull = world.pulls.iter().find(|pull| pull.number == number).unwrap();
    Reply::ok(shown(world, pull, &asked.url))
}

fn word(pull: &Pull) -> &'static str {
    match pull.state {
        State::Open => "opened",
        State::Merged { .. } => "merged",
        State::Closed { .. } => "closed",
    }
}

fn status(world: &World, pull: &Pull) -> &'static str {
    if pull.state != State::Open {
        "not_open"
    } else if world.thinking > 0 {
        "checking"
    } else if pull.draft {
        "draft_status"
    } else if world.git.conflicts(&pull.head, &pull.target) {
        "conflict"
    } else if !world.approved(pull.number) {
        "not_approved"
    } else {
        "mergeable"
    }
}

fn shown(world: &World, pull: &Pull, url: &str) -> Value {
    let status = status(world, pull);
    let (merge_commit, merged_by, closed_by) = match &pull.state {
        State::Open => (None, None, None),
        State::Merged { commit, by } => (Some(commit.clone()), Some(user(by)), None),
        State::Closed { by } => (None, None, Some(user(by))),
    };
    let closed_at = closed_by.as_ref().map(|_| pull.updated.to_string());
    let merged_at = merged_by.as_ref().map(|_| pull.updated.to_string());
    json!({
        "id": 1000 + pull.number, "iid": pull.number, "project_id": 1, "title": pull.title,
        "description": pull.body, "state": word(pull), "created_at": pull.created.to_string(),
        "updated_at": pull.updated.to_string(), "merge_user": merged_by, "merged_by": merged_by,
        "merged_at": merged_at, "closed_by": closed_by, "closed_at": closed_at, "target_branch": pull.target,
        "source_branch": pull.source, "author": user(pull.by),
        "assignees": pull.assignees.iter().map(|name| user(name)).collect::<Vec<_>>(),
        "reviewers": pull.reviewers.iter().map(|name| user(name)).collect::<Vec<_>>(),
        "source_project_id": if pull.fork { 9 } else { 1 }, "target_project_id": 1,
        "labels": pull.labels, "draft": pull.draft, "sha": pull.head,
        "merge_status": if status == "checking" { "checking" } else if status == "conflict" { "cannot_be_merged" } else { "can_be_merged" },
        "detailed_merge_status": status, "merge_commit_sha": merge_commit, "squash_commit_sha": null,
        "has_conflicts": status == "conflict", "merge_error": null,
        "web_url": format!("{url}/shop/apps/fleet/-/merge_requests/{}", pull.number),
    })
}
