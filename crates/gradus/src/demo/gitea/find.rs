//! Where the Gitea program is.

use std::path::{Path, PathBuf};

use crate::error::CliError;

/// Gitea, and its pages where they are not in the program.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(super) path: PathBuf,
    pub(super) pages: Option<PathBuf>,
}

/// The one that was given; else the one on PATH, else the one that the tests have built.
pub(crate) fn find(given: Option<&Path>) -> Result<Program, CliError> {
    if let Some(path) = given {
        if !path.is_file() {
            return Err(CliError::failed(format!("{} is no program", path.display()))
                .help("give the path of the Gitea program"));
        }
        let path = std::path::absolute(path)
            .map_err(|error| CliError::because(format!("finding {}", path.display()), error))?;
        return Ok(of(path));
    }
    let on_path = std::env::var_os("PATH").and_then(|all| on(std::env::split_paths(&all)));
    on_path.or_else(|| cache().and_then(|cache| newest(&cache, "gitea"))).map(of).ok_or_else(|| {
        CliError::failed("the demo needs Gitea, and there is none on PATH")
            .help("download it from https://dl.gitea.com/gitea/ and give it with --gitea PATH")
            .help("or, in a checkout of gradus and with Go, build the one of the tests: scripts/test-tools.sh gitea gitea-files")
    })
}

fn on(mut folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.find_map(|folder| Some(folder.join("gitea")).filter(|path| path.is_file()))
}

/// One from the tests' cache was built without its pages; they lie beside it.
fn of(path: PathBuf) -> Program {
    let cache = path.parent().and_then(Path::parent);
    let pages = cache.and_then(|cache| newest(cache, "gitea-files"));
    Program { path, pages }
}

/// Where `scripts/test-tools.sh` puts what it builds.
fn cache() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").filter(|cache| !cache.is_empty()).map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    cache.map(|cache| cache.join("gradus-test-tools"))
}

/// What has this name in the folders of a folder, the newest of them.
fn newest(folder: &Path, name: &str) -> Option<PathBuf> {
    let all = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path().join(name));
    let aged = all.filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)));
    aged.max().map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::{newest, of, on};

    #[test]
    fn the_program_and_its_pages_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["one", "two/gitea-files", "bin"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        std::fs::write(at("one/gitea"), "").unwrap();
        assert_eq!(newest(folder.path(), "gitea"), Some(at("one/gitea")));
        assert_eq!(of(at("one/gitea")).pages, Some(at("two/gitea-files")));
        assert_eq!(on([at("bin"), at("one")].into_iter()), Some(at("one/gitea")));
        assert_eq!(newest(&at("bin"), "gitea"), None);
    }
}
