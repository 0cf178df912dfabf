//! Holds: as they are read, and as they are written.

use std::fmt::Write as _;

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::Hold;

use crate::convert::UnresolvedPin;
use crate::error::Place;
use crate::yaml::Plain;

/// A hold and the pipeline it is on.
#[derive(Debug, Clone)]
pub struct HoldManifest {
    /// The pipeline it holds.
    pub pipeline: PipelineKey,
    /// The hold. Its `pin` is filled in when it is put on its pipeline, whose
    /// artifacts say what a version alone means.
    pub hold: Hold,
    /// The place of its name.
    pub place: Place,
    pub(crate) pin: Option<UnresolvedPin>,
    pub(crate) places: HoldPlaces,
}

/// Where the parts of a hold are that only its pipeline can confirm.
#[derive(Debug, Clone)]
pub(crate) struct HoldPlaces {
    pub(crate) pipeline: Place,
    pub(crate) environment: Place,
    pub(crate) pin: Place,
}

/// The manifest of a hold, as text.
pub fn write_hold(pipeline: &PipelineKey, hold: &Hold) -> String {
    let mut text = String::from("apiVersion: gradus.dev/v1alpha1\nkind: Hold\n");
    // Writing to a text cannot fail.
    let _ = write!(
        text,
        "metadata:\n  name: {}\n  namespace: {}\nspec:\n",
        scalar(&hold.name),
        scalar(pipeline.namespace.as_str())
    );
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "  {key}: {value}");
    };
    line("pipeline", &scalar(pipeline.name.as_str()));
    if let Some(environment) = &hold.environment {
        line("environment", &scalar(environment.as_str()));
    }
    if let Some(pin) = &hold.pin {
        let versions: Vec<String> = pin
            .versions()
            .map(|(artifact, version)| format!("{}: {}", scalar(artifact.as_str()), quote(version.as_str())))
            .collect();
        line("pin", &format!("{{{}}}", versions.join(", ")));
    }
    line("reason", &quote(&hold.reason));
    line("owner", &scalar(hold.owner.as_str()));
    if let Some(since) = hold.since {
        line("since", &since.to_string());
    }
    if let Some(until) = hold.until {
        line("until", &until.to_string());
    }
    text
}

/// A text without quotes where every reader of YAML takes it for that text.
fn scalar(text: &str) -> String {
    const TRUTHS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./@".contains(c))
        && Plain::of(text) == Plain::Text
        && !TRUTHS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quote(text) }
}

/// A text in double quotes.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
