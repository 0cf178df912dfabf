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
    one_edit(&mut out, "small", small.as_bytes(), &small_path, &limits)?;
    one_edit(&mut out, "CRD stream", large.as_bytes(), &large_path, &limits)?;
    search(&mut out)
}

/// What an edit costs beside one look at the file by the parser.
fn one_edit(
    out: &mut impl Write,
    name: &str,
    bytes: &[u8],
    path: &Locator,
    limits: &Limits,
) -> Result<(), Box<dyn std::error::Error>> {
    let parse = row(out, &format!("{name}: one parse, events alone"), bytes.len(), || parsed(bytes))?;
    let edit = row(out, &format!("{name}: one edit"), bytes.len(), || {
        let edits = [Edit::new(path.clone(), "9.8.7")];
        edit_within(bytes, &edits, limits).map(|outcome| matches!(outcome, Outcome::Edited(_)))
    })?;
    writeln!(
        out,
        "{:<38} {:>22.2}x",
        format!("{name}: edit / parse"),
        edit.as_secs_f64() / parse.as_secs_f64()
    )?;
    Ok(())
}

/// Whether the parser takes the whole file, with its comments.
fn parsed(bytes: &[u8]) -> Result<bool, Box<dyn std::error::Error>> {
    let options = granit_parser::options! { emit_comments: true };
    let mut events = 0;
    for event in granit_parser::Parser::new_from_str_with_options(std::str::from_utf8(bytes)?, options) {
        black_box(event?);
        events += 1;
    }
    Ok(events > 0)
}

/// Markers of ten thousand files, of which one in a hundred has one, beside reading each in full.
fn search(out: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let marked = small();
    let plain = marked.replace(" # {\"$setter\": \"apps:web:prod\"}", "");
    let files: Vec<&[u8]> =
        (0..10_000).map(|at| if at % 100 == 0 { marked.as_bytes() } else { plain.as_bytes() }).collect();
    let bytes = files.iter().map(|file| file.len()).sum();
    let ours = row(out, "10,000 files: markers", bytes, || {
        let mut found = 0;
        for file in &files {
            found += find_markers(file, "$setter")?.len();
        }
        Ok::<_, gradus_edit::Refusal>(found == 100)
    })?;
    let events = row(out, "10,000 files: every event", bytes, || {
        files.iter().try_fold(true, |all, file| Ok::<_, Box<dyn std::error::Error>>(all && parsed(file)?))
    })?;
    let values = row(out, "10,000 files: every value (serde_yaml)", bytes, || {
        files.iter().try_fold(true, |all, file| {
            Ok::<_, serde_yaml::Error>(all && serde_yaml::from_slice::<serde_yaml::Value>(file)?.is_mapping())
        })
    })?;
    let times = |other: Duration| other.as_secs_f64() / ours.as_secs_f64();
    writeln!(out, "{:<38} {:>22.1}x", "every event / markers", times(events))?;
    writeln!(out, "{:<38} {:>22.1}x", "every value / markers", times(values))?;
    Ok(())
}

/// The best time of several runs, each of which must do what it says.
fn row<E>(
    out: &mut impl Write,
    what: &str,
    bytes: usize,
    mut run: impl FnMut() -> Result<bool, E>,
) -> Result<Duration, Box<dyn std::error::Error>>
where
    Box<dyn std::error::Error>: From<E>,
{
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
    Ok(best)
}

fn small() -> String {
    let mut file = String::from(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: web\n  namespace: apps\nspec:\n  \
         interval: 5m\n  chart:\n    spec:\n      chart: web\n      version: '6.0.0' # {\"$setter\": \"apps:web:prod\"}\n  \
         values:\n",
    );
    for number in 0.. {
        if file.len() >= 1000 {
            break;
        }
        file.push_str(&format!(
            "    setting{number}:\n      enabled: true\n      level: \"info\" # what is logged\n"
        ));
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
