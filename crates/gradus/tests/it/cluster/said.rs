//! What people and machines say with objects, and what they are answered.

use serde_json::{Value, json};

use super::stage::{Stage, here};

const HOLD: &str = "gradus.dev/v1alpha1/Hold";
const PROMOTION: &str = "gradus.dev/v1alpha1/Promotion";

/// dev and staging run 1.1.0, and prod waits behind a gate for it.
async fn at_the_gate(stage: &Stage<'_>, gate: Value) {
    stage.set(&stage.three_with(json!({"gates": [gate]}))).await;
    stage.deploy("dev").await;
    stage.commit("staging", "1.1.0");
    stage.deploy("staging").await;
}

async fn until_prod_waits(stage: &Stage<'_>, version: &str, reason: &str) {
    stage
        .until(&format!("prod to wait for {version}: {reason}"), async || {
            let prod = stage.here("prod").await;
            (prod["next"]["version"] == version && prod["reason"] == reason).then_some(())
        })
        .await;
}

#[tokio::test]
async fn a_yes_is_to_one_version_and_a_newer_one_needs_another() {
    let stage = Stage::new("yes").await;
    at_the_gate(&stage, json!({"approval": {"min": 2}})).await;
    let _controller = stage.controller();
    until_prod_waits(&stage, "1.1.0", "waiting-for-approval").await;
    // One without a version is to what is next now, one names it, one names what is nowhere.
    stage.say("Approval", "next", json!({"environment": "prod", "by": "grace"})).await;
    stage.answered("Approval", "next", "taken").await;
    assert_eq!(stage.answer("Approval", "next").await["versions"], json!({"app": "1.1.0"}));
    stage
        .say("Approval", "many", json!({"environment": "prod", "versions": {"chart": "1.1.0"}, "by": "ada"}))
        .await;
    let why = stage.answered("Approval", "many", "refused").await;
    assert!(why.contains("chart"), "{why}");
    stage.say("Approval", "nowhere", json!({"environment": "prd", "by": "ada"})).await;
    let why = stage.answered("Approval", "nowhere", "refused").await;
    assert!(why.contains("prd"), "{why}");
    // Nobody counts twice.
    stage.say("Approval", "again", json!({"environment": "prod", "by": "grace"})).await;
    stage.answered("Approval", "again", "taken").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");

    // A newer one comes before the second yes: neither counts for it.
    stage.commit("dev", "1.2.0");
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.2.0").await;
    stage.deploy("staging").await;
    until_prod_waits(&stage, "1.2.0", "waiting-for-approval").await;
    stage.say("Approval", "ada", json!({"environment": "prod", "version": "1.2.0", "by": "ada"})).await;
    stage.answered("Approval", "ada", "taken").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");
    stage.say("Approval", "grace", json!({"environment": "prod", "version": "1.2.0", "by": "grace"})).await;
    stage.until_git_has("prod", "1.2.0").await;
    assert_eq!(stage.promotions().len(), 2, "{:#?}", stage.promotions());
}

#[tokio::test]
async fn who_brought_it_does_not_approve_it() {
    let stage = Stage::new("author").await;
    at_the_gate(&stage, json!({"approval": {"min": 1, "notAuthor": true}})).await;
    let _controller = stage.controller();
    until_prod_waits(&stage, "1.1.0", "waiting-for-approval").await;
    let spec = json!({"environment": "prod", "by": "ada", "aliases": ["ada@example.com"]});
    stage.say("Approval", "own", spec).await;
    stage.answered("Approval", "own", "taken").await;
    let prod = here(&stage.look().await, "prod");
    assert_eq!(prod["reason"], "waiting-for-approval", "{prod:#}");
    assert_eq!(stage.version("prod"), "1.0.0");
    stage.say("Approval", "other", json!({"environment": "prod", "by": "grace"})).await;
    stage.until_git_has("prod", "1.1.0").await;
}

#[tokio::test]
async fn a_yes_that_was_taken_back_does_not_count() {
    let stage = Stage::new("back").await;
    at_the_gate(&stage, json!({"approval": {"min": 2}})).await;
    let _controller = stage.controller();
    until_prod_waits(&stage, "1.1.0", "waiting-for-approval").await;
    stage.say("Approval", "first", json!({"environment": "prod", "by": "grace"})).await;
    stage.answered("Approval", "first", "taken").await;
    stage.objects.delete("gradus.dev/v1alpha1/Approval", &stage.namespace, "first").await.unwrap();
    stage
        .until("the yes to be gone", async || {
            let message = stage.here("prod").await["message"].to_string();
            message.contains("0 of 2").then_some(())
        })
        .await;
    stage.say("Approval", "second", json!({"environment": "prod", "by": "ada"})).await;
    stage.answered("Approval", "second", "taken").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");
}

#[tokio::test]
async fn what_is_said_while_git_is_away_is_settled_once_it_is_back() {
    let stage = Stage::new("away").await;
    at_the_gate(&stage, json!({"approval": {"min": 1}})).await;
    let controller = stage.controller();
    until_prod_waits(&stage, "1.1.0", "waiting-for-approval").await;
    std::fs::rename(stage.world.path("fleet.git"), stage.world.path("away.git")).unwrap();
    stage
        .until("Git not to be seen", async || {
            (stage.condition("Ready").await["status"] == "False").then_some(())
        })
        .await;
    stage.say("Approval", "next", json!({"environment": "prod", "by": "grace"})).await;
    stage.say("Promotion", "forward", json!({"environment": "prod", "by": "ada"})).await;
    let looks = controller.looks();
    stage.until("two looks", async || (controller.looks() >= looks + 2).then_some(())).await;
    for kind in [("Approval", "next"), ("Promotion", "forward")] {
        let status = stage.answer(kind.0, kind.1).await;
        assert!(status["state"].is_null(), "{kind:?} {status:#}");
    }
    std::fs::rename(stage.world.path("away.git"), stage.world.path("fleet.git")).unwrap();
    stage.answered("Approval", "next", "taken").await;
    stage.answered("Promotion", "forward", "done").await;
    assert_eq!(stage.version("prod"), "1.1.0");
}

#[tokio::test]
async fn a_hold_holds_until_it_is_deleted() {
    let stage = Stage::new("hold").await;
    stage.set(&stage.three()).await;
    stage
        .say("Hold", "freeze", json!({"environment": "staging", "reason": "black friday", "owner": "ada"}))
        .await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.answered("Hold", "freeze", "taken").await;
    stage.until_it_is("dev", "healthy", "1.1.0").await;
    let staging = here(&stage.look().await, "staging");
    assert!(staging["message"].as_str().unwrap().contains("black friday"), "{staging:#}");
    assert_eq!(stage.promotions(), Vec::<String>::new());
    stage.objects.delete(HOLD, &stage.namespace, "freeze").await.unwrap();
    stage.until_git_has("staging", "1.1.0").await;

    // One on everything, set while it runs.
    stage.say("Hold", "all", json!({"reason": "incident", "owner": "ada"})).await;
    stage.answered("Hold", "all", "taken").await;
    stage.deploy("staging").await;
    stage.until_it_is("staging", "healthy", "1.1.0").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");
    stage.objects.delete(HOLD, &stage.namespace, "all").await.unwrap();
    stage.until_git_has("prod", "1.1.0").await;
}

#[tokio::test]
async fn a_check_opens_its_gate_and_only_by_the_word_of_its_reporter() {
    let stage = Stage::new("check").await;
    at_the_gate(&stage, json!({"check": {"name": "load", "reporter": "k6"}})).await;
    let _controller = stage.controller();
    until_prod_waits(&stage, "1.1.0", "check-pending").await;
    let report = |reporter: &str, version: &str, result: &str| json!({"environment": "prod", "check": "load", "reporter": reporter, "version": version, "result": result});
    stage.say("Check", "other", report("eve", "1.1.0", "passed")).await;
    stage.say("Check", "old", report("k6", "1.0.0", "passed")).await;
    stage.answered("Check", "other", "taken").await;
    stage.answered("Check", "old", "taken").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");
    stage.say("Check", "good", report("k6", "1.1.0", "passed")).await;
    stage.until_git_has("prod", "1.1.0").await;
}

/// K17: a step by a person, forward and back; K18: past what is not proven.
#[tokio::test]
async fn promotions_are_recorded_done_and_refused() {
    let stage = Stage::new("asked").await;
    let prod = json!({"gates": [{"manual": {}}], "promote": {"strategy": "push", "emergency": "allowed"}});
    stage.set(&stage.three_with(prod)).await;
    stage.deploy("dev").await;
    stage.commit("staging", "1.1.0");
    stage.deploy("staging").await;
    let _controller = stage.controller();
    stage
        .until("prod to wait for a person", async || {
            (stage.here("prod").await["next"]["version"] == "1.1.0").then_some(())
        })
        .await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");

    // Forward.
    stage.say("Promotion", "forward", json!({"environment": "prod", "by": "ada"})).await;
    stage.answered("Promotion", "forward", "done").await;
    let recorded = stage.answer("Promotion", "forward").await["recorded"].clone();
    assert_eq!(recorded["versions"], json!({"app": "1.1.0"}));
    assert_eq!(recorded["from"], json!({"app": "1.0.0"}));
    assert_eq!(stage.version("prod"), "1.1.0");
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;

    // Back, to what was there before, and it stays there.
    stage.say("Promotion", "back", json!({"environment": "prod", "type": "rollback", "by": "ada"})).await;
    stage.answered("Promotion", "back", "done").await;
    assert_eq!(stage.version("prod"), "1.0.0");
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.0.0").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");

    // What is proven nowhere.
    stage.commit("dev", "1.3.0");
    stage.until_it_is("dev", "deploying", "1.3.0").await;
    let unproven = |way: &str, reason: Option<&str>| {
        let mut spec = json!({"environment": "prod", "version": "1.3.0", "type": way, "by": "ada"});
        if let Some(reason) = reason {
            spec["reason"] = reason.into();
        }
        spec
    };
    stage.say("Promotion", "nowhere", json!({"environment": "prd", "version": "1.3.0", "by": "ada"})).await;
    let why = stage.answered("Promotion", "nowhere", "refused").await;
    assert!(why.contains("prd"), "{why}");
    stage.say("Promotion", "past", unproven("override", Some("staging is down"))).await;
    stage.answered("Promotion", "past", "done").await;
    assert_eq!(stage.version("prod"), "1.3.0");

    stage.commit("dev", "1.4.0");
    stage.until_it_is("dev", "deploying", "1.4.0").await;
    let mut burning = unproven("emergency", Some("it burns"));
    burning["version"] = "1.4.0".into();
    stage.say("Promotion", "fire", burning).await;
    stage.answered("Promotion", "fire", "done").await;
    assert_eq!(stage.version("prod"), "1.4.0");
    // Where no emergency is allowed.
    stage
        .say(
            "Promotion",
            "not-here",
            json!({"environment": "staging", "version": "1.4.0", "type": "emergency", "reason": "it burns", "by": "ada"}),
        )
        .await;
    stage.answered("Promotion", "not-here", "refused").await;
    assert_eq!(stage.version("staging"), "1.1.0");
    let made = [
        "Promote web to prod: 1.0.0 → 1.1.0",
        "Roll back web in prod: 1.1.0 → 1.0.0",
        "Promote web to prod: 1.0.0 → 1.3.0",
        "Promote web to prod: 1.3.0 → 1.4.0",
    ];
    assert_eq!(stage.promotions(), made);
}

#[tokio::test]
async fn twenty_promotions_are_kept_as_a_record() {
    let stage = Stage::new("record").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.until_git_has("staging", "1.1.0").await;
    for number in 0..24 {
        let spec = json!({"environment": "prod", "type": "emergency", "reason": "it burns", "by": "ada"});
        stage.say("Promotion", &format!("p{number:02}"), spec).await;
    }
    let left = stage
        .until("twenty to be left", async || {
            let all = stage.objects.list(PROMOTION, &stage.namespace).await.unwrap();
            let over = all.iter().all(|one| one["status"]["state"] == "refused");
            (all.len() <= 20 && over).then_some(all)
        })
        .await;
    assert_eq!(left.len(), 20);
    stage.look().await;
    assert_eq!(stage.objects.list(PROMOTION, &stage.namespace).await.unwrap().len(), 20);
    assert_eq!(stage.version("prod"), "1.0.0");
}
