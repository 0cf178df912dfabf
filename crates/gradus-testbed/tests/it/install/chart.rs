//! `charts/gradus`, as Helm renders it.

use std::collections::BTreeSet;
use std::path::Path;

use gradus_testbed::User;
use k8s_openapi::api::core::v1::Service;
use kube::Api;

use super::rights::{assert_granted, at_home, everywhere, where_pipelines_are, where_targets_are};
use super::{helm, installed, kubectl, root, service_account};

/// What users of the chart pipeline-controller have in their values.
const OLD_VALUES: &str = "
nameOverride: pipeline-controller
controller:
  replicas: 1
  manager:
    image: {repository: registry.example.com/gradus, tag: 0.1.0}
    resources: {limits: {cpu: 500m, memory: 128Mi}, requests: {cpu: 10m, memory: 64Mi}}
    eventsAddr: http://notification-controller.flux-system.svc.cluster.local./
promotion:
  rateLimit: {value: 20, interval: 30}
  retry: {delay: 2, maxDelay: 20, threshold: 3}
  service: {enabled: true, type: ClusterIP, port: 8082, nodePort: null, annotations: {a: b}, labels: {c: d}}
  ingress:
    enabled: true
    className: nginx
    annotations: {cert-manager.io/cluster-issuer: letsencrypt}
    labels: {}
    hosts: [{host: promotions.example.org, paths: [{path: '/?(.*)', pathType: ImplementationSpecific}]}]
    tls: [{secretName: promotions-tls, hosts: [promotions.example.org]}]
logging: {encoding: json, level: info}
kubernetesClusterDomain: example.internal
";

/// Applies it; the definitions only as a trial, since others use those that are there.
async fn apply(text: &str) {
    let definitions = |document: &&str| document.contains("\n    helm.sh/resource-policy: keep\n");
    let (kept, rest): (Vec<&str>, Vec<&str>) = text.split("\n---\n").partition(definitions);
    for (documents, trial) in [(kept, "--dry-run=server"), (rest, "--dry-run=none")] {
        let arguments =
            ["apply", "--server-side", "--force-conflicts", "--validate=strict", trial, "-f", "-"];
        if !documents.is_empty() {
            kubectl(installed().await, &arguments, &documents.join("\n---\n")).await.unwrap();
        }
    }
}

async fn assert_rights(account: &str, in_namespace: &str, wanted: BTreeSet<String>) {
    let plane = installed().await;
    let own = service_account(plane, "flux-system", account).await;
    assert_granted(own, plane.client(User::Eve).await.unwrap(), in_namespace, wanted).await;
}

#[tokio::test]
async fn values_of_the_older_chart_keep_every_name() {
    let plane = installed().await;
    let _there = kubectl(plane, &["create", "namespace", "flux-system"], "").await;
    let template = ["template", "chart", "charts/gradus", "--namespace", "flux-system"];
    let text = helm(plane, &template, OLD_VALUES).await.unwrap();
    apply(&text).await;
    let mut named: Vec<String> = text
        .split("\n---\n")
        .filter_map(|document| {
            let line =
                |start: &str| document.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned));
            let (kind, name) = (line("kind: ")?, line("  name: ")?);
            name.contains("pipeline-controller").then(|| format!("{kind} {name}"))
        })
        .collect();
    named.sort();
    insta::assert_snapshot!(named.join("\n"), @"
    ClusterRole chart-pipeline-controller
    ClusterRole chart-pipeline-controller-approver
    ClusterRole chart-pipeline-controller-editor
    ClusterRole chart-pipeline-controller-emergency
    ClusterRole chart-pipeline-controller-holder
    ClusterRole chart-pipeline-controller-promoter
    ClusterRole chart-pipeline-controller-reporter
    ClusterRole chart-pipeline-controller-viewer
    ClusterRoleBinding chart-pipeline-controller
    Deployment chart-pipeline-controller
    Ingress chart-pipeline-controller-promotion
    NetworkPolicy chart-pipeline-controller
    Role chart-pipeline-controller-leader-election
    RoleBinding chart-pipeline-controller-leader-election
    Service chart-pipeline-controller
    Service chart-pipeline-controller-promotion
    ServiceAccount chart-pipeline-controller
    ");
    let services: Api<Service> = Api::namespaced(plane.client(User::Admin).await.unwrap(), "flux-system");
    let hook = services.get("chart-pipeline-controller-promotion").await.unwrap().spec.unwrap();
    assert_eq!(hook.ports.unwrap()[0].port, 8082);
    let arguments: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("- --")).collect();
    insta::assert_snapshot!(arguments.join("\n"), @"
    leader-elect
    lease-name=pipeline-controller-leader-election
    events-addr=http://notification-controller.flux-system.svc.example.internal./
    promotion-hook-rate-limit=20
    promotion-hook-rate-limit-interval=30
    promotion-retry-delay=2
    promotion-retry-max-delay=20
    promotion-retry-threshold=3
    log-encoding=json
    log-level=info
    poll=30s
    at-once=16
    ");

    let account = "chart-pipeline-controller";
    let home = &everywhere() | &at_home("pipeline-controller-leader-election");
    assert_rights(account, "flux-system", home).await;
    assert_rights(account, "default", everywhere()).await;
}

#[tokio::test]
async fn one_namespace_and_single_secrets() {
    let plane = installed().await;
    let _there = kubectl(plane, &["create", "namespace", "flux-system"], "").await;
    let pipelines = plane.namespace("chart-pipelines").await.unwrap();
    let target = plane.namespace("chart-target").await.unwrap();
    let values = format!(
        "
controller: {{namespace: {pipelines}, watchLabelSelector: 'team=web,tier=front'}}
crds: {{install: false}}
rbac:
  people: false
  secrets: {{names: [{{namespace: {pipelines}, names: [fleet-git]}}]}}
  targetNamespaces: [{target}]
"
    );
    let template = ["template", "small", "charts/gradus", "--namespace", "flux-system"];
    let text = helm(plane, &template, &values).await.unwrap();
    assert!(!text.contains("kind: Cluster") && !text.contains("kind: CustomResourceDefinition"), "{text}");
    apply(&text).await;
    let without =
        helm(plane, &template, &values.replace("controller: {", "controller: {poke: false, ")).await.unwrap();
    assert!(without.contains("- --no-poke\n") && !without.contains("verbs: [patch, poke]"), "{without}");
    let mut here = where_pipelines_are();
    here.insert("get /secrets fleet-git".to_owned());
    assert_rights("small-gradus", &pipelines, here).await;
    assert_rights("small-gradus", &target, where_targets_are()).await;
    assert_rights("small-gradus", "default", BTreeSet::new()).await;
}

#[tokio::test]
async fn everything_at_once_renders_and_a_wrong_value_is_named() {
    let plane = installed().await;
    let values = "
metrics: {serviceMonitor: {enabled: true, labels: {release: prometheus}}}
rbac: {secrets: {clusterWide: true}}
promotion: {tls: {secretName: webhook-tls}}
hooks: {keysSecretName: event-keys, service: {port: 8084, labels: {g: h}}}
controller: {podLabels: {a: b}, podAnnotations: {c: d}, nodeSelector: {e: f}, priorityClassName: high}
";
    let template = ["template", "gradus", "charts/gradus", "--namespace", "gradus-system"];
    let text = helm(plane, &template, values).await.unwrap();
    for part in [
        "kind: ServiceMonitor",
        "name: gradus-secrets",
        "priorityClassName: high",
        "release: prometheus",
        "- --tls-cert-file=/tls/tls.crt\n            - --tls-private-key-file=/tls/tls.key\n",
        "mountPath: /tls\n              readOnly: true\n",
        "secretName: \"webhook-tls\"",
        "appProtocol: https",
        "- --hooks-bind-address=:8084\n            - --hook-keys-folder=/hook-keys\n",
        "mountPath: /hook-keys\n              readOnly: true\n",
        "secretName: \"event-keys\"",
        "name: gradus-hooks\n",
        "port: 8084\n      targetPort: hooks\n",
        "- port: promotion\n        - port: hooks\n",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    for kind in ["CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
    {
        for document in
            text.split("\n---\n").filter(|document| document.contains(&format!("\nkind: {kind}\n")))
        {
            assert!(document.contains("\n    helm.sh/resource-policy: keep\n"), "{document}");
        }
    }
    let lint = helm(plane, &["lint", "--strict", "charts/gradus"], values).await.unwrap();
    assert!(lint.contains("0 chart(s) failed"), "{lint}");
    let mut refused = String::new();
    for wrong in [
        "controller: {nmespace: apps}",
        "promotion: {service: {port: http}}",
        "logging: {level: warn}",
        "promotion: {service: {enabled: false}, ingress: {enabled: true}}",
    ] {
        let why = helm(plane, &template, wrong).await.unwrap_err();
        refused.push_str(&format!("{wrong}\n    {}\n", why.trim_end().replace('\n', "\n    ")));
    }
    insta::assert_snapshot!(refused);
}

/// Set `UPDATE=1` to copy the files in place of comparing them.
#[test]
fn it_carries_the_definitions_of_the_program() {
    let (kept, theirs) = (root().join("charts/gradus/files/crds"), root().join("config/crd"));
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name != "kustomization.yaml").collect::<BTreeSet<_>>()
    };
    if std::env::var_os("UPDATE").is_some() {
        for name in names(&theirs) {
            std::fs::copy(theirs.join(&name), kept.join(&name)).unwrap();
        }
    }
    assert_eq!(names(&kept), names(&theirs));
    for name in names(&kept) {
        let [ours, theirs] = [&kept, &theirs].map(|folder| std::fs::read(folder.join(&name)).unwrap());
        assert!(ours == theirs, "{name:?} is another than in config/crd; run `just gen`");
    }
}
