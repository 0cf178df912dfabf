//! A branch for each environment, on a real Git server, in a repository of the shape that many teams have: the same
//! files on the branches dev, stage and prod.

use std::sync::Arc;

use gradus_core::names::{BranchName, RepoPath};
use gradus_core::pipeline::{EditSpec, Environment, Pipeline, Select, Takes};
use gradus_core::tell::{Clock as Words, sentence};
use gradus_engine::fake::{Fakes, Faults, sketch};
use gradus_engine::port::Ports;
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_engine::{Engine, Outcome};
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use jiff::SignedDuration;

use crate::place::{Place, Via};
use crate::port::repository;
use crate::server::Fault;

const COMPONENT: &str = "name: cat-application\ntype: helm\npath: ./cat-chart\n";

fn config(tag: &str, replicas: u8) -> String {
    format!(
        "config:\n  image:\n    repository: some-repo/cat-app\n    tag: {tag} # set by the release\n  log: info\n  replicas: {replicas}\n"
    )
}

fn environment(name: &str, after: &[&str]) -> Environment {
    let mut here = sketch::environment(name, after);
    here.branch = Some(BranchName::parse(name).unwrap());
    here.takes = if after.is_empty() { Takes::Version } else { Takes::Branch };
    let file = RepoPath::parse("config/common.yaml").unwrap();
    let select = Select { path: "config.image.tag".to_owned(), ..Select::default() };
    here.edit = vec![EditSpec::field(file, select, sketch::artifact())];
    here
}

struct Shop {
    place: Place,
    fakes: Fakes,
    pipeline: Arc<Pipeline>,
}

impl Shop {
    async fn open(via: Via) -> Self {
        let place = Place::new(
            via,
            &[
                ("component.yaml", COMPONENT),
                ("config/common.yaml", &config("v1.0.0", 1)),
                ("docs/a.md", "a\n"),
            ],
        )
        .await;
        for branch in ["dev", "stage", "prod"] {
            place.git(&["-C", "repo.git", "update-ref", &format!("refs/heads/{branch}"), "main"]);
        }
        let sketched = sketch::pipeline(vec![
            environment("dev", &[]),
            environment("stage", &["dev"]),
            environment("prod", &["stage"]),
        ]);
        let environments = sketched.environments().to_vec();
        let url = repository(place.url().as_str());
        let pipeline =
            Pipeline::new(sketched.key.clone(), url, sketched.artifacts.clone(), environments).unwrap();
        let shop = Self { place, fakes: Fakes::default(), pipeline: Arc::new(pipeline) };
        for name in ["dev", "stage", "prod"] {
            shop.healthy(name, "v1.0.0");
        }
        shop
    }

    /// A process that begins: it knows nothing but what Git and the record keep.
    fn engine(&self) -> Engine {
        let access = SecretFolder { folder: None, otherwise: self.place.options() };
        let repos = Arc::new(WireRepos::new(Arc::new(access), Committer::default()));
        Engine::new(Ports { repos, ..self.fakes.ports(&Faults::none()) })
    }

    fn healthy(&self, environment: &str, version: &str) {
        self.fakes.clock.advance(SignedDuration::from_secs(60));
        let entry = Entry::Report {
            environment: sketch::environment_name(environment),
            target: sketch::target_name("main"),
            reported: Reported::Healthy { release: sketch::release(version) },
            by: sketch::person("flux"),
            at: gradus_engine::port::Clock::now(&self.fakes.clock),
        };
        self.fakes.ledger.put(&self.pipeline.key, entry);
    }

    /// Looks and acts until there is nothing to do; how much was done.
    async fn settles(&self, engine: &Engine) -> usize {
        let mut done = 0;
        for _ in 0..20 {
            let reconciled = engine.reconcile(&self.pipeline).await;
            if !reconciled.did_something() && reconciled.errors().next().is_none() {
                return done;
            }
            done += reconciled.outcomes.iter().filter(|(_, o)| matches!(o, Ok(Outcome::Done(_)))).count();
        }
        panic!("it does not come to rest")
    }

    async fn reason(&self, environment: &str) -> String {
        let (looked, _) = self.engine().look(&self.pipeline).await;
        let here = looked.report.environment(&sketch::environment_name(environment)).unwrap();
        sentence(&here.reasons[0], &Words::utc(looked.at))
    }

    fn log(&self, branch: &str) -> String {
        self.place.git(&["-C", "repo.git", "log", "--first-parent", "--format=%s", branch])
    }

    fn tree_of_merge(&self, ours: &str, theirs: &str) -> String {
        self.place.git(&["-C", "repo.git", "merge-tree", "--write-tree", ours, theirs])
    }

    fn tree(&self, branch: &str) -> String {
        self.place.git(&["-C", "repo.git", "rev-parse", &format!("{branch}^{{tree}}")])
    }
}

/// A release goes from dev to stage to prod by merges that git would make as well; a second run finds nothing to do,
/// and a process that knows nothing of the first merges nothing again.
#[tokio::test]
async fn f1_f7_f8_a_release_is_merged_from_branch_to_branch_once() {
    for via in [Via::Http, Via::FileNoFilter] {
        let shop = Shop::open(via).await;
        shop.place.commit("prod", &[("docs/prod.md", "only here\n")], "what only prod has");
        shop.place.commit(
            "dev",
            &[("config/common.yaml", &config("v1.1.0", 1)), ("docs/b.md", "b\n")],
            "v1.1.0",
        );
        shop.healthy("dev", "v1.1.0");
        let expected = shop.tree_of_merge("stage", "dev");
        let engine = shop.engine();
        assert_eq!(shop.settles(&engine).await, 1);
        assert_eq!(shop.tree("stage"), expected);
        shop.healthy("stage", "v1.1.0");
        let expected = shop.tree_of_merge("prod", "stage");
        assert_eq!(shop.settles(&engine).await, 1);
        assert_eq!(shop.tree("prod"), expected);
        insta::allow_duplicates! { insta::assert_snapshot!(shop.log("prod"), @r"
        Promote web to prod: v1.0.0 → v1.1.0
        what only prod has
        first
        "); }
        // The second parent is what was merged, so that git knows it, too.
        let parents = |of: &str| shop.place.git(&["-C", "repo.git", "log", "-1", "--format=%P", of]);
        let before = shop.place.git(&["-C", "repo.git", "rev-parse", "prod~1"]);
        assert_eq!(parents("prod"), format!("{before} {}", shop.place.at("stage")));
        let base = shop.place.git(&["-C", "repo.git", "merge-base", "prod", "dev"]);
        assert_eq!(base, shop.place.at("dev").to_string());

        // Again, by the same process, by another, and where the record is lost.
        assert_eq!(shop.settles(&engine).await, 0);
        assert_eq!(shop.settles(&shop.engine()).await, 0);
        shop.fakes.ledger.wipe();
        for name in ["dev", "stage", "prod"] {
            shop.healthy(name, "v1.1.0");
        }
        assert_eq!(shop.settles(&shop.engine()).await, 0);
        assert_eq!(shop.place.git(&["-C", "repo.git", "rev-list", "--merges", "--count", "prod"]), "2");
        shop.place.done();
    }
}

/// The connection breaks after the push, or before it, and the process ends: the next one finds in Git what was done.
#[tokio::test]
async fn a_push_without_an_answer_gives_no_second_merge() {
    for fault in [Fault::DropAfter, Fault::DropBefore] {
        let shop = Shop::open(Via::Http).await;
        shop.place.commit("dev", &[("config/common.yaml", &config("v1.1.0", 1))], "v1.1.0");
        shop.healthy("dev", "v1.1.0");
        shop.place.server.as_ref().unwrap().fault("/git-receive-pack", fault);
        drop(shop.engine().reconcile(&shop.pipeline).await);
        shop.fakes.ledger.wipe();
        for (name, version) in [("dev", "v1.1.0"), ("stage", "v1.0.0"), ("prod", "v1.0.0")] {
            shop.healthy(name, version);
        }
        shop.settles(&shop.engine()).await;
        assert_eq!(shop.log("stage").lines().count(), 2);
        assert_eq!(shop.place.git(&["-C", "repo.git", "rev-list", "--merges", "--count", "stage"]), "1");
        shop.place.done();
    }
}

/// Both branches have changed the same line: the file is named, and nothing is written. Lines that are apart are
/// merged, and the version is what it should be even where both branches have changed it.
#[tokio::test]
async fn f5_a_conflict_is_refused_with_its_file() {
    let shop = Shop::open(Via::Http).await;
    shop.place.commit("stage", &[("config/common.yaml", &config("v1.0.1", 5))], "hotfix");
    shop.healthy("stage", "v1.0.1");
    // It goes on to prod, as everything that is proven in stage.
    assert_eq!(shop.settles(&shop.engine()).await, 1);
    shop.healthy("prod", "v1.0.1");
    shop.place.commit("dev", &[("config/common.yaml", &config("v1.1.0", 3))], "v1.1.0");
    shop.healthy("dev", "v1.1.0");
    let before = shop.place.at("stage");
    assert_eq!(shop.settles(&shop.engine()).await, 0);
    assert_eq!(shop.place.at("stage"), before);
    let dev = shop.place.at("dev").to_string();
    let told = format!("commit {} of dev conflicts in config/common.yaml", &dev[..7]);
    assert_eq!(shop.reason("stage").await, told);

    // Another release, where only the version is changed on both.
    shop.place.commit("dev", &[("config/common.yaml", &config("v1.2.0", 1))], "v1.2.0");
    shop.healthy("dev", "v1.2.0");
    assert_eq!(shop.settles(&shop.engine()).await, 1);
    assert_eq!(shop.place.show("stage", "config/common.yaml"), config("v1.2.0", 5).trim_end());
    shop.place.done();
}
