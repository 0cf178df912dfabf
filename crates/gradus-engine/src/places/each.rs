//! What is kept for each environment of each pipeline.

use std::collections::HashMap;

use gradus_core::names::{EnvironmentName, PipelineKey};

/// Something for each environment of each pipeline. Pipelines have few environments,
/// and there are many pipelines: a list takes a quarter of the room of a map.
pub(crate) struct Each<T>(HashMap<PipelineKey, Vec<(EnvironmentName, T)>>);

impl<T> Default for Each<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> Each<T> {
    /// What is kept for this environment.
    pub(crate) fn get(&self, key: &PipelineKey, environment: &EnvironmentName) -> Option<&T> {
        self.0.get(key)?.iter().find(|(name, _)| name == environment).map(|(_, kept)| kept)
    }

    /// Keeps it, in place of what was kept before.
    pub(crate) fn put(&mut self, key: &PipelineKey, environment: &EnvironmentName, new: T) {
        let here = match self.0.get_mut(key) {
            Some(here) => here,
            None => self.0.entry(key.clone()).or_default(),
        };
        match here.iter_mut().find(|(name, _)| name == environment) {
            Some((_, kept)) => *kept = new,
            None => {
                here.reserve_exact(1);
                here.push((environment.clone(), new));
            }
        }
    }

    /// Forgets pipelines that are no more.
    pub(crate) fn retain(&mut self, keep: impl Fn(&PipelineKey) -> bool) {
        self.0.retain(|key, _| keep(key));
    }
}
