//! `config/`, as `kubectl apply -k` takes it.

use super::{DEFINITIONS, eventually, installed, kubectl, root};

#[tokio::test]
async fn everything_applies_and_again_without_a_change() {
    let plane = installed().await;
    let said = kubectl(plane, &["diff", "--server-side", "-k", "config/default"], "").await;
    assert_eq!(said, Ok(String::new()));
    let kinds = ["get", "validatingadmissionpolicies", "-o", "jsonpath={.items[*].status.typeChecking}"];
    // What the API server has to say of the rules' types.
    assert!(!kubectl(plane, &kinds, "").await.unwrap().contains("warning"));
}

#[tokio::test]
async fn the_definitions_are_established() {
    let plane = installed().await;
    let path = "jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type==\"Established\")].status} \
                {.status.conditions[?(@.type==\"NonStructuralSchema\")].status}{\"\\n\"}{end}";
    let said = kubectl(plane, &["get", "crd", "-o", path], "").await.unwrap();
    for name in DEFINITIONS {
        assert!(said.lines().any(|line| line.trim_end() == format!("{name} True")), "{name} in\n{said}");
    }
}

#[tokio::test]
async fn one_namespace_needs_nothing_of_the_cluster() {
    let plane = installed().await;
    let text = kubectl(plane, &["kustomize", "config/namespaced"], "").await.unwrap();
    for kind in ["ClusterRole", "ClusterRoleBinding", "Namespace", "CustomResourceDefinition"] {
        assert!(!text.lines().any(|line| line == format!("kind: {kind}")), "{kind} in\n{text}");
    }
    kubectl(plane, &["create", "namespace", "gradus-apps"], "").await.unwrap();
    kubectl(plane, &["apply", "--server-side", "-k", "config/namespaced"], "").await.unwrap();
    let target = plane.namespace("podinfo-prod").await.unwrap();
    let apply = ["apply", "--server-side", "-n", &target, "-k", "config/namespaced/target"];
    kubectl(plane, &apply, "").await.unwrap();
    let as_it = "--as=system:serviceaccount:gradus-apps:gradus";
    let may = async |namespace: &str, verb: &str, what: &str| {
        kubectl(plane, &["auth", "can-i", as_it, "-n", namespace, verb, what], "").await.is_ok()
    };
    // Roles are in force some time after they were declared.
    assert!(eventually(async || may("gradus-apps", "watch", "pipelines.gradus.dev").await).await);
    assert!(eventually(async || may(&target, "watch", "deployments.apps").await).await);
    assert!(!may(&target, "watch", "pipelines.gradus.dev").await);
    assert!(!may("default", "watch", "deployments.apps").await);
    assert!(!may("gradus-apps", "get", "secrets").await);
}

#[tokio::test]
async fn what_is_optional_adds_what_it_says() {
    let plane = installed().await;
    let default = kubectl(plane, &["kustomize", "config/default"], "").await.unwrap();
    let full = kubectl(plane, &["kustomize", "config/full"], "").await.unwrap();
    let documents =
        |text: &str| text.split("\n---\n").map(str::trim_end).map(str::to_owned).collect::<Vec<_>>();
    let known = documents(&default);
    let more: Vec<String> = documents(&full).into_iter().filter(|one| !known.contains(one)).collect();
    insta::assert_snapshot!(more.join("\n---\n"));
}

#[tokio::test]
async fn nobody_needs_to_be_asked_to_look() {
    let plane = installed().await;
    let overlay = root().join("target/no-poke");
    let list = "resources: [../../config/default]\ncomponents: [../../config/components/no-poke]\n";
    std::fs::create_dir_all(&overlay).unwrap();
    std::fs::write(overlay.join("kustomization.yaml"), list).unwrap();
    let text = kubectl(plane, &["kustomize", overlay.to_str().unwrap()], "").await.unwrap();
    std::fs::remove_dir_all(&overlay).unwrap();
    assert!(text.contains("- --no-poke\n") && !text.contains("name: gradus-poke"), "{text}");
}

#[test]
fn every_file_of_config_is_in_a_list() {
    let config = root().join("config");
    for folder in ["crd", "base", "manager", "rbac", "people", "namespaced", "namespaced/target"] {
        let list = std::fs::read_to_string(config.join(folder).join("kustomization.yaml")).unwrap();
        for entry in std::fs::read_dir(config.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_file() && name != "kustomization.yaml" {
                assert!(list.contains(&format!("- {name}")), "config/{folder}/{name} is in no list");
            }
        }
    }
}
