//! What the rules look at: Flux's objects, and how kustomize puts files together.

use std::collections::{BTreeMap, BTreeSet};

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::EditSpec;
use gradus_edit::{Marker, find_markers};
use gradus_manifest::{Loaded, Place};

use crate::document::Document;

/// How many kustomizations may lie around each other.
const DEEPEST: usize = 8;

/// The files, as far as the rules ask for them.
#[derive(Default)]
pub(super) struct Checkout<'a> {
    /// Markers of Flux's image automation, each with its file.
    pub(super) markers: Vec<(&'a str, Marker)>,
    /// Markers of promotions, each with its file.
    pub(super) promotions: Vec<(&'a str, Marker)>,
    /// The environments of each pipeline, by `NAMESPACE:NAME`; none of one with a mistake.
    pub(super) pipelines: BTreeMap<String, Option<Vec<String>>>,
    /// The files that pipelines name.
    pub(super) edits: Vec<Edited>,
    pub(super) policies: Vec<Policy<'a>>,
    pub(super) applied: Vec<Applied<'a>>,
    /// All files, where their names lead from one to another.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Files that kustomize reads, by the folder they stand for.
    built: BTreeMap<String, Built>,
}

/// A file that an environment of a pipeline names.
pub(super) struct Edited {
    /// Where the pipeline is.
    pub(super) place: Place,
    /// The pipeline, as `NAMESPACE:NAME`.
    pub(super) pipeline: String,
    pub(super) environment: String,
    /// Whether the environment is on a branch of its own, where the file is another one.
    pub(super) own_branch: bool,
    pub(super) spec: EditSpec,
}

/// An ImagePolicy.
pub(super) struct Policy<'a> {
    pub(super) file: &'a str,
    pub(super) name: String,
    namespace: Option<String>,
}

/// A Kustomization of Flux.
pub(super) struct Applied<'a> {
    pub(super) place: Place,
    pub(super) file: &'a str,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
    /// Where it applies from, in the repository.
    pub(super) path: String,
    /// What it waits for: names, and namespaces where they are not its own.
    pub(super) after: Vec<(Option<String>, String)>,
    target_namespace: Option<String>,
}

/// A `kustomization.yaml`.
struct Built {
    namespace: Option<String>,
    /// Files and folders that it takes in.
    takes: Vec<String>,
}

impl<'a> Checkout<'a> {
    /// Reads what there is to read; what is not text or not YAML has nothing to say here.
    pub(super) fn read(texts: &'a BTreeMap<String, Vec<u8>>) -> Self {
        let mut checkout = Self { files: texts.clone(), ..Self::default() };
        for (file, bytes) in texts {
            let Ok(text) = std::str::from_utf8(bytes) else { continue };
            let markers = find_markers(bytes, "$imagepolicy").unwrap_or_default();
            checkout.markers.extend(markers.into_iter().map(|marker| (file.as_str(), marker)));
            let markers = find_markers(bytes, "$promotion").unwrap_or_default();
            checkout.promotions.extend(markers.into_iter().map(|marker| (file.as_str(), marker)));
            for document in Document::all(text) {
                checkout.look(file, &document);
            }
        }
        checkout
    }

    /// A file by its path in the repository: what was read may begin further up or down.
    pub(super) fn file(&self, path: &str) -> Option<(&str, &[u8])> {
        let ends = |shown: &str| format!("/{shown}").ends_with(&format!("/{path}"));
        self.files
            .iter()
            .find(|(shown, _)| ends(shown))
            .map(|(shown, bytes)| (shown.as_str(), bytes.as_slice()))
    }

    /// Whether a file of this folder of the repository was read.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        let below = format!("/{folder}/");
        !folder.is_empty() && self.files.keys().any(|shown| format!("/{shown}").contains(&below))
    }

    /// Takes in what pipelines name.
    pub(super) fn name(
        &mut self,
        pipelines: &BTreeMap<PipelineKey, Loaded>,
        withheld: &BTreeSet<PipelineKey>,
    ) {
        let shown = |key: &PipelineKey| format!("{}:{}", key.namespace, key.name);
        self.pipelines.extend(withheld.iter().map(|key| (shown(key), None)));
        for (key, Loaded { pipeline, place }) in pipelines {
            let mut names = Vec::new();
            for environment in pipeline.environments() {
                names.push(environment.name.to_string());
                self.edits.extend(environment.edit.iter().map(|edit| Edited {
                    place: place.clone(),
                    pipeline: shown(key),
                    environment: environment.name.to_string(),
                    own_branch: environment.branch.is_some(),
                    spec: edit.clone(),
                }));
            }
            self.pipelines.insert(shown(key), Some(names));
        }
    }

    fn look(&mut self, file: &'a str, document: &Document<'_>) {
        if document.is("image.toolkit.fluxcd.io", "ImagePolicy") {
            let Some(name) = document.text("metadata.name") else { return };
            self.policies.push(Policy { file, name, namespace: document.text("metadata.namespace") });
        } else if document.is("kustomize.toolkit.fluxcd.io", "Kustomization") {
            let Some(name) = document.text("metadata.name") else { return };
            let (line, column) = document.place("metadata.name").unwrap_or((1, 1));
            let after = document.each("spec.dependsOn", "name").into_iter();
            self.applied.push(Applied {
                place: Place { file: file.into(), line, column },
                file,
                name,
                namespace: document.text("metadata.namespace"),
                path: normal(&document.text("spec.path").unwrap_or_default()),
                after: after
                    .map(|(at, name)| (document.text(&format!("spec.dependsOn[{at}].namespace")), name))
                    .collect(),
                target_namespace: document.text("spec.targetNamespace"),
            });
        } else if matches!(
            file.rsplit('/').next(),
            Some("kustomization.yaml" | "kustomization.yml" | "Kustomization")
        ) {
            let folder = folder(file);
            let takes = ["resources", "components", "bases"].into_iter().flat_map(|of| document.list(of));
            let takes = takes.map(|path| normal(&format!("{folder}/{path}"))).collect();
            self.built.insert(folder.to_owned(), Built { namespace: document.text("namespace"), takes });
        }
    }

    /// The namespaces that a policy lands in; none where the files do not tell one.
    pub(super) fn namespaces(&self, policy: &Policy<'_>) -> BTreeSet<Option<String>> {
        let mut found = BTreeSet::new();
        self.climb(policy.file, folder(policy.file), policy.namespace.clone(), 0, &mut found);
        found
    }

    /// From a file or folder up through all that take it in, to what applies those.
    fn climb(
        &self,
        path: &str,
        below: &str,
        namespace: Option<String>,
        depth: usize,
        found: &mut BTreeSet<Option<String>>,
    ) {
        let path = normal(path);
        let mut is_taken = false;
        for (folder, built) in &self.built {
            if depth < DEEPEST && built.takes.contains(&path) {
                is_taken = true;
                let namespace = built.namespace.clone().or_else(|| namespace.clone());
                self.climb(folder, folder, namespace, depth + 1, found);
            }
        }
        let mut is_applied = false;
        for applied in &self.applied {
            // What is taken in elsewhere may be applied by itself all the same, but not by whoever applies all around it.
            let here = if is_taken || depth > 0 {
                is_at(below, &applied.path)
            } else {
                is_below(below, &applied.path)
            };
            // Its own file is no part of what it applies by its path alone.
            if here && !applied.path.is_empty() {
                is_applied = true;
                found.insert(applied.target_namespace.clone().or_else(|| namespace.clone()));
            }
        }
        if !is_taken && !is_applied {
            found.insert(namespace);
        }
    }
}

/// The folder of a file.
pub(super) fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a folder is the one at a path of the repository. The repository's top may
/// be anywhere above the files.
fn is_at(folder: &str, path: &str) -> bool {
    format!("/{folder}").ends_with(&format!("/{path}"))
}

/// Whether a folder is at a path of the repository, or below it.
pub(super) fn is_below(folder: &str, path: &str) -> bool {
    path.is_empty() || format!("/{folder}/").contains(&format!("/{path}/"))
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" if parts.is_empty() && path.starts_with('/') => parts.push(""),
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{is_at, is_below, normal};

    #[test]
    fn paths_are_compared_part_by_part() {
        assert_eq!(normal("./a/./b/../c/"), "a/c");
        assert_eq!(normal("../../a"), "../../a");
        assert_eq!(normal("/srv/a"), "/srv/a");
        assert!(is_at("checkout/apps/dev", "apps/dev") && !is_at("checkout/apps/dev", "ps/dev"));
        assert!(
            is_below("checkout/apps/dev/web", "apps/dev") && !is_below("checkout/apps/develop", "apps/dev")
        );
    }
}
