//! What a cluster is given: kept in the repository, and as an API server wants it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use gradus_manifest::{crds, to_yaml};
use serde_json::Value;

/// All files, each with its documents.
fn files() -> BTreeMap<&'static str, String> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for object in crds() {
        let text = files.entry(object.file).or_default();
        write!(text, "---\n{}", to_yaml(&object.object)).unwrap();
    }
    files
}

/// Set `UPDATE=1` to write the files in place of comparing them.
#[test]
fn the_kept_definitions_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/crd");
    let files = files();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let mut kept: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // The list of the others, for `kubectl apply -k`.
    kept.retain(|name| name != "kustomization.yaml");
    kept.sort();
    assert_eq!(kept, files.keys().copied().collect::<Vec<_>>(), "config/crd holds other files");
    for (name, text) in files {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(kept == text, "config/crd/{name} is not what the types say; run `just gen`");
    }
}

/// Every schema of the definitions, with its place.
fn schemas() -> Vec<(String, Value)> {
    fn walk(at: &str, schema: &Value, found: &mut Vec<(String, Value)>) {
        found.push((at.to_owned(), schema.clone()));
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            walk(&format!("{at}.{name}"), inner, found);
        }
        if let Some(items) = schema.get("items") {
            walk(&format!("{at}[]"), items, found);
        }
        if let Some(values) = schema.get("additionalProperties") {
            walk(&format!("{at}{{}}"), values, found);
        }
    }
    let mut found = Vec::new();
    for object in crds().into_iter().map(|object| object.object) {
        let Some(name) = object["spec"]["names"]["kind"].as_str() else { continue };
        let group = object["spec"]["group"].as_str().unwrap();
        let schema = &object["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        walk(&format!("{group} {name}"), schema, &mut found);
    }
    assert!(found.len() > 200, "only {} schemas were found", found.len());
    found
}

#[test]
fn schemas_are_structural() {
    const ALLOWED: [&str; 23] = [
        "type",
        "description",
        "properties",
        "items",
        "additionalProperties",
        "required",
        "enum",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minimum",
        "maximum",
        "default",
        "x-kubernetes-validations",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
    ];
    const TYPES: [&str; 5] = ["object", "array", "string", "integer", "boolean"];
    for (at, schema) in schemas() {
        let schema = schema.as_object().unwrap();
        for key in schema.keys() {
            assert!(ALLOWED.contains(&key.as_str()), "{at} has {key}");
        }
        let two_ways = schema.contains_key("x-kubernetes-int-or-string")
            || schema.contains_key("x-kubernetes-preserve-unknown-fields");
        match schema.get("type") {
            Some(of) => {
                assert!(!two_ways, "{at} has a type and none");
                assert!(TYPES.contains(&of.as_str().unwrap_or_default()), "{at} is {of}");
                assert_eq!(of == "array", schema.contains_key("items"), "{at}");
            }
            None => assert!(two_ways, "{at} has no type"),
        }
        assert!(
            !(schema.contains_key("properties") && schema.contains_key("additionalProperties")),
            "{at} is both a mapping of names and an object"
        );
    }
}

/// The older kind is left out: what was valid has to stay so.
#[test]
fn everything_of_ours_is_bounded_and_described() {
    let mut unbounded = Vec::new();
    for (at, schema) in schemas().into_iter().filter(|(at, _)| at.starts_with("gradus.dev")) {
        let has = |key: &str| schema.get(key).is_some();
        let bounded = match schema["type"].as_str() {
            Some("string") => has("maxLength") || has("enum") || schema["format"] == "date-time",
            Some("array") => has("maxItems"),
            Some("object") => !has("additionalProperties") || has("maxProperties"),
            Some(_) | None => true,
        };
        let is_own = !at.ends_with(".apiVersion") && !at.ends_with(".kind") && !at.ends_with(".metadata");
        if is_own && !bounded {
            unbounded.push(format!("{at} has no bound"));
        }
        let is_inside = at.ends_with("[]") || at.ends_with("{}");
        if is_own && !is_inside && schema["description"].as_str().unwrap_or_default().is_empty() {
            unbounded.push(format!("{at} has no description"));
        }
    }
    assert!(unbounded.is_empty(), "{}", unbounded.join("\n"));
}

#[test]
fn every_rule_has_words_for_people() {
    let mut rules = String::new();
    for (at, schema) in schemas() {
        for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let text =
                |key: &str| rule[key].as_str().unwrap_or_else(|| panic!("{at} has a rule without {key}"));
            writeln!(rules, "{at}\n  {}\n  {}", text("message"), text("rule")).unwrap();
        }
    }
    insta::assert_snapshot!(rules);
}
