//! Objects of a cluster: the same pipelines with the same mistakes as files, and
//! what was said comes back as it was said.

use gradus_core::names::{
    ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, PipelineKey, RequestId,
};
use gradus_core::observation::{Approval, CheckFact, CheckResult, Request, RequestKind};
use gradus_core::pipeline::Hold;
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_manifest::status::{
    Condition, ConditionStatus, DispatchedStatus, EnvironmentStatus, Evidence, Health, NextStatus,
    PipelineStatus, ProposalStatus, Proven, TargetStatus,
};
use gradus_manifest::{
    Manifest, SourceFile, approval_from_json, approval_object, check_from_json, check_object, hold_from_json,
    hold_object, pipeline_from_json, promotion_from_json, promotion_object, read, to_yaml, versions,
};
use serde_json::{Value, json};

/// The object that an API server keeps for a pipeline with this spec.
fn pipeline(spec: Value) -> Value {
    json!({
        "apiVersion": "gradus.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": {
            "name": "web",
            "namespace": "apps",
            "uid": "2c0a8f6e-0d9c-4f7b-9b9c-1f2e3d4c5b6a",
            "generation": 3,
            "resourceVersion": "811",
            "creationTimestamp": "2026-11-20T08:00:00Z",
            "deletionTimestamp": "2026-11-21T08:00:00Z",
            "labels": {"team": "web"},
            "managedFields": [{"manager": "kubectl", "operation": "Apply"}],
            "finalizers": ["gradus.dev/proposals"],
        },
        "spec": spec,
        "status": {"observedGeneration": 2, "somethingNewer": true},
    })
}

fn spec() -> Value {
    json!({
        "repository": {"url": "https://github.com/acme/fleet", "branch": "main", "secretRef": {"name": "git"}},
        "artifacts": [{"name": "app"}, {"name": "chart", "order": "numeric"}],
        "block": ["6.6.0"],
        "environments": [
            {"name": "dev", "targets": [{"report": {}}], "queue": "queue", "promote": {"strategy": "push"}},
            {
                "name": "prod",
                "targets": [{"http": {"url": "https://x.example.com/version", "status": 204}}, {"git": {}}],
                "healthy": {"targets": 1},
                "queue": {"pinned": {"app": "1.10"}},
                "gates": [{"approval": {"min": 2}}, {"manual": {}}, {"window": {"deny": ["Fri 16:00-Mon 08:00"]}}],
                "verify": [{"soak": "10m"}],
            },
        ],
    })
}

#[test]
fn an_object_is_the_pipeline_that_the_file_is() {
    let object = pipeline(spec());
    let from_object = pipeline_from_json(&object).unwrap();
    let file = json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"],
        "metadata": {"name": "web", "namespace": "apps"}, "spec": spec(),
    });
    let text = to_yaml(&file);
    let parsed = read(&SourceFile { name: "web.yaml", text: text.as_bytes() });
    let [Manifest::Pipeline(from_file, _)] = parsed.manifests.as_slice() else {
        panic!("{:#?}\n{text}", parsed.errors)
    };
    assert_eq!(format!("{:#?}", from_object.value), format!("{from_file:#?}"));
    insta::assert_debug_snapshot!(from_object.meta);
}

#[test]
fn targets_of_an_object_are_looked_at() {
    let mut spec = spec();
    spec["appRef"] = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "web"});
    let cluster = json!({"kind": "Secret", "name": "eu"});
    spec["environments"][0]["targets"] =
        json!([{"namespace": "web"}, {"namespace": "web", "clusterRef": cluster, "confidence": "pods"}]);
    let read = pipeline_from_json(&pipeline(spec)).unwrap();
    // A file is told that nobody looks there; a cluster is looked at.
    assert_eq!(read.notes, []);
    insta::assert_debug_snapshot!(read.value.environments()[0].targets);
}

#[test]
fn mistakes_are_told_by_their_fields() {
    let mut spec = spec();
    spec["environments"][0]["queue"] = json!(5);
    spec["environments"][0]["targets"] = json!([]);
    spec["environments"][1]["gates"][2] = json!({});
    spec["environments"][1]["gates"][0]["approval"]["min"] = json!("2");
    spec["environments"][1]["after"] = json!(["Dev"]);
    spec["environments"][1]["emergency"] = json!("allowed");
    spec["mode"] = json!("watch");
    let mut told = Vec::new();
    let mut tell = |object: &Value| {
        let errors = pipeline_from_json(object).unwrap_err();
        told.push(format!("{}:", errors[0].place));
        told.extend(errors.iter().map(|error| format!("  {}", error.in_object())));
    };
    tell(&pipeline(spec));
    let mut twice = self::spec();
    twice["environments"][1]["name"] = json!("dev");
    tell(&pipeline(twice));
    tell(&json!({"apiVersion": "gradus.dev/v1alpha1", "kind": "Hold", "metadata": {"name": "x"}}));
    tell(
        &json!({"apiVersion": "gradus.dev/v1alpha1", "kind": "Pipeline", "metadata": {}, "spec": self::spec()}),
    );
    tell(&json!({}));
    insta::assert_snapshot!(told.join("\n"));
}

fn key() -> PipelineKey {
    PipelineKey::parse("apps/web").unwrap()
}

fn prod() -> EnvironmentName {
    EnvironmentName::parse("prod").unwrap()
}

fn release(app: &str, chart: &str) -> Release {
    let version =
        |name: &str, text: &str| (ArtifactName::parse(name).unwrap(), Version::parse(text).unwrap());
    Release::new([version("app", app), version("chart", chart)]).unwrap()
}

fn at(object: &mut Value, time: &str) -> jiff::Timestamp {
    object["metadata"]["creationTimestamp"] = json!(time);
    time.parse().unwrap()
}

#[test]
fn a_request_comes_back_as_it_was_asked() {
    for kind in [RequestKind::Promote, RequestKind::Override, RequestKind::Rollback, RequestKind::Emergency] {
        let request = Request {
            id: RequestId::parse("r-0123456789abcdef").unwrap(),
            release: release("1.10", "6.5.1"),
            kind,
            by: Person::parse("ada@example.com").unwrap(),
            at: "2026-11-20T08:00:00Z".parse().unwrap(),
            reason: Some("it burns: \"now\"".into()),
            from: Some(release("1.9", "6.5.0")),
            from_commit: Some(CommitId::parse(&"a".repeat(40)).unwrap()),
        };
        let mut object = promotion_object("ask-1", &key(), &prod(), &request);
        let made = at(&mut object, "2026-11-20T08:00:00Z");
        let read = promotion_from_json(&object).unwrap();
        assert_eq!(read.value.pipeline, key());
        assert_eq!(read.value.environment, prod());
        assert_eq!(read.value.request(made), Some(request));
        assert_eq!(read.meta.created, Some(made));
        assert_eq!(read.value.wanted.unwrap().text(), "app=1.10,chart=6.5.1");
        // Before it is recorded it is no request yet.
        object["status"] = Value::Null;
        assert_eq!(promotion_from_json(&object).unwrap().value.request(made), None);
    }
}

#[test]
fn an_approval_and_a_check_come_back_as_they_were_said() {
    let web = pipeline_from_json(&pipeline(spec())).unwrap().value;
    let approval = Approval {
        release: release("1.10", "6.5.1"),
        by: Person::parse("ada").unwrap(),
        groups: vec![Group::parse("release-managers").unwrap()],
        aliases: vec![Person::parse("ada@example.com").unwrap()],
        at: "2026-11-20T08:00:00Z".parse().unwrap(),
    };
    let mut object = approval_object("yes-1", &key(), &prod(), &approval);
    let made = at(&mut object, "2026-11-20T08:00:00Z");
    let read = approval_from_json(&object).unwrap().value;
    assert_eq!(read.approval(read.wanted.as_ref().unwrap().release(&web).unwrap(), made), approval);
    assert_eq!(read.recorded, None);
    object["status"] = json!({"state": "taken", "versions": versions(&approval.release)});
    assert_eq!(approval_from_json(&object).unwrap().value.recorded, Some(approval.release));

    for result in [CheckResult::Passed, CheckResult::Failed, CheckResult::Pending] {
        let fact = CheckFact {
            check: CheckName::parse("load-test").unwrap(),
            reporter: Person::parse("ci").unwrap(),
            release: release("1.10", "6.5.1"),
            result,
            at: "2026-11-20T08:00:00.5Z".parse().unwrap(),
            detail: Some("p99 is 120 ms".into()),
        };
        let mut object = check_object("load-1", &key(), &prod(), &fact);
        let made = at(&mut object, "2026-11-20T09:00:00Z");
        let read = check_from_json(&object).unwrap().value;
        assert_eq!(read.fact(&web, made).unwrap(), fact);
        object["spec"].as_object_mut().unwrap().remove("at");
        object["spec"]["url"] = json!("https://ci.example.com/7");
        let fact = check_from_json(&object).unwrap().value.fact(&web, made).unwrap();
        assert_eq!(
            (fact.at, fact.detail.as_deref()),
            (made, Some("p99 is 120 ms (https://ci.example.com/7)"))
        );
    }
}

#[test]
fn a_hold_comes_back_as_it_was_set() {
    let web = pipeline_from_json(&pipeline(spec())).unwrap().value;
    let hold = Hold {
        name: "black-friday".into(),
        environment: Some(prod()),
        pin: Some(release("1.10", "6.5.1")),
        reason: "nothing moves".into(),
        owner: Person::parse("Ada Lovelace").unwrap(),
        since: Some("2026-11-20T08:00:00Z".parse().unwrap()),
        until: Some("2026-12-01T00:00:00Z".parse().unwrap()),
    };
    let mut object = hold_object(&key(), &hold);
    assert_eq!(hold_from_json(&object).unwrap().value.on(&web).unwrap(), hold);
    object["spec"]["environment"] = json!("pro");
    let error = hold_from_json(&object).unwrap().value.on(&web).unwrap_err();
    assert_eq!(
        error.in_object(),
        "spec.environment: hold \"black-friday\" is on environment \"pro\" of apps/web, which does not exist; did you mean \"prod\"?"
    );
}

#[test]
fn what_was_said_wrong_is_told() {
    let object = |kind: &str, spec: Value| json!({"apiVersion": "gradus.dev/v1alpha1", "kind": kind, "metadata": {"name": "x", "namespace": "apps"}, "spec": spec});
    let mut told = Vec::new();
    let mut tell = |errors: Vec<gradus_manifest::ManifestError>| {
        told.push(format!("{}:", errors[0].place));
        told.extend(errors.iter().map(|error| format!("  {}", error.in_object())));
    };
    let promotion = json!({"pipeline": "apps/web", "environment": "Prod", "type": "emergency", "by": " "});
    tell(promotion_from_json(&object("Promotion", promotion)).unwrap_err());
    let both = json!({"pipeline": "web", "environment": "prod", "by": "ada", "version": "1", "versions": {"app": "1"}});
    tell(approval_from_json(&object("Approval", both)).unwrap_err());
    tell(
        approval_from_json(&object(
            "Approval",
            json!({"pipeline": "web", "environment": "prod", "groups": [""]}),
        ))
        .unwrap_err(),
    );
    let check = json!({
        "pipeline": "web", "environment": "prod", "check": "a b", "reporter": "ci", "result": "green",
        "at": "yesterday", "url": "ftp://x",
    });
    tell(check_from_json(&object("Check", check)).unwrap_err());
    let check = json!({
        "pipeline": "web", "environment": "prod", "check": "a b", "reporter": "ci", "result": "passed",
        "at": "yesterday", "url": "ftp://x",
    });
    tell(check_from_json(&object("Check", check)).unwrap_err());
    let web = pipeline_from_json(&pipeline(spec())).unwrap().value;
    let lone = json!({"pipeline": "web", "environment": "prod", "by": "ada", "version": "1.10"});
    let lone = approval_from_json(&object("Approval", lone)).unwrap().value;
    tell(vec![lone.wanted.unwrap().release(&web).unwrap_err()]);
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_status_is_read_back_as_it_was_written() {
    let versions = versions(&release("1.10", "6.5.1"));
    let status = PipelineStatus {
        observed_generation: Some(3),
        last_handled_reconcile_at: Some("2026-11-20T08:00:00Z".to_owned()),
        conditions: vec![Condition {
            of: "Ready".to_owned(),
            status: ConditionStatus::True,
            observed_generation: Some(3),
            last_transition_time: "2026-11-20T08:00:00Z".to_owned(),
            reason: "Looked".to_owned(),
            message: "all of it could be looked at".to_owned(),
        }],
        summary: Some("1.10 waits for approval in prod".to_owned()),
        environments: vec![EnvironmentStatus {
            name: "prod".to_owned(),
            verdict: Health::Healthy,
            version: Some("app 1.10, chart 6.5.1".to_owned()),
            versions: versions.clone(),
            since: Some("2026-11-20T08:00:00Z".to_owned()),
            next: Some(NextStatus {
                version: "app 1.11, chart 6.5.1".to_owned(),
                versions: versions.clone(),
                not_before: Some("2026-11-20T09:00:00Z".to_owned()),
            }),
            proposal: Some(ProposalStatus {
                number: 7,
                url: Some("https://github.com/acme/fleet/pull/7".to_owned()),
                version: Some("app 1.11, chart 6.5.1".to_owned()),
                since: Some("2026-11-20T08:30:00Z".to_owned()),
            }),
            reason: Some("approval-missing".to_owned()),
            message: Some("it waits for approval".to_owned()),
            explanation: Some("web 1.11 is not in prod yet: it waits for approval.\n".to_owned()),
            targets: vec![TargetStatus {
                name: "web".to_owned(),
                verdict: Health::NotDeployed,
                version: None,
                versions: versions.clone(),
                since: Some("2026-11-20T08:00:00Z".to_owned()),
                message: None,
                evidence: vec![Evidence {
                    object: "HelmRelease web/web".to_owned(),
                    message: "upgrade succeeded".to_owned(),
                    since: None,
                }],
            }],
            proven: vec![Proven {
                versions: versions.clone(),
                since: "2026-11-19T08:00:00Z".to_owned(),
                until: "2026-11-20T08:00:00Z".to_owned(),
            }],
            dispatched: vec![DispatchedStatus {
                promotion: "5f0c1d".to_owned(),
                from: Default::default(),
                versions: versions.clone(),
                request: Some("r-1".to_owned()),
                at: "2026-11-20T08:10:00Z".to_owned(),
            }],
            promoted: versions,
        }],
    };
    let written = serde_json::to_value(&status).unwrap();
    assert_eq!(serde_json::from_value::<PipelineStatus>(written.clone()).unwrap(), status);
    assert_eq!(serde_json::to_value(PipelineStatus::default()).unwrap(), json!({}));
    insta::assert_snapshot!(to_yaml(&written));
}
