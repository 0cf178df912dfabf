//! Starts a control plane to look around in, and ends it with its standard input.

use std::error::Error;
use std::io::{Write as _, stdin, stdout};

use gradus_testbed::{ControlPlane, User};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let plane = ControlPlane::start().await?;
    let more: Vec<String> = std::env::args().skip(1).collect();
    if more.iter().any(|argument| argument == "--flux") {
        plane.flux_crds().await?;
    }
    if more.iter().any(|argument| argument == "--controllers") {
        plane.with_controllers().await?;
    }
    let kubeconfig = plane.folder().join("kubeconfig");
    std::fs::write(&kubeconfig, plane.kubeconfig(User::Admin)?)?;
    writeln!(stdout(), "export KUBECONFIG={}", kubeconfig.display())?;
    // Nothing that is typed matters, only that there is no more.
    stdin().lines().for_each(drop);
    Ok(())
}
