//! Looking through the files of a checkout.

use std::collections::BTreeMap;
use std::path::Path;

use gradus_edit::{FieldPath, Locator, Select, find_markers, read};

use super::level::{level, named, of_path};
use crate::document::Document;
use crate::error::CliError;

/// How deep folders are looked into.
const DEEPEST: usize = 16;
/// How many files are looked at.
const MOST_FILES: usize = 20_000;
/// The largest file that is looked at.
const LARGEST: u64 = 1024 * 1024;

/// Everything that was found.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// How many YAML files were looked at.
    pub(crate) files: usize,
    /// Setter markers.
    pub(crate) markers: Vec<Marker>,
    /// Pipelines of Weave GitOps.
    pub(crate) weave: Vec<Weave>,
    /// Places that hold a version.
    pub(crate) places: Vec<Place>,
    /// Paths of Flux Kustomizations, and the environment that each is.
    pub(crate) roots: BTreeMap<String, String>,
    /// What else people should know, by the application that it is about.
    pub(crate) notes: Vec<(String, String)>,
}

/// A marker `{"$promotion": "NAMESPACE:PIPELINE:ENVIRONMENT"}`.
#[derive(Debug, Clone)]
pub(crate) struct Marker {
    pub(crate) file: String,
    pub(crate) namespace: String,
    pub(crate) pipeline: String,
    pub(crate) environment: String,
    pub(crate) value: String,
}

/// A pipeline of Weave GitOps.
#[derive(Debug, Clone)]
pub(crate) struct Weave {
    pub(crate) file: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) app: Option<String>,
    pub(crate) environments: Vec<WeaveEnvironment>,
}

/// An environment of it.
#[derive(Debug, Clone)]
pub(crate) struct WeaveEnvironment {
    pub(crate) name: String,
    pub(crate) is_manual: bool,
    pub(crate) targets: Vec<WeaveTarget>,
}

/// A target of it.
#[derive(Debug, Clone)]
pub(crate) struct WeaveTarget {
    pub(crate) namespace: String,
    pub(crate) cluster: Option<(Option<String>, String, Option<String>)>,
}

/// A value in a file that is a version.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: String,
    /// What it is of: the HelmRelease, or the image.
    pub(crate) of: Of,
    /// The name that people know it by.
    pub(crate) app: String,
    pub(crate) path: String,
    pub(crate) value: String,
}

/// What a version is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// A HelmRelease of this name.
    Release(String),
    /// An image in a kustomization.
    Image,
}

/// Looks through the YAML files below a folder of a checkout.
pub(crate) fn scan(top: &Path, folder: &Path) -> Result<Scan, CliError> {
    let mut scan = Scan::default();
    walk(top, folder, 0, &mut scan)?;
    Ok(scan)
}

fn walk(top: &Path, path: &Path, depth: usize, scan: &mut Scan) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::because(format!("reading {}", path.display()), error);
    let mut entries: Vec<_> =
        std::fs::read_dir(path).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What a link points to is found where it is.
        let kind = entry.file_type().map_err(failed)?;
        if name.starts_with('.') || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() && depth < DEEPEST {
            walk(top, &entry.path(), depth + 1, scan)?;
        } else if name.ends_with(".yaml") || name.ends_with(".yml") {
            let is_small = entry.metadata().map_err(failed)?.len() <= LARGEST;
            if kind.is_file() && is_small && scan.files < MOST_FILES {
                scan.files += 1;
                let path = entry.path();
                let file = path.strip_prefix(top).unwrap_or(&path).display().to_string();
                // What is not text has nothing to say here.
                if let Ok(text) = std::fs::read_to_string(&path) {
                    look(&file, &text, scan);
                }
            }
        }
    }
    Ok(())
}

fn look(file: &str, text: &str, scan: &mut Scan) {
    for marker in find_markers(text.as_bytes(), "$promotion").unwrap_or_default() {
        let mut parts = marker.value.split(':');
        if let (Some(namespace), Some(pipeline), Some(environment), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
            && let Ok(value) = marker.current
        {
            let (namespace, pipeline) = (namespace.to_owned(), pipeline.to_owned());
            let (file, environment) = (file.to_owned(), environment.to_owned());
            scan.markers.push(Marker { file, namespace, pipeline, environment, value });
        }
    }
    let is_kustomization = file.rsplit('/').next().is_some_and(|name| name.starts_with("kustomization."));
    for document in Document::all(text) {
        if document.is("pipelines.weave.works", "Pipeline") {
            scan.weave.extend(weave(file, &document));
        } else if document.is("helm.toolkit.fluxcd.io", "HelmRelease") {
            release(file, text, &document, scan);
        } else if document.is("kustomize.toolkit.fluxcd.io", "Kustomization") {
            root(file, &document, scan);
        } else if is_kustomization {
            images(file, text, &document, scan);
        }
    }
}

fn weave(file: &str, document: &Document<'_>) -> Option<Weave> {
    let is_manual = |path: &str| document.text(path).is_some_and(|text| text == "true");
    let all_manual = is_manual("spec.promotion.manual");
    let environments = document.each("spec.environments", "name").into_iter().map(|(at, name)| {
        let place = format!("spec.environments[{at}]");
        let targets =
            document.each(&format!("{place}.targets"), "namespace").into_iter().map(|(target, namespace)| {
                let cluster =
                    |field: &str| document.text(&format!("{place}.targets[{target}].clusterRef.{field}"));
                let cluster = cluster("name").map(|name| (cluster("kind"), name, cluster("namespace")));
                WeaveTarget { namespace, cluster }
            });
        let is_manual = all_manual || is_manual(&format!("{place}.promotion.manual"));
        WeaveEnvironment { name, is_manual, targets: targets.collect() }
    });
    Some(Weave {
        file: file.to_owned(),
        name: document.text("metadata.name")?,
        namespace: document.text("metadata.namespace").unwrap_or_else(|| "default".to_owned()),
        app: document.text("spec.appRef.name"),
        environments: environments.collect(),
    })
}

fn release(file: &str, text: &str, document: &Document<'_>, scan: &mut Scan) {
    let path = "spec.chart.spec.version";
    let (Some(name), Some(value)) = (document.text("metadata.name"), document.text(path)) else { return };
    if !is_version(&value) {
        let note = format!(
            "{file}: the chart of HelmRelease {name} is given as a range ({value}), which Flux resolves by itself; \
             to promote a version, write it out"
        );
        scan.notes.push((name, note));
        return;
    }
    let select = Select::path(match FieldPath::parse(path) {
        Ok(path) => path,
        Err(_) => return,
    });
    let locator = Locator::Path(select.kind("HelmRelease").name(&name));
    if read(text.as_bytes(), &locator).is_ok_and(|found| found.len() == 1) {
        let (file, path) = (file.to_owned(), path.to_owned());
        scan.places.push(Place { file, of: Of::Release(name.clone()), app: name, path, value });
    }
}

/// A Flux Kustomization says which folder is which environment.
fn root(file: &str, document: &Document<'_>, scan: &mut Scan) {
    let Some(path) = document.text("spec.path") else { return };
    let path = path.trim_start_matches("./").trim_matches('/').to_owned();
    let by_name =
        document.text("metadata.name").filter(|name| level(name).is_some()).map(|name| named(&name));
    if let Some(environment) = of_path(&path).or(by_name).or_else(|| of_path(file)) {
        scan.roots.insert(path, environment);
    }
}

fn images(file: &str, text: &str, document: &Document<'_>, scan: &mut Scan) {
    for (at, image) in document.each("images", "name") {
        let Some(value) = document.text(&format!("images[{at}].newTag")).filter(|value| is_version(value))
        else {
            continue;
        };
        let app = image.rsplit('/').next().unwrap_or(&image).to_owned();
        let path = format!("images[name={image}].newTag");
        let Ok(locator) = FieldPath::parse(&path).map(|path| Locator::Path(Select::path(path))) else {
            continue;
        };
        if read(text.as_bytes(), &locator).is_ok_and(|found| found.len() == 1) {
            scan.places.push(Place { file: file.to_owned(), of: Of::Image, app, path, value });
        }
    }
}

/// Whether it is one version, and no range of them.
fn is_version(text: &str) -> bool {
    let digits = text.strip_prefix('v').unwrap_or(text);
    let has_wildcard = text.split(['.', '-', '+']).any(|part| matches!(part, "x" | "X" | "*"));
    digits.starts_with(|c: char| c.is_ascii_digit())
        && !has_wildcard
        && !text.contains([' ', '|', ',', '<', '>'])
}

#[cfg(test)]
mod tests {
    use super::is_version;

    #[test]
    fn ranges_are_no_versions() {
        for text in ["6.5.1", "v1.2", "20260101", "1.0.0-rc.1"] {
            assert!(is_version(text), "{text}");
        }
        for text in
            [">=6.0.0", "6.x", "6.*", "*", "~1.2", "^1", "1 - 2", "1.0 || 2.0", "latest", "main-3f2b9ed", ""]
        {
            assert!(!is_version(text), "{text}");
        }
    }
}
