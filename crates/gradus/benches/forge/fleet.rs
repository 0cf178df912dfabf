//! A repository in Gitea with many pipelines, and what people and programs do there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gradus_testbed::{Gitea, GiteaUser};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use crate::serving::Serving;

/// With which webhooks are signed.
pub(crate) const KEY: &str = "only for measurements";

pub(crate) struct Fleet {
    gitea: &'static Gitea,
    ann: GiteaUser,
    bot: GiteaUser,
    /// What is called below its repository.
    path: String,
    url: String,
    folder: TempDir,
    /// The number of the last pull request.
    last: AtomicU64,
}

fn file(pipeline: usize, environment: &str, version: &str) -> String {
    format!("version: {version} # {{\"$promotion\": \"apps:web-{pipeline}:{environment}\"}}\n")
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    let who = ["-c", "user.name=Ann", "-c", "user.email=ann@acme.io", "-c", "init.defaultBranch=main"];
    let done = command.args(who).args(arguments).current_dir(folder).stdout(Stdio::null()).status();
    assert!(done.expect("git runs").success(), "git {arguments:?}");
}

impl Fleet {
    /// So many pipelines of two environments; the second gets pull requests that are merged so.
    pub(crate) async fn new(gitea: &'static Gitea, pipelines: usize, filler: usize, merge: &str) -> Self {
        let (ann, bot) = (gitea.user("ann").await.expect("Ann"), gitea.user("gradus").await.expect("a bot"));
        let name =
            gitea.repository(&ann, "fleet", &[("about.txt", "a fleet\n")]).await.expect("a repository");
        let path = format!("/repos/{}/{name}", ann.name);
        let may = Some(json!({"permission": "write"}));
        let collaborator = format!("{path}/collaborators/{}", bot.name);
        gitea.done(&ann.token, "PUT", &collaborator, may).await.expect("the bot may write");
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("{}/{}/{name}.git", gitea.url(), ann.name);
        let fleet = Self { gitea, ann, bot, path, url, folder, last: AtomicU64::new(0) };
        fleet.fill(pipelines, filler);
        fleet.write_manifests(pipelines, merge);
        fleet
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn work(&self) -> PathBuf {
        self.folder().join("work")
    }

    fn fill(&self, pipelines: usize, filler: usize) {
        let address = self.url.replacen("://", &format!("://{}:{}@", self.ann.name, self.ann.token), 1);
        git(self.folder(), &["clone", "-q", &address, "work"]);
        for pipeline in 0..pipelines {
            let folder = self.work().join(format!("apps/web-{pipeline}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            for environment in ["dev", "prod"] {
                let text = file(pipeline, environment, "1.0.0");
                std::fs::write(folder.join(format!("{environment}.yaml")), text).expect("a file");
            }
        }
        for number in 0..filler {
            let folder = self.work().join(format!("clusters/{:03}", number / 100));
            std::fs::create_dir_all(&folder).expect("a folder");
            let text = format!("kind: ConfigMap\nmetadata: {{name: filler-{number}}}\n");
            std::fs::write(folder.join(format!("{number}.yaml")), text).expect("a file");
        }
        git(&self.work(), &["add", "-A"]);
        git(&self.work(), &["commit", "-q", "-m", "everything"]);
        git(&self.work(), &["push", "-q", "origin", "HEAD:main"]);
    }

    fn write_manifests(&self, pipelines: usize, merge: &str) {
        let write = |path: &str, text: &str| {
            let path = self.folder().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        for pipeline in 0..pipelines {
            let text = format!(
                "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: web-{pipeline}, namespace: apps}}\n\
                 spec:\n  repository: {{url: {}, branch: main, forge: gitea, secretRef: {{name: git}}}}\n  environments:\n    \
                 - {{name: dev, targets: [git: {{}}]}}\n    - {{name: prod, targets: [git: {{}}], promote: {{merge: {merge}}}}}\n",
                self.url
            );
            write(&format!("pipelines/web-{pipeline}.yaml"), &text);
        }
        write("secrets/apps/git/username", &self.bot.name);
        write("secrets/apps/git/password", &self.bot.token);
        write("hook-key", &format!("{KEY}\n"));
    }

    /// Brings the next version of these pipelines to dev. How long the push took.
    pub(crate) fn bring(&self, pipelines: &[usize]) -> Duration {
        git(&self.work(), &["fetch", "-q", "origin", "main"]);
        git(&self.work(), &["reset", "-q", "--hard", "FETCH_HEAD"]);
        for pipeline in pipelines {
            let path = self.work().join(format!("apps/web-{pipeline}/dev.yaml"));
            std::fs::write(path, file(*pipeline, "dev", "1.1.0")).expect("a file");
        }
        git(&self.work(), &["commit", "-q", "-a", "-m", "1.1.0"]);
        self.push("HEAD:main")
    }

    fn push(&self, what: &str) -> Duration {
        let begun = Instant::now();
        git(&self.work(), &["push", "-q", "origin", what]);
        begun.elapsed()
    }

    /// A push of one changed file to a branch of its own.
    pub(crate) fn bare_push(&self, number: usize) -> Duration {
        std::fs::write(self.work().join("about.txt"), format!("a fleet, {number}\n")).expect("a file");
        git(&self.work(), &["commit", "-q", "-a", "-m", "about"]);
        let took = self.push(&format!("HEAD:refs/heads/bare-{number}"));
        git(&self.work(), &["reset", "-q", "--hard", "HEAD^"]);
        took
    }

    /// Opens a pull request of a branch that is there, and nothing else.
    pub(crate) async fn bare_create(&self, number: usize) -> Duration {
        let head = format!("bare-{number}");
        if !self.exists(&head).await {
            self.bare_push(number);
        }
        let new = json!({"head": head, "base": "main", "title": "a title", "body": "what and why\n"});
        let path = format!("{}/pulls", self.path);
        let begun = Instant::now();
        let made = self.gitea.done(&self.bot.token, "POST", &path, Some(new)).await.expect("a pull request");
        let took = begun.elapsed();
        let number = made["number"].as_u64().expect("a number");
        self.last.store(number, Ordering::Relaxed);
        let closed = Some(json!({"state": "closed"}));
        self.gitea.done(&self.bot.token, "PATCH", &format!("{path}/{number}"), closed).await.expect("closed");
        took
    }

    async fn exists(&self, branch: &str) -> bool {
        self.get(&format!("/branches/{branch}")).await.is_some()
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let said = self.gitea.call(&self.ann.token, "GET", &format!("{}{path}", self.path), None).await;
        let said = said.expect("Gitea answers");
        (said.status == 200).then_some(said.body)
    }

    /// The number that the next pull request gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Gitea's webhook after a push, as it would send it.
    pub(crate) async fn tell(&self, serving: &Serving) {
        let body = json!({"ref": "refs/heads/main", "repository": {"clone_url": self.url}}).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("a key");
        mac.update(body.as_bytes());
        let signature: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        serving.post(&body, &signature).await;
    }

    /// Waits for a pull request.
    pub(crate) async fn is_there(&self, number: u64) {
        self.until(number, |_| true).await;
    }

    /// Waits until a pull request is merged.
    pub(crate) async fn is_merged(&self, number: u64) {
        self.until(number, |pull| pull["merged"] == true).await;
    }

    async fn until(&self, number: u64, so: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        while !self.get(&format!("/pulls/{number}")).await.is_some_and(|pull| so(&pull)) {
            assert!(begun.elapsed() < Duration::from_secs(120), "pull request {number} never came");
            // What is asked for more often takes the time of the one core in two that the forge has.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many pull requests are open.
    pub(crate) async fn open(&self) -> usize {
        let about = self.get("").await.expect("the repository");
        usize::try_from(about["open_pr_counter"].as_u64().expect("a number")).expect("not so many")
    }
}
