//! Why a certificate cannot be used.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// A certificate or its key cannot be used.
#[derive(Debug)]
pub struct TlsError {
    /// What is wrong.
    pub kind: TlsErrorKind,
    /// The file that it is wrong with.
    pub file: PathBuf,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What is wrong with a certificate or its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsErrorKind {
    /// The file cannot be read.
    Read,
    /// There is no certificate in the file.
    NoCertificate,
    /// There is no private key in the file.
    NoKey,
    /// The key in the file is not that of the certificate.
    OtherKey,
    /// What is in the file is of no kind that is known.
    Unusable,
}

impl TlsError {
    pub(super) fn new(kind: TlsErrorKind, file: &Path) -> Self {
        Self { kind, file: file.to_owned(), source: None }
    }

    pub(super) fn because(
        kind: TlsErrorKind,
        file: &Path,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { source: Some(source.into()), ..Self::new(kind, file) }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self.kind {
            TlsErrorKind::Read => "both files have to be there and readable before the program starts",
            TlsErrorKind::NoCertificate | TlsErrorKind::Unusable => {
                "certificates are expected in PEM, the server's own first"
            }
            TlsErrorKind::NoKey => "a private key is expected in PEM, without a password",
            TlsErrorKind::OtherKey => {
                "give the key that the certificate was made for; it has to come first in its file"
            }
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match self.kind {
            TlsErrorKind::Read => write!(f, "cannot read {file}"),
            TlsErrorKind::NoCertificate => write!(f, "there is no certificate in {file}"),
            TlsErrorKind::NoKey => write!(f, "there is no private key in {file}"),
            TlsErrorKind::OtherKey => write!(f, "the key in {file} is not that of the certificate"),
            TlsErrorKind::Unusable => write!(f, "what is in {file} cannot be used"),
        }
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
