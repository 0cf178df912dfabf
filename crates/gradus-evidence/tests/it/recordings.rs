//! What real controllers wrote, step by step, and what has to be thought of it.
//!
//! A recording is a file of lines: an object as it was at first (`is`), or what
//! changed in it (`patch`, a JSON merge patch). One repository with an environment
//! each in `dev`, `staging` and `prod`; a chart of which 6.6.0 never gets ready.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use gradus_evidence::{Confidence, Image, TargetSpec};
use serde::Deserialize;
use serde_json::Value;

use crate::world::{World, reference, words};

/// What has to be thought of a target while a recording is replayed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
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
    /// The version that was committed, where it is not the one that arrived.
    #[serde(default)]
    wanted: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Step {
    at: f64,
    object: String,
    is: Option<Value>,
    patch: Option<Value>,
}

#[test]
fn every_row_of_every_recording() {
    let text = std::fs::read_to_string(folder().join("expectations.json")).unwrap();
    let rows: Vec<Expectation> = serde_json::from_str(&text).unwrap();
    let (mut told, mut wrong) = (String::new(), Vec::new());
    for row in &rows {
        let faults = replay(row, &mut told);
        if !faults.is_empty() {
            wrong.push(format!("{} {}: {}", row.scenario, row.target, faults.join("; ")));
        }
    }
    println!("recordings: {} of {} rows", rows.len() - wrong.len(), rows.len());
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(rows.len(), 25);
    insta::assert_snapshot!("recordings", told);
}

/// Plays one recording for one target; what was not as expected.
fn replay(row: &Expectation, told: &mut String) -> Vec<String> {
    let mut spec = TargetSpec::new(reference(&row.target));
    if row.workloads_looked_at {
        spec.confidence = Confidence::Workloads;
    }
    if let Some(wanted) = &row.wanted {
        spec.wanted = Some(gradus_evidence::Wanted { version: Some(wanted.clone()), digest: None });
    }
    let mut faults = Vec::new();
    let mut world = World::default();
    let generation = |world: &World| {
        world.find(&reference(&row.target)).and_then(|it| it.pointer("/metadata/generation")).cloned()
    };
    let steps = steps(&row.scenario);
    let before = steps.iter().take_while(|step| step.is.is_some()).count();
    let (mut first, mut changed, mut last) = (None, false, String::new());
    writeln!(told, "{} {}", row.scenario, row.target).unwrap();
    for (count, step) in steps.iter().enumerate() {
        play(&mut world, step);
        if count + 1 < before {
            continue;
        }
        let state = words(&world.judge(&spec).state);
        if count + 1 == before {
            first = generation(&world);
            check(&row.start, &state, "at the start", &mut faults);
        }
        changed |= generation(&world) != first;
        if row.never.iter().any(|never| is(never, &state)) {
            faults.push(format!("{state} at {}", step.at));
        }
        if changed && row.not_after_change.iter().any(|never| is(never, &state)) {
            faults.push(format!("{state} at {}, after the change", step.at));
        }
        if state != last {
            writeln!(told, "  {:6.2} {state}", step.at).unwrap();
            last = state;
        }
    }
    check(&row.end, &last, "at the end", &mut faults);
    faults
}

fn check(expected: &Option<String>, state: &str, when: &str, faults: &mut Vec<String>) {
    if let Some(expected) = expected
        && !is(expected, state)
    {
        faults.push(format!("{state} {when}, not {expected}"));
    }
}

/// Whether a state is what was expected: `failed`, `healthy 6.5.0`, or with a
/// whole image `healthy nginx:1.22.0`.
fn is(expected: &str, state: &str) -> bool {
    match expected.split_once(' ') {
        None => state.split(' ').next() == Some(expected),
        Some((word, version)) => {
            let version = Image::parse(version).tag.unwrap_or(version);
            state == format!("{word} {version}")
        }
    }
}

fn play(world: &mut World, step: &Step) {
    let name = reference(&step.object);
    if let Some(object) = &step.is {
        world.put(object.clone());
    } else if let Some(change) = &step.patch {
        let mut object = world.find(&name).unwrap().clone();
        json_patch::merge(&mut object, change);
        world.put(object);
    } else {
        world.take(&name);
    }
}

fn steps(scenario: &str) -> Vec<Step> {
    let text = std::fs::read_to_string(folder().join(format!("{scenario}.jsonl"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// All objects of a recording as they are at its end.
pub(crate) fn end_of(scenario: &str) -> World {
    let mut world = World::default();
    for step in steps(scenario) {
        play(&mut world, &step);
    }
    world
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}
