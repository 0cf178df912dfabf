//! A hold, from its manifest.

use std::sync::Arc;

use gradus_core::names::{EnvironmentName, Person, PipelineKey, PipelineName};
use gradus_core::pipeline::Hold;

use super::time::{Edge, instant};
use super::{Reader, object_name, pipeline, versions};
use crate::error::Trouble;
use crate::hold::{HoldManifest, HoldPlaces};
use crate::wire;
use crate::yaml::Path;

/// Reads a hold; `None` once all that is wrong with it has been told of.
pub(crate) fn hold(reader: &mut Reader<'_, '_>, manifest: &wire::HoldManifest) -> Option<HoldManifest> {
    let path = Path::ROOT.field("spec");
    let spec = &manifest.spec;
    let namespace = pipeline::namespace(reader, &manifest.metadata);
    let name_path = Path::ROOT.field("metadata");
    let name_path = name_path.field("name");
    let name = reader.take(&name_path, object_name("hold name", &manifest.metadata.name));
    let pipeline = reader.take(&path.field("pipeline"), pipeline_name(&spec.pipeline));
    let environment = spec.environment.as_deref().map(EnvironmentName::parse);
    let environment = reader.take_some(&path.field("environment"), environment);
    let pin = match &spec.pin {
        None => Some(None),
        Some(pin) => versions::pin(reader, &path.field("pin"), pin).map(Some),
    };
    let reason = match spec.reason.trim() {
        "" => Err(Trouble::value("the reason is empty").help("say why, for those who meet the hold")),
        reason => Ok(Arc::<str>::from(reason)),
    };
    let reason = reader.take(&path.field("reason"), reason);
    let owner = reader.take(&path.field("owner"), Person::parse(&spec.owner));
    let since = spec.since.as_deref().map(|text| instant(text, Edge::Begin));
    let since = reader.take_some(&path.field("since"), since);
    let until = spec.until.as_deref().map(|text| instant(text, Edge::End));
    let until = reader.take_some(&path.field("until"), until);
    if let (Some(Some(since)), Some(Some(until))) = (since, until)
        && until <= since
    {
        // It would hold nothing, and nobody would know.
        reader.fail(&path.field("until"), Trouble::value("the hold ends before it begins"));
    }
    let places = HoldPlaces {
        pipeline: reader.place(&path.field("pipeline")),
        environment: reader.place(&path.field("environment")),
        pin: reader.place(&path.field("pin")),
    };
    Some(HoldManifest {
        pipeline: PipelineKey { namespace: namespace?, name: pipeline? },
        hold: Hold {
            name: name?,
            environment: environment?,
            pin: None,
            reason: reason?,
            owner: owner?,
            since: since?,
            until: until?,
        },
        place: reader.place(&name_path),
        pin: pin?,
        places,
    })
}

fn pipeline_name(text: &str) -> Result<PipelineName, Trouble> {
    PipelineName::parse(text).map_err(|error| {
        let trouble = Trouble::from(error);
        if text.contains('/') {
            trouble.help("write the name alone: a hold is in its pipeline's namespace, `metadata.namespace`")
        } else {
            trouble
        }
    })
}
