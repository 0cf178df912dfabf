//! The kind on the wire.

use gradus_weave::kind::{
    EnvironmentStatus, Pipeline, PromotionStatus, PullRequestState, PullRequestStatus, Status,
};
use gradus_weave::{ObjectName, Revision, Strategy, effective, promotes};
use serde_json::{Value, json};

fn whole() -> Value {
    json!({
        "apiVersion": "pipelines.weave.works/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": "podinfo", "namespace": "apps", "generation": 3, "resourceVersion": "17"},
        "spec": {
            "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo"},
            "environments": [
                {"name": "dev", "targets": [{"namespace": "dev"}]},
                {"name": "prod", "targets": [{"namespace": "prod", "clusterRef": {"kind": "GitopsCluster", "name": "eu", "namespace": "fleet"}}],
                 "promotion": {"manual": true, "strategy": {"notification": {}, "secretRef": {"name": "hook"}}}},
            ],
            "promotion": {"strategy": {"pull-request": {"type": "github", "url": "https://git.example/a/b",
                "baseBranch": "main", "secretRef": {"name": "git"}}}},
        },
        "status": {
            "observedGeneration": 3, "latestRevision": "1.1.0",
            "conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded",
                "message": "All clusters checked", "lastTransitionTime": "2026-01-05T09:00:00Z"}],
            "environments": {
                "dev": {"waitingApproval": {"revision": ""}, "targets": [{"clusterAppRef":
                    {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo"},
                    "ready": true, "revision": "1.1.0"}]},
                "prod": {"waitingApproval": {"revision": "1.1.0"}, "promotion": {"revision": "1.0.0",
                    "lastAttemptedTime": "2026-01-05T08:00:00Z", "succeeded": true,
                    "pullRequest": {"url": "https://git.example/a/b/1", "state": "merged"}}},
            },
        },
    })
}

#[test]
fn what_is_read_is_written_with_the_same_names() {
    let pipeline: Pipeline = serde_json::from_value(whole()).unwrap();
    assert_eq!(serde_json::to_value(&pipeline).unwrap(), whole());
    assert_eq!(pipeline.waiting("prod"), Some("1.1.0"));
    assert_eq!(pipeline.waiting("dev"), None, "nothing is not the empty revision");
}

#[test]
fn unknown_fields_and_nulls_are_read_over() {
    let mut odd = whole();
    odd["spec"]["more"] = json!({"a": [1]});
    odd["spec"]["environments"][0]["targets"] = Value::Null;
    odd["status"]["environments"] = Value::Null;
    odd["spec"]["environments"][1]["promotion"]["strategy"]["notification"] = json!({"channel": "x"});
    let pipeline: Pipeline = serde_json::from_value(odd).unwrap();
    assert!(pipeline.spec.environments[0].targets.is_empty());
    assert!(pipeline.status.environments.is_empty());
    let empty: Pipeline = serde_json::from_value(json!({})).unwrap();
    assert_eq!(empty.status, Status::default());
    assert_eq!(empty.status.observed_generation, -1);
}

#[test]
fn what_readers_look_for_is_always_written() {
    let status = EnvironmentStatus {
        promotion: Some(PromotionStatus {
            pull_request: Some(PullRequestStatus { url: "u".into(), state: PullRequestState::Mergeable }),
            ..PromotionStatus::default()
        }),
        ..EnvironmentStatus::default()
    };
    let written = json!({"waitingApproval": {"revision": ""},
        "promotion": {"revision": "", "succeeded": false, "pullRequest": {"url": "u", "state": "mergeable"}}});
    assert_eq!(serde_json::to_value(status).unwrap(), written);
}

/// R8.
#[test]
fn r8_a_cluster_without_a_namespace_is_in_that_of_the_pipeline() {
    let mut pipeline: Pipeline = serde_json::from_value(whole()).unwrap();
    let cluster = pipeline.spec.environments[1].targets[0].cluster_ref.as_mut().unwrap();
    assert_eq!(cluster.namespace_or("apps"), "fleet");
    cluster.namespace = None;
    assert_eq!(cluster.namespace_or("apps"), "apps");
}

/// R6.
#[test]
fn r6_the_strategy_is_the_one_of_the_environment_as_a_whole() {
    let pipeline: Pipeline = serde_json::from_value(whole()).unwrap();
    let strategy = |environment| promotes(effective(&pipeline, environment).unwrap()).unwrap();
    assert_eq!(strategy("prod"), Strategy::Notification);
    assert_eq!(strategy("dev").word(), "pull-request");
    let mut both = pipeline.clone();
    both.spec.promotion.as_mut().unwrap().strategy.notification = Some(Default::default());
    assert_eq!(promotes(effective(&both, "dev").unwrap()).unwrap().word(), "pull-request");
    both.spec.promotion = None;
    assert_eq!(effective(&both, "dev"), None);
}

#[test]
fn names_that_could_leave_their_place_are_none() {
    for good in ["a", "flux-system", "my.app-1", "0"] {
        assert_eq!(ObjectName::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", ".", "..", "a/b", "A", "a..b", "-a", "a-", "a_b", "ä", "a?b", &"a".repeat(254)] {
        assert!(ObjectName::parse(bad).is_err(), "{bad:?}");
    }
    for bad in ["", "1.0\n", "\u{1b}[31m", &"1".repeat(1025)] {
        assert!(Revision::parse(bad).is_err(), "{bad:?}");
    }
}
