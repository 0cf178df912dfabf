//! What the documents say to apply.

use std::collections::BTreeSet;
use std::path::Path;

use tokio::process::Command;

use super::{helm, installed, kubectl, root, said};

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

#[tokio::test]
async fn the_plugin_is_what_is_released() {
    let released = std::fs::read_to_string(root().join(".github/workflows/release.yml")).unwrap();
    let targets: Vec<&str> = released
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- { target: ")?.split(',').next())
        .collect();
    assert_eq!(targets.len(), 4);
    let archives = targets.iter().map(|target| format!("gradus-v1.2.3-{target}.tar.gz"));
    let sums: Vec<String> =
        archives.clone().map(|archive| format!("{archive:0>64.3}  {archive}\n")).collect();
    let folder = installed().await.folder().join("SHA256SUMS");
    std::fs::write(&folder, sums.concat()).unwrap();
    let fill = async |file: &Path| {
        let mut command = Command::new("plugins/krew/fill.sh");
        command.arg("v1.2.3").arg(file);
        said(command, "").await
    };
    let filled = fill(&folder).await.unwrap();
    for archive in archives {
        let uri = format!("uri: https://github.com/gradus-dev/gradus/releases/download/v1.2.3/{archive}\n");
        assert!(filled.contains(&uri), "{uri} in\n{filled}");
    }
    assert_eq!(filled.matches("sha256: \"00").count(), 4, "{filled}");
    let short = folder.with_extension("short");
    std::fs::write(&short, sums[1..].concat()).unwrap();
    let why = fill(&short).await.unwrap_err();
    assert!(why.ends_with("@SHA256:gradus-v1.2.3-x86_64-unknown-linux-gnu.tar.gz@\n"), "{why}");
}

/// The arguments that the pods are given, and the program takes: docs/cli.md is
/// written by the program.
#[tokio::test]
async fn the_program_takes_what_its_pods_are_given() {
    let plane = installed().await;
    let reference = std::fs::read_to_string(root().join("docs/cli.md")).unwrap();
    let (_, controller) = reference.split_once("\n## gradus controller\n").unwrap();
    let (controller, _) = controller.split_once("\n## ").unwrap();
    let mut given = kubectl(plane, &["kustomize", "config/namespaced"], "").await.unwrap();
    let template =
        ["template", "gradus", "charts/gradus", "--set", "crds.install=false,controller.namespace=a"];
    given += &helm(plane, &template, "controller: {watchLabelSelector: a=b}").await.unwrap();
    let given =
        given.lines().filter_map(|line| line.trim().trim_start_matches(['-', ' ', '"']).split_once('='));
    let flags: BTreeSet<String> = given
        .map(|(flag, _)| flag.to_owned())
        .filter(|flag| !flag.is_empty() && flag.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect();
    assert!(flags.len() > 8, "{flags:?}");
    let unknown: Vec<String> =
        flags.into_iter().filter(|flag| !controller.contains(&format!("`--{flag} "))).collect();
    assert_eq!(unknown, [] as [&str; 0]);
}
