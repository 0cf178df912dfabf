//! Names and revisions that have been checked.

use std::fmt;

/// The name of an object or of a namespace in a cluster. Safe as a segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

/// Why a text is no name of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not the name of an object: lower-case letters, digits, '-' and '.' are allowed, at most 253"
)]
pub struct NameError {
    /// The text, cut to a readable length.
    pub text: String,
}

/// The longest name that an object can have.
const LONGEST_NAME: usize = 253;

impl ObjectName {
    /// Checks the text as a cluster does: labels of letters, digits and dashes, with dots between.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let label = |label: &str| {
            let bytes = label.as_bytes();
            bytes.first().is_some_and(|first| letter(*first))
                && bytes.last().is_some_and(|last| letter(*last))
                && bytes.iter().all(|byte| letter(*byte) || *byte == b'-')
        };
        if text.len() <= LONGEST_NAME && text.split('.').all(label) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError { text: text.chars().take(80).collect() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What is promoted: the version of a chart, or of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(String);

/// Why a text is no revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// There is none.
    #[error("the revision is empty")]
    Empty,
    /// Nobody names anything so, and it would be written into a status and into titles.
    #[error("the revision has characters that steer, or more than {LONGEST_REVISION} bytes")]
    Odd,
}

/// The longest revision that is taken, in bytes.
const LONGEST_REVISION: usize = 1024;

impl Revision {
    /// Checks the text.
    pub fn parse(text: &str) -> Result<Self, RevisionError> {
        if text.is_empty() {
            Err(RevisionError::Empty)
        } else if text.len() > LONGEST_REVISION || text.chars().any(char::is_control) {
            Err(RevisionError::Odd)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The revision as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
