//! A release on the wire.

use std::collections::BTreeMap;

use gradus_core::release::Release as CoreRelease;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A named set of versions that moves together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Release {
    /// The version, where the release has only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version of each artifact.
    #[schema(example = json!({"chart": "6.6.0"}))]
    pub versions: BTreeMap<String, String>,
}

impl From<&CoreRelease> for Release {
    fn from(release: &CoreRelease) -> Self {
        let versions: BTreeMap<String, String> =
            release.versions().map(|(name, version)| (name.to_string(), version.to_string())).collect();
        let version = if versions.len() == 1 { versions.values().next().cloned() } else { None };
        Self { version, versions }
    }
}

impl std::fmt::Display for Release {
    /// The version alone where there is one, else `name version` pairs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(version) = &self.version {
            return f.write_str(version);
        }
        for (at, (name, version)) in self.versions.iter().enumerate() {
            write!(f, "{}{name} {version}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
