//! In which form an answer is given.

use clap::ValueEnum;
use serde::Serialize;

use crate::error::CliError;

/// In which form an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For eyes.
    Table,
    /// The stable shape of the API.
    Json,
    /// The same as YAML.
    Yaml,
}

/// Chooses the form.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct FormatArgs {
    /// In which form to answer; json and yaml have the stable shapes of the API.
    #[arg(short = 'o', long = "output", value_name = "FORMAT", default_value = "table")]
    pub(crate) format: Format,
}

impl FormatArgs {
    /// The answer as data, if that is wanted.
    pub(crate) fn text(self, answer: &impl Serialize) -> Result<Option<String>, CliError> {
        let failed = |error: serde_json::Error| CliError::because("writing the answer", error);
        Ok(match self.format {
            Format::Table => None,
            Format::Json => Some(serde_json::to_string_pretty(answer).map_err(failed)? + "\n"),
            Format::Yaml => Some(gradus_manifest::to_yaml(&serde_json::to_value(answer).map_err(failed)?)),
        })
    }
}
