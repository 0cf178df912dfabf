//! `gradus crds`: what a cluster needs to keep our objects.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::CliError;
use crate::output::Printer;

/// Prints what a cluster needs before gradus runs in it: definitions of kinds, and rules of admission.
#[derive(Debug, clap::Args)]
pub(crate) struct CrdsArgs {
    /// Write a file for each into this folder in place of printing them.
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Say which files would be written, and write none.
    #[arg(long, requires = "output")]
    dry_run: bool,
}

pub(crate) async fn run(arguments: CrdsArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for object in gradus_manifest::crds() {
        let text = files.entry(object.file).or_default();
        text.push_str("---\n");
        text.push_str(&gradus_manifest::to_yaml(&object.object));
    }
    let Some(folder) = arguments.output else {
        for text in files.values() {
            printer.text(text);
        }
        return Ok(ExitCode::SUCCESS);
    };
    let failed = |doing: &str, path: &std::path::Path, error| {
        CliError::because(format!("{doing} {}", path.display()), error)
    };
    if !arguments.dry_run {
        fs::create_dir_all(&folder).map_err(|error| failed("making the folder", &folder, error))?;
    }
    for (name, text) in files {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
            printer.line(format!("{} is current", path.display()));
        } else if arguments.dry_run {
            printer.line(format!("{} would be written", path.display()));
        } else {
            fs::write(&path, text).map_err(|error| failed("writing", &path, error))?;
            printer.line(format!("{} written", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}
