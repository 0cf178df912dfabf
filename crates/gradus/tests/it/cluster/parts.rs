//! Controllers that look after a part of the pipelines each.

use std::fs;
use std::path::Path;

use gradus_testbed::User;
use serde_json::json;

use super::stage::{PIPELINE, Stage};

const SELECTOR: &str = "--watch-label-selector";
const KEY: &str = "sharding.fluxcd.io/key";

#[tokio::test]
async fn labels_choose_who_looks_after_a_pipeline() {
    let stage = Stage::new("labels").await;
    let mut pipeline = stage.pipeline(&stage.three());
    pipeline["metadata"]["labels"] = json!({KEY: "one"});
    stage.objects.put(&pipeline).await.unwrap();
    let one = stage.replica("one", &[SELECTOR, "sharding.fluxcd.io/key in (one, two), !legacy"]);
    stage.until_it_is("staging", "healthy", "1.0.0").await;
    // It is another's now; what it is told is not done here, whatever comes.
    let moved = json!({"metadata": {"labels": {KEY: "three"}}});
    stage.objects.merge(PIPELINE, &stage.namespace, "web", &moved).await.unwrap();
    stage.deploy("dev").await;
    let other = stage.replica("other", &[SELECTOR, "sharding.fluxcd.io/key notin (one,two)"]);
    stage.until_git_has("staging", "1.1.0").await;
    other.kill();
    // The first would see this at once if it still looked after it.
    let looks = one.looks();
    stage.deploy("staging").await;
    stage.deploy("dev").await;
    for _ in 0..5 {
        stage.touch("staging").await;
    }
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(one.looks(), looks);
    assert_eq!(stage.version("prod"), "1.0.0");
    // And back.
    let back = json!({"metadata": {"labels": {KEY: "two"}}});
    stage.objects.merge(PIPELINE, &stage.namespace, "web", &back).await.unwrap();
    stage.until_git_has("prod", "1.1.0").await;
    // One that is deleted is looked after no more.
    stage.objects.delete(PIPELINE, &stage.namespace, "web").await.unwrap();
    stage.until("the pipeline to be gone", async || stage.object().await.is_null().then_some(())).await;
    stage
        .until("it to be forgotten", async || {
            let before = one.looks();
            tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
            (one.looks() == before).then_some(())
        })
        .await;
}

#[tokio::test]
async fn who_may_see_one_namespace_alone_gets_ready() {
    let stage = Stage::new("alone").await;
    // Somebody without any other right.
    let user = User::Eve;
    for (file, role) in [("role.yaml", "gradus-controller"), ("target/role.yaml", "gradus-target")] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/namespaced").join(file);
        let text = fs::read_to_string(path).unwrap();
        let rules = text.split("\n---").next().unwrap();
        let rules = rules.replace("metadata:\n", &format!("metadata:\n  namespace: {}\n", stage.namespace));
        stage.plane().apply(&rules).await.unwrap();
        let bound = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": role, "namespace": stage.namespace},
            "subjects": [{"kind": "User", "name": user.name()}],
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
        });
        stage.plane().apply(&bound.to_string()).await.unwrap();
    }
    let own = stage.plane().objects(user).await.unwrap();
    stage.until("the roles", async || own.list(PIPELINE, &stage.namespace).await.ok()).await;
    assert!(own.list(PIPELINE, "").await.is_err() && own.list(PIPELINE, "default").await.is_err());
    stage.set(&stage.three()).await;
    let alone = stage.replica_as(user, "alone", &[]);
    stage.deploy("dev").await;
    stage.until_git_has("staging", "1.1.0").await;
    let port = alone.said();
    assert!(port.contains("gradus's own objects are seen"), "{port}");
}

#[test]
fn what_is_no_selector_is_refused_at_the_start() {
    let mut world = crate::world::World::empty();
    world.run(&["controller", SELECTOR, "team in web"]);
    world.check("label_selector");
}
