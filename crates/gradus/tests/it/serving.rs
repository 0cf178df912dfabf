//! The same commands against a running server, and beside one.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::world::{WEB, World};

/// A server in a world, which ends with the test.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
    /// Reads what it says, until it says no more.
    saying: Option<JoinHandle<String>>,
}

impl Serving {
    /// Runs `serve` in the folder that the command runs in.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0", "--poll", "1h"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        let line = loop {
            let line = lines.next().expect("it says where it answers");
            said.push_str(&format!("{line}\n"));
            if line.contains("answers on") {
                break line;
            }
        };
        let address = line.rsplit(' ').next().unwrap().to_owned();
        // What else it says must not fill the pipe.
        let saying = std::thread::spawn(move || {
            lines.for_each(|line| said.push_str(&format!("{line}\n")));
            said
        });
        Self { child, address, saying: Some(saying) }
    }

    /// Waits until its status is as wanted.
    pub(crate) fn until(&self, world: &World, wanted: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        loop {
            let mut status = world.gradus();
            let output = status.args(["status", "--server", &self.address]).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            if output.status.success() && wanted(&text) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "it never came: {text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks it to end, waits until it has, and gives what it said.
    pub(crate) fn stop(&mut self) -> String {
        let id = self.child.id().to_string();
        let asked = Command::new("sh").args(["-c", "kill -s TERM \"$1\"", "stop", &id]).status().unwrap();
        assert!(asked.success());
        let begun = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.saying.take().expect("it ends once").join().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Starts a server and waits until it has looked at everything.
fn serve(world: &mut World) -> Serving {
    let serving = Serving::start(world.gradus());
    world.hide(serving.address.rsplit(':').next().unwrap().to_owned(), "[port]");
    serving.until(world, |status| !status.contains("not looked at yet"));
    serving
}

#[test]
fn a_server_answers_as_the_folder_does() {
    let mut world = World::web();
    world.write("pipelines/web.yaml", &WEB.replace("strategy: push", "strategy: pull-request"));
    let serving = serve(&mut world);
    serving.until(&world, |status| status.contains("proposal 1"));
    let server = ["--server", serving.address.as_str()];
    let mut run = |arguments: &[&str]| {
        world.run(&[arguments, &server].concat());
    };
    run(&["status"]);
    run(&["status", "web"]);
    run(&["plan"]);
    run(&["explain", "web", "staging"]);
    run(&["proposals", "web"]);
    run(&["history", "web"]);
    run(&["explain", "web", "prd"]);
    run(&["explain", "apps/wep", "prod"]);
    run(&[
        "promote",
        "web",
        "--to",
        "prod",
        "--version",
        "1.1.0",
        "--override",
        "staging is down",
        "--dry-run",
    ]);
    run(&["approve", "web", "--to", "staging"]);
    run(&["hold", "web", "--environment", "prod", "--reason", "black friday"]);
    run(&["unhold", "web-prd"]);
    run(&["unhold", "web-prod"]);
    drop(serving);
    world.check("server");
}

#[test]
fn beside_a_server_things_are_recorded_and_the_server_acts() {
    let mut world = World::web();
    let manifest = WEB.replace("strategy: push", "strategy: pull-request");
    world.write("pipelines/web.yaml", &manifest);
    let serving = serve(&mut world);
    serving.until(&world, |status| status.contains("proposal 1"));
    world.run(&["promote", "web", "--to", "staging", "--data", "data"]);
    world.run(&["history", "web", "--data", "data"]);
    drop(serving);
    world.check("beside_a_server");
}
