//! Ends Gitea when gradus ends, however it ends.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::find::Program;
use super::{environment, log, settings};
use crate::error::CliError;

/// Runs a program until its standard input closes, which it does with the process at its other end, or until the
/// program ends by itself.
const SCRIPT: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
trap '' INT TERM HUP
{ while read -r line; do :; done <&3; kill -KILL "$child"; } >/dev/null 2>&1 &
exec 3<&-
wait "$child"
"#;

/// A small shell between gradus and Gitea.
pub(super) struct Keeper(Child);

impl Keeper {
    pub(super) fn start(program: &Program, folder: &Path) -> Result<Self, CliError> {
        let doing = || format!("starting {}", program.path.display());
        let failed = |error: std::io::Error| CliError::because(doing(), error).help("the demo needs sh");
        let out = log(folder)?;
        let err = out.try_clone().map_err(failed)?;
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "keeper"]).arg(&program.path).args(["web", "--config"]);
        command.arg(settings::file(folder)).env_clear().envs(environment(folder)).current_dir(folder);
        // A terminal sends its signals to everything it runs; this one ends after gradus has ended.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.stdin(Stdio::piped()).stdout(out).stderr(err).spawn().map(Self).map_err(failed)
    }

    pub(super) fn has_ended(&mut self) -> bool {
        // Who cannot be asked is waited for.
        self.0.try_wait().is_ok_and(|ended| ended.is_some())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _it_ends_now = self.0.wait();
    }
}
