//! What a person gets wrong, and what they are told.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::world::{WEB, World};

/// A pipeline whose prod has its version at a place that is named.
fn with_edit(edit: &str) -> String {
    WEB.replace(
        "      targets: [git: {}]\n      gates",
        &format!("      targets: [git: {{}}]\n      edit: [{edit}]\n      gates"),
    )
}

#[test]
fn names_that_do_not_exist() {
    let mut world = World::web();
    world.run(&["plan", "wbe"]);
    world.run(&["status", "apps/wep"]);
    world.run(&["status", "something-else"]);
    world.run(&["explain", "web", "stagng"]);
    world.run(&["explain", "web", "canary"]);
    world.run(&["history", "web", "--env", "prd"]);
    world.run(&["promote", "web", "--to", "prd", "--data", "data"]);
    world.run(&["status", "Web!"]);
    world.check("mistake_names");
}

#[test]
fn a_name_that_is_there_twice() {
    let mut world = World::web();
    world.write("pipelines/other.yaml", &WEB.replace("namespace: apps", "namespace: shop"));
    world.run(&["explain", "web", "prod"]);
    world.check("mistake_ambiguous");
}

#[test]
fn no_manifests() {
    let mut world = World::empty();
    world.run(&["plan"]);
    world.run(&["plan", "--config", "nowhere"]);
    world.check("mistake_no_manifests");
}

#[test]
fn nowhere_to_record() {
    let mut world = World::web();
    world.run(&["promote", "web"]);
    world.run(&["approve", "web"]);
    world.run(&["report", "web", "--environment", "dev", "--state", "healthy", "--version", "1.0.0"]);
    world.run(&["status", "--server", "http://127.0.0.1:1", "--data", "data"]);
    world.run(&["prmote"]);
    world.run(&[]);
    world.check("mistake_usage");
}

#[test]
fn a_marker_that_is_missing() {
    let mut world = World::empty();
    world.write("pipelines/web.yaml", WEB);
    world.repository(&[("dev", "1.1.0"), ("staging", "1.0.0")]);
    world.run(&["plan"]);
    world.run(&["explain", "web", "prod"]);
    world.check("mistake_marker");
}

#[test]
fn places_that_cannot_be_read() {
    let mut world = World::web();
    world.write(
        "checkout/prod.yaml",
        "kind: A\nspec:\n  tag: 1.0.0\n---\nkind: A\nspec:\n  tag: {now: 1.0.0}\n",
    );
    world.commit("Add a file");
    let mut plan = |edit: &str| {
        world.write("pipelines/web.yaml", &with_edit(edit));
        world.run(&["plan"]);
    };
    // Two documents match; the value is a mapping; the field, the file and the document are not there.
    plan("{file: prod.yaml, select: {kind: A, path: spec.tag}}");
    plan("{file: apps/prod/web/kustomization.yaml, select: {path: images}}");
    plan(
        "{file: apps/prod/web/kustomization.yaml, select: {path: \"images[name=ghcr.io/acme/wep].newTag\"}}",
    );
    plan("{file: apps/prod/web/kustomization.yml, select: {path: spec.tag}}");
    plan("{file: prod.yaml, select: {kind: B, path: spec.tag}}");
    // Outside of the repository.
    plan("{file: ../../etc/passwd, select: {path: spec.tag}}");
    world.check("mistake_places");
}

#[test]
fn a_repository_that_cannot_be_used() {
    let mut world = World::web();
    let port = refusing();
    let mut plan = |repository: &str| {
        world.write("pipelines/web.yaml", &WEB.replace("{url: ../fleet.git}", repository));
        world.run(&["plan"]);
    };
    plan("{url: ../fleet.git, branch: production}");
    plan("{url: ../nowhere.git}");
    plan("{url: \"http://127.0.0.1:1/fleet.git\"}");
    plan(&format!("{{url: \"http://127.0.0.1:{port}/fleet.git\"}}"));
    plan("{url: ../fleet.git, secretRef: {name: fleet-git}}");
    world.hide(port.to_string(), "[port]");
    world.check("mistake_repository");
}

#[test]
fn a_manifest_with_a_mistake_does_not_hold_up_the_others() {
    let mut world = World::web();
    world.write(
        "pipelines/shop.yaml",
        &WEB.replace("name: web", "name: shop").replace("strategy: push", "strategy: psuh"),
    );
    world.run(&["plan"]);
    world.run(&["plan", "web"]);
    world.run(&["explain", "shop", "prod"]);
    world.run(&["status"]);
    world.check("mistake_manifest");
}

#[test]
fn a_data_directory_that_is_none() {
    let mut world = World::web();
    world.run(&["status", "--data", "nowhere"]);
    world.write(
        "data/ledger.sqlite",
        "this is no database, it is a text of some length that somebody put there",
    );
    world.run(&["status", "--data", "data"]);
    world.run(&["promote", "web", "--data", "data"]);
    world.check("mistake_data");
}

#[test]
fn a_server_that_is_not_there() {
    let mut world = World::web();
    let port = refusing();
    world.run(&["status", "--server", "http://127.0.0.1:1"]);
    world.run_with(&["status"], &[("GRADUS_SERVER", &format!("http://127.0.0.1:{port}"))]);
    world.run(&["status", "--server", "not an address"]);
    world.run(&["status", "--server", "http://127.0.0.1:1", "--token-file", "nowhere"]);
    world.hide(port.to_string(), "[port]");
    world.check("mistake_server");
}

/// A host that knows nobody: it answers 401 to everything, as long as the test runs.
pub(crate) fn refusing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _read = stream.read(&mut request);
            let answer = "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _written = stream.write_all(answer.as_bytes());
        }
    });
    port
}

#[test]
fn a_certificate_that_cannot_be_used() {
    let mut world = World::web();
    world.write("tls.crt", "nothing");
    world.run(&["controller", "--tls-cert-file", "tls.crt"]);
    world.run(&["controller", "--tls-cert-file", "tls.crt", "--tls-private-key-file", "tls.key"]);
    world.write("tls.key", "nothing");
    world.run(&["controller", "--tls-cert-file", "tls.crt", "--tls-private-key-file", "tls.key"]);
    world.run(&["controller", "--api-tls-cert-file", "absent", "--api-tls-private-key-file", "tls.key"]);
    world.check("mistake_certificate");
}
