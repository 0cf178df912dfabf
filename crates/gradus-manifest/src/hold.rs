//! Holds: as they are read, and as they are written.

use std::fmt::Write as _;

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::pipeline::{Hold, Pipeline};

use crate::convert::{UnresolvedPin, resolve_pin};
use crate::error::{ManifestError, ManifestErrorKind, Place, Trouble};
use crate::nearest::did_you_mean;
use crate::yaml::{Plain, quote};

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

impl HoldManifest {
    /// The hold with its pin filled in, to be put on its pipeline; or why it cannot be there.
    pub fn on(&self, pipeline: &Pipeline) -> Result<Hold, ManifestError> {
        let mut hold = self.hold.clone();
        if let Some(name) = hold.environment.as_ref().filter(|name| pipeline.environment(name).is_none()) {
            let trouble = no_environment(&hold.name, name, pipeline);
            return Err(trouble.at(self.places.environment.clone(), "spec.environment".to_owned()));
        }
        let pin = self.pin.clone().map(|pin| resolve_pin(pin, &pipeline.artifacts)).transpose();
        hold.pin = pin.map_err(|trouble| trouble.at(self.places.pin.clone(), "spec.pin".to_owned()))?;
        Ok(hold)
    }
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

/// A text without quotes where every reader of YAML takes it for that text, between brackets too.
fn scalar(text: &str) -> String {
    const TRUTHS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./@".contains(c))
        && Plain::of(text) == Plain::Text
        && !TRUTHS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quote(text) }
}

fn no_environment(hold: &str, name: &EnvironmentName, pipeline: &Pipeline) -> Trouble {
    let names = || pipeline.environments().iter().map(|environment| environment.name.as_str());
    let help = did_you_mean(name.as_str(), names())
        .unwrap_or_else(|| format!("its environments are {}", names().collect::<Vec<_>>().join(", ")));
    let message =
        format!("hold {hold:?} is on environment \"{name}\" of {}, which does not exist", pipeline.key);
    Trouble::new(ManifestErrorKind::Reference, message).help(help)
}
