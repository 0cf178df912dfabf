//! Releases that callers name.

use std::collections::BTreeMap;

use gradus_core::names::ArtifactName;
use gradus_core::pipeline::Pipeline;
use gradus_core::release::Release;
use gradus_core::version::Version;

use super::ApiError;

/// The release that a caller names by `version` or by `versions`; absent when neither is given.
pub(crate) fn release_of(
    pipeline: &Pipeline,
    version: Option<&str>,
    versions: Option<&BTreeMap<String, String>>,
) -> Result<Option<Release>, ApiError> {
    let pairs: Vec<(ArtifactName, &str)> = match (version, versions) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(ApiError::malformed("give version or versions, not both")),
        (Some(version), None) => match pipeline.only_artifact() {
            Some(artifact) if !version.contains('=') => vec![(artifact.clone(), version)],
            Some(_) | None => pairs(pipeline, version)?,
        },
        (None, Some(versions)) => versions
            .iter()
            .map(|(name, version)| Ok((artifact(pipeline, name)?, version.as_str())))
            .collect::<Result<_, ApiError>>()?,
    };
    let versions = pairs.into_iter().map(|(name, version)| {
        let version = Version::parse(version).map_err(|error| ApiError::malformed(error.to_string()))?;
        Ok((name, version))
    });
    let versions: Vec<_> = versions.collect::<Result<_, ApiError>>()?;
    Release::new(versions).map(Some).ok_or_else(|| ApiError::malformed("versions names no version"))
}

fn pairs<'a>(pipeline: &Pipeline, text: &'a str) -> Result<Vec<(ArtifactName, &'a str)>, ApiError> {
    text.split(',')
        .map(|pair| match pair.split_once('=') {
            Some((name, version)) => Ok((artifact(pipeline, name.trim())?, version.trim())),
            None => {
                let known = known(pipeline);
                Err(ApiError::malformed(format!(
                    "{pair:?} does not say which artifact; write ARTIFACT=VERSION, of {known}"
                )))
            }
        })
        .collect()
}

fn artifact(pipeline: &Pipeline, name: &str) -> Result<ArtifactName, ApiError> {
    let found = pipeline.artifacts.keys().find(|artifact| artifact.as_str() == name);
    found.cloned().ok_or_else(|| {
        let known = known(pipeline);
        ApiError::malformed(format!("{} has no artifact {name:?}; it has {known}", pipeline.key))
    })
}

fn known(pipeline: &Pipeline) -> String {
    pipeline.artifacts.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
