//! Conditions and what is told with them.

use gradus_weave::classic::{Cluster, Outcome, judge};
use gradus_weave::condition::{PROMOTION_PENDING, Says, remove, set};
use gradus_weave::kind::Pipeline;
use gradus_weave::level::Pending;
use jiff::Timestamp;
use serde_json::json;

fn pipeline(clusters: &[(&str, Option<&str>)]) -> Pipeline {
    let targets: Vec<_> = clusters
        .iter()
        .map(|(name, namespace)| {
            json!({"namespace": "app", "clusterRef": {"kind": "GitopsCluster", "name": name, "namespace": namespace}})
        })
        .chain([json!({"namespace": "here"})])
        .collect();
    serde_json::from_value(json!({
        "metadata": {"name": "podinfo", "namespace": "apps"},
        "spec": {"environments": [{"name": "dev", "targets": targets}]},
    }))
    .unwrap()
}

fn told(pipeline: &Pipeline, clusters: &[(&str, Cluster)]) -> (String, usize) {
    let mut asked = 0;
    let outcome = judge(pipeline, |cluster| {
        asked += 1;
        clusters
            .iter()
            .find(|(name, _)| *name == cluster.name)
            .map_or(Cluster::Ready, |(_, seen)| seen.clone())
    });
    let text = match outcome {
        Outcome::Leave => "left alone".to_owned(),
        Outcome::TryAgain(event) => {
            format!("tried again; {} {}: {}", event.kind, event.reason, event.message)
        }
        Outcome::Write { says, events, again_in_minutes } => {
            let mut text = format!("{}={} {}: {}", says.kind(), says.status(), says.reason(), says.message());
            for event in events {
                text.push_str(&format!("; {} {}: {}", event.kind, event.reason, event.message));
            }
            again_in_minutes.map_or(text.clone(), |minutes| format!("{text}; again in {minutes} min"))
        }
    };
    (text, asked)
}

#[test]
fn the_first_cluster_that_is_not_right_is_the_condition() {
    let two = pipeline(&[("eu", Some("fleet")), ("us", None)]);
    let (missing, asked) = told(&two, &[("eu", Cluster::Missing)]);
    assert_eq!(
        missing,
        "Ready=False TargetClusterNotFound: Target cluster 'GitopsCluster/fleet/eu' not found; \
         Warning GetClusterError: Failed to get cluster fleet/eu for pipeline apps/podinfo: \
         GitopsCluster.gitops.weave.works \"eu\" not found; again in 30 min"
    );
    assert_eq!(asked, 1, "nothing after it is looked at");
    let (second, _) = told(&two, &[("us", Cluster::NotReady)]);
    assert_eq!(
        second,
        "Ready=False TargetClusterNotReady: Target cluster 'GitopsCluster/us' not ready; again in 30 min"
    );
    let (fine, _) = told(&two, &[]);
    assert_eq!(
        fine,
        "Ready=True ReconciliationSucceeded: All clusters checked; Normal Updated: Updated pipeline apps/podinfo"
    );
    let (unknown, _) = told(&two, &[("us", Cluster::Unknown("no route".into()))]);
    assert_eq!(
        unknown,
        "tried again; Warning GetClusterError: Failed to get cluster apps/us for pipeline apps/podinfo: no route"
    );
}

#[test]
fn what_is_being_deleted_is_left_alone_and_what_names_no_cluster_is_fine() {
    let mut gone = pipeline(&[("eu", None)]);
    gone.metadata.deletion_timestamp = Some("2026-01-05T09:00:00Z".into());
    assert_eq!(told(&gone, &[("eu", Cluster::Missing)]), ("left alone".to_owned(), 0));
    assert!(told(&pipeline(&[]), &[]).0.starts_with("Ready=True"));
}

#[test]
fn a_condition_is_since_its_status_changed() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let mut conditions = Vec::new();
    set(&mut conditions, &Says::TargetNotReadable, Some(1), at("2026-01-05T09:00:00.5Z"));
    set(&mut conditions, &Says::Pending(Pending::Ready.message()), Some(1), at("2026-01-05T09:01:00Z"));
    set(&mut conditions, &Says::ClusterNotReady(Default::default()), Some(2), at("2026-01-05T09:02:00Z"));
    let told = |conditions: &[gradus_weave::kind::Condition]| -> Vec<String> {
        conditions
            .iter()
            .map(|one| {
                format!(
                    "{}={} {} {}",
                    one.kind,
                    one.status,
                    one.reason,
                    one.last_transition_time.as_deref().unwrap()
                )
            })
            .collect()
    };
    assert_eq!(
        told(&conditions),
        [
            "Ready=False TargetClusterNotReady 2026-01-05T09:00:00Z",
            "PromotionPending=True EnvironmentNotReady 2026-01-05T09:01:00Z"
        ]
    );
    set(&mut conditions, &Says::Checked, Some(2), at("2026-01-05T09:03:00Z"));
    remove(&mut conditions, PROMOTION_PENDING);
    assert_eq!(told(&conditions), ["Ready=True ReconciliationSucceeded 2026-01-05T09:03:00Z"]);
}

#[test]
fn a_message_that_is_too_long_is_cut() {
    use gradus_weave::message::cut;
    assert_eq!(cut("short"), "short");
    assert_eq!(cut(&"a".repeat(20_000)).len(), 20_000);
    assert_eq!(cut(&"a".repeat(20_001)), format!("{}...", "a".repeat(20_000)));
    let cut_within = cut(&format!("{}ü{}", "a".repeat(19_999), "b".repeat(9)));
    assert_eq!(cut_within, format!("{}...", "a".repeat(19_999)));
    let name = "x".repeat(30_000);
    let mut conditions = Vec::new();
    let cluster = gradus_weave::kind::ClusterRef { name, ..Default::default() };
    set(&mut conditions, &Says::ClusterNotReady(cluster), None, Timestamp::UNIX_EPOCH);
    assert_eq!(conditions[0].message.len(), 20_003);
}
