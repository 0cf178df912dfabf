//! Random edits of random files, as many as one has patience for: `cargo run --release -p gradus-edit --example fuzz`.
//!
//! Ends with the first seed that breaks a promise, and with the file that it made.

#[path = "../tests/it/scale/mod.rs"]
mod scale;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use scale::bytes::play_bytes;
use scale::{Counts, play};

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str, otherwise: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(otherwise)
    };
    let (edits, bytes, seed) =
        (option("--edits", 1_000_000), option("--bytes", 200_000), option("--seed", 0));
    match run(edits, bytes, seed, &mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _nobody_listens = writeln!(out, "{why}");
            ExitCode::FAILURE
        }
    }
}

fn run(edits: u64, bytes: u64, seed: u64, out: &mut impl Write) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let begun = Instant::now();
    let mut counts = Counts::default();
    let mut at = seed;
    while (counts.edited as u64) < edits {
        play(at, &mut counts)?;
        at += 1;
    }
    let Counts { files, edited, marked, unchanged, refused, compared } = counts;
    let took = begun.elapsed().as_secs_f64();
    writeln!(
        out,
        "{edited} edits of {files} files, {marked} by a marker, in {took:.0} s; {compared} seen by the other parser; \
         {unchanged} were so already, {refused} refused"
    )
    .map_err(failed)?;
    let begun = Instant::now();
    for at in seed..seed + bytes {
        play_bytes(at)?;
    }
    writeln!(out, "{bytes} files with changed bytes in {:.0} s", begun.elapsed().as_secs_f64())
        .map_err(failed)
}
