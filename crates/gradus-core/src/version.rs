//! Versions and their order.
//!
//! A version is a short text: a semantic version, a date, a tag, a digest or a
//! commit id. What is newer is never read from the text of an opaque version;
//! only its place in the history says so.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

mod calendar;
mod numeric;
mod range;
mod semantic;
#[cfg(test)]
mod tests;

pub use range::is_range;

const MAX_BYTES: usize = 256;

/// A version as it is written, read once when it is made and cheap to clone.
///
/// `Eq`, `Ord` and `Hash` go by the text alone, so that a version can be the
/// key of a map. `Ord` is **not** the order of versions: that is
/// [`Order::compare`]. Whether two texts mean the same version is
/// [`Version::same`].
#[derive(Clone)]
pub struct Version(Arc<Parsed>);

struct Parsed {
    text: Box<str>,
    semver: Option<semver::Version>,
}

impl Version {
    /// Checks the text and makes the version.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let fail = |kind| Err(VersionError { kind, text: text.chars().take(80).collect() });
        if text.is_empty() {
            return fail(VersionErrorKind::Empty);
        }
        if text.len() > MAX_BYTES {
            return fail(VersionErrorKind::TooLong { bytes: text.len() });
        }
        if let Some((index, found)) =
            text.chars().enumerate().find(|(_, c)| c.is_whitespace() || c.is_control())
        {
            return fail(VersionErrorKind::Character { found, column: index + 1 });
        }
        Ok(Self(Arc::new(Parsed { text: text.into(), semver: semantic::parse(text) })))
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether both mean the same version, as in "is it running what is declared".
    ///
    /// That is so when the texts are equal, or when both are semantic versions
    /// with the same numbers and prerelease (a leading `v` and missing parts
    /// aside) and the build metadata is equal or absent on one side. Because of
    /// that last rule this relation is not transitive: `1.0.0` is the same as
    /// `1.0.0+a` and as `1.0.0+b`, which are not the same as each other.
    pub fn same(&self, other: &Self) -> bool {
        self == other
            || self.0.semver.as_ref().zip(other.0.semver.as_ref()).is_some_and(|(a, b)| semantic::same(a, b))
    }
}

/// How versions of one artifact are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Order {
    /// [`Order::Semver`] where both are semantic versions, else [`Order::Seen`].
    ///
    /// A history that mixes semantic and opaque versions can be ordered in a
    /// circle by this; a single comparison is still what it says.
    #[default]
    Auto,
    /// The precedence of SemVer 2.0 (§11).
    ///
    /// A leading `v` is allowed and missing minor and patch numbers are 0. A
    /// prerelease after missing parts must begin with a letter (`1.2-rc1`), so
    /// that `2026-01-02` is not taken for a prerelease of 2026.0.0. Versions
    /// that differ in their build metadata alone are ordered as seen.
    Semver,
    /// Numbers of any length with dots between them; missing parts are 0.
    Numeric,
    /// Dates such as `2026.01.02`, `20260102T030405Z` or `26.04-rc1`.
    ///
    /// The first part has 2, 4, 6, 8 or 14 digits, and two versions are
    /// comparable only when it is equally long in both. A modifier ranks before
    /// the plain version; among each other modifiers compare by number when the
    /// word is the same, and as dev, alpha, beta, pre, rc otherwise.
    Calendar,
    /// The order in which the versions were seen; right for digests, commit
    /// ids and tags, whose text says nothing about age.
    Seen,
}

impl Order {
    /// Compares the age of two versions; `Greater` means that `a` is newer.
    ///
    /// `seen` holds the versions in the order in which they were seen, oldest
    /// first; the last occurrence counts. The answer is `None` where the order
    /// does not say which is newer. Equal texts are always `Equal`.
    pub fn compare(self, a: &Version, b: &Version, seen: &[Version]) -> Option<Ordering> {
        if a == b {
            return Some(Ordering::Equal);
        }
        match self {
            Self::Auto => match (&a.0.semver, &b.0.semver) {
                (Some(x), Some(y)) => semantic::compare(x, y).or_else(|| by_seen(a, b, seen)),
                (Some(_), None) | (None, Some(_) | None) => by_seen(a, b, seen),
            },
            Self::Semver => {
                let (x, y) = a.0.semver.as_ref().zip(b.0.semver.as_ref())?;
                semantic::compare(x, y).or_else(|| by_seen(a, b, seen))
            }
            Self::Numeric => numeric::compare(a.as_str(), b.as_str()),
            Self::Calendar => calendar::compare(a.as_str(), b.as_str()),
            Self::Seen => by_seen(a, b, seen),
        }
    }
}

fn by_seen(a: &Version, b: &Version, seen: &[Version]) -> Option<Ordering> {
    let place = |version: &Version| seen.iter().rposition(|s| s == version);
    Some(place(a)?.cmp(&place(b)?))
}

/// Why a text cannot be a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {text:?} {kind}")]
pub struct VersionError {
    /// What is wrong with it.
    pub kind: VersionErrorKind,
    /// The text as it was given, cut to a readable length.
    pub text: String,
}

/// What is wrong with the text of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionErrorKind {
    /// There is no text.
    #[error("is empty")]
    Empty,
    /// The text is too long.
    #[error("is {bytes} bytes long; at most {MAX_BYTES} are allowed")]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// The text has white space or a control character in it.
    #[error("has the character {found:?} at column {column}; spaces and control characters are not allowed")]
    Character {
        /// The character.
        found: char,
        /// Its place, counted in characters from 1.
        column: usize,
    },
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({:?})", self.as_str())
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
