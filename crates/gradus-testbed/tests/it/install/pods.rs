//! The pods of gradus: what they may, and who finds them.

use std::collections::BTreeMap;

use gradus_testbed::User;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::{ListParams, ObjectMeta, PostParams};
use kube::{Api, ResourceExt as _};

use super::{installed, selects};

const HOME: &str = "gradus-system";

#[tokio::test]
async fn they_fit_the_strictest_rules_for_pods() {
    let client = installed().await.client(User::Admin).await.unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), HOME);
    let template = deployments.get("gradus").await.unwrap().spec.unwrap().template;
    let pods: Api<Pod> = Api::namespaced(client, HOME);
    let trying = PostParams { dry_run: true, ..PostParams::default() };
    let metadata = ObjectMeta { name: Some("gradus-0".to_owned()), ..template.metadata.unwrap() };
    let mut pod = Pod { metadata, spec: template.spec, status: None };
    pods.create(&trying, &pod).await.unwrap();
    // The namespace does refuse those that do not.
    let container = &mut pod.spec.as_mut().unwrap().containers[0];
    container.security_context.as_mut().unwrap().allow_privilege_escalation = Some(true);
    let refused = pods.create(&trying, &pod).await.unwrap_err().to_string();
    assert!(refused.contains("violates PodSecurity \"restricted:latest\""), "{refused}");
}

#[tokio::test]
async fn services_and_guards_find_them() {
    let client = installed().await.client(User::Admin).await.unwrap();
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), HOME);
    let template = deployments.get("gradus").await.unwrap().spec.unwrap().template;
    let labels = template.metadata.unwrap().labels.unwrap();
    let ports: BTreeMap<String, i32> = template.spec.unwrap().containers[0]
        .ports
        .iter()
        .flatten()
        .map(|port| (port.name.clone().unwrap(), port.container_port))
        .collect();
    let mut told = Vec::new();
    for service in
        Api::<Service>::namespaced(client.clone(), HOME).list(&ListParams::default()).await.unwrap()
    {
        let spec = service.spec.clone().unwrap();
        assert!(selects(&spec.selector.unwrap(), &labels), "{} finds no pod", service.name_any());
        for port in spec.ports.unwrap() {
            let Some(IntOrString::String(name)) = port.target_port else { panic!("a port by its number") };
            told.push(format!("{}:{} -> {}", service.name_any(), port.port, ports[&name]));
        }
    }
    assert_eq!(told, ["gradus:8080 -> 8080", "gradus-hooks:80 -> 8084", "pipeline-promotion:80 -> 8082"]);
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), HOME);
    let selector = budgets.get("gradus").await.unwrap().spec.unwrap().selector.unwrap();
    assert!(selects(&selector.match_labels.unwrap(), &labels));
    let policies: Api<NetworkPolicy> = Api::namespaced(client, HOME);
    let policy = policies.get("gradus").await.unwrap().spec.unwrap();
    assert!(selects(&policy.pod_selector.unwrap().match_labels.unwrap(), &labels));
    let open = policy.ingress.unwrap().into_iter().flat_map(|rule| rule.ports.unwrap());
    let open: Vec<i32> = open
        .map(|port| match port.port {
            Some(IntOrString::String(name)) => ports[&name],
            Some(IntOrString::Int(_)) | None => panic!("a port by its number"),
        })
        .collect();
    // Not the API, which only the pod itself reaches.
    assert_eq!(open, [8080, 8081, 8082, 8084]);
}
