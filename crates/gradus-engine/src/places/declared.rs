//! What the files of an environment declare, and the edits that change it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gradus_core::names::{ArtifactName, BlobId, EnvironmentName, PipelineKey, RepoPath};
use gradus_core::observation::Why;
use gradus_core::release::Release;
use gradus_core::version::{Version, is_range};
use gradus_edit::{Edit, Format, LineChange, Located, Outcome};

use super::each::Each;
use super::shared::Shared;
use super::{Mark, Place};
use crate::port::repo::FileSeen;

/// Files of one commit.
pub(crate) type Files = BTreeMap<RepoPath, FileSeen>;

/// What environments declared at the last look, so that files with the same
/// content are not parsed again.
#[derive(Default)]
pub(crate) struct DeclaredCache {
    known: Mutex<Each<Known>>,
    releases: Shared<Release>,
}

struct Known {
    /// Of the places and of the content of their files.
    of: Mark,
    release: Result<Option<Release>, Why>,
}

impl DeclaredCache {
    /// [`release_at`], for an environment.
    pub(crate) fn release_at(
        &self,
        key: &PipelineKey,
        environment: &EnvironmentName,
        places: &[Place],
        files: &Files,
    ) -> Result<Option<Release>, Why> {
        let blobs: Vec<Option<&BlobId>> =
            places.iter().map(|place| files.get(&place.file).map(|file| &file.blob)).collect();
        let of = Mark::of(&(places, blobs));
        if let Some(known) = self.lock().get(key, environment).filter(|known| known.of == of) {
            return known.release.clone();
        }
        // Nobody waits while a file is parsed.
        let release =
            release_at(places, files).map(|release| release.map(|release| self.releases.one(&release)));
        self.lock().put(key, environment, Known { of, release: release.clone() });
        release
    }

    fn lock(&self) -> MutexGuard<'_, Each<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&self, keep: impl Fn(&PipelineKey) -> bool) {
        self.lock().retain(keep);
    }
}

/// The release that the places name in these files; `None` where there are no places.
pub(crate) fn release_at(places: &[Place], files: &Files) -> Result<Option<Release>, Why> {
    let mut found: BTreeMap<ArtifactName, (Version, String)> = BTreeMap::new();
    for place in places {
        let Some(file) = files.get(&place.file) else {
            return Err(Why::new(format!("{} does not exist", place.file)));
        };
        let Some(values) = values(place, &file.bytes)? else { continue };
        if values.is_empty() {
            return Err(Why::new(format!("{} has no such marker any more", place.file)));
        }
        for value in values {
            let at = format!("{}:{}", place.file, value.place.line);
            if is_range(&value.value) {
                if place.range {
                    continue;
                }
                return Err(range(&at, &value));
            }
            let version = Version::parse(&value.value)
                .map_err(|error| Why::new(format!("{at}: {} is no version: {error}", value.path)))?;
            match found.get(&place.artifact) {
                Some((other, there)) if !other.same(&version) => {
                    return Err(Why::new(format!(
                        "its files disagree: {other} at {there}, {version} at {at}"
                    )));
                }
                Some(_) => {}
                None => {
                    found.insert(place.artifact.clone(), (version, at));
                }
            }
        }
    }
    Ok(Release::new(found.into_iter().map(|(artifact, (version, _))| (artifact, version))))
}

/// A file as it was and as it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// Where it is.
    pub path: RepoPath,
    /// What it was.
    pub before: BlobId,
    /// What it becomes.
    pub after: Arc<[u8]>,
    /// The lines that change.
    pub lines: Vec<LineChange>,
}

/// The edits that bring an environment's files from one release to another.
///
/// `Ok(None)`: the files do not declare `from` any more. An empty list: they
/// declare `to` already.
pub fn edits(
    places: &[Place],
    files: &BTreeMap<RepoPath, FileSeen>,
    from: Option<&Release>,
    to: &Release,
) -> Result<Option<Vec<FileEdit>>, Why> {
    let mut by_file: BTreeMap<&RepoPath, Vec<Edit>> = BTreeMap::new();
    for place in places {
        let Some(version) = to.get(&place.artifact) else { continue };
        let Some(file) = files.get(&place.file) else {
            return Err(Why::new(format!("{} does not exist", place.file)));
        };
        if let Some(found) = values(place, &file.bytes)? {
            refuse_range(place, &found)?;
            let expect = from.and_then(|from| from.get(&place.artifact));
            if expect.is_some_and(|expect| !declares(&found, expect, version)) {
                return Ok(None);
            }
        }
        let edit = Edit::new(place.locator.clone(), version.as_str());
        let edit = if place.create { edit.creating() } else { edit };
        by_file.entry(&place.file).or_default().push(edit);
    }
    let mut changed = Vec::new();
    for (path, edits) in by_file {
        let Some(file) = files.get(path) else { return Err(Why::new(format!("{path} does not exist"))) };
        let edited = gradus_edit::edit_file(Format::of(path.as_str()), &file.bytes, &edits);
        match edited.map_err(|refusal| Why::new(in_file(path, &refusal)))? {
            Outcome::Edited(edited) => changed.push(FileEdit {
                path: path.clone(),
                before: file.blob.clone(),
                lines: edited.lines().into_iter().cloned().collect(),
                after: Arc::from(edited.bytes),
            }),
            Outcome::Unchanged => {}
            Outcome::Stale(_) => return Ok(None),
        }
    }
    Ok(Some(changed))
}

/// Whoever wrote a range wants what it allows, and not one version of it.
fn refuse_range(place: &Place, found: &[Located]) -> Result<(), Why> {
    match found.iter().find(|value| is_range(&value.value)) {
        Some(value) => Err(range(&format!("{}:{}", place.file, value.place.line), value)),
        None => Ok(()),
    }
}

fn range(at: &str, value: &Located) -> Why {
    Why::new(format!(
        "{at}: {} is the range {}, which is not replaced by a version; write a version there once by hand",
        value.path, value.value
    ))
}

/// Whether there are values, and every one is what it is expected to be, or already what
/// it becomes. The same version may be written differently from place to place.
fn declares(found: &[Located], expect: &Version, becomes: &Version) -> bool {
    let fits = |text: &str| Version::parse(text).is_ok_and(|found| found.same(expect) || found.same(becomes));
    !found.is_empty() && found.iter().all(|value| fits(&value.value))
}

/// What the place says; `None` where nothing is there yet and may be written.
fn values(place: &Place, bytes: &[u8]) -> Result<Option<Vec<Located>>, Why> {
    place.read(bytes).map_err(|refusal| Why::new(in_file(&place.file, &refusal)))
}

/// A refusal with its file, as `file:line: why`.
pub(crate) fn in_file(file: &RepoPath, refusal: &gradus_edit::Refusal) -> String {
    match refusal.place {
        Some(place) => format!("{file}:{}: {}", place.line, refusal.kind),
        None => format!("{file}: {}", refusal.kind),
    }
}
