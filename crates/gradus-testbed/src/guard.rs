//! Ends what was started when the test program ends, however it ends.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::TestbedError;
use crate::part::apart;

/// Reads from a pipe what has to end with the test program. The pipe closes when
/// that program ends, even when it is killed; then the rest is killed and the
/// folder removed.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
watched=
while read -r word id; do
    case "$word" in
    watch) watched="$watched $id" ;;
    forget)
        kept=
        for other in $watched; do [ "$other" = "$id" ] || kept="$kept $other"; done
        watched=$kept
        ;;
    esac
done
for id in $watched; do kill -KILL "$id"; done
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"#;

/// A small shell beside the test program that outlives it for a moment.
#[derive(Debug)]
pub(crate) struct Guard(Mutex<Child>);

impl Guard {
    /// Watches over what is started in a folder.
    pub(crate) fn start(folder: &Path) -> Result<Self, TestbedError> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "guard"]).arg(folder);
        let child = apart(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(TestbedError::machine("could not start a shell that cleans up"))?;
        Ok(Self(Mutex::new(child)))
    }

    /// A process has to end with the test program.
    pub(crate) fn watch(&self, id: u32) -> Result<(), TestbedError> {
        self.tell("watch", id).map_err(TestbedError::machine("could not reach the shell that cleans up"))
    }

    /// A process has ended. Its number may soon be another's.
    pub(crate) fn forget(&self, id: u32) {
        // A guard that is gone kills nobody.
        let _ = self.tell("forget", id);
    }

    fn tell(&self, word: &str, id: u32) -> std::io::Result<()> {
        use std::io::Write as _;
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut child.stdin {
            Some(pipe) => pipe.write_all(format!("{word} {id}\n").as_bytes()),
            None => Err(std::io::ErrorKind::BrokenPipe.into()),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let child = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(child.stdin.take());
        let _ = child.wait();
    }
}
