//! What follows from what runs where.

use gradus_weave::Revision;
use gradus_weave::kind::{Environment, EnvironmentStatus, Pipeline, PromotionSpec, PromotionStatus};
use gradus_weave::level::{Decision, Target, decide};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Vector {
    name: String,
    #[serde(default)]
    promotion: Option<PromotionSpec>,
    environments: Vec<Run>,
    then: Value,
}

#[derive(Deserialize)]
struct Run {
    name: String,
    runs: Vec<String>,
    #[serde(default)]
    promotion: Option<PromotionSpec>,
    #[serde(default)]
    written: Option<PromotionStatus>,
}

fn target(text: &str) -> Target {
    if text == "unreadable" {
        return Target::Unreadable;
    }
    let (revision, ready) = match text.strip_suffix(" not ready") {
        Some(revision) => (revision, false),
        None => (text, true),
    };
    Target::Seen { revision: Revision::parse(revision).ok().filter(|one| one.as_str() != "unknown"), ready }
}

fn decided(promotion: Option<PromotionSpec>, environments: &[Run]) -> Value {
    let mut pipeline = Pipeline::default();
    pipeline.metadata.namespace = "default".to_owned();
    pipeline.metadata.name = "app".to_owned();
    pipeline.spec.promotion = promotion;
    for run in environments {
        let targets = run.runs.iter().map(|_| gradus_weave::kind::Target::default()).collect();
        let environment = Environment { name: run.name.clone(), targets, promotion: run.promotion.clone() };
        pipeline.spec.environments.push(environment);
        let status = EnvironmentStatus { promotion: run.written.clone(), ..EnvironmentStatus::default() };
        pipeline.status.environments.insert(run.name.clone(), status);
    }
    let seen: Vec<Vec<Target>> =
        environments.iter().map(|run| run.runs.iter().map(|text| target(text)).collect()).collect();
    match decide(&pipeline, &seen) {
        Decision::Done { .. } => json!({"done": true}),
        Decision::Pending(pending) => json!({"pending": pending.message()}),
        Decision::Wait { environment } => json!({"waitFor": environment}),
        Decision::LookAgain { environment } => json!({"lookAgainAt": environment}),
        Decision::AwaitApproval { environment, revision } => {
            json!({"approval": environment, "revision": revision.as_str()})
        }
        Decision::Promote(promotion) => json!({
            "promote": promotion.environment.name, "revision": promotion.revision.as_str(),
            "strategy": promotion.strategy.word(), "with": promotion.spec,
        }),
        Decision::Stop { environment } => json!({"stopAt": environment}),
    }
}

#[test]
fn every_vector_is_decided_so() {
    let vectors: Vec<Vector> = serde_json::from_str(include_str!("../vectors/level.json")).unwrap();
    let mut kept = 0;
    for vector in &vectors {
        let decided = decided(vector.promotion.clone(), &vector.environments);
        // The strategy as it was read, so that what was left out is left out on both sides.
        let mut then = vector.then.clone();
        if let Some(with) = then.get_mut("with") {
            *with = json!(serde_json::from_value::<PromotionSpec>(with.clone()).unwrap());
        }
        assert_eq!(decided, then, "{}", vector.name);
        kept += 1;
    }
    println!("level vectors: {kept}/{}", vectors.len());
    assert_eq!(kept, 22);
}

fn check(environments: &[(&str, &[&str])], then: Value) {
    let runs: Vec<Run> = environments
        .iter()
        .map(|(name, runs)| Run {
            name: (*name).to_owned(),
            runs: runs.iter().map(|run| (*run).to_owned()).collect(),
            promotion: None,
            written: None,
        })
        .collect();
    let promotion = serde_json::from_value(json!({"strategy": {"notification": {}}})).unwrap();
    assert_eq!(decided(Some(promotion), &runs), then, "{environments:?}");
}

#[test]
fn what_cannot_be_seen_holds_and_what_is_further_on_does_not_matter() {
    check(&[("dev", &["1", "unreadable"]), ("prod", &["0"])], json!({"lookAgainAt": "dev"}));
    check(&[("dev", &["1"]), ("prod", &["1", "unreadable"])], json!({"lookAgainAt": "prod"}));
    let next = json!({"promote": "stage", "revision": "1", "strategy": "notification",
        "with": {"strategy": {"notification": {}}}});
    check(&[("dev", &["1"]), ("stage", &["0"]), ("prod", &["unreadable"])], next);
}

#[test]
fn one_target_that_has_arrived_is_waited_for_the_others() {
    check(&[("dev", &["1"]), ("prod", &["1", "0"])], json!({"waitFor": "prod"}));
    let same = "Waiting for all targets to have the same revision";
    check(&[("dev", &["1", "2"]), ("prod", &["0"])], json!({"pending": same}));
    check(&[("dev", &[]), ("prod", &["0"])], json!({"pending": same}));
}

#[test]
fn what_was_approved_and_written_does_not_wait_again() {
    let written = PromotionStatus { revision: "1".into(), succeeded: true, ..PromotionStatus::default() };
    let manual: PromotionSpec =
        serde_json::from_value(json!({"manual": true, "strategy": {"notification": {}}})).unwrap();
    let run = |name: &str, runs: &str, written| Run {
        name: name.to_owned(),
        runs: vec![runs.to_owned()],
        promotion: None,
        written,
    };
    let runs = [run("dev", "1", None), run("prod", "0", Some(written))];
    assert_eq!(decided(Some(manual.clone()), &runs), json!({"waitFor": "prod"}));
    let runs = [run("dev", "1", None), run("prod", "0", None)];
    assert_eq!(decided(Some(manual), &runs), json!({"approval": "prod", "revision": "1"}));
}
