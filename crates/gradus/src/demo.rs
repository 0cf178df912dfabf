//! The demo: a fleet repository, a stand-in for clusters, and people who do what
//! people do. Everything else is the real thing.

pub(crate) mod clusters;
pub(crate) mod fleet;
pub(crate) mod gitea;
pub(crate) mod rehearse;
pub(crate) mod stage;
pub(crate) mod story;

use std::path::Path;

use crate::error::CliError;

/// The namespace and name of the demo's pipeline.
pub(crate) const PIPELINE: &str = "default/podinfo";
/// The version that everything begins with.
pub(crate) const FIRST: &str = "6.5.0";
/// The version that goes all the way.
pub(crate) const GOOD: &str = "6.5.1";
/// The version that fails in staging.
pub(crate) const BAD: &str = "6.6.0";

/// Where the demo's proposals are, when they are in a forge.
pub(crate) const IN_GITEA: &str = "    forge: gitea\n    secretRef: {name: fleet-git}\n";

/// Writes the demo's pipeline into a configuration folder.
pub(crate) fn write_pipeline(folder: &Path, url: &str, forge: &str) -> Result<(), CliError> {
    write(&folder.join("podinfo.yaml"), &manifest(url, forge))
}

/// Writes a Secret that a pipeline may name, as `serve` finds it.
pub(crate) fn write_secret(folder: &Path, name: &str, keys: &[(&str, &str)]) -> Result<(), CliError> {
    keys.iter().try_for_each(|(key, value)| write(&folder.join("default").join(name).join(key), value))
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, text))
        .map_err(|error| CliError::because(format!("writing {}", path.display()), error))
}

/// `forge` is more lines of the repository.
fn manifest(url: &str, forge: &str) -> String {
    format!(
        r#"apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata:
  name: podinfo
spec:
  repository:
    url: {url}
    branch: main
    paths: [apps]
{forge}  environments:
    - name: dev
      targets: [{{namespace: podinfo-dev}}]
    - name: staging
      targets: [{{namespace: podinfo-staging}}]
      promote: {{strategy: push}}
    - name: prod
      targets: [{{namespace: podinfo-prod}}]
      promote: {{strategy: pull-request}}
      gates:
        - soak: 3s
        - approval: {{min: 1, groups: [release-managers]}}
"#
    )
}
