//! Checked types as the plain text, number or map that they were made of, for
//! use with `#[serde(with = "plain")]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::{
    ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, ProposalNumber, RequestId, TargetName,
};
use gradus_core::release::Release;
use gradus_core::version::Version;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserializer, Serialize, Serializer};

/// A type that is checked when it is made, and what it is made of.
pub(super) trait Plain: Sized {
    /// What it is made of.
    type Of: Serialize + DeserializeOwned;

    /// What it was made of.
    fn plain(&self) -> Self::Of;

    /// Makes it again, or says why not.
    fn checked(of: Self::Of) -> Result<Self, String>;
}

/// Writes a value by what it is made of.
pub(super) fn serialize<T: Plain, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    value.plain().serialize(to)
}

/// Reads a value and checks it.
pub(super) fn deserialize<'de, T: Plain, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    let of = <T::Of as serde::Deserialize>::deserialize(from)?;
    T::checked(of).map_err(D::Error::custom)
}

macro_rules! text {
    ($($type:ty),* $(,)?) => { $(
        impl Plain for $type {
            type Of = String;

            fn plain(&self) -> String {
                self.as_str().to_owned()
            }

            fn checked(of: String) -> Result<Self, String> {
                Self::parse(&of).map_err(|error| error.to_string())
            }
        }
    )* };
}

text!(ArtifactName, CheckName, CommitId, EnvironmentName, Group, Person, RequestId, TargetName, Version);

impl Plain for Timestamp {
    type Of = String;

    fn plain(&self) -> String {
        self.to_string()
    }

    fn checked(of: String) -> Result<Self, String> {
        of.parse().map_err(|error: jiff::Error| error.to_string())
    }
}

impl Plain for Arc<str> {
    type Of = String;

    fn plain(&self) -> String {
        self.as_ref().to_owned()
    }

    fn checked(of: String) -> Result<Self, String> {
        Ok(Self::from(of))
    }
}

impl Plain for ProposalNumber {
    type Of = u64;

    fn plain(&self) -> u64 {
        self.0
    }

    fn checked(of: u64) -> Result<Self, String> {
        Ok(Self(of))
    }
}

impl Plain for Release {
    type Of = BTreeMap<String, String>;

    fn plain(&self) -> Self::Of {
        self.versions().map(|(name, version)| (name.plain(), version.plain())).collect()
    }

    fn checked(of: Self::Of) -> Result<Self, String> {
        let versions: Result<Vec<_>, String> = of
            .into_iter()
            .map(|(name, version)| Ok((ArtifactName::checked(name)?, Version::checked(version)?)))
            .collect();
        Self::new(versions?).ok_or_else(|| "a release without a version".to_owned())
    }
}

impl<T: Plain> Plain for Option<T> {
    type Of = Option<T::Of>;

    fn plain(&self) -> Self::Of {
        self.as_ref().map(T::plain)
    }

    fn checked(of: Self::Of) -> Result<Self, String> {
        of.map(T::checked).transpose()
    }
}

impl<T: Plain> Plain for Vec<T> {
    type Of = Vec<T::Of>;

    fn plain(&self) -> Self::Of {
        self.iter().map(T::plain).collect()
    }

    fn checked(of: Self::Of) -> Result<Self, String> {
        of.into_iter().map(T::checked).collect()
    }
}
