//! From what is written to the planner's types: names are checked, defaults
//! filled in and references followed.

mod dispatch;
mod edit;
mod environment;
mod gate;
mod hold;
mod in_cluster;
mod location;
mod notification;
mod pipeline;
mod pull_request;
mod said;
mod target;
mod time;
mod versions;

use std::sync::Arc;

use gradus_core::names::{NameError, TargetName};
use gradus_core::version::VersionError;
use gradus_core::window::SpanError;

use crate::error::{ManifestError, Note, Place, Trouble};
use crate::yaml::{At, Document, Path};

pub(crate) use hold::hold;
pub(crate) use notification::notification;
pub(crate) use pipeline::pipeline;
pub(crate) use said::{approval, check, promotion};
pub(crate) use versions::{UnresolvedPin, resolve_pin};

/// Reads one document and collects what is wrong with it.
pub(crate) struct Reader<'d, 't> {
    pub(crate) file: Arc<str>,
    pub(crate) document: &'d Document<'t>,
    pub(crate) errors: Vec<ManifestError>,
    pub(crate) notes: Vec<Note>,
}

impl Reader<'_, '_> {
    /// The value, or `None` once its trouble has been told of.
    fn take<T, E: Into<Trouble>>(&mut self, path: &Path<'_>, result: Result<T, E>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(trouble) => {
                self.fail(path, trouble.into());
                None
            }
        }
    }

    /// The same for a value that may be absent.
    fn take_some<T, E: Into<Trouble>>(
        &mut self,
        path: &Path<'_>,
        result: Option<Result<T, E>>,
    ) -> Option<Option<T>> {
        match result {
            None => Some(None),
            Some(result) => self.take(path, result).map(Some),
        }
    }

    /// The same for what may be looked at several times: its trouble is told once.
    fn take_once<T>(&mut self, path: &Path<'_>, result: Result<T, Trouble>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(trouble) => {
                let error = trouble.at(self.place(path), path.to_string());
                if !self.errors.contains(&error) {
                    self.errors.push(error);
                }
                None
            }
        }
    }

    pub(crate) fn fail(&mut self, path: &Path<'_>, trouble: Trouble) {
        let place = self.place(path);
        self.errors.push(trouble.at(place, path.to_string()));
    }

    pub(crate) fn note(&mut self, path: &Path<'_>, message: impl Into<String>) {
        let place = self.place(path);
        self.notes.push(Note { place, message: message.into() });
    }

    pub(crate) fn place(&self, path: &Path<'_>) -> Place {
        let At { line, column } = self.document.locate(path);
        Place { file: Arc::clone(&self.file), line, column }
    }

    /// Reads each item of a list; a mistake in one does not hide those in others.
    fn each<T, R>(
        &mut self,
        path: &Path<'_>,
        items: &[T],
        mut read: impl FnMut(&mut Self, &Path<'_>, &T) -> Option<R>,
    ) -> Option<Vec<R>> {
        let read: Vec<Option<R>> =
            items.iter().enumerate().map(|(at, item)| read(self, &path.item(at), item)).collect();
        read.into_iter().collect()
    }
}

impl From<NameError> for Trouble {
    fn from(error: NameError) -> Self {
        let lower = error.text.to_lowercase().replace(['_', ' '], "-");
        let help = (lower != error.text && !lower.is_empty() && TargetName::parse(&lower).is_ok())
            .then(|| format!("write {lower:?}"));
        Self::value(error.to_string()).maybe_help(help)
    }
}

impl From<VersionError> for Trouble {
    fn from(error: VersionError) -> Self {
        Self::value(error.to_string())
    }
}

impl From<SpanError> for Trouble {
    fn from(error: SpanError) -> Self {
        Self::value(error.to_string())
    }
}

/// The name of an object that is none of the planner's, such as a Secret.
fn object_name(what: &'static str, text: &str) -> Result<Arc<str>, Trouble> {
    match TargetName::parse(text) {
        Ok(name) => Ok(Arc::from(name.as_str())),
        Err(error) => Err(NameError { what, ..error }.into()),
    }
}
