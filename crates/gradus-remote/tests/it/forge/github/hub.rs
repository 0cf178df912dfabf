//! What GitHub keeps of one repository, `acme/fleet`, on a real one of Git; the calls, their parameters and what they
//! answer are those of its OpenAPI description.

mod app;
mod shown;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

pub(super) use self::app::App;
use self::shown::label;
pub(super) use self::shown::user;
use super::serve::{Call, Reply};
use super::tells::Rules;
use super::{dispatch, people};

pub(super) struct Hub {
    repo: PathBuf,
    pub(super) url: String,
    pub(super) pulls: Vec<Pull>,
    pub(super) labels: Vec<String>,
    pub(super) statuses: BTreeMap<String, Vec<Value>>,
    pub(super) runs: Vec<Value>,
    /// The deployments: which commit is where, and how it went, the newest last.
    pub(super) deployments: Vec<(String, String, Vec<String>)>,
    /// The events that were dispatched: their types, and what was told with them.
    pub(super) dispatched: Vec<(String, Value)>,
    pub(super) archived: bool,
    /// What the base branch asks for: so many approvals, and this status.
    pub(super) approvals: usize,
    pub(super) required: Option<&'static str>,
    /// Whether the base branch takes only what comes through its queue.
    pub(super) has_queue: bool,
    /// So many lists do not have what was opened just now.
    pub(super) lag: usize,
    pub(super) app: Option<App>,
    pub(super) rules: Rules,
    /// Calls that the description does not have.
    pub(super) wrong: Vec<String>,
    ids: u64,
}

pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) head: String,
    pub(super) base: String,
    pub(super) fork: bool,
    pub(super) open: bool,
    draft: bool,
    sha: String,
    merged: Option<String>,
    closed_by: Option<String>,
    hidden: usize,
    looked: bool,
    pub(super) labels: Vec<String>,
    pub(super) assignees: Vec<String>,
    pub(super) milestone: Option<u64>,
    /// The order to merge it later, with its mutation.
    pub(super) ordered: Option<Value>,
    pub(super) reviewers: Vec<String>,
    pub(super) teams: Vec<String>,
    pub(super) reviews: Vec<Value>,
    pub(super) comments: Vec<Value>,
}

/// Who asks.
struct Who {
    login: String,
    scopes: Option<&'static str>,
    writes: bool,
}

const AT: &str = "2026-05-01T10:00:00Z";

/// The members of a body: what there is, and how many of the first there must be.
const BODIES: [(&str, &str, &[&str], usize); 12] = [
    ("POST", "pulls", &["head", "base", "title", "body", "draft"], 2),
    ("PATCH", "pulls/{}", &["title", "body", "state", "base"], 0),
    ("PUT", "pulls/{}/merge", &["commit_title", "commit_message", "sha", "merge_method"], 0),
    ("POST", "pulls/{}/requested_reviewers", &["reviewers", "team_reviewers"], 0),
    ("POST", "issues/{}/comments", &["body"], 1),
    ("PATCH", "issues/comments/{}", &["body"], 1),
    ("PUT", "issues/{}/labels", &["labels"], 0),
    ("POST", "labels", &["name", "color", "description"], 1),
    ("PATCH", "issues/{}", &["title", "body", "state", "labels", "assignees", "milestone"], 0),
    // `repos/create-dispatch-event`: `/repos/repos#create-a-repository-dispatch-event`.
    ("POST", "dispatches", &["event_type", "client_payload"], 1),
    ("POST", "deployments", &["ref", "environment", "description", "auto_merge", "required_contexts"], 1),
    ("POST", "deployments/{}/statuses", &["state", "description", "log_url", "environment_url"], 1),
];

impl Hub {
    pub(super) fn new(repo: PathBuf, url: String) -> Self {
        Self {
            repo,
            url,
            pulls: Vec::new(),
            labels: vec!["bug".to_owned(), "chore".to_owned(), "docs".to_owned()],
            statuses: BTreeMap::new(),
            runs: Vec::new(),
            deployments: Vec::new(),
            dispatched: Vec::new(),
            archived: false,
            approvals: 0,
            required: None,
            has_queue: false,
            lag: 0,
            app: None,
            rules: Rules::default(),
            wrong: Vec::new(),
            ids: 100,
        }
    }

    fn git(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(&self.repo)
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("GIT_CONFIG_NOSYSTEM", "1");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "GitHub")
                .env(format!("GIT_{role}_EMAIL"), "noreply@github.com")
                .env(format!("GIT_{role}_DATE"), "1800000000 +0000");
        }
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
    }

    pub(super) fn tip(&self, branch: &str) -> Option<String> {
        self.git(&["rev-parse", "-q", "--verify", &format!("refs/heads/{branch}")])
    }

    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// Where branches are, as GitHub knows after each push.
    fn look(&mut self) {
        for at in 0..self.pulls.len() {
            let pull = &self.pulls[at];
            if pull.open
                && !pull.fork
                && let Some(tip) = self.tip(&pull.head)
            {
                self.pulls[at].looked &= self.pulls[at].sha == tip;
                self.pulls[at].sha = tip;
            }
        }
    }

    pub(super) fn open(&mut self, head: &str, base: &str, title: &str, body: &str, fork: bool) -> u64 {
        let number = self.pulls.len() as u64 + 1;
        self.pulls.push(Pull {
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            head: head.to_owned(),
            base: base.to_owned(),
            fork,
            open: true,
            draft: false,
            sha: self.tip(head).or_else(|| self.tip(base)).unwrap(),
            merged: None,
            closed_by: None,
            hidden: self.lag,
            looked: false,
            labels: Vec::new(),
            assignees: Vec::new(),
            milestone: None,
            ordered: None,
            reviewers: Vec::new(),
            teams: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
        });
        number
    }

    /// Ann reviews what is there.
    pub(super) fn review(&mut self, number: u64, state: &str) {
        self.look();
        let id = self.id();
        let pull = &mut self.pulls[number as usize - 1];
        let mut review = json!({
            "id": id, "user": user("ann"), "body": "", "state": state, "commit_id": pull.sha,
            "html_url": "https://x", "submitted_at": AT, "author_association": "OWNER",
        });
        if state == "PENDING" {
            review.as_object_mut().unwrap().remove("submitted_at");
        }
        pull.reviews.push(review);
    }

    fn who(&self, token: &str) -> Option<Who> {
        let is_of_app = self.app.as_ref().is_some_and(|app| app.tokens.iter().any(|known| known == token));
        match token {
            "ghp_gradus" => {
                Some(Who { login: "gradus".to_owned(), scopes: Some("repo, workflow"), writes: true })
            }
            "ghp_gist" => Some(Who { login: "gradus".to_owned(), scopes: Some("gist"), writes: false }),
            "github_pat_read" => Some(Who { login: "gradus".to_owned(), scopes: None, writes: false }),
            _ if is_of_app => Some(Who { login: "gradus[bot]".to_owned(), scopes: None, writes: true }),
            _ => None,
        }
    }

    pub(super) fn answer(&mut self, call: &Call) -> Reply {
        let parts: Vec<&str> = call.parts.iter().map(String::as_str).collect();
        match (call.method.as_str(), parts.as_slice()) {
            ("GET", ["repos", "acme", "fleet", "installation"]) => {
                return match self.signed(&call.token) {
                    true => Reply::of(200, json!({"id": 42, "app_id": 7, "app_slug": "gradus"})),
                    false => Reply::says(401, "A JSON web token could not be decoded"),
                };
            }
            ("POST", ["app", "installations", "42", "access_tokens"]) => return self.token(&call.token),
            (_, _) => {}
        }
        let Some(who) = self.who(&call.token) else { return Reply::says(401, "Bad credentials") };
        if let ("GET", ["user"]) = (call.method.as_str(), parts.as_slice()) {
            if who.login.ends_with("[bot]") {
                return Reply::says(403, "Resource not accessible by integration");
            }
            let reply = Reply::of(200, user(&who.login));
            return match who.scopes {
                Some(scopes) => reply.with("x-oauth-scopes", scopes),
                None => reply,
            };
        }
        let told = people::answer(&call.method, parts.as_slice()).or_else(|| self.tells(call, &parts));
        if let Some(reply) = told {
            return reply;
        }
        if let ("POST", ["graphql"]) = (call.method.as_str(), parts.as_slice()) {
            return self.mutate(call);
        }
        let ["repos", "acme", "fleet", below @ ..] = parts.as_slice() else {
            self.wrong.push(format!("{} {:?}", call.method, parts));
            return Reply::says(404, "Not Found");
        };
        let is_empty = call.body == json!({});
        if !is_empty {
            self.check(call, below);
        }
        if call.method != "GET" {
            match who.scopes {
                // Who may not see a private repository is not told of it.
                Some(scopes) if !who.writes => {
                    let reply = Reply::says(404, "Not Found");
                    return reply.with("x-oauth-scopes", scopes).with("x-accepted-oauth-scopes", "repo");
                }
                None if !who.writes => {
                    let reply = Reply::says(403, "Resource not accessible by personal access token");
                    let lacks =
                        if below == ["dispatches"] { "contents=write" } else { "pull_requests=write" };
                    return reply.with("x-accepted-github-permissions", lacks);
                }
                Some(_) | None => {}
            }
            if self.archived {
                let reply = Reply::says(403, "Repository was archived so is read-only.");
                return reply.with("x-accepted-github-permissions", "pull_requests=write");
            }
        }
        if is_empty {
            return Reply::says(422, "Invalid request.\n\n\"base\", \"head\" weren't supplied.");
        }
        self.look();
        self.below(call, below, &who.login)
    }

    /// Takes note of a body with a member that there is none of, or without one that there must be.
    fn check(&mut self, call: &Call, below: &[&str]) {
        let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let path: Vec<&str> = below.iter().map(|part| if is_number(part) { "{}" } else { *part }).collect();
        let path = path.join("/");
        let Some((_, _, members, needed)) =
            BODIES.iter().find(|(method, known, ..)| call.method == *method && path == *known)
        else {
            return;
        };
        let Some(body) = call.body.as_object() else {
            if path != "issues/{}/labels" {
                self.wrong.push(format!("{} {path}: no object", call.method));
            }
            return;
        };
        let mut faults: Vec<String> =
            body.keys().filter(|name| !members.contains(&name.as_str())).cloned().collect();
        faults.extend(
            members[..*needed]
                .iter()
                .filter(|name| !body.contains_key(**name))
                .map(|name| format!("no {name}")),
        );
        if !faults.is_empty() {
            self.wrong.push(format!("{} {path}: {faults:?}", call.method));
        }
    }

    fn below(&mut self, call: &Call, below: &[&str], login: &str) -> Reply {
        let number = |part: &str| part.parse::<usize>().unwrap_or(0);
        let at = match below {
            ["pulls" | "issues", number_of, ..] if *number_of != "comments" => {
                let at = number(number_of);
                if at == 0 || at > self.pulls.len() {
                    return Reply::says(404, "Not Found");
                }
                at - 1
            }
            _ => 0,
        };
        match (call.method.as_str(), below) {
            ("GET", []) => Reply::of(
                200,
                json!({
                    "id": 9, "name": "fleet", "full_name": "acme/fleet", "owner": user("acme"), "private": true,
                    "html_url": format!("{}/acme/fleet", self.url), "archived": self.archived, "default_branch": "main",
                    "permissions": {"admin": false, "maintain": false, "push": true, "triage": true, "pull": true},
                    "allow_merge_commit": true, "allow_squash_merge": true, "allow_rebase_merge": true,
                }),
            ),
            ("GET", ["pulls"]) => self.list(call),
            ("POST", ["pulls"]) => self.create(call),
            ("GET", ["pulls", _]) => {
                let shown = self.shown(at, true);
                self.pulls[at].looked = true;
                Reply::of(200, shown)
            }
            ("PATCH", ["pulls", _]) => {
                let pull = &mut self.pulls[at];
                pull.title = call.text("title").unwrap_or(pull.title.clone());
                pull.body = call.text("body").unwrap_or(pull.body.clone());
                pull.base = call.text("base").unwrap_or(pull.base.clone());
                if call.text("state").as_deref() == Some("closed") && pull.open {
                    (pull.open, pull.closed_by) = (false, Some(login.to_owned()));
                }
                Reply::of(200, self.shown(at, true))
            }
            ("PUT", ["pulls", _, "merge"]) => self.merge(call, at),
            ("GET", ["pulls", _, "reviews"]) => Reply::of(200, Value::Array(self.pulls[at].reviews.clone())),
            ("POST", ["pulls", _, "requested_reviewers"]) => {
                if call.names("reviewers").iter().any(|name| name != "ann") {
                    let words = "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the acme/fleet repository.";
                    return Reply::says(422, words);
                }
                let pull = &mut self.pulls[at];
                (pull.reviewers, pull.teams) = (call.names("reviewers"), call.names("team_reviewers"));
                Reply::of(201, self.shown(at, false))
            }
            ("DELETE", ["git", "refs", "heads", branch @ ..]) => {
                let branch = branch.join("/");
                if self.tip(&branch).is_none() {
                    return Reply::says(422, "Reference does not exist");
                }
                self.git(&["update-ref", "-d", &format!("refs/heads/{branch}")]).unwrap();
                Reply::of(204, Value::Null)
            }
            ("GET", ["commits", sha, "status"]) => self.combined(sha),
            ("GET", ["commits", _, "check-runs"]) => {
                Reply::of(200, json!({"total_count": self.runs.len(), "check_runs": self.runs}))
            }
            ("POST", ["statuses", sha]) => self.status(call, sha, login),
            ("GET", ["issues", _]) => {
                let closed_by = self.pulls[at].closed_by.as_deref().map(user);
                Reply::of(
                    200,
                    json!({"id": at, "number": at + 1, "closed_by": closed_by, "pull_request": {}}),
                )
            }
            ("PATCH", ["issues", "comments", id]) => {
                let id: u64 = id.parse().unwrap();
                let mut comments = self.pulls.iter_mut().flat_map(|pull| &mut pull.comments);
                let Some(comment) = comments.find(|comment| comment["id"] == id) else {
                    return Reply::says(404, "Not Found");
                };
                comment["body"] = call.body["body"].clone();
                Reply::of(200, comment.clone())
            }
            ("PATCH", ["issues", _]) => {
                if call.body.get("assignees").is_some() {
                    self.pulls[at].assignees = call.names("assignees");
                }
                self.pulls[at].milestone = call.body["milestone"].as_u64().or(self.pulls[at].milestone);
                Reply::of(200, json!({"number": at + 1}))
            }
            ("GET", ["issues", _, "comments"]) => {
                Reply::of(200, Value::Array(self.pulls[at].comments.clone()))
            }
            ("POST", ["issues", _, "comments"]) => {
                let id = self.id();
                let page = format!("{}/acme/fleet/pull/{}#issuecomment-{id}", self.url, at + 1);
                let comment = json!({
                    "id": id, "user": user(login), "body": call.body["body"], "created_at": AT,
                    "updated_at": AT, "html_url": page, "author_association": "MEMBER",
                });
                self.pulls[at].comments.push(comment.clone());
                Reply::of(201, comment)
            }
            ("GET", ["milestones"]) => {
                Reply::of(200, json!([{"id": 901, "number": 3, "title": "1.2", "state": "open"}]))
            }
            ("POST", ["dispatches"]) => dispatch::answer(self, call),
            ("GET", ["deployments"]) => {
                let is_it = |one: &&(String, String, Vec<String>)| {
                    one.0 == call.query("sha") && one.1 == call.query("environment")
                };
                let at = self.deployments.iter().rposition(|one| is_it(&one));
                Reply::of(200, at.into_iter().map(|at| json!({"id": at + 1})).collect())
            }
            ("POST", ["deployments"]) => {
                let of = |member: &str| call.text(member).unwrap_or_default();
                self.deployments.push((of("ref"), of("environment"), Vec::new()));
                Reply::of(201, json!({"id": self.deployments.len()}))
            }
            (method, ["deployments", id, "statuses"]) => {
                let (_, _, states) = &mut self.deployments[number(id) - 1];
                if method == "POST" {
                    states.push(call.text("state").unwrap());
                    return Reply::of(201, json!({"id": 1}));
                }
                Reply::of(200, states.iter().rev().map(|state| json!({"state": state})).collect())
            }
            ("GET", ["labels"]) => Reply::of(200, self.labels.iter().map(|name| label(name)).collect()),
            ("POST", ["labels"]) => {
                let name = call.text("name").unwrap();
                if self.labels.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                    return Reply::invalid(
                        json!({"resource": "Label", "code": "already_exists", "field": "name"}),
                    );
                }
                self.labels.push(name.clone());
                Reply::of(201, label(&name))
            }
            ("PUT", ["issues", _, "labels"]) => {
                // With or without a name for the list.
                self.pulls[at].labels = match call.body.as_array() {
                    Some(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
                    None => call.names("labels"),
                };
                Reply::of(200, self.pulls[at].labels.iter().map(|name| label(name)).collect())
            }
            (method, _) => {
                self.wrong.push(format!("{method} {below:?}"));
                Reply::says(404, "Not Found")
            }
        }
    }

    fn list(&mut self, call: &Call) -> Reply {
        let (head, base, state) = (call.query("head"), call.query("base"), call.query("state"));
        let mut found = Vec::new();
        for at in 0..self.pulls.len() {
            let pull = &mut self.pulls[at];
            // A fork of the same owner is found by this filter, too.
            let is_of = head.is_empty() || head.split_once(':') == Some(("acme", pull.head.as_str()));
            let is_to = base.is_empty() || pull.base == base;
            let is_so = state == "all" || pull.open == (state != "closed");
            if !(is_of && is_to && is_so) {
                continue;
            }
            match pull.hidden {
                0 => found.push(self.shown(at, false)),
                _ => pull.hidden -= 1,
            }
        }
        if call.query("direction") != "asc" {
            found.reverse();
        }
        Reply::of(200, Value::Array(found))
    }

    fn create(&mut self, call: &Call) -> Reply {
        let of = |member: &str| call.text(member).unwrap_or_default();
        let (head, base) = (of("head"), of("base"));
        let (Some(head_tip), Some(base_tip)) = (self.tip(&head), self.tip(&base)) else {
            let field = if self.tip(&head).is_none() { "head" } else { "base" };
            return Reply::invalid(json!({"resource": "PullRequest", "field": field, "code": "invalid"}));
        };
        let custom = |words: String| {
            Reply::invalid(json!({"resource": "PullRequest", "code": "custom", "message": words}))
        };
        let is_open = |pull: &Pull| pull.open && !pull.fork && pull.head == head && pull.base == base;
        if self.pulls.iter().any(is_open) {
            return custom(format!("A pull request already exists for acme:{head}."));
        }
        if self.git(&["merge-base", "--is-ancestor", &head_tip, &base_tip]).is_some() {
            return custom(format!("No commits between {base} and {head}"));
        }
        let number = self.open(&head, &base, &of("title"), &of("body"), false);
        let at = number as usize - 1;
        self.pulls[at].draft = call.body["draft"] == true;
        Reply::of(201, self.shown(at, true))
    }

    /// Why the rules of the base branch do not allow it.
    fn rule(&self, pull: &Pull) -> Option<String> {
        if let Some(required) = self.required {
            let has = self.statuses.get(&pull.sha).into_iter().flatten();
            let mut has = has.filter(|status| status["context"] == required && status["state"] == "success");
            if has.next().is_none() {
                return Some(format!("Required status check \"{required}\" is expected."));
            }
        }
        let approved = pull.reviews.iter().filter(|review| review["state"] == "APPROVED").count();
        let words = "At least 1 approving review is required by reviewers with write access.";
        (approved < self.approvals).then(|| words.to_owned())
    }

    fn tree(&self, pull: &Pull) -> Option<String> {
        self.git(&["merge-tree", "--write-tree", &self.tip(&pull.base).unwrap(), &pull.sha])
    }

    /// The two mutations that order a merge.
    fn mutate(&mut self, call: &Call) -> Reply {
        let (query, input) = (call.text("query").unwrap(), call.body["variables"]["input"].clone());
        let at = (0..self.pulls.len()).find(|at| input["pullRequestId"] == format!("PR_{}", at + 1)).unwrap();
        let refused = |message: &str| {
            let error = json!({"type": "UNPROCESSABLE", "message": message});
            Reply::of(200, json!({"data": null, "errors": [error]}))
        };
        if input["expectedHeadOid"] != self.pulls[at].sha.as_str() {
            return refused("Head sha didn't match expected head");
        }
        let is_enable = query.contains("enablePullRequestAutoMerge(");
        if !is_enable && !query.contains("enqueuePullRequest(") {
            self.wrong.push(query);
        } else if is_enable && self.rule(&self.pulls[at]).is_none() {
            return refused("Pull request Pull request is in clean status");
        }
        self.pulls[at].ordered = Some(input);
        Reply::of(200, json!({"data": {}}))
    }

    fn merge(&mut self, call: &Call, at: usize) -> Reply {
        let pull = &self.pulls[at];
        if call.text("sha").is_some_and(|sha| sha != pull.sha) {
            return Reply::says(409, "Head branch was modified. Review and try the merge again.");
        }
        let tree = self.tree(pull);
        let (true, true, Some(tree)) = (pull.open, pull.looked, tree) else {
            return Reply::says(405, "Pull Request is not mergeable");
        };
        if self.has_queue {
            return Reply::says(
                405,
                "Repository rule violations found\n\nChanges must be made through the merge queue",
            );
        }
        if let Some(words) = self.rule(pull) {
            return Reply::says(405, &words);
        }
        let base = self.tip(&pull.base).unwrap();
        let text = |member: &str| call.text(member).unwrap_or_default();
        let message = format!("{}\n\n{}", text("commit_title"), text("commit_message"));
        let mut arguments = vec!["commit-tree", &tree, "-p", &base];
        if matches!(&*text("merge_method"), "" | "merge") {
            arguments.extend(["-p", &pull.sha]);
        }
        arguments.extend(["-m", &message]);
        let made = self.git(&arguments).unwrap();
        self.git(&["update-ref", &format!("refs/heads/{}", pull.base), &made, &base]).unwrap();
        let pull = &mut self.pulls[at];
        (pull.open, pull.merged) = (false, Some(made.clone()));
        Reply::of(200, json!({"sha": made, "merged": true, "message": "Pull Request successfully merged"}))
    }
}
