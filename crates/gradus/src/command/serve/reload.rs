//! The folder of manifests, read again whenever it changes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gradus_core::pipeline::Pipeline;
use gradus_engine::{Engine, Notifier};
use gradus_manifest::ManifestError;
use gradus_server::api::v1::Problem;
use gradus_server::port::Problems;
use tokio::sync::watch;

use crate::config::{Config, ConfigFolder, Fingerprint};
use crate::error::CliError;

/// How often the folder is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// Keeps the engine's pipelines, and who is told of them, as the folder has them.
pub(crate) struct Reloader {
    folder: ConfigFolder,
    engine: Arc<Engine>,
    notifier: Arc<Notifier>,
    /// Held while the folder is read, so that what is set is never older than what was set before.
    last: Mutex<Option<(Config, Fingerprint)>>,
}

impl Reloader {
    /// Nothing is read yet.
    pub(crate) fn new(folder: ConfigFolder, engine: Arc<Engine>, notifier: Arc<Notifier>) -> Self {
        Self { folder, engine, notifier, last: Mutex::default() }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &ConfigFolder {
        &self.folder
    }

    /// Reads the folder, if it changed, and sets the pipelines. Those that people
    /// took away are returned. A file with a mistake stops only what is in it.
    pub(crate) fn read(&self) -> Result<Vec<Arc<Pipeline>>, CliError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, fingerprint)) = last.as_ref()
            && *fingerprint == self.folder.fingerprint()?
        {
            return Ok(Vec::new());
        }
        let (config, fingerprint) = self.folder.read()?;
        for error in &config.errors {
            tracing::warn!(place = %error.place, help = error.help, "{}", error.message);
        }
        let taken_away = match last.as_ref() {
            Some((before, _)) => config.taken_away(before).collect(),
            None => Vec::new(),
        };
        self.notifier.set(config.notifications.values().cloned());
        self.engine.set_pipelines(config.pipelines.clone());
        *last = Some((config, fingerprint));
        Ok(taken_away)
    }

    /// Reads the folder again and again, until told to stop.
    pub(crate) async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) -> Result<(), CliError> {
        loop {
            tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return Ok(()),
                () = tokio::time::sleep(EVERY) => {}
            }
            match self.read() {
                Ok(taken_away) => self.retire(taken_away).await,
                Err(error) => {
                    tracing::warn!(%error, "the manifests cannot be read; what was read before goes on")
                }
            }
        }
    }

    /// Clears up after pipelines that are no more.
    pub(crate) async fn retire(&self, pipelines: Vec<Arc<Pipeline>>) {
        for pipeline in pipelines {
            for error in self.engine.retire(&pipeline).await {
                tracing::warn!(pipeline = %pipeline.key, error = error.in_full(), "could not clear up after a pipeline");
            }
        }
    }

    /// What is wrong in the folder.
    pub(crate) fn errors(&self) -> Vec<ManifestError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().map(|(config, _)| config.errors.clone()).unwrap_or_default()
    }
}

impl Problems for Reloader {
    fn list(&self) -> Vec<Problem> {
        let problem = |error: ManifestError| Problem {
            file: error.place.file.to_string(),
            line: u64::try_from(error.place.line).ok(),
            message: error.message,
            help: error.help,
        };
        self.errors().into_iter().map(problem).collect()
    }

    fn were_read(&self) -> bool {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
