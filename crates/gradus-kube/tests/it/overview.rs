//! The overview of pipelines that labels make.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use gradus_kube::ask::Cluster;
use gradus_kube::{OverviewOptions, overview, overview_kinds};
use gradus_testbed::{ControlPlane, User};
use serde_json::{Value, json};

const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";

/// A stage of a pipeline, with its labels.
fn stage(place: &str, pipeline: &str, stage: &str) -> Value {
    let (namespace, name) = place.split_once('/').unwrap();
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"namespace": namespace, "name": name, "labels": {
            "pipelines.weave.works/name": pipeline, "pipelines.weave.works/stage": stage,
        }},
        "spec": {"interval": "10m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
    })
}

fn of(stage: &str) -> Value {
    let (namespace, name) = stage.split_once('/').unwrap();
    json!({format!("{KUSTOMIZE}/name"): name, format!("{KUSTOMIZE}/namespace"): namespace})
}

fn deployment(namespace: &str, name: &str, stage: &str, images: &[&str]) -> Value {
    let container = |(at, image): (usize, &&str)| json!({"name": format!("c{at}"), "image": image});
    let containers: Vec<Value> = images.iter().enumerate().map(container).collect();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": name, "labels": of(stage)},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": containers}},
        },
    })
}

fn release(namespace: &str, name: &str, stage: &str, version: Option<&str>) -> Value {
    let mut chart = json!({"chart": name, "sourceRef": {"kind": "HelmRepository", "name": "charts"}});
    if let Some(version) = version {
        chart["version"] = version.into();
    }
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"namespace": namespace, "name": name, "labels": of(stage)},
        "spec": {"interval": "10m", "chart": {"spec": chart}},
    })
}

/// Three stages, each with nginx and podinfo.
fn base() -> Vec<Value> {
    let mut objects = Vec::new();
    for (at, (here, nginx, podinfo)) in
        [("dev", "1.23.1", "6.1.6"), ("staging", "1.22.0", "5.2.1"), ("prod", "1.21.6", "5.2.1")]
            .into_iter()
            .enumerate()
    {
        let place = format!("{here}/base-{here}");
        objects.push(stage(&place, "base", &at.to_string()));
        objects.push(deployment(here, "nginx", &place, &[&format!("nginx:{nginx}")]));
        objects.push(release(here, "podinfo", &place, Some(podinfo)));
    }
    objects
}

const BASE: &str = "base:
\tdev/base-dev
\t\tDeployment/dev/nginx: 1.23.1
\t\tHelmRelease/dev/podinfo: 6.1.6
\tstaging/base-staging
\t\tDeployment/staging/nginx: 1.22.0
\t\tHelmRelease/staging/podinfo: 5.2.1
\tprod/base-prod
\t\tDeployment/prod/nginx: 1.21.6
\t\tHelmRelease/prod/podinfo: 5.2.1
";

fn plain(objects: &[Value]) -> String {
    overview(objects, OverviewOptions::default())
}

/// K11, K12, K13: three stages with a namespace each, and what belongs to each by its labels.
#[test]
fn stages_are_in_order_with_deployments_before_releases() {
    let mut objects = base();
    assert_eq!(plain(&objects), BASE);
    objects.reverse();
    assert_eq!(plain(&objects), BASE, "whatever order the cluster has");
}

/// K14.
#[test]
fn several_containers_have_their_tags_in_their_order() {
    let objects = [
        stage("dev/web", "web", "0"),
        deployment("dev", "web", "dev/web", &["envoy:1.29", "ghcr.io/acme/web:2.0.0", "busybox:1.36"]),
    ];
    assert_eq!(plain(&objects), "web:\n\tdev/web\n\t\tDeployment/dev/web: 1.29, 2.0.0, 1.36\n");
}

/// K15: images and charts whose version is nothing plain.
#[test]
fn what_has_no_plain_version_is_told_as_it_is() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let by_digest = format!("ghcr.io/acme/web@{digest}");
    let mut from_chart = release("dev", "from-oci", "dev/web", None);
    from_chart["spec"] = json!({"chartRef": {"kind": "OCIRepository", "name": "web"}});
    from_chart["status"] = json!({"history": [{"chartVersion": "3.1.4"}]});
    let mut nothing = deployment("dev", "e-nothing", "dev/web", &[]);
    nothing["spec"] = Value::Null;
    let objects = [
        stage("dev/web", "web", "0"),
        deployment("dev", "a-untagged", "dev/web", &["nginx"]),
        deployment("dev", "b-digest", "dev/web", &[&by_digest]),
        deployment("dev", "c-port", "dev/web", &["registry.local:5000/web"]),
        deployment("dev", "d-port", "dev/web", &["registry.local:5000/web:1.2.3"]),
        nothing,
        release("dev", "any", "dev/web", None),
        release("dev", "range", "dev/web", Some(">=6.0.0")),
        from_chart,
        json!({"kind": "Deployment"}),
        Value::Null,
    ];
    let expected = format!(
        "web:\n\tdev/web\n\t\tDeployment/dev/a-untagged: latest\n\t\tDeployment/dev/b-digest: {digest}\n\
         \t\tDeployment/dev/c-port: latest\n\t\tDeployment/dev/d-port: 1.2.3\n\t\tDeployment/dev/e-nothing: -\n\
         \t\tHelmRelease/dev/any: floating\n\t\tHelmRelease/dev/from-oci: floating, 3.1.4 now\n\
         \t\tHelmRelease/dev/range: >=6.0.0\n"
    );
    assert_eq!(plain(&objects), expected);
}

/// K15, K16: a stage whose number is none.
#[test]
fn a_stage_without_a_number_comes_last_and_says_so() {
    let mut unlabelled = stage("x/none", "web", "0");
    unlabelled["metadata"]["labels"].as_object_mut().unwrap().remove("pipelines.weave.works/stage");
    let objects = [
        unlabelled,
        stage("x/later", "web", "later"),
        stage("x/below", "web", "-1"),
        stage("x/ten", "web", "10"),
        stage("x/two", "web", "2"),
        stage("a/two", "web", "2"),
    ];
    assert_eq!(
        plain(&objects),
        "web:\n\ta/two\n\tx/two\n\tx/ten\n\tx/below (stage \"-1\" is no number)\n\
         \tx/later (stage \"later\" is no number)\n\tx/none (no stage)\n"
    );
}

/// K15, K16: pipelines are made by two labels, in whatever namespaces.
#[test]
fn pipelines_are_sorted_by_name_and_what_belongs_to_none_is_left_out() {
    let objects = [
        stage("z/web", "web", "0"),
        stage("a/podinfo-1", "podinfo", "1"),
        stage("b/podinfo-0", "podinfo", "0"),
        deployment("b", "elsewhere", "b/another", &["nginx:1"]),
    ];
    assert_eq!(plain(&objects), "podinfo:\n\tb/podinfo-0\n\ta/podinfo-1\nweb:\n\tz/web\n");
    assert_eq!(plain(&[]), "");
}

#[test]
fn urls_are_shown_when_asked_for_and_break_no_line() {
    let mut objects = base();
    for (at, object) in objects.iter_mut().filter(|object| object["kind"] == "Kustomization").enumerate() {
        let url = format!("https://app-{at}.example.com\n\u{1b}[2J");
        object["metadata"]["annotations"] = json!({"metadata.weave.works/app-url": url});
    }
    assert_eq!(plain(&objects), BASE);
    let with = overview(&objects, OverviewOptions { urls: true });
    assert!(with.contains("\tdev/base-dev\thttps://app-0.example.com  [2J\n"), "{with:?}");
    assert_eq!(with.lines().count(), BASE.lines().count());
}

/// A10: five environments, each with the address of its application.
#[test]
fn a10_five_environments_are_shown_with_their_urls() {
    let names = ["dev", "dev-test", "uat", "stg", "prod"];
    let objects: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let mut object = stage(&format!("{name}/podinfo"), "podinfo", &at.to_string());
            let url = format!("https://{name}.example.com");
            object["metadata"]["annotations"] = json!({"metadata.weave.works/app-url": url});
            object
        })
        .collect();
    let with = overview(&objects, OverviewOptions { urls: true });
    let expected: String =
        names.map(|name| format!("\t{name}/podinfo\thttps://{name}.example.com\n")).concat();
    assert_eq!(with, format!("podinfo:\n{expected}"));
}

/// K11, K12: the same of a real cluster.
#[tokio::test]
async fn a_real_cluster_has_the_same_overview() {
    let plane = ControlPlane::shared().await.unwrap();
    plane.flux_crds().await.unwrap();
    let mut yaml = String::new();
    for namespace in ["dev", "staging", "prod"] {
        yaml.push_str(&format!("---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"));
    }
    for object in base() {
        yaml.push_str(&format!("---\n{object}\n"));
    }
    plane.apply(&yaml).await.unwrap();
    let cluster = Cluster::new(plane.client(User::Admin).await.unwrap(), "default", "cluster test");
    let mut objects = Vec::new();
    for kind in overview_kinds() {
        objects.extend(cluster.list_all(&kind).await.unwrap());
    }
    assert_eq!(plain(&objects), BASE);
}
