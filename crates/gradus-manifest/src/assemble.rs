//! All files of a folder together: each hold on its pipeline.

mod branches;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::{Namespace, PipelineKey};
use gradus_core::notification::NotificationKey;
use gradus_core::pipeline::Pipeline;

use crate::error::{ManifestError, ManifestErrorKind, Note, Place, Trouble};
use crate::hold::HoldManifest;
use crate::nearest::did_you_mean;
use crate::notification::NotificationManifest;
use crate::read::{Manifest, Parsed};

/// What was in all files together.
#[derive(Debug, Clone, Default)]
pub struct Assembled {
    /// The pipelines that are known in full, with their holds.
    pub pipelines: BTreeMap<PipelineKey, Loaded>,
    /// The notifications without mistakes, by their keys.
    pub notifications: BTreeMap<NotificationKey, NotificationManifest>,
    /// The pipelines that a mistake is about. They are not among the others:
    /// nothing is to be written by half of the rules. When a file cannot be
    /// read at all, nobody knows what it is about; then what was loaded before
    /// is to be kept.
    pub withheld: BTreeSet<PipelineKey>,
    /// What is wrong.
    pub errors: Vec<ManifestError>,
    /// What there is to know beside that.
    pub notes: Vec<Note>,
}

/// A pipeline and where it is written.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The pipeline, with its holds.
    pub pipeline: Pipeline,
    /// The place of its name.
    pub place: Place,
}

/// Puts the files together. The order of the files does not matter, except for
/// which of two manifests of one thing is called the first.
pub fn assemble(files: impl Iterator<Item = Parsed>) -> Assembled {
    let mut all = Assembled::default();
    let mut holds = Vec::new();
    for parsed in files {
        all.errors.extend(parsed.errors);
        all.notes.extend(parsed.notes);
        all.withheld.extend(parsed.spoiled);
        for manifest in parsed.manifests {
            match manifest {
                Manifest::Hold(hold) => holds.push(*hold),
                Manifest::Pipeline(pipeline, place) => all.add(*pipeline, place),
                Manifest::Notification(notification) => all.hear(*notification),
            }
        }
    }
    let mut names: BTreeMap<(Namespace, Arc<str>), Place> = BTreeMap::new();
    for hold in holds {
        let name = (hold.pipeline.namespace.clone(), Arc::clone(&hold.hold.name));
        if let Some(first) = names.get(&name) {
            let message = format!("hold {:?} is there twice; it is first at {first}", hold.hold.name);
            all.withheld.insert(hold.pipeline.clone());
            all.fail(&hold.place, "metadata.name", Trouble::new(ManifestErrorKind::Conflict, message));
            continue;
        }
        names.insert(name, hold.place.clone());
        all.put(hold);
    }
    all.look_for_pipelines();
    for (key, error) in branches::taken(&all.pipelines) {
        all.withheld.insert(key);
        all.errors.push(error);
    }
    for key in &all.withheld {
        all.pipelines.remove(key);
    }
    all
}

impl Assembled {
    fn add(&mut self, pipeline: Pipeline, place: Place) {
        let key = pipeline.key.clone();
        if let Some(first) = self.pipelines.get(&key) {
            let message = format!("pipeline {key} is there twice; it is first at {}", first.place);
            self.withheld.insert(key);
            self.fail(&place, "metadata.name", Trouble::new(ManifestErrorKind::Conflict, message));
            return;
        }
        self.pipelines.insert(key, Loaded { pipeline, place });
    }

    fn hear(&mut self, manifest: NotificationManifest) {
        let key = manifest.notification.key.clone();
        if let Some(first) = self.notifications.get(&key) {
            let message = format!("notification {key} is there twice; it is first at {}", first.place);
            self.fail(&manifest.place, "metadata.name", Trouble::new(ManifestErrorKind::Conflict, message));
            return;
        }
        self.notifications.insert(key, manifest);
    }

    /// A notification of a pipeline that does not exist would never say a word.
    fn look_for_pipelines(&mut self) {
        let mut troubles = Vec::new();
        for (key, manifest) in &self.notifications {
            for (at, (name, place)) in manifest.pipelines.iter().enumerate() {
                let wanted = PipelineKey { namespace: key.namespace.clone(), name: name.clone() };
                if self.pipelines.contains_key(&wanted) || self.withheld.contains(&wanted) {
                    continue;
                }
                let here = self.pipelines.keys().filter(|other| other.namespace == key.namespace);
                let help = did_you_mean(name.as_str(), here.map(|other| other.name.as_str()));
                let message = format!("notification {key} is for pipeline {wanted}, which does not exist");
                let trouble = Trouble::new(ManifestErrorKind::Reference, message).maybe_help(help);
                troubles.push(trouble.at(place.clone(), format!("spec.pipelines[{at}]")));
            }
        }
        self.errors.extend(troubles);
    }

    /// Puts a hold on its pipeline.
    fn put(&mut self, manifest: HoldManifest) {
        let key = manifest.pipeline.clone();
        let Some(loaded) = self.pipelines.get_mut(&key) else {
            // A pipeline with mistakes of its own has been told of.
            if !self.withheld.contains(&key) {
                let trouble = self.no_pipeline(&manifest.hold.name, &key);
                self.fail(&manifest.places.pipeline, "spec.pipeline", trouble);
            }
            return;
        };
        match manifest.on(&loaded.pipeline) {
            Ok(hold) => loaded.pipeline.holds.push(hold),
            Err(error) => {
                self.withheld.insert(key);
                self.errors.push(error);
            }
        }
    }

    fn no_pipeline(&self, hold: &str, key: &PipelineKey) -> Trouble {
        let elsewhere = self.pipelines.keys().find(|other| other.name == key.name);
        let here = self.pipelines.keys().filter(|other| other.namespace == key.namespace);
        let help = elsewhere
            .map(|other| format!("there is {other}: set `metadata.namespace` to {}", other.namespace))
            .or_else(|| did_you_mean(key.name.as_str(), here.map(|other| other.name.as_str())));
        let message = format!("hold {hold:?} is on pipeline {key}, which does not exist");
        Trouble::new(ManifestErrorKind::Reference, message).maybe_help(help)
    }

    fn fail(&mut self, place: &Place, field: &str, trouble: Trouble) {
        self.errors.push(trouble.at(place.clone(), field.to_owned()));
    }
}
