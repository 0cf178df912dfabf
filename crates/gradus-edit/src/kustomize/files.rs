//! Where files come from, and how their paths are put together.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Files of a repository, by their paths from its top: `apps/web/kustomization.yaml`.
pub trait Files {
    /// What a file holds; nothing if there is no such file.
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>>;

    /// The paths of all files in a folder and below it, in their order. The top is the empty text.
    fn below(&self, folder: &str) -> Vec<String>;
}

impl Files for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Option<Cow<'_, [u8]>> {
        self.get(path).map(|bytes| Cow::Borrowed(bytes.as_slice()))
    }

    fn below(&self, folder: &str) -> Vec<String> {
        self.keys().filter(|path| is_below(path, folder)).cloned().collect()
    }
}

/// The names that kustomize's own file may have.
pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a path is in a folder or below it.
pub(super) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a file is one of kustomize's own.
pub fn is_kustomization(path: &str) -> bool {
    NAMES.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// The folder of a file.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path that is meant from a folder, without `.` and `..`; nothing if it leads out of the repository.
pub(super) fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether kustomize would fetch it.
pub(super) fn is_remote(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    path.contains("://")
        || path.contains("?ref=")
        || path.starts_with("git@")
        || path.starts_with("git::")
        || ["github.com", "gitlab.com", "bitbucket.org"].contains(&first)
}

#[cfg(test)]
mod tests {
    use super::{is_remote, join};

    #[test]
    fn paths_are_put_together() {
        let joined = |folder: &str, path: &str| join(folder, path);
        assert_eq!(joined("base/dev", "../../apps/").as_deref(), Some("apps"));
        assert_eq!(joined("", "./a//b").as_deref(), Some("a/b"));
        assert_eq!(joined("a", "..").as_deref(), Some(""));
        assert_eq!(joined("a", "../.."), None);
        assert_eq!(joined("a", "/etc/passwd"), None);
        assert!(is_remote("https://example.com/a.yaml") && is_remote("github.com/a/b?ref=v1"));
        assert!(!is_remote("../a") && !is_remote("a@b/c.yaml"));
    }
}
