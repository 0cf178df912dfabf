//! What follows from what is seen, without a cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_evidence::ObjectRef;
use gradus_weave::kind::{ClusterRef, Pipeline, Target};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Asked, Next, Outcome, Written, classic, level};
use crate::weave::sight::{AppSight, ClusterSight, Sights, app_of, wanted};
use crate::weave::status::{Rule, body, says_the_same};

/// A world: clusters by name, and applications by `cluster/namespace`.
#[derive(Default)]
struct World {
    clusters: BTreeMap<&'static str, ClusterSight>,
    apps: BTreeMap<&'static str, AppSight>,
}

impl Sights for World {
    fn cluster(&self, cluster: &ClusterRef) -> ClusterSight {
        self.clusters.get(cluster.name.as_str()).cloned().unwrap_or(ClusterSight::Missing)
    }

    fn app(&self, target: &Target, app: &ObjectRef) -> AppSight {
        let cluster = target.cluster_ref.as_ref().map(|cluster| cluster.name.as_str()).unwrap_or_default();
        let place = format!("{cluster}/{}", app.namespace);
        self.apps.get(place.as_str()).cloned().unwrap_or(AppSight::Missing)
    }
}

fn runs(revision: &str, ready: bool) -> AppSight {
    let status = if ready { "True" } else { "False" };
    let conditions = json!([{"type": "Ready", "status": status}]);
    AppSight::Seen(Arc::new(json!({"status": {"conditions": conditions, "lastAppliedRevision": revision}})))
}

fn pipeline(spec: Value, status: Value) -> Pipeline {
    let mut whole = json!({"metadata": {
        "namespace": "default", "name": "app", "uid": "1", "resourceVersion": "7", "generation": 3,
    }});
    whole["spec"] = spec;
    whole["spec"]["appRef"] =
        json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "web"});
    whole["status"] = status;
    serde_json::from_value(whole).unwrap()
}

/// A pipeline from `dev` to `prod`, each in the namespace of its name.
fn two(promotion: Value, status: Value) -> Pipeline {
    let environments = json!([
        {"name": "dev", "targets": [{"namespace": "dev"}]},
        {"name": "prod", "targets": [{"namespace": "prod"}]},
    ]);
    pipeline(json!({"environments": environments, "promotion": promotion}), status)
}

fn notification() -> Value {
    json!({"strategy": {"notification": {}}})
}

fn asked<'a>() -> Asked<'a> {
    Asked { refused: None, patient: false, now: "2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap() }
}

fn written(outcome: Outcome) -> Written {
    match outcome {
        Outcome::Write(written) => *written,
        other @ (Outcome::Leave | Outcome::NotYet | Outcome::TryAgain(_)) => panic!("{other:?}"),
    }
}

/// The conditions, what is told, and what is done, a line each.
fn words(written: &Written) -> String {
    let mut lines: Vec<String> = Vec::new();
    for one in &written.status.conditions {
        lines.push(format!("{}={} {}: {}", one.kind, one.status, one.reason, one.message));
    }
    for event in &written.events {
        lines.push(format!("{} {}: {}", event.kind, event.reason, event.message));
    }
    match &written.next {
        Next::Nothing => {}
        Next::Promote(promotion) => {
            let word = promotion.strategy.word();
            lines.push(format!("promote {} to {} by {word}", promotion.revision, promotion.environment.name));
        }
        Next::Wait { environment, revision } => lines.push(format!("{revision} waits for {environment}")),
    }
    lines.join("\n")
}

#[test]
fn c6_the_first_cluster_that_is_not_right_is_named_and_none_after_it_is_asked() {
    let cluster =
        |name: &str| json!({"namespace": "x", "clusterRef": {"kind": "GitopsCluster", "name": name}});
    let targets = json!([cluster("one"), cluster("two"), cluster("three")]);
    let pipeline = pipeline(json!({"environments": [{"name": "dev", "targets": targets}]}), json!({}));
    let mut world = World::default();
    world.clusters.insert("one", ClusterSight::Ready);
    world.clusters.insert("three", ClusterSight::Unknown("never asked".to_owned()));
    insta::assert_snapshot!(words(&written(classic(&pipeline, &world, asked()))), @r#"
    Ready=False TargetClusterNotFound: Target cluster 'GitopsCluster/two' not found
    Warning GetClusterError: Failed to get cluster default/two for pipeline default/app: GitopsCluster.gitops.weave.works "two" not found
    "#);
    world.clusters.insert("two", ClusterSight::NotReady);
    insta::assert_snapshot!(
        words(&written(classic(&pipeline, &world, asked()))),
        @"Ready=False TargetClusterNotReady: Target cluster 'GitopsCluster/two' not ready"
    );
}

#[test]
fn c7_a_pipeline_that_is_being_deleted_is_left_alone() {
    let mut pipeline = two(notification(), json!({}));
    pipeline.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".to_owned());
    assert_eq!(classic(&pipeline, &World::default(), asked()), Outcome::Leave);
    assert_eq!(level(&pipeline, &World::default(), asked()), Outcome::Leave);
}

#[test]
fn what_nobody_knows_is_told_and_not_written() {
    let target = json!({"namespace": "x", "clusterRef": {"kind": "GitopsCluster", "name": "leaf"}});
    let pipeline = pipeline(json!({"environments": [{"name": "dev", "targets": [target]}]}), json!({}));
    let mut world = World::default();
    world.clusters.insert("leaf", ClusterSight::Unknown("nobody answers".to_owned()));
    for judge in [classic, level] {
        let Outcome::TryAgain(event) = judge(&pipeline, &world, asked()) else { panic!("it is written") };
        assert_eq!(
            event.message,
            "Failed to get cluster default/leaf for pipeline default/app: nobody answers"
        );
    }
    world.clusters.insert("leaf", ClusterSight::NotYet);
    let patient = Asked { patient: true, ..asked() };
    for judge in [classic, level] {
        assert_eq!(judge(&pipeline, &world, patient), Outcome::NotYet);
        assert!(matches!(judge(&pipeline, &world, asked()), Outcome::TryAgain(_)));
    }
}

#[test]
fn b1_the_promotion_of_the_environment_is_the_one_that_is_made() {
    let environments = json!([
        {"name": "dev", "targets": [{"namespace": "dev"}]},
        {"name": "prod", "targets": [{"namespace": "prod"}], "promotion": notification()},
    ]);
    // The pipeline has none of its own.
    let pipeline = pipeline(json!({"environments": environments}), json!({}));
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.1", true));
    world.apps.insert("/prod", runs("1.0.0", true));
    insta::assert_snapshot!(words(&written(level(&pipeline, &world, asked()))), @r"
    Ready=True ReconciliationSucceeded: All clusters checked
    Normal Updated: Updated pipeline default/app
    promote 1.0.1 to prod by notification
    ");
}

#[test]
fn b2_a_manual_promotion_waits_for_a_person() {
    let manual = json!({"manual": true, "strategy": {"notification": {}}});
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.1", true));
    world.apps.insert("/prod", runs("1.0.0", true));
    let first = written(level(&two(manual.clone(), json!({})), &world, asked()));
    assert!(words(&first).ends_with("1.0.1 waits for prod"), "{}", words(&first));
    let waits = json!({"environments": {"prod": {"waitingApproval": {"revision": "1.0.1"}}}});
    assert_eq!(written(level(&two(manual.clone(), waits), &world, asked())).next, Next::Nothing);
    // Once it was approved and made, it does not wait again while the target lags.
    let made = json!({"environments": {"prod": {"promotion": {"revision": "1.0.1", "succeeded": true}}}});
    assert_eq!(written(level(&two(manual, made), &world, asked())).next, Next::Nothing);
}

#[test]
fn b3_what_waits_for_an_approval_is_no_part_of_what_is_applied() {
    let waits = json!({"environments": {
        "prod": {"waitingApproval": {"revision": "1.0.1"}},
        "gone": {"waitingApproval": {"revision": "1.0.0"}},
    }});
    let pipeline = two(notification(), waits);
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.1", true));
    let written = written(level(&pipeline, &world, asked()));
    assert_eq!(written.status.environments["prod"].waiting_approval.revision, "1.0.1");
    for rule in [Rule::Classic, Rule::Level] {
        let body = body(&pipeline, &written.status, rule).to_string();
        assert!(!body.contains("waitingApproval") && !body.contains("gone"), "{body}");
        assert!(body.contains(r#""resourceVersion":"7""#), "it names what it replaces: {body}");
    }
}

#[test]
fn b4_what_was_promoted_is_not_promoted_again_while_the_target_lags() {
    let made = |revision: &str, succeeded: bool| {
        let promotion = json!({"revision": revision, "succeeded": succeeded});
        two(notification(), json!({"environments": {"prod": {"promotion": promotion}}}))
    };
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.1", true));
    world.apps.insert("/prod", runs("1.0.0", true));
    let next = |pipeline: &Pipeline| written(level(pipeline, &world, asked())).next;
    assert_eq!(next(&made("1.0.1", true)), Next::Nothing);
    assert!(matches!(next(&made("1.0.1", false)), Next::Promote(_)), "one that failed is tried again");
    assert!(matches!(next(&made("1.0.0", true)), Next::Promote(_)), "another is another");
}

#[test]
fn b5_nothing_is_promoted_into_what_cannot_be_seen() {
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.1", true));
    let suspended = json!({"spec": {"suspend": true}, "status": {"lastAppliedRevision": "1.0.0"}});
    let blind = [
        AppSight::Missing,
        AppSight::NotYet,
        AppSight::Unknown("connection refused".to_owned()),
        AppSight::Seen(Arc::new(suspended)),
    ];
    let told: Vec<String> = blind
        .into_iter()
        .map(|sight| {
            world.apps.insert("/prod", sight);
            let written = written(level(&two(notification(), json!({})), &world, asked()));
            let error = &written.status.environments["prod"].targets[0].error;
            format!("{error}\n  {}", words(&written).replace('\n', "\n  "))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    HelmRelease.helm.toolkit.fluxcd.io "web" not found
      Ready=False TargetNotReadable: One or more targets was not reachable or not present
      Warning GetAppError: Failed to get application object :prod/web for pipeline default/app: HelmRelease.helm.toolkit.fluxcd.io "web" not found
    Target cluster client is not synced
      Ready=False TargetNotReadable: One or more targets was not reachable or not present
    connection refused
      Ready=False TargetNotReadable: One or more targets was not reachable or not present
      Warning GetAppError: Failed to get application object :prod/web for pipeline default/app: connection refused
    the target object is suspended, nobody looks after it
      Ready=False TargetNotReadable: One or more targets was not reachable or not present
      Warning GetAppError: Failed to get application object :prod/web for pipeline default/app: the target object is suspended, nobody looks after it
    "#);
}

#[test]
fn b6_a_pipeline_without_environments_is_pending() {
    let pipeline = pipeline(json!({"environments": []}), json!({}));
    insta::assert_snapshot!(words(&written(level(&pipeline, &World::default(), asked()))), @r"
    Ready=True ReconciliationSucceeded: All clusters checked
    PromotionPending=True EnvironmentNotReady: The pipeline has no environments
    Normal Updated: Updated pipeline default/app
    ");
}

#[test]
fn b31_a_target_without_a_namespace_is_in_that_of_the_pipeline() {
    let environments = json!([{"name": "dev", "targets": [{"namespace": ""}]}]);
    let pipeline = pipeline(json!({"environments": environments}), json!({}));
    let target = &pipeline.spec.environments[0].targets[0];
    let app = app_of(&pipeline, target).unwrap();
    assert_eq!(app.namespace, "default");
    // What is followed and what is looked at are the same object.
    let followed = wanted(&pipeline, true);
    assert_eq!(followed, [crate::watch::Wanted::one(&crate::clusters::ClusterKey::own(), &app)]);
    let mut world = World::default();
    world.apps.insert("/default", runs("1.0.0", true));
    let written = written(level(&pipeline, &world, asked()));
    assert_eq!(written.status.environments["dev"].targets[0].revision, "1.0.0");
}

#[test]
fn what_cannot_be_promoted_as_it_is_asked_for_is_said_at_once() {
    let refused = Asked { refused: Some("pull requests are not there yet"), ..asked() };
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.0", true));
    world.apps.insert("/prod", runs("1.0.0", true));
    let pipeline = two(notification(), json!({}));
    let told = [classic, level].map(|judge| words(&written(judge(&pipeline, &world, refused))));
    assert_eq!(told[0], told[1]);
    insta::assert_snapshot!(told[0], @r"
    Ready=False StrategyNotSupported: pull requests are not there yet
    Warning StrategyNotSupported: pull requests are not there yet
    ");
    // What cannot even be read comes first.
    world.apps.clear();
    assert!(words(&written(level(&pipeline, &world, refused))).contains("TargetNotReadable"));
}

#[test]
fn an_api_version_that_is_none_is_told_at_its_target() {
    let mut pipeline = two(notification(), json!({}));
    pipeline.spec.app_ref.api_version = "a/b/c".to_owned();
    let written = written(level(&pipeline, &World::default(), asked()));
    assert_eq!(
        written.status.environments["dev"].targets[0].error,
        "target spec could not be interpreted as an object: unexpected GroupVersion string: a/b/c"
    );
    assert_eq!(wanted(&pipeline, true), []);
}

#[test]
fn a_name_that_no_object_can_have_is_never_asked_for() {
    let target = json!({"namespace": "../x", "clusterRef": {"kind": "GitopsCluster", "name": "a/b"}});
    let environments = json!([{"name": "dev", "targets": [target, {"namespace": "x/../y"}]}]);
    let pipeline = pipeline(json!({"environments": environments}), json!({}));
    assert_eq!(wanted(&pipeline, true), []);
}

#[test]
fn a_status_that_says_nothing_new_is_not_written() {
    let mut world = World::default();
    world.apps.insert("/dev", runs("1.0.0", true));
    world.apps.insert("/prod", runs("1.0.0", true));
    let mut pipeline = two(notification(), json!({}));
    for (judge, rule) in [(classic as fn(&_, &dyn Sights, _) -> _, Rule::Classic), (level, Rule::Level)] {
        let first = written(judge(&pipeline, &world, asked()));
        assert!(!says_the_same(&pipeline, &first.status, rule));
        pipeline.status = first.status;
        let later = Asked { now: "2026-02-02T03:04:05Z".parse().unwrap(), ..asked() };
        let second = written(judge(&pipeline, &world, later));
        assert!(says_the_same(&pipeline, &second.status, rule));
        assert_eq!(second.status.conditions[0].last_transition_time.as_deref(), Some("2026-01-02T03:04:05Z"));
    }
}
