//! The story of a forge that is no double.

use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{CommitId, ProposalNumber};
use gradus_remote::forge::{Account, ForgeApi, MergeMethod};
use serde_json::json;

use super::doubles::Who;
use super::scene::{BRANCH, FILE, Scene};
use super::story::{self, Has, Place};

/// A repository in a real Gitea, and a token that may only read.
struct Real {
    scene: Scene,
    reader: String,
}

impl Real {
    async fn new() -> Self {
        let scene = Scene::new().await;
        let bot = &scene.bot;
        let scopes = ["read:repository", "read:issue"];
        let reader = scene.gitea.token(&bot.name, &bot.password, &scopes).await.unwrap();
        Self { scene, reader }
    }
}

#[async_trait]
impl Place for Real {
    fn api(&self, who: Who) -> Arc<dyn ForgeApi> {
        self.scene.api(match who {
            Who::Gradus => &self.scene.bot.token,
            Who::Reader => &self.reader,
            Who::Nobody => "0123456789012345678901234567890123456789",
        })
    }

    fn ann(&self) -> Account {
        Account(self.scene.ann.name.as_str().into())
    }

    fn gradus(&self) -> Account {
        Account(self.scene.bot.name.as_str().into())
    }

    async fn write(&self, branch: &str, on: &str, text: &str) -> CommitId {
        let parent = self.scene.tip(on).await.unwrap();
        self.scene.write(branch, vec![parent], FILE, &format!("{text}\n")).await
    }

    async fn tip(&self, branch: &str) -> Option<CommitId> {
        self.scene.tip(branch).await
    }

    async fn file(&self, branch: &str) -> String {
        assert_eq!(branch, "main");
        self.scene.file().await.trim_end().to_owned()
    }

    async fn parents(&self, commit: &CommitId) -> usize {
        self.scene.repo.parents(commit).await.unwrap().len()
    }

    async fn message(&self, commit: &CommitId) -> String {
        self.scene.repo.history(commit, &[], 1).await.unwrap().commits[0].message.clone()
    }

    async fn retitle(&self, number: ProposalNumber, title: &str) {
        self.scene.ann("PATCH", &format!("/pulls/{number}"), json!({"title": title})).await;
    }

    async fn approve(&self, number: ProposalNumber) {
        self.scene.ann("POST", &format!("/pulls/{number}/reviews"), json!({"event": "APPROVED"})).await;
    }

    async fn need_approval(&self) {
        let rule = json!({"rule_name": "main", "required_approvals": 1});
        self.scene.ann("POST", "/branch_protections", rule).await;
    }

    async fn open_from_fork(&self) -> ProposalNumber {
        let scene = &self.scene;
        let eve = scene.gitea.user("eve").await.unwrap();
        let path = scene.path(&format!("/collaborators/{}", eve.name));
        let read = json!({"permission": "read"});
        scene.gitea.done(&scene.ann.token, "PUT", &path, Some(read)).await.unwrap();
        scene.gitea.done(&eve.token, "POST", &scene.path("/forks"), Some(json!({}))).await.unwrap();
        // The fork has the branch, too.
        let file = json!({"branch": BRANCH, "content": "dmVyc2lvbjogNjY2Cg==", "message": "mine"});
        let path = format!("/repos/{}/{}/contents/evil.yaml", eve.name, scene.name);
        scene.gitea.done(&eve.token, "POST", &path, Some(file)).await.unwrap();
        let head = format!("{}:{BRANCH}", eve.name);
        let pull = json!({"head": head, "base": "main", "title": "web 2 to prod"});
        let made = scene.gitea.done(&eve.token, "POST", &scene.path("/pulls"), Some(pull)).await.unwrap();
        ProposalNumber(made["number"].as_u64().unwrap())
    }

    async fn plan(&self) {
        self.scene.ann("POST", "/milestones", json!({"title": "1.2"})).await;
    }

    async fn archive(&self) {
        self.scene.ann("PATCH", "", json!({"archived": true})).await;
    }
}

#[tokio::test]
async fn gitea_does_it_all() {
    let has = Has {
        refuses_duplicates: true,
        methods: &[MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase, MergeMethod::FastForward],
        labels: true,
        assignees: true,
        milestones: true,
        deployments: false,
        review_commits: true,
        scopes: None,
        needs_approval: "Does not have enough approvals",
        may_only_read: "the credentials lack the scope write:repository",
        // It says so, and lets proposals be changed all the same.
        archives: false,
        tells_conflicts: false,
    };
    story::opens_and_changes(&Real::new().await, &has).await;
    story::merges_what_was_seen(&Real::new().await, &has).await;
    for method in has.methods {
        story::merges_as_it_is_said(&Real::new().await, &has, *method).await;
    }
    story::says_that_branches_conflict(&Real::new().await, &has).await;
    story::closes(&Real::new().await).await;
    story::ignores_forks(&Real::new().await).await;
    story::gives_statuses(&Real::new().await).await;
    story::talks(&Real::new().await).await;
    story::marks(&Real::new().await, &has).await;
    story::knows_who_asks(&Real::new().await, &has).await;
    story::tells_of_itself(&Real::new().await).await;
    let archived = Real::new().await;
    archived.archive().await;
    assert!(archived.api(Who::Gradus).repository().await.unwrap().archived);
}
