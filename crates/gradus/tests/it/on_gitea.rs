//! Proposals in a real forge, looked after by the program.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

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

/// Asks until it is so.
async fn until(what: &str, mut ask: impl AsyncFnMut() -> Result<(), String>) {
    let begun = Instant::now();
    while let Err(so) = ask().await {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what} never came: {so}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_version_goes_up_through_pull_requests() {
    let gitea = Gitea::shared().await.unwrap();
    let (ann, bot) = (gitea.user("ann").await.unwrap(), gitea.user("gradus").await.unwrap());
    let files = [("dev", "1.1.0"), ("staging", "1.0.0"), ("prod", "1.0.0")];
    let files = files.map(|(name, version)| (format!("{name}.yaml"), file(name, version)));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
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
    - {{name: dev, targets: [git: {{}}]}}
    - {{name: staging, targets: [git: {{}}], promote: {{merge: auto}}}}
    - {{name: prod, targets: [git: {{}}]}}
",
        gitea.url(),
        ann.name
    );
    world.write("pipelines/web.yaml", &manifest);
    world.write("secrets/apps/git/username", &bot.name);
    let scopes = ["write:repository", "write:issue"];
    let token = gitea.token(&bot.name, &bot.password, &scopes).await.unwrap();
    world.write("secrets/apps/git/password", &token);
    let mut child = world
        .gradus()
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0", "--poll", "1s", "--secrets", "secrets"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let _serving = Serving(child);
    std::thread::spawn(move || lines.for_each(drop));

    // gradus opens and merges the one, and opens the other for a person.
    let staging = "1 merged gradus/apps/web/staging: Promote web to staging: 1.0.0 → 1.1.0";
    let open = "2 open gradus/apps/web/prod: Promote web to prod: 1.0.0 → 1.1.0";
    until("the proposal for prod", async || {
        let found = pulls(gitea, &ann, &path).await;
        if found == [staging, open] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;

    // No means no, until somebody asks for it.
    let closed = Some(json!({"state": "closed"}));
    gitea.done(&ann.token, "PATCH", &format!("{path}/pulls/2"), closed).await.unwrap();
    until("that it was closed", async || {
        let output =
            world.gradus().args(["explain", "web", "prod", "--secrets", "secrets"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if said.contains("was closed without being merged") { Ok(()) } else { Err(said) }
    })
    .await;
    assert_eq!(pulls(gitea, &ann, &path).await.len(), 2);
}
