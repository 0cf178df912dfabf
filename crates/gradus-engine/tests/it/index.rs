//! Where markers are, by an engine that knows the commit before, and by one that knows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gradus_core::names::RepoPath;
use gradus_core::pipeline::Pipeline;
use gradus_engine::Engine;
use gradus_engine::fake::sketch::{environment, file, pipeline};
use gradus_engine::fake::{Fakes, Faults, Point};
use gradus_engine::port::Shelf;

/// Numbers that look as if they came by chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    fn path(&mut self) -> String {
        let depth = self.below(4);
        let mut path: String = (0..depth).map(|_| format!("{}/", ["a", "b", "c"][self.below(3)])).collect();
        path.push_str(["x.yaml", "y.yml", "z.yaml", "README.md"][self.below(4)]);
        path
    }

    fn text(&mut self) -> Option<String> {
        let name = ["dev", "staging", "prod", "other"][self.below(4)];
        let version = format!("1.{}.0", self.below(3));
        match self.below(8) {
            0 | 1 => None,
            2 => Some("kind: Nothing\n".to_owned()),
            3 => Some(format!("kind: [\nversion: 1 # {{\"$promotion\": \"apps:web:{name}\"}}\n")),
            4 => Some(format!("{}---\n{}", file(name, &version), file("prod", &version))),
            _ => Some(file(name, &version)),
        }
    }
}

/// Keeps bytes, for whoever asks.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

#[async_trait]
impl Shelf for Memory {
    async fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().expect("a lock").get(name).cloned()
    }

    async fn put(&self, name: &str, bytes: Vec<u8>) {
        self.0.lock().expect("a lock").insert(name.to_owned(), bytes);
    }
}

fn three(below: &[&str]) -> Arc<Pipeline> {
    let mut pipeline = pipeline(vec![
        environment("dev", &[]),
        environment("staging", &["dev"]),
        environment("prod", &["staging"]),
    ]);
    pipeline.repository.paths = below.iter().map(|path| RepoPath::parse(path).expect("a path")).collect();
    Arc::new(pipeline)
}

fn engine(fakes: &Fakes) -> Engine {
    Engine::new(fakes.ports(&Faults::none()))
}

/// What is known of each environment's places, as people read it.
async fn places(engine: &Engine, pipeline: &Arc<Pipeline>) -> Vec<String> {
    let (_, sight) = engine.look(pipeline).await;
    let told = sight.places.iter().map(|(name, places)| match places {
        Ok(places) => {
            format!("{name}: {:?}", places.iter().map(|place| place.file.as_str()).collect::<Vec<_>>())
        }
        Err(why) => format!("{name}: {why}"),
    });
    told.collect()
}

#[tokio::test]
async fn what_is_known_already_changes_nothing_of_what_is_found() {
    for seed in 0..12 {
        let mut chance = Chance(seed);
        let fakes = Fakes::default();
        let pipelines = [three(&[]), three(&["a", "b/c", "a/b"]), three(&["c/x.yaml", "none"])];
        let warm = engine(&fakes);
        let shelf = Memory::default();
        for commit in 0..40 {
            let changes: Vec<(String, Option<String>)> =
                (0..=chance.below(4)).map(|_| (chance.path(), chance.text())).collect();
            let changes: BTreeMap<&str, Option<&str>> =
                changes.iter().map(|(path, text)| (path.as_str(), text.as_deref())).collect();
            fakes.repo.push("main", "ada", "change", &changes.into_iter().collect::<Vec<_>>());
            if chance.below(5) == 0 {
                let mut kept = shelf.0.lock().expect("a lock");
                // Somebody damages it, or takes it away.
                for bytes in kept.values_mut() {
                    let at = chance.below(bytes.len());
                    bytes[at] ^= 1;
                }
                if chance.below(2) == 0 {
                    kept.clear();
                }
            }
            let restarted = engine(&fakes).keeping_on(Arc::new(shelf.clone()));
            for pipeline in &pipelines {
                let expected = places(&engine(&fakes), pipeline).await;
                assert_eq!(places(&warm, pipeline).await, expected, "seed {seed}, commit {commit}");
                assert_eq!(places(&restarted, pipeline).await, expected, "seed {seed}, commit {commit}");
            }
        }
    }
}

#[tokio::test]
async fn where_was_looked_is_told() {
    let fakes = Fakes::default();
    let broken = "kind: [\nversion: 1 # {\"$promotion\": \"apps:other:prod\"}\n";
    let dev = file("dev", "1.0.0");
    let staging = file("staging", "1.0.0");
    let files = [
        ("a/dev.yaml", Some(dev.as_str())),
        ("a/x/staging.yaml", Some(&staging)),
        ("a/broken.yaml", Some(broken)),
        ("b/broken.yml", Some(broken)),
        ("b/x.json", Some("{}")),
    ];
    fakes.repo.push("main", "ada", "first", &files);
    let told = places(&engine(&fakes), &three(&[])).await;
    let short = fakes.repo.tip("main").expect("a tip").short().to_owned();
    let problem = |file: &str| format!("not readable: {file}:1: ");
    assert_eq!(told[0], "dev: [\"a/dev.yaml\"]");
    assert!(
        told[1].starts_with("prod: no marker `{\"$promotion\": \"apps:web:prod\"}` in 4 YAML files (at ")
    );
    assert!(told[1].contains(&format!("(at {short}); {}", problem("a/broken.yaml"))), "{}", told[1]);
    assert!(told[1].ends_with(", and 1 more"), "{}", told[1]);
    assert_eq!(told[2], "staging: [\"a/x/staging.yaml\"]");
    let told = places(&engine(&fakes), &three(&["b", "a/x"])).await;
    assert!(told[1].contains(" in 2 YAML files below b, a/x (at "), "{}", told[1]);
    assert!(told[1].contains(&problem("b/broken.yml")), "{}", told[1]);
}

/// Contents are asked for only where something is new.
#[tokio::test]
async fn what_was_looked_into_is_not_asked_for_again() {
    let fakes = Fakes::default();
    let asked: Arc<Mutex<BTreeSet<&'static str>>> = Arc::default();
    let faults = Faults::directed({
        let asked = asked.clone();
        move |point: &Point| {
            asked.lock().expect("a lock").insert(point.what);
            gradus_engine::fake::Fault::None
        }
    });
    let shelf = Memory::default();
    let engine = || Engine::new(fakes.ports(&faults)).keeping_on(Arc::new(shelf.clone()));
    let contents_are_asked_for = async |engine: &Engine| {
        asked.lock().expect("a lock").clear();
        places(engine, &three(&[])).await;
        asked.lock().expect("a lock").contains("repo.contents")
    };
    let push = |path: &str, text: &str| fakes.repo.push("main", "ada", "change", &[(path, Some(text))]);
    push("a/dev.yaml", &file("dev", "1.0.0"));
    let first = engine();
    assert!(contents_are_asked_for(&first).await);
    // Another process finds what this one kept.
    assert!(!contents_are_asked_for(&engine()).await);
    assert!(!contents_are_asked_for(&first).await);
    // The same content elsewhere is known, and what is no YAML is not asked for.
    push("b/c/moved.yaml", &file("dev", "1.0.0"));
    push("b/c/other.txt", "text");
    assert!(!contents_are_asked_for(&first).await);
    push("b/c/moved.yaml", "kind: Other\n");
    assert!(contents_are_asked_for(&first).await);
}
