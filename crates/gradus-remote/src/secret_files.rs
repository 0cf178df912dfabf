//! Secrets as files: `FOLDER/NAMESPACE/NAME/KEY`.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};

use gradus_engine::port::{PortError, PortErrorKind};

/// The largest value that is read.
const MOST_BYTES: u64 = 1024 * 1024;

/// One Secret: a folder with a file for each key. No error repeats what is in one.
pub(crate) struct SecretFiles<'a> {
    name: &'a str,
    of: &'a str,
    folder: PathBuf,
}

impl<'a> SecretFiles<'a> {
    /// The Secret with which `of`, an address, is reached.
    pub(crate) fn find(secrets: Option<&Path>, name: &'a str, of: &'a str) -> Result<Self, PortError> {
        let found = |folder: PathBuf| Self { name, of, folder };
        let Some(secrets) = secrets else {
            return Err(found(PathBuf::new())
                .missing("no folder of Secrets was given")
                .with_hint("give one with --secrets DIR; it holds NAMESPACE/NAME/KEY files"));
        };
        let found = found(secrets.join(name));
        if found.folder.is_dir() {
            return Ok(found);
        }
        let hint = "make it, with a file for each key; or correct the name in `secretRef`";
        Err(found.missing(&format!("there is no folder {}", found.folder.display())).with_hint(hint))
    }

    /// The value of a key, without the line feed that editors leave at the end.
    pub(crate) fn value(&self, key: &str) -> Result<Option<String>, PortError> {
        let path = self.folder.join(key);
        match bounded(&path) {
            Ok(text) => {
                Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !text.is_empty()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let cause = format!("{}: {error}", path.display());
                Err(PortError::because(PortErrorKind::Local, self.doing(), cause)
                    .with_hint("each key is a file of text that this user may read"))
            }
        }
    }

    /// The Secret is there, and none of its keys is of use.
    pub(crate) fn lacks(&self, keys: &str) -> PortError {
        self.missing(&format!("{} has {keys}", self.folder.display()))
    }

    fn missing(&self, what: &str) -> PortError {
        PortError::because(PortErrorKind::Missing, self.doing(), what)
    }

    fn doing(&self) -> String {
        format!("reading the Secret {} of {}", self.name, self.of)
    }
}

fn bounded(path: &Path) -> std::io::Result<String> {
    let file = File::open(path)?;
    // A pipe or a device could keep us waiting, or never end.
    if !file.metadata()?.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(Error::new(ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(text)
}
