//! The loop: when it looks, and how it ends. Time passes as fast as it can.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::pipeline::{Environment, HttpTarget, Pipeline, TargetKind};
use gradus_engine::fake::{Fakes, Fault, Faults, Moment, Point, sketch};
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_engine::port::targets::Answered;
use gradus_engine::port::{Clock, PortError, Ports, Targets};
use gradus_engine::{Engine, RunOptions};
use jiff::SignedDuration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A loop that runs.
struct Running {
    fakes: Fakes,
    engine: Arc<Engine>,
    pipeline: Arc<Pipeline>,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
}

const OPTIONS: RunOptions = RunOptions {
    at_once: 2,
    poll: Duration::from_secs(30),
    resync: Duration::from_secs(600),
    ask: Duration::from_secs(30),
    people: Duration::from_secs(300),
};

impl Running {
    /// The loop for `dev` and then `staging`, both at 1.0.0 and healthy.
    fn new(change: impl Fn(&mut Environment), faults: &Faults) -> Self {
        Self::with(change, |fakes| fakes.ports(faults))
    }

    fn with(change: impl Fn(&mut Environment), ports: impl Fn(&Fakes) -> Ports) -> Self {
        let mut staging = sketch::environment("staging", &["dev"]);
        change(&mut staging);
        let pipeline = Arc::new(sketch::pipeline(vec![sketch::environment("dev", &[]), staging]));
        let fakes = Fakes::default();
        for environment in ["dev", "staging"] {
            let (path, file) = (sketch::path(environment), sketch::file(environment, "1.0.0"));
            fakes.repo.push("main", "ada", "Begin", &[(&path, Some(&file))]);
        }
        let engine = Arc::new(Engine::new(ports(&fakes)));
        engine.set_pipelines(BTreeMap::from([(pipeline.key.clone(), pipeline.clone())]));
        let (stop, stopped) = oneshot::channel::<()>();
        let runs = engine.clone();
        let ended = tokio::spawn(async move {
            runs.run(OPTIONS, async {
                let _told = stopped.await;
            })
            .await;
        });
        let running = Self { fakes, engine, pipeline, stop: Some(stop), ended };
        running.notes("dev", "1.0.0");
        running.notes("staging", "1.0.0");
        running
    }

    /// It is recorded that an environment is healthy, and the loop does not hear of it.
    fn notes(&self, environment: &str, version: &str) {
        let entry = Entry::Report {
            environment: sketch::environment_name(environment),
            target: sketch::target_name("main"),
            reported: Reported::Healthy { release: sketch::release(version) },
            by: sketch::person("flux"),
            at: self.fakes.clock.now(),
        };
        self.fakes.ledger.put(&self.pipeline.key, entry);
    }

    /// A person sets the version of `dev`.
    fn develops(&self, version: &str) {
        let (path, file) = (sketch::path("dev"), sketch::file("dev", version));
        self.fakes.repo.push("main", "ada", "Release", &[(&path, Some(&file))]);
    }

    /// So many seconds pass.
    async fn pass(&self, seconds: u64) {
        for _ in 0..seconds {
            self.fakes.clock.advance(SignedDuration::from_secs(1));
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// After how many seconds `staging` has this version, of at most so many.
    async fn seconds_until(&self, version: &str, most: u64) -> Option<u64> {
        let begun = Instant::now();
        while begun.elapsed().as_secs() <= most {
            if self.staging().as_deref() == Some(version) {
                return Some(begun.elapsed().as_secs());
            }
            self.pass(1).await;
        }
        None
    }

    fn staging(&self) -> Option<String> {
        let text = self.fakes.repo.text("main", &sketch::path("staging"))?;
        sketch::version_in(&text).map(str::to_owned)
    }

    fn says_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("the loop runs");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_reported_is_looked_at_at_once() {
    let running = Running::new(|_| {}, &Faults::none());
    running.develops("1.1.0");
    running.pass(120).await;
    let (key, dev) = (&running.pipeline.key, sketch::environment_name("dev"));
    let reported = Reported::Healthy { release: sketch::release("1.1.0") };
    let at = running.fakes.clock.now();
    running
        .engine
        .report(key, &dev, None, reported, sketch::person("flux"), at)
        .await
        .expect("a good report");
    assert_eq!(running.seconds_until("1.1.0", 5).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_moved_is_noticed() {
    let running = Running::new(|_| {}, &Faults::none());
    running.pass(7).await;
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    let seconds = running.seconds_until("1.1.0", 600).await.expect("it is noticed");
    assert!(seconds <= 31, "noticed after {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_branch_that_moved_before_the_first_poll_is_noticed() {
    let running = Running::new(|_| {}, &Faults::none());
    // The first look is over, and nobody has asked for the branches since.
    running.pass(1).await;
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    let seconds = running.seconds_until("1.1.0", 600).await.expect("it is noticed");
    assert!(seconds <= 31, "noticed after {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_tells_is_found_all_the_same() {
    let running = Running::new(|_| {}, &Faults::none());
    running.develops("1.1.0");
    running.pass(120).await;
    running.notes("dev", "1.1.0");
    let seconds = running.seconds_until("1.1.0", 1200).await.expect("it is found");
    assert!((31..=601).contains(&seconds), "found after {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_soak_ends_when_it_ends() {
    let running = Running::new(|staging| staging.gates = vec![sketch::soak(7)], &Faults::none());
    running.pass(5).await;
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    let seconds = running.seconds_until("1.1.0", 1200).await.expect("it ends");
    assert!((7 * 60..=7 * 60 + 2).contains(&seconds), "ended after {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_being_taken_is_ended_before_the_loop_ends() {
    let (began, mut begun) = oneshot::channel();
    let began = Mutex::new(Some(began));
    let slow = Faults::directed(move |point: &Point| {
        if point.what != "repo.commit" || point.moment != Moment::Before {
            return Fault::None;
        }
        if let Some(began) = began.lock().expect("a lock").take() {
            began.send(()).expect("somebody waits");
        }
        Fault::Delay(100)
    });
    let mut running = Running::new(|_| {}, &slow);
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    while begun.try_recv().is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.staging().as_deref(), Some("1.0.0"), "it is under way");
    running.says_stop();
    (&mut running.ended).await.expect("it ends");
    assert_eq!(running.staging().as_deref(), Some("1.1.0"));
    let recorded = running.fakes.ledger.entries(&running.pipeline.key);
    assert!(recorded.iter().any(|entry| matches!(entry, Entry::Wrote(_))), "it is recorded");
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_later_and_later() {
    let (fails, looks) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let faults = Faults::directed({
        let (fails, looks) = (fails.clone(), looks.clone());
        move |point| {
            if point.what != "ledger.view" || point.moment != Moment::Before {
                return Fault::None;
            }
            looks.fetch_add(1, Ordering::Relaxed);
            if fails.load(Ordering::Relaxed) { Fault::Fail } else { Fault::None }
        }
    });
    let running = Running::new(|_| {}, &faults);
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    running.pass(300).await;
    let looks = looks.load(Ordering::Relaxed);
    assert!((7..=20).contains(&looks), "{looks} looks in five minutes");
    assert_eq!(running.staging().as_deref(), Some("1.0.0"), "what is not known holds");
    fails.store(false, Ordering::Relaxed);
    assert!(running.seconds_until("1.1.0", 301).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_always_late_is_not_tried_without_pause() {
    let commits = Arc::new(AtomicU64::new(0));
    let fakes: Arc<Mutex<Option<Fakes>>> = Arc::default();
    // Whenever something is about to be written, somebody else touches the file.
    let faults = Faults::directed({
        let (fakes, commits) = (fakes.clone(), commits.clone());
        move |point| {
            if point.what == "repo.commit"
                && point.moment == Moment::Before
                && let Some(fakes) = &*fakes.lock().expect("a lock")
            {
                let number = commits.fetch_add(1, Ordering::Relaxed);
                let (path, file) = (sketch::path("staging"), sketch::file("staging", "1.0.0"));
                let file = format!("# {number}\n{file}");
                fakes.repo.push("main", "bob", "Touch", &[(&path, Some(&file))]);
            }
            Fault::None
        }
    });
    let running = Running::new(|_| {}, &faults);
    *fakes.lock().expect("a lock") = Some(running.fakes.clone());
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    running.pass(300).await;
    let commits = commits.load(Ordering::Relaxed);
    assert!((5..=25).contains(&commits), "{commits} tries in five minutes");
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_comes_just_in_time_is_kept() {
    let engine = Arc::new(Mutex::new(None::<(Arc<Engine>, Pipeline)>));
    // Once the look is over and before the step is taken, somebody sets a hold.
    let faults = Faults::directed({
        let engine = engine.clone();
        move |point| {
            if point.what == "ledger.record"
                && point.moment == Moment::Before
                && let Some((engine, mut pipeline)) = engine.lock().expect("a lock").take()
            {
                pipeline.holds.push(gradus_core::pipeline::Hold {
                    name: "freeze".into(),
                    environment: None,
                    pin: None,
                    reason: "an incident".into(),
                    owner: sketch::person("mia"),
                    since: None,
                    until: None,
                });
                engine.set_pipelines(BTreeMap::from([(pipeline.key.clone(), Arc::new(pipeline))]));
            }
            Fault::None
        }
    });
    let running = Running::new(|_| {}, &faults);
    running.pass(5).await;
    *engine.lock().expect("a lock") = Some((running.engine.clone(), (*running.pipeline).clone()));
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    assert_eq!(running.seconds_until("1.1.0", 1200).await, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_just_in_time_is_not_written_again() {
    let fakes: Arc<Mutex<Option<Fakes>>> = Arc::default();
    // Just when it is about to be written, somebody writes the same and takes it back.
    let faults = Faults::directed({
        let fakes = fakes.clone();
        move |point| {
            if point.what == "repo.commit"
                && point.moment == Moment::Before
                && let Some(fakes) = fakes.lock().expect("a lock").take()
            {
                for version in ["1.1.0", "1.0.0"] {
                    let (path, file) = (sketch::path("staging"), sketch::file("staging", version));
                    fakes.repo.push("main", "bob", "By hand", &[(&path, Some(&file))]);
                }
            }
            Fault::None
        }
    });
    let running = Running::new(|_| {}, &faults);
    *fakes.lock().expect("a lock") = Some(running.fakes.clone());
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    assert_eq!(running.seconds_until("1.1.0", 1200).await, None);
    assert!(fakes.lock().expect("a lock").is_none(), "it was about to be written");
}

/// An adapter with a bug: it panics once.
struct Panics(AtomicBool);

#[async_trait]
impl Targets for Panics {
    async fn ask(&self, _target: &HttpTarget) -> Result<Answered, PortError> {
        assert!(!self.0.swap(false, Ordering::Relaxed), "a bug in an adapter");
        Ok(Answered::Unhealthy("status 500".to_owned()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_survived() {
    let http = HttpTarget {
        url: "https://staging.example/version".into(),
        pointer: None,
        status: 200,
        timeout: SignedDuration::from_secs(5),
        secret: None,
    };
    let running = Running::with(
        |staging| staging.targets = vec![sketch::target("main", TargetKind::Http(http.clone()))],
        |fakes| Ports { targets: Arc::new(Panics(AtomicBool::new(true))), ..fakes.ports(&Faults::none()) },
    );
    running.notes("dev", "1.1.0");
    running.develops("1.1.0");
    assert!(running.seconds_until("1.1.0", 60).await.is_some());
}
