//! The tree of what Flux made of a cluster.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

use gradus_core::tell::Clock;
use gradus_evidence::GroupKind;
use gradus_kube::{Root, Sighted, tree};
use serde_json::{Value, json};

const REVISION: &str = "main@sha1:3f2b9ed0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6";

fn clock() -> Clock {
    Clock::utc("2026-11-21T12:00:00Z".parse().unwrap())
}

fn object(kind: &str, place: &str) -> Value {
    let api = match kind {
        "Kustomization" => "kustomize.toolkit.fluxcd.io/v1",
        "HelmRelease" => "helm.toolkit.fluxcd.io/v2",
        "Deployment" | "StatefulSet" => "apps/v1",
        _ => "source.toolkit.fluxcd.io/v1",
    };
    let (namespace, name) = place.split_once('/').unwrap();
    json!({"apiVersion": api, "kind": kind, "metadata": {
        "namespace": namespace, "name": name, "generation": 1, "creationTimestamp": "2026-11-18T12:00:00Z",
    }})
}

/// The object, with what another document says of it.
fn with(mut object: Value, more: Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        match object.get_mut(key).and_then(Value::as_object_mut) {
            Some(known) => known.extend(value.as_object().unwrap().clone()),
            None => object[key] = value.clone(),
        }
    }
    object
}

fn released(status: &str, reason: &str, message: &str) -> Value {
    let mut conditions = ready(status, reason, message);
    let mut released = conditions[0].clone();
    released["type"] = "Released".into();
    conditions.as_array_mut().unwrap().push(released);
    conditions
}

fn ready(status: &str, reason: &str, message: &str) -> Value {
    json!([{"type": "Ready", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-18T12:00:00Z", "observedGeneration": 1}])
}

fn by(owner: &str, place: &str) -> Value {
    let group = if owner == "Kustomization" { "kustomize" } else { "helm" };
    let (namespace, name) = place.split_once('/').unwrap();
    let group = format!("{group}.toolkit.fluxcd.io");
    json!({"labels": {format!("{group}/name"): name, format!("{group}/namespace"): namespace}})
}

fn repository(place: &str) -> Value {
    with(
        object("GitRepository", place),
        json!({"status": {"observedGeneration": 1, "conditions": ready("True", "Succeeded", "stored"),
            "artifact": {"revision": REVISION, "lastUpdateTime": "2026-11-18T12:00:00Z"}}}),
    )
}

fn kustomization(place: &str, after: &[&str], inventory: &[&str]) -> Value {
    let after: Vec<Value> = after.iter().map(|name| json!({"name": name})).collect();
    let entries: Vec<Value> = inventory.iter().map(|id| json!({"id": id, "v": "v1"})).collect();
    with(
        object("Kustomization", place),
        json!({
            "spec": {"wait": true, "dependsOn": after,
                "sourceRef": {"kind": "GitRepository", "name": "fleet", "namespace": "flux-system"}},
            "status": {"observedGeneration": 1, "conditions": ready("True", "ReconciliationSucceeded", "applied"),
                "lastAppliedRevision": REVISION, "lastAttemptedRevision": REVISION,
                "inventory": {"entries": entries}},
        }),
    )
}

fn release(place: &str, version: Option<&str>, installed: &str, repository: &str) -> Value {
    let (_, name) = place.split_once('/').unwrap();
    let source = json!({"kind": "HelmRepository", "name": repository, "namespace": "flux-system"});
    let mut chart = json!({"chart": name, "sourceRef": source});
    if let Some(version) = version {
        chart["version"] = version.into();
    }
    with(
        object("HelmRelease", place),
        json!({
            "spec": {"chart": {"spec": chart}},
            "status": {"observedGeneration": 1, "conditions": released("True", "UpgradeSucceeded", "upgraded"),
                "lastAttemptedGeneration": 1, "lastAttemptedRevision": installed,
                "history": [{"chartName": name, "chartVersion": installed, "status": "deployed", "version": 3,
                    "firstDeployed": "2026-11-18T12:00:00Z", "lastDeployed": "2026-11-18T12:00:00Z"}]},
        }),
    )
}

fn deployment(place: &str, image: &str) -> Value {
    with(
        object("Deployment", place),
        json!({
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "x"}},
                "template": {"spec": {"containers": [{"name": "app", "image": image}]}}},
            "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
                "availableReplicas": 1, "conditions": [
                    {"type": "Available", "status": "True", "lastTransitionTime": "2026-11-18T12:00:00Z"},
                    {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
                        "lastUpdateTime": "2026-11-18T12:00:00Z"}]},
        }),
    )
}

fn helm_repository(place: &str) -> Value {
    with(object("HelmRepository", place), json!({"spec": {"type": "oci", "url": "oci://ghcr.io/charts"}}))
}

/// A repository in which one Kustomization applies all others, as `flux bootstrap` makes it.
fn fleet() -> Vec<Value> {
    let owned = |object: Value, owner: &str, place: &str| with(object, json!({"metadata": by(owner, place)}));
    vec![
        repository("flux-system/fleet"),
        owned(kustomization("flux-system/flux-system", &[], &[]), "Kustomization", "flux-system/flux-system"),
        owned(
            kustomization(
                "flux-system/infrastructure",
                &[],
                &["ingress_ingress-nginx_helm.toolkit.fluxcd.io_HelmRelease"],
            ),
            "Kustomization",
            "flux-system/flux-system",
        ),
        owned(
            kustomization(
                "flux-system/apps",
                &["infrastructure"],
                &["apps_podinfo_helm.toolkit.fluxcd.io_HelmRelease"],
            ),
            "Kustomization",
            "flux-system/flux-system",
        ),
        helm_repository("flux-system/charts"),
        owned(
            release("ingress/ingress-nginx", None, "4.11.3", "charts"),
            "Kustomization",
            "flux-system/infrastructure",
        ),
        owned(release("apps/podinfo", Some("6.5.1"), "6.5.1", "charts"), "Kustomization", "flux-system/apps"),
        owned(
            deployment(
                "ingress/ingress-nginx-controller",
                "registry.k8s.io/ingress-nginx/controller:v1.11.3",
            ),
            "HelmRelease",
            "ingress/ingress-nginx",
        ),
        owned(
            deployment("apps/podinfo", "ghcr.io/stefanprodan/podinfo:6.5.1"),
            "HelmRelease",
            "apps/podinfo",
        ),
        deployment("kube-system/coredns", "coredns:1.12"),
    ]
}

fn of(objects: Vec<Value>) -> Sighted {
    Sighted::new(objects, BTreeMap::new())
}

fn change(objects: &mut [Value], kind: &str, name: &str) -> usize {
    objects.iter().position(|object| object["kind"] == kind && object["metadata"]["name"] == name).unwrap()
}

/// D1, D3, D14: a repository of apps and infrastructure, charts from shared sources, and
/// charts whose version floats.
#[test]
fn everything_that_flux_made_with_versions_and_health() {
    insta::assert_snapshot!(tree(&of(fleet()), &Root::All, &clock()).unwrap());
}

/// D1, D2, D4: what should be there and is not, what waits for what, and a release that is
/// not ready in front of what needs it.
#[test]
fn what_is_missing_or_waits_is_reported() {
    let mut objects = fleet();
    // What infrastructure applied is gone, and so are the charts.
    objects
        .retain(|object| object["metadata"]["name"] != "ingress-nginx" && object["kind"] != "HelmRepository");
    let apps = change(&mut objects, "Kustomization", "apps");
    objects[apps]["spec"]["dependsOn"] =
        json!([{"name": "infrastructure"}, {"name": "databases", "namespace": "db"}]);
    objects[apps]["status"]["conditions"] =
        ready("False", "DependencyNotReady", "dependency 'db/databases' is not ready");
    let podinfo = change(&mut objects, "HelmRelease", "podinfo");
    objects[podinfo]["status"]["conditions"] =
        released("False", "UpgradeFailed", "Helm upgrade failed: timed out waiting for the condition");
    objects[podinfo]["spec"]["chart"]["spec"]["version"] = "6.6.x".into();
    objects.push(with(
        kustomization("prod/apps", &[], &[]),
        json!({"spec": {"sourceRef": {"kind": "GitRepository", "name": "gone"}}}),
    ));
    insta::assert_snapshot!(tree(&of(objects), &Root::All, &clock()).unwrap());
}

#[test]
fn a_part_of_the_tree() {
    let seen = of(fleet());
    let object = |kind: &str, namespace: Option<&str>, name: &str| Root::Object {
        kind: kind.to_owned(),
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    };
    let mut told = String::new();
    for root in [
        object("ks", None, "infrastructure"),
        object("helmreleases", Some("apps"), "podinfo"),
        Root::Namespace("apps".to_owned()),
        object("hr", None, "podinf"),
        object("hr", Some("nowhere"), "podinfo"),
        object("Pod", None, "x"),
    ] {
        told.push_str(&format!("{root:?}\n"));
        match tree(&seen, &root, &clock()) {
            Ok(text) => told.push_str(&text),
            Err(error) => told.push_str(&format!("! {error}\n! {}\n", error.help)),
        }
        told.push('\n');
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_was_not_looked_at_is_unknown_and_not_missing() {
    let mut objects = fleet();
    objects.retain(|object| object["kind"] != "HelmRelease");
    let blind = GroupKind::new("helm.toolkit.fluxcd.io", "HelmRelease");
    let seen = Sighted::new(objects, BTreeMap::from([(blind, "eve may not list helmreleases".to_owned())]));
    insta::assert_snapshot!(tree(&seen, &Root::All, &clock()).unwrap());
}

#[test]
fn a_circle_and_what_is_no_object_lead_nowhere() {
    let one = with(kustomization("x/one", &[], &[]), json!({"metadata": by("Kustomization", "x/two")}));
    let two = with(kustomization("x/two", &[], &[]), json!({"metadata": by("Kustomization", "x/one")}));
    let text =
        tree(&of(vec![one, two, Value::Null, json!({"kind": "HelmRelease"})]), &Root::All, &clock()).unwrap();
    assert_eq!(text.matches("Kustomization x/one").count(), 1, "{text}");
    assert_eq!(text.matches("Kustomization x/two").count(), 1, "{text}");
}
