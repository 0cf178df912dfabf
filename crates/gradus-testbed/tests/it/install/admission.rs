//! Who may say what, and how mistakes are answered.

use gradus_testbed::{ControlPlane, User};
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::{eventually, installed};

/// What the cluster answers to objects that are made.
struct Desk {
    plane: &'static ControlPlane,
    namespace: String,
    told: String,
}

impl Desk {
    async fn new(hint: &str) -> Self {
        let plane = installed().await;
        Self { plane, namespace: plane.namespace(hint).await.unwrap(), told: String::new() }
    }

    /// Gives a person a role of ours here.
    async fn bind(&self, user: User, role: &str) {
        let (namespace, name) = (&self.namespace, user.name());
        let text = format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {name}-{role}, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}]
"
        );
        self.plane.apply(&text).await.unwrap();
    }

    fn api(&self, client: Client, kind: &str) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gradus.dev", "v1alpha1", kind));
        Api::namespaced_with(client, &self.namespace, &resource)
    }

    /// Makes an object and says what became of it.
    async fn make(&self, user: User, kind: &str, spec: &Value) -> String {
        let api = self.api(self.plane.client(user).await.unwrap(), kind);
        let object = json!({"apiVersion": "gradus.dev/v1alpha1", "kind": kind,
            "metadata": {"generateName": "it-"}, "spec": spec});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        self.told(api.create(&PostParams::default(), &object).await)
    }

    fn told(&self, answer: Result<DynamicObject, kube::Error>) -> String {
        match answer {
            Ok(_) => "taken".to_owned(),
            Err(kube::Error::Api(status)) => {
                let message = status.message.replace(&self.namespace, "NAMESPACE");
                // The letters that the cluster chose for the name.
                let Some((before, after)) = message.split_once("\"it-") else { return message };
                let after = after.split_once('"').map_or("", |(_, after)| after);
                format!("{before}IT{after}")
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn ask(&mut self, user: User, kind: &str, spec: Value) {
        let answer = self.make(user, kind, &spec).await;
        self.told.push_str(&format!("{} {kind} {spec}\n    {answer}\n", user.name()));
    }

    /// Rules and roles are in force some time after they were declared.
    async fn in_force(&self) {
        let wrong = [
            ("Approval", json!({"pipeline": "x", "environment": "x", "by": "nobody"})),
            ("Promotion", json!({"pipeline": "x", "environment": "x", "by": "nobody"})),
            ("Hold", json!({"pipeline": "x", "reason": "x", "owner": "x"})),
            (
                "Check",
                json!({"pipeline": "x", "environment": "x", "check": "x", "reporter": "nobody",
                "result": "passed", "version": "1"}),
            ),
        ];
        for (kind, spec) in wrong {
            let refused = async || self.make(User::Eve, kind, &spec).await.contains("denied request");
            assert!(eventually(refused).await, "no rule about {kind}");
        }
        for (user, kind, spec) in [
            (User::Ada, "Approval", approval("ada")),
            (User::Grace, "Promotion", approval("grace")),
            (User::Linus, "Hold", json!({"pipeline": "podinfo", "reason": "x", "owner": "x"})),
            (User::Linus, "Promotion", approval("linus")),
        ] {
            assert!(eventually(async || self.make(user, kind, &spec).await == "taken").await, "{user:?}");
        }
    }
}

fn approval(by: &str) -> Value {
    json!({"pipeline": "podinfo", "environment": "prod", "by": by})
}

#[tokio::test]
async fn people_say_what_they_may_in_their_own_name() {
    let mut desk = Desk::new("said").await;
    // Everything that RBAC can allow, without a verb of ours.
    let namespace = &desk.namespace;
    let eve = format!(
        "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: eve, namespace: {namespace}}}
rules:
  - {{apiGroups: [gradus.dev], resources: [promotions, approvals, checks, holds], verbs: [create]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: eve, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: eve}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: eve}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: grace, namespace: {namespace}}}
rules:
  - {{apiGroups: [gradus.dev], resources: [checks], verbs: [create]}}
  - {{apiGroups: [gradus.dev], resources: [checks], resourceNames: [ci], verbs: [report]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: grace, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: grace}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: grace}}]
"
    );
    desk.plane.apply(&eve).await.unwrap();
    desk.bind(User::Ada, "gradus-approver").await;
    desk.bind(User::Grace, "gradus-promoter").await;
    desk.bind(User::Linus, "gradus-holder").await;
    desk.bind(User::Linus, "gradus-emergency").await;
    desk.in_force().await;

    let with = |spec: &Value, key: &str, value: Value| {
        let mut spec = spec.clone();
        spec[key] = value;
        spec
    };
    desk.ask(User::Ada, "Approval", approval("ada")).await;
    desk.ask(User::Ada, "Approval", approval("grace")).await;
    desk.ask(User::Ada, "Approval", with(&approval("ada"), "groups", json!(["release-managers"]))).await;
    desk.ask(User::Ada, "Approval", with(&approval("ada"), "groups", json!(["platform-team"]))).await;
    desk.ask(User::Eve, "Approval", approval("eve")).await;
    desk.ask(User::Grace, "Approval", approval("grace")).await;
    desk.ask(User::Controller, "Approval", approval("ada")).await;

    desk.ask(User::Grace, "Promotion", approval("grace")).await;
    desk.ask(User::Grace, "Promotion", approval("ada")).await;
    let because = with(&approval("grace"), "reason", json!("it is on fire"));
    desk.ask(User::Grace, "Promotion", with(&because, "type", json!("rollback"))).await;
    desk.ask(User::Grace, "Promotion", with(&because, "type", json!("override"))).await;
    desk.ask(User::Grace, "Promotion", with(&because, "type", json!("emergency"))).await;
    let because = with(&because, "by", json!("linus"));
    desk.ask(User::Linus, "Promotion", with(&because, "type", json!("override"))).await;
    desk.ask(User::Linus, "Promotion", with(&because, "type", json!("emergency"))).await;
    desk.ask(User::Eve, "Promotion", approval("eve")).await;

    let hold = json!({"pipeline": "podinfo", "reason": "quarter end", "owner": "finance"});
    desk.ask(User::Linus, "Hold", hold.clone()).await;
    desk.ask(User::Eve, "Hold", hold).await;
    let check = json!({"pipeline": "podinfo", "environment": "prod", "check": "e2e", "reporter": "ci",
        "result": "passed", "version": "1.0.0"});
    desk.ask(User::Grace, "Check", check.clone()).await;
    desk.ask(User::Grace, "Check", with(&check, "reporter", json!("qa"))).await;
    desk.ask(User::Eve, "Check", check).await;
    insta::assert_snapshot!(desk.told);
}

#[tokio::test]
async fn a_mistake_is_answered_in_plain_words() {
    let mut desk = Desk::new("mistakes").await;
    let target = |target: Value| {
        json!({"repository": {"url": "https://git.example.com/a/b"},
            "environments": [{"name": "dev", "targets": [target]}]})
    };
    let environment = |environment: Value| json!({"repository": {"url": "https://git.example.com/a/b"}, "environments": [environment]});
    for spec in [
        json!({"repository": {"url": "https://git.example.com/a/b"}, "environments": []}),
        json!({"repository": {"url": "https://me:secret@git.example.com/a/b"},
            "environments": [{"name": "dev", "targets": [{"git": {}}]}]}),
        target(json!({"git": {}, "report": {}})),
        target(json!({"http": {"url": "ftp://example.com"}})),
        target(json!({"git": {}, "kind": "HelmRelease"})),
        environment(json!({"name": "Prod", "targets": [{"git": {}}]})),
        environment(json!({"name": "prod", "after": ["prod"], "targets": [{"git": {}}]})),
        environment(
            json!({"name": "prod", "targets": [{"git": {}}], "gates": [{"soak": "1h", "manual": {}}]}),
        ),
    ] {
        desk.ask(User::Admin, "Pipeline", spec).await;
    }
    desk.ask(
        User::Admin,
        "Promotion",
        json!({"pipeline": "p", "environment": "prod", "by": "admin", "type": "override"}),
    )
    .await;
    desk.ask(User::Admin, "Promotion", json!({"pipeline": "p", "environment": "prod", "by": " "})).await;
    let both = json!({"pipeline": "p", "environment": "prod", "by": "admin", "version": "1", "versions": {"a": "1"}});
    desk.ask(User::Admin, "Approval", both).await;
    desk.ask(User::Admin, "Hold", json!({"pipeline": "p", "reason": "", "owner": "admin"})).await;
    let check =
        json!({"pipeline": "p", "environment": "prod", "check": "e2e", "reporter": "ci", "result": "good"});
    desk.ask(User::Admin, "Check", check).await;

    // What was said stays as it was said, whoever asks.
    let client = desk.plane.client(User::Admin).await.unwrap();
    for (kind, spec) in [
        ("Approval", approval("admin")),
        ("Promotion", approval("admin")),
        (
            "Check",
            json!({"pipeline": "podinfo", "environment": "prod", "check": "e2e", "reporter": "ci",
            "result": "passed", "version": "1.0.0"}),
        ),
    ] {
        let api = desk.api(client.clone(), kind);
        let object = json!({"apiVersion": "gradus.dev/v1alpha1", "kind": kind,
            "metadata": {"name": "said"}, "spec": spec});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        api.create(&PostParams::default(), &object).await.unwrap();
        let other = Patch::Merge(json!({"spec": {"environment": "staging"}}));
        let answer = desk.told(api.patch("said", &PatchParams::default(), &other).await);
        desk.told.push_str(&format!("changing {kind} \"said\"\n    {answer}\n"));
    }
    insta::assert_snapshot!(desk.told);
}
