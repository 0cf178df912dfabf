//! The document that describes the API.

use std::path::Path;

use gradus_server::api::openapi_json;

use crate::world::World;

#[test]
fn the_committed_document_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, openapi_json()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == openapi_json(), "{} is not what the code says; run `just gen`", path.display());
}

#[tokio::test]
async fn the_document_is_served() {
    let world = World::plain().await;
    assert_eq!(world.get("/api/v1/openapi.json").await.body, openapi_json());
}

#[test]
fn the_document_describes_every_endpoint_once() {
    let document: serde_json::Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut lines = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            let asks = if operation.get("security").is_some() { "token" } else { "-" };
            lines.push(format!("{method:<6} {path} {id} {asks}"));
        }
    }
    insta::assert_snapshot!("endpoints", lines.join("\n"));
}
