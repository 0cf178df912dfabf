//! A client that others wrote, on the double of GitHub.

use std::collections::BTreeSet;

use super::Scene;
use crate::forge::clients::{BRANCHES, Stage, opened, seen};

/// A call without its numbers and commits.
fn shape(call: &str) -> String {
    let is_id = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()) || part.len() == 40;
    let (call, status) = call.rsplit_once(' ').unwrap();
    assert!(status.len() == 3);
    let parts: Vec<&str> = call.split('/').map(|part| if is_id(&part) { "{}" } else { part }).collect();
    parts.join("/")
}

#[tokio::test]
async fn go_github() {
    let scene = Scene::new().await;
    for name in BRANCHES {
        let branch = format!("refs/heads/{name}");
        scene.git.git(&["-C", "repo.git", "update-ref", &branch, "refs/heads/main"]);
        scene.git.commit(name, &[(&format!("{name}.txt"), name)], name);
    }
    let api = scene.api("ghp_gradus");
    opened(&*api).await;
    scene.server.hub().review(1, "APPROVED");
    scene.server.calls();
    let url = scene.server.url();
    let (kind, repository) = ("github", "acme/fleet");
    let (token, reader) = ("ghp_gradus", "github_pat_read");
    let saw = Stage { kind, url: &url, repository, token, reader }.played().await;
    let calls: BTreeSet<String> = scene
        .server
        .calls()
        .iter()
        .filter(|call| !call.rsplit(' ').next().is_some_and(|status| status.starts_with('4')))
        .map(|call| shape(call))
        .collect();
    assert_eq!(scene.git.show("main", "second.txt"), "second");
    let calls: Vec<String> = calls.into_iter().collect();
    insta::assert_snapshot!(format!(
        "{saw}\n# gradus\n{}\n# {} calls\n{}\n",
        seen(&*api).await,
        calls.len(),
        calls.join("\n")
    ));
}
