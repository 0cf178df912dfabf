//! Pipelines of the older kind: those that people have applied are taken, those
//! that no cluster took are explained, and all of them become ours.

use gradus_manifest::weave::{Known, Migrated, explain, explain_json, migrate};
use gradus_manifest::{SourceFile, assemble, read};

use crate::telling::tell;

/// What became of a file: each manifest, what is left to a person, and what was wrong.
fn show(migrated: &Migrated) -> String {
    let mut shown = String::new();
    for pipeline in &migrated.pipelines {
        shown += &format!("=== {}\n{}", pipeline.name, pipeline.after);
        for left in &pipeline.left {
            shown += &format!("left: {left}\n");
        }
    }
    if migrated.others > 0 {
        shown += &format!("others: {}\n", migrated.others);
    }
    shown + &tell("", &migrated.errors, &[])
}

/// Every manifest that was written has to be read without a mistake.
fn is_ours(migrated: &Migrated) {
    for pipeline in &migrated.pipelines {
        let file = SourceFile { name: "written.yaml", text: pipeline.after.as_bytes() };
        let all = assemble(std::iter::once(read(&file)));
        assert!(all.errors.is_empty(), "{}\n{}", pipeline.after, tell(&pipeline.after, &all.errors, &[]));
        assert_eq!(all.pipelines.len(), 1, "{}", pipeline.after);
    }
}

fn is_pipeline(text: &str) -> bool {
    text.contains("apiVersion: pipelines.weave.works/")
}

#[test]
fn what_people_have_applied_is_taken() {
    let mut pipelines = 0;
    insta::glob!("weave/accept/*.yaml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let file = SourceFile { name: "applied.yaml", text: text.as_bytes() };
        let mistakes = explain(&file);
        assert!(mistakes.is_empty(), "{}", tell(&text, &mistakes, &[]));
        if !is_pipeline(&text) {
            // Others look after it; in a folder of ours it does no harm.
            assert!(read(&file).errors.is_empty(), "{}", path.display());
            return;
        }
        pipelines += 1;
        let migrated = migrate(&file, Known::default());
        is_ours(&migrated);
        assert_eq!(migrated.pipelines.len(), 1, "{}", path.display());
        insta::assert_snapshot!(show(&migrated));
    });
    assert_eq!(pipelines, 4);
}

#[test]
fn what_no_cluster_takes_is_explained_and_migrated_all_the_same() {
    insta::glob!("weave/explain/*.yaml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let file = SourceFile { name: "applied.yaml", text: text.as_bytes() };
        let mistakes = explain(&file);
        assert!(!mistakes.is_empty(), "{} has no mistake", path.display());
        assert_eq!(read(&file).errors, mistakes, "a file with it is answered in other words");
        let migrated = migrate(&file, Known::default());
        is_ours(&migrated);
        insta::assert_snapshot!(format!("{}{}", tell(&text, &mistakes, &[]), show(&migrated)));
    });
}

#[test]
fn pipelines_become_ours_with_what_is_left_to_a_person() {
    insta::glob!("weave/migrate/*.yaml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let migrated = migrate(&SourceFile { name: "old.yaml", text: text.as_bytes() }, Known::default());
        is_ours(&migrated);
        insta::assert_snapshot!(show(&migrated));
    });
}

#[test]
fn the_document_as_it_was_goes_with_it() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/weave/migrate/other-repositories.yaml"
    ))
    .unwrap();
    let known = Known { repository: Some("https://github.com/acme/clusters") };
    let migrated = migrate(&SourceFile { name: "old.yaml", text: text.as_bytes() }, known);
    let documents: Vec<&str> = text.split("---\n").skip(1).collect();
    let before: Vec<&str> = migrated.pipelines.iter().map(|pipeline| pipeline.before.as_str()).collect();
    assert_eq!(before, documents);
    let told = &migrated.pipelines[1];
    assert!(told.after.contains("url: https://github.com/acme/clusters\n"), "{}", told.after);
    assert!(!told.after.contains("mode: observe"), "{}", told.after);
}

#[test]
fn an_object_is_explained_by_its_fields() {
    let object = serde_json::json!({
        "apiVersion": "pipelines.weave.works/v1alpha1", "kind": "Pipeline", "metadata": {"name": "shop"},
        "spec": {
            "appRef": {"apiVersion": "v1", "kind": "ConfigMap", "name": "shop"},
            "environments": [],
            "promotion": {"notification": {}},
        },
    });
    let told: Vec<String> = explain_json(&object).iter().map(|error| error.in_object()).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn an_object_of_a_list_stands_alone() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/weave/migrate/list.yaml"))
            .unwrap();
    let migrated = migrate(&SourceFile { name: "list.yaml", text: text.as_bytes() }, Known::default());
    let [shop] = migrated.pipelines.as_slice() else { panic!("{migrated:#?}") };
    let again = migrate(&SourceFile { name: "one.yaml", text: shop.before.as_bytes() }, Known::default());
    assert_eq!(again.pipelines[0].before, shop.before);
    assert_eq!(again.pipelines[0].after, shop.after);
    assert!(
        shop.before.starts_with("apiVersion: pipelines") && shop.before.ends_with("observedGeneration: 2\n")
    );
}
