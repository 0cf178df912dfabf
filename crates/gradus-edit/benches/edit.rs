//! How long reading and editing take. `cargo bench -p gradus-edit` prints a table; nothing is asserted.

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use gradus_edit::{
    Edit, FieldPath, Limits, Locator, Outcome, Select, edit_within, find_markers, read_within,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits { bytes: 16 * 1024 * 1024, nodes: 4_000_000, ..Limits::default() };
    let small = small();
    let large = crds(5_000_000);
    let small_path = Locator::Path(Select::path(FieldPath::parse("spec.chart.spec.version")?));
    let large_path = Locator::Path(
        Select::path(FieldPath::parse("metadata.annotations[\"example.com/version\"]")?).name("things-0"),
    );
    let marker = Locator::marker("$setter", "apps:web:prod");

    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<38} {:>10} {:>12} {:>10}", "what", "bytes", "best", "MB/s")?;
    let files = [("small", &small, &small_path), ("CRD stream", &large, &large_path)];
    for (name, file, path) in files {
        let bytes = file.as_bytes();
        row(&mut out, &format!("{name}: read by path"), bytes.len(), || {
            read_within(bytes, path, &limits).map(|found| found.len() == 1)
        })?;
        row(&mut out, &format!("{name}: edit by path"), bytes.len(), || {
            let edits = [Edit::new(path.clone(), "9.8.7")];
            edit_within(bytes, &edits, &limits).map(|outcome| matches!(outcome, Outcome::Edited(_)))
        })?;
        row(&mut out, &format!("{name}: edit by marker"), bytes.len(), || {
            let edits = [Edit::new(marker.clone(), "9.8.7")];
            edit_within(bytes, &edits, &limits).map(|outcome| matches!(outcome, Outcome::Edited(_)))
        })?;
        row(&mut out, &format!("{name}: screened, no such marker"), bytes.len(), || {
            find_markers(bytes, "$other").map(|found| found.is_empty())
        })?;
    }
    Ok(())
}

/// The best time of several runs, each of which must do what it says.
fn row<E: std::error::Error + 'static>(
    out: &mut impl Write,
    what: &str,
    bytes: usize,
    mut run: impl FnMut() -> Result<bool, E>,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut best = Duration::MAX;
    let began = Instant::now();
    let mut runs = 0;
    while runs < 5 || (began.elapsed() < Duration::from_millis(300) && runs < 10_000) {
        let start = Instant::now();
        let done = black_box(run()?);
        best = best.min(start.elapsed());
        if !done {
            return Err(format!("{what}: nothing was done").into());
        }
        runs += 1;
    }
    let rate = bytes as f64 / best.as_secs_f64() / 1e6;
    writeln!(out, "{what:<38} {bytes:>10} {best:>12.1?} {rate:>10.1}")?;
    Ok(())
}

fn small() -> String {
    let mut file = String::from(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n  namespace: apps\nspec:\n  \
         interval: 5m\n  chart:\n    spec:\n      chart: web\n      version: '6.0.0' # {\"$setter\": \"apps:web:prod\"}\n  \
         values:\n",
    );
    while file.len() < 1000 {
        file.push_str("    someSetting:\n      enabled: true\n      level: \"info\" # what is logged\n");
    }
    file
}

/// A stream of deeply nested documents with much text, as generated resource definitions are.
fn crds(length: usize) -> String {
    let mut file = String::new();
    let mut number = 0;
    while file.len() < length {
        let marker = if number == 0 { " # {\"$setter\": \"apps:web:prod\"}" } else { "" };
        file.push_str(&format!(
            "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  annotations:\n    \
             example.com/version: v0.16.1{marker}\n  name: things-{number}\nspec:\n  versions:\n  - name: v1\n    schema:\n"
        ));
        for depth in 0..40 {
            let indent = " ".repeat(6 + 2 * (depth % 20));
            file.push_str(&format!(
                "{indent}field{depth}:\n{indent}  description: |-\n{indent}    What this field is for, in a sentence that is \
                 long enough\n{indent}    to need a second line.\n{indent}  type: object\n{indent}  properties:\n{indent}    \
                 a: {{type: string, maxLength: 253}}\n"
            ));
        }
        number += 1;
    }
    file
}
