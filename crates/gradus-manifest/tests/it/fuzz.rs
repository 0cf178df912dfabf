//! Whatever is in a file that should become ours, and whatever an API server hands over.

use gradus_manifest::weave::{Known, explain, explain_json, migrate};
use gradus_manifest::{
    SourceFile, approval_from_json, assemble, check_from_json, hold_from_json, pipeline_from_json,
    promotion_from_json, read,
};
use serde_json::{Value, json};

use crate::damage::reads_anything;

const OLDER: [&[u8]; 10] = [
    include_bytes!("weave/accept/cluster-by-capi.yaml"),
    include_bytes!("weave/accept/looked-at-only.yaml"),
    include_bytes!("weave/accept/pull-request-bitbucket-and-own-promotion.yaml"),
    include_bytes!("weave/accept/pull-request-gitlab-signed-manual.yaml"),
    include_bytes!("weave/explain/notification-beside-strategy.yaml"),
    include_bytes!("weave/explain/parts-missing.yaml"),
    include_bytes!("weave/explain/pull-request-as-planned.yaml"),
    include_bytes!("weave/migrate/cannot.yaml"),
    include_bytes!("weave/migrate/list.yaml"),
    include_bytes!("weave/migrate/other-repositories.yaml"),
];

/// What is written of it is without mistakes, whatever it was.
#[test]
fn any_pipeline_of_the_older_kind_is_migrated_or_refused() {
    reads_anything(&OLDER, |text| {
        let file = SourceFile { name: "fuzz.yaml", text };
        let _mistakes = explain(&file);
        for known in [Known::default(), Known { repository: Some("https://git.example.org/fleet") }] {
            for pipeline in migrate(&file, known).pipelines {
                let text = pipeline.after.as_bytes();
                let all = assemble(std::iter::once(read(&SourceFile { name: "written.yaml", text })));
                assert!(all.errors.is_empty(), "{}\n{:?}", pipeline.after, all.errors);
                assert_eq!(all.pipelines.len(), 1, "{}", pipeline.after);
            }
        }
    });
}

#[test]
fn any_manifest_is_read_or_refused() {
    let good: [&[u8]; 4] = [
        include_bytes!("good/anchors.yaml"),
        include_bytes!("good/full.yaml"),
        include_bytes!("good/least.yaml"),
        include_bytes!("good/others.yaml"),
    ];
    reads_anything(&good, |text| {
        assemble(std::iter::once(read(&SourceFile { name: "fuzz.yaml", text })));
    });
}

fn objects() -> Vec<Value> {
    let of = |kind: &str, spec: Value, status: Value| {
        json!({
            "apiVersion": "gradus.dev/v1alpha1", "kind": kind,
            "metadata": {
                "name": "web", "namespace": "apps", "uid": "2c0a8f6e-0d9c-4f7b-9b9c-1f2e3d4c5b6a", "generation": 3,
                "resourceVersion": "41", "creationTimestamp": "2026-01-05T09:00:00Z",
                "deletionTimestamp": "2026-01-05T09:00:00Z", "annotations": {"a": "b"},
            },
            "spec": spec, "status": status,
        })
    };
    let done = json!({"state": "done", "message": "it is there", "version": "1.2.3", "at": "2026-01-05T09:00:00Z",
                      "release": {"app": "1.2.3"}, "observedGeneration": 3});
    vec![
        of(
            "Pipeline",
            json!({
                "repository": {"url": "https://git.example.org/fleet", "branch": "main", "secretRef": {"name": "git"}},
                "appRef": {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "web"},
                "environments": [
                    {"name": "dev", "targets": [{"namespace": "dev", "confidence": "pods"}]},
                    {"name": "prod", "targets": [{"namespace": "prod", "clusterRef": {"kind": "Secret", "name": "c"}}],
                     "promote": {"strategy": "push", "after": ["dev"]},
                     "gates": [{"soak": "1h"}, {"approval": {"min": 1, "groups": ["ops"]}},
                               {"check": {"name": "load", "reporter": "ci"}}]},
                ],
            }),
            Value::Null,
        ),
        of(
            "Hold",
            json!({"pipeline": "web", "environment": "prod", "pin": "1.0.0", "reason": "a fair",
                          "until": "2026-01-06T09:00:00Z", "by": "ada"}),
            done.clone(),
        ),
        of("Hold", json!({"pipeline": "web", "freeze": true, "reason": "a fair"}), Value::Null),
        of(
            "Promotion",
            json!({"pipeline": "web", "environment": "prod", "version": "1.2.3", "kind": "override",
                               "reason": "a fix", "by": "ada"}),
            done.clone(),
        ),
        of(
            "Approval",
            json!({"pipeline": "web", "environment": "prod", "version": "1.2.3", "by": "ada",
                              "verdict": "approve", "groups": ["ops"], "expires": "2026-01-06T09:00:00Z"}),
            done.clone(),
        ),
        of(
            "Check",
            json!({"pipeline": "web", "name": "load", "version": "1.2.3", "result": "passed",
                           "reporter": "ci", "url": "https://ci.example.org/1"}),
            done,
        ),
    ]
}

#[test]
fn any_object_of_an_api_server_is_read_or_refused() {
    let texts: Vec<String> = objects().iter().map(Value::to_string).collect();
    let documents: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    reads_anything(&documents, |bytes| {
        let Ok(object) = serde_json::from_slice::<Value>(bytes) else { return };
        let _pipeline = pipeline_from_json(&object).map(|read| read.value);
        let _hold = hold_from_json(&object).map(|read| read.value);
        let _promotion = promotion_from_json(&object).map(|read| read.value);
        let _approval = approval_from_json(&object).map(|read| read.value);
        let _check = check_from_json(&object).map(|read| read.value);
        let _mistakes = explain_json(&object);
    });
}
