//! What the planner is built from: nothing that reaches the outside, and nothing without a word here.

use std::collections::BTreeSet;
use std::process::Command;

#[test]
fn it_depends_on_what_is_listed_and_nothing_else() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "-p",
            "gradus-core",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--target",
            "all",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    let (found, allowed) = (names(&tree), names(include_str!("../allowed-dependencies.txt")));
    assert_eq!(found, allowed, "left: what it depends on; right: tests/allowed-dependencies.txt");
}
