//! The demo's story while `serve` is killed again and again: the end must be the
//! same as if nothing had happened.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::BAD;
use super::clusters::Clusters;
use super::stage::Stage;
use super::story::{Approver, Story};
use crate::client::Client;
use crate::command::demo::Actors;
use crate::error::CliError;
use crate::output::Printer;

/// How the story is disturbed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disturbance {
    /// How many times the story is told.
    pub(crate) runs: u32,
    /// How many times in all `serve` is killed.
    pub(crate) kills: u32,
    /// Whether the ledger is deleted once in each run.
    pub(crate) lose_ledger: bool,
    /// What the moments follow from.
    pub(crate) seed: u64,
}

/// How a story ended.
#[derive(Debug, PartialEq, Eq)]
struct End {
    log: String,
    branches: Vec<String>,
    declared: Vec<Option<String>>,
}

/// Tells the story undisturbed once and then disturbed, and compares the ends.
pub(crate) async fn rehearse(wanted: Disturbance, printer: &Printer) -> Result<(), CliError> {
    let mut random = Random(wanted.seed | 1);
    let (undisturbed, took, _) = run(&mut random, 0, false).await?;
    printer.line(format!(
        "undisturbed: {:.1} s, {} promotions",
        took.as_secs_f64(),
        undisturbed.log.matches("Gradus-Pipeline").count()
    ));
    let (mut killed, mut run_number) = (0, 0);
    while run_number < wanted.runs || killed < wanted.kills {
        run_number += 1;
        let left = (wanted.runs + 1).saturating_sub(run_number).max(1);
        let kills = wanted.kills.saturating_sub(killed).div_ceil(left);
        let (end, took, seen) = run(&mut random, kills, wanted.lose_ledger).await?;
        killed += seen.kills;
        if end != undisturbed {
            return Err(CliError::failed(format!(
                "run {run_number} ended otherwise\n--- undisturbed\n{undisturbed:#?}\n--- run {run_number}\n{end:#?}"
            ))
            .help(format!("seed {}", wanted.seed)));
        }
        if seen.merges != 1 {
            return Err(CliError::failed(format!(
                "run {run_number} merged into prod {} times, not once",
                seen.merges
            )));
        }
        printer.line(format!(
            "run {run_number:>2}: killed {:>2} times{}, {:.1} s, same end, 1 proposal, fsck clean",
            seen.kills,
            if seen.lost_ledger { ", ledger deleted" } else { "" },
            took.as_secs_f64()
        ));
    }
    printer.line(format!("{run_number} runs, {killed} kills: every end equals the undisturbed one"));
    Ok(())
}

/// What happened in a run.
struct Seen {
    kills: u32,
    lost_ledger: bool,
    merges: usize,
}

async fn run(random: &mut Random, kills: u32, lose_ledger: bool) -> Result<(End, Duration, Seen), CliError> {
    let folder =
        tempfile::tempdir().map_err(|error| CliError::because("making a temporary folder", error))?;
    let Stage { fleet, config, .. } = Stage::plain(folder.path())?;
    let data = folder.path().join("data");
    let actors = Actors::create(&data)?;
    let server = Served { config, data, listen: free_port()? };
    let begun = Instant::now();
    let client = |token: &str| Client::new(&format!("http://{}", server.listen), Some(token.to_owned()));
    let clusters = Clusters::new(
        fleet.clone(),
        client(&actors.reporter)?.signing_with(&actors.hook_key),
        vec![("staging", BAD)],
    );
    let clusters = tokio::spawn(clusters.run());
    let (approver, operator) = (client(&actors.approver)?, client(&actors.operator)?);
    let patience = Duration::from_secs(180);
    let story = Story {
        fleet: &fleet,
        approver: Approver::Here(&approver),
        operator: &operator,
        printer: None,
        pause: false,
        patience,
    };
    // Undisturbed, the story takes some nine seconds.
    let mean = Duration::from_secs(9) / (kills + 1);
    let mut disturbance = Disturbed { server: &server, random, kills: 0, lost_ledger: false };
    let told = tokio::select! {
        told = story.tell() => told,
        broken = disturbance.go_on(kills, mean, lose_ledger) => broken,
    };
    let (kills, lost_ledger) = (disturbance.kills, disturbance.lost_ledger);
    clusters.abort();
    told?;
    let end = End {
        log: fleet
            .log("%an%n%B")?
            .lines()
            .filter(|line| !line.starts_with("Gradus-Promotion"))
            .collect::<Vec<_>>()
            .join("\n"),
        branches: fleet.branches()?,
        declared: super::fleet::ENVIRONMENTS.iter().map(|name| fleet.declared("main", name)).collect(),
    };
    fleet.fsck()?;
    let merges = fleet.log("%s")?.lines().filter(|line| line.starts_with("Promote podinfo to prod")).count();
    Ok((end, begun.elapsed(), Seen { kills, lost_ledger, merges }))
}

/// Starts `serve`, kills it at random moments, and starts it again.
struct Disturbed<'a> {
    server: &'a Served,
    random: &'a mut Random,
    kills: u32,
    lost_ledger: bool,
}

impl Disturbed<'_> {
    /// Goes on for ever; ends only when `serve` ends by itself, which it must not.
    async fn go_on(&mut self, kills: u32, mean: Duration, lose_ledger: bool) -> Result<(), CliError> {
        let lose_at = self.random.below(u64::from(kills.max(1)));
        let kills = if lose_ledger { kills.max(1) } else { kills };
        for kill in 0..kills {
            let mut child = self.server.start()?;
            // From nothing to twice the mean: sometimes in the middle of starting.
            tokio::time::sleep(mean.mul_f64(2.0 * self.random.fraction())).await;
            child.kill().await.map_err(|error| CliError::because("killing serve", error))?;
            self.kills += 1;
            if lose_ledger && lose_at == u64::from(kill) {
                self.server.lose_ledger()?;
                self.lost_ledger = true;
            }
        }
        let mut child = self.server.start()?;
        let status = child.wait().await.map_err(|error| CliError::because("waiting for serve", error))?;
        Err(CliError::failed(format!("serve ended by itself: {status}")))
    }
}

struct Served {
    config: PathBuf,
    data: PathBuf,
    listen: String,
}

impl Served {
    fn start(&self) -> Result<Child, CliError> {
        let program =
            std::env::current_exe().map_err(|error| CliError::because("finding this program", error))?;
        Command::new(program)
            .args(["serve", "--quiet", "--poll", "300ms"])
            .arg("--config")
            .arg(&self.config)
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.listen])
            .arg("--hook-key-file")
            .arg(Actors::hook_key_file(&self.data))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| CliError::because("starting serve", error))
    }

    /// What is left when somebody deletes the ledger: the tokens, which are not part of it.
    fn lose_ledger(&self) -> Result<(), CliError> {
        for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
            let path = self.data.join(name);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(CliError::because(format!("deleting {}", path.display()), error)),
            }
        }
        Ok(())
    }
}

fn free_port() -> Result<String, CliError> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address
        .map(|address| address.to_string())
        .map_err(|error| CliError::because("finding a free port", error))
}

/// A small generator (xorshift64*): the same seed gives the same moments.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 40).unwrap_or_default()) / f64::from(1_u32 << 24)
    }
}
