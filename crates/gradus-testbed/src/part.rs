//! One running program.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::guard::Guard;
use crate::{TestbedError, TestbedErrorKind};

/// How long a program may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that was started and is killed with its value.
#[derive(Debug)]
pub(crate) struct Part {
    name: &'static str,
    log: PathBuf,
    child: Child,
    guard: Arc<Guard>,
}

impl Part {
    /// Starts a program. What it says goes to a file in the folder.
    pub(crate) fn start(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        folder: &Path,
        guard: &Arc<Guard>,
    ) -> Result<Self, TestbedError> {
        Self::start_with(name, program, arguments, &[], folder, guard)
    }

    /// Starts a program with more in its environment.
    pub(crate) fn start_with(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        more: &[(&str, &str)],
        folder: &Path,
        guard: &Arc<Guard>,
    ) -> Result<Self, TestbedError> {
        let doing = || format!("could not start {name}, {}", program.display());
        let log = folder.join(format!("{name}.log"));
        let out =
            File::options().create(true).append(true).open(&log).map_err(TestbedError::machine(doing()))?;
        let err = out.try_clone().map_err(TestbedError::machine(doing()))?;
        let mut command = Command::new(program);
        // What the environment says to such programs is not for these.
        command.args(arguments).env_clear().env("HOME", folder).current_dir(folder);
        // Gitea runs Git, wherever that is.
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.envs(more.iter().copied());
        let child = apart(&mut command)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(TestbedError::machine(doing()))?;
        let part = Self { name, log, child, guard: Arc::clone(guard) };
        part.guard.watch(part.id())?;
        Ok(part)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails if the program has ended, with the last it said.
    pub(crate) fn check(&mut self) -> Result<(), TestbedError> {
        let name = self.name;
        let status =
            self.child.try_wait().map_err(TestbedError::machine(format!("could not see how {name} is")))?;
        let Some(status) = status else { return Ok(()) };
        let last = self.last_words();
        let kind = if last.to_lowercase().contains("address already in use") {
            TestbedErrorKind::PortTaken
        } else {
            TestbedErrorKind::NotReady
        };
        Err(TestbedError::new(kind, format!("{name} ended by itself with {status}; it said:\n{last}")))
    }

    /// The last lines of what it said.
    pub(crate) fn last_words(&self) -> String {
        let said = std::fs::read(&self.log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Stops it where it is, without ending it.
    pub(crate) fn pause(&self) -> Result<Paused, TestbedError> {
        let failed = || format!("could not pause {}", self.name);
        signal("STOP", self.id()).map_err(TestbedError::machine(failed()))?;
        let paused = Paused(self.id());
        // On a busy machine it takes the signal a moment later.
        let begun = Instant::now();
        while !stands_still(self.id()).map_err(TestbedError::machine(failed()))? {
            if begun.elapsed() > PATIENCE {
                return Err(TestbedError::new(TestbedErrorKind::NotReady, failed()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(paused)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guard.forget(self.child.id());
    }
}

/// A program that stands still until this is dropped.
#[derive(Debug)]
#[must_use = "it goes on when this is dropped"]
pub struct Paused(u32);

impl Drop for Paused {
    fn drop(&mut self) {
        // It may have been killed in the meantime.
        let _ = signal("CONT", self.0);
    }
}

/// Whether all threads of a program have stopped.
fn stands_still(id: u32) -> std::io::Result<bool> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{id}/task")) else {
        let output = Command::new("ps").args(["-o", "stat=", "-p", &id.to_string()]).output()?;
        return Ok(output.stdout.starts_with(b"T"));
    };
    for thread in threads {
        let told = std::fs::read_to_string(thread?.path().join("stat"))?;
        // The state comes behind the name, which is in brackets and may hold any.
        let state = told.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
        if state != Some('T') {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Away from the signals that a terminal sends to everything it runs.
pub(crate) fn apart(command: &mut Command) -> &mut Command {
    command.process_group(0)
}

fn signal(name: &str, id: u32) -> std::io::Result<()> {
    let output =
        Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "signal", name, &id.to_string()]).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(std::io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}
