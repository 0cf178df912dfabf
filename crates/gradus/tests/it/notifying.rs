//! People are told by a running server: once, also when it is killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::serving::Serving;
use crate::world::{WEB, World};

/// A receiver that holds what it was told.
pub(crate) struct Receiver {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<serde_json::Value>>>,
    /// What it answers.
    status: Arc<Mutex<&'static str>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let taken: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
        let status = Arc::new(Mutex::new("200 OK"));
        let (holds, says) = (taken.clone(), status.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let mut length = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let status = *says.lock().unwrap();
                if status.starts_with('2') {
                    holds.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, taken, status }
    }

    pub(crate) fn says(&self, status: &'static str) {
        *self.status.lock().unwrap() = status;
    }

    pub(crate) fn titles(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|message| message["title"].as_str().unwrap().to_owned()).collect()
    }

    /// Waits until it was told so many things.
    fn until(&self, count: usize) {
        let begun = Instant::now();
        while self.titles().len() < count {
            assert!(begun.elapsed() < Duration::from_secs(60), "it was told {:?}", self.titles());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn notification(url: &str) -> String {
    format!(
        "apiVersion: gradus.dev/v1alpha1\nkind: Notification\nmetadata: {{name: team, namespace: apps}}\nspec:\n  \
         pipelines: [web]\n  to: {{webhook: {{url: \"{url}\"}}}}\n"
    )
}

/// dev and staging have the same, so that nothing is on its way.
fn settled(receiver: &Receiver) -> World {
    let world = World::of_today();
    world.write("pipelines/web.yaml", &WEB.replace("strategy: push", "strategy: pull-request"));
    world.write("pipelines/team.yaml", &notification(&receiver.url));
    world.repository(&[("dev", "1.0.0"), ("staging", "1.0.0"), ("prod", "1.0.0")]);
    world
}

/// A server that polls often enough for a test.
fn serve(world: &World) -> Serving {
    let mut command = world.gradus();
    // The last one counts.
    command.env("GRADUS_CONFIG", "pipelines");
    let serving = Serving::start(command);
    serving.until(world, |status| !status.contains("not looked at yet"));
    serving
}

fn release(world: &World, version: &str) {
    let file = "checkout/apps/dev/web/kustomization.yaml";
    let text = std::fs::read_to_string(world.path(file)).unwrap();
    let line = text.lines().find(|line| line.contains("newTag")).unwrap();
    let before = line.trim().split(' ').nth(1).unwrap();
    world.write(file, &text.replace(before, version));
    world.commit("Release");
}

#[test]
fn a_server_tells_each_thing_once_and_nothing_of_the_past() {
    let receiver = Receiver::start();
    let world = settled(&receiver);
    let serving = serve(&world);
    // Long enough for everything that is so to be told, if it were.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.titles(), Vec::<String>::new());
    release(&world, "1.1.0");
    // Killed and started again, it looks at everything anew.
    drop(serving);
    let serving = serve(&world);
    let expected = [
        "web 1.1.0 is proposed for staging (proposal 1)",
        "web 1.1.0 waits for staging: proposal 1 can be merged",
    ];
    receiver.until(expected.len());
    // Long enough for something to be told twice, if it were.
    std::thread::sleep(Duration::from_secs(2));
    drop(serving);
    assert_eq!(receiver.titles(), expected);
    assert_eq!(sent(&world, &receiver), expected.len());
}

/// How many messages are listed as sent; the receiver has as many.
fn sent(world: &World, receiver: &Receiver) -> usize {
    let output = world.gradus().args(["notify", "list", "--data", "data", "-o", "json"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sent = listed.as_array().unwrap().iter().filter(|one| one["state"] == "sent").count();
    assert_eq!(sent, receiver.titles().len(), "{listed}");
    sent
}

#[test]
fn what_nobody_takes_is_listed() {
    let receiver = Receiver::start();
    receiver.says("404 Not Found");
    let world = settled(&receiver);
    let serving = serve(&world);
    std::thread::sleep(Duration::from_secs(2));
    release(&world, "1.1.0");
    drop(serving);
    let serving = serve(&world);
    let begun = Instant::now();
    let listed = loop {
        let output =
            world.gradus().args(["notify", "list", "--data", "data", "--undelivered"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        if !text.is_empty() {
            break text;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing was given up");
        std::thread::sleep(Duration::from_millis(100));
    };
    drop(serving);
    let said = "web 1.1.0 is proposed for staging (proposal 1): sending a message to http://127.0.0.1:";
    assert!(listed.contains("apps/team") && listed.contains(said), "{listed}");
    assert!(listed.contains("it answered 404"), "{listed}");
}

#[test]
fn a_test_message_says_what_the_other_side_answered() {
    let receiver = Receiver::start();
    let mut world = World::empty();
    world.hide(receiver.url.clone(), "[URL]");
    world.hide(receiver.url.trim_end_matches("/in").to_owned(), "[URL]");
    let both = notification(&receiver.url).replace("  pipelines: [web]\n", "");
    world.write("pipelines/team.yaml", &both);
    let slack = both
        .replace("name: team", "name: slack")
        .replace(&format!("{{webhook: {{url: \"{}\"}}}}", receiver.url), "{slack: {secretRef: {name: bot}}}");
    world.write("pipelines/slack.yaml", &slack);
    world.write("secrets/apps/bot/address", "https://hooks.slack.com/services/T0/B0/hunter2\n");
    world.run(&["notify", "test", "team"]);
    world.run(&["notify", "test", "apps/team", "--kind", "failed"]);
    world.run(&["notify", "test", "pipelines/team.yaml"]);
    receiver.says("403 Forbidden");
    world.run(&["notify", "test", "team"]);
    world.run(&["notify", "test", "slack", "--secrets", "secrets", "--dry-run", "--kind", "failed"]);
    world.run(&["notify", "test", "slack"]);
    world.run(&["notify", "test", "taem"]);
    world.run(&["notify", "test", "nowhere.yaml"]);
    world.run(&["notify", "list", "--data", "data"]);
    assert_eq!(receiver.titles().len(), 3);
    world.check("notify");
}
