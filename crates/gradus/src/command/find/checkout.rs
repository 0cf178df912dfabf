//! The files that were read, by their paths from the top of what was looked at.

use std::borrow::Cow;
use std::collections::BTreeMap;

use gradus_edit::Format;
use gradus_edit::kustomize::{Files, is_kustomization};

use crate::files::File;

/// Files, as kustomizations name each other.
pub(super) struct Checkout {
    pub(super) files: BTreeMap<String, File>,
}

impl Checkout {
    /// The files; a folder of this machine is the top, of a repository its own top is.
    pub(super) fn new(files: Vec<File>, top: Option<&str>) -> Self {
        let top = top.map(|top| top.trim_start_matches("./").trim_end_matches('/')).unwrap_or_default();
        let path = |name: &str| match name.strip_prefix(top) {
            Some("") | None => name.to_owned(),
            Some(rest) => rest.trim_start_matches('/').to_owned(),
        };
        Self {
            files: files.into_iter().map(|file| (path(file.name.trim_start_matches("./")), file)).collect(),
        }
    }

    /// A file as people find it.
    pub(super) fn shown(&self, path: &str) -> String {
        self.files.get(path).map_or_else(|| path.to_owned(), |file| file.name.clone())
    }
}

impl Files for Checkout {
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        self.files.get(path).map(|file| Cow::Borrowed(&*file.bytes))
    }

    fn below(&self, folder: &str) -> Vec<String> {
        let is_below = |path: &&String| {
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        self.files.keys().filter(is_below).cloned().collect()
    }
}

/// Whether files of this name are looked at.
pub(super) fn says_versions(name: &str) -> bool {
    let ends = [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end));
    ends || is_kustomization(name) || Format::of(name) != Format::Yaml
}
