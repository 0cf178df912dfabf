//! Azure DevOps, as the pages below `https://learn.microsoft.com/rest/api/azure/devops/` say.

mod calls;
mod locations;

use serde_json::{Value, json};

use self::calls::CALLS;
use super::call::{Asked, Reply};
use super::git::{Brought, How};
use super::server::{Kind, Who};
use super::world::{Comment, Pull, State, Status, World};

pub(in crate::forge) static AZURE_DEVOPS: Kind = Kind {
    name: "azure-devops",
    calls: CALLS,
    authorization: |who| match who {
        // :pat
        Who::Gradus => "Basic OnBhdA==",
        // :old
        Who::Reader => "Basic Om9sZA==",
        Who::Nobody => "Basic Om5v",
    },
    account: |name| format!("{name}@acme.io"),
    repository: |url| format!("{url}/acme/Web%20Shop/_git/fleet"),
    list_end: "/pullrequests",
    ignored: &[],
    others: locations::CALLS,
    answer,
    // A page to sign in at.
    unknown: || Reply::of(203, json!("<html><title>Azure DevOps Services | Sign In</title></html>")),
    denied: || {
        let words = "TF401027: You need the Git 'PullRequestContribute' permission to perform this action.";
        failure(403, "GitNeedsPermissionException", words)
    },
};

fn failure(status: u16, kind: &str, words: &str) -> Reply {
    let name = format!("Microsoft.TeamFoundation.Git.Server.{kind}, Microsoft.TeamFoundation.Git.Server");
    Reply::of(
        status,
        json!({
            "$id": "1", "innerException": null, "message": words, "typeName": name, "typeKey": kind,
            "errorCode": 0, "eventId": 3000,
        }),
    )
}

const PROJECT: &str = "33333333-0000-4000-8000-000000000001";
const REPOSITORY: &str = "33333333-0000-4000-8000-000000000002";
const FORK: &str = "33333333-0000-4000-8000-000000000009";

fn id(name: &str) -> String {
    let number = match name {
        "ann" => 2,
        "gradus" => 3,
        _ => 4,
    };
    format!("22222222-0000-4000-8000-00000000000{number}")
}

fn user(name: &str) -> Value {
    json!({"id": id(name), "displayName": name, "uniqueName": format!("{name}@acme.io")})
}

fn list(all: &[Value]) -> Reply {
    Reply::ok(json!({"count": all.len(), "value": all}))
}

/// `$top` and `$skip`: it gives as many as are asked for, as long as there are.
fn paged(asked: &Asked, names: [&str; 2], all: &[Value]) -> Reply {
    let [top, skip] = names.map(|name| asked.query(name).and_then(|value| value.parse().ok()));
    let (top, skip) = (top.unwrap_or(100), skip.unwrap_or(0).min(all.len()));
    list(&all[skip..(skip + top).min(all.len())])
}

fn answer(world: &mut World, asked: &Asked) -> Reply {
    let at = world.now();
    if asked.parts[0] != "acme" {
        return failure(404, "HostDoesNotExistException", "There is no such organisation.");
    }
    if let Some(located) = locations::answer(asked) {
        return located;
    }
    // What is released, and what is on its way.
    let version = asked.query("api-version").unwrap_or_default();
    let is_preview = matches!(asked.name, "policy evaluations" | "connection");
    if version != "7.1-preview.1" && version != if is_preview { "7.0-preview.1" } else { "7.0" } {
        let words = "The requested version of the resource is under preview.";
        return failure(400, "VssInvalidPreviewVersionException", words);
    }
    match asked.name {
        "connection" => {
            let account = json!({"$type": "System.String", "$value": "gradus@acme.io"});
            let user = json!({
                "id": id("gradus"), "providerDisplayName": "gradus", "properties": {"Account": account},
            });
            return Reply::ok(json!({"authenticatedUser": user, "deploymentType": "hosted"}));
        }
        "list teams" => {
            let team = |number: u32| json!({"id": format!("t-{number}"), "name": format!("Team {number}")});
            let all: Vec<Value> = (0..101).map(team).collect();
            return paged(asked, ["$top", "$skip"], &all);
        }
        "list members" => {
            let is_last = asked.parts[2] == "t-1";
            let members = [json!({"identity": user("gradus")}), json!({"identity": user("ann")})];
            return paged(asked, ["$top", "$skip"], if is_last { &members } else { &members[..1] });
        }
        "permissions" => {
            let is_it = asked.query("tokens") == Some(&*format!("repoV2/{PROJECT}/{REPOSITORY}"));
            let rights: u32 = asked.parts[2].parse().unwrap();
            return Reply::ok(json!({"count": 1, "value": [is_it && rights & 8192 == 0]}));
        }
        _ => {}
    }
    if asked.parts[1] != "Web Shop" {
        return failure(404, "ProjectDoesNotExistWithNameException", "TF200016: There is no such project.");
    }
    if asked.name == "policy evaluations" {
        return policies(world, asked);
    }
    if asked.parts[2] != "fleet" {
        return failure(404, "GitRepositoryNotFoundException", "TF401019: There is no such repository.");
    }
    let reads = asked.name.starts_with("list") || asked.name.starts_with("one");
    if world.archived && !reads {
        return failure(403, "GitRepositoryDisabledException", "The repository is disabled.");
    }
    match asked.name {
        "one repository" => Reply::ok(json!({
            "id": REPOSITORY, "name": "fleet", "project": {"id": PROJECT, "name": "Web Shop"},
            "defaultBranch": "refs/heads/main", "isDisabled": world.archived,
        })),
        "list refs" => {
            let filter = asked.query("filter").unwrap_or_default();
            let name = filter.strip_prefix("heads/").unwrap_or_default();
            // Everything that begins so.
            let of = |name: &str, tip: &str| json!({"name": format!("refs/heads/{name}"), "objectId": tip});
            let mut found = vec![of(&format!("{name}-too"), &"0".repeat(40))];
            found.extend(world.git.tips(name).iter().map(|(name, tip)| of(name, tip)));
            list(&found)
        }
        "update refs" => {
            let update = &asked.body[0];
            let name = update["name"].as_str().unwrap().strip_prefix("refs/heads/").unwrap();
            let is_same = world.git.tip(name).as_deref() == update["oldObjectId"].as_str();
            let done = is_same && world.git.delete(name);
            let status = if done { "succeeded" } else { "staleOldObjectId" };
            list(&[json!({"name": name, "success": done, "updateStatus": status})])
        }
        "list statuses" => {
            let mut newest: Vec<&Status> = Vec::new();
            for status in world.statuses.get(&asked.parts[3]).into_iter().flatten().rev() {
                if !newest.iter().any(|known| known.name == status.name) {
                    newest.push(status);
                }
            }
            paged(asked, ["top", "skip"], &newest.into_iter().map(mark).collect::<Vec<_>>())
        }
        "create a status" => {
            let of = |name: &str| asked.text(name).unwrap_or_default().to_owned();
            let state = of("/state");
            if !["error", "failed", "notApplicable", "pending", "succeeded"].contains(&&*state) {
                return failure(400, "InvalidArgumentValueException", "no such state");
            }
            let (genre, name, id) = (of("/context/genre"), of("/context/name"), world.id());
            let name = if genre.is_empty() { name } else { format!("{genre}/{name}") };
            let (text, url) = (of("/description"), asked.text("/targetUrl").map(str::to_owned));
            let all = world.statuses.entry(asked.parts[3].clone()).or_default();
            all.push(Status { id, name, state, text, url, at });
            Reply::of(201, mark(all.last().unwrap()))
        }
        "list pull requests" => {
            let of = |name: &str| asked.query(&format!("searchCriteria.{name}")).map(str::to_owned);
            let (source, target) = (of("sourceRefName"), of("targetRefName"));
            let status = of("status").unwrap_or_else(|| "active".to_owned());
            let is = |wanted: &Option<String>, branch: &str| {
                wanted.as_ref().is_none_or(|wanted| *wanted == format!("refs/heads/{branch}"))
            };
            let numbers = world.listed(|pull| {
                is(&source, &pull.source)
                    && is(&target, &pull.target)
                    && (status == "all" || status == word(pull))
            });
            let pulls = world.pulls.iter().rev().filter(|pull| numbers.contains(&pull.number));
            let all: Vec<Value> = pulls
                .map(|pull| {
                    let mut json = shown(world, pull);
                    let text: String = pull.body.chars().take(400).collect();
                    json["description"] = json!(text);
                    json
                })
                .collect();
            paged(asked, ["$top", "$skip"], &all)
        }
        "create a pull request" => {
            let of = |name: &str| asked.text(name).unwrap_or_default().to_owned();
            let branch = |name: &str| of(name).strip_prefix("refs/heads/").unwrap_or_default().to_owned();
            let (source, target) = (branch("/sourceRefName"), branch("/targetRefName"));
            if world.git.tip(&source).is_none() {
                let words = "TF401398: The pull request cannot be activated because the source branch no longer exists.";
                return failure(409, "GitPullRequestStaleException", words);
            }
            if world.open_one(&source, &target).is_some() {
                let words =
                    "TF401179: An active pull request for the source and target branch already exists.";
                return failure(409, "GitPullRequestExistsException", words);
            }
            let pull = world.open(&source, &target, &of("/title"), &of("/description"));
            pull.draft = asked.body.get("isDraft") == Some(&Value::Bool(true));
            let number = pull.number;
            world.say(number, "gradus", "gradus joined as a reviewer", true);
            Reply::of(201, shown(world, world.pulls.last().unwrap()))
        }
        _ => one(world, asked),
    }
}

fn policies(world: &mut World, asked: &Asked) -> Reply {
    let artifact = asked.query("artifactId").unwrap_or_default();
    let number = artifact.strip_prefix("vstfs:///CodeReview/CodeReviewId/").unwrap_or_default();
    let number = number.strip_prefix(PROJECT).and_then(|rest| rest.strip_prefix('/')).unwrap_or_default();
    let approved = world.approved(number.parse().unwrap());
    let policy = |name: &str, blocks: bool, settings: Value, status: &str| {
        json!({
            "status": status, "configuration": {
                "isEnabled": true, "isBlocking": blocks, "settings": settings,
                "type": {"id": "x", "displayName": name},
            },
        })
    };
    list(&[
        policy(
            "Minimum number of reviewers",
            true,
            json!({"minimumApproverCount": 1}),
            if approved { "approved" } else { "queued" },
        ),
        policy("Work item linking", false, json!({}), "rejected"),
        policy("Build", true, json!({"displayName": "ci"}), "approved"),
    ])
}

fn one(world: &mut World, asked: &Asked) -> Reply {
    let number = asked.number(3);
    let Some(pull) = world.pull(number) else {
        let words = "TF401180: The requested pull request was not found.";
        return failure(404, "GitPullRequestNotFoundException", words);
    };
    match asked.name {
        "one pull request" => world.thinking = world.thinking.saturating_sub(1),
        "update a pull request" => {
            let of = |name: &str| asked.text(name).map(str::to_owned);
            match of("/status").as_deref() {
                None => {
                    if of("/description").is_some_and(|text| text.chars().count() > 4000) {
                        let words = "The description is too long.";
                        return failure(400, "InvalidArgumentValueException", words);
                    }
                    pull.title = of("/title").unwrap_or(std::mem::take(&mut pull.title));
                    pull.body = of("/description").unwrap_or(std::mem::take(&mut pull.body));
                    world.touch(number);
                }
                Some("abandoned") if pull.state == State::Open => {
                    pull.state = State::Closed { by: "gradus" };
                    world.touch(number);
                }
                Some("completed") if pull.state == State::Open => {
                    if let Some(refused) = complete(world, asked, number) {
                        return refused;
                    }
                }
                Some(_) => {
                    let words = "TF401181: The pull request cannot be edited due to its state.";
                    return failure(403, "GitPullRequestNotEditableException", words);
                }
            }
        }
        "list reviewers" => return list(&reviewers(pull)),
        "add a reviewer" => {
            let name = ["ann", "gradus", "eve"].into_iter().find(|name| id(name) == asked.parts[4]);
            let Some(name) = name else {
                return failure(404, "GitIdentityNotFoundException", "There is no such identity.");
            };
            assert_eq!(asked.body["vote"], 0, "nobody votes for another");
            // What was voted is taken back.
            pull.reviews.retain(|review| review.by != name);
            if !pull.reviewers.iter().any(|known| known == name) {
                pull.reviewers.push(name.to_owned());
            }
            return Reply::ok(user(name));
        }
        "list threads" => return list(&pull.comments.iter().map(thread).collect::<Vec<_>>()),
        "create a thread" => {
            let text = asked.text("/comments/0/content").unwrap();
            world.say(number, "gradus", text, false);
            return Reply::ok(thread(world.pull(number).unwrap().comments.last().unwrap()));
        }
        "change a comment" => {
            let id = asked.number(4);
            let Some(known) = pull.comments.iter_mut().find(|comment| comment.id == id) else {
                return failure(404, "DiscussionThreadNotFoundException", "There is no such thread.");
            };
            known.text = asked.text("/content").unwrap().to_owned();
            return Reply::ok(json!({"id": 1, "content": known.text}));
        }
        "list labels" => return list(&pull.labels.iter().map(|name| tag(name)).collect::<Vec<_>>()),
        "add a label" => {
            pull.labels.push(asked.text("/name").unwrap().to_owned());
            return Reply::ok(tag(asked.text("/name").unwrap()));
        }
        "remove a label" => {
            pull.labels.retain(|name| tag(name)["id"] != asked.parts[4]);
            return Reply::of(200, Value::Null);
        }
        other => panic!("{other}"),
    }
    let pull = world.pulls.iter().find(|pull| pull.number == number).unwrap();
    let mut json = shown(world, pull);
    // Of one that is open, what was tried. It costs a commit, so that lists are spared it.
    if pull.state == State::Open && json["mergeStatus"] == "succeeded" {
        json["lastMergeTargetCommit"] = json!({"commitId": world.git.tip(&pull.target)});
        json["lastMergeCommit"] = json!({"commitId": world.git.trial(&pull.head, &pull.target)});
    }
    Reply::ok(json)
}

/// Who was asked, and who said something without that.
fn reviewers(pull: &Pull) -> Vec<Value> {
    let vote = |name: &str| {
        let review = pull.reviews.iter().rev().find(|review| review.by == name);
        review.map_or(0, |review| if review.approved { 10 } else { -10 })
    };
    let of = |name: &str| {
        let mut json = user(name);
        json["vote"] = json!(vote(name));
        json
    };
    let others = pull.reviews.iter().filter(|review| !pull.reviewers.iter().any(|name| name == review.by));
    pull.reviewers.iter().map(|name| of(name)).chain(others.map(|review| of(review.by))).collect()
}

fn tag(name: &str) -> Value {
    let number = name.bytes().fold(7_u64, |number, byte| number * 31 % 0xffff_ffff + u64::from(byte));
    json!({"id": format!("44444444-0000-4000-8000-{number:012x}"), "name": name, "active": true})
}

fn mark(status: &Status) -> Value {
    let (genre, name) = status.name.rsplit_once('/').unwrap_or(("", &status.name));
    json!({
        "id": status.id, "state": status.state, "description": status.text, "targetUrl": status.url,
        "context": {"name": name, "genre": genre}, "creationDate": status.at.to_string(),
        "updatedDate": status.at.to_string(), "createdBy": user("gradus"),
    })
}

fn thread(comment: &Comment) -> Value {
    let kind = if comment.system { "system" } else { "text" };
    let one = json!({
        "id": 1, "parentCommentId": 0, "author": user(comment.by), "content": comment.text, "commentType": kind,
        "publishedDate": comment.at.to_string(),
    });
    json!({"id": comment.id, "comments": [one], "threadContext": null, "isDeleted": false})
}

/// It takes the order, if the branch is where it is said to be, and does it after.
fn complete(world: &mut World, asked: &Asked, number: u64) -> Option<Reply> {
    let approved = world.approved(number);
    let pull = world.pull(number).unwrap();
    let (head, target) = (pull.head.clone(), pull.target.clone());
    if asked.text("/lastMergeSourceCommit/commitId") != Some(head.as_str()) {
        let words = "TF401192: The source branch has been modified since the last merge attempt.";
        return Some(failure(409, "GitPullRequestStaleException", words));
    }
    if !approved {
        let words = "The pull request cannot be completed because required policies are not satisfied.";
        return Some(failure(403, "GitPullRequestUpdateRejectedByPolicyException", words));
    }
    let how = match asked.text("/completionOptions/mergeStrategy") {
        None | Some("noFastForward") => How::Merge,
        Some("squash") => How::Squash,
        Some("rebase") => How::Rebase,
        Some(_) => return Some(failure(400, "InvalidArgumentValueException", "no such strategy")),
    };
    let message = asked.text("/completionOptions/mergeCommitMessage").unwrap_or("Merged PR");
    match world.git.merge(&head, &target, how, message) {
        Brought::By(commit) => world.pull(number).unwrap().state = State::Merged { commit, by: "gradus" },
        // That shows in how the merge stands.
        Brought::Conflict | Brought::Behind => {}
    }
    world.touch(number);
    None
}

fn word(pull: &Pull) -> &'static str {
    match pull.state {
        State::Open => "active",
        State::Merged { .. } => "completed",
        State::Closed { .. } => "abandoned",
    }
}

fn shown(world: &World, pull: &Pull) -> Value {
    let is_queued = world.thinking > 0 && !matches!(pull.state, State::Closed { .. });
    let merge_status = if is_queued {
        "queued"
    } else if pull.state == State::Open && world.git.conflicts(&pull.head, &pull.target) {
        "conflicts"
    } else {
        "succeeded"
    };
    let mut json = json!({
        "pullRequestId": pull.number, "codeReviewId": pull.number, "title": pull.title,
        "description": pull.body, "status": if is_queued { "active" } else { word(pull) },
        "isDraft": pull.draft, "createdBy": user(pull.by), "creationDate": pull.created.to_string(),
        "sourceRefName": format!("refs/heads/{}", pull.source),
        "targetRefName": format!("refs/heads/{}", pull.target), "mergeStatus": merge_status,
        "lastMergeSourceCommit": {"commitId": pull.head}, "reviewers": reviewers(pull),
        "repository": {"id": REPOSITORY, "name": "fleet", "project": {"id": PROJECT, "name": "Web Shop"}},
    });
    if !pull.labels.is_empty() {
        json["labels"] = json!(pull.labels.iter().map(|name| tag(name)).collect::<Vec<_>>());
    }
    if pull.fork {
        json["forkSource"] = json!({"name": "refs/heads/x", "repository": {"id": FORK}});
    }
    let by = match &pull.state {
        State::Open => return json,
        _ if is_queued => return json,
        State::Merged { commit, by } => {
            json["lastMergeCommit"] = json!({"commitId": commit});
            by
        }
        State::Closed { by } => by,
    };
    json["closedBy"] = user(by);
    json["closedDate"] = json!(pull.updated.to_string());
    json
}
