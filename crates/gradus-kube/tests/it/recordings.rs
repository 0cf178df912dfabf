//! What real controllers of Flux wrote, written again into a real API server, and what is
//! seen of it: all of it in order with gradus started again at steps of it, and with
//! versions left out between.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it fails, and says how much it played"
)]

mod player;
mod recording;

use std::path::Path;
use std::time::Instant;

use futures::StreamExt as _;
use serde::Deserialize;

use self::player::Player;
pub(crate) use self::recording::kinds as flux_kinds;

/// What has to be thought of a target while a recording is replayed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    scenario: String,
    target: String,
    /// Before the first change.
    start: Option<String>,
    /// After the last step.
    end: Option<String>,
    /// At no step.
    #[serde(default)]
    never: Vec<String>,
    /// At no step from the first new generation of the object on.
    #[serde(default)]
    not_after_change: Vec<String>,
    #[serde(default)]
    workloads_looked_at: bool,
    /// What was committed and does not arrive; nothing that is seen depends on it.
    #[serde(default, rename = "wanted")]
    _wanted: Option<String>,
}

/// How a recording is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Every version of every object. gradus is started again at each step of a short
    /// recording, and at some of a long one.
    Whole,
    /// Half of the versions are left out, and gradus is started again now and then.
    Gaps,
}

/// A recording is short with so many steps.
const SHORT: usize = 20;

#[tokio::test]
async fn every_recording_is_judged_right_in_a_real_cluster_step_by_step_and_with_gaps() {
    let text = std::fs::read_to_string(folder().join("expectations.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&text).unwrap();
    let mut scenarios: Vec<&str> = rows.iter().map(|row| row.scenario.as_str()).collect();
    scenarios.dedup();
    assert_eq!(scenarios.len(), 21);
    recording::kinds().await;
    let begun = Instant::now();
    let plays = scenarios.iter().flat_map(|scenario| [(*scenario, Way::Whole), (*scenario, Way::Gaps)]);
    let all = &rows;
    let played: Vec<(&str, Played)> = futures::stream::iter(plays)
        .map(|(scenario, way)| async move {
            let rows: Vec<Row> = all.iter().filter(|row| row.scenario == scenario).cloned().collect();
            (scenario, play(scenario, &rows, way).await)
        })
        .buffer_unordered(6)
        .collect()
        .await;
    let faults: Vec<&String> = played.iter().flat_map(|(_, played)| &played.faults).collect();
    let right = scenarios.iter().filter(|scenario| {
        played.iter().filter(|(name, _)| name == *scenario).all(|(_, played)| played.faults.is_empty())
    });
    let sum = |of: fn(&Played) -> usize| played.iter().map(|(_, played)| of(played)).sum::<usize>();
    println!(
        "{}/{} recordings replayed: {} steps, {} left out, {} restarts, {:.0?}",
        right.count(),
        scenarios.len(),
        sum(|played| played.steps),
        sum(|played| played.left_out),
        sum(|played| played.restarts),
        begun.elapsed()
    );
    assert_eq!(faults, Vec::<&String>::new());
}

/// What came of playing a recording.
#[derive(Debug, Default)]
struct Played {
    steps: usize,
    left_out: usize,
    restarts: usize,
    faults: Vec<String>,
}

async fn play(scenario: &str, rows: &[Row], way: Way) -> Played {
    let mut dice = Dice::new(scenario, way);
    let mut player = Player::new(scenario, rows).await;
    let mut played = Played::default();
    let short = player.steps() <= SHORT;
    let mut last = player.begin().await;
    for (row, word) in rows.iter().zip(&last) {
        played.check(row, row.start.as_deref(), word, "at the start");
    }
    while let Some(step) = player.next() {
        if way == Way::Gaps && step.can_be_left_out && dice.one_of(2) {
            played.left_out += 1;
            continue;
        }
        player.write(&step).await;
        played.steps += 1;
        last = player.settle().await;
        let again = match way {
            Way::Whole => short || dice.one_of(4),
            Way::Gaps => dice.one_of(8),
        };
        if again {
            player.restart();
            played.restarts += 1;
            last = player.settle().await;
        }
        for ((row, word), changed) in rows.iter().zip(&last).zip(player.changed()) {
            let is_one_of = |words: &[String]| words.iter().any(|one| is(one, word));
            if is_one_of(&row.never) || (changed && is_one_of(&row.not_after_change)) {
                played.faults.push(format!("{scenario} {}: {word} at step {}", row.target, played.steps));
            }
        }
    }
    for (row, word) in rows.iter().zip(&last) {
        played.check(row, row.end.as_deref(), word, "at the end");
    }
    let at = |fault: String| format!("{way:?} {fault}");
    played.faults = played.faults.into_iter().chain(player.lies()).map(at).collect();
    played
}

impl Played {
    fn check(&mut self, row: &Row, expected: Option<&str>, word: &str, when: &str) {
        if let Some(expected) = expected.filter(|expected| !is(expected, word)) {
            self.faults.push(format!("{} {}: {word} {when}, not {expected}", row.scenario, row.target));
        }
    }
}

/// Whether a state is what was expected: `failed`, `healthy 6.5.0`, or with a whole
/// image `healthy nginx:1.22.0`.
fn is(expected: &str, word: &str) -> bool {
    match expected.split_once(' ') {
        None => word.split(' ').next() == Some(expected),
        Some((state, version)) => {
            let tag = version.rsplit(':').next().unwrap_or(version);
            word == format!("{state} {tag}")
        }
    }
}

/// Throws the same for the same recording each time.
struct Dice(u64);

impl Dice {
    fn new(scenario: &str, way: Way) -> Self {
        let text = format!("{scenario} {way:?}");
        Self(
            text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
                (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            }),
        )
    }

    /// True once in so many times.
    fn one_of(&mut self, times: u64) -> bool {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).is_multiple_of(times)
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradus-evidence/tests/recordings")
}
