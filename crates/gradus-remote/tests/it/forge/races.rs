//! Engines that are killed between any two requests, or work at the same time, while people merge, close, retitle,
//! push to and delete what they are at: by the engine's real ports, on each forge. Whatever happens, there is one
//! proposal at most, nobody's no is passed over, nothing is merged that was not proposed, and nothing is lost.
//!
//! `GRADUS_RACES=250` plays so many seeds on each forge instead of a few, `GRADUS_RACE_SEED=7` one of them.

mod arena;
mod judge;
mod play;

use std::time::Instant;

use self::arena::Arena;
use self::play::Play;
use super::doubles::{AZURE_DEVOPS, BITBUCKET, BITBUCKET_SERVER, GITLAB, Kind};

/// Plays the seeds, and says what is to be said of the first that went wrong.
#[expect(clippy::print_stdout, reason = "how many there were is part of what the tests say")]
async fn races(name: &str, few: u64, arena: impl AsyncFn() -> Arena) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = match number("GRADUS_RACE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("GRADUS_RACES").unwrap_or(few),
    };
    let (begun, mut told) = (Instant::now(), play::Told::default());
    for seed in seeds.clone() {
        let play = Play::new(arena().await, seed);
        told += play.through().await.unwrap_or_else(|why| {
            panic!("{name}, GRADUS_RACE_SEED={seed}: {why}");
        });
    }
    let seeds = seeds.end - seeds.start;
    println!("races: {name}: {seeds} seeds, {told}, in {:.0?}", begun.elapsed());
    assert!(seeds < few || (told.kills > 0 && told.merges > 0 && told.proposals > 0), "{told}");
}

async fn on(kind: &'static Kind) {
    races(kind.name, 6, async || Arena::of(kind).await).await;
}

#[tokio::test]
async fn on_github() {
    races("github", 6, Arena::github).await;
}

#[tokio::test]
async fn on_gitlab() {
    on(&GITLAB).await;
}

#[tokio::test]
async fn on_bitbucket() {
    on(&BITBUCKET).await;
}

#[tokio::test]
async fn on_bitbucket_server() {
    on(&BITBUCKET_SERVER).await;
}

#[tokio::test]
async fn on_azure_devops() {
    on(&AZURE_DEVOPS).await;
}

#[tokio::test]
async fn on_a_real_gitea() {
    races("gitea", 3, Arena::gitea).await;
}
