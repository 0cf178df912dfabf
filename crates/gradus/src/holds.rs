//! Holds are manifests: files in the configuration folder, one for each hold that
//! a command set.

use std::io::Write;
use std::path::{Path, PathBuf};

use gradus_core::names::{Namespace, PipelineKey};
use gradus_core::pipeline::Hold;

use crate::error::CliError;

/// The file of a hold.
pub(crate) fn file(folder: &Path, namespace: &Namespace, name: &str) -> PathBuf {
    let name = if namespace.as_str() == "default" { name.to_owned() } else { format!("{namespace}.{name}") };
    folder.join("holds").join(format!("{name}.yaml"))
}

/// Writes a hold; never over one that is there.
pub(crate) fn write(folder: &Path, pipeline: &PipelineKey, hold: &Hold) -> Result<PathBuf, CliError> {
    let path = file(folder, &pipeline.namespace, &hold.name);
    let failed = |error: std::io::Error| CliError::because(format!("writing {}", path.display()), error);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(failed)?;
    // The whole file or none: it is written beside its place and then given its name.
    let mut half = tempfile::Builder::new().prefix(".hold-").tempfile_in(parent).map_err(failed)?;
    half.write_all(gradus_manifest::write_hold(pipeline, hold).as_bytes()).map_err(failed)?;
    half.as_file().sync_all().map_err(failed)?;
    readable_by_all(half.as_file()).map_err(failed)?;
    match half.persist_noclobber(&path) {
        Ok(_) => Ok(path),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Err(CliError::failed(
            format!("hold {} is there already, in {}", hold.name, path.display()),
        )
        .help(format!("lift it first with `gradus unhold {}`, or give this one another name", hold.name))),
        Err(error) => Err(failed(error.error)),
    }
}

/// Removes a hold that [`write()`] wrote; `false` when there is no such file.
pub(crate) fn remove(folder: &Path, namespace: &Namespace, name: &str) -> Result<bool, CliError> {
    let path = file(folder, namespace, name);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CliError::because(format!("removing {}", path.display()), error)),
    }
}

/// A temporary file is private; a manifest is like the others in the folder.
#[cfg(unix)]
pub(crate) fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
pub(crate) fn readable_by_all(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
