//! Files on this machine.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Changed, File, Wrote};
use crate::error::CliError;

/// Folders inside one another, at most.
const DEEPEST: usize = 64;
/// Larger files are told of by whoever looks into them, by their first bytes.
const MOST_BYTES: u64 = 6 * 1024 * 1024;

/// A folder or a file.
pub(crate) struct Folder {
    place: PathBuf,
}

impl Folder {
    pub(super) fn new(place: &str) -> Result<Self, CliError> {
        match fs::metadata(place) {
            Ok(_) => Ok(Self { place: PathBuf::from(place) }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(CliError::failed(format!("{place} does not exist")))
            }
            Err(error) => Err(CliError::because(format!("reading {place}"), error)),
        }
    }

    pub(super) fn one(&self) -> Result<File, CliError> {
        if self.place.is_dir() {
            let place = self.place.display();
            return Err(CliError::failed(format!("{place} is a folder, and a path is of one file")));
        }
        read(&self.place)
    }

    pub(super) fn all(&self, wanted: fn(&str) -> bool) -> Result<Vec<File>, CliError> {
        if !self.place.is_dir() {
            return Ok(vec![read(&self.place)?]);
        }
        let mut found = Vec::new();
        walk(&self.place, 0, wanted, &mut found)?;
        found.sort();
        found.iter().map(|path| read(path)).collect()
    }

    /// Writes beside each file first, and puts all in place at the end.
    pub(super) fn write(&self, changed: &[Changed]) -> Result<Wrote, CliError> {
        let mut written = Vec::new();
        for Changed { file, after } in changed {
            let failed = |error| CliError::because(format!("writing {}", file.name), error);
            // A link stays one: what it leads to is written.
            let path = fs::canonicalize(&file.name).map_err(failed)?;
            let folder = path.parent().unwrap_or(Path::new("."));
            let mode = fs::metadata(&path).map_err(failed)?.permissions();
            let beside = tempfile::Builder::new().prefix(".gradus-").tempfile_in(folder);
            let mut beside = beside.map_err(failed)?;
            beside.write_all(after).map_err(failed)?;
            beside.as_file().set_permissions(mode).map_err(failed)?;
            beside.as_file().sync_all().map_err(failed)?;
            written.push((file, path, beside));
        }
        for (file, path, _) in &written {
            if fs::read(path).map_err(|error| CliError::because(format!("reading {}", file.name), error))?
                != *file.bytes
            {
                return Ok(Wrote::Stale);
            }
        }
        for (file, path, beside) in written {
            beside
                .persist(path)
                .map_err(|error| CliError::because(format!("writing {}", file.name), error.error))?;
        }
        Ok(Wrote::Done(None))
    }
}

/// Finds the files. Links are not followed, and `.git` is not looked into.
fn walk(
    folder: &Path,
    depth: usize,
    wanted: fn(&str) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<(), CliError> {
    let failed = |error| CliError::because(format!("reading {}", folder.display()), error);
    if depth > DEEPEST {
        return Err(CliError::failed(format!("{} is more than {DEEPEST} folders deep", folder.display())));
    }
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        let name = entry.file_name();
        let path = if folder == Path::new(".") { PathBuf::from(&name) } else { entry.path() };
        if kind.is_dir() && name != ".git" {
            walk(&path, depth + 1, wanted, found)?;
        } else if kind.is_file() && name.to_str().is_some_and(wanted) {
            found.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<File, CliError> {
    let failed = |error| CliError::because(format!("reading {}", path.display()), error);
    let name = path
        .to_str()
        .ok_or_else(|| CliError::failed(format!("the name {} is not UTF-8", path.display())))?
        .to_owned();
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(File { name, bytes: Arc::from(bytes), blob: None })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Changed, Folder, Wrote};

    /// Both files were read; what becomes of them is written once `meanwhile` has happened.
    fn write_after(meanwhile: impl Fn(&std::path::Path)) -> (bool, String, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("one.yaml"), folder.path().join("two.yaml"));
        for file in [&one, &two] {
            fs::write(file, "a: 1\n").expect("written");
        }
        let place = Folder::new(folder.path().to_str().expect("UTF-8")).expect("a folder");
        let files = place.all(|name| name.ends_with(".yaml")).expect("read");
        let changed: Vec<Changed> =
            files.into_iter().map(|file| Changed { file, after: b"a: 2\n".to_vec() }).collect();
        meanwhile(&two);
        let done = matches!(place.write(&changed), Ok(Wrote::Done(None)));
        let left = fs::read_dir(folder.path()).expect("listed").count();
        assert!(left <= 2, "{left} files are there");
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        (done, read(&one), read(&two))
    }

    #[test]
    fn all_files_are_written_or_none() {
        let text = str::to_owned;
        assert_eq!(write_after(|_| ()), (true, text("a: 2\n"), text("a: 2\n")));
        let somebody = |two: &std::path::Path| fs::write(two, "a: 3\n").expect("written");
        assert_eq!(write_after(somebody), (false, text("a: 1\n"), text("a: 3\n")));
        let gone = |two: &std::path::Path| fs::remove_file(two).expect("removed");
        assert_eq!(write_after(gone), (false, text("a: 1\n"), String::new()));
    }
}
