//! Who may do what.

use gradus_testbed::{ControlPlane, User};
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};

use crate::why::why;

async fn whoami(client: Client) -> (String, Vec<String>) {
    let reviews: Api<SelfSubjectReview> = Api::all(client);
    let review = reviews.create(&PostParams::default(), &SelfSubjectReview::default()).await.unwrap();
    let user = review.status.unwrap().user_info.unwrap();
    let mut groups = user.groups.unwrap();
    groups.retain(|group| group != "system:authenticated");
    (user.username.unwrap(), groups)
}

#[tokio::test]
async fn the_cluster_knows_everybody_and_their_groups() {
    let plane = ControlPlane::shared().await.unwrap();
    for user in User::ALL {
        let client = plane.client(user).await.unwrap();
        let groups = user.groups().iter().map(|group| (*group).to_owned()).collect();
        assert_eq!(whoami(client).await, (user.name().to_owned(), groups));
    }
}

#[tokio::test]
async fn a_certificate_says_who_it_is_too() {
    let plane = ControlPlane::shared().await.unwrap();
    let kubeconfig = plane.kubeconfig_with_certificate(User::Grace).unwrap();
    assert!(!kubeconfig.contains(User::Grace.token()));
    let kubeconfig = Kubeconfig::from_yaml(&kubeconfig).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let client = Client::try_from(config).unwrap();
    assert_eq!(whoami(client).await, ("grace".to_owned(), vec!["podinfo-team".to_owned()]));
}

#[tokio::test]
async fn who_has_no_role_may_not_and_who_has_one_may() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("roles").await.unwrap();
    plane
        .apply(&format!(
            "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: read, namespace: {namespace}}}
rules: [{{apiGroups: [''], resources: [configmaps], verbs: [get, list]}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: read, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: read}}
subjects:
  - {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: podinfo-team}}
  - {{kind: ServiceAccount, namespace: gradus-system, name: gradus}}
"
        ))
        .await
        .unwrap();
    for (user, may) in [
        (User::Admin, true),
        (User::Controller, true),
        (User::Ada, true),
        (User::Grace, true),
        (User::Linus, false),
        (User::Eve, false),
    ] {
        let maps: Api<ConfigMap> = Api::namespaced(plane.client(user).await.unwrap(), &namespace);
        match maps.list(&ListParams::default()).await {
            Ok(_) => assert!(may, "{user:?} may list"),
            Err(kube::Error::Api(status)) => {
                assert_eq!((status.code, may), (403, false), "{user:?}: {status}")
            }
            Err(error) => panic!("{user:?}: {}", why(&error)),
        }
    }
}
