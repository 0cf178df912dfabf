//! What GitHub shows of what it keeps.

use serde_json::{Value, json};

use super::super::serve::{Call, Reply};
use super::{AT, Hub, Pull};

impl Hub {
    pub(super) fn shown(&self, at: usize, is_whole: bool) -> Value {
        let pull = &self.pulls[at];
        let side = |branch: &str, sha: &str, repo: u64| json!({"label": format!("acme:{branch}"), "ref": branch, "sha": sha, "user": user("acme"), "repo": {"id": repo, "name": "fleet", "full_name": "acme/fleet"}});
        let mut shown = json!({
            "id": 1000 + pull.number, "node_id": format!("PR_{}", pull.number), "number": pull.number, "html_url": format!("{}/acme/fleet/pull/{}", self.url, pull.number),
            "url": format!("{}/api/v3/repos/acme/fleet/pulls/{}", self.url, pull.number), "locked": false, "author_association": "MEMBER",
            "assignees": pull.assignees.iter().map(|name| user(name)).collect::<Vec<_>>(),
            "requested_reviewers": pull.reviewers.iter().map(|name| user(name)).collect::<Vec<_>>(),
            "requested_teams": pull.teams.iter().map(|name| json!({"id": 1, "name": name, "slug": name})).collect::<Vec<_>>(),
            "title": pull.title, "body": Some(&pull.body).filter(|body| !body.is_empty()),
            "state": if pull.open { "open" } else { "closed" }, "draft": pull.draft, "user": user("gradus"),
            "labels": pull.labels.iter().map(|name| label(name)).collect::<Vec<_>>(),
            "created_at": AT, "updated_at": AT, "closed_at": if pull.open { None } else { Some(AT) },
            "merged_at": pull.merged.as_ref().map(|_| AT), "merge_commit_sha": pull.merged.clone().or_else(|| self.trial(pull)),
            "head": side(&pull.head, &pull.sha, if pull.fork { 10 } else { 9 }),
            "base": side(&pull.base, &self.tip(&pull.base).unwrap(), 9),
        });
        if is_whole {
            let (mergeable, state) = match (pull.open && pull.looked, self.tree(pull), self.rule(pull)) {
                (false, _, _) => (None, "unknown"),
                (true, None, _) => (Some(false), "dirty"),
                (true, Some(_), Some(_)) => (Some(true), "blocked"),
                (true, Some(_), None) => (Some(true), "clean"),
            };
            let by = pull.merged.as_ref().map(|_| user("gradus"));
            let whole = json!({"merged": pull.merged.is_some(), "mergeable": mergeable, "mergeable_state": state, "merged_by": by});
            shown.as_object_mut().unwrap().extend(whole.as_object().unwrap().clone());
        }
        shown
    }

    /// While it is open, the merge that GitHub tries it with, and afterwards what was tried last.
    fn trial(&self, pull: &Pull) -> Option<String> {
        let (tree, base) = (self.tree(pull).filter(|_| pull.looked)?, self.tip(&pull.base)?);
        self.git(&["commit-tree", &tree, "-p", &base, "-p", &pull.sha, "-m", "Merge"])
    }

    pub(super) fn status(&mut self, call: &Call, sha: &str, login: &str) -> Reply {
        let of = |member: &str| call.text(member).unwrap_or_default();
        let is_state = ["error", "failure", "pending", "success"].contains(&of("state").as_str());
        if !is_state || of("description").chars().count() > 140 {
            return Reply::invalid(json!({"resource": "Status", "field": "state", "code": "invalid"}));
        }
        let id = self.id();
        let context = call.text("context").unwrap_or_else(|| "default".to_owned());
        let status = json!({
            "id": id, "node_id": format!("SC_{id}"), "state": of("state"), "description": call.body["description"],
            "context": context, "target_url": call.body["target_url"], "creator": user(login), "created_at": AT,
            "updated_at": AT, "avatar_url": null, "url": format!("{}/api/v3/repos/acme/fleet/statuses/{sha}", self.url),
        });
        self.statuses.entry(sha.to_owned()).or_default().push(status.clone());
        Reply::of(201, status)
    }

    /// The newest of each name, and what they come to.
    pub(super) fn combined(&self, sha: &str) -> Reply {
        let mut newest: Vec<&Value> = Vec::new();
        for status in self.statuses.get(sha).into_iter().flatten().rev() {
            if !newest.iter().any(|known| known["context"] == status["context"]) {
                newest.push(status);
            }
        }
        let is = |states: &[&str]| {
            newest.iter().any(|status| states.contains(&status["state"].as_str().unwrap_or_default()))
        };
        let state = if is(&["failure", "error"]) {
            "failure"
        } else if newest.is_empty() || is(&["pending"]) {
            "pending"
        } else {
            "success"
        };
        Reply::of(200, json!({"state": state, "sha": sha, "total_count": newest.len(), "statuses": newest}))
    }
}

pub(in crate::forge::github) fn user(login: &str) -> Value {
    json!({"login": login, "id": 1, "type": "User", "html_url": format!("https://github.com/{login}")})
}

pub(super) fn label(name: &str) -> Value {
    json!({"id": 1, "name": name, "color": "3b7dd8", "default": false, "description": null})
}
