//! What gradus may: what its code asks of the API server, and nothing more.

use std::collections::BTreeSet;
use std::path::Path;

use gradus_evidence::{GroupKind, needs_of};
use gradus_testbed::User;
use k8s_openapi::api::authorization::v1::{SelfSubjectRulesReview, SelfSubjectRulesReviewSpec};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;

use super::{eventually, installed, root};

/// A right that the code needs: the group, the resource, the verbs, and a file with
/// words in it that need the right.
type Right = (&'static str, &'static str, &'static [&'static str], &'static str, &'static str);

const SEE: &[&str] = &["get", "list", "watch"];
const READ: &str = "crates/gradus-kube/src/watch/read.rs";
const KINDS: &str = "crates/gradus-kube/src/kinds.rs";
const WRITE: &str = "crates/gradus-kube/src/write.rs";
const NOTIFICATIONS: &str = "crates/gradus-kube/src/notifications.rs";

const PIPELINES: &[Right] = &[
    ("gradus.dev", "pipelines", &["list", "watch"], KINDS, "Which::All(self.among(kind))"),
    ("gradus.dev", "pipelines", &["patch"], WRITE, ".patch_metadata("),
    ("gradus.dev", "promotions", &["list", "watch"], KINDS, "\"promotions\""),
    ("gradus.dev", "approvals", &["list", "watch"], KINDS, "\"approvals\""),
    ("gradus.dev", "checks", &["list", "watch"], KINDS, "\"checks\""),
    ("gradus.dev", "holds", &["list", "watch"], KINDS, "\"holds\""),
    ("gradus.dev", "pipelines/status", &["patch"], WRITE, ".patch_status("),
    ("gradus.dev", "promotions/status", &["patch"], WRITE, ".patch_status("),
    ("gradus.dev", "approvals/status", &["patch"], WRITE, ".patch_status("),
    ("gradus.dev", "checks/status", &["patch"], WRITE, ".patch_status("),
    ("gradus.dev", "holds/status", &["patch"], WRITE, ".patch_status("),
    ("gradus.dev", "promotions", &["delete"], WRITE, "api.delete("),
    ("gradus.dev", "notifications", SEE, NOTIFICATIONS, "api.get_opt("),
    ("gradus.dev", "notifications/status", &["patch"], NOTIFICATIONS, "api.patch_status("),
    (
        "pipelines.weave.works",
        "pipelines",
        SEE,
        "crates/gradus-kube/src/weave/port.rs",
        "self.pipelines.get(",
    ),
    (
        "pipelines.weave.works",
        "pipelines/status",
        &["patch"],
        "crates/gradus-kube/src/weave/api.rs",
        "api.patch_status(",
    ),
    ("gitops.weave.works", "gitopsclusters", SEE, "crates/gradus-kube/src/weave/sight.rs", "CLUSTERS"),
    (
        "events.k8s.io",
        "events",
        &["create", "patch"],
        "crates/gradus-kube/src/events.rs",
        "recorder.publish(",
    ),
    ("events.k8s.io", "events", &["get"], "crates/gradus-kube/src/weave/news.rs", "api.get(name)"),
];

const TARGETS: &[Right] = &[
    ("helm.toolkit.fluxcd.io", "helmreleases", SEE, READ, ".watch("),
    ("kustomize.toolkit.fluxcd.io", "kustomizations", SEE, READ, ".watch("),
    ("source.toolkit.fluxcd.io", "gitrepositories", SEE, READ, ".watch("),
    ("source.toolkit.fluxcd.io", "ocirepositories", SEE, READ, ".watch("),
    ("source.toolkit.fluxcd.io", "buckets", SEE, READ, ".watch("),
    ("source.toolkit.fluxcd.io", "helmcharts", SEE, READ, ".watch("),
    ("source.toolkit.fluxcd.io", "externalartifacts", SEE, READ, ".watch("),
    ("argoproj.io", "applications", SEE, READ, ".watch("),
    ("argoproj.io", "rollouts", SEE, READ, ".watch("),
    ("flagger.app", "canaries", SEE, READ, ".watch("),
    ("apps", "deployments", SEE, READ, ".watch("),
    ("apps", "statefulsets", SEE, READ, ".watch("),
    ("apps", "daemonsets", SEE, READ, ".watch("),
    ("batch", "jobs", SEE, READ, ".watch("),
    ("", "pods", SEE, READ, ".watch("),
];

const NUDGE: &str = "crates/gradus-kube/src/nudge.rs";
const GOAL: &str = "crates/gradus-kube/src/nudge/goal.rs";
/// `poke` is asked of nobody: a policy takes it for the mark of who may patch only to ask.
const POKE: &[&str] = &["patch", "poke"];

/// What those who deploy are asked with.
const POKES: &[Right] = &[
    ("source.toolkit.fluxcd.io", "gitrepositories", POKE, NUDGE, "Goal::source(source)"),
    ("kustomize.toolkit.fluxcd.io", "kustomizations", POKE, GOAL, "self.is(KUSTOMIZE, \"Kustomization\")"),
    ("argoproj.io", "applications", POKE, GOAL, "self.is_an_application()"),
];

/// Everything that the code asks for, where pipelines and targets may be.
pub(super) fn everywhere() -> BTreeSet<String> {
    expanded(PIPELINES.iter().chain(TARGETS).chain(POKES))
}

pub(super) fn where_pipelines_are() -> BTreeSet<String> {
    expanded(PIPELINES.iter())
}

pub(super) fn where_targets_are() -> BTreeSet<String> {
    expanded(TARGETS.iter().chain(POKES))
}

/// What it needs besides, where it runs.
pub(super) fn at_home(lease: &str) -> BTreeSet<String> {
    [
        "create coordination.k8s.io/leases".to_owned(),
        format!("get coordination.k8s.io/leases {lease}"),
        format!("update coordination.k8s.io/leases {lease}"),
    ]
    .into()
}

fn expanded<'a>(rights: impl Iterator<Item = &'a Right>) -> BTreeSet<String> {
    rights
        .flat_map(|(group, resource, verbs, _, _)| {
            verbs.iter().map(move |verb| format!("{verb} {group}/{resource}"))
        })
        .collect()
}

/// Somebody may exactly this in a namespace, beyond what everybody may.
pub(super) async fn assert_granted(
    client: Client,
    everybody: Client,
    namespace: &str,
    wanted: BTreeSet<String>,
) {
    let mut granted = BTreeSet::new();
    // Roles are in force some time after they were declared.
    let _last_is_compared = eventually(async || {
        let (theirs, everybodys) = (rules(&client, namespace).await, rules(&everybody, namespace).await);
        granted = theirs.difference(&everybodys).cloned().collect();
        granted == wanted
    })
    .await;
    assert_eq!(granted, wanted);
}

async fn rules(client: &Client, namespace: &str) -> BTreeSet<String> {
    let spec = SelfSubjectRulesReviewSpec { namespace: Some(namespace.to_owned()) };
    let review = SelfSubjectRulesReview { spec, ..SelfSubjectRulesReview::default() };
    let reviews: Api<SelfSubjectRulesReview> = Api::all(client.clone());
    let status = reviews.create(&PostParams::default(), &review).await.unwrap().status.unwrap();
    assert!(!status.incomplete, "{:?}", status.evaluation_error);
    let mut rules = BTreeSet::new();
    for rule in status.resource_rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for verb in &rule.verbs {
                    let names = rule.resource_names.clone().unwrap_or_default();
                    let right = format!("{verb} {group}/{resource}");
                    if names.is_empty() {
                        rules.insert(right.clone());
                    }
                    rules.extend(names.iter().map(|name| format!("{right} {name}")));
                }
            }
        }
    }
    rules
}

#[tokio::test]
async fn it_may_what_its_code_asks_for_and_nothing_more() {
    let plane = installed().await;
    let namespace = plane.namespace("pipelines").await.unwrap();
    let client = async |user| plane.client(user).await.unwrap();
    assert_granted(client(User::Controller).await, client(User::Eve).await, &namespace, everywhere()).await;
    let home = &everywhere() | &at_home("gradus-leader-election");
    assert_granted(client(User::Controller).await, client(User::Eve).await, "gradus-system", home).await;
}

#[test]
fn every_right_is_needed_by_code() {
    for (group, resource, _, file, words) in PIPELINES.iter().chain(TARGETS).chain(POKES) {
        let code = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(code.contains(words), "{group}/{resource}: {file} has no {words:?} any more");
    }
    // What is looked at below a target: see `needs_of`.
    let tops = [
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("argoproj.io", "Application"),
        ("argoproj.io", "Rollout"),
        ("flagger.app", "Canary"),
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "DaemonSet"),
        ("batch", "Job"),
    ];
    let mut needed = BTreeSet::new();
    for (group, kind) in tops {
        let top = GroupKind::new(group, kind);
        for kind in needs_of(&top).into_iter().chain([top]) {
            let singular = kind.kind.to_lowercase();
            let plural = match singular.strip_suffix('y') {
                Some(stem) => format!("{stem}ies"),
                None => format!("{singular}s"),
            };
            needed.extend(SEE.iter().map(|verb| format!("{verb} {}/{plural}", kind.group)));
        }
    }
    assert_eq!(expanded(TARGETS.iter()), needed);
}

/// Where the code writes to an API server. Who adds a place adds the right: to the
/// roles below `config/` and `charts/`, and to the tables above. Those of `ask` are
/// done by the people who ask, with their own rights.
#[test]
fn every_write_of_the_code_is_known() {
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("crates/gradus-kube/src"), root().join("crates/gradus/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.extend(writes(&entry.path()));
            }
        }
    }
    let found: Vec<String> = found.into_iter().collect();
    insta::assert_snapshot!(found.join("\n"), @"
    crates/gradus-kube/src/ask/cluster.rs with DeleteParams
    crates/gradus-kube/src/ask/cluster.rs with PostParams
    crates/gradus-kube/src/events.rs with Recorder
    crates/gradus-kube/src/lease.rs with PostParams
    crates/gradus-kube/src/notifications.rs with PatchParams
    crates/gradus-kube/src/notifications.rs with Recorder
    crates/gradus-kube/src/nudge.rs with PatchParams
    crates/gradus-kube/src/weave/api.rs with PatchParams
    crates/gradus-kube/src/weave/news.rs with PatchParams
    crates/gradus-kube/src/weave/news.rs with PostParams
    crates/gradus-kube/src/weave/news.rs with Recorder
    crates/gradus-kube/src/write.rs with DeleteParams
    crates/gradus-kube/src/write.rs with PatchParams
    ");
}

/// With what kube is told to write.
fn writes(file: &Path) -> Vec<String> {
    let code = std::fs::read_to_string(file).unwrap();
    let name = file.strip_prefix(root()).unwrap().display().to_string();
    let tools = ["PostParams", "PatchParams", "DeleteParams", "EvictParams", "Recorder"];
    let known = tools
        .into_iter()
        .filter(|tool| ["::", " {"].iter().any(|next| code.contains(&format!("{tool}{next}"))));
    known.map(|tool| format!("{name} with {tool}")).collect()
}

#[tokio::test]
async fn it_can_do_its_work() {
    let plane = installed().await;
    let namespace = plane.namespace("work").await.unwrap();
    let (admin, own) =
        (plane.client(User::Admin).await.unwrap(), plane.client(User::Controller).await.unwrap());
    let spec = json!({"pipeline": "podinfo", "environment": "prod", "by": "ada", "reason": "because"});
    let check = json!({"pipeline": "podinfo", "environment": "prod", "check": "e2e", "reporter": "ci",
        "result": "passed", "version": "1.0.0"});
    let hold = json!({"pipeline": "podinfo", "reason": "because", "owner": "ada"});
    let pipeline = json!({"repository": {"url": "https://git.example.com/a/b"},
        "environments": [{"name": "dev", "targets": [{"git": {}}]}]});
    let objects = [
        ("Pipeline", pipeline, json!({"summary": "well"})),
        ("Promotion", spec.clone(), json!({"state": "open"})),
        (
            "Approval",
            json!({"pipeline": "podinfo", "environment": "prod", "by": "ada"}),
            json!({"state": "taken"}),
        ),
        ("Check", check, json!({"state": "taken"})),
        ("Hold", hold, json!({"state": "taken"})),
    ];
    for (kind, spec, status) in objects {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("gradus.dev", "v1alpha1", kind));
        let api =
            |client: &Client| Api::<DynamicObject>::namespaced_with(client.clone(), &namespace, &resource);
        let object = json!({"apiVersion": "gradus.dev/v1alpha1", "kind": kind, "metadata": {"name": "podinfo"}, "spec": spec});
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let made = api(&admin).create(&PostParams::default(), &object).await.unwrap();
        assert_eq!(api(&own).list(&ListParams::default()).await.unwrap().items.len(), 1);
        let patch = json!({"apiVersion": "gradus.dev/v1alpha1", "kind": kind,
            "metadata": {"name": "podinfo", "namespace": namespace, "uid": made.uid().unwrap()}, "status": status});
        let apply = PatchParams::apply("gradus").force();
        api(&own).patch_status("podinfo", &apply, &Patch::Apply(&patch)).await.unwrap();
        // Not what people wrote.
        let mut other = spec;
        other["repository"] = json!({"url": "https://git.example.com/other"});
        let written = Patch::Merge(json!({"spec": other}));
        assert_forbidden(api(&own).patch("podinfo", &PatchParams::default(), &written).await);
        if kind == "Pipeline" {
            finalizers(&api(&own), &made).await;
        }
        assert_forbidden(api(&own).create(&PostParams::default(), &object).await);
        let deleted = api(&own).delete("podinfo", &DeleteParams::default()).await;
        if kind == "Promotion" { drop(deleted.unwrap()) } else { assert_forbidden(deleted) }
    }
    poke(&admin, &own, &namespace).await;
    lease(&own).await;
    events(&own, &namespace).await;
    secrets(&admin, &own, &namespace).await;
}

/// It keeps a pipeline, and lets it go.
async fn finalizers(own: &Api<DynamicObject>, seen: &DynamicObject) {
    let patch = async |metadata| {
        let patch = Patch::Merge(json!({"metadata": metadata}));
        own.patch_metadata("podinfo", &PatchParams::default(), &patch).await
    };
    let stale = json!({"resourceVersion": "1", "finalizers": ["gradus.dev/proposals"]});
    match patch(stale).await {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 409, "{status}"),
        other => panic!("not refused: {other:?}"),
    }
    assert_eq!(seen.finalizers(), Vec::<String>::new());
    patch(json!({"finalizers": ["gradus.dev/proposals"]})).await.unwrap();
    for more in [
        json!({"labels": {"team": "other"}}),
        json!({"annotations": {"reconcile.fluxcd.io/requestedAt": "now"}}),
        json!({"finalizers": [], "labels": {"team": "other"}}),
    ] {
        assert_forbidden(patch(more).await);
    }
    patch(json!({"finalizers": []})).await.unwrap();
}

/// It asks an object of Flux to look, and can change nothing else of it.
async fn poke(admin: &Client, own: &Client, namespace: &str) {
    installed().await.flux_crds().await.unwrap();
    let source = GroupVersionKind::gvk("source.toolkit.fluxcd.io", "v1", "GitRepository");
    let resource = ApiResource::from_gvk_with_plural(&source, "gitrepositories");
    let api = |client: &Client| Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &resource);
    let object = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "fleet", "annotations": {"team": "platform"}},
        "spec": {"url": "https://git.example.com/acme/fleet", "interval": "1m"}});
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api(admin).create(&PostParams::default(), &object).await.unwrap();
    let patch = async |patch| api(own).patch("fleet", &PatchParams::default(), &Patch::Merge(patch)).await;
    let asks = |value: &str| json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": value}}});
    for value in ["once", "twice"] {
        patch(asks(value)).await.unwrap();
    }
    for more in [
        json!({"spec": {"url": "https://git.example.com/eve/fleet"}}),
        json!({"metadata": {"annotations": {"team": "other"}}}),
        json!({"metadata": {"annotations": {"team": null}}}),
        json!({"metadata": {"labels": {"team": "other"}}}),
        json!({"metadata": {"finalizers": ["example.com/keep"]}}),
    ] {
        assert_forbidden(patch(more).await);
    }
}

fn assert_forbidden<T: std::fmt::Debug>(answer: Result<T, kube::Error>) {
    match answer {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 403, "{status}"),
        other => panic!("not refused: {other:?}"),
    }
}

async fn lease(own: &Client) {
    let leases: Api<Lease> = Api::namespaced(own.clone(), "gradus-system");
    let named = |name: &str| Lease {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        spec: None,
    };
    let made = leases.create(&PostParams::default(), &named("gradus-leader-election")).await.unwrap();
    leases.get("gradus-leader-election").await.unwrap();
    leases.replace("gradus-leader-election", &PostParams::default(), &made).await.unwrap();
    assert_forbidden(leases.get("of-somebody-else").await);
    let elsewhere: Api<Lease> = Api::namespaced(own.clone(), "default");
    assert_forbidden(elsewhere.create(&PostParams::default(), &named("gradus-leader-election")).await);
}

async fn events(own: &Client, namespace: &str) {
    let recorder = Recorder::new(own.clone(), Reporter { controller: "gradus".to_owned(), instance: None });
    let about = k8s_openapi::api::core::v1::ObjectReference {
        kind: Some("Pipeline".to_owned()),
        namespace: Some(namespace.to_owned()),
        name: Some("podinfo".to_owned()),
        ..Default::default()
    };
    let event = Event {
        type_: EventType::Normal,
        reason: "Promoted".to_owned(),
        note: None,
        action: "prod".to_owned(),
        secondary: None,
    };
    // The second time the first is counted up.
    for _ in 0..2 {
        recorder.publish(&event, &about).await.unwrap();
    }
}

/// None by itself; the named one with the Role of docs/rbac.md; never a list.
async fn secrets(admin: &Client, own: &Client, namespace: &str) {
    let named = |name: &str| Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        ..Secret::default()
    };
    let all: Api<Secret> = Api::namespaced(admin.clone(), namespace);
    for name in ["fleet-git", "of-somebody-else"] {
        all.create(&PostParams::default(), &named(name)).await.unwrap();
    }
    let seen: Api<Secret> = Api::namespaced(own.clone(), namespace);
    assert_forbidden(seen.get("fleet-git").await);
    let document = std::fs::read_to_string(root().join("docs/rbac.md")).unwrap();
    let role = document
        .split("```yaml\n")
        .filter_map(|part| part.split("```").next())
        .find(|text| text.contains("resources: [secrets]"))
        .unwrap()
        .replace("namespace: apps", &format!("namespace: {namespace}"));
    installed().await.apply(&role).await.unwrap();
    assert!(eventually(async || seen.get("fleet-git").await.is_ok()).await);
    assert_forbidden(seen.get("of-somebody-else").await);
    assert_forbidden(seen.list(&ListParams::default()).await);
}
