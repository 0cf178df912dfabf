//! A namespace, a repository and a pipeline of a test's own, and the controllers
//! that look after them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use gradus_testbed::{ControlPlane, Objects, Proxy, User};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::release;
use crate::world::World;

pub(crate) const PIPELINE: &str = "gradus.dev/v1alpha1/Pipeline";
pub(crate) const RELEASE: &str = "helm.toolkit.fluxcd.io/v2/HelmRelease";

/// How long something may take that has to come. A watch that was refused for a while is tried again after a
/// minute at the latest, and one may be refused again by a server that only begins.
const PATIENCE: Duration = Duration::from_secs(180);
/// How often it is looked whether it has come.
const STEP: Duration = Duration::from_millis(40);

/// The control plane that these tests share, with the kinds they need.
async fn plane() -> &'static ControlPlane {
    static DEFINED: OnceCell<()> = OnceCell::const_new();
    let plane = ControlPlane::shared().await.unwrap();
    DEFINED.get_or_init(|| define(plane)).await;
    plane
}

/// Declares the kinds of Flux and of gradus.
pub(crate) async fn define(plane: &ControlPlane) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/crd");
    let kinds = ["approvals", "checks", "holds", "notifications", "pipelines", "promotions"];
    let texts = kinds.map(|kind| fs::read_to_string(folder.join(format!("gradus.dev_{kind}.yaml"))).unwrap());
    plane.apply(&texts.join("\n---\n")).await.unwrap();
    plane.flux_crds().await.unwrap();
}

/// Where a test plays.
pub(crate) struct Stage<'a> {
    plane: &'a ControlPlane,
    pub(crate) objects: Objects,
    pub(crate) namespace: String,
    pub(crate) world: World,
    asked: AtomicU64,
}

impl Stage<'static> {
    /// In the control plane that all share.
    pub(crate) async fn new(hint: &str) -> Self {
        Self::on(plane().await, hint).await
    }
}

impl<'a> Stage<'a> {
    /// In this control plane; `dev` has 1.1.0 in Git, the others 1.0.0, and what they
    /// have runs. Nothing is looked after yet.
    pub(crate) async fn on(plane: &'a ControlPlane, hint: &str) -> Self {
        let objects = plane.objects(User::Admin).await.unwrap();
        let namespace = plane.namespace(hint).await.unwrap();
        let world = World::of_today();
        for user in User::ALL {
            world.write(&format!("{}.yaml", user.token()), &plane.kubeconfig(user).unwrap());
        }
        let stage = Self { plane, objects, namespace, world, asked: AtomicU64::new(0) };
        for (environment, version) in [("dev", "1.1.0"), ("staging", "1.0.0"), ("prod", "1.0.0")] {
            stage.write(environment, version);
        }
        stage.world.commit("Deploy web");
        for environment in ["staging", "prod"] {
            stage.deploy(environment).await;
        }
        stage
    }

    fn write(&self, environment: &str, version: &str) {
        let text = format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {environment}\nspec:\n  \
             chart:\n    spec:\n      version: {version} # {{\"$promotion\": \"{}:web:{environment}\"}}\n",
            self.namespace
        );
        self.world.write(&format!("checkout/apps/{environment}/release.yaml"), &text);
    }

    /// Somebody commits another version to an environment's files.
    pub(crate) fn commit(&self, environment: &str, version: &str) {
        let checkout = self.world.path("checkout");
        self.world.git(&checkout, &["fetch", "-q", "origin"]);
        self.world.git(&checkout, &["reset", "-q", "--hard", "origin/main"]);
        self.write(environment, version);
        self.world.commit(&format!("Deploy {version} to {environment}"));
    }

    /// Where the repository is.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.world.path("fleet.git").canonicalize().unwrap().display())
    }

    /// Git, in the repository.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.world.git(&self.world.path("fleet.git"), arguments)
    }

    /// The titles of the commits on the branch, the newest first.
    pub(crate) fn log(&self) -> Vec<String> {
        let log = self.git(&["log", "--first-parent", "--format=%s", "main"]);
        log.lines().map(str::to_owned).collect()
    }

    /// The titles of the commits that gradus made, the oldest first.
    pub(crate) fn promotions(&self) -> Vec<String> {
        let mut log = self.log();
        log.retain(|title| !title.starts_with("Deploy "));
        log.reverse();
        log
    }

    /// The branches beside the one that is deployed.
    pub(crate) fn branches(&self) -> Vec<String> {
        let branches = self.git(&["for-each-ref", "--format=%(refname:short)", "refs/heads/gradus"]);
        branches.lines().map(str::to_owned).collect()
    }

    /// The version that Git has for an environment.
    pub(crate) fn version(&self, environment: &str) -> String {
        let text = self.git(&["show", &format!("main:apps/{environment}/release.yaml")]);
        let line = text.lines().find_map(|line| line.trim().strip_prefix("version: ")).unwrap();
        line.split(' ').next().unwrap().to_owned()
    }

    /// Flux applies what Git has for an environment; what it said before is older now.
    pub(crate) async fn apply(&self, environment: &str) -> Value {
        let object = release::declared(&self.namespace, environment, &self.version(environment));
        self.objects.put(&object).await.unwrap()
    }

    /// Flux applies what Git has for an environment, and it works.
    pub(crate) async fn deploy(&self, environment: &str) {
        let says = release::works(&self.apply(environment).await);
        self.objects.merge_status(RELEASE, &self.namespace, environment, &says).await.unwrap();
    }

    /// Somebody writes something to an environment's object that says nothing new.
    pub(crate) async fn touch(&self, environment: &str) {
        let count = self.asked.fetch_add(1, Ordering::Relaxed).to_string();
        let patch = json!({"metadata": {"annotations": {"example.org/count": count}}});
        self.objects.merge(RELEASE, &self.namespace, environment, &patch).await.unwrap();
    }

    /// Flux applies what Git has for an environment, and goes back to what was there.
    pub(crate) async fn fail(&self, environment: &str, before: &str) {
        let says = release::fails(&self.apply(environment).await, before);
        self.objects.merge_status(RELEASE, &self.namespace, environment, &says).await.unwrap();
    }

    /// A pipeline with these environments.
    pub(crate) fn pipeline(&self, environments: &[Value]) -> Value {
        json!({
            "apiVersion": "gradus.dev/v1alpha1",
            "kind": "Pipeline",
            "metadata": {"name": "web", "namespace": self.namespace},
            "spec": {
                "repository": {"url": self.url()},
                "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "web"},
                "environments": environments,
            },
        })
    }

    /// An environment whose changes are pushed, with more fields.
    pub(crate) fn environment(&self, name: &str, more: Value) -> Value {
        let mut environment = json!({
            "name": name,
            "targets": [{"namespace": self.namespace, "app": name}],
            "promote": {"strategy": "push"},
        });
        for (field, value) in more.as_object().unwrap() {
            environment[field] = value.clone();
        }
        environment
    }

    /// dev, staging and prod, each pushed to once the one before has proven it.
    pub(crate) fn three(&self) -> Vec<Value> {
        ["dev", "staging", "prod"].map(|name| self.environment(name, json!({}))).to_vec()
    }

    /// The same with something more for `prod`.
    pub(crate) fn three_with(&self, prod: Value) -> Vec<Value> {
        let mut three = self.three();
        three[2] = self.environment("prod", prod);
        three
    }

    /// Writes the pipeline.
    pub(crate) async fn set(&self, environments: &[Value]) -> Value {
        self.objects.put(&self.pipeline(environments)).await.unwrap()
    }

    /// Writes something that is said of the pipeline.
    pub(crate) async fn say(&self, kind: &str, name: &str, spec: Value) {
        let mut object = json!({
            "apiVersion": "gradus.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        });
        object["spec"]["pipeline"] = "web".into();
        self.objects.create(&object).await.unwrap();
    }

    /// The status of something that was said.
    pub(crate) async fn answer(&self, kind: &str, name: &str) -> Value {
        let kind = format!("gradus.dev/v1alpha1/{kind}");
        let object = self.objects.get(&kind, &self.namespace, name).await.unwrap();
        object.map_or(Value::Null, |object| object["status"].clone())
    }

    /// Waits until something that was said is answered with this state; the message.
    pub(crate) async fn answered(&self, kind: &str, name: &str, state: &str) -> String {
        let says = format!("{kind} {name} to be {state}");
        let status = self
            .until(&says, async || {
                Some(self.answer(kind, name).await).filter(|status| status["state"] == state)
            })
            .await;
        status["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The pipeline as it is.
    pub(crate) async fn object(&self) -> Value {
        self.objects.get(PIPELINE, &self.namespace, "web").await.unwrap().unwrap_or_default()
    }

    /// The status of an environment.
    pub(crate) async fn here(&self, environment: &str) -> Value {
        here(&self.object().await, environment)
    }

    /// One of the pipeline's conditions.
    pub(crate) async fn condition(&self, of: &str) -> Value {
        condition(&self.object().await, of)
    }

    /// Asks for a look and waits until it was had; the pipeline as it is then.
    pub(crate) async fn look(&self) -> Value {
        let wanted = format!("look {}", self.asked.fetch_add(1, Ordering::Relaxed));
        let patch = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": wanted}}});
        self.objects.merge(PIPELINE, &self.namespace, "web", &patch).await.unwrap();
        self.until("a look that was asked for", async || {
            Some(self.object().await).filter(|object| object["status"]["lastHandledReconcileAt"] == *wanted)
        })
        .await
    }

    /// Waits until Git has a version for an environment.
    pub(crate) async fn until_git_has(&self, environment: &str, version: &str) {
        self.until(&format!("Git to have {version} for {environment}"), async || {
            (self.version(environment) == version).then_some(())
        })
        .await;
    }

    /// Waits until an environment is said to be so at a version.
    pub(crate) async fn until_it_is(&self, environment: &str, verdict: &str, version: &str) {
        self.until(&format!("{environment} to be {verdict} at {version}"), async || {
            let here = self.here(environment).await;
            (here["verdict"] == verdict && here["version"] == version).then_some(())
        })
        .await;
    }

    /// Waits until something comes. If it does not, says how everything is.
    #[allow(clippy::panic, reason = "a test that fails says how everything was")]
    pub(crate) async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(come) = ask().await {
                return come;
            }
            if begun.elapsed() > PATIENCE {
                let object = self.objects.get(PIPELINE, &self.namespace, "web").await;
                panic!(
                    "waited {PATIENCE:?} for {what}\n{:#}\n{:#?}\n{}",
                    object.ok().flatten().unwrap_or_default()["status"],
                    self.log(),
                    self.told()
                );
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// The last that each controller said.
    fn told(&self) -> String {
        let mut told = String::new();
        for entry in fs::read_dir(self.world.path("")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = fs::read_to_string(&path).unwrap();
                let lines: Vec<&str> = text.lines().collect();
                let last = lines[lines.len().saturating_sub(40)..].join("\n");
                told.push_str(&format!("--- {}\n{last}\n", path.display()));
            }
        }
        told
    }

    /// Where kube-apiserver is.
    pub(crate) fn plane(&self) -> &'a ControlPlane {
        self.plane
    }

    /// A controller that looks after this namespace alone.
    pub(crate) fn controller(&self) -> Replica {
        self.replica("gradus", &[])
    }

    /// One of several, or one with other arguments.
    pub(crate) fn replica(&self, name: &str, arguments: &[&str]) -> Replica {
        self.replica_as(User::Admin, name, arguments)
    }

    /// One with more in its environment.
    pub(crate) fn replica_with(&self, name: &str, variables: &[(&str, String)]) -> Replica {
        self.start(&format!("{}.yaml", User::Admin.token()), name, &[], variables)
    }

    /// One that speaks for somebody.
    pub(crate) fn replica_as(&self, user: User, name: &str, arguments: &[&str]) -> Replica {
        self.start(&format!("{}.yaml", user.token()), name, arguments, &[])
    }

    /// One that reaches the cluster through a proxy.
    pub(crate) fn replica_through(&self, proxy: &Proxy, name: &str, arguments: &[&str]) -> Replica {
        let kubeconfig = format!("{name}-proxy.yaml");
        self.world.write(&kubeconfig, &proxy.kubeconfig());
        self.start(&kubeconfig, name, arguments, &[])
    }

    fn start(
        &self,
        kubeconfig: &str,
        name: &str,
        arguments: &[&str],
        variables: &[(&str, String)],
    ) -> Replica {
        let log = self.world.path(&format!("{name}.log"));
        let said = fs::File::options().create(true).append(true).open(&log).unwrap();
        let usual = [
            ("--poll", "500ms"),
            ("--resync", "2s"),
            ("--log-encoding", "console"),
            ("--metrics-bind-address", "127.0.0.1:0"),
            ("--health-probe-bind-address", "127.0.0.1:0"),
            ("--api-bind-address", "127.0.0.1:0"),
            ("--promotion-hook-bind-address", "127.0.0.1:0"),
        ];
        let child = Command::new(env!("CARGO_BIN_EXE_gradus"))
            .args(["controller", "--namespace", &self.namespace, "--identity", name])
            .args(usual.into_iter().filter(|(name, _)| !arguments.contains(name)).flat_map(|(a, b)| [a, b]))
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.world.path("home"))
            .env("KUBECONFIG", self.world.path(kubeconfig))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.world.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .spawn()
            .unwrap();
        Replica { child, log }
    }
}

/// A process of `gradus controller`. It is killed with its value.
pub(crate) struct Replica {
    child: Child,
    log: PathBuf,
}

impl Replica {
    /// Kills it where it is.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn stop(mut self) {
        let id = self.child.id().to_string();
        let asked = Command::new("sh").args(["-c", "kill -s TERM \"$1\"", "stop", &id]).status().unwrap();
        assert!(asked.success());
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "it does not end: {}", self.said());
            tokio::time::sleep(STEP).await;
        }
    }

    /// How often it has looked at a pipeline.
    pub(crate) fn looks(&self) -> u64 {
        let said = self.said();
        let address = said.lines().find_map(|line| line.split_once("its API is on http://")).unwrap().1;
        let figures = ask(address.trim(), "/metrics").unwrap();
        let count = figures.lines().find_map(|line| line.strip_prefix("gradus_look_duration_seconds_count "));
        count.unwrap().parse().unwrap()
    }

    /// What it said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a pipeline says of an environment.
pub(crate) fn here(object: &Value, environment: &str) -> Value {
    let all = object["status"]["environments"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|here| here["name"] == environment).unwrap_or_default()
}

/// One of a pipeline's conditions.
pub(crate) fn condition(object: &Value, of: &str) -> Value {
    let all = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    all.into_iter().find(|condition| condition["type"] == of).unwrap_or_default()
}

/// What a server answers.
pub(crate) fn ask(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
