//! Targets in a cluster, as the engine takes what is seen of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{CommitId, Namespace};
use gradus_core::observation::{Seen, TargetState};
use gradus_core::pipeline::{ClusterTarget, Confidence, Pipeline, TargetKind, VersionFrom};
use gradus_core::release::Release;
use gradus_core::verdict::Verdict;
use gradus_core::version::Version;
use gradus_engine::Engine;
use gradus_engine::fake::{Fakes, Faults, sketch};
use gradus_engine::port::Clock;

/// A pipeline of which `dev` is looked at in a cluster, and what may be seen there.
struct Scene {
    fakes: Fakes,
    pipeline: Arc<Pipeline>,
    engine: Arc<Engine>,
}

fn namespace() -> Namespace {
    Namespace::parse("web-dev").expect("a namespace")
}

impl Scene {
    fn new() -> Self {
        let target = ClusterTarget {
            cluster: None,
            namespace: namespace(),
            object: None,
            versions: BTreeMap::from([(sketch::artifact(), VersionFrom::Object)]).into(),
            confidence: Confidence::Controller,
        };
        let mut dev = sketch::environment("dev", &[]);
        dev.targets = vec![sketch::target("main", TargetKind::Cluster(Arc::new(target)))];
        let pipeline = Arc::new(sketch::pipeline(vec![dev, sketch::environment("prod", &["dev"])]));
        let fakes = Fakes::default();
        let files = ["dev", "prod"].map(|name| (sketch::path(name), sketch::file(name, "1.0.0")));
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
        fakes.repo.push("main", "ada", "Begin", &files);
        let engine = Arc::new(Engine::new(fakes.ports(&Faults::none())));
        Self { fakes, pipeline, engine }
    }

    fn declares(&self, version: &str) -> CommitId {
        let (path, text) = (sketch::path("dev"), sketch::file("dev", version));
        self.fakes.repo.push(
            "main",
            "ada",
            &format!("dev {version}"),
            &[(path.as_str(), Some(text.as_str()))],
        );
        self.fakes.repo.tip("main").expect("a tip")
    }

    /// What was applied in the cluster is this commit, and it works.
    fn applied(&self, commit: &str) {
        let release = Release::single(sketch::artifact(), Version::parse(commit).expect("a version"));
        let since = self.fakes.clock.now();
        self.fakes.targets.runs(&namespace(), Seen::Known(TargetState::Healthy { release, since }));
    }

    /// What dev is found to be, and what prod declares after everything was done.
    async fn check(&self, verdict: &str, prod: &str) {
        let mut found = String::new();
        for _ in 0..3 {
            let done = self.engine.reconcile(&self.pipeline).await;
            let dev = done.looked.report.environment(&sketch::environment_name("dev")).expect("dev").clone();
            found = match &dev.verdict.verdict {
                Verdict::Healthy { release, .. } => format!("healthy {release}"),
                Verdict::Unknown { why } => format!("unknown: {why}"),
                other @ (Verdict::NotDeployed | Verdict::Deploying { .. } | Verdict::Failed { .. }) => {
                    other.word().to_owned()
                }
            };
        }
        assert_eq!(found, verdict);
        let text = self.fakes.repo.text("main", &sketch::path("prod")).expect("a file");
        assert_eq!(sketch::version_in(&text), Some(prod));
    }
}

#[tokio::test]
async fn an_applied_commit_stands_for_what_was_declared_there() {
    let scene = Scene::new();
    let before = scene.fakes.repo.tip("main").expect("a tip");
    scene.declares("1.1.0");
    scene.applied(before.as_str());
    scene.check("deploying", "1.0.0").await;

    // A commit that has nothing to do with it comes after the one that is applied.
    let brought = scene.fakes.repo.tip("main").expect("a tip");
    scene.fakes.repo.push("main", "mia", "Other", &[("other.yaml", Some("a: b\n"))]);
    scene.applied(brought.as_str());
    scene.check("healthy 1.1.0", "1.1.0").await;
}

#[tokio::test]
async fn a_commit_that_took_the_version_back_proves_nothing_of_it() {
    let scene = Scene::new();
    scene.declares("1.1.0");
    let back = scene.declares("1.0.0");
    scene.declares("1.2.0");
    scene.applied(back.as_str());
    scene.check("deploying", "1.0.0").await;
}

#[tokio::test]
async fn a_commit_that_the_repository_does_not_have_is_not_known() {
    let scene = Scene::new();
    scene.declares("1.1.0");
    scene.applied("0123456789012345678901234567890123456789");
    let done = scene.engine.reconcile(&scene.pipeline).await;
    let dev = done.looked.report.environment(&sketch::environment_name("dev")).expect("dev").clone();
    assert_eq!(dev.verdict.verdict.word(), "unknown");
    scene.fakes.targets.runs(&namespace(), Seen::unknown("the API server does not answer"));
    scene.check("unknown: the API server does not answer", "1.0.0").await;
}
