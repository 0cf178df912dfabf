//! Repositories whose password is in a Secret, looked after by who may do no more
//! than the installation lets it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

use gradus_testbed::User;
use serde_json::{Value, json};

use super::host::Host;
use super::stage::Stage;

/// `gradus:hunter2`.
const AUTHORIZATION: &str = "Basic Z3JhZHVzOmh1bnRlcjI=";
const SECRET: &str = "v1/Secret";

#[tokio::test]
async fn a_secret_is_read_by_its_name_and_no_other_is() {
    let stage = Stage::new("secret").await;
    let host = Host::start(&stage.world.path(""), AUTHORIZATION);
    stage.git(&["config", "http.receivepack", "true"]);
    may(&stage, "git").await;
    for (name, password) in [("git", "hunter2"), ("other", "hunter2"), ("wrong", "secret")] {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": stage.namespace},
            "stringData": {"username": "gradus", "password": password},
        });
        stage.objects.create(&secret).await.unwrap();
    }
    let own = stage.plane().objects(User::Controller).await.unwrap();
    assert!(own.list(SECRET, &stage.namespace).await.is_err());
    assert!(own.get(SECRET, &stage.namespace, "other").await.is_err());
    assert!(own.get(SECRET, &stage.namespace, "git").await.unwrap().is_some());

    stage.deploy("dev").await;
    let pipeline = |secret: &str| {
        let mut pipeline = stage.pipeline(&stage.three());
        pipeline["spec"]["repository"] = json!({"url": host.url("fleet.git"), "secretRef": {"name": secret}});
        pipeline
    };
    // One that may not be read: nothing is known of Git, and nobody is asked without it.
    stage.objects.put(&pipeline("other")).await.unwrap();
    let controller = stage.replica_as(User::Controller, "restricted", &[]);
    let why = until_not_ready(&stage, "RBAC").await;
    assert!(why.contains("other"), "{why}");
    // One with another password.
    may(&stage, "wrong").await;
    stage.objects.put(&pipeline("wrong")).await.unwrap();
    until_not_ready(&stage, "credentials").await;
    assert_eq!(stage.promotions(), Vec::<String>::new());

    stage.objects.put(&pipeline("git")).await.unwrap();
    stage.until_git_has("staging", "1.1.0").await;
    stage.until_it_is("staging", "deploying", "1.1.0").await;
    let said = controller.said();
    assert!(!said.contains("hunter2") && !stage.object().await.to_string().contains("hunter2"), "{said}");
    // Its events are written as well.
    stage
        .until("an event", async || {
            let events = stage.objects.list("events.k8s.io/v1/Event", &stage.namespace).await.unwrap();
            events.iter().any(|event| event["reason"] == "Promoted").then_some(())
        })
        .await;
    assert!(!said.contains("orbidden"), "{said}");
}

/// Waits until the pipeline is not ready because of this; its message.
async fn until_not_ready(stage: &Stage<'_>, because: &str) -> String {
    let condition = stage
        .until(&format!("it not to be ready: {because}"), async || {
            let ready = stage.condition("Ready").await;
            let is_so =
                ready["status"] == "False" && ready["message"].as_str().unwrap_or_default().contains(because);
            is_so.then_some(ready)
        })
        .await;
    condition["message"].as_str().unwrap().to_owned()
}

/// Lets the controller do what its role says, and read one Secret.
pub(super) async fn may(stage: &Stage<'_>, secret: &str) {
    let role = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/rbac/role.yaml");
    stage.plane().apply(&fs::read_to_string(role).unwrap()).await.unwrap();
    let subject = json!([{"kind": "User", "name": User::Controller.name()}]);
    let role =
        |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let named = |kind: &str, name: &str| -> Value {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": stage.namespace},
        })
    };
    let mut everywhere = named("ClusterRoleBinding", "gradus-controller");
    everywhere["metadata"]["namespace"] = Value::Null;
    everywhere["subjects"] = subject.clone();
    everywhere["roleRef"] = role("ClusterRole", "gradus-controller");
    let mut one = named("Role", secret);
    one["rules"] =
        json!([{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret], "verbs": ["get"]}]);
    let mut bound = named("RoleBinding", secret);
    bound["subjects"] = subject;
    bound["roleRef"] = role("Role", secret);
    for object in [everywhere, one, bound] {
        stage.plane().apply(&object.to_string()).await.unwrap();
    }
}

/// An application that tells its version to who has the token.
fn application(version: &'static str, token: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            for line in lines.by_ref().take_while(|line| !line.is_empty()) {
                head.push_str(&format!("{}\n", line.to_lowercase()));
            }
            let (status, body) = match head.contains(&format!("authorization: bearer {token}\n")) {
                true => ("200 OK", version),
                false => ("401 Unauthorized", ""),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            // The client may have gone.
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    format!("http://{address}/version")
}

#[tokio::test]
async fn an_endpoint_is_asked_with_the_token_of_a_secret() {
    let stage = Stage::new("endpoint").await;
    let url = application("1.1.0", "hunter3");
    for (name, keys) in [("app", json!({"token": "hunter3"})), ("empty", json!({"other": "x"}))] {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "namespace": stage.namespace}, "stringData": keys,
        });
        stage.objects.create(&secret).await.unwrap();
    }
    let asked_with = |secret: &str| {
        let http = json!({"url": url, "secretRef": {"name": secret}});
        let mut three = stage.three();
        three[0] = stage.environment("dev", json!({"targets": [{"http": http}]}));
        three
    };
    stage.set(&asked_with("empty")).await;
    let controller = stage.controller();
    let why = until_not_ready(&stage, "caFile").await;
    assert!(why.contains(&format!("Secret {}/empty", stage.namespace)), "{why}");
    stage.set(&asked_with("app")).await;
    stage.until_git_has("staging", "1.1.0").await;
    let said = controller.said();
    assert!(!said.contains("hunter3") && !stage.object().await.to_string().contains("hunter3"), "{said}");
}
