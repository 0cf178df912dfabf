//! Two replicas under events that come all the time, from both webhooks.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use gradus_testbed::{ControlPlane, Objects};
use serde_json::{Value, json};

use super::stage::{Replica, Stage, define};

const EVENT: &str = "events.k8s.io/v1/Event";
const LEASE: &str = "coordination.k8s.io/v1/Lease";

/// Where a replica answers.
#[derive(Clone)]
struct Addresses {
    api: String,
    hook: String,
}

impl Addresses {
    fn free() -> Self {
        let free = || {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().to_string()
        };
        Self { api: free(), hook: free() }
    }
}

fn one(stage: &Stage<'_>, name: &str, at: &Addresses) -> Replica {
    let arguments = ["--leader-elect", "--lease-namespace", &stage.namespace];
    let addresses = ["--api-bind-address", &at.api, "--promotion-hook-bind-address", &at.hook];
    let unlimited = ["--promotion-hook-rate-limit", "1000000"];
    stage.replica(name, &[&arguments[..], &addresses, &unlimited].concat())
}

/// Posts an event; the status of the answer, if there is one.
fn post(to: &str, path: &str, namespace: &str, name: &str, version: &str) -> Option<u16> {
    let body = json!({
        "involvedObject": {
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": name,
            "namespace": namespace,
        },
        "severity": "info", "reason": "UpgradeSucceeded", "message": "done",
        "timestamp": jiff::Timestamp::now().to_string(),
        "reportingController": "helm-controller", "metadata": {"revision": version},
    })
    .to_string();
    let mut stream = TcpStream::connect(to).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(15))).ok()?;
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {length}");
    write!(stream, "{head}\r\n\r\n{body}").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

/// Sends events to both replicas until it is dropped: wakes, and one version after the other of
/// which others are to be told, each at both and again until one says that it was done.
struct Load {
    stop: Arc<AtomicBool>,
    told: Arc<AtomicU64>,
    threads: Vec<std::thread::JoinHandle<u64>>,
}

impl Load {
    fn start(namespace: &str, to: &[Addresses; 2]) -> Self {
        let (stop, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut threads = Vec::new();
        for at in to.clone() {
            let (stop, namespace) = (stop.clone(), namespace.to_owned());
            threads.push(std::thread::spawn(move || {
                let mut taken = 0;
                for environment in ["dev", "staging", "prod"].into_iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let path = format!("/hooks/flux/{namespace}/web/{environment}");
                    taken += u64::from(post(&at.api, &path, &namespace, environment, "1.0.0") == Some(202));
                    std::thread::sleep(Duration::from_millis(30));
                }
                taken
            }));
        }
        let (stopped, versions, to) = (stop.clone(), told.clone(), to.clone());
        let (path, namespace) = (format!("/promotion/{namespace}/note/dev"), namespace.to_owned());
        threads.push(std::thread::spawn(move || {
            let mut taken = 0;
            while !stopped.load(Ordering::Relaxed) {
                let version = format!("1.{}.0", versions.load(Ordering::Relaxed) + 1);
                let sending = |at: &Addresses| {
                    let (to, path, version) = (at.hook.clone(), path.clone(), version.clone());
                    let namespace = namespace.clone();
                    std::thread::spawn(move || post(&to, &path, &namespace, "note", &version))
                };
                let sent: Vec<_> = to.iter().chain(&to).map(sending).collect();
                let answers = sent.into_iter().map(|sent| sent.join().unwrap());
                let done = answers.filter(|answer| matches!(answer, Some(200..=299))).count();
                if done > 0 {
                    versions.fetch_add(1, Ordering::Relaxed);
                }
                taken += u64::try_from(done).unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
            taken
        }));
        Self { stop, told, threads }
    }

    /// Ends it: how many versions were answered for, and how many events each sender had taken.
    fn end(mut self) -> (u64, Vec<u64>) {
        self.stop.store(true, Ordering::Relaxed);
        let taken = self.threads.drain(..).map(|thread| thread.join().unwrap()).collect();
        (self.told.load(Ordering::Relaxed), taken)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A pipeline whose promotions are told to others.
async fn declare(stage: &Stage<'_>) {
    let app = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "name": "note"});
    let target = json!([{"namespace": stage.namespace}]);
    let object = json!({
        "apiVersion": "pipelines.weave.works/v1alpha1", "kind": "Pipeline",
        "metadata": {"name": "note", "namespace": stage.namespace},
        "spec": {
            "appRef": app, "promotion": {"strategy": {"notification": {}}},
            "environments": [{"name": "dev", "targets": target}, {"name": "prod", "targets": target}],
        },
    });
    stage.objects.put(&object).await.unwrap();
}

/// What others were told to promote, and in how many events.
async fn told(objects: &Objects, namespace: &str) -> BTreeMap<String, usize> {
    let mut told = BTreeMap::new();
    for event in objects.list(EVENT, namespace).await.unwrap() {
        if event["reason"] == "Promote" {
            *told.entry(event["note"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    told
}

async fn leader(stage: &Stage<'_>) -> Option<String> {
    let lease = stage.objects.get(LEASE, &stage.namespace, "gradus-leader-election").await.unwrap();
    let holder: Value = lease?["spec"]["holderIdentity"].take();
    holder.as_str()?.split('_').next().map(str::to_owned)
}

#[tokio::test]
async fn two_replicas_under_load_do_everything_once() {
    // The kind of the older controller is not there for the other tests.
    let plane = ControlPlane::start().await.unwrap();
    define(&plane).await;
    let older =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/crd/pipelines.weave.works_pipelines.yaml");
    plane.apply(&std::fs::read_to_string(older).unwrap()).await.unwrap();
    let stage = Stage::on(&plane, "loaded").await;
    stage.set(&stage.three()).await;
    declare(&stage).await;
    let names = ["one", "two"];
    let at = [Addresses::free(), Addresses::free()];
    let mut replicas = [0, 1].map(|which| Some(one(&stage, names[which], &at[which])));
    let load = Load::start(&stage.namespace, &at);
    let mut walked = Vec::new();
    let versions = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"];
    for (number, pair) in versions.windows(2).enumerate() {
        let (before, version) = (pair[0], pair[1]);
        if number > 0 {
            stage.commit("dev", version);
        }
        stage.deploy("dev").await;
        for environment in ["staging", "prod"] {
            stage.until_git_has(environment, version).await;
            walked.push(format!("Promote web to {environment}: {before} → {version}"));
            // Once while staging has it and prod does not.
            if number == 1 && environment == "staging" {
                let leads = stage.until("somebody to lead", async || leader(&stage).await).await;
                let which = names.iter().position(|name| *name == leads).unwrap();
                replicas[which].take().unwrap().kill();
                stage.deploy(environment).await;
                replicas[which] = Some(one(&stage, names[which], &at[which]));
            } else {
                stage.deploy(environment).await;
            }
        }
    }
    stage.until_it_is("prod", "healthy", "1.3.0").await;
    let (versions, taken) = load.end();
    assert!(versions > 5 && taken.iter().all(|taken| *taken > 50), "{versions} {taken:?}");
    assert_eq!(stage.promotions(), walked, "each once, in order");
    let wanted: BTreeMap<String, usize> = (1..=versions)
        .map(|number| format!("Promote pipeline {}/note to prod with version 1.{number}.0", stage.namespace))
        .map(|words| (words, 1))
        .collect();
    let told = told(&stage.objects, &stage.namespace).await;
    // What was sent last may have been done although nobody got to answer.
    let more = told.keys().filter(|words| !wanted.contains_key(*words)).count();
    assert!(more <= 1 && told.values().all(|count| *count == 1), "{told:?}");
    assert!(wanted.keys().all(|words| told.contains_key(words)), "{wanted:#?} {told:#?}");
}
