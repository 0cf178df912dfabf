//! Writing the manifest, for people to read and change.

use std::fmt::Write as _;

use super::application::{Application, Environment, Kind};
use super::checkout::Checkout;
use super::scan::{Of, WeaveTarget};

/// The manifest of an application that nothing is promoted of yet.
pub(crate) fn write(application: &Application, checkout: &Checkout) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{words}");
    };
    line(&format!("# {}", origin(application)));
    line("apiVersion: gradus.dev/v1alpha1");
    line("kind: Pipeline");
    line("metadata:");
    line(&format!("  name: {}", quoted(&application.name)));
    if application.namespace != "default" {
        line(&format!("  namespace: {}", quoted(&application.namespace)));
    }
    line("spec:");
    line("  # Everything is said and nothing is written. When `gradus plan` says what you");
    line("  # expect, take this line out: from then on gradus promotes.");
    line("  mode: observe");
    line("  repository:");
    if let Some(note) = &checkout.note {
        line(&format!("    # {note}"));
    }
    line(&format!("    url: {}", quoted(&checkout.url)));
    line("    # branch: main          # the repository's own default when left out");
    line("    # secretRef: {name: fleet-git}   # the Secret with the credentials, if it needs any");
    if !application.paths.is_empty() {
        let paths: Vec<String> = application.paths.iter().map(|path| quoted(path)).collect();
        line(&format!("    paths: [{}]   # where markers are looked for", paths.join(", ")));
    }
    line("  environments:");
    let mut is_first = true;
    for environment in &application.environments {
        environment_lines(environment, is_first, &mut line);
        is_first = false;
    }
    text
}

fn origin(application: &Application) -> String {
    let name = &application.name;
    match &application.kind {
        Kind::Weave(file) => format!("{name}: carried over from the pipeline in {file}"),
        Kind::Markers => format!("{name}: from the $promotion markers in this repository"),
        Kind::Releases => format!("{name}: from its HelmReleases"),
        Kind::Images => format!("{name}: from the images in its kustomizations"),
    }
}

fn environment_lines(environment: &Environment, is_first: bool, line: &mut dyn FnMut(&str)) {
    line(&format!("    - name: {}", quoted(&environment.name)));
    if let Some(after) = &environment.after {
        let after: Vec<String> = after.iter().map(|name| quoted(name)).collect();
        line(&format!("      after: [{}]", after.join(", ")));
    }
    if environment.targets.is_empty() {
        if is_first {
            line(
                "      # What Git declares counts as deployed, and as healthy. Better: `report: {}`, and let",
            );
            line("      # Flux or a job report, or `http: {url: ...}`, which tells the version that runs.");
        }
        line("      targets:");
        line("        - git: {}");
    } else {
        if is_first {
            line(
                "      # Their state is what is reported for them: with Flux notifications or `gradus report`.",
            );
        }
        line("      targets:");
        for target in &environment.targets {
            line(&format!("        - {}", target_words(target)));
        }
    }
    if !is_first {
        line("      promote: {strategy: pull-request}   # or push");
    }
    if environment.is_manual {
        line("      gates:");
        line("        - manual: {}");
    }
    let edits: Vec<_> = environment.values.iter().filter_map(|value| value.place.as_ref()).collect();
    if !edits.is_empty() {
        line("      edit:");
    }
    for place in edits {
        line(&format!("        - file: {}", quoted(&place.file)));
        let select = match &place.of {
            Of::Release(name) => format!("kind: HelmRelease, name: {}, ", quoted(name)),
            Of::Image => String::new(),
        };
        line(&format!("          select: {{{select}path: {}}}", quoted(&place.path)));
    }
}

fn target_words(target: &WeaveTarget) -> String {
    let namespace = quoted(&target.namespace);
    let Some((kind, name, cluster_namespace)) = &target.cluster else {
        return format!("namespace: {namespace}");
    };
    let mut cluster = String::new();
    if let Some(kind) = kind {
        cluster.push_str(&format!("kind: {}, ", quoted(kind)));
    }
    cluster.push_str(&format!("name: {}", quoted(name)));
    if let Some(namespace) = cluster_namespace {
        cluster.push_str(&format!(", namespace: {}", quoted(namespace)));
    }
    format!("{{namespace: {namespace}, clusterRef: {{{cluster}}}}}")
}

/// A text without quotes where nobody takes it for anything else.
fn quoted(text: &str) -> String {
    const TRUTHS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_url = text.contains("://");
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c) || is_url && c == ':')
        && !text.ends_with(':')
        && !TRUTHS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
