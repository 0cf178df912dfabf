//! Nothing is left behind.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gradus_testbed::ControlPlane;
use kube::config::Kubeconfig;

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn port(kubeconfig: &str) -> u16 {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).unwrap();
    let server = kubeconfig.clusters[0].cluster.clone().unwrap().server.unwrap();
    server.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Waits for what happens by itself soon.
fn soon(what: &str, happened: impl Fn() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} has not happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_dropped_control_plane_is_gone() {
    let plane = ControlPlane::start().await.unwrap();
    let (url, folder) = (plane.url(), plane.folder().to_owned());
    let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(listens(port) && folder.join("etcd").exists());
    drop(plane);
    assert!(!listens(port), "kube-apiserver still listens");
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[test]
fn a_killed_program_leaves_nothing_behind() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gradus-testbed"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(program.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let path = Path::new(line.trim().strip_prefix("export KUBECONFIG=").unwrap());
    let port = port(&std::fs::read_to_string(path).unwrap());
    assert!(listens(port));
    // Unlike a test that fails, it has no time to clean up.
    program.kill().unwrap();
    program.wait().unwrap();
    soon("the end of kube-apiserver", || !listens(port));
    soon("the end of the folder", || !path.parent().unwrap().exists());
    // Nobody holds what the program wrote to, so who reads that comes to its end.
    assert_eq!(out.read_to_string(&mut line).unwrap(), 0);
}
