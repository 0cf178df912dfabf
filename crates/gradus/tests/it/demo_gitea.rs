//! The demo with pull requests in a real Gitea.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use gradus_testbed::{Tool, find_tool};

use crate::world::World;

/// The port that Gitea listens on, from what the demo says.
fn port(said: &str) -> u16 {
    let (_, rest) = said.split_once("http://127.0.0.1:").unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// A world whose temporary files are its own.
fn world() -> World {
    let world = World::empty();
    std::fs::create_dir(world.path("tmp")).unwrap();
    world
}

fn is_empty(world: &World) -> bool {
    std::fs::read_dir(world.path("tmp")).unwrap().next().is_none()
}

/// Waits until nobody listens there any more.
fn assert_gone(port: u16) {
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(30), "Gitea still listens on port {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn the_demo_tells_its_story_with_pull_requests_in_gitea() {
    let program = find_tool(Tool::Gitea).await.unwrap();
    let _pages = find_tool(Tool::GiteaFiles).await.unwrap();
    let mut world = world();
    let arguments = ["demo", "--forge", "gitea", "--gitea"];
    let output =
        world.gradus().args(arguments).arg(program).env("TMPDIR", world.path("tmp")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    // What it writes to the log while people and gradus meet is another each time.
    world.record(&format!("$ gradus {}\n{said}\n", arguments[..3].join(" ")));
    let port = port(&said);
    assert_gone(port);
    assert!(is_empty(&world), "something is left of it");
    world.hide(format!("127.0.0.1:{port}"), "[host]");
    world.run(&["demo", "--forge", "gitea", "--gitea", "nowhere"]);
    world.run_with(&["demo", "--forge", "gitea"], &[("PATH", "/nowhere")]);
    world.check("demo_gitea");
}

/// Starts the demo, and says where its Gitea listens as soon as it says so itself.
fn begun(world: &World, program: &str) -> (Child, u16) {
    let mut child = world
        .gradus()
        .args(["demo", "--forge", "gitea", "--gitea", program])
        .env("TMPDIR", world.path("tmp"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.find_map(|line| line.ok().filter(|line| line.contains("http://"))).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    (child, port(&line))
}

#[tokio::test]
async fn gitea_ends_with_the_demo_however_that_ends() {
    let program = find_tool(Tool::Gitea).await.unwrap().display().to_string();
    let _pages = find_tool(Tool::GiteaFiles).await.unwrap();
    for (signal, is_clean) in [("INT", true), ("TERM", true), ("KILL", false)] {
        let world = world();
        let (mut child, port) = begun(&world, &program);
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        let sent = world.command("kill").args(["-s", signal, &child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let status = child.wait().unwrap();
        assert_gone(port);
        assert_eq!((status.success(), is_empty(&world)), (is_clean, is_clean), "{signal}: {status}");
    }
}
