//! Every mistake has its place, its field and what to do: one file a mistake.

use gradus_manifest::{SourceFile, read};

use crate::telling::tell;

#[test]
fn each_mistake_is_told_with_its_place() {
    insta::glob!("mistakes/*.yaml", |path| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = format!("pipelines/{}", path.file_name().unwrap().to_str().unwrap());
        let parsed = read(&SourceFile { name: &name, text: text.as_bytes() });
        assert!(!parsed.errors.is_empty(), "{name} has no mistake");
        assert!(parsed.manifests.is_empty(), "{name} is read in spite of its mistake");
        insta::assert_snapshot!(tell(&text, &parsed.errors, &parsed.notes));
    });
}
