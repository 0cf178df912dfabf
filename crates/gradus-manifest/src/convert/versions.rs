//! Versions, and pins whose artifact goes without saying.

use std::collections::BTreeMap;

use gradus_core::names::ArtifactName;
use gradus_core::release::Release;
use gradus_core::version::{Order, Version};

use super::Reader;
use crate::error::{ManifestErrorKind, Trouble};
use crate::nearest::did_you_mean;
use crate::wire;
use crate::yaml::Path;

/// A pin before the artifacts are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnresolvedPin {
    /// A version of the only artifact.
    Only(Version),
    /// Versions by artifact.
    Each(BTreeMap<ArtifactName, Version>),
}

/// Reads a list of versions.
pub(super) fn list(reader: &mut Reader<'_, '_>, path: &Path<'_>, texts: &[String]) -> Option<Vec<Version>> {
    reader.each(path, texts, |reader, path, text| reader.take(path, Version::parse(text)))
}

/// Reads the texts of a pin.
pub(super) fn pin(reader: &mut Reader<'_, '_>, path: &Path<'_>, pin: &wire::Pin) -> Option<UnresolvedPin> {
    match pin {
        wire::Pin::Only(text) => reader.take(path, Version::parse(text)).map(UnresolvedPin::Only),
        wire::Pin::Each(texts) => {
            if texts.is_empty() {
                reader.fail(path, Trouble::value("a pin needs a version"));
                return None;
            }
            let read: Vec<_> = texts
                .iter()
                .map(|(name, text)| {
                    let path = path.field(name);
                    let name = reader.take(&path, ArtifactName::parse(name));
                    let version = reader.take(&path, Version::parse(text));
                    Some((name?, version?))
                })
                .collect();
            read.into_iter().collect::<Option<_>>().map(UnresolvedPin::Each)
        }
    }
}

/// The release that a pin means.
pub(crate) fn resolve_pin(
    pin: UnresolvedPin,
    artifacts: &BTreeMap<ArtifactName, Order>,
) -> Result<Release, Trouble> {
    let names = || artifacts.keys().map(ArtifactName::as_str);
    match pin {
        UnresolvedPin::Only(version) => match artifacts.keys().collect::<Vec<_>>().as_slice() {
            [only] => Ok(Release::single((*only).clone(), version)),
            _ => Err(Trouble::value(format!(
                "the version {version} could be of any of the artifacts {}",
                names().collect::<Vec<_>>().join(", ")
            ))
            .help(format!("say which: {{{}: {version}}}", names().next().unwrap_or("app")))),
        },
        UnresolvedPin::Each(versions) => {
            if let Some(unknown) = versions.keys().find(|name| !artifacts.contains_key(*name)) {
                return Err(unknown_artifact(unknown, artifacts));
            }
            Release::new(versions).ok_or_else(|| Trouble::value("a pin needs a version"))
        }
    }
}

/// The trouble with a name that is no artifact of the pipeline.
pub(super) fn unknown_artifact(name: &ArtifactName, artifacts: &BTreeMap<ArtifactName, Order>) -> Trouble {
    let names = || artifacts.keys().map(ArtifactName::as_str);
    let help = did_you_mean(name.as_str(), names())
        .unwrap_or_else(|| format!("it has {}", names().collect::<Vec<_>>().join(", ")));
    Trouble::new(ManifestErrorKind::Reference, format!("the pipeline has no artifact \"{name}\"")).help(help)
}
