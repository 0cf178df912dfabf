//! `docs/cli.md` is written from the commands themselves.

use std::path::Path;

use crate::world::World;

#[test]
fn the_reference_is_current() {
    let output = World::empty().gradus().arg("reference").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "docs/cli.md is not what the commands say of themselves: run `just gen`");
}
