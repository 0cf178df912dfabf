//! The folder of manifests: read, and read again when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use gradus_core::names::PipelineKey;
use gradus_core::notification::{Notification, NotificationKey};
use gradus_core::pipeline::Pipeline;
use gradus_manifest::{Assembled, MAX_FILE_BYTES, ManifestError, ManifestErrorKind, Place, SourceFile};

use crate::error::CliError;

/// How deep folders are looked into.
const DEEPEST: usize = 12;
/// How many files are read.
const MOST_FILES: usize = 100_000;

/// A folder of manifests.
#[derive(Debug, Clone)]
pub(crate) struct ConfigFolder {
    folder: PathBuf,
}

/// What was in the folder.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The pipelines that are known in full.
    pub(crate) pipelines: BTreeMap<PipelineKey, Arc<Pipeline>>,
    /// Who is told of what.
    pub(crate) notifications: BTreeMap<NotificationKey, Arc<Notification>>,
    /// The file that each was in.
    pub(crate) files: BTreeMap<PipelineKey, Arc<str>>,
    /// The pipelines that a mistake is about; they are not among the others.
    pub(crate) withheld: BTreeSet<PipelineKey>,
    /// What is wrong.
    pub(crate) errors: Vec<ManifestError>,
}

/// Tells whether the folder may have changed: names, sizes and times of its files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl ConfigFolder {
    /// The folder at this path; or the one file.
    pub(crate) fn new(folder: &Path) -> Result<Self, CliError> {
        if !folder.exists() {
            return Err(CliError::failed(format!("{} does not exist", folder.display()))
                .help("give the folder that holds your pipeline manifests, or write a first one with `gradus init DIR`"));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    /// A file of it, as people find it from where they are.
    pub(crate) fn shown(&self, file: &str) -> String {
        let is_here = self.folder.as_path() == Path::new(".");
        if self.folder.is_dir() && !is_here {
            self.folder.join(file).display().to_string()
        } else {
            file.to_owned()
        }
    }

    /// Reads every manifest in it.
    pub(crate) fn read(&self) -> Result<(Config, Fingerprint), CliError> {
        let fingerprint = self.fingerprint()?;
        let (texts, unreadable) = self.texts_of(&fingerprint);
        let parsed = texts.iter().map(|(name, text)| gradus_manifest::read(&SourceFile { name, text }));
        let Assembled { pipelines, notifications, withheld, mut errors, notes: _ } =
            gradus_manifest::assemble(parsed.collect::<Vec<_>>().into_iter());
        errors.extend(unreadable);
        let notifications =
            notifications.into_iter().map(|(key, one)| (key, Arc::new(one.notification))).collect();
        let files = pipelines.iter().map(|(key, loaded)| (key.clone(), loaded.place.file.clone())).collect();
        let pipelines = pipelines
            .into_iter()
            .map(|(key, loaded)| {
                let mut pipeline = loaded.pipeline.without_clusters();
                pipeline.repository.url = self.address(&loaded.place.file, pipeline.repository.url);
                (key, Arc::new(pipeline))
            })
            .collect();
        Ok((Config { pipelines, notifications, files, withheld, errors }, fingerprint))
    }

    /// The text of every file, by its name in the folder.
    pub(crate) fn texts(&self) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
        let (texts, unreadable) = self.texts_of(&self.fingerprint()?);
        match unreadable.into_iter().next() {
            Some(error) => Err(CliError::failed(format!("{}: {}", error.place.file, error.message))),
            None => Ok(texts),
        }
    }

    /// The text of every file, and the files that cannot be read: one of them stops only what is in it.
    fn texts_of(&self, fingerprint: &Fingerprint) -> (BTreeMap<String, Vec<u8>>, Vec<ManifestError>) {
        let mut texts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut unreadable = Vec::new();
        for path in fingerprint.0.keys() {
            let name = path.strip_prefix(&self.folder).unwrap_or(path);
            let name = if name.as_os_str().is_empty() { path.as_path() } else { name };
            match bounded(path) {
                Ok(text) => {
                    texts.insert(name.display().to_string(), text);
                }
                // A file that went away while the folder was read is as if it had never been there.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => unreadable.push(ManifestError {
                    place: Place { file: name.display().to_string().into(), line: 1, column: 1 },
                    field: String::new(),
                    kind: ManifestErrorKind::Unreadable,
                    message: format!("it cannot be read: {error}"),
                    help: Some("give the user that gradus runs as the right to read it".to_owned()),
                }),
            }
        }
        (texts, unreadable)
    }

    /// The address of a repository. A path is meant from the manifest that names it.
    fn address(&self, manifest: &str, url: Arc<str>) -> Arc<str> {
        if is_elsewhere(&url) {
            return url;
        }
        let manifest = if self.folder.is_dir() { self.folder.join(manifest) } else { self.folder.clone() };
        Arc::from(file_url(&manifest.parent().unwrap_or(&self.folder).join(&*url).display().to_string()))
    }

    /// Looks at names, sizes and times only.
    pub(crate) fn fingerprint(&self) -> Result<Fingerprint, CliError> {
        let mut found = BTreeMap::new();
        walk(&self.folder, 0, &mut found)
            .map_err(|error| CliError::because(format!("reading {}", self.folder.display()), error))?;
        Ok(Fingerprint(found))
    }
}

impl Config {
    /// The pipelines of `before` that are no more because people took them away;
    /// not those whose file has a mistake now.
    pub(crate) fn taken_away<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = Arc<Pipeline>> + 'a {
        let broken: BTreeSet<&str> = self.errors.iter().map(|error| &*error.place.file).collect();
        before.pipelines.iter().filter_map(move |(key, pipeline)| {
            let gone = !self.pipelines.contains_key(key);
            let file_is_fine = before.files.get(key).is_none_or(|file| !broken.contains(&**file));
            (gone && file_is_fine).then(|| pipeline.clone())
        })
    }
}

/// The address of a repository that may be a path.
pub(crate) fn file_url(text: &str) -> String {
    if is_elsewhere(text) {
        return text.to_owned();
    }
    let path = PathBuf::from(text);
    // A repository that does not exist is told of when it is opened.
    let path = path.canonicalize().or_else(|_| std::path::absolute(&path)).unwrap_or(path);
    let path = path.components().fold(PathBuf::new(), |so_far, part| match part {
        Component::ParentDir => so_far.parent().map(Path::to_owned).unwrap_or(so_far),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::Normal(_) => {
            so_far.join(part)
        }
    });
    let path = path.display().to_string().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("file://{path}")
}

/// `https://host/path`, or `user@host:path` as ssh has it.
fn is_elsewhere(text: &str) -> bool {
    let first = text.split('/').next().unwrap_or_default();
    text.contains("://") || first.contains('@') && first.contains(':')
}

fn bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    // One byte more than allowed is enough to be told that it is too much.
    std::fs::File::open(path)?.take(limit).read_to_end(&mut text)?;
    Ok(text)
}

fn walk(
    path: &Path,
    depth: usize,
    found: &mut BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
) -> std::io::Result<()> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if depth > 0 && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if metadata.is_file() {
        let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if (is_yaml || depth == 0) && found.len() < MOST_FILES {
            found.insert(path.to_owned(), (metadata.len(), metadata.modified().ok()));
        }
        return Ok(());
    }
    if !metadata.is_dir() || depth > DEEPEST {
        return Ok(());
    }
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            walk(&entry.path(), depth + 1, found)?;
        }
    }
    Ok(())
}
