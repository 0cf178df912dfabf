//! The checkout: where its top is, and where it was cloned from.

use std::path::{Path, PathBuf};

use crate::config::file_url;

/// A checkout of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// Its top.
    pub(crate) top: PathBuf,
    /// The address that its environments are read from.
    pub(crate) url: String,
    /// What there is to know of the address.
    pub(crate) note: Option<String>,
}

impl Checkout {
    /// The checkout that a folder is in; a folder that is in none is its own top.
    pub(crate) fn of(folder: &Path) -> Self {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let top = folder.ancestors().find(|one| one.join(".git").exists()).unwrap_or(&folder).to_owned();
        let origin =
            std::fs::read_to_string(top.join(".git").join("config")).ok().and_then(|text| origin(&text));
        match origin {
            Some(origin) => {
                let (url, note) = address(&origin, &top);
                Self { top, url, note }
            }
            None => {
                let note = "the checkout names no origin: this is the checkout itself".to_owned();
                Self { url: file_url(&top.display().to_string()), top, note: Some(note) }
            }
        }
    }
}

/// The address of `origin` in a Git configuration.
fn origin(config: &str) -> Option<String> {
    let mut is_origin = false;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            is_origin = line.replace(' ', "") == "[remote\"origin\"]";
        } else if is_origin
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "url"
        {
            return Some(value.trim().trim_matches('"').to_owned());
        }
    }
    None
}

/// The address as gradus reads it, and what was changed in it.
fn address(origin: &str, top: &Path) -> (String, Option<String>) {
    let https = |host: &str, path: &str| {
        let host = host.rsplit('@').next().unwrap_or(host);
        let host = host.split(':').next().unwrap_or(host);
        let note = "the origin is reached over ssh; over https a token is enough. Over ssh the Secret needs `identity` and `known_hosts`".to_owned();
        (format!("https://{host}/{}", path.trim_start_matches('/')), Some(note))
    };
    if let Some(rest) = origin.strip_prefix("ssh://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        return https(host, path);
    }
    if let Some((scheme, rest)) = origin.split_once("://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        return match host.rsplit_once('@') {
            Some((_, host)) => {
                let note =
                    "the user in the origin's address is left out: name a Secret with `secretRef`".to_owned();
                (format!("{scheme}://{host}/{path}"), Some(note))
            }
            None => (origin.to_owned(), None),
        };
    }
    let first = origin.split('/').next().unwrap_or_default();
    match first.split_once(':') {
        Some((host, _)) if !host.is_empty() => {
            let path = origin.split_once(':').map(|(_, path)| path).unwrap_or_default();
            https(host, path)
        }
        Some(_) | None => (file_url(&top.join(origin).display().to_string()), None),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{address, origin};

    #[test]
    fn an_origin_becomes_an_address_without_secrets() {
        let check = |origin: &str, expected: &str, has_note: bool| {
            let (url, note) = address(origin, Path::new("/checkout"));
            assert_eq!((url.as_str(), note.is_some()), (expected, has_note), "{origin}");
        };
        check("https://github.com/acme/fleet.git", "https://github.com/acme/fleet.git", false);
        check("https://me:secret@git.example/fleet", "https://git.example/fleet", true);
        check("git@github.com:acme/fleet.git", "https://github.com/acme/fleet.git", true);
        check("ssh://git@git.example:2222/acme/fleet", "https://git.example/acme/fleet", true);
        check("file:///srv/fleet.git", "file:///srv/fleet.git", false);
        check("../fleet.git", "file:///fleet.git", false);
    }

    #[test]
    fn the_origin_is_found_among_other_remotes() {
        let config = "[core]\n\tbare = false\n[remote \"fork\"]\n\turl = a\n[remote \"origin\"]\n\tfetch = x\n\turl = b\n";
        assert_eq!(origin(config).as_deref(), Some("b"));
        assert_eq!(origin("[core]\n"), None);
    }
}
