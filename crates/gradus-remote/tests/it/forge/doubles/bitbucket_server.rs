//! Bitbucket Data Center, as `https://developer.atlassian.com/server/bitbucket/rest/` says.

mod calls;

use serde_json::{Value, json};

use self::calls::{CALLS, REPEATED};
use super::call::{Asked, Reply};
use super::git::{Brought, How};
use super::server::{Kind, Who};
use super::world::{Comment, Pull, Review, State, Status, World, page};

pub(in crate::forge) static BITBUCKET_SERVER: Kind = Kind {
    name: "bitbucket-server",
    calls: CALLS,
    authorization: |who| match who {
        Who::Gradus => "Bearer gradus",
        // ann:secret
        Who::Reader => "Basic YW5uOnNlY3JldA==",
        Who::Nobody => "Bearer nobody",
    },
    account: str::to_owned,
    repository: |url| format!("{url}/scm/SHOP/fleet.git"),
    list_end: "/pull-requests",
    ignored: REPEATED,
    others: &[],
    answer,
    unknown: || {
        let words = "Authentication failed. Please check your credentials and try again.";
        failure(401, "auth.IncorrectPasswordAuthenticationException", words)
    },
    denied: || {
        let words = "You are not permitted to access this resource";
        failure(401, "AuthorisationException", words)
    },
};

fn failure(status: u16, exception: &str, words: &str) -> Reply {
    let exception = format!("com.atlassian.bitbucket.{exception}");
    Reply::of(status, json!({"errors": [{"context": null, "message": words, "exceptionName": exception}]}))
}

fn missing(what: &str) -> Reply {
    failure(404, &format!("{what}.NoSuch{what}Exception"), "It does not exist.")
}

fn outdated() -> Reply {
    let words = "You are attempting to modify a pull request based on out-of-date information.";
    failure(409, "pull.PullRequestOutOfDateException", words)
}

fn user(name: &str) -> Value {
    json!({"name": name, "slug": name, "displayName": name, "id": 1, "active": true, "type": "NORMAL"})
}

/// `start` and `limit`, and where the next page begins.
fn paged(asked: &Asked, all: &[Value]) -> Reply {
    let start = asked.query("start").and_then(|start| start.parse().ok()).unwrap_or(0);
    let limit = asked.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(25);
    let (values, next) = page(all, start, limit);
    Reply::ok(json!({
        "size": values.len(), "limit": limit, "start": start, "values": values, "isLastPage": next.is_none(),
        "nextPageStart": next,
    }))
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let at = world.now();
    let repository = |world: &World| {
        json!({
            "id": 1, "slug": "fleet", "name": "Fleet", "state": "AVAILABLE", "archived": world.archived,
            "project": {"key": "SHOP", "id": 1, "name": "Shop", "type": "NORMAL"},
            "scmId": "git", "forkable": true, "public": false, "statusMessage": "Available",
        })
    };
    match asked.name {
        "properties" => {
            let mut reply = Reply::ok(json!({"version": "9.4.0", "displayName": "Bitbucket"}));
            reply.headers.push(("x-ausername", "gradus".to_owned()));
            return reply;
        }
        "list repositories" => {
            let other = json!({"id": 7, "slug": "fleet-old", "name": "Fleet old"});
            let own = repository(world);
            return match asked.query("permission") {
                Some("REPO_ADMIN") => paged(asked, &[other]),
                _ => paged(asked, &[other.clone(), other, own]),
            };
        }
        "list build statuses" => {
            let shown = |status: &Status| {
                json!({
                    "key": status.name, "name": status.name, "state": status.state, "url": status.url,
                    "description": status.text, "createdDate": status.at.as_millisecond(),
                })
            };
            let all: Vec<Value> =
                world.statuses.get(&asked.parts[0]).into_iter().flatten().map(shown).collect();
            return paged(asked, &all);
        }
        _ => {}
    }
    if asked.parts[..2] != ["SHOP", "fleet"] {
        return missing("Repository");
    }
    let reads = matches!(
        asked.name,
        "one repository"
            | "default branch"
            | "pull request settings"
            | "list pull requests"
            | "one pull request"
            | "mergeability"
            | "activities"
            | "one comment"
    );
    if world.archived && !reads {
        return failure(409, "repository.RepositoryArchivedException", "The repository is archived.");
    }
    match asked.name {
        "one repository" => Reply::ok(repository(world)),
        "default branch" => {
            Reply::ok(json!({"id": "refs/heads/main", "displayId": "main", "type": "BRANCH"}))
        }
        "pull request settings" => {
            let strategy = |id: &str, enabled: bool| json!({"id": id, "enabled": enabled, "name": id});
            let strategies = [
                strategy("no-ff", true),
                strategy("ff", false),
                strategy("ff-only", true),
                strategy("rebase-ff-only", true),
                strategy("squash", true),
            ];
            Reply::ok(json!({
                "mergeConfig": {"type": "REPOSITORY", "strategies": strategies},
                "requiredApprovers": world.approvals,
            }))
        }
        "list pull requests" => {
            let of = |name: &str| asked.query(name).unwrap_or_default().to_owned();
            let (state, at, order) = (of("state"), of("at"), of("order"));
            let direction = asked.query("direction").unwrap_or("INCOMING");
            if !["", "OPEN", "ALL", "MERGED", "DECLINED"].contains(&&*state) {
                return failure(400, "ArgumentValidationException", "no such state");
            }
            // What goes out of this repository or comes into it, of this branch or to it.
            let numbers = world.listed(|pull| {
                let (is_here, branch) = match direction {
                    "OUTGOING" => (!pull.fork, &pull.source),
                    _ => (true, &pull.target),
                };
                (state == "ALL" || state == word(pull) || state.is_empty() && word(pull) == "OPEN")
                    && is_here
                    && (at.is_empty() || format!("refs/heads/{branch}") == at)
            });
            let mut pulls: Vec<&Pull> =
                world.pulls.iter().filter(|pull| numbers.contains(&pull.number)).collect();
            if order != "OLDEST" {
                pulls.reverse();
            }
            paged(asked, &pulls.into_iter().map(|pull| shown(world, pull, &asked.url)).collect::<Vec<_>>())
        }
        "create a pull request" => {
            let of = |at: &str| {
                let id = asked.text(&format!("/{at}/id")).unwrap_or_default();
                id.strip_prefix("refs/heads/").unwrap_or(id).to_owned()
            };
            let (source, target) = (of("fromRef"), of("toRef"));
            if world.git.tip(&source).is_none() {
                return missing("Branch");
            }
            if world.open_one(&source, &target).is_some() {
                let words = "Only one pull request may be open for a given source and target branch";
                return failure(409, "pull.DuplicatePullRequestException", words);
            }
            let (title, body) = (asked.text("/title").unwrap(), asked.text("/description"));
            let pull = world.open(&source, &target, title, body.unwrap_or_default());
            pull.draft = asked.body.get("draft") == Some(&Value::Bool(true));
            Reply::of(201, shown(world, world.pulls.last().unwrap(), &asked.url))
        }
        "delete a branch" => {
            let name = asked.text("/name").unwrap();
            world.git.delete(name.strip_prefix("refs/heads/").unwrap_or(name));
            Reply::of(204, Value::Null)
        }
        "set a build status" => {
            let state = asked.text("/state").unwrap().to_owned();
            if !["CANCELLED", "FAILED", "INPROGRESS", "SUCCESSFUL", "UNKNOWN"].contains(&state.as_str()) {
                return failure(400, "ArgumentValidationException", "no such state");
            }
            let name = asked.text("/key").unwrap().to_owned();
            let text = asked.text("/description").unwrap_or_default().to_owned();
            let url = asked.text("/url").map(str::to_owned);
            let all = world.statuses.entry(asked.parts[2].clone()).or_default();
            all.retain(|status| status.name != name);
            all.push(Status { id: 0, name, state, text, url, at });
            Reply::of(204, Value::Null)
        }
        _ => one(world, asked),
    }
}

fn one(world: &mut World, asked: &Asked) -> Reply {
    let number = asked.number(2);
    let Some(pull) = world.pull(number) else { return missing("PullRequest") };
    let version: Option<u64> = asked.query("version").and_then(|version| version.parse().ok());
    match asked.name {
        "one pull request" => {}
        "update a pull request" => {
            if asked.body["version"] != json!(pull.version) {
                return outdated();
            }
            // What is left out is taken away.
            let of = |name: &str| asked.text(name).map(str::to_owned);
            pull.title = of("/title").unwrap_or(std::mem::take(&mut pull.title));
            pull.body = of("/description").unwrap_or_default();
            let names = asked.body["reviewers"].as_array().into_iter().flatten();
            pull.reviewers = names.map(|one| one["user"]["name"].as_str().unwrap().to_owned()).collect();
            let reviewers = pull.reviewers.clone();
            pull.reviews.retain(|review| reviewers.iter().any(|name| name == review.by));
            world.touch(number);
        }
        "mergeability" => {
            if pull.state != State::Open {
                return failure(409, "pull.IllegalPullRequestStateException", "It is not open.");
            }
            return mergeability(world, number);
        }
        "merge" => return merge(world, asked, number, version),
        "decline" => {
            if pull.state != State::Open {
                return failure(409, "pull.IllegalPullRequestStateException", "It is not open.");
            }
            if version != Some(pull.version) {
                return outdated();
            }
            pull.state = State::Closed { by: "gradus" };
            world.touch(number);
        }
        "activities" => return activities(asked, pull),
        "create a comment" => {
            world.say(number, "gradus", asked.text("/text").unwrap(), false);
            return Reply::of(201, comment(world.pull(number).unwrap().comments.last().unwrap()));
        }
        "one comment" | "change a comment" => {
            let id = asked.number(3);
            let Some(known) = pull.comments.iter_mut().find(|comment| comment.id == id) else {
                return missing("Comment");
            };
            if asked.name == "change a comment" {
                if asked.body["version"] != json!(known.version) {
                    let words = "The comment was changed since.";
                    return failure(409, "comment.CommentOutOfDateException", words);
                }
                known.text = asked.text("/text").unwrap().to_owned();
                known.version += 1;
            }
            return Reply::ok(comment(known));
        }
        other => panic!("{other}"),
    }
    let pull = world.pulls.iter().find(|pull| pull.number == number).unwrap();
    Reply::ok(shown(world, pull, &asked.url))
}

fn mergeability(world: &mut World, number: u64) -> Reply {
    world.thinking = world.thinking.saturating_sub(1);
    let thinks = world.thinking > 0;
    let approved = world.approved(number);
    let pull = world.pull(number).unwrap();
    let (head, target) = (pull.head.clone(), pull.target.clone());
    let conflicted = world.git.conflicts(&head, &target);
    let veto = json!({
        "summaryMessage": "Not all required reviewers have approved yet",
        "detailedMessage": "You still need 1 approval before this pull request can be merged.",
    });
    let vetoes = if approved { json!([]) } else { json!([veto]) };
    let outcome = if thinks {
        "UNKNOWN"
    } else if conflicted {
        "CONFLICTED"
    } else {
        "CLEAN"
    };
    let can = approved && !conflicted && !thinks;
    Reply::ok(json!({"canMerge": can, "conflicted": conflicted, "outcome": outcome, "vetoes": vetoes}))
}

fn merge(world: &mut World, asked: &Asked, number: u64, version: Option<u64>) -> Reply {
    let pull = world.pull(number).unwrap();
    if pull.state != State::Open {
        return failure(409, "pull.IllegalPullRequestStateException", "It is not open.");
    }
    if version != Some(pull.version) {
        return outdated();
    }
    let (head, target) = (pull.head.clone(), pull.target.clone());
    if world.thinking > 0 || !world.approved(number) {
        let words = "The pull request cannot be merged: a merge check has vetoed it.";
        return failure(409, "pull.PullRequestMergeVetoedException", words);
    }
    let how = match asked.text("/strategyId") {
        None | Some("no-ff") => How::Merge,
        Some("squash") => How::Squash,
        Some("rebase-ff-only") => How::Rebase,
        Some("ff-only") => How::FastForward,
        Some(_) => return failure(400, "ArgumentValidationException", "no such strategy"),
    };
    let commit = match world.git.merge(&head, &target, how, asked.text("/message").unwrap_or("Merge")) {
        Brought::By(commit) => commit,
        Brought::Conflict | Brought::Behind => {
            let words = "The pull request cannot be merged in this way.";
            return failure(409, "pull.PullRequestMergeException", words);
        }
    };
    world.pull(number).unwrap().state = State::Merged { commit, by: "gradus" };
    world.touch(number);
    let pull = world.pulls.iter().find(|pull| pull.number == number).unwrap();
    Reply::ok(shown(world, pull, &asked.url))
}

/// Newest first.
fn activities(asked: &Asked, pull: &Pull) -> Reply {
    let mut all: Vec<(jiff::Timestamp, Value)> = Vec::new();
    let base = |at: jiff::Timestamp, by: &str, action: &str| json!({"id": 1, "createdDate": at.as_millisecond(), "user": user(by), "action": action});
    all.push((pull.created, base(pull.created, pull.by, "OPENED")));
    for one in &pull.comments {
        let mut activity = base(one.at, one.by, "COMMENTED");
        activity["commentAction"] = json!("ADDED");
        activity["comment"] = comment(one);
        all.push((one.at, activity));
    }
    for one in &pull.reviews {
        all.push((one.at, base(one.at, one.by, if one.approved { "APPROVED" } else { "REVIEWED" })));
    }
    match &pull.state {
        State::Open => {}
        State::Merged { by, .. } => all.push((pull.updated, base(pull.updated, by, "MERGED"))),
        State::Closed { by } => all.push((pull.updated, base(pull.updated, by, "DECLINED"))),
    }
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    paged(asked, &all.into_iter().map(|(_, activity)| activity).collect::<Vec<_>>())
}

fn comment(comment: &Comment) -> Value {
    json!({
        "id": comment.id, "version": comment.version, "text": comment.text, "author": user(comment.by),
        "createdDate": comment.at.as_millisecond(), "state": "OPEN", "severity": "NORMAL",
    })
}

fn word(pull: &Pull) -> &'static str {
    match pull.state {
        State::Open => "OPEN",
        State::Merged { .. } => "MERGED",
        State::Closed { .. } => "DECLINED",
    }
}

fn shown(world: &World, pull: &Pull, url: &str) -> Value {
    let reference = |branch: &str, commit: &str, repository: u64| {
        json!({
            "id": format!("refs/heads/{branch}"), "displayId": branch, "latestCommit": commit, "type": "BRANCH",
            "repository": {"id": repository, "slug": "fleet", "project": {"key": "SHOP"}},
        })
    };
    let participant = |name: &str, role: &str, review: Option<&Review>| {
        let status = match review {
            Some(review) if review.approved => "APPROVED",
            Some(_) => "NEEDS_WORK",
            None => "UNAPPROVED",
        };
        json!({
            "user": user(name), "role": role, "approved": status == "APPROVED", "status": status,
            "lastReviewedCommit": review.map(|review| &review.commit),
        })
    };
    let said = |name: &str| pull.reviews.iter().rev().find(|review| review.by == name);
    let reviewers = pull.reviewers.iter().map(|name| participant(name, "REVIEWER", said(name)));
    let others = pull.reviews.iter().filter(|review| !pull.reviewers.iter().any(|name| name == review.by));
    let others = others.map(|review| participant(review.by, "PARTICIPANT", Some(review)));
    let mut json = json!({
        "id": pull.number, "version": pull.version, "title": pull.title, "description": pull.body,
        "state": word(pull), "open": pull.state == State::Open, "closed": pull.state != State::Open,
        "draft": pull.draft, "createdDate": pull.created.as_millisecond(),
        "updatedDate": pull.updated.as_millisecond(), "locked": false,
        "fromRef": reference(&pull.source, &pull.head, if pull.fork { 9 } else { 1 }),
        "toRef": reference(&pull.target, &world.git.tip(&pull.target).unwrap_or_default(), 1), "author": participant(pull.by, "AUTHOR", None),
        "reviewers": reviewers.collect::<Vec<_>>(), "participants": others.collect::<Vec<_>>(),
        "links": {"self": [{"href": format!("{url}/projects/SHOP/repos/fleet/pull-requests/{}", pull.number)}]},
    });
    if pull.state != State::Open {
        json["closedDate"] = json!(pull.updated.as_millisecond());
    }
    if let State::Merged { commit, .. } = &pull.state {
        json["properties"] = json!({"mergeCommit": {"id": commit, "displayId": &commit[..11]}});
    }
    json
}
