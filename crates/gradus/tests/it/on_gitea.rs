//! Proposals in a real forge, looked after by the program.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gradus_remote::http::{Ask, HttpClient, Tls};
use gradus_testbed::{Gitea, GiteaUser};
use serde_json::{Value, json};

use crate::world::World;

struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn file(environment: &str, version: &str) -> String {
    format!("version: {version} # {{\"$promotion\": \"apps:web:{environment}\"}}\n")
}

/// The pull requests, by base, head, state and title.
async fn pulls(gitea: &Gitea, ann: &GiteaUser, path: &str) -> Vec<String> {
    let pulls =
        gitea.done(&ann.token, "GET", &format!("{path}/pulls?state=all&sort=oldest"), None).await.unwrap();
    let line = |pull: &Value| {
        let state = if pull["merged"] == true { "merged" } else { pull["state"].as_str().unwrap() };
        format!(
            "{} {state} {}: {}",
            pull["number"],
            pull["head"]["label"].as_str().unwrap(),
            pull["title"].as_str().unwrap()
        )
    };
    pulls.as_array().unwrap().iter().map(line).collect()
}

/// The text of a proposal, as its page shows it to everybody.
async fn rendered(url: &str) -> String {
    let http = HttpClient::new(&Tls::default()).unwrap();
    let ask = Ask { limit: 8 * 1024 * 1024, ..Ask::default() };
    let answer = http.get(url, &ask).await.unwrap();
    assert_eq!(answer.status, 200, "{url}");
    let page = String::from_utf8(answer.bytes.to_vec()).unwrap();
    // Behind it stands its source, for who wants to change it.
    let (_, rest) = page.split_once("render-content markup").unwrap();
    rest.split_once("raw-content").unwrap().0.to_owned()
}

/// Asks until it is so.
pub(crate) async fn until(what: &str, mut ask: impl AsyncFnMut() -> Result<(), String>) {
    let begun = Instant::now();
    while let Err(so) = ask().await {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what} never came: {so}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A repository of Ann's that gradus looks after, and what looks after it.
pub(crate) struct Fleet {
    pub(crate) gitea: &'static Gitea,
    pub(crate) ann: GiteaUser,
    /// What is called below its repository.
    pub(crate) path: String,
    pub(crate) world: World,
    /// Where gradus answers.
    pub(crate) answers: String,
    _serving: Serving,
}

impl Fleet {
    /// With 1.1.0 in `dev` and 1.0.0 after it, a folder of manifests, and a gradus on it.
    pub(crate) async fn new(environments: &str, more: &[&str]) -> Self {
        let gitea = Gitea::shared().await.unwrap();
        let (ann, bot) = (gitea.user("ann").await.unwrap(), gitea.user("gradus").await.unwrap());
        let files = [("dev", "1.1.0"), ("staging", "1.0.0"), ("prod", "1.0.0")];
        let files = files.map(|(name, version)| (format!("{name}.yaml"), file(name, version)));
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let name = gitea.repository(&ann, "fleet", &files).await.unwrap();
        let path = format!("/repos/{}/{name}", ann.name);
        let may = Some(json!({"permission": "write"}));
        gitea.done(&ann.token, "PUT", &format!("{path}/collaborators/{}", bot.name), may).await.unwrap();
        let world = World::empty();
        let manifest = format!(
            "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {{name: web, namespace: apps}}
spec:
  repository: {{url: {}/{}/{name}.git, branch: main, forge: gitea, secretRef: {{name: git}}}}
  environments:
{environments}",
            gitea.url(),
            ann.name
        );
        world.write("pipelines/web.yaml", &manifest);
        world.write("secrets/apps/git/username", &bot.name);
        let scopes = ["write:repository", "write:issue", "read:user", "read:organization"];
        let token = gitea.token(&bot.name, &bot.password, &scopes).await.unwrap();
        world.write("secrets/apps/git/password", &token);
        world.write("hook-key", "only for tests\n");
        let mut child = world
            .gradus()
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0", "--secrets", "secrets"])
            .args(more)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let serving = Serving(child);
        let mut said = Vec::new();
        let answers = lines.find_map(|line| {
            let address = line.split_once("gradus answers on ").map(|(_, address)| address.to_owned());
            said.push(line);
            address
        });
        assert!(answers.is_some(), "it does not answer: {said:?}");
        let answers = answers.unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { gitea, ann, path, world, answers, _serving: serving }
    }

    /// What somebody calls below the repository.
    pub(crate) async fn call(&self, who: &GiteaUser, method: &str, path: &str, body: Value) -> Value {
        let body = Some(body).filter(|body| !body.is_null());
        self.gitea.done(&who.token, method, &format!("{}{path}", self.path), body).await.unwrap()
    }

    /// A new account with a right to the repository.
    pub(crate) async fn person(&self, hint: &str, permission: &str) -> GiteaUser {
        let user = self.gitea.user(hint).await.unwrap();
        let may = json!({"permission": permission});
        self.call(&self.ann, "PUT", &format!("/collaborators/{}", user.name), may).await;
        user
    }

    /// Waits until these are the pull requests.
    pub(crate) async fn pulls(&self, what: &str, expected: &[&str]) {
        until(what, async || {
            let found = pulls(self.gitea, &self.ann, &self.path).await;
            if found == expected { Ok(()) } else { Err(format!("{found:?}")) }
        })
        .await;
    }

    /// Gitea tells gradus of everything, signed with this key.
    pub(crate) async fn hook(&self, key: &str) {
        let config = json!({
            "url": format!("{}/hooks/forge/gitea", self.answers), "content_type": "json", "secret": key,
        });
        let events = [
            "push",
            "delete",
            "pull_request",
            "pull_request_review",
            "pull_request_comment",
            "pull_request_sync",
            "issue_comment",
        ];
        let hook = json!({"type": "gitea", "active": true, "events": events, "config": config});
        self.call(&self.ann, "POST", "/hooks", hook).await;
    }

    /// Waits until `gradus explain` says so, of what is asked in this way.
    pub(crate) async fn explained(&self, environment: &str, how: &[&str], words: &str) {
        until(words, async || {
            let output =
                self.world.gradus().args(["explain", "web", environment]).args(how).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            if said.contains(words) { Ok(()) } else { Err(said) }
        })
        .await;
    }
}

const STAGING: &str = "1 merged gradus/apps/web/staging: Promote web to staging: 1.0.0 → 1.1.0";

#[tokio::test]
async fn a_version_goes_up_through_pull_requests() {
    let fleet = Fleet::new(
        "    - {name: dev, targets: [git: {}]}
    - {name: staging, targets: [git: {}], promote: {merge: auto}}
    - {name: prod, targets: [git: {}]}
",
        &["--poll", "1s"],
    )
    .await;

    // gradus opens and merges the one, and opens the other for a person.
    let open = "2 open gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.1.0";
    fleet.pulls("the proposal for prod", &[STAGING, open]).await;

    // What people see there is a page, not its source.
    fleet.call(&fleet.ann, "PATCH", "", json!({"private": false})).await;
    let at = fleet.path.strip_prefix("/repos").unwrap();
    let page = rendered(&format!("{}{at}/pulls/2", fleet.gitea.url())).await;
    for part in [
        "<th>now</th>\n<th>proposed</th>",
        "<td>app</td>\n<td>1.0.0</td>\n<td>1.1.0</td>",
        "Healthy in <strong>staging</strong>",
        "<th>gate</th>",
        "<td>merge by a person</td>\n<td><strong>waiting</strong></td>",
        "Merging this deploys to prod.",
        "To keep this release out, close the proposal",
        "<code>gradus hold web --environment prod</code>",
        "<code>gradus rollback web --to prod</code>",
    ] {
        assert!(page.contains(part), "{part} is not in\n{page}");
    }
    assert!(!page.contains("**") && !page.contains("|--") && !page.contains('`'), "{page}");
    assert_eq!(page.matches("<table>").count(), page.matches("</table>").count());

    // No means no, until somebody asks for it.
    fleet.call(&fleet.ann, "PATCH", "/pulls/2", json!({"state": "closed"})).await;
    fleet.explained("prod", &["--secrets", "secrets"], "was closed without being merged").await;
    assert_eq!(pulls(fleet.gitea, &fleet.ann, &fleet.path).await.len(), 2);
}

#[tokio::test]
async fn f17_what_a_person_does_in_the_forge_is_heard() {
    // Nothing is polled here for as long as the test may take.
    let fleet = Fleet::new(
        "    - {name: dev, targets: [git: {}]}
    - {name: staging, targets: [git: {}]}
    - {name: prod, targets: [git: {}]}
",
        &["--poll", "1h", "--hook-key-file", "hook-key"],
    )
    .await;
    let first = "1 open gradus/apps/web/staging: Promote web to staging: 1.0.0 → 1.1.0";
    fleet.pulls("the proposal for staging", &[first]).await;

    // Whoever does not have the key is not heard.
    fleet.hook("another key").await;
    fleet.hook("only for tests").await;
    let merge = json!({"Do": "merge"});
    fleet.call(&fleet.ann, "POST", "/pulls/1/merge", merge).await;
    let second = "2 open gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.1.0";
    fleet.pulls("the proposal for prod", &[STAGING, second]).await;

    // A person's no is heard, too, by who runs: it has no other way to know.
    fleet.call(&fleet.ann, "PATCH", "/pulls/2", json!({"state": "closed"})).await;
    fleet.explained("prod", &["--server", &fleet.answers], "was closed without being merged").await;
}
