//! The simulator: a random pipeline in a random world, two engines at once, and
//! everything that can go wrong. One seed is one schedule, always the same.
//!
//! After every step of an engine a judge compares what was written with what is
//! true in the world, which the engines only see through their ports. Once
//! nothing goes wrong any more, all of it has to come to rest, with nobody left
//! behind.

mod chance;
mod judge;
mod people;
mod runner;
mod scene;
mod settle;
mod world;

use std::fmt;

use super::Sabotage;
use runner::Simulation;

/// What a schedule is made of.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Which schedule.
    pub seed: u64,
    /// Whether to say what happens, line by line.
    pub trace: bool,
    /// What is broken on purpose.
    pub sabotage: Option<Sabotage>,
}

/// What came of a schedule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Played {
    /// How often an engine went on.
    pub steps: u64,
    /// How many looks came to their end.
    pub looks: u64,
    /// How many commits engines made on the branch that is deployed.
    pub promotions: u64,
    /// How many proposals there were.
    pub proposals: u64,
    /// How many calls failed.
    pub failures: u64,
    /// How many engines died.
    pub crashes: u64,
    /// What happened, line by line.
    pub trace: Vec<String>,
}

/// What must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// In which schedule.
    pub seed: u64,
    /// What.
    pub what: String,
    /// What happened before it.
    pub played: Played,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.played.trace {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {}: {}", self.seed, self.what)?;
        write!(
            f,
            "replay: cargo run -q --release -p gradus-engine --features fake --example simulate -- --seed {} --trace",
            self.seed
        )
    }
}

impl std::error::Error for Violation {}

/// Plays one schedule.
pub fn play(options: Options) -> Result<Played, Box<Violation>> {
    let mut simulation = Simulation::new(options);
    let outcome = simulation.run();
    let played = simulation.played();
    match outcome {
        Ok(()) => Ok(played),
        Err(what) => Err(Box::new(Violation { seed: options.seed, what, played })),
    }
}
