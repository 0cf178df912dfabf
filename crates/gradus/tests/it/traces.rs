//! Traces of the program as it runs: what is in them, and that nothing depends on who takes them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use crate::cluster::host::Host;
use crate::collector::{Collector, Mood};
use crate::serving::Serving;
use crate::world::World;

/// `git:hunter2-git`.
const AUTHORIZATION: &str = "Basic Z2l0Omh1bnRlcjItZ2l0";
/// What must be in no trace.
const SECRETS: [&str; 5] =
    ["hunter2-git", "Z2l0Omh1bnRlcjItZ2l0", "hunter2-query", "hunter2-hook", "hunter2-proxy"];

/// What a collector at this address asks to be known, with nothing sent before the end.
pub(crate) fn variables(url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.to_owned()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter2-collector".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "3600000".to_owned()),
    ]
}

/// A repository behind a password, with a version for staging to get, which an endpoint vouches for.
fn world() -> World {
    let world = World::empty();
    world.repository(&[("dev", "1.1.0"), ("staging", "1.0.0")]);
    world.git(&world.path("fleet.git"), &["config", "http.receivepack", "true"]);
    let host = Host::start(&world.path(""), AUTHORIZATION);
    let manifest = format!(
        "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {{name: web, namespace: apps}}
spec:
  repository: {{url: {}}}
  environments:
    - name: dev
      targets: [{{http: {{url: 'http://{}/version?token=hunter2-query'}}}}]
    - {{name: staging, targets: [git: {{}}], promote: {{strategy: push}}}}
",
        host.url("fleet.git"),
        endpoint()
    );
    world.write("pipelines/web.yaml", &manifest);
    world
}

/// An endpoint that tells which version runs.
fn endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n1.1.0";
            let _gone = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// Runs until the version was promoted and a webhook was answered, and ends.
fn promote(world: &World, variables: &[(&str, String)]) -> String {
    let mut command = world.gradus();
    command.env("GRADUS_GIT_TOKEN", "hunter2-git").envs(variables.iter().map(|(name, value)| (name, value)));
    let mut serving = Serving::start(command);
    serving.until(world, |status| status.matches("1.1.0").count() >= 2);
    wake(serving.address.strip_prefix("http://").unwrap());
    serving.stop()
}

/// Somebody with a trace of their own says that something happened.
fn wake(address: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "POST /hooks/wake/apps/web?key=hunter2-hook HTTP/1.1\r\nHost: {address}\r\nContent-Length: 2\r\n\
         X-Forwarded-Authorization: hunter2-proxy\r\nConnection: close\r\n\
         traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n{{}}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.contains(" 202 "), "{answer}");
}

/// What Git has for staging.
fn promoted(world: &World) -> bool {
    world
        .git(&world.path("fleet.git"), &["show", "main:apps/staging/web/kustomization.yaml"])
        .contains("newTag: 1.1.0")
}

#[test]
fn a_promotion_is_one_trace() {
    let collector = Collector::start(Mood::Well);
    let world = world();
    let said = promote(&world, &variables(&collector.url()));
    assert!(promoted(&world), "{said}");

    let looks = collector.trees("look");
    let acted = looks.iter().find(|tree| tree.contains("gradus.outcome=acted")).expect("a look that acted");
    let webhooks = collector.trees("webhook").concat();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"\b[0-9a-f]{40}\b", "[COMMIT]");
    settings.add_filter(r"server.port=\d+", "server.port=[port]");
    settings.bind(|| insta::assert_snapshot!("trace", format!("{acted}\n{webhooks}")));

    assert_eq!(collector.parents("webhook"), ["0af7651916cd43dd8448eb211c80319c b7ad6b7169203331"]);
    let resource = collector.resource();
    assert_eq!(resource["service.name"], "gradus");
    assert_eq!(resource["deployment.environment.name"], "test");
    let raw = collector.raw();
    assert!(raw.contains("POST /v1/traces ") && raw.contains("hunter2-collector"), "{raw}");
    for secret in SECRETS {
        assert!(!raw.contains(secret), "{secret} is in a trace");
    }
}

#[test]
fn who_takes_the_traces_changes_nothing() {
    let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (failing, silent) = (Collector::start(Mood::Failing), Collector::start(Mood::Silent));
    for url in [format!("http://{refused}"), failing.url(), silent.url()] {
        let world = world();
        let mut variables = variables(&url);
        variables.retain(|(name, _)| *name != "OTEL_BSP_SCHEDULE_DELAY");
        variables.push(("OTEL_BSP_SCHEDULE_DELAY", "20".to_owned()));
        variables.push(("OTEL_EXPORTER_OTLP_TIMEOUT", "200".to_owned()));
        let said = promote(&world, &variables);
        assert!(promoted(&world), "{url}: {said}");
        let warned = said.matches("traces do not arrive at the collector").count();
        assert_eq!(warned, 1, "{url}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
    assert!(failing.requests() > 1, "it was tried again");
}

#[test]
fn a_collector_that_hangs_does_not_keep_the_end() {
    let silent = Collector::start(Mood::Silent);
    let world = world();
    let said = promote(&world, &variables(&silent.url()));
    assert!(promoted(&world), "{said}");
    assert!(silent.requests() > 0, "the end sends what is left");
}

#[test]
fn there_are_none_unless_they_are_asked_for() {
    let collector = Collector::start(Mood::Well);
    let off: [&[(&str, &str)]; 3] = [
        &[("OTEL_SERVICE_NAME", "web")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", ""), ("OTEL_TRACES_SAMPLER", "always_on")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "URL"), ("OTEL_SDK_DISABLED", "true")],
    ];
    for variables in off {
        let url = |value: &str| value.replace("URL", &collector.url());
        let variables: Vec<(&str, String)> =
            variables.iter().map(|(name, value)| (*name, url(value))).collect();
        let world = world();
        let said = promote(&world, &variables);
        assert!(promoted(&world), "{said}");
        assert!(!said.contains("trace"), "{said}");
    }
    assert_eq!(collector.requests(), 0);
}

#[test]
fn what_cannot_be_is_said_and_gradus_goes_on() {
    for (name, value, why) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "has to begin with http:// or https://"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "only http/protobuf is spoken"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "nowhere.pem", "cannot read nowhere.pem"),
    ] {
        let world = world();
        let mut variables = variables("http://127.0.0.1:1");
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value.to_owned()));
        let said = promote(&world, &variables);
        assert!(promoted(&world), "{said}");
        assert!(said.contains("there are no traces") && said.contains(why), "{said}");
    }
}
