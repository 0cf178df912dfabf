//! Where an environment's versions are in its repository: the places that the
//! manifest names, or the markers in the files.

mod declared;
mod each;
mod index;
mod mark;
mod origin;
mod said;
mod shared;

use std::collections::BTreeMap;

use gradus_core::names::{ArtifactName, EnvironmentName, RepoPath};
use gradus_core::observation::Why;
use gradus_core::pipeline::{EditSpec, Environment, Pipeline};
use gradus_edit::{Format, Located, Locator, Refusal};

pub(crate) use declared::{DeclaredCache, Files, release_at};
pub use declared::{FileEdit, edits};
pub(crate) use each::Each;
pub(crate) use index::{Index, IndexCache};
pub(crate) use mark::Mark;
pub(crate) use origin::{LookBack, OriginCache, OriginFacts, Sought, origin, sequence};

/// The key of the comment that names what may edit a value.
pub const MARKER: &str = "$promotion";

/// A place that holds the version of one artifact.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: RepoPath,
    /// Where in the file.
    pub locator: Locator,
    /// Whether a value that is not there yet is written.
    pub create: bool,
    /// Whether a range may stand there: nothing is promoted into a first environment, and what follows a
    /// range there is somebody else's.
    pub range: bool,
    /// Of which artifact.
    pub artifact: ArtifactName,
}

impl Place {
    /// What the place says in its file; nothing where no value is there yet and one may be written.
    pub fn read(&self, bytes: &[u8]) -> Result<Option<Vec<Located>>, Refusal> {
        match gradus_edit::read_file(Format::of(self.file.as_str()), bytes, &self.locator) {
            Ok(values) => Ok(Some(values)),
            Err(refusal) if self.create && refusal.is_missing() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// The place that an `edit:` of a pipeline names.
pub fn place_of(edit: &EditSpec) -> Result<Place, Why> {
    said::place(edit, false)
}

/// The places of each environment, or why they are not known.
pub(crate) type Places = BTreeMap<EnvironmentName, Result<Vec<Place>, Why>>;

/// Whether an environment's places come from markers, so that the repository has to be searched.
fn needs_markers(environment: &Environment) -> bool {
    environment.edit.is_empty()
}

/// The marker of an environment, as it stands in the repository.
pub fn marker_value(pipeline: &Pipeline, environment: &EnvironmentName) -> String {
    format!("{}:{}:{environment}", pipeline.key.namespace, pipeline.key.name)
}

/// The markers for which a branch that declares these environments has to be searched.
pub(crate) fn markers(pipeline: &Pipeline, here: &[&Environment]) -> Vec<String> {
    let marked = here.iter().filter(|environment| needs_markers(environment));
    if marked.clone().any(|environment| environment.branch.is_some()) {
        return pipeline.environments().iter().map(|any| marker_value(pipeline, &any.name)).collect();
    }
    marked.map(|environment| marker_value(pipeline, &environment.name)).collect()
}

/// The places of one environment. The first environment may have none.
pub(crate) fn of(
    pipeline: &Pipeline,
    environment: &Environment,
    index: Option<&Result<Index, Why>>,
) -> Result<Vec<Place>, Why> {
    if !needs_markers(environment) {
        return environment.edit.iter().map(|edit| said::place(edit, environment.is_first())).collect();
    }
    let index = match index {
        Some(Ok(index)) => index,
        Some(Err(why)) => return Err(why.clone()),
        None => return Err(Why::new("the repository was not searched for markers")),
    };
    let value = marker_value(pipeline, &environment.name);
    let values = values(pipeline, environment, index, &value);
    if let Some(problem) = values.iter().find_map(|value| index.problem_with(value)) {
        return Err(Why::new(format!("a file that names its marker cannot be read: {problem}")));
    }
    if values.iter().all(|value| index.files_with(value).is_empty()) {
        if environment.is_first() {
            return Ok(Vec::new());
        }
        return Err(Why::new(format!("no marker `{{\"{MARKER}\": \"{value}\"}}` {}", index.searched())));
    }
    let Some(artifact) = pipeline.only_artifact() else {
        return Err(Why::new(format!(
            "a marker does not say which of {} artifacts it means; say where each value is with `edit:`",
            pipeline.artifacts.len()
        )));
    };
    let place = |value: &String, file: &RepoPath| Place {
        file: file.clone(),
        locator: Locator::marker(MARKER, value.clone()),
        create: false,
        range: environment.is_first(),
        artifact: artifact.clone(),
    };
    let files = values.iter().flat_map(|value| index.files_with(value).iter().map(move |file| (value, file)));
    Ok(files.map(|(value, file)| place(value, file)).collect())
}

/// The markers that count for an environment: its own; on a branch of its own that has none of them, where whole files
/// come from the branches before, those of all environments.
fn values(pipeline: &Pipeline, environment: &Environment, index: &Index, own: &str) -> Vec<String> {
    if environment.branch.is_none() || !index.files_with(own).is_empty() || index.problem_with(own).is_some()
    {
        return vec![own.to_owned()];
    }
    pipeline.environments().iter().map(|any| marker_value(pipeline, &any.name)).collect()
}
