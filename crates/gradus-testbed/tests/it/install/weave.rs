//! What users of pipeline-controller have applied, on the definition that replaces
//! its own.

use super::{installed, kubectl, root};

/// Documents of folklore that its own definition never took either.
const NEVER_TAKEN: [&str; 4] = [
    "notification-beside-strategy",
    "pull-request-beside-strategy",
    "pull-request-as-planned",
    "no-base-branch",
];

/// Kinds of others, as much of them as is needed to declare objects: their own
/// programs define them.
const OTHERS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gitopsclusters.gitops.weave.works}
spec:
  group: gitops.weave.works
  scope: Namespaced
  names: {kind: GitopsCluster, plural: gitopsclusters}
  versions: [{name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: providers.notification.toolkit.fluxcd.io}
spec:
  group: notification.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: Provider, plural: providers}
  versions:
    - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
    - {name: v1beta3, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: alerts.notification.toolkit.fluxcd.io}
spec:
  group: notification.toolkit.fluxcd.io
  scope: Namespaced
  names: {kind: Alert, plural: alerts}
  versions: [{name: v1beta3, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
";

#[tokio::test]
async fn what_was_taken_is_taken_and_what_was_not_is_explained() {
    let plane = installed().await;
    plane.apply(OTHERS).await.unwrap();
    for namespace in ["flux-system", "pipeline-01", "shop"] {
        // Another test may have made it.
        let _there = kubectl(plane, &["create", "namespace", namespace], "").await;
    }
    let folder = root().join("crates/gradus-manifest/tests/it/weave");
    let (mut right, mut told) = (0, String::new());
    let mut accepted: Vec<_> =
        std::fs::read_dir(folder.join("accept")).unwrap().map(|entry| entry.unwrap().path()).collect();
    accepted.sort();
    for path in &accepted {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let arguments = ["apply", "--server-side", "--validate=strict", "-f", path.to_str().unwrap()];
        match kubectl(plane, &arguments, "").await {
            Ok(_) => right += 1,
            Err(why) => told.push_str(&format!("{name} was refused: {why}\n")),
        }
    }
    for name in NEVER_TAKEN {
        let path = folder.join("explain").join(format!("{name}.yaml"));
        // Without the checks of kubectl: the definition itself refuses it.
        let arguments = ["create", "--validate=false", "--dry-run=server", "-f", path.to_str().unwrap()];
        match kubectl(plane, &arguments, "").await {
            Ok(_) => told.push_str(&format!("{name} was taken\n")),
            Err(why) => {
                right += 1;
                told.push_str(&format!("{name}\n    {why}"));
            }
        }
    }
    insta::assert_snapshot!(format!("{right}/{}\n{told}", accepted.len() + NEVER_TAKEN.len()));
}
