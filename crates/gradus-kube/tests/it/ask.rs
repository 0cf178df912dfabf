//! What people ask of a real cluster, in their own name.

#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::observation::RequestKind;
use gradus_kube::Kind;
use gradus_kube::ask::{Approve, AskErrorKind, Cluster, Me, Promote, Wanted, approval, promotion};
use gradus_testbed::{ControlPlane, User};
use tokio::sync::OnceCell;

/// The definitions and rules of admission, as they are kept in the repository.
pub(crate) async fn gradus_kinds(plane: &ControlPlane) {
    static DONE: OnceCell<()> = OnceCell::const_new();
    DONE.get_or_init(async || {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/crd");
        let mut files: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.file_name().unwrap() != "kustomization.yaml");
        files.sort();
        for file in files {
            plane.apply(&std::fs::read_to_string(file).unwrap()).await.unwrap();
        }
    })
    .await;
}

struct World {
    plane: &'static ControlPlane,
    key: PipelineKey,
}

impl World {
    /// A namespace in which Ada may approve, Grace may only write approvals, and
    /// Linus may promote.
    async fn new(hint: &str) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        gradus_kinds(plane).await;
        let namespace = plane.namespace(hint).await.unwrap();
        let role = |name: &str, user: &str, rules: &str| {
            format!(
                "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
                 rules: [{rules}]\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
                 metadata: {{name: {name}, namespace: {namespace}}}\n\
                 roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: {name}}}\n\
                 subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {user}}}]\n"
            )
        };
        let rule = |resource: &str, verbs: &str| {
            format!("{{apiGroups: [gradus.dev], resources: [{resource}], verbs: [{verbs}]}}")
        };
        let approvals = rule("approvals", "create, get, list");
        let yaml = [
            role("ada", "ada", &[approvals.clone(), rule("pipelines", "approve")].join(", ")),
            role("grace", "grace", &approvals),
            role(
                "linus",
                "linus",
                &[rule("promotions", "create, get"), rule("pipelines", "promote, get, list")].join(", "),
            ),
        ];
        plane.apply(&yaml.concat()).await.unwrap();
        Self { plane, key: PipelineKey::parse(&format!("{namespace}/web")).unwrap() }
    }

    async fn cluster(&self, user: User) -> Cluster {
        let client = self.plane.client(user).await.unwrap();
        Cluster::new(client, self.key.namespace.as_str(), "cluster test")
    }

    /// A text in which the namespace is always called the same.
    fn told(&self, error: &gradus_kube::ask::AskError) -> String {
        let help = error.what_to_do().unwrap_or_default();
        format!("{error}\n{help}").replace(self.key.namespace.as_str(), "NAMESPACE")
    }
}

fn environment() -> EnvironmentName {
    EnvironmentName::parse("prod").unwrap()
}

fn yes(key: &PipelineKey, me: &Me) -> serde_json::Value {
    approval(&Approve { pipeline: key, environment: &environment(), wanted: Wanted::Version("1.2.3"), me })
}

#[tokio::test]
async fn a_cluster_knows_who_asks() {
    let world = World::new("whoami").await;
    let me = world.cluster(User::Ada).await.me().await.unwrap();
    assert_eq!(me.name.as_str(), "ada");
    let groups: Vec<&str> = me.groups.iter().map(|group| group.as_str()).collect();
    assert!(groups.contains(&"release-managers"), "{groups:?}");
}

#[tokio::test]
async fn who_has_the_verb_approves_once_however_often_it_is_said() {
    let world = World::new("approve").await;
    let cluster = world.cluster(User::Ada).await;
    let me = cluster.me().await.unwrap();
    let object = yes(&world.key, &me);
    let kind = Kind::Approval.group_kind();
    cluster.create("approving", &kind, &object, true).await.unwrap();
    let listed = cluster.list(&kind, Some(world.key.namespace.as_str())).await.unwrap();
    assert!(listed.is_empty(), "a dry run makes nothing");
    let made = cluster.create("approving", &kind, &object, false).await.unwrap();
    assert_eq!(made["spec"]["by"], "ada");
    assert_eq!(made["spec"]["version"], "1.2.3");
    let again = cluster.create("approving", &kind, &object, false).await.unwrap_err();
    assert_eq!(again.kind, AskErrorKind::Exists);
    // What was said is not for Ada to take back: she may not delete.
    let refused = cluster.delete("taking it back", &kind, &made, false).await.unwrap_err();
    insta::assert_snapshot!(world.told(&refused), @"
    taking it back: ada may not delete approvals in the namespace NAMESPACE
    that takes the verb delete on approvals of gradus.dev; the role gradus-approver has it
    ");
}

#[tokio::test]
async fn who_has_it_not_is_told_the_verb_and_the_role() {
    let world = World::new("refused").await;
    let kind = Kind::Approval.group_kind();
    let grace = world.cluster(User::Grace).await;
    let me = grace.me().await.unwrap();
    let refused = grace.create("approving", &kind, &yes(&world.key, &me), true).await.unwrap_err();
    assert_eq!(refused.kind, AskErrorKind::Forbidden);
    insta::assert_snapshot!(world.told(&refused), @"
    approving: grace may not approve in pipeline NAMESPACE/web: that takes the verb approve on pipelines of gradus.dev
    the role gradus-approver has the verb approve
    ");
    let eve = world.cluster(User::Eve).await;
    let me = eve.me().await.unwrap();
    let refused = eve.create("approving", &kind, &yes(&world.key, &me), false).await.unwrap_err();
    insta::assert_snapshot!(world.told(&refused), @"
    approving: eve may not create approvals in the namespace NAMESPACE
    that takes the verb create on approvals of gradus.dev; the role gradus-approver has it
    ");
    let unseen = eve.list_all(&Kind::Pipeline.group_kind()).await.unwrap_err();
    insta::assert_snapshot!(world.told(&unseen), @"
    listing pipelines: eve may not list pipelines in all namespaces
    that takes the verb list on pipelines of gradus.dev; the role gradus-viewer has it
    ");
}

#[tokio::test]
async fn nobody_speaks_for_somebody_else() {
    let world = World::new("forged").await;
    let ada = world.cluster(User::Ada).await;
    let me = world.cluster(User::Grace).await.me().await.unwrap();
    let refused = ada
        .create("approving", &Kind::Approval.group_kind(), &yes(&world.key, &me), false)
        .await
        .unwrap_err();
    insta::assert_snapshot!(world.told(&refused), @"approving: by must be the name you are known by here: ada");
}

#[tokio::test]
async fn asking_twice_is_two_promotions_and_an_override_takes_more() {
    let world = World::new("promote").await;
    let linus = world.cluster(User::Linus).await;
    let me = linus.me().await.unwrap();
    let kind = Kind::Promotion.group_kind();
    let ask = |way: RequestKind, reason: Option<&'static str>| {
        let environment = environment();
        let wish = Promote {
            pipeline: &world.key,
            environment: &environment,
            wanted: Wanted::Next,
            kind: way,
            reason,
            me: &me,
        };
        promotion(&wish)
    };
    let forward = ask(RequestKind::Promote, None);
    let first = linus.create("promoting", &kind, &forward, false).await.unwrap();
    let second = linus.create("promoting", &kind, &forward, false).await.unwrap();
    assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
    let refused = linus
        .create("promoting", &kind, &ask(RequestKind::Override, Some("a fix")), false)
        .await
        .unwrap_err();
    insta::assert_snapshot!(world.told(&refused), @"
    promoting: linus may not promote what is not proven in pipeline NAMESPACE/web: that takes the verb override on pipelines of gradus.dev
    the role gradus-emergency has the verb override
    ");
    // Who may not look everywhere looks where the context is.
    assert!(linus.list_all(&Kind::Pipeline.group_kind()).await.unwrap().is_empty());
    assert!(linus.get(&kind, world.key.namespace.as_str(), "none").await.unwrap().is_none());
}
