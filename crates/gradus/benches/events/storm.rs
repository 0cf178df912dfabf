//! Many events a second, from a sender that does not slow down when answers are late.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::cluster::ENVIRONMENTS;
use crate::figures::{looks, mb, ms, row, seconds};
use crate::latency::share;
use crate::program::Program;
use crate::sender::Sender;
use crate::told;

/// How long the last looks may take once nothing is sent any more.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) async fn storm(program: &Arc<Program>, pipelines: usize, rate: u64, over: Duration) {
    let api = Arc::new(Sender::new(program.api()));
    let (memory, busy, looked) = (program.memory(), program.busy(), looks(&program.metrics()));
    let (sampling, peak) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(memory)));
    let sampler = {
        let (program, sampling, peak) = (program.clone(), sampling.clone(), peak.clone());
        tokio::spawn(async move {
            while sampling.load(Ordering::Relaxed) {
                peak.fetch_max(program.memory(), Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        })
    };
    let count = rate * over.as_secs();
    let begun = tokio::time::Instant::now();
    let mut sent = JoinSet::new();
    let mut last: BTreeMap<String, Timestamp> = BTreeMap::new();
    let (mut by_status, mut times) = (BTreeMap::<String, u64>::new(), Vec::new());
    let mut take = |answer: Result<(Result<u16, String>, Duration), tokio::task::JoinError>| {
        let (status, took) = answer.expect("a sender does not panic");
        times.push(took);
        *by_status.entry(status.map_or_else(|error| error, |status| status.to_string())).or_default() += 1;
    };
    for number in 0..count {
        let at = begun + Duration::from_nanos(number * 1_000_000_000 / rate);
        tokio::time::sleep_until(at).await;
        // Each is sent twice.
        let which = (number / 2) as usize;
        let (pipeline, environment) = (which * 7919 % pipelines, ENVIRONMENTS[which % ENVIRONMENTS.len()]);
        last.insert(format!("app-{pipeline}"), Timestamp::now());
        let api = api.clone();
        sent.spawn(async move {
            let body = told::event(environment, &format!("app-{pipeline}"), "1.0.0");
            let status = api.post(&told::flux_hook(pipeline, environment), &body).await;
            // From when it was due, not from when there was time to send it.
            (status, at.elapsed())
        });
        while let Some(answer) = sent.try_join_next() {
            take(answer);
        }
    }
    let sending = begun.elapsed();
    while let Some(answer) = sent.join_next().await {
        take(answer);
    }
    let ended = Instant::now();
    let unseen = unseen(&api, &last).await;
    let drained = ended.elapsed();
    sampling.store(false, Ordering::Relaxed);
    sampler.await.expect("it ends");
    times.sort();
    let good: u64 = by_status.iter().filter(|(status, _)| *status == "202").map(|(_, count)| count).sum();
    row(&format!("events sent in {:.1} s, half of them twice", sending.as_secs_f64()), count.to_string(), "");
    for (status, count) in &by_status {
        row(&format!("  answered with {status}"), count.to_string(), "");
    }
    row("events without an answer that takes them", (count - good).to_string(), "0");
    row(
        &format!("pipelines of {} not looked at after their last event", last.len()),
        unseen.to_string(),
        "0",
    );
    row("last answer until all were looked at", seconds(drained), "");
    row("looks for them", (looks(&program.metrics()) - looked).to_string(), "");
    row("due to answer, p50", ms(share(&times, 0.5)), "");
    row("due to answer, p99", ms(share(&times, 0.99)), "< 200 ms");
    row("due to answer, slowest", ms(share(&times, 1.0)), "");
    row("resident memory before", mb(memory), "");
    row("highest resident memory meanwhile", mb(peak.load(Ordering::Relaxed)), "bounded");
    program.rest().await;
    row("resident memory after", mb(program.memory()), "");
    row("processor time for all of it", seconds(program.busy() - busy), "");
}

/// How many were not looked at since these times, once they had the time for it.
async fn unseen(api: &Sender, last: &BTreeMap<String, Timestamp>) -> usize {
    let begun = Instant::now();
    loop {
        let looked = looked_at(api).await;
        let unseen = last.iter().filter(|(name, at)| looked.get(*name).is_none_or(|looked| looked < *at));
        let unseen = unseen.count();
        if unseen == 0 || begun.elapsed() > PATIENCE {
            return unseen;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// When each pipeline was looked at.
async fn looked_at(api: &Sender) -> BTreeMap<String, Timestamp> {
    let (mut found, mut after) = (BTreeMap::new(), String::new());
    loop {
        let text = api.get(&format!("/api/v1/pipelines?limit=500{after}")).await.expect("the pipelines");
        let page: Value = serde_json::from_str(&text).expect("JSON");
        for item in page["items"].as_array().into_iter().flatten() {
            let at = item["lookedAt"].as_str().and_then(|at| at.parse().ok());
            if let Some((name, at)) = item["name"].as_str().zip(at) {
                found.insert(name.to_owned(), at);
            }
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}
