//! A cluster as the source: what its objects say, and what people say to it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gradus_kube::Kind;
use gradus_kube::ask::Cluster;
use gradus_testbed::{ControlPlane, User};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::world::World;

const LONG: Duration = Duration::from_secs(60);

/// A pipeline, and a status as gradus writes it.
fn web(namespace: &str) -> (String, String) {
    let head = format!(
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: web, namespace: {namespace}}}\n"
    );
    let spec = "spec:
  repository: {url: https://git.example.com/fleet.git}
  environments:
    - {name: dev, targets: [git: {}]}
    - name: prod
      targets: [git: {}]
      gates: [approval: {min: 1, groups: [release-managers]}]
";
    let since = Timestamp::now() - SignedDuration::from_hours(3 * 24 + 1);
    let since = Timestamp::from_second(since.as_second()).unwrap();
    let status = format!(
        "status:
  observedGeneration: 1
  summary: 'prod: 1.1.0 waits for approval'
  environments:
    - name: dev
      verdict: healthy
      version: 1.1.0
      versions: {{web: 1.1.0}}
      since: {since}
      reason: up-to-date
      targets:
        - {{name: dev, verdict: healthy, version: 1.1.0, versions: {{web: 1.1.0}}, since: {since}}}
    - name: prod
      verdict: failed
      version: 1.0.0
      versions: {{web: 1.0.0}}
      since: {since}
      next: {{version: 1.1.0, versions: {{web: 1.1.0}}}}
      proposal: {{number: 7, url: 'https://git.example.com/fleet/pulls/7', version: 1.1.0, since: {since}}}
      reason: waiting-for-approval
      message: 'next: 1.1.0, waits for approval by release-managers'
      explanation: |
        web 1.1.0 is not in prod yet: it waits for approval by release-managers.

          approval   0 of 1
      targets:
        - name: prod
          verdict: failed
          version: 1.0.0
          versions: {{web: 1.0.0}}
          since: {since}
          message: the upgrade failed
"
    );
    (format!("{head}{spec}"), format!("{head}{status}"))
}

/// Who may what, everywhere: nobody but Ada may approve, promote and hold.
const ROLES: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: test-reads}
rules: [{apiGroups: [gradus.dev], resources: ['*'], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: test-reads}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-reads}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: podinfo-team}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: test-says}
rules:
  - {apiGroups: [gradus.dev], resources: [approvals, promotions, holds], verbs: [create, delete]}
  - {apiGroups: [gradus.dev], resources: [pipelines], verbs: [approve, promote, hold]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: test-says}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: test-says}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ada}]
";

/// A world in which there is a cluster with one pipeline, and a kubeconfig for everybody.
async fn world(plane: &ControlPlane) -> World {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/crd");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| !file.ends_with("kustomization.yaml"));
    files.sort();
    for file in files {
        plane.apply(&std::fs::read_to_string(file).unwrap()).await.unwrap();
    }
    plane.apply(ROLES).await.unwrap();
    let namespace = plane.namespace("apps").await.unwrap();
    let (pipeline, status) = web(&namespace);
    plane.apply(&pipeline).await.unwrap();
    plane.apply_status(&status).await.unwrap();
    let mut world = World::empty();
    for user in User::ALL {
        let name = user.name().rsplit(':').next().unwrap();
        world.write(&format!("{name}.kubeconfig"), &plane.kubeconfig(user).unwrap());
    }
    world.hide(namespace, "NAMESPACE");
    world
}

impl World {
    /// Runs a command as somebody.
    fn as_user(&mut self, user: &str, arguments: &[&str]) {
        let file = format!("{user}.kubeconfig");
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--kubeconfig", &file]).collect();
        self.run(&arguments);
    }
}

/// The only promotion that nobody has answered.
async fn unanswered(cluster: &Cluster) -> Value {
    let begun = Instant::now();
    loop {
        let all = cluster.list(&Kind::Promotion.group_kind(), None).await.unwrap();
        if let Some(found) = all.into_iter().find(|one| one.get("status").is_none()) {
            return found;
        }
        assert!(begun.elapsed() < LONG, "nobody asked for a promotion");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_says_is_shown_as_from_anywhere_else() {
    let plane = ControlPlane::start().await.unwrap();
    let mut world = world(&plane).await;
    world.as_user("grace", &["status"]);
    world.as_user("grace", &["status", "web"]);
    world.as_user("grace", &["explain", "web", "prod"]);
    world.as_user("grace", &["explain", "web", "dev"]);
    world.as_user("grace", &["explain", "web", "prd"]);
    world.as_user("grace", &["explain", "wep", "prod"]);
    world.as_user("grace", &["get", "holds"]);
    world.as_user("grace", &["proposals", "web"]);
    world.as_user("grace", &["proposals", "web", "--open", "-o", "yaml"]);
    world.as_user("grace", &["report", "web", "--to", "prod", "--state", "healthy", "--version", "1.1.0"]);
    world.as_user("eve", &["status"]);
    world.run(&["status", "--kubeconfig", "none.kubeconfig"]);
    world.run(&["status", "--kubeconfig", "ada.kubeconfig", "--context", "elsewhere"]);
    world.run(&["status", "--in-cluster"]);
    world.run(&["status", "--in-cluster", "--server", "http://localhost"]);
    // As a plugin of kubectl it asks the cluster of the current context.
    let plugin = world.path("kubectl-gradus");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_gradus"), &plugin).unwrap();
    let output = world
        .command(plugin.to_str().unwrap())
        .args(["explain", "web", "prod"])
        .env("KUBECONFIG", world.path("grace.kubeconfig"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("web 1.1.0 is not in prod yet"), "{said}{:?}", output.stderr);
    world.check("in_cluster_shows");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_say_to_a_cluster_they_say_in_their_own_name() {
    let plane = Arc::new(ControlPlane::start().await.unwrap());
    let mut world = world(&plane).await;
    world.as_user("grace", &["approve", "web", "--to", "prod"]);
    world.as_user("ada", &["approve", "web", "--to", "prod", "--dry-run"]);
    world.as_user("ada", &["approve", "web"]);
    world.as_user("ada", &["approve", "web", "--to", "prod", "--version", "1.1.0"]);
    world.as_user("ada", &["approve", "web", "--to", "dev"]);
    world.as_user("grace", &["get", "approvals"]);
    world.as_user("grace", &["promote", "web", "--to", "prod"]);
    world.as_user("ada", &["promote", "web", "--to", "prod", "--dry-run"]);
    world.as_user("ada", &["promote", "web", "--to", "prod", "--override", "a fix"]);

    // Who asks waits for the answer; here it comes by hand.
    let cluster = Cluster::new(plane.client(User::Admin).await.unwrap(), "default", "test");
    for (answer, arguments) in [
        ("{state: open}", &["promote", "web"][..]),
        (
            "{state: done, message: prod has 1.1.0 since commit 0123456}",
            &["promote", "web", "--reason", "now"],
        ),
        (
            "{state: refused, message: what prod had before is not known}",
            &["rollback", "web", "--to", "prod"],
        ),
    ] {
        let (plane, cluster) = (plane.clone(), cluster.clone());
        let answering = tokio::spawn(async move {
            let asked = unanswered(&cluster).await;
            let metadata = |field: &str| asked["metadata"][field].as_str().unwrap().to_owned();
            answered(&plane, &metadata("name"), &metadata("namespace"), answer).await;
        });
        tokio::task::block_in_place(|| world.as_user("ada", arguments));
        answering.await.unwrap();
    }
    world.as_user("ada", &["rollback", "web", "--to", "prod", "--no-wait"]);
    // Several are of the same second, in whichever order.
    let history =
        world.gradus().args(["history", "web", "--kubeconfig", "grace.kubeconfig"]).output().unwrap();
    let history = String::from_utf8(history.stdout).unwrap();
    let mut said: Vec<&str> = history.lines().filter_map(|line| Some(line.split_once("UTC  ")?.1)).collect();
    said.sort_unstable();
    assert_eq!(
        said,
        [
            "prod  ada (release-managers) approved 1.1.0",
            "prod  ada asked for 1.1.0",
            "prod  ada asked for 1.1.0: now",
            "prod  ada asked to go back to what was there before",
            "prod  ada asked to go back to what was there before",
        ]
    );

    world.as_user("grace", &["hold", "web", "--reason", "audit"]);
    world.as_user("ada", &["hold", "web", "--environment", "prod", "--reason", "audit", "--dry-run"]);
    world.as_user("ada", &["hold", "web", "--environment", "prod", "--reason", "audit"]);
    world.as_user("ada", &["hold", "web", "--environment", "prod", "--reason", "audit"]);
    world.as_user("ada", &["hold", "web", "--environment", "prod", "--reason", "another"]);
    world.as_user("grace", &["get", "holds"]);
    world.as_user("ada", &["hold", "web", "--environment", "prod", "--lift"]);
    world.as_user("ada", &["unhold", "web-prod"]);
    world.check("in_cluster_says");
}

/// Says what became of a promotion, as gradus does.
async fn answered(plane: &ControlPlane, name: &str, namespace: &str, status: &str) {
    let text = format!(
        "apiVersion: gradus.dev/v1alpha1\nkind: Promotion\nmetadata: {{name: {name}, namespace: {namespace}}}\nstatus: {status}\n"
    );
    plane.apply_status(&text).await.unwrap();
}
