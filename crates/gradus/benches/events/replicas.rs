//! Two replicas, of which the one that leads is killed again and again while events come in and
//! releases walk; in the end Git and the cluster are asked whether everything was done once.

mod verify;
mod walk;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use crate::cluster::{Cluster, ENVIRONMENTS};
use crate::figures::{row, seconds};
use crate::git::Git;
use crate::program::Program;
use crate::sender::Sender;
use crate::{NOTED, UNLIMITED, told};

use walk::Walk;

const NAMES: [&str; 2] = ["one", "two"];
/// How often the leader is killed, and how long it is gone.
const KILL_EVERY: Duration = Duration::from_secs(30);
const GONE_FOR: Duration = Duration::from_secs(3);
/// How many events a second each replica is sent beside those that follow from something.
const NOISE: u64 = 25;
/// How long what is under way may take to end.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where each replica is while it runs.
pub(crate) struct Replicas {
    senders: Mutex<[Option<Arc<Pair>>; 2]>,
    next: AtomicUsize,
}

/// The two addresses that are sent to.
struct Pair {
    api: Sender,
    hook: Sender,
}

/// What became of events: how many were answered with what.
type Answers = Mutex<BTreeMap<String, u64>>;

impl Replicas {
    async fn set(&self, which: usize, program: Option<&Program>) {
        let pair = |program: &Program| {
            Arc::new(Pair { api: Sender::new(program.api()), hook: Sender::new(program.hook()) })
        };
        self.senders.lock().await[which] = program.map(pair);
    }

    /// One that was not killed, as far as is known.
    async fn any(&self) -> Option<Arc<Pair>> {
        let senders = self.senders.lock().await;
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        (0..senders.len()).find_map(|at| senders[(first + at) % senders.len()].clone())
    }

    async fn both(&self) -> Vec<Arc<Pair>> {
        self.senders.lock().await.iter().flatten().cloned().collect()
    }
}

/// Runs for so long; whether every promise was kept.
pub(crate) async fn replicas(cluster: &Cluster, git: &Git, pipelines: usize, over: Duration) -> bool {
    let there = Arc::new(Replicas { senders: Mutex::default(), next: AtomicUsize::new(0) });
    let start = |which: usize| Program::named(NAMES[which], cluster, &UNLIMITED);
    let mut programs = [0, 1].map(|which| Some(start(which)));
    for (which, program) in programs.iter().enumerate() {
        there.set(which, program.as_ref()).await;
    }
    let (stop, stopping) = watch::channel(false);
    let (flux, weave) = (Arc::new(Answers::default()), Arc::new(Answers::default()));
    let mut senders = JoinSet::new();
    senders.spawn(noise(there.clone(), flux.clone(), pipelines, stopping.clone()));
    let told: Vec<_> = (0..NOTED)
        .map(|number| {
            let (there, weave, stopping) = (there.clone(), weave.clone(), stopping.clone());
            tokio::spawn(notify(there, weave, number, stopping))
        })
        .collect();
    let mut walk = Walk::new(pipelines, git);
    let begun = Instant::now();
    let (mut killed, mut kills, mut gone) = (Instant::now(), 0, None);
    let mut said = Instant::now();
    while begun.elapsed() < over {
        walk.step(cluster, git, &there, true).await;
        if let Some((which, since)) = gone
            && Instant::elapsed(&since) > GONE_FOR
        {
            programs[which] = Some(start(which));
            there.set(which, programs[which].as_ref()).await;
            gone = None;
        }
        if gone.is_none() && killed.elapsed() > KILL_EVERY {
            if let Some(which) = leader(cluster).await {
                if let Some(program) = programs[which].take() {
                    program.kill();
                }
                there.set(which, None).await;
                (kills, gone) = (kills + 1, Some((which, Instant::now())));
            }
            killed = Instant::now();
        }
        if said.elapsed() > Duration::from_secs(30) {
            eprintln!(
                "{:.0} s: {} promotions, {kills} kills",
                begun.elapsed().as_secs_f64(),
                walk.promoted()
            );
            said = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if let Some((which, _)) = gone {
        programs[which] = Some(start(which));
        there.set(which, programs[which].as_ref()).await;
    }
    let ending = Instant::now();
    stop.send_replace(true);
    while senders.join_next().await.is_some() {}
    let mut noted = Vec::new();
    for task in told {
        noted.push(task.await.expect("a sender does not panic"));
    }
    while !walk.is_over() && ending.elapsed() < PATIENCE {
        walk.step(cluster, git, &there, false).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    row("time under load", seconds(over), "");
    row("leaders killed", kills.to_string(), "");
    row("end of load until everything has arrived", seconds(ending.elapsed()), "");
    for (what, answers) in [("/hooks/flux", flux), ("/promotion", weave)] {
        for (status, count) in answers.lock().await.iter() {
            row(&format!("{what} answered with {status}"), count.to_string(), "");
        }
    }
    // Whatever would be done twice has had the time to be.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let git_kept = verify::commits(git, &walk);
    let told_kept = verify::notifications(cluster, &noted).await;
    git_kept && told_kept
}

/// Which replica leads.
async fn leader(cluster: &Cluster) -> Option<usize> {
    let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/gradus-leader-election";
    let lease: Value = serde_json::from_str(&cluster.ask("GET", path, None).await.ok()?).ok()?;
    let holder = lease["spec"]["holderIdentity"].as_str()?;
    NAMES.iter().position(|name| holder.split('_').next() == Some(name))
}

/// Events from which nothing follows, at both replicas, each twice.
async fn noise(
    there: Arc<Replicas>,
    answers: Arc<Answers>,
    pipelines: usize,
    stopping: watch::Receiver<bool>,
) {
    let mut sent = JoinSet::new();
    for number in 0_usize.. {
        if *stopping.borrow() {
            break;
        }
        let (pipeline, environment) = (number * 7919 % pipelines, ENVIRONMENTS[number % ENVIRONMENTS.len()]);
        for pair in there.both().await {
            let answers = answers.clone();
            sent.spawn(async move {
                let body = told::event(environment, &format!("app-{pipeline}"), "1.0.0");
                let path = told::flux_hook(pipeline, environment);
                for _ in 0..2 {
                    count(&answers, pair.api.post(&path, &body).await).await;
                }
            });
        }
        while sent.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_micros(2_000_000 / NOISE)).await;
    }
    while sent.join_next().await.is_some() {}
}

/// One pipeline after the other version of which others are to be told, each sent to both replicas
/// and once more, and again until one of them says that it was done. How many versions there were.
async fn notify(
    there: Arc<Replicas>,
    answers: Arc<Answers>,
    number: usize,
    stopping: watch::Receiver<bool>,
) -> (usize, u64) {
    let path = told::weave_hook(number);
    let mut versions = 0;
    while !*stopping.borrow() {
        versions += 1;
        let body = told::event("dev", &told::noted(number), &format!("1.{versions}.0"));
        let mut done = false;
        while !done {
            let mut sent = JoinSet::new();
            for pair in there.both().await {
                for _ in 0..2 {
                    let (pair, path, body) = (pair.clone(), path.clone(), body.clone());
                    sent.spawn(async move { pair.hook.post(&path, &body).await });
                }
            }
            while let Some(answer) = sent.join_next().await {
                let answer = answer.expect("a sender does not panic");
                done |= matches!(answer, Ok(200..=299));
                count(&answers, answer).await;
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }
    (number, versions)
}

async fn count(answers: &Answers, answer: Result<u16, String>) {
    let answer = answer.map_or_else(|error| error, |status| status.to_string());
    *answers.lock().await.entry(answer).or_default() += 1;
}
