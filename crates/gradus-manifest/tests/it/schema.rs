//! The JSON Schema that is kept in the repository.

use gradus_manifest::json_schema;

/// Set `UPDATE=1` to write the file in place of comparing it.
#[test]
fn the_kept_schema_is_the_one_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/gradus.schema.json");
    let now = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == now, "schema/gradus.schema.json is not what the types say; run `just gen`");
}

#[test]
fn every_field_is_described() {
    let schema = json_schema();
    let mut bare = Vec::new();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        assert!(definition["description"].is_string(), "{name} has no description");
        for (field, inner) in definition["properties"].as_object().into_iter().flatten() {
            if !inner["description"].is_string() {
                bare.push(format!("{name}.{field}"));
            }
        }
    }
    assert!(bare.is_empty(), "no description: {}", bare.join(", "));
}
