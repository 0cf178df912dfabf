//! A running server asks automation for a promotion: once, also when it is killed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::serving::Serving;
use crate::world::World;

/// A host that has the repository `acme/fleet` for Git, and takes events for it as GitHub does
/// (`https://docs.github.com/rest/repos/repos#create-a-repository-dispatch-event`).
struct Host {
    port: u16,
    events: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Host {
    fn start(root: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let events: Arc<Mutex<Vec<serde_json::Value>>> = Arc::default();
        let taken = events.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (root, taken) = (root.clone(), taken.clone());
                std::thread::spawn(move || answer(stream, &root, &taken));
            }
        });
        Self { port, events }
    }

    fn promotions(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|event| event["client_payload"]["promotion"].as_str().unwrap().to_owned()).collect()
    }
}

fn answer(stream: TcpStream, root: &Path, events: &Mutex<Vec<serde_json::Value>>) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let Some(first) = lines.first() else { return };
    let (method, target) = first.split_once(' ').unwrap();
    let (path, query) = target.split(' ').next().map(|to| to.split_once('?').unwrap_or((to, ""))).unwrap();
    let header = |name: &str| {
        let line = lines.iter().find(|line| line.to_lowercase().starts_with(&format!("{name}:")));
        line.map(|line| line.split_once(':').unwrap().1.trim().to_owned()).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let answer = if let Some(below) = path.strip_prefix("/acme/fleet.git") {
        let mut git = Command::new("git");
        git.arg("http-backend").env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1");
        git.env("PATH_INFO", format!("/fleet.git{below}")).env("QUERY_STRING", query);
        git.env("REQUEST_METHOD", method).env("CONTENT_TYPE", header("content-type"));
        git.env("CONTENT_LENGTH", body.len().to_string()).env("GIT_PROTOCOL", header("git-protocol"));
        let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&body).unwrap();
        let said = child.wait_with_output().unwrap().stdout;
        let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8(said[..end].to_vec()).unwrap();
        let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let size = said.len() - end;
        let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {size}\r\n{head}");
        [head.as_bytes(), &said[end..]].concat()
    } else {
        let status = match (method, path) {
            ("POST", "/api/v3/repos/acme/fleet/dispatches") => {
                events.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                "204 No Content"
            }
            _ => "404 Not Found",
        };
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").into_bytes()
    };
    reader.get_mut().write_all(&answer).unwrap();
}

#[test]
fn automation_is_asked_once_and_git_says_when_it_is_done() {
    let mut world = World::of_today();
    world.repository(&[("dev", "1.1.0"), ("staging", "1.0.0")]);
    let host = Host::start(world.path(""));
    world.hide(host.port.to_string(), "[host]");
    let manifest = format!(
        "apiVersion: gradus.dev/v1alpha1\nkind: Pipeline\nmetadata: {{name: web, namespace: apps}}\nspec:\n  \
         repository: {{url: \"http://127.0.0.1:{}/acme/fleet.git\", forge: github}}\n  environments:\n    \
         - {{name: dev, targets: [git: {{}}]}}\n    \
         - {{name: staging, targets: [git: {{}}], promote: {{strategy: dispatch}}}}\n",
        host.port
    );
    world.write("pipelines/web.yaml", &manifest);
    world.run(&["plan", "web"]);
    assert!(host.promotions().is_empty(), "a plan asks nobody");
    let serving = Serving::start(world.gradus());
    serving.until(&world, |status| status.contains("asked for"));
    drop(serving);
    // Killed and started again, it looks at everything anew.
    let serving = Serving::start(world.gradus());
    world.hide(serving.address.rsplit(':').next().unwrap().to_owned(), "[port]");
    serving.until(&world, |status| status.contains("asked for"));
    let server = ["--server", serving.address.as_str()];
    world.run(&[["status", "web"].as_slice(), &server].concat());
    world.run(&[["history", "web"].as_slice(), &server].concat());
    drop(serving);
    world.run(&["plan", "web", "--data", "data"]);
    // A person asks again, for another promotion.
    world.run(&["promote", "web", "--to", "staging", "--data", "data"]);
    let promotions = host.promotions();
    assert_eq!(promotions.len(), 2);
    assert_ne!(promotions[0], promotions[1]);
    // Whoever was asked brings it.
    let file = "checkout/apps/staging/web/kustomization.yaml";
    let text = std::fs::read_to_string(world.path(file)).unwrap();
    world.write(file, &text.replace("1.0.0", "1.1.0"));
    world.commit("staging gets 1.1.0");
    let serving = Serving::start(world.gradus());
    serving.until(&world, |status| status.contains("1.1.0") && !status.contains("asked for"));
    drop(serving);
    world.run(&["explain", "web", "staging", "--data", "data"]);
    assert_eq!(host.promotions().len(), 2);
    world.check("dispatch");
}
