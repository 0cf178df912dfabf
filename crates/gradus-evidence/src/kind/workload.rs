//! What all workloads have in common: a template with images, and a rollout.

use jiff::Timestamp;

use super::pods;
use crate::image::{self, Image, Pick};
use crate::judge::Look;
use crate::notes::Says;
use crate::read::Doc;
use crate::state::State;
use crate::target::{Confidence, ObjectRef};
use crate::words::tidy;

/// How far the rollout of a workload is.
#[derive(Debug)]
pub(super) enum Progress {
    /// Every pod is one of the template, and available.
    Done { says: String, since: Option<Timestamp> },
    /// It is under way.
    Going { says: String, since: Option<Timestamp> },
    /// It will not end by itself.
    Broken { why: String, since: Option<Timestamp> },
    /// It proves nothing.
    Untold { why: String },
    /// It should have no pods, which proves nothing either.
    Idle { why: &'static str },
}

/// The state of a workload whose rollout is so far.
pub(super) fn state(object: Doc<'_>, name: &ObjectRef, progress: Progress, look: &mut Look<'_>) -> State {
    let Some(template) = object.at("spec/template") else {
        note(name, &progress, None, look);
        return State::unknown("it has no pod template");
    };
    let picked = version(template, name, look);
    let image = picked.as_ref().ok().map(|(_, image)| *image);
    note(name, &progress, image, look);
    let version = picked.map(|(container, image)| {
        (container, tidy(image.version(look.wanted.as_ref().filter(|_| look.is_top()))))
    });
    if object.is_deleting() {
        return State::unknown("it is being deleted");
    }
    match (progress, version) {
        (Progress::Untold { why }, _) => State::unknown(why),
        (Progress::Idle { why }, _) => {
            look.idle = true;
            State::unknown(why)
        }
        (Progress::Going { since, .. }, version) => {
            State::Deploying { version: version.ok().map(|(_, version)| version), since }
        }
        (Progress::Broken { why, since }, version) => {
            State::failed(version.ok().map(|(_, version)| version), why, since)
        }
        (Progress::Done { .. }, Err(why)) => State::unknown(why),
        (Progress::Done { since, .. }, Ok((container, version))) => {
            if look.confidence == Confidence::Pods {
                let told = image.and_then(|image| image.digest);
                if let Err(state) = pods::agree(object, name, container, &version, told, look) {
                    return state;
                }
            }
            State::Healthy { version, since: since.unwrap_or(look.now) }
        }
    }
}

/// The container and image whose version counts. Below a target any will do, and
/// those that the target's version may be in are remembered.
fn version<'a>(
    template: Doc<'a>,
    name: &ObjectRef,
    look: &mut Look<'_>,
) -> Result<(Option<&'a str>, Image<'a>), String> {
    if look.is_top() {
        return image::pick(template, &look.pick, &name.name);
    }
    if look.pick.is_named()
        && let Ok((_, found)) = image::pick(template, &look.pick, &name.name)
    {
        look.images.insert(tidy(found.version(look.wanted.as_ref())));
    }
    image::pick(template, &Pick::Any, &name.name)
}

/// Writes down what a workload says.
pub(super) fn note(name: &ObjectRef, progress: &Progress, image: Option<Image<'_>>, look: &mut Look<'_>) {
    let (words, since, good) = match progress {
        Progress::Done { says, since } => (says, *since, Some(true)),
        Progress::Going { says, since } => (says, *since, None),
        Progress::Broken { why, since } => (why, *since, Some(false)),
        Progress::Untold { why } => (why, None, None),
        Progress::Idle { why } => (&(*why).to_owned(), None, None),
    };
    let revision = image.map(|image| match (image.tag, image.digest) {
        (Some(tag), Some(digest)) => format!("{}:{tag}@{digest}", image.repository),
        (Some(tag), None) => format!("{}:{tag}", image.repository),
        (None, Some(digest)) => format!("{}@{digest}", image.repository),
        (None, None) => image.repository.to_owned(),
    });
    look.note(name, Says { words: words.clone(), revision: revision.as_deref(), since, good });
}

/// A generation that the controller has not seen yet.
pub(super) fn unobserved(object: Doc<'_>) -> Option<Progress> {
    let observed = object.int("status/observedGeneration");
    let says = match (object.generation(), observed) {
        (None, _) => return Some(Progress::Untold { why: "it does not tell its generation".to_owned() }),
        (Some(generation), Some(observed)) if observed >= generation => return None,
        (Some(generation), _) => format!("generation {generation} is not observed yet"),
    };
    Some(Progress::Going { says, since: None })
}

/// The first of these counts that is not what it must be.
pub(super) fn short(object: Doc<'_>, need: i64, counts: &[(&str, &str)]) -> Option<String> {
    counts.iter().find_map(|(field, what)| {
        let have = object.int(&format!("status/{field}")).unwrap_or(0);
        (have < need).then(|| format!("{have} of {need} {what}"))
    })
}
