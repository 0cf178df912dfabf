//! Output that nobody reads to its end.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::world::World;

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::empty();
    // Each document is a mistake of several lines.
    let document = "---\napiVersion: gradus.dev/v1alpha1\nkind: Hold\nmetadata: {name: x}\n";
    world.write("many.yaml", &document.repeat(3000));
    let whole = world.gradus().args(["lint", "many.yaml"]).output().unwrap();
    assert!(whole.stdout.split(|byte| *byte == b'\n').count() > 10_000);

    let mut child = world
        .gradus()
        .args(["lint", "many.yaml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::with_capacity(1024, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("error: many.yaml:"), "{first}");
    // The pipe is closed here, long before everything was written.
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.code().is_some());
}
