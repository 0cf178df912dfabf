//! Releases that walk from dev to prod as each environment proves them.

use serde_json::json;

use super::stage::{Stage, condition, here};

/// K17, K18: one commit for each step, and none from an environment that is not healthy.
#[tokio::test]
async fn a_release_walks_as_each_environment_gets_healthy() {
    let stage = Stage::new("walk").await;
    stage.set(&stage.three()).await;
    let _controller = stage.controller();
    // dev does not run it yet: nothing moves, however often it is looked.
    stage.until_it_is("staging", "healthy", "1.0.0").await;
    assert_eq!(here(&stage.look().await, "dev")["verdict"], "deploying");
    assert_eq!(stage.promotions(), Vec::<String>::new());

    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    // Git has it, and the cluster does not: staging has proven nothing.
    stage.until_it_is("staging", "deploying", "1.1.0").await;
    stage.apply("staging").await;
    stage.look().await;
    assert_eq!(stage.version("prod"), "1.0.0");

    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.1.0").await;
    stage.deploy("prod").await;
    stage.until_it_is("prod", "healthy", "1.1.0").await;
    let walked =
        ["Promote web to staging: 1.0.0 → 1.1.0", "Promote web to prod: 1.0.0 → 1.1.0"].map(str::to_owned);
    assert_eq!(stage.promotions(), walked);

    // The same said again, and looks at what did not change, make no commit.
    let tip = stage.git(&["rev-parse", "main"]);
    stage.deploy("dev").await;
    stage.deploy("staging").await;
    let object = stage.look().await;
    stage.look().await;
    assert_eq!(stage.git(&["rev-parse", "main"]), tip);
    assert_eq!(condition(&object, "Ready")["status"], "True");
    assert_eq!(object["status"]["summary"], "dev 1.1.0, staging 1.1.0, prod 1.1.0");
}

#[tokio::test]
async fn what_fails_in_staging_goes_no_further_until_something_better_comes() {
    let stage = Stage::new("fails").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.until_git_has("staging", "1.1.0").await;
    stage.fail("staging", "1.0.0").await;
    stage.until_it_is("staging", "failed", "1.1.0").await;
    let staging = here(&stage.look().await, "staging");
    let says = staging["targets"][0]["message"].as_str().unwrap_or_default();
    assert!(says.contains("context deadline exceeded"), "{staging:#}");
    assert_eq!(stage.version("prod"), "1.0.0");
    // Back to what works again is not what was promoted: it does not count as that.
    assert_eq!(stage.promotions(), ["Promote web to staging: 1.0.0 → 1.1.0"]);

    stage.commit("dev", "1.1.1");
    stage.until_it_is("dev", "deploying", "1.1.1").await;
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.1").await;
    stage.deploy("staging").await;
    stage.until_git_has("prod", "1.1.1").await;
    let walked = [
        "Promote web to staging: 1.0.0 → 1.1.0",
        "Promote web to staging: 1.1.0 → 1.1.1",
        "Promote web to prod: 1.0.0 → 1.1.1",
    ];
    assert_eq!(stage.promotions(), walked);
}

#[tokio::test]
async fn a_proposal_is_a_branch_until_a_person_says_yes() {
    let stage = Stage::new("proposal").await;
    let gate = json!({"promote": {"strategy": "pull-request", "merge": "auto"}, "gates": [{"approval": {"min": 1}}]});
    let environments = [stage.environment("dev", json!({})), stage.environment("staging", gate)];
    stage.set(&environments).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    let proposed = stage
        .until("a proposal", async || {
            Some(stage.here("staging").await).filter(|here| here["proposal"]["version"] == "1.1.0")
        })
        .await;
    assert_eq!(proposed["reason"], "waiting-for-approval", "{proposed:#}");
    let branch = format!("gradus/{}/web/staging", stage.namespace);
    assert_eq!(stage.branches(), [branch]);
    stage.look().await;
    assert_eq!(stage.promotions(), Vec::<String>::new());

    stage.say("Approval", "yes", json!({"environment": "staging", "by": "grace"})).await;
    stage.until_git_has("staging", "1.1.0").await;
    stage.answered("Approval", "yes", "taken").await;
    stage.until("the branch to be gone", async || stage.branches().is_empty().then_some(())).await;
    assert_eq!(stage.promotions(), ["Promote web to staging: 1.0.0 → 1.1.0"]);
}

#[tokio::test]
async fn nothing_goes_past_what_the_one_before_has() {
    let stage = Stage::new("order").await;
    stage.set(&stage.three()).await;
    stage.deploy("dev").await;
    let _controller = stage.controller();
    stage.until_git_has("staging", "1.1.0").await;
    // A newer one overtakes in dev before staging is done with the first.
    stage.commit("dev", "1.2.0");
    stage.until_it_is("dev", "deploying", "1.2.0").await;
    stage.deploy("dev").await;
    stage.until_it_is("dev", "healthy", "1.2.0").await;
    stage.deploy("staging").await;
    stage
        .until("prod or staging to move on", async || {
            (stage.version("staging") == "1.2.0" || stage.version("prod") == "1.1.0").then_some(())
        })
        .await;
    while stage.version("prod") != "1.2.0" {
        stage.deploy("staging").await;
        stage.deploy("prod").await;
        stage.look().await;
        let (staging, prod) = (stage.version("staging"), stage.version("prod"));
        assert!(prod <= staging && staging.as_str() <= "1.2.0", "{:#?}", stage.log());
    }
    let log = stage.promotions();
    let distinct: std::collections::BTreeSet<&String> = log.iter().collect();
    assert_eq!(distinct.len(), log.len(), "a promotion was made twice: {log:#?}");
}
