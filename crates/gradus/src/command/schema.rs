//! `gradus schema`: the form of the manifests, for editors.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value;

use crate::error::CliError;
use crate::output::Printer;

/// Prints the JSON Schema of the manifests, for editors and checks.
#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// Of which kind; of all when left out.
    kind: Option<Kind>,
}

/// A kind of manifest.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// A pipeline.
    Pipeline,
    /// A hold.
    Hold,
    /// A notification.
    Notification,
}

pub(crate) async fn run(arguments: SchemaArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let mut schema = gradus_manifest::json_schema();
    let definition = arguments.kind.map(|kind| match kind {
        Kind::Pipeline => "PipelineManifest",
        Kind::Hold => "HoldManifest",
        Kind::Notification => "NotificationManifest",
    });
    if let (Some(definition), Value::Object(all)) = (definition, &mut schema) {
        all.remove("oneOf");
        all.insert("$ref".to_owned(), Value::from(format!("#/$defs/{definition}")));
    }
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| CliError::because("writing the schema", error))?;
    printer.line(text);
    Ok(ExitCode::SUCCESS)
}
