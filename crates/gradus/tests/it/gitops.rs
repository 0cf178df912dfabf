//! Real Deployments, made available by real controllers: a stand-in for the GitOps
//! engine follows the branch and applies it, and a release walks as far as it works.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gradus_testbed::{ControlPlane, Tool, User, find_tool};

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];
/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(200);

/// A fleet of one Deployment in three environments, what applies it, and gradus.
struct Fleet {
    folder: tempfile::TempDir,
    kubectl: PathBuf,
    namespace: String,
    stop: Arc<AtomicBool>,
    engine: Option<JoinHandle<()>>,
    controller: Option<Child>,
}

impl Fleet {
    async fn start(hint: &str) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        plane.with_controllers().await.unwrap();
        crate::cluster::define(plane).await;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kubeconfig"), plane.kubeconfig(User::Admin).unwrap()).unwrap();
        let mut fleet = Self {
            kubectl: find_tool(Tool::Kubectl).await.unwrap(),
            namespace: plane.namespace(hint).await.unwrap(),
            stop: Arc::default(),
            engine: None,
            controller: None,
            folder,
        };
        for environment in ENVIRONMENTS {
            plane
                .apply(&format!(
                    "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {}}}\n",
                    fleet.home(environment)
                ))
                .await
                .unwrap();
        }
        fleet.git(fleet.path(""), &["init", "-q", "--bare", "-b", "main", "fleet.git"]);
        fleet.git(fleet.path(""), &["clone", "-q", "fleet.git", "work"]);
        fleet.write_all();
        fleet.commit("Begin");
        plane.apply(&fleet.pipeline()).await.unwrap();
        fleet.engine = Some(fleet.follow());
        fleet.controller = Some(fleet.control());
        fleet
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The namespace of an environment.
    fn home(&self, environment: &str) -> String {
        format!("{}-{environment}", self.namespace)
    }

    fn write_all(&self) {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  \
             replicas: 2\n  progressDeadlineSeconds: 6\n  selector: {matchLabels: {app: web}}\n  template:\n    \
             metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - {name: web, image: nginx}\n";
        self.write("base/deployment.yaml", deployment);
        self.write("base/kustomization.yaml", "resources: [deployment.yaml]\n");
        for environment in ENVIRONMENTS {
            let text = format!(
                "namespace: {}\nresources: [../base]\nimages:\n- name: nginx\n  newTag: 1.22.0 # {{\"$promotion\": \"{}:web:{environment}\"}}\n",
                self.home(environment),
                self.namespace,
            );
            self.write(&format!("{environment}/kustomization.yaml"), &text);
        }
    }

    fn pipeline(&self) -> String {
        let environments: Vec<String> = ENVIRONMENTS
            .iter()
            .map(|name| {
                format!(
                    "  - {{name: {name}, targets: [{{namespace: {}}}], promote: {{strategy: push}}}}",
                    self.home(name)
                )
            })
            .collect();
        format!(
            "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: web, namespace: {}}}\nspec:\n  \
             appRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}\n  \
             artifacts: [{{name: image, image: {{repository: nginx}}}}]\n  \
             repository: {{url: \"file://{}\", branch: main}}\n  environments:\n{}\n",
            self.namespace,
            self.path("fleet.git").display(),
            environments.join("\n"),
        )
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path("work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Changes a file on the branch as it is now.
    fn edit(&self, name: &str, change: impl Fn(String) -> String, title: &str) {
        self.git(self.path("work"), &["pull", "-q", "--rebase", "origin", "main"]);
        let text = fs::read_to_string(self.path("work").join(name)).unwrap();
        self.write(name, &change(text));
        self.commit(title);
    }

    fn commit(&self, title: &str) {
        let work = self.path("work");
        self.git(work.clone(), &["add", "."]);
        self.git(
            work.clone(),
            &["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "-m", title],
        );
        self.git(work, &["push", "-q", "origin", "HEAD:main"]);
    }

    fn git(&self, at: PathBuf, arguments: &[&str]) -> String {
        done(Command::new("git").current_dir(at).args(arguments))
    }

    fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.env("KUBECONFIG", self.path("kubeconfig"));
        command
    }

    /// Applies what the branch says, whenever it says something new.
    fn follow(&self) -> JoinHandle<()> {
        let (stop, bare, view) = (self.stop.clone(), self.path("fleet.git"), self.path("view"));
        self.git(self.path(""), &["clone", "-q", "fleet.git", "view"]);
        let (kubectl, kubeconfig) = (self.kubectl.clone(), self.path("kubeconfig"));
        thread::spawn(move || {
            let mut applied = String::new();
            while !stop.load(Ordering::Relaxed) {
                let tip = done(Command::new("git").current_dir(&bare).args(["rev-parse", "main"]));
                if tip != applied {
                    done(Command::new("git").current_dir(&view).args(["pull", "-q", "origin", "main"]));
                    for environment in ENVIRONMENTS {
                        let mut apply = Command::new(&kubectl);
                        apply
                            .env("KUBECONFIG", &kubeconfig)
                            .arg("apply")
                            .arg("-k")
                            .arg(view.join(environment));
                        done(&mut apply);
                    }
                    applied = tip;
                }
                thread::sleep(STEP);
            }
        })
    }

    fn control(&self) -> Child {
        let log = fs::File::create(self.path("controller.log")).unwrap();
        Command::new(env!("CARGO_BIN_EXE_gradus"))
            .args(["controller", "--log-encoding", "console", "--poll", "1s", "--namespace", &self.namespace])
            .args(["--metrics-bind-address", "127.0.0.1:0", "--health-probe-bind-address", "127.0.0.1:0"])
            .args(["--promotion-hook-bind-address", "127.0.0.1:0", "--api-bind-address", "127.0.0.1:0"])
            .env("KUBECONFIG", self.path("kubeconfig"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// What the branch declares for an environment.
    fn declared(&self, environment: &str) -> String {
        let text =
            self.git(self.path("fleet.git"), &["show", &format!("main:{environment}/kustomization.yaml")]);
        let line = text.lines().find(|line| line.contains("newTag")).unwrap_or_default().to_owned();
        line.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }

    /// A field of the pipeline's status.
    fn status(&self, path: &str) -> String {
        let mut get = self.kubectl();
        get.args([
            "get",
            "pipelines.gradus.dev",
            "web",
            "-n",
            &self.namespace,
            "-o",
            &format!("jsonpath={{.status.{path}}}"),
        ]);
        done(&mut get)
    }

    async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not come:\n{}\n{}",
                self.status("environments"),
                self.log()
            );
            tokio::time::sleep(STEP).await;
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("controller.log")).unwrap_or_default()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(mut controller) = self.controller.take() {
            let _gone = controller.kill();
            let _reaped = controller.wait();
        }
        if let Some(engine) = self.engine.take() {
            let _ended = engine.join();
        }
    }
}

fn done(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).trim().to_owned()
}

fn tag(version: &'static str) -> impl Fn(String) -> String {
    move |text| {
        let lines = text.lines().map(|line| match line.split_once("newTag: ") {
            Some((before, after)) => {
                let comment = after.split_once(' ').map_or("", |(_, comment)| comment);
                format!("{before}newTag: {version} {comment}")
            }
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_walks_as_far_as_its_deployments_become_available() {
    let fleet = Fleet::start("gitops").await;
    fleet
        .until("what is there at first is healthy", || {
            fleet.status("environments[*].verdict") == "healthy healthy healthy"
        })
        .await;

    fleet.edit("dev/kustomization.yaml", tag("1.23.0"), "web 1.23.0 in dev");
    fleet.until("1.23.0 in prod", || fleet.declared("prod") == "1.23.0").await;
    fleet
        .until("1.23.0 is healthy everywhere", || {
            fleet.status("environments[*].verdict") == "healthy healthy healthy"
                && fleet.status("environments[2].version") == "1.23.0"
        })
        .await;
    let authors = fleet.git(fleet.path("fleet.git"), &["log", "--format=%an %s", "main"]);
    assert_eq!(
        authors,
        "gradus Promote web to prod: 1.22.0 → 1.23.0\ngradus Promote web to staging: 1.22.0 → 1.23.0\nAda web 1.23.0 in dev\nAda Begin"
    );

    // Nothing that is new finds a place in staging any more.
    let nowhere = "- patch: |-\n    - {op: add, path: /spec/template/spec/nodeSelector, value: {is: nowhere}}\n  target: {kind: Deployment}\n";
    fleet.edit(
        "staging/kustomization.yaml",
        |text| format!("{text}patches:\n{nowhere}"),
        "Staging moves to other nodes",
    );
    fleet.until("staging fails at what it has", || fleet.status("environments[1].verdict") == "failed").await;
    fleet.edit("dev/kustomization.yaml", tag("1.24.0"), "web 1.24.0 in dev");
    fleet.until("1.24.0 in staging", || fleet.declared("staging") == "1.24.0").await;
    fleet
        .until("1.24.0 fails in staging", || {
            fleet.status("environments[1].verdict") == "failed"
                && fleet.status("environments[1].version") == "1.24.0"
        })
        .await;
    assert_eq!(fleet.declared("prod"), "1.23.0");
    assert_eq!(fleet.status("environments[2].verdict"), "healthy");
    let evidence = fleet.status("environments[1].targets[0].message");
    assert!(evidence.contains("timed out progressing"), "{evidence}");

    fleet.edit(
        "staging/kustomization.yaml",
        |text| text.split("patches:").next().unwrap().to_owned(),
        "Staging moves back",
    );
    fleet.until("1.24.0 in prod", || fleet.declared("prod") == "1.24.0").await;
}
