//! What the documents say to apply.

use super::{installed, kubectl, root};

#[tokio::test]
async fn every_object_in_the_documents_is_taken() {
    let plane = installed().await;
    for namespace in ["apps", "flux-system"] {
        // Another test may have made it.
        let _there = kubectl(plane, &["create", "namespace", namespace], "").await;
    }
    let mut taken = Vec::new();
    for name in ["install.md", "rbac.md", "multi-cluster.md", "migrating.md", "troubleshooting.md"] {
        let text = std::fs::read_to_string(root().join("docs").join(name)).unwrap();
        let blocks = text.split("```yaml\n").skip(1).filter_map(|part| part.split_once("\n```"));
        for (block, _) in blocks.filter(|(block, _)| block.contains("\nmetadata: ")) {
            let create = ["create", "--dry-run=server", "--validate=strict", "-o", "name", "-f", "-"];
            match kubectl(plane, &create, block).await {
                Ok(said) => taken.push(format!("{name}: {}", said.trim().replace('\n', ", "))),
                Err(why) => panic!("{name}: {why}\n{block}"),
            }
        }
    }
    // A name that the cluster makes up ends in letters of its own.
    let taken: Vec<&str> = taken.iter().map(|one| one.split("gradus.dev/podinfo-").next().unwrap()).collect();
    insta::assert_snapshot!(taken.join("\n"), @"
    install.md: pipeline.gradus.dev/podinfo
    install.md: approval.
    rbac.md: role.rbac.authorization.k8s.io/gradus-secrets, rolebinding.rbac.authorization.k8s.io/gradus-secrets
    rbac.md: role.rbac.authorization.k8s.io/approve-podinfo
    multi-cluster.md: pipeline.gradus.dev/everywhere
    ");
}
