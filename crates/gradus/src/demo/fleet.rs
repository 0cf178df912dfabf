//! The demo's fleet repository: a base, three environments, and markers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::CliError;

/// The environments of the demo, in order.
pub(crate) const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// A repository, and a developer's checkout of it.
#[derive(Debug, Clone)]
pub(crate) struct Fleet {
    place: Place,
    checkout: PathBuf,
}

/// Where a repository is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// On disk.
    pub(crate) bare: PathBuf,
    /// For Git.
    pub(crate) url: String,
    /// What a developer says to be let in; empty where everybody is.
    pub(crate) authorization: String,
}

impl Fleet {
    /// Makes the repository, with every environment at `version`.
    pub(crate) fn create(folder: &Path, version: &str) -> Result<Self, CliError> {
        let bare = folder.join("fleet.git");
        git(folder, &["init", "-q", "--bare", "--initial-branch=main", &bare.display().to_string()])?;
        git(&bare, &["config", "uploadpack.allowFilter", "true"])?;
        git(&bare, &["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        let url = format!("file://{}", bare.display());
        Self::fill(folder, version, Place { bare, url, authorization: String::new() })
    }

    /// Fills one that somebody else has made.
    pub(crate) fn fill(folder: &Path, version: &str, place: Place) -> Result<Self, CliError> {
        let fleet = Self { place, checkout: folder.join("checkout") };
        fleet.remotely(folder, &["clone", "-q", &fleet.place.url, &fleet.checkout.display().to_string()])?;
        git(&fleet.checkout, &["checkout", "-q", "-B", "main"])?;
        for (path, text) in files(version) {
            let path = fleet.checkout.join(path);
            let parent = path.parent().unwrap_or(&fleet.checkout);
            let written = std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, text));
            written.map_err(|error| CliError::because(format!("writing {}", path.display()), error))?;
        }
        git(&fleet.checkout, &["add", "."])?;
        git(&fleet.checkout, &["commit", "-q", "-m", &format!("Deploy podinfo {version} everywhere")])?;
        fleet.remotely(&fleet.checkout, &["push", "-q", "origin", "main"])?;
        Ok(fleet)
    }

    /// Runs git where it speaks to the repository.
    fn remotely(&self, folder: &Path, arguments: &[&str]) -> Result<String, CliError> {
        git_as(folder, arguments, &self.place.authorization)
    }

    /// The repository's address.
    pub(crate) fn url(&self) -> String {
        self.place.url.clone()
    }

    /// Where the repository is on disk.
    pub(crate) fn bare(&self) -> &Path {
        &self.place.bare
    }

    /// A developer releases a version into dev. Safe to repeat.
    pub(crate) fn release(&self, version: &str) -> Result<String, CliError> {
        for _ in 0..5 {
            self.remotely(&self.checkout, &["fetch", "-q", "origin"])?;
            git(&self.checkout, &["reset", "-q", "--hard", "origin/main"])?;
            let path = self.checkout.join(release_file("dev"));
            let failed = |error| CliError::because(format!("changing {}", path.display()), error);
            let text = std::fs::read_to_string(&path).map_err(failed)?;
            let now = declared(&text).unwrap_or_default().to_owned();
            if now != version {
                std::fs::write(&path, text.replace(&format!("\"{now}\""), &format!("\"{version}\"")))
                    .map_err(failed)?;
                git(
                    &self.checkout,
                    &["commit", "-q", "-a", "-m", &format!("Release podinfo {version} to dev")],
                )?;
            }
            if self.remotely(&self.checkout, &["push", "-q", "origin", "HEAD:main"]).is_ok() {
                return self.tip();
            }
        }
        Err(CliError::failed("the branch kept moving while a release was pushed"))
    }

    /// What an environment declares at a commit.
    pub(crate) fn declared(&self, commit: &str, environment: &str) -> Option<String> {
        let text =
            git(&self.place.bare, &["show", &format!("{commit}:{}", release_file(environment))]).ok()?;
        declared(&text).map(str::to_owned)
    }

    /// The commit that main is at.
    pub(crate) fn tip(&self) -> Result<String, CliError> {
        Ok(git(&self.place.bare, &["rev-parse", "refs/heads/main"])?.trim().to_owned())
    }

    /// The log of main, with trailers, oldest last.
    pub(crate) fn log(&self, format: &str) -> Result<String, CliError> {
        git(&self.place.bare, &["log", "--first-parent", &format!("--format={format}"), "main"])
    }

    /// All branches.
    pub(crate) fn branches(&self) -> Result<Vec<String>, CliError> {
        let listed = git(&self.place.bare, &["for-each-ref", "--format=%(refname:short)", "refs/heads"])?;
        Ok(listed.lines().map(str::to_owned).collect())
    }

    /// Whether every object in the repository is sound.
    pub(crate) fn fsck(&self) -> Result<(), CliError> {
        git(&self.place.bare, &["fsck", "--strict", "--no-dangling"]).map(drop)
    }
}

/// The file that declares an environment's version.
fn release_file(environment: &str) -> String {
    format!("apps/{environment}/podinfo/release.yaml")
}

/// The version in the text of such a file.
fn declared(text: &str) -> Option<&str> {
    let line = text.lines().find(|line| line.trim_start().starts_with("version:"))?;
    line.split('"').nth(1)
}

fn files(version: &str) -> Vec<(String, String)> {
    let mut files = vec![
        (
            "apps/base/podinfo/kustomization.yaml".to_owned(),
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - repository.yaml\n  - release.yaml\n"
                .to_owned(),
        ),
        (
            "apps/base/podinfo/repository.yaml".to_owned(),
            "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata:\n  name: podinfo\nspec:\n  interval: 10m\n  \
             type: oci\n  url: oci://ghcr.io/stefanprodan/charts\n"
                .to_owned(),
        ),
        (
            "apps/base/podinfo/release.yaml".to_owned(),
            "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: podinfo\nspec:\n  interval: 10m\n  \
             chart:\n    spec:\n      chart: podinfo\n      sourceRef:\n        kind: HelmRepository\n        name: podinfo\n  \
             upgrade:\n    remediation:\n      retries: 1\n      strategy: rollback\n"
                .to_owned(),
        ),
    ];
    for environment in ENVIRONMENTS {
        files.push((
            format!("apps/{environment}/podinfo/kustomization.yaml"),
            format!(
                "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: podinfo-{environment}\nresources:\n  \
                 - ../../base/podinfo\npatches:\n  - path: release.yaml\n"
            ),
        ));
        files.push((
            release_file(environment),
            format!(
                "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: podinfo\nspec:\n  chart:\n    spec:\n      \
                 version: \"{version}\" # {{\"$promotion\": \"default:podinfo:{environment}\"}}\n"
            ),
        ));
        files.push((
            format!("clusters/{environment}/apps.yaml"),
            format!(
                "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  name: apps\n  namespace: flux-system\nspec:\n  \
                 interval: 10m\n  path: ./apps/{environment}\n  prune: true\n  sourceRef:\n    kind: GitRepository\n    name: flux-system\n"
            ),
        ));
    }
    files
}

/// Runs git, with nothing of the user's own configuration.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, CliError> {
    git_as(folder, arguments, "")
}

/// The same, as somebody who says this to be let in.
fn git_as(folder: &Path, arguments: &[&str], authorization: &str) -> Result<String, CliError> {
    let doing = || format!("running git {}", arguments.first().copied().unwrap_or_default());
    let mut command = Command::new("git");
    if !authorization.is_empty() {
        // Arguments are seen by everybody on the machine.
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "http.extraHeader");
        command.env("GIT_CONFIG_VALUE_0", format!("Authorization: {authorization}"));
    }
    let output = command
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .env("GIT_AUTHOR_NAME", "Ada Lovelace")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Ada Lovelace")
        .env("GIT_COMMITTER_EMAIL", "ada@example.com")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|error| CliError::because(doing(), error).help("the demo needs git on the PATH"))?;
    if !output.status.success() {
        return Err(CliError::because(doing(), String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
