//! The words that others rely on.

use gradus_weave::kind::Pipeline;
use gradus_weave::signature::Signed;
use gradus_weave::webhook::{Decision, decide};
use gradus_weave::{Promotion, notification, proposal};
use jiff::Timestamp;
use serde_json::json;

fn promotion() -> (Pipeline, Promotion) {
    let pipeline: Pipeline = serde_json::from_value(json!({
        "metadata": {"name": "podinfo-pipeline", "namespace": "flux-system", "uid": "u", "resourceVersion": "7"},
        "spec": {
            "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "podinfo"},
            "environments": [{"name": "dev", "targets": [{"namespace": "dev"}]}, {"name": "prod", "targets": [{"namespace": "prod"}]}],
            "promotion": {"strategy": {"notification": {}}},
        },
    }))
    .unwrap();
    let event = json!({"involvedObject": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "name": "podinfo", "namespace": "dev"}, "metadata": {"revision": "6.1.5"}});
    let decision = decide(&pipeline, "dev", Signed::NotAsked, event.to_string().as_bytes());
    let Decision::Promote(promotion) = decision else { panic!("{decision:?}") };
    (pipeline, *promotion)
}

#[test]
fn a_notification_tells_the_promotion_in_words_and_under_both_keys() {
    let (pipeline, promotion) = promotion();
    let event = notification::event(&pipeline, &promotion, "host-1", Timestamp::UNIX_EPOCH);
    insta::assert_snapshot!("notification", serde_json::to_string_pretty(&event).unwrap());
}

#[test]
fn a_pull_request_is_found_by_its_words() {
    let (_, promotion) = promotion();
    insta::assert_snapshot!(
        "pull_request",
        format!(
            "{}\n{}\n{} <>\n{}\n{}\n\n{}\n",
            proposal::branch(&promotion),
            proposal::COMMIT_MESSAGE,
            proposal::AUTHOR,
            proposal::marker(&promotion),
            proposal::title(&promotion),
            proposal::body(&promotion),
        )
    );
}
