//! Plays random schedules of a world with two engines in which everything goes
//! wrong, and says which ones broke a promise.
//!
//! `simulate --seed N --trace` plays one and tells what happens;
//! `simulate --count N --seed FIRST --threads N` plays many. With
//! `--sabotage NAME` something is broken on purpose, which has to be noticed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use gradus_engine::fake::Sabotage;
use gradus_engine::fake::simulate::{Options, Played, play};

fn main() -> ExitCode {
    let (mut seed, mut count, mut threads, mut trace, mut sabotage) = (0, None, 2, false, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
        let understood = match argument.as_str() {
            "--seed" => number(arguments.next()).map(|given| seed = given),
            "--count" => number(arguments.next()).map(|given| count = Some(given)),
            "--threads" => number(arguments.next()).map(|given| threads = given.clamp(1, 256)),
            "--sabotage" => {
                let name = arguments.next().unwrap_or_default();
                let known = Sabotage::ALL.into_iter().find(|known| format!("{known:?}") == name);
                known.map(|known| sabotage = Some(known))
            }
            "--trace" => {
                trace = true;
                Some(())
            }
            _ => None,
        };
        if understood.is_none() {
            eprintln!("usage: simulate [--seed N] [--count N] [--threads N] [--trace] [--sabotage NAME]");
            eprintln!("what can be broken: {:?}", Sabotage::ALL);
            return ExitCode::from(64);
        }
    }
    let count = count.unwrap_or(1);
    let (begun, next, bad) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
    let total = Mutex::new(Played::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    match play(Options { seed: seed + at, trace, sabotage }) {
                        Ok(played) => {
                            played.trace.iter().for_each(|line| println!("{line}"));
                            if let Ok(mut total) = total.lock() {
                                add(&mut total, &played);
                            }
                        }
                        Err(violation) => {
                            bad.fetch_add(1, Ordering::Relaxed);
                            println!("{violation}");
                        }
                    }
                }
            });
        }
    });
    let (seconds, bad) = (begun.elapsed().as_secs_f64(), bad.into_inner());
    let Ok(total) = total.into_inner() else { return ExitCode::FAILURE };
    println!(
        "{count} schedules in {seconds:.1} s: {} steps, {} looks, {} promotions, {} proposals, {} failures, {} crashes; {bad} broke a promise",
        total.steps, total.looks, total.promotions, total.proposals, total.failures, total.crashes
    );
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn add(total: &mut Played, played: &Played) {
    total.steps += played.steps;
    total.looks += played.looks;
    total.promotions += played.promotions;
    total.proposals += played.proposals;
    total.failures += played.failures;
    total.crashes += played.crashes;
}
