//! What a kustomization yields, as far as versions go.
//!
//! Bases, components, patches, images, namespaces and names are followed from file to file; nothing is
//! fetched, and what is not followed is told. Every value remembers where it was written, so that the
//! place can be shown and the value be set.
//!
//! ```
//! use std::collections::BTreeMap;
//! use gradus_edit::kustomize::build;
//!
//! let files: BTreeMap<String, Vec<u8>> = [
//!     ("apps/web.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: web, image: web:1}\n"),
//!     ("dev/kustomization.yaml", "resources: [../apps/web.yaml]\nimages:\n- name: web\n  newTag: '2'\n"),
//! ]
//! .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
//! .into();
//!
//! let build = build(&files, "dev");
//! let version = &build.versions[0];
//! assert_eq!(version.version.as_deref(), Some("2"));
//! assert_eq!((version.said.file(), version.said.line()), ("dev/kustomization.yaml", 4));
//! ```

mod environment;
mod evaluate;
mod files;
mod images;
mod json_patch;
mod node;
mod note;
mod object;
mod strategic;
pub(crate) mod substitute;
mod target;
mod unreached;
mod versions;

use std::collections::BTreeMap;

pub use environment::{Applier, Environment};
pub use files::{Files, is_kustomization};
pub use node::{Node, Origin, Text, Value};
pub use note::{Note, NoteKind};
pub use object::{Id, Object};
pub use unreached::{PatchFile, Unreached};
pub use versions::{Carrier, Pin, Version};

use evaluate::Evaluator;

/// What a folder yields.
#[derive(Debug, Clone)]
pub struct Build {
    /// The objects, in the order in which they are taken in.
    pub objects: Vec<Object>,
    /// Their versions.
    pub versions: Vec<Version>,
    /// What was not followed.
    pub notes: Vec<Note>,
}

/// The kustomizations of a repository. Files that several of them take in are read once.
pub struct Repository<'f> {
    evaluator: Evaluator<'f>,
}

/// What one folder yields.
pub fn build(files: &dyn Files, folder: &str) -> Build {
    Repository::new(files).build(folder)
}

impl<'f> Repository<'f> {
    /// The kustomizations among these files.
    pub fn new(files: &'f dyn Files) -> Self {
        Self { evaluator: Evaluator::new(files) }
    }

    /// What a folder yields. Without a kustomization of its own it yields all that is in it, as Flux
    /// applies it.
    pub fn build(&mut self, folder: &str) -> Build {
        self.built(folder, None)
    }

    /// What an environment yields, with what is changed where it is applied.
    pub fn build_environment(&mut self, environment: &Environment) -> Build {
        self.built(&environment.folder, environment.applied_by.as_ref())
    }

    /// The folders that no other takes in, and those that Flux or Argo CD applies.
    pub fn environments(&mut self) -> Vec<Environment> {
        self.evaluator.begin();
        environment::all(&mut self.evaluator)
    }

    /// The files that patch others, as the kustomizations name them.
    pub fn patch_files(&mut self) -> BTreeMap<String, PatchFile> {
        unreached::patch_files(&mut self.evaluator)
    }

    /// Files with objects in them beside kustomizations that do not take them in.
    pub fn unreached(&mut self) -> Vec<Unreached> {
        unreached::unreached(&mut self.evaluator)
    }

    fn built(&mut self, folder: &str, applier: Option<&Applier>) -> Build {
        let evaluator = &mut self.evaluator;
        evaluator.begin();
        let folder = files::join("", folder).unwrap_or_default();
        let mut objects = match evaluator.file_of(&folder) {
            Some(_) => evaluator.folder(&folder, Vec::new()),
            None => evaluator.everything(&folder),
        };
        let none = BTreeMap::new();
        let mut values = &none;
        if let Some(applier) = applier {
            objects = applier.apply(evaluator, &folder, objects);
            values = &applier.values;
        }
        let versions = versions::of(&objects, &evaluator.charts, values);
        Build { objects, versions, notes: std::mem::take(&mut evaluator.notes) }
    }
}
